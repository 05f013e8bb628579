"""Warm-up, stable, decay, with a choice of how it is stable and how it decays."""

from collections.abc import Callable
from typing import Annotated, Any

from jaxsched.arrays import Numeric
from jaxsched.combinators.limits import clip
from jaxsched.combinators.sequence import cooldown
from jaxsched.compat.arguments import LearningRate, Unused
from jaxsched.compat.peer import peer
from jaxsched.compat.timm.arguments import (
    NoiseDeviation,
    NoiseLimit,
    NoiseRange,
    NoiseSeed,
    RampLength,
    RampStart,
)
from jaxsched.compat.timm.ramp_and_noise import Noise, Ramp
from jaxsched.decays.inverse_time import inverse_time_decay
from jaxsched.decays.power import inverse_sqrt_decay
from jaxsched.domains import Factor, Period, Rate, Steps
from jaxsched.domains.choices import OneOf
from jaxsched.domains.numbers import Number, surely
from jaxsched.rule import Refusal
from jaxsched.schedule import Schedule
from jaxsched.schedule.arguments import constant
from jaxsched.shapes import ShapeLike, exponential_to_zero, one_minus_power


class DecayName(OneOf):
    """The name of a decay; timm takes functions too."""

    def admit(self, value: Any) -> Any:
        if callable(value):
            raise TypeError(
                "must be a name (for a function of your own, make a shape with "
                "jaxsched.shape and give it to jaxsched.wsd)"
            )
        return super().admit(value)


class Fraction(Number):
    """More than 0, less than 1."""

    def inspect(self, value: Any) -> None:
        super().inspect(value)
        if surely(value, lambda part: part >= 1):
            raise ValueError("must be < 1")


# What the name of a decay means, with its power and its ratio.
_DECAYS: dict[str, Callable[[Any, Any], ShapeLike]] = {
    "linear": lambda power, ratio: "linear",
    "1-sqrt": lambda power, ratio: "one_minus_sqrt",
    "cosine": lambda power, ratio: "cosine",
    "power": lambda power, ratio: one_minus_power(power),
    "exp": lambda power, ratio: exponential_to_zero(ratio),
}


@peer
def WSDLRScheduler(
    lr: LearningRate,
    t_initial: Period,
    decay_t: Period,
    lr_min: Rate = 0.0,
    stable_fn: Annotated[str, OneOf("constant", "rsqrt", "power")] = "constant",
    stable_timescale: Steps | None = None,
    stable_power: Factor = 0.5,
    decay_fn: Annotated[str, DecayName(*_DECAYS)] = "1-sqrt",
    decay_power: Factor = 0.5,
    decay_ratio: Annotated[Numeric, Fraction(above=0)] = 0.1,
    warmup_t: RampLength = 0,
    warmup_lr_init: RampStart = 0.0,
    t_in_epochs: Unused = True,
    noise_range_t: NoiseRange | None = None,
    noise_pct: NoiseLimit = 0.67,
    noise_std: NoiseDeviation = 1.0,
    noise_seed: NoiseSeed | None = 42,
    initialize: Unused = True,
) -> Schedule:
    """A ramp, a stable part, and a decay under which the stable part goes on.

    Formula: `warmup(cooldown(stable, t_initial - decay_t, decay_t, lr_min, shape=shape,
    freeze=False), warmup_t, warmup_lr_init)`. The stable part is `constant(lr)`,
    `inverse_sqrt_decay(lr, stable_timescale)` or `inverse_time_decay(lr, 1.0,
    stable_timescale, power=stable_power)`, never below `lr_min`.

    Args:
      t_initial: The length of the stable part and the decay together, > 0.
      decay_t: The length of the decay, > 0 and at most `t_initial`.
      lr_min: The value at the end, at step warmup_t + t_initial, >= 0.
      stable_fn: "constant", "rsqrt" or "power".
      stable_timescale: Steps in which the stable part falls by its first factor, > 0;
        `warmup_t` if not given.
      stable_power: The exponent of "power", > 0.
      decay_fn: "linear", "1-sqrt", "cosine", "power" or "exp". timm takes functions too:
        write a shape, and give it to `wsd`.
      decay_power: The exponent of the decay "power", whose factor is 1 - u^decay_power.
      decay_ratio: Where the decay "exp" would end before it is moved down to 0, > 0 and
        < 1.

    Example:
      >>> from jaxsched.compat import timm
      >>> timm.WSDLRScheduler(0.1, t_initial=90, decay_t=20, warmup_t=10)
      warmup(schedule=cooldown(schedule=constant(value=0.1), begin=70, steps=20,
        shape='one_minus_sqrt', freeze=False), steps=10, init_value=0.0)
    """
    if surely(decay_t - t_initial, lambda excess: excess > 0):
        raise Refusal("decay_t must be <= t_initial", "decay_t", "t_initial")
    begin = t_initial - decay_t
    stable = _stable(lr, stable_fn, stable_timescale, stable_power, warmup_t)
    meets = surely(lr - lr_min, lambda gap: gap >= 0)
    falls = stable_fn != "constant" and not surely(lr_min, lambda floor: floor == 0)
    if falls or not meets:
        stable = clip(stable, lr_min)
    decay = _DECAYS[decay_fn](decay_power, decay_ratio)
    whole = cooldown(stable, begin, decay_t, lr_min, shape=decay, freeze=False)
    ramp = Ramp(warmup_t, warmup_lr_init, prefix=True)
    noise = Noise(noise_range_t, noise_pct, noise_std, noise_seed)
    return noise.on(ramp.before(whole, lr, meets=meets))


def _stable(lr: Any, name: str, timescale: Any, power: Any, warmup_t: Any) -> Schedule:
    if name == "constant":
        return constant(lr)
    if timescale is None:
        if surely(warmup_t, lambda n: n == 0):
            reason = f"stable_timescale must be given for {name!r} without a warm-up"
            raise Refusal(reason, "stable_timescale", "warmup_t")
        timescale = warmup_t
    if surely(timescale, lambda n: n == 0):
        raise Refusal(f"stable_timescale must be > 0 for {name!r}", "stable_timescale")
    if name == "rsqrt":
        return inverse_sqrt_decay(lr, timescale)
    return inverse_time_decay(lr, 1.0, timescale, power=power)
