"""Unbounded decays: they need no total length and never quite end."""

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from jaxsched.domains import (
    Factor,
    Flag,
    Period,
    Power,
    Rate,
    Steps,
    Value,
    is_literal,
    log,
)
from jaxsched.progress import (
    cycle_of,
    later,
    log1p,
    safely,
    since,
    together,
    turns,
)
from jaxsched.schedule import as_real, schedule


@schedule
def exponential_decay(
    step: ArrayLike,
    init_value: Value,
    factor: Factor,
    steps: Period = 1,
    *,
    staircase: Flag = False,
) -> ArrayLike:
    """Multiplied by `factor` every `steps` steps.

    `ExponentialLR` in PyTorch (steps = 1), `exponential_decay` in Optax and Keras. With
    `staircase` the factor is applied at once at the end of every `steps`. For a given
    end use `exponential`; for a floor `clip`.

    Formula: s(t) = init_value factor^(t / steps), or factor^floor(t / steps).
    Steps below 0 read as 0.

    Args:
      init_value: The value at step 0; differentiable.
      factor: The factor per `steps`, > 0; differentiable. Passed through `jax.jit` as an
        argument it is a float32: a factor very near 1 is then better written with more
        `steps`.
      steps: The period of the factor in steps, > 0; differentiable if a float and not a
        staircase.
      staircase: Whether to decay in jumps. Static.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `factor` or `steps` is not positive, or a value is not finite.
      TypeError: An argument is of the wrong kind.

    Example:
      >>> import jaxsched as js
      >>> js.exponential_decay(0.1, 0.5, steps=10).at(20)
      0.02500000037252903

    Reference: Li, Arora, "An Exponential Learning Rate Schedule for Deep Learning"
    (2019), arXiv:1910.07454.
    """
    return powered(init_value, factor, turns(step, steps, whole=bool(staircase)))


@schedule
def natural_exponential_decay(
    step: ArrayLike, init_value: Value, rate: Rate
) -> ArrayLike:
    """Exponential decay given by its rate per step.

    `NaturalExpDecay` in Paddle; the textbooks' e^(-kt).

    Formula: s(t) = init_value e^(-rate t). Steps below 0 read as 0.

    Args:
      init_value: The value at step 0; differentiable.
      rate: Decay per step, >= 0; differentiable.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `rate` is negative, or a value is not finite.
      TypeError: An argument is not a real number.

    Example:
      >>> import jaxsched as js
      >>> round(js.natural_exponential_decay(1.0, 0.1).at(10), 6)
      0.367879

    Reference: Li, Arora, "An Exponential Learning Rate Schedule for Deep Learning"
    (2019), arXiv:1910.07454.
    """
    return grown(init_value, -(rate * as_real(step)))


@schedule
def inverse_time_decay(
    step: ArrayLike,
    init_value: Value,
    rate: Rate,
    steps: Period = 1,
    power: Power = 1.0,
    *,
    staircase: Flag = False,
) -> ArrayLike:
    """Divided by one plus a multiple of time.

    "Time-based decay"; `InverseTimeDecay` in Keras; with power = 0.75 the `inv` policy
    of Caffe. It is not what a loop makes that multiplies its learning rate by
    1 / (1 + rate * t) every step: that is `compounding_time_decay`.

    Formula: s(t) = init_value / (1 + rate t / steps)^power, with floor(t / steps) for a
    staircase. Steps below 0 read as 0.

    Args:
      init_value: The value at step 0; differentiable.
      rate: Decay per `steps`, >= 0; differentiable.
      steps: The unit of time in steps, > 0; differentiable if a float and not a
        staircase.
      power: Exponent of the denominator, > 0; differentiable.
      staircase: Whether to decay in jumps. Static.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `rate` is negative, `steps` or `power` not positive, or a value not
        finite.
      TypeError: An argument is of the wrong kind.

    Example:
      >>> import jaxsched as js
      >>> js.inverse_time_decay(1.0, 0.5).at(2)
      0.5

    Reference: Robbins, Monro, "A Stochastic Approximation Method" (1951); `power`:
    Ganin, Lempitsky (2015), arXiv:1409.7495, section 4.
    """
    elapsed = rate * turns(step, steps, whole=bool(staircase))
    if is_literal(power, 1):
        return init_value / (1 + elapsed)
    return init_value * jnp.power(1 + elapsed, -as_real(power))


@schedule
def compounding_time_decay(step: ArrayLike, init_value: Value, rate: Rate) -> ArrayLike:
    """What a loop makes that does `lr *= 1 / (1 + rate * k)` for k = 0, 1, 2, ...

    Found in much old training code, where it was meant as `inverse_time_decay`. It
    decays far faster: for a small rate like a Gaussian in t.

    Formula:

        s(t) = init_value / prod_{k=1..t} (1 + rate k)
             = init_value Gamma(1 + 1/rate) / (Gamma(t + 1 + 1/rate) rate^t)

    computed in closed form, without a loop. Steps below 0 read as 0; a fraction of a
    step is dropped.

    Args:
      init_value: The value at step 0; differentiable.
      rate: The rate of the loop, >= 0; differentiable.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `rate` is negative, or a value is not finite.
      TypeError: An argument is not a real number.

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


# Terms of the sum that are added one by one before the Euler-Maclaurin formula takes over.
_FIRST = 8


def _sum_log1p(rate: Array, t: Array) -> Array:
    """log(1 + rate) + log(1 + 2 rate) + ... + log(1 + t rate)."""
    head = sum(
        (jnp.where(t >= k, log1p(rate * k), 0.0) for k in range(1, _FIRST + 1)),
        jnp.zeros_like(as_real(t)),
    )
    count = as_real(since(t, _FIRST))
    begin, end = rate * _FIRST, rate * (count + _FIRST)
    # The integral, the trapezoid's half steps, then the odd derivatives. The middle is
    # straight from the step: one rounding less in the largest term.
    middle = rate * (as_real(later(jnp.maximum(t, _FIRST), _FIRST)) / 2)
    mean, correction = _mean_log1p(begin, middle, end)
    halves = (log1p(end) - log1p(begin)) / 2
    x, y = 1 / (1 + begin), 1 / (1 + end)
    first = rate * (y - x) / 12
    third = rate**3 * (y**3 - x**3) / 360
    fifth = rate**5 * (y**5 - x**5) / 1260
    # All that is small is summed first, so that the large term is rounded only once.
    small = head + halves + first - third + fifth + count * correction
    return jnp.where(count > 0, count * mean + small, head)


def _mean_log1p(a: Array, middle: Array, b: Array) -> tuple[Array, Array]:
    """The mean of log(1 + x) over [a, b], from a series where the integral cancels.

    With w = (b - a) / (2 + a + b) it is log(1 + middle) - w^2 / 6 - w^4 / 20 - ... -
    w^(2n) / (2n (2n + 1)); 14 terms are exact in float32 up to w = 0.6. Returns the
    logarithm and the (small) series apart.
    """
    w = (b - a) / (2 + a + b)
    wide = w > 0.6
    squared = safely(~wide, w, 0.0) ** 2
    series = jnp.zeros_like(w)
    for n in range(14, 0, -1):
        series = squared * (1 / (2 * n * (2 * n + 1)) + series)
    gap = safely(wide, b - a)
    integral = (1 + b) * log1p(b) - (1 + a) * log1p(a)
    mean = jnp.where(wide, integral / gap - 1, log1p(middle))
    return mean, jnp.where(wide, 0.0, -series)


@schedule
def inverse_sqrt_decay(
    step: ArrayLike, init_value: Value, timescale: Period, shift: Steps = 0
) -> ArrayLike:
    """Divided by the square root of time.

    Needs no total length, so training can go on; "rsqrt" in big_vision and T5X. With
    timescale = 1 it is the textbooks' lr / sqrt(t + 1). After a warm-up of W steps use
    timescale = W (`warmup_inverse_sqrt`).

    Formula: s(t) = init_value / sqrt(1 + (t + shift) / timescale). Steps below 0 read
    as 0.

    Args:
      init_value: The value at step 0 when `shift` is 0; differentiable.
      timescale: Steps after which the value has fallen to init_value / sqrt(2), > 0;
        differentiable if a float.
      shift: Steps to begin the curve late by, >= 0; differentiable if a float.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `timescale` is not positive, `shift` is negative, or a value is not
        finite.
      TypeError: An argument is not a real number.

    Example:
      >>> import jaxsched as js
      >>> js.inverse_sqrt_decay(1.0, timescale=100).at(300)
      0.5

    Reference: Zhai et al., "Scaling Vision Transformers" (2022), arXiv:2106.04560,
    section 3.5.
    """
    elapsed = turns(step, timescale) + turns(shift, timescale)
    return init_value / jnp.sqrt(1 + elapsed)


@schedule
def step_decay(
    step: ArrayLike,
    init_value: Value,
    factor: Factor,
    every: Period,
    offset: Steps = 0,
) -> ArrayLike:
    """Multiplied by `factor` at the end of every `every` steps.

    `StepLR` in PyTorch. Textbooks count from 1: offset = 1 gives their
    init_value * factor^floor((1 + t) / every).

    Formula: s(t) = init_value factor^floor((t + offset) / every). Steps below 0 read
    as 0.

    Args:
      init_value: The value before the first drop; differentiable.
      factor: The factor per drop, > 0; differentiable.
      every: Steps between drops, > 0.
      offset: Steps by which the drops come early, >= 0.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `factor` or `every` is not positive, `offset` is negative, or a value
        is not finite.
      TypeError: An argument is not a real number.

    Example:
      >>> import jaxsched as js
      >>> s = js.step_decay(0.1, 0.5, every=10)
      >>> [round(s.at(t), 4) for t in (9, 10, 20)]
      [0.1, 0.05, 0.025]

    Reference: He et al., "Deep Residual Learning" (2016), arXiv:1512.03385, section 3.4.
    """
    # floor((t + offset) / every), where t + offset may be more than an integer holds.
    now, early = cycle_of(step, every), cycle_of(offset, every)
    to_go, gone = together(since(every, now.step), early.step)
    carried = to_go <= gone
    drops = as_real(now.turn) + as_real(early.turn) + jnp.where(carried, 1.0, 0.0)
    return powered(init_value, factor, drops)


@schedule
def noam(
    step: ArrayLike, model_size: Factor, warmup_steps: Steps, factor: Factor = 1.0
) -> ArrayLike:
    """The Transformer's schedule: a linear warm-up, then the inverse square root.

    The peak is factor / sqrt(model_size * warmup_steps), at t + 1 = warmup_steps.
    Given by its peak it is
    `warmup_inverse_sqrt(peak, warmup_steps - 1, timescale=warmup_steps)`.

    Formula, with n = t + 1:

        s(t) = factor model_size^-0.5 min(n^-0.5, n warmup_steps^-1.5)

    Steps below 0 read as 0.

    Args:
      model_size: Width of the model, > 0; differentiable.
      warmup_steps: Length of the ramp in steps, >= 0; differentiable if a float. 0
        means no ramp.
      factor: Multiplies everything, > 0; differentiable.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `model_size` or `factor` is not positive, or `warmup_steps` negative.
      TypeError: An argument is not a real number.

    Example:
      >>> import jaxsched as js
      >>> round(js.noam(512, warmup_steps=4000).at(3999), 8)
      0.00069877

    Reference: Vaswani et al., "Attention Is All You Need" (2017), arXiv:1706.03762,
    equation 3.
    """
    n = as_real(step) + 1
    ramp = as_real(warmup_steps)
    rising = n < ramp
    climbed = jnp.where(rising, n / safely(rising, ramp), 1.0)
    scale = factor / jnp.sqrt(jnp.asarray(model_size))
    return scale * climbed / jnp.sqrt(jnp.where(rising, ramp, n))


@schedule
def power_law(
    step: ArrayLike, max_value: Value, scale: Factor, power: Power = 0.51
) -> ArrayLike:
    """A power of time under a ceiling: the Power scheduler.

    The decay that a fit over token counts and batch sizes suggests; it needs no total
    length. In the paper time is counted in tokens: `retime` it, or put
    tokens_per_step^-power into `scale`.

    Formula: s(t) = min(max_value, scale t^-power), and max_value at t = 0. Steps below
    0 read as 0.

    Args:
      max_value: The ceiling; differentiable.
      scale: The value the power law has at t = 1, > 0; differentiable.
      power: The exponent of the decay, > 0; differentiable.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `scale` or `power` is not positive, or a value is not finite.
      TypeError: An argument is not a real number.

    Example:
      >>> import jaxsched as js
      >>> s = js.power_law(0.02, scale=1.0, power=0.5)
      >>> round(s.at(100), 6), round(s.at(10_000), 6)
      (0.02, 0.01)

    Reference: Shen et al., "Power Scheduler" (2024), arXiv:2408.13359, equations 7-8.
    """
    t = as_real(step)
    begun = t > 0
    law = scale * jnp.exp(-(power * jnp.log(safely(begun, t))))
    return jnp.where(begun, jnp.minimum(max_value, law), max_value)


def powered(value: ArrayLike, factor: ArrayLike, exponent: ArrayLike) -> Array:
    """The product value * factor^exponent for a positive factor.

    The logarithm of a Python number is taken in double precision: 0.99999 as a float32
    would be off by a percent after a million steps.
    """
    return grown(value, exponent * log(factor))


def grown(value: ArrayLike, exponent: ArrayLike) -> Array:
    """The product value * e^exponent, where e^exponent alone may under- or overflow."""
    largest = 88.0 if jnp.result_type(float) == jnp.float32 else 709.0
    half = jnp.exp(jnp.minimum(jnp.asarray(exponent) / 2, largest))
    return jnp.asarray(value) * half * half
