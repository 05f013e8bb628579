"""Decays that may begin again: cosine, hyperbolic tangent, polynomial."""

from typing import Annotated, Any

from jaxsched.compat.arguments import LearningRate, Unused
from jaxsched.compat.lengths import whole
from jaxsched.compat.peer import peer
from jaxsched.compat.timm.arguments import (
    Bottom,
    CycleDecay,
    CycleLimit,
    CycleMul,
    FirstLength,
    NoiseDeviation,
    NoiseLimit,
    NoiseRange,
    NoiseSeed,
    Prefix,
    RampLength,
    RampStart,
    TimePower,
)
from jaxsched.compat.timm.cycles import Cycles
from jaxsched.compat.timm.ramp_and_noise import Noise, Ramp
from jaxsched.cycles import cosine_restarts
from jaxsched.domains import Factor, Rate, Value
from jaxsched.domains.numbers import surely
from jaxsched.rule import Refusal
from jaxsched.schedule import Schedule
from jaxsched.shapes import tanh
from jaxsched.transitions import cosine, polynomial, transition


@peer
def CosineLRScheduler(
    lr: LearningRate,
    t_initial: FirstLength,
    lr_min: Bottom = 0.0,
    cycle_mul: CycleMul = 1.0,
    cycle_decay: CycleDecay = 1.0,
    cycle_limit: CycleLimit = 1,
    warmup_t: RampLength = 0,
    warmup_lr_init: RampStart = 0.0,
    warmup_prefix: Prefix = False,
    t_in_epochs: Unused = True,
    noise_range_t: NoiseRange | None = None,
    noise_pct: NoiseLimit = 0.67,
    noise_std: NoiseDeviation = 1.0,
    noise_seed: NoiseSeed | None = 42,
    k_decay: TimePower = 1.0,
    initialize: Unused = True,
) -> Schedule:
    """Half a cosine, or several: `cosine` or `cosine_restarts`, after a ramp.

    timm finds the cycle by a logarithm, which gives `lr_min` instead of the peak at some
    restarts (t_initial=1: step 121 of cycle_mul=3, step 111 of cycle_mul=10); this never
    does.

    Example:
      >>> from jaxsched.compat import timm
      >>> timm.CosineLRScheduler(0.1, 90, warmup_t=10, warmup_prefix=True)
      warmup(schedule=cosine(init_value=0.1, end_value=0.0, steps=90), steps=10,
        init_value=0.0)
    """
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
    return Noise(noise_range_t, noise_pct, noise_std, noise_seed).on(whole_run)


@peer
def TanhLRScheduler(
    lr: LearningRate,
    t_initial: FirstLength,
    lb: Value = -7.0,
    ub: Value = 3.0,
    lr_min: Bottom = 0.0,
    cycle_mul: CycleMul = 1.0,
    cycle_decay: CycleDecay = 1.0,
    cycle_limit: CycleLimit = 1,
    warmup_t: RampLength = 0,
    warmup_lr_init: Annotated[Rate, "The first value of the ramp, >= 0."] = 0.0,
    warmup_prefix: Prefix = False,
    t_in_epochs: Unused = True,
    noise_range_t: NoiseRange | None = None,
    noise_pct: NoiseLimit = 0.67,
    noise_std: NoiseDeviation = 1.0,
    noise_seed: NoiseSeed | None = 42,
    initialize: Unused = True,
) -> Schedule:
    """A hyperbolic tangent, once or several times, then `lr_min`.

    Formula: `join([transition(lr, lr_min, t_initial, shape=tanh(lb, ub)), lr_min],
    [t_initial])` after a ramp: to the curve where it then is, or with `warmup_prefix` to
    `lr`. timm finds the cycle by a logarithm, which fails at the restarts that
    `CosineLRScheduler` names.

    Args:
      lb: The argument of the tangent at the start.
      ub: The argument at the end, > lb.
      lr_min: The value after the last cycle, >= 0, and nearly that of the end of each.
      warmup_lr_init: The first value of the ramp, >= 0.

    Example:
      >>> from jaxsched.compat import timm
      >>> s = timm.TanhLRScheduler(1.0, 100)
      >>> [round(s.at(t), 4) for t in (0, 50, 70, 99, 100)]
      [1.0, 0.982, 0.5, 0.003, 0.0]
    """
    if surely(ub - lb, lambda gap: gap <= 0):
        raise Refusal("lb must be < ub", "lb", "ub")

    def curve(init_value: Any, end_value: Any, steps: Any) -> Schedule:
        return transition(init_value, end_value, steps, shape=tanh(lb, ub))

    cycles = Cycles(t_initial, cycle_mul, cycle_decay, cycle_limit)
    decay = cycles.of(lr, lr_min, curve)
    if cycle_limit > 0:
        decay = cycles.then(decay, lr_min)
    ramp = Ramp(warmup_t, warmup_lr_init, warmup_prefix)
    # Without a prefix the ramp goes to where the curve then is.
    whole_run = ramp.before(decay, lr, meets=not warmup_prefix)
    return Noise(noise_range_t, noise_pct, noise_std, noise_seed).on(whole_run)


@peer
def PolyLRScheduler(
    lr: LearningRate,
    t_initial: FirstLength,
    power: Factor = 0.5,
    lr_min: Bottom = 0.0,
    cycle_mul: CycleMul = 1.0,
    cycle_decay: CycleDecay = 1.0,
    cycle_limit: CycleLimit = 1,
    warmup_t: RampLength = 0,
    warmup_lr_init: RampStart = 0.0,
    warmup_prefix: Prefix = False,
    t_in_epochs: Unused = True,
    noise_range_t: NoiseRange | None = None,
    noise_pct: NoiseLimit = 0.67,
    noise_std: NoiseDeviation = 1.0,
    noise_seed: NoiseSeed | None = 42,
    k_decay: TimePower = 1.0,
    initialize: Unused = True,
) -> Schedule:
    """A power of the remaining time, once or several times: `polynomial`, after a ramp.

    timm finds the cycle by a logarithm, which fails at the restarts that
    `CosineLRScheduler` names.

    Args:
      power: The exponent of the curve, > 0.

    Example:
      >>> from jaxsched.compat import timm
      >>> timm.PolyLRScheduler(0.1, 100, power=2.0, k_decay=1.5)
      polynomial(init_value=0.1, end_value=0.0, steps=100, power=2.0, time_power=1.5)
    """

    def curve(init_value: Any, end_value: Any, steps: Any) -> Schedule:
        return polynomial(init_value, end_value, steps, power=power, time_power=k_decay)

    decay = Cycles(t_initial, cycle_mul, cycle_decay, cycle_limit).of(lr, lr_min, curve)
    ramp = Ramp(warmup_t, warmup_lr_init, warmup_prefix)
    meets = warmup_prefix and cycle_limit > 0
    whole_run = ramp.before(decay, lr, meets=meets)
    return Noise(noise_range_t, noise_pct, noise_std, noise_seed).on(whole_run)
