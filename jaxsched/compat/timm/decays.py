"""Decays that may begin again: cosine, hyperbolic tangent, polynomial."""

from typing import Any

from jaxsched.arrays import Numeric
from jaxsched.compat.lengths import whole
from jaxsched.compat.timm.cycles import Cycles
from jaxsched.compat.timm.ramp_and_noise import Noise, NoiseRange, Ramp, refuse_no_time
from jaxsched.cycles import cosine_restarts
from jaxsched.domains.numbers import surely
from jaxsched.schedule import Schedule
from jaxsched.shapes import tanh
from jaxsched.transitions import cosine, polynomial, transition


def CosineLRScheduler(
    lr: Numeric,
    t_initial: int,
    lr_min: Numeric = 0.0,
    cycle_mul: Numeric = 1.0,
    cycle_decay: Numeric = 1.0,
    cycle_limit: int = 1,
    warmup_t: int = 0,
    warmup_lr_init: Numeric = 0.0,
    warmup_prefix: bool = False,
    t_in_epochs: bool = True,
    noise_range_t: NoiseRange = None,
    noise_pct: float = 0.67,
    noise_std: float = 1.0,
    noise_seed: int = 42,
    k_decay: Numeric = 1.0,
    initialize: bool = True,
) -> Schedule:
    """Half a cosine, or several: `cosine` or `cosine_restarts`, after a ramp.

    timm finds the cycle by a logarithm, which gives `lr_min` instead of the peak at some
    restarts (t_initial=1: step 121 of cycle_mul=3, step 111 of cycle_mul=10); this never
    does.

    Args:
      lr: The base learning rate.
      t_initial: The length of the first cycle, > 0.
      lr_min: The value each cycle falls to, >= 0, and stays at after the last.
      cycle_mul: Each cycle is that many times as long as the one before: 1, or >= 1.001.
      cycle_decay: The factor on the peak per cycle, > 0.
      cycle_limit: How many cycles there are.
      warmup_t: The length of the ramp.
      warmup_lr_init: The first value of the ramp.
      warmup_prefix: Whether the decay begins after the ramp, and not during it.
      t_in_epochs: Not used.
      noise_range_t: The first step with noise, or that and the first one without.
      noise_pct: The largest noise as a part of the rate, > 0.
      noise_std: The standard deviation of the noise before it is cut off.
      noise_seed: A whole number >= 0.
      k_decay: The exponent of time, > 0.
      initialize: Not used.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: An argument is out of its bounds.
      TypeError: An argument is not a real number.

    Example:
      >>> from jaxsched.compat import timm
      >>> timm.CosineLRScheduler(0.1, 90, warmup_t=10, warmup_prefix=True)
      warmup(schedule=cosine(init_value=0.1, end_value=0.0, steps=90), steps=10,
        init_value=0.0)
    """
    name = "CosineLRScheduler"
    refuse_no_time(name, t_initial, lr_min)
    cycles = Cycles(t_initial, cycle_mul, cycle_decay, cycle_limit)

    def curve(init_value: Any, end_value: Any, steps: Any) -> Schedule:
        return cosine(init_value, end_value, steps, time_power=k_decay)

    if cycle_limit > 1 and surely(k_decay, lambda k: k == 1):
        decay = cosine_restarts(
            lr,
            lr_min,
            cycles.steps,
            length_factor=whole(cycle_mul),
            peak_factor=cycle_decay,
            limit=cycle_limit,
        )
    else:
        decay = cycles.of(lr, lr_min, curve)
    ramp = Ramp(warmup_t, warmup_lr_init, warmup_prefix)
    meets = warmup_prefix and cycle_limit > 0
    whole_run = ramp.before(decay, lr, meets=meets)
    return Noise(noise_range_t, noise_pct, noise_std, noise_seed).on(name, whole_run)


def TanhLRScheduler(
    lr: Numeric,
    t_initial: int,
    lb: Numeric = -7.0,
    ub: Numeric = 3.0,
    lr_min: Numeric = 0.0,
    cycle_mul: Numeric = 1.0,
    cycle_decay: Numeric = 1.0,
    cycle_limit: int = 1,
    warmup_t: int = 0,
    warmup_lr_init: Numeric = 0.0,
    warmup_prefix: bool = False,
    t_in_epochs: bool = True,
    noise_range_t: NoiseRange = None,
    noise_pct: float = 0.67,
    noise_std: float = 1.0,
    noise_seed: int = 42,
    initialize: bool = True,
) -> Schedule:
    """A hyperbolic tangent, once or several times, then `lr_min`.

    Formula: `join([transition(lr, lr_min, t_initial, shape=tanh(lb, ub)), lr_min],
    [t_initial])` after a ramp: to the curve where it then is, or with `warmup_prefix` to
    `lr`. timm finds the cycle by a logarithm, which fails at the restarts that
    `CosineLRScheduler` names.

    Args:
      lr: The base learning rate.
      t_initial: The length of the first cycle, > 0.
      lb: The argument of the tangent at the start.
      ub: The argument at the end, > lb.
      lr_min: The value after the last cycle, >= 0, and nearly that of the end of each.
      cycle_mul: Each cycle is that many times as long as the one before: 1, or >= 1.001.
      cycle_decay: The factor on the peak per cycle, > 0.
      cycle_limit: How many cycles there are, >= 0.
      warmup_t: The length of the ramp, >= 0.
      warmup_lr_init: The first value of the ramp, >= 0.
      warmup_prefix: Whether the decay begins after the ramp, and not during it.
      t_in_epochs: Not used.
      noise_range_t: The first step with noise, or that and the first one without.
      noise_pct: The largest noise as a part of the rate, > 0.
      noise_std: The standard deviation of the noise before it is cut off.
      noise_seed: A whole number >= 0.
      initialize: Not used.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: An argument is out of its bounds.
      TypeError: An argument is not a real number.

    Example:
      >>> from jaxsched.compat import timm
      >>> s = timm.TanhLRScheduler(1.0, 100)
      >>> [round(s.at(t), 4) for t in (0, 50, 70, 99, 100)]
      [1.0, 0.982, 0.5, 0.003, 0.0]
    """
    name = "TanhLRScheduler"
    refuse_no_time(name, t_initial, lr_min)
    bounds = {
        "cycle_limit": cycle_limit,
        "warmup_t": warmup_t,
        "warmup_lr_init": warmup_lr_init,
    }
    for argument, value in bounds.items():
        if surely(value, lambda v: v < 0):
            raise ValueError(f"{name}: {argument} must be >= 0, got {argument}={value}")
    if surely(ub - lb, lambda gap: gap <= 0):
        raise ValueError(f"{name}: lb must be < ub, got lb={lb}, ub={ub}")

    def curve(init_value: Any, end_value: Any, steps: Any) -> Schedule:
        return transition(init_value, end_value, steps, shape=tanh(lb, ub))

    cycles = Cycles(t_initial, cycle_mul, cycle_decay, cycle_limit)
    decay = cycles.of(lr, lr_min, curve)
    if cycle_limit > 0:
        decay = cycles.then(decay, lr_min)
    ramp = Ramp(warmup_t, warmup_lr_init, warmup_prefix)
    # Without a prefix the ramp goes to where the curve then is.
    whole_run = ramp.before(decay, lr, meets=not warmup_prefix)
    return Noise(noise_range_t, noise_pct, noise_std, noise_seed).on(name, whole_run)


def PolyLRScheduler(
    lr: Numeric,
    t_initial: int,
    power: Numeric = 0.5,
    lr_min: Numeric = 0.0,
    cycle_mul: Numeric = 1.0,
    cycle_decay: Numeric = 1.0,
    cycle_limit: int = 1,
    warmup_t: int = 0,
    warmup_lr_init: Numeric = 0.0,
    warmup_prefix: bool = False,
    t_in_epochs: bool = True,
    noise_range_t: NoiseRange = None,
    noise_pct: float = 0.67,
    noise_std: float = 1.0,
    noise_seed: int = 42,
    k_decay: Numeric = 1.0,
    initialize: bool = True,
) -> Schedule:
    """A power of the remaining time, once or several times: `polynomial`, after a ramp.

    timm finds the cycle by a logarithm, which fails at the restarts that
    `CosineLRScheduler` names.

    Args:
      lr: The base learning rate.
      t_initial: The length of the first cycle, > 0.
      power: The exponent of the curve, > 0.
      lr_min: The value each cycle falls to, >= 0, and stays at after the last.
      cycle_mul: Each cycle is that many times as long as the one before: 1, or >= 1.001.
      cycle_decay: The factor on the peak per cycle, > 0.
      cycle_limit: How many cycles there are.
      warmup_t: The length of the ramp.
      warmup_lr_init: The first value of the ramp.
      warmup_prefix: Whether the decay begins after the ramp, and not during it.
      t_in_epochs: Not used.
      noise_range_t: The first step with noise, or that and the first one without.
      noise_pct: The largest noise as a part of the rate, > 0.
      noise_std: The standard deviation of the noise before it is cut off.
      noise_seed: A whole number >= 0.
      k_decay: The exponent of time, > 0.
      initialize: Not used.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: An argument is out of its bounds.
      TypeError: An argument is not a real number.

    Example:
      >>> from jaxsched.compat import timm
      >>> timm.PolyLRScheduler(0.1, 100, power=2.0, k_decay=1.5)
      polynomial(init_value=0.1, end_value=0.0, steps=100, power=2.0, time_power=1.5)
    """
    name = "PolyLRScheduler"
    refuse_no_time(name, t_initial, lr_min)

    def curve(init_value: Any, end_value: Any, steps: Any) -> Schedule:
        return polynomial(init_value, end_value, steps, power=power, time_power=k_decay)

    decay = Cycles(t_initial, cycle_mul, cycle_decay, cycle_limit).of(lr, lr_min, curve)
    ramp = Ramp(warmup_t, warmup_lr_init, warmup_prefix)
    meets = warmup_prefix and cycle_limit > 0
    whole_run = ramp.before(decay, lr, meets=meets)
    return Noise(noise_range_t, noise_pct, noise_std, noise_seed).on(name, whole_run)
