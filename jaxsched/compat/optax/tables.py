"""Values at given steps, and what is between them."""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from operator import mul
from typing import Annotated, Any

from jaxsched.arrays import Numeric
from jaxsched.compat.arguments import Known, Scales, WholeSteps
from jaxsched.compat.optax.sequence import join_schedules
from jaxsched.compat.peer import peer
from jaxsched.domains import Factor, Value
from jaxsched.domains.choices import OneOf
from jaxsched.domains.numbers import surely
from jaxsched.piecewise import multistep, piecewise_constant, piecewise_linear
from jaxsched.schedule import Schedule
from jaxsched.schedule.arguments import constant
from jaxsched.transitions import cosine, linear

# A dict for the caller, pairs in the function: no type says both.
BoundariesAndScales = Annotated[Any, Scales()]


@peer
def piecewise_constant_schedule(
    init_value: Value,
    boundaries_and_scales: BoundariesAndScales | None = None,
) -> Schedule:
    """A value multiplied by a scale at each boundary, one after another: `multistep`.

    Args:
      init_value: The value before the first boundary.
      boundaries_and_scales: A scale, >= 0, for each boundary; in force at it.

    Example:
      >>> from jaxsched.compat import optax
      >>> optax.piecewise_constant_schedule(1.0, {100: 0.1, 200: 0.5})
      multistep(init_value=1.0, boundaries=[100, 200], factors=[0.1, 0.5])
    """
    boundaries, scales = _columns(boundaries_and_scales)
    while boundaries and boundaries[0] <= 0:  # in force from the first step on
        init_value, scales, boundaries = (
            init_value * scales[0],
            scales[1:],
            boundaries[1:],
        )
    if not boundaries:
        return constant(init_value)
    if any(surely(scale, lambda s: s == 0) for scale in scales):
        return piecewise_constant(boundaries, _products(init_value, scales))
    return multistep(init_value, boundaries, factors=scales)


@peer
def piecewise_interpolate_schedule(
    interpolate_type: Annotated[str, OneOf("linear", "cosine")],
    init_value: Value,
    boundaries_and_scales: BoundariesAndScales | None = None,
) -> Schedule:
    """From value to value, in straight lines or half cosines, with scales between them.

    Formula: `piecewise_linear`, or `join` of one `cosine` for each interval.

    Args:
      interpolate_type: "linear" or "cosine".
      init_value: The value at step 0.
      boundaries_and_scales: For each boundary a scale, >= 0: the value there is the
        product of `init_value` and all scales up to it.

    Example:
      >>> from jaxsched.compat import optax
      >>> optax.piecewise_interpolate_schedule("linear", 1.0, {4: 0.5, 8: 0.5})
      piecewise_linear(boundaries=[0, 4, 8], values=[1.0, 0.5, 0.25])
      >>> optax.piecewise_interpolate_schedule("cosine", 1.0, {4: 0.5})
      cosine(init_value=1.0, end_value=0.5, steps=4)
    """
    bounds, scales = _columns(boundaries_and_scales)
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


@peer
def linear_onecycle_schedule(
    transition_steps: WholeSteps,
    peak_value: Value,
    pct_start: Annotated[float, Known(least=0, most=1)] = 0.3,
    pct_final: Annotated[float, Known(least=0, most=1)] = 0.85,
    div_factor: Factor = 25.0,
    final_div_factor: Factor = 1e4,
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

    Example:
      >>> from jaxsched.compat import optax
      >>> optax.linear_onecycle_schedule(100, 1.0, final_div_factor=4.0)
      piecewise_linear(boundaries=[0, 30, 85, 100], values=[0.04, 1.0, 0.04, 0.01])
    """
    scales = {
        int(pct_start * transition_steps): div_factor,
        int(pct_final * transition_steps): 1.0 / div_factor,
        transition_steps: 1.0 / final_div_factor,
    }
    return piecewise_interpolate_schedule("linear", peak_value / div_factor, scales)


@peer
def cosine_onecycle_schedule(
    transition_steps: WholeSteps,
    peak_value: Value,
    pct_start: Annotated[float, Known(least=0, most=1)] = 0.3,
    div_factor: Factor = 25.0,
    final_div_factor: Factor = 1e4,
) -> Schedule:
    """Up and down in half cosines: `join` of two `cosine`.

    Args:
      transition_steps: The length of the whole, > 0.
      peak_value: The value of the peak, at step int(pct_start * transition_steps).
      pct_start: The part of the whole that goes up; where it is less than a step, the
        cycle begins at its peak.
      div_factor: The peak divided by the first value.
      final_div_factor: The first value divided by the last.

    Example:
      >>> from jaxsched.compat import optax
      >>> s = optax.cosine_onecycle_schedule(100, 1.0)
      >>> round(s.at(0), 4), s.at(30), round(s.at(100), 8)
      (0.04, 1.0, 4e-06)
    """
    scales = {
        int(pct_start * transition_steps): div_factor,
        int(transition_steps): 1.0 / (div_factor * final_div_factor),
    }
    return piecewise_interpolate_schedule("cosine", peak_value / div_factor, scales)


def _columns(pairs: Sequence[tuple[Any, Any]] | None) -> tuple[list[Any], list[Any]]:
    """The boundaries and the scales of pairs."""
    return [boundary for boundary, _ in pairs or ()], [
        scale for _, scale in pairs or ()
    ]


def _products(init_value: Numeric, scales: Sequence[Numeric]) -> list[Any]:
    """The value itself and after each scale."""
    return list(accumulate([init_value, *scales], mul))
