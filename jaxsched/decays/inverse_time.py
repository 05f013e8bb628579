"""Decays like 1 / t: at once, and compounded in a loop."""

import jax.numpy as jnp
from jax import Array

from jaxsched.arrays import as_real, is_weak
from jaxsched.domains import Flag, Period, Power, Rate, Value
from jaxsched.numerics import grown, is_literal, log1p, rounded, safely
from jaxsched.progress import plus, since, turns
from jaxsched.schedule import schedule


@schedule
def inverse_time_decay(
    step: Array,
    init_value: Value,
    rate: Rate,
    steps: Period = 1,
    *,
    power: Power = 1.0,
    staircase: Flag = False,
) -> Array:
    """A value divided by one plus a multiple of time.

    Use it when the length of the run is unknown and the rate should fall like one over
    time, as theory asks.

    "Time-based decay"; `InverseTimeDecay` in Keras; with power = 0.75 the `inv` policy
    of Caffe. A loop that multiplies its learning rate by 1 / (1 + rate * t) at every
    step makes another curve: `compounding_time_decay`.

    Formula: s(t) = init_value / (1 + rate t / steps)^power, with floor(t / steps) for a
    staircase. Steps below 0 read as 0.

    Args:
      init_value: The value at step 0; differentiable.
      rate: Decay per `steps`, >= 0; differentiable.
      steps: The unit of time in steps, >= 1; differentiable if a float and not a
        staircase.
      power: Exponent of the denominator, > 0; differentiable.
      staircase: Whether to decay in jumps. Static.

    Raises:
      ValueError: `rate` is negative, `steps` or `power` not positive, or a value not
        finite.

    Example:
      >>> import jaxsched as js
      >>> js.inverse_time_decay(1.0, 0.5).at(2)
      0.5

    Reference: Robbins, Monro, "A Stochastic Approximation Method" (1951); `power`:
    Ganin, Lempitsky (2015), arXiv:1409.7495, section 4.
    """
    elapsed = rounded(turns(step, steps, whole=bool(staircase)) * rate)
    if is_literal(power, 1):
        return jnp.divide(init_value, 1 + elapsed)
    return jnp.power(1 + elapsed, -as_real(power)) * init_value


@schedule
def compounding_time_decay(step: Array, init_value: Value, rate: Rate) -> Array:
    """The rates of a loop that does `lr *= 1 / (1 + rate * k)` for k = 0, 1, 2, ...

    Use it when you reproduce a code that has this loop; for a new run take
    `inverse_time_decay`.

    Much old training code has this loop, where `inverse_time_decay` was meant. The loop
    decays far faster: for a small rate like a Gaussian in t.

    Formula:

        s(t) = init_value / prod_{k=1..t} (1 + rate k)
             = init_value Gamma(1 + 1/rate) / (Gamma(t + 1 + 1/rate) rate^t)

    computed in closed form, without a loop. Steps below 0 read as 0; a fraction of a
    step is dropped.

    Args:
      init_value: The value at step 0; differentiable.
      rate: The rate of the loop, >= 0; differentiable.

    Raises:
      ValueError: `rate` is negative, or a value is not finite.

    Example:
      >>> import jaxsched as js
      >>> s = js.compounding_time_decay(1.0, 0.1)
      >>> [round(s.at(t), 6) for t in range(4)]
      [1.0, 0.909091, 0.757576, 0.582751]

    Reference: the product is a ratio of gamma functions, DLMF 5.5.1; its logarithm is
    summed by Euler and Maclaurin, DLMF 2.10.1.
    """
    whole = jnp.asarray(step)
    if not jnp.issubdtype(whole.dtype, jnp.integer):
        whole = jnp.floor(whole)
    return grown(init_value, -_sum_log1p(jnp.asarray(rate), whole))


# Terms of the sum that are added one by one before the Euler-Maclaurin formula takes over,
# and terms of the series for a mean: enough for the digits of single and of double
# precision.
_FIRST = {4: 8, 8: 64}
_TERMS = {4: 14, 8: 36}


def _sum_log1p(rate: Array, t: Array) -> Array:
    """log(1 + rate) + log(1 + 2 rate) + ... + log(1 + t rate)."""
    first_few = _FIRST[max(4, rate.dtype.itemsize)]
    logarithms = log1p(rounded(rate * as_real(jnp.arange(first_few + 1))))
    head = jnp.cumsum(logarithms)[jnp.minimum(t, first_few).astype(jnp.int32)]
    head = as_real(head) if is_weak(logarithms) else head  # which the sum forgets
    count = as_real(since(t, first_few))
    begin, end = rounded(rate * first_few), rounded(rate * (count + first_few))
    # The integral, the trapezoid's half steps, then the odd derivatives. The middle is
    # straight from the step: one rounding less in the largest term.
    middle = rounded(rate * (as_real(plus(jnp.maximum(t, first_few), first_few)) / 2))
    mean, correction = _mean_log1p(begin, middle, end)
    halves = (log1p(end) - log1p(begin)) / 2
    x, y = rate / (1 + begin), rate / (1 + end)  # below 1, however large the rate is
    first = (y - x) / 12
    third = (y**3 - x**3) / 360
    fifth = (y**5 - x**5) / 1260
    # All that is small is summed first, so that the large term is rounded only once.
    small = head + halves + first - third + fifth
    small = small + rounded(count * correction)
    return jnp.where(count > 0, rounded(count * mean) + small, head)


def _mean_log1p(a: Array, middle: Array, b: Array) -> tuple[Array, Array]:
    """The mean of log(1 + x) over [a, b], from a series where the integral cancels.

    With w = (b - a) / (2 + a + b) it is log(1 + middle) - w^2 / 6 - w^4 / 20 - ... -
    w^(2n) / (2n (2n + 1)), used up to w = 0.6. Returns the logarithm and the (small)
    series apart.
    """
    w = (b - a) / (2 + a + b)
    wide = w > 0.6
    squared = safely(~wide, w, 0.0) ** 2
    series = jnp.zeros_like(w)
    for n in range(_TERMS[max(4, w.dtype.itemsize)], 0, -1):
        series = rounded(squared * (1 / (2 * n * (2 * n + 1)) + series))
    gap = safely(wide, b - a)
    integral = rounded((1 + b) * log1p(b)) - rounded((1 + a) * log1p(a))
    mean = jnp.where(wide, integral / gap - 1, log1p(middle))
    return mean, jnp.where(wide, 0.0, -series)
