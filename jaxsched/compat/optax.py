"""Optax's schedules: the same names, signatures and edges, as values.

A drop-in replacement for `optax.schedules`: change the import. Every function returns an
ordinary schedule, and what that prints as is how to write it in this library's own words.

Where Optax raises on traced numbers these do not; what Optax decides by looking at a
number (a length that is not positive, a peak of 0) is decided for known numbers only.
Values that are not finite are refused, as are powers below 0, which have no end value.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, pairwise
from operator import mul
from typing import Any

import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxsched.arithmetic import clip
from jaxsched.combinators import sequence
from jaxsched.combinators.time import delay, shift
from jaxsched.decays import exponential
from jaxsched.domains import ScheduleLike
from jaxsched.domains.functions import as_schedule
from jaxsched.domains.numbers import known, surely
from jaxsched.piecewise import multistep, piecewise_constant, piecewise_linear
from jaxsched.schedule import Schedule
from jaxsched.transitions import constant, cosine, linear, polynomial

__all__ = [
    "constant_schedule",
    "polynomial_schedule",
    "linear_schedule",
    "piecewise_constant_schedule",
    "piecewise_interpolate_schedule",
    "exponential_decay",
    "cosine_decay_schedule",
    "linear_onecycle_schedule",
    "cosine_onecycle_schedule",
    "warmup_constant_schedule",
    "warmup_cosine_decay_schedule",
    "warmup_exponential_decay_schedule",
    "sgdr_schedule",
    "join_schedules",
]


def constant_schedule(value: ArrayLike) -> Schedule:
    """The same value at every step: `constant(value)`.

    Args:
      value: The value.

    Returns:
      A `Schedule`.

    Raises:
      TypeError: The value is not a real number.
      ValueError: It is not finite.

    Example:
      >>> from jaxsched.compat import optax
      >>> optax.constant_schedule(0.1)
      constant(value=0.1)
    """
    return constant(value)


def polynomial_schedule(
    init_value: ArrayLike,
    end_value: ArrayLike,
    power: ArrayLike,
    transition_steps: ArrayLike,
    transition_begin: ArrayLike = 0,
) -> Schedule:
    """A power of the remaining time, after `transition_begin` steps at `init_value`.

    Formula: `delay(polynomial(init_value, end_value, transition_steps, power),
    transition_begin)`.

    Args:
      init_value: The value until the move begins.
      end_value: The value after it.
      power: The exponent, >= 0.
      transition_steps: The length of the move; not positive means that there is none:
        `init_value` for ever.
      transition_begin: The step it begins at; a negative one is 0.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `power` is negative, or a number is not finite.
      TypeError: An argument is not a real number.

    Example:
      >>> from jaxsched.compat import optax
      >>> optax.polynomial_schedule(1.0, 0.0, 2, transition_steps=10)
      polynomial(init_value=1.0, end_value=0.0, steps=10, power=2.0)
    """
    if surely(transition_steps, lambda n: n <= 0) or surely(power, lambda p: p == 0):
        return constant(init_value)
    if surely(power, lambda p: p == 1):
        move = linear(init_value, end_value, _length(transition_steps))
    else:
        move = polynomial(init_value, end_value, _length(transition_steps), power)
    return _delayed(move, transition_begin)


def linear_schedule(
    init_value: ArrayLike,
    end_value: ArrayLike,
    transition_steps: ArrayLike,
    transition_begin: ArrayLike = 0,
) -> Schedule:
    """A straight line: `delay(linear(init_value, end_value, transition_steps), ...)`.

    Args:
      init_value: The value until the move begins.
      end_value: The value after it.
      transition_steps: The length of the move; not positive means that there is none:
        `init_value` for ever.
      transition_begin: The step it begins at; a negative one is 0.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: A number is not finite.
      TypeError: An argument is not a real number.

    Example:
      >>> from jaxsched.compat import optax
      >>> optax.linear_schedule(1.0, 0.0, 10, transition_begin=5)
      delay(schedule=linear(init_value=1.0, end_value=0.0, steps=10), steps=5)
    """
    return polynomial_schedule(
        init_value, end_value, 1, transition_steps, transition_begin
    )


def piecewise_constant_schedule(
    init_value: ArrayLike,
    boundaries_and_scales: Mapping[int, ArrayLike] | None = None,
) -> Schedule:
    """Multiplied by a scale at each boundary, cumulatively: `multistep`.

    Args:
      init_value: The value before the first boundary.
      boundaries_and_scales: A scale, >= 0, for each boundary; in force at it.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: A scale is negative, or a number is not finite.
      TypeError: An argument is not a real number.

    Example:
      >>> from jaxsched.compat import optax
      >>> optax.piecewise_constant_schedule(1.0, {100: 0.1, 200: 0.5})
      multistep(init_value=1.0, boundaries=[100, 200], factors=[0.1, 0.5])
    """
    boundaries, scales = _sorted("piecewise_constant_schedule", boundaries_and_scales)
    while boundaries and boundaries[0] <= 0:  # in force from the first step on
        init_value, scales, boundaries = (
            init_value * scales[0],
            scales[1:],
            boundaries[1:],
        )
    if not boundaries:
        return constant(init_value)
    if any(surely(scale, lambda s: s == 0) for scale in scales):
        return piecewise_constant(_products(init_value, scales), boundaries)
    return multistep(init_value, boundaries, factors=scales)


def piecewise_interpolate_schedule(
    interpolate_type: str,
    init_value: ArrayLike,
    boundaries_and_scales: Mapping[int, ArrayLike] | None = None,
) -> Schedule:
    """From value to value, in straight lines or half cosines, with scales between them.

    Formula: `piecewise_linear`, or `join` of one `cosine` for each interval.

    Args:
      interpolate_type: "linear" or "cosine".
      init_value: The value at step 0.
      boundaries_and_scales: For each boundary a scale, >= 0: the value there is the
        product of `init_value` and all scales up to it.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: The type is unknown, a scale is negative, or a number is not finite.
      TypeError: An argument is not a real number.

    Example:
      >>> from jaxsched.compat import optax
      >>> optax.piecewise_interpolate_schedule("linear", 1.0, {4: 0.5, 8: 0.5})
      piecewise_linear(boundaries=[0, 4, 8], values=[1.0, 0.5, 0.25])
      >>> optax.piecewise_interpolate_schedule("cosine", 1.0, {4: 0.5})
      cosine(init_value=1.0, end_value=0.5, steps=4)
    """
    if interpolate_type not in ("linear", "cosine"):
        raise ValueError(
            "piecewise_interpolate_schedule: interpolate_type must be 'linear' or "
            f"'cosine', got interpolate_type={interpolate_type!r}"
        )
    bounds, scales = _sorted("piecewise_interpolate_schedule", boundaries_and_scales)
    bounds, values = [0, *bounds], _products(init_value, scales)
    while len(bounds) > 1 and bounds[1] <= bounds[0]:  # an interval without a step
        bounds, values = bounds[1:], values[1:]
    if len(bounds) == 1:
        return constant(values[0])
    if interpolate_type == "linear" and bounds[0] == 0:
        return piecewise_linear(bounds, values)
    move = linear if interpolate_type == "linear" else cosine
    moves = [
        move(left, right, end - begin)
        for (begin, end), (left, right) in zip(
            pairwise(bounds), pairwise(values), strict=True
        )
    ]
    return join_schedules([values[0], *moves], bounds[:-1])


def exponential_decay(
    init_value: ArrayLike,
    transition_steps: ArrayLike,
    decay_rate: ArrayLike,
    transition_begin: ArrayLike = 0,
    staircase: bool = False,
    end_value: ArrayLike | None = None,
) -> Schedule:
    """Multiplied by `decay_rate` every `transition_steps`, within `end_value`.

    Formula: `clip(delay(exponential_decay(init_value, decay_rate, transition_steps,
    staircase=staircase), transition_begin), ...)`.

    Args:
      init_value: The value until the decay begins.
      transition_steps: The period of the factor; not positive means no decay.
      decay_rate: The factor, >= 0; 0 means no decay.
      transition_begin: The step it begins at; a negative one is 0.
      staircase: Whether to decay in jumps.
      end_value: A floor where `decay_rate` is below 1, else a ceiling; traced rates are
        taken to be below 1.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `decay_rate` is negative, or a number is not finite.
      TypeError: An argument is not a real number.

    Example:
      >>> from jaxsched.compat import optax
      >>> optax.exponential_decay(0.1, transition_steps=100, decay_rate=0.5)
      exponential_decay(init_value=0.1, factor=0.5, steps=100)
    """
    if surely(transition_steps, lambda n: n <= 0) or surely(
        decay_rate, lambda r: r == 0
    ):
        return constant(init_value)
    decay = exponential.exponential_decay(
        init_value, decay_rate, _length(transition_steps), staircase=staircase
    )
    decay = _delayed(decay, transition_begin)
    if end_value is None:
        return decay
    if surely(decay_rate, lambda r: r >= 1):
        return clip(decay, max_value=end_value)
    return clip(decay, min_value=end_value)


def cosine_decay_schedule(
    init_value: ArrayLike,
    decay_steps: ArrayLike,
    alpha: ArrayLike = 0.0,
    exponent: ArrayLike = 1.0,
) -> Schedule:
    """Half a cosine: `cosine(init_value, alpha * init_value, decay_steps, power=exponent)`.

    Args:
      init_value: The value at step 0.
      decay_steps: The length of the decay, > 0.
      alpha: The end as a factor of `init_value`.
      exponent: The power of the curve, >= 0.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `decay_steps` is not positive, `exponent` is negative, or a number is
        not finite.
      TypeError: An argument is not a real number.

    Example:
      >>> from jaxsched.compat import optax
      >>> optax.cosine_decay_schedule(0.1, 1000)
      cosine(init_value=0.1, end_value=0.0, steps=1000)
    """
    _refuse_no_steps("cosine_decay_schedule", "decay_steps", decay_steps)
    return _cosine(init_value, alpha * init_value, decay_steps, exponent)


def linear_onecycle_schedule(
    transition_steps: int,
    peak_value: ArrayLike,
    pct_start: float = 0.3,
    pct_final: float = 0.85,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> Schedule:
    """Up, down and out in straight lines: `piecewise_linear`.

    The last value is peak_value / (div_factor * final_div_factor). With few steps, two
    phases that end at the same step are one, as in Optax: its scale is the later one's,
    and the values after it are multiples of that.

    Args:
      transition_steps: The length of the whole, > 0.
      peak_value: The value of the peak, at step int(pct_start * transition_steps).
      pct_start: The part of the whole that goes up.
      pct_final: The part of the whole that goes up and back down.
      div_factor: The peak divided by the first value.
      final_div_factor: The first value divided by the last.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `transition_steps` is not positive, or a factor is negative.
      TypeError: An argument is not a real number.

    Example:
      >>> from jaxsched.compat import optax
      >>> optax.linear_onecycle_schedule(100, 1.0, final_div_factor=4.0)
      piecewise_linear(boundaries=[0, 30, 85, 100], values=[0.04, 1.0, 0.04, 0.01])
    """
    _refuse_no_steps("linear_onecycle_schedule", "transition_steps", transition_steps)
    scales = {
        int(pct_start * transition_steps): div_factor,
        int(pct_final * transition_steps): 1.0 / div_factor,
        transition_steps: 1.0 / final_div_factor,
    }
    return piecewise_interpolate_schedule("linear", peak_value / div_factor, scales)


def cosine_onecycle_schedule(
    transition_steps: int,
    peak_value: ArrayLike,
    pct_start: float = 0.3,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> Schedule:
    """Up and down in half cosines: `join` of two `cosine`.

    Args:
      transition_steps: The length of the whole, > 0.
      peak_value: The value of the peak, at step int(pct_start * transition_steps).
      pct_start: The part of the whole that goes up; where it is less than a step, the
        cycle begins at its peak.
      div_factor: The peak divided by the first value.
      final_div_factor: The first value divided by the last.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `transition_steps` is not positive, or a factor is negative.
      TypeError: An argument is not a real number.

    Example:
      >>> from jaxsched.compat import optax
      >>> s = optax.cosine_onecycle_schedule(100, 1.0)
      >>> round(s.at(0), 4), s.at(30), round(s.at(100), 8)
      (0.04, 1.0, 4e-06)
    """
    _refuse_no_steps("cosine_onecycle_schedule", "transition_steps", transition_steps)
    scales = {
        int(pct_start * transition_steps): div_factor,
        int(transition_steps): 1.0 / (div_factor * final_div_factor),
    }
    return piecewise_interpolate_schedule("cosine", peak_value / div_factor, scales)


def warmup_constant_schedule(
    init_value: ArrayLike, peak_value: ArrayLike, warmup_steps: ArrayLike
) -> Schedule:
    """A ramp to a constant: `linear(init_value, peak_value, warmup_steps)`.

    Args:
      init_value: The value at step 0.
      peak_value: The value after the ramp.
      warmup_steps: The length of the ramp. As in Optax, without one it is `init_value`
        for ever.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: A number is not finite.
      TypeError: An argument is not a real number.

    Example:
      >>> from jaxsched.compat import optax
      >>> optax.warmup_constant_schedule(0.0, 0.1, 500)
      linear(init_value=0.0, end_value=0.1, steps=500)
    """
    return linear_schedule(init_value, peak_value, warmup_steps)


def warmup_cosine_decay_schedule(
    init_value: ArrayLike,
    peak_value: ArrayLike,
    warmup_steps: ArrayLike,
    decay_steps: ArrayLike,
    end_value: ArrayLike = 0.0,
    exponent: ArrayLike = 1.0,
) -> Schedule:
    """A ramp, then half a cosine; `decay_steps` is the length of both together.

    Formula: `warmup(cosine(peak_value, end_value, decay_steps - warmup_steps,
    power=exponent), warmup_steps, init_value)`.

    Args:
      init_value: The value at step 0.
      peak_value: The value after the ramp. Where it is 0 the end is 0 too.
      warmup_steps: The length of the ramp.
      decay_steps: The length of the whole, > warmup_steps.
      end_value: The value at the end.
      exponent: The power of the curve, >= 0.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `decay_steps` is not more than `warmup_steps`, `exponent` is negative,
        or a number is not finite.
      TypeError: An argument is not a real number.

    Example:
      >>> from jaxsched.compat import optax
      >>> optax.warmup_cosine_decay_schedule(0.0, 0.1, 500, decay_steps=2000)
      warmup(schedule=cosine(init_value=0.1, end_value=0.0, steps=1500), steps=500,
        init_value=0.0)
    """
    rest: Any = decay_steps - warmup_steps  # type: ignore[operator]
    if known(rest) and rest <= 0:
        raise ValueError(
            "warmup_cosine_decay_schedule: decay_steps includes the warm-up and must be "
            f"> warmup_steps, got decay_steps={decay_steps}, warmup_steps={warmup_steps}"
        )
    end = 0.0 if surely(peak_value, lambda v: v == 0) else end_value
    return _warmed_up(
        init_value, peak_value, warmup_steps, _cosine(peak_value, end, rest, exponent)
    )


def warmup_exponential_decay_schedule(
    init_value: ArrayLike,
    peak_value: ArrayLike,
    warmup_steps: ArrayLike,
    transition_steps: ArrayLike,
    decay_rate: ArrayLike,
    transition_begin: ArrayLike = 0,
    staircase: bool = False,
    end_value: ArrayLike | None = None,
) -> Schedule:
    """A ramp, then an exponential decay.

    Formula: `warmup(exponential_decay(peak_value, decay_rate, transition_steps, ...),
    warmup_steps, init_value)`, with the arguments of `exponential_decay` here.

    Args:
      init_value: The value at step 0.
      peak_value: The value after the ramp.
      warmup_steps: The length of the ramp.
      transition_steps: The period of the factor; not positive means no decay.
      decay_rate: The factor, >= 0; 0 means no decay.
      transition_begin: Steps after the ramp at which the decay begins.
      staircase: Whether to decay in jumps.
      end_value: A floor where `decay_rate` is below 1, else a ceiling.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `decay_rate` is negative, or a number is not finite.
      TypeError: An argument is not a real number.

    Example:
      >>> from jaxsched.compat import optax
      >>> s = optax.warmup_exponential_decay_schedule(0.0, 1.0, 4, 10, 0.5)
      >>> s.at(2), s.at(4), s.at(14)
      (0.5, 1.0, 0.5)
    """
    decay = exponential_decay(
        peak_value, transition_steps, decay_rate, transition_begin, staircase, end_value
    )
    if end_value is None:
        return _warmed_up(init_value, peak_value, warmup_steps, decay)
    # A limit that is already in force at the peak: the ramp still goes to the peak.
    ramp = linear_schedule(init_value, peak_value, warmup_steps)
    return join_schedules([ramp, decay], [warmup_steps])


def sgdr_schedule(cosine_kwargs: Iterable[Mapping[str, Any]]) -> Schedule:
    """Cosines with warm-ups one after another: `join`.

    Args:
      cosine_kwargs: The arguments of `warmup_cosine_decay_schedule` for each cycle.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: There is no cycle, or a number is out of bounds.
      TypeError: An argument is not a real number.

    Example:
      >>> from jaxsched.compat import optax
      >>> cycle = dict(init_value=0.0, peak_value=1.0, warmup_steps=2, decay_steps=6)
      >>> s = optax.sgdr_schedule([cycle, {**cycle, "peak_value": 0.5}])
      >>> [s.at(t) for t in (0, 2, 4, 6, 8, 12)]
      [0.0, 1.0, 0.5, 0.0, 0.5, 0.0]
    """
    cycles, ends = [], [0]
    for kwargs in cosine_kwargs:
        cycles.append(warmup_cosine_decay_schedule(**kwargs))
        ends.append(ends[-1] + kwargs["decay_steps"])
    return join_schedules(cycles, ends[1:-1])


def join_schedules(
    schedules: Sequence[ScheduleLike], boundaries: Sequence[ArrayLike]
) -> Schedule:
    """One schedule after another, each from its own step 0: `join`.

    Takes what Optax takes: schedules or boundaries too many are left out, a boundary that
    is not below a later one is never in force, and a schedule whose boundary is negative
    begins that much later in itself. The core's `join` refuses all of these.

    Args:
      schedules: Schedules, numbers or callables of the step.
      boundaries: Where the second, third, ... begins.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: There is no schedule.
      TypeError: An argument is of the wrong kind.

    Example:
      >>> from jaxsched.compat import optax
      >>> optax.join_schedules([optax.linear_schedule(0.0, 1.0, 4), 1.0], [4])
      join(schedules=[linear(init_value=0.0, end_value=1.0, steps=4),
        constant(value=1.0)], boundaries=[4])
    """
    n = min(len(schedules), len(boundaries) + 1)
    if n == 0 or not known(boundaries):
        return sequence.join(schedules[:n], boundaries[: n - 1])
    first: ScheduleLike = schedules[0]
    later: list[tuple[ScheduleLike, Any]] = []
    for schedule, boundary in zip(schedules[1:n], boundaries, strict=False):
        while later and later[-1][1] >= boundary:
            later.pop()
        later.append((schedule, boundary))
    while later and later[0][1] <= 0:
        first, begin = later.pop(0)
        first = shift(first, -begin) if begin < 0 else first
    if not later:
        return as_schedule(first)
    rest, begins = zip(*later, strict=True)
    return sequence.join([first, *rest], list(begins))


def _length(steps: ArrayLike) -> ArrayLike:
    """Steps as they are, or as a float where there are more than an integer holds."""
    large = isinstance(steps, int) and steps > jnp.iinfo(jnp.result_type(int)).max
    return float(steps) if large else steps  # type: ignore[arg-type]


def _delayed(schedule: Schedule, steps: ArrayLike) -> Schedule:
    return schedule if surely(steps, lambda n: n <= 0) else delay(schedule, steps)


def _cosine(
    init_value: ArrayLike, end_value: ArrayLike, steps: ArrayLike, exponent: ArrayLike
) -> Schedule:
    if surely(exponent, lambda p: p == 0):
        return constant(init_value)
    return cosine(init_value, end_value, _length(steps), power=exponent)


def _warmed_up(
    init_value: ArrayLike, peak_value: ArrayLike, steps: ArrayLike, schedule: Schedule
) -> Schedule:
    """A ramp to a schedule that begins at `peak_value`."""
    if surely(steps, lambda n: n < 0):
        return join_schedules([peak_value, schedule], [steps])
    return sequence.warmup(schedule, steps, init_value)


def _sorted(
    name: str, boundaries_and_scales: Mapping[int, ArrayLike] | None
) -> tuple[list[Any], list[Any]]:
    pairs = sorted((boundaries_and_scales or {}).items())
    for boundary, scale in pairs:
        if surely(scale, lambda s: not s >= 0):
            raise ValueError(
                f"{name}: scales must be >= 0, got boundaries_and_scales[{boundary}]"
                f"={scale}"
            )
    return [boundary for boundary, _ in pairs], [scale for _, scale in pairs]


def _products(init_value: ArrayLike, scales: Sequence[ArrayLike]) -> list[Any]:
    """The value itself and after each scale."""
    return list(accumulate([init_value, *scales], mul))


def _refuse_no_steps(name: str, argument: str, steps: ArrayLike) -> None:
    if surely(steps, lambda n: n <= 0):
        raise ValueError(f"{name}: {argument} must be > 0, got {argument}={steps}")
