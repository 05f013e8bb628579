"""Tables: values at given steps. However long one is, a step costs at most a search."""

import math
from itertools import pairwise
from typing import Any

import jax.numpy as jnp
from jax import Array

from jaxsched.arrays import as_real
from jaxsched.domains import Boundaries, Factor, Factors, Value, Values
from jaxsched.numerics import powered, safely
from jaxsched.progress import progress, since
from jaxsched.rule import Refusal
from jaxsched.schedule import Phase, schedule
from jaxsched.schedule.phases import MOST, times
from jaxsched.search import passed


def _one_more_value(boundaries: Boundaries, values: Values) -> None:
    n, m = len(boundaries), len(values)
    if m != n + 1:
        raise Refusal(
            f"values must be one more than boundaries, not {m} and {n}",
            "boundaries",
            "values",
        )


def _values(s: Any, until: float) -> list[Phase]:
    """One phase for each value of a table of constants."""
    begins = [0, *times(s.boundaries), math.inf]
    if len(begins) > MOST + 1:
        return [Phase(s._rule.name, 0, math.inf, knots=begins[:-1])]
    pairs = pairwise(begins)
    return [Phase(f"value {i}", a, b, i == 1) for i, (a, b) in enumerate(pairs, 1)]


def _curve(s: Any, until: float) -> list[Phase]:
    """One phase for a curve through points."""
    knots = times(s.boundaries)
    return [Phase(s._rule.name, 0, knots[-1], knots=knots)]


@schedule(check=_one_more_value, phases=_values)
def piecewise_constant(step: Array, boundaries: Boundaries, values: Values) -> Array:
    """Given values, each held from one boundary to the next.

    Use it when the rates of a run are known by step.

    `PiecewiseConstantDecay` in Keras (which keeps the old value at the boundary itself).
    For factors instead of values use `multistep`.

    Formula: s(t) = values[i], i = number of boundaries <= t. Steps below 0 read as 0;
    the last value is held.

    Args:
      boundaries: n steps, strictly increasing, >= 0. The new value is in force at its
        boundary.
      values: n + 1 numbers; differentiable.

    Raises:
      ValueError: The counts do not fit, the boundaries do not increase, or a number is
        not finite.
      TypeError: An argument is not a list of numbers or an array.

    Example:
      >>> import jaxsched as js
      >>> s = js.piecewise_constant([10, 20], values=[1.0, 0.5, 0.25])
      >>> s.at(9), s.at(10), s.at(20)
      (1.0, 0.5, 0.25)

    Reference: He et al., "Deep Residual Learning" (2016), arXiv:1512.03385, section 4.2.
    """
    table = jnp.asarray(values)
    return table.at[passed(boundaries, step)].get(mode="promise_in_bounds")


def _one_kind_of_factor(
    init_value: Value,
    boundaries: Boundaries,
    factor: Factor | None,
    factors: Factors | None,
) -> None:
    if (factor is None) == (factors is None):
        raise Refusal("give either factor or factors", "factor", "factors")
    if factors is not None and len(factors) != len(boundaries):
        raise Refusal(
            "factors must be as many as boundaries, not "
            f"{len(factors)} and {len(boundaries)}",
            "boundaries",
            "factors",
        )


@schedule(check=_one_kind_of_factor, phases=_values)
def multistep(
    step: Array,
    init_value: Value,
    boundaries: Boundaries,
    factor: Factor | None = None,
    *,
    factors: Factors | None = None,
) -> Array:
    """A value that is multiplied at each boundary, by one `factor` or by each one's own.

    Use it when the rate should fall at chosen steps, as in the recipes for ResNets and
    detectors.

    `MultiStepLR` in PyTorch; with `factors`, `piecewise_constant_schedule` in Optax.

    Formula: s(t) = init_value factor^i, or init_value factors[0] ... factors[i-1], with
    i = number of boundaries <= t. Steps below 0 read as 0.

    Args:
      init_value: The value before the first boundary; differentiable.
      boundaries: Steps, strictly increasing, >= 0. The new value is in force at its
        boundary.
      factor: One factor for all boundaries, > 0; differentiable.
      factors: A factor for each boundary, > 0; differentiable.

    Raises:
      ValueError: Both or neither of `factor` and `factors` are given, the counts do not
        fit, the boundaries do not increase, or a number is out of bounds.

    Example:
      >>> import jaxsched as js
      >>> s = js.multistep(0.1, boundaries=[30, 60], factor=0.1)
      >>> [round(s.at(t), 6) for t in (29, 30, 60)]
      [0.1, 0.01, 0.001]

    Reference: DeepSeek-AI, "DeepSeek LLM" (2024), arXiv:2401.02954, section 2.3
    (factors 0.316 and 0.316 at 80 % and 90 %).
    """
    index = passed(boundaries, step)
    if factor is not None:
        return powered(init_value, factor, as_real(index))
    table = jnp.asarray(factors)
    product = jnp.cumprod(table)
    if table.weak_type:  # which the product forgets
        product = as_real(product)
    return jnp.where(index > 0, product[jnp.maximum(index - 1, 0)], 1.0) * init_value


def _same_count(boundaries: Boundaries, values: Values) -> None:
    n, m = len(boundaries), len(values)
    if n != m or n == 0:
        raise Refusal(
            f"boundaries and values must be equally many, at least 1, not {n} and {m}",
            "boundaries",
            "values",
        )


@schedule(check=_same_count, phases=_curve)
def piecewise_linear(step: Array, boundaries: Boundaries, values: Values) -> Array:
    """Straight lines through given points.

    Use it when a recipe is given as points, or you draw a schedule by hand.

    Holds the first value before the first point and the last value after the last one,
    and is exactly the given value at every point.

    Formula, for boundaries b_i <= t < b_(i+1) and u = (t - b_i) / (b_(i+1) - b_i):

        s(t) = values_i (1 - u) + values_(i+1) u

    Steps below 0 read as 0.

    Args:
      boundaries: n steps, strictly increasing, >= 0; differentiable if floats.
      values: n numbers; differentiable.

    Raises:
      ValueError: The counts differ or are 0, the boundaries do not increase, or a number
        is not finite.
      TypeError: An argument is not a list of numbers or an array.

    Example:
      >>> import jaxsched as js
      >>> s = js.piecewise_linear([0, 10, 30], [0.0, 1.0, 0.5])
      >>> s.at(5), s.at(20), s.at(99)
      (0.5, 0.75, 0.5)

    Reference: Coleman et al., "DAWNBench" (2017) entries; the same map as `numpy.interp`.
    """
    return _line(jnp.asarray(boundaries), jnp.asarray(values), step)


@schedule(check=_same_count, phases=_curve)
def spline(step: Array, boundaries: Boundaries, values: Values) -> Array:
    """A smooth curve through given points that never overshoots them.

    Use it when a hand-drawn or learned schedule should have no corners.

    The monotone cubic interpolant (PCHIP): between two points it stays between their
    values. Holds the first value before the first point and the last one after the last,
    and is exactly the given value at every point.

    Formula: on each interval of length h, with u as in `piecewise_linear` and slopes d_i
    (the weighted harmonic mean of the neighbouring secants, 0 where they differ in sign;
    the one-sided three-point formula at the two ends):

        s(t) = values_i (1-u)^2 (1+2u) + values_(i+1) u^2 (3-2u)
               + h d_i u (1-u)^2 - h d_(i+1) u^2 (1-u)

    Steps below 0 read as 0.

    Args:
      boundaries: n steps, strictly increasing, >= 0; differentiable if floats.
      values: n numbers; differentiable.

    Raises:
      ValueError: The counts differ or are 0, the boundaries do not increase, or a number
        is not finite.
      TypeError: An argument is not a list of numbers or an array.

    Example:
      >>> import jaxsched as js
      >>> s = js.spline([0, 10, 20], [0.0, 1.0, 0.0])
      >>> s.at(10), s.at(5)
      (1.0, 0.75)

    Reference: Fritsch, Butland, "A Method for Constructing Local Monotone Piecewise
    Cubic Interpolants" (1984), SIAM J. Sci. Stat. Comput. 5(2); SciPy's
    `PchipInterpolator`.
    """
    x, y = jnp.asarray(boundaries), jnp.asarray(values)
    if len(y) < 3:
        return _line(x, y, step)
    before, after, u, r = _interval(x, step)
    # Only the neighbourhood of the step is read, so the cost does not grow with n.
    left, here, right = (_secant(x, y, before + k) for k in (-1, 0, 1))
    length, rise = here
    begins = jnp.where(
        before == 0, _end_rise(here, right), length * _inner_slope(left, here)
    )
    ends = jnp.where(
        after == len(y) - 1, _end_rise(here, left), length * _inner_slope(here, right)
    )
    # In powers of the distance from the nearer point, so that next to a point whose value
    # is near 0 nothing cancels.
    early = u <= r
    u = jnp.where(early, u, r)
    near = jnp.where(early, y[before], y[after])
    rise = jnp.where(early, rise, -rise)
    slope, other = jnp.where(early, begins, -ends), jnp.where(early, ends, -begins)
    bend = (3 * rise - other) - 2 * slope + u * (slope + other - 2 * rise)
    return near + u * (slope + u * bend)


Secant = tuple[Array, Array]  # the length of an interval and the rise over it


def _secant(x: Array, y: Array, i: Array) -> Secant:
    i = jnp.clip(i, 0, len(y) - 2)
    return as_real(x[i + 1] - x[i]), y[i + 1] - y[i]


def _inner_slope(before: Secant, after: Secant) -> Array:
    """The weighted harmonic mean of two secants, 0 where they differ in sign."""
    (h, a), (k, b) = before, after
    w, v = 2 * k + h, k + 2 * h
    alike = _alike(a, b)
    a, b = safely(alike, a / h), safely(alike, b / k)
    return jnp.where(alike, (w + v) / (w / a + v / b), 0.0)


def _end_rise(near: Secant, far: Secant) -> Array:
    """The three-point slope at an end times the length, kept from overshooting."""
    (h, a), (k, b) = near, far
    rise = ((2 * h + k) * a - h * (b * (h / k))) / (h + k)
    rise = jnp.where(~_alike(a, b) & (jnp.abs(rise) > 3 * jnp.abs(a)), 3 * a, rise)
    return jnp.where(_alike(rise, a), rise, 0.0)


def _alike(a: Array, b: Array) -> Array:
    """Whether both are positive or both negative; their product could be beyond a float."""
    return ((a > 0) & (b > 0)) | ((a < 0) & (b < 0))


def _line(x: Array, y: Array, step: Array) -> Array:
    before, after, u, r = _interval(x, step)
    return y[before] * r + y[after] * u


def _interval(x: Array, step: Array) -> tuple[Array, Array, Array, Array]:
    """The points on either side of the step, and its two fractions between them."""
    i = passed(x, step)
    before, after = jnp.maximum(i - 1, 0), jnp.minimum(i, len(x) - 1)
    u, r = progress(since(step, x[before]), since(x[after], x[before]))
    return before, after, u, r
