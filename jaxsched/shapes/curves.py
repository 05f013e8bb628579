"""The unit curves: how a bounded move gets from its start to its end."""

import math
from typing import Any

import jax.numpy as jnp
from jax import Array, lax

from jaxsched.arrays import Numeric
from jaxsched.domains import Factor, Power, Value
from jaxsched.numerics import blend, carried, is_literal, log, log1p, safely
from jaxsched.shapes.shape import Weights, shape


@shape
def linear(elapsed: Array, remaining: Array) -> Weights:
    """A straight line: fall = 1 - u."""
    return remaining, elapsed


@shape
def cosine(elapsed: Array, remaining: Array) -> Weights:
    """Half a cosine wave: fall = (1 + cos(pi u)) / 2.

    Written as sin^2(pi/2 x) of the nearer end's fraction x, so that the small weight is
    computed as itself and not as a difference.
    """
    early = elapsed < remaining
    near = _sine_squared(jnp.where(early, elapsed, remaining))
    return jnp.where(early, 1 - near, near), jnp.where(early, near, 1 - near)


def _sine_squared(x: Array) -> Array:
    """sin^2(pi/2 x) for x in [0, 1/2], by its Taylor series.

    On half a quadrant the series needs no range reduction. It is a few times faster than
    `jnp.sin`, whose error squaring would double, and alike on all backends.
    """
    z = x * x
    terms = 12 if z.dtype == jnp.float64 else 7
    *first, last = (
        math.pi ** (2 * k) / (2 * math.factorial(2 * k)) for k in range(1, terms + 1)
    )
    series: Any = last
    for coefficient in reversed(first):
        series = coefficient - z * series
    # Rounded before anyone subtracts it, whatever a compiler would fuse; see `blend`.
    return jnp.where(z != 0, z * series, 0.0)


@shape
def one_minus_sqrt(elapsed: Array, remaining: Array) -> Weights:
    """The inverse of the parabola (1 - u)^2: fall = 1 - sqrt(u); Hägele et al. (2024)."""
    root = _sqrt(elapsed)
    return remaining / (1 + root), root


@shape
def square(elapsed: Array, remaining: Array) -> Weights:
    """One minus the square of time: fall = 1 - u^2; Hägele et al. (2024)."""
    return remaining * (1 + elapsed), elapsed * elapsed


@shape
def one_minus_power(elapsed: Array, remaining: Array, power: Power = 0.5) -> Weights:
    """One minus a power of time: fall = 1 - u^power.

    0.5 is "one_minus_sqrt", 1 a straight line, 2 "square".

    Args:
      power: > 0, differentiable. Below 1 the move starts fast, above 1 slowly.

    Hägele et al., "Scaling Laws and Compute-Optimal Training Beyond Fixed Training
    Durations" (2024), arXiv:2405.18392, section 4 (power 0.5 and 2).

    >>> import jaxsched as js
    >>> js.transition(1.0, 0.0, 10, shape=js.one_minus_power(power=2.0)).at(5)
    0.75
    """
    rise, fall = raised(elapsed, remaining, power)
    return fall, rise


@shape
def sqrt(elapsed: Array, remaining: Array) -> Weights:
    """The square root of what remains: fall = sqrt(1 - u)."""
    root = _sqrt(remaining)
    return root, elapsed / (1 + root)


@shape
def sine(elapsed: Array, remaining: Array) -> Weights:
    """A quarter of a sine wave: fall = 1 - sin(pi u / 2), fast first and then level.

    The ramp of the NeRF family. The small weight is 2 sin^2(pi/4 (1 - u)).
    """
    fall = 2 * _sine_squared(remaining / 2)
    early = elapsed < remaining
    near = jnp.sin(math.pi / 2 * jnp.where(early, elapsed, 0.0))
    return fall, jnp.where(early, near, 1 - fall)


@shape
def mirror_cosine(elapsed: Array, remaining: Array) -> Weights:
    """The cosine mirrored at the straight line: fall = 2 (1 - u) - (1 + cos(pi u)) / 2."""
    fall, rise = cosine()(elapsed, remaining)
    return 2 * remaining - fall, 2 * elapsed - rise


@shape
def rex(elapsed: Array, remaining: Array, beta: Factor = 0.5) -> Weights:
    """Reflected exponential: fall = (1 - u) / (1 - u + beta u).

    beta = 0.5 is the curve of the REX paper, 0.1 that of its authors' code; 1 is a
    straight line.

    Args:
      beta: > 0, differentiable. Below 1 the move starts slowly, above 1 fast.

    Chen, Wolfe, Kyrillidis, "REX: Revisiting Budgeted Training with an Improved
    Schedule" (2021), arXiv:2107.04197.

    >>> import jaxsched as js
    >>> js.transition(1.0, 0.0, 2, shape=js.rex(beta=0.5)).at(1)
    0.6666666666666666
    """
    late = elapsed * beta
    return remaining / (remaining + late), late / (remaining + late)


@shape
def inverse_proportional(
    elapsed: Array, remaining: Array, ratio: Factor = 0.1
) -> Weights:
    """1 / value moves in a straight line when `ratio` is end_value / init_value.

    fall = ratio (1 - u) / (ratio (1 - u) + u): the decay of WSD-S, where the value is
    1 / (u / end + (1 - u) / init).

    Args:
      ratio: > 0, differentiable: the end as a factor of the start.

    Wen et al., "Understanding Warmup-Stable-Decay Learning Rates" (2024),
    arXiv:2410.05192, section 4.

    >>> import jaxsched as js
    >>> js.transition(1.0, 0.25, 3, shape=js.inverse_proportional(ratio=0.25)).at(1)
    0.5
    """
    early = remaining * ratio
    return early / (early + elapsed), elapsed / (early + elapsed)


@shape
def exponential_to_zero(
    elapsed: Array, remaining: Array, ratio: Factor = 0.1
) -> Weights:
    """An exponential decay, moved down so that it ends at exactly 0.

    fall = (ratio^u - ratio) / (1 - ratio): Megatron-LM's exponential decay has a ratio of
    0.5. A ratio of 1 is a straight line.

    Args:
      ratio: > 0, differentiable: where the decay would end if it were not moved, as a
        factor of its start. Below 1 the move starts fast, above 1 slowly.

    >>> import jaxsched as js
    >>> js.transition(1.0, 0.0, 2, shape=js.exponential_to_zero(ratio=0.25)).at(1)
    0.3333333333333333
    """
    rate = log(ratio)
    return _grown_part(remaining, -rate), _grown_part(elapsed, rate)


def _grown_part(part: Array, rate: Numeric) -> Array:
    """(e^(rate part) - 1) / (e^rate - 1), which is `part` at a rate of 0.

    1 is selected, not computed: a compiler may take the exponential of a constant with
    other digits than that of a variable.
    """
    share = _mean_growth(rate * part) / _mean_growth(rate)
    return part * jnp.where(part == 1, 1.0 + carried(share), share)


def _mean_growth(x: Numeric) -> Array:
    """(e^x - 1) / x, which is 1 at 0; there by its Taylor series, whose slope holds."""
    x = jnp.asarray(x)
    small = jnp.abs(x) < 0.1
    near: Any = 1.0
    for k in range(9, 1, -1):
        near = 1 + jnp.where(small, x, 0.0) / k * near
    far = safely(~small, x)
    return jnp.where(small, near, jnp.expm1(far) / far)


@shape
def tanh(
    elapsed: Array, remaining: Array, lower: Value = -7.0, upper: Value = 3.0
) -> Weights:
    """A hyperbolic tangent, fall = (1 - tanh(lower (1 - u) + upper u)) / 2.

    It does **not** reach its ends: with the defaults fall is 0.9999992 at u = 0 and
    0.00247 at u = 1, where it stays.

    Args:
      lower: The argument at the start, differentiable; usually negative.
      upper: The argument at the end, differentiable.

    Hsueh, Li, Wu, "Stochastic Gradient Descent with Hyperbolic-Tangent Decay on
    Classification" (2018), arXiv:1806.01593, equation 4.

    >>> import jaxsched as js
    >>> round(js.transition(1.0, 0.0, 10, shape="tanh").at(10), 6)
    0.002473
    """
    twice = jnp.clip(2 * blend(lower, remaining, upper, elapsed), -80.0, 80.0)
    return 1 / (1 + jnp.exp(twice)), 1 / (1 + jnp.exp(-twice))


def raised(x: Array, rest: Array, power: Numeric) -> Weights:
    """(x^power, 1 - x^power) for x and rest = 1 - x in [0, 1]: a curve bent by a power.

    The logarithm is taken from whichever of x and 1 - x is small, so both results keep
    their digits.
    """
    if is_literal(power, 1):
        return x, rest
    inside = (x > 0) & (rest > 0)
    near_one = inside & (rest < x)
    logarithm = jnp.where(
        near_one,
        log1p(-safely(near_one, rest, 0.5)),
        jnp.log(safely(inside & ~near_one, x, 0.5)),
    )
    exponent = power * safely(inside, logarithm, 0.0)
    # The first power is x to the bit, as it is where the power is a constant; the
    # correction carries no gradient, so that of the power is kept.
    first = ~inside | (power == 1)

    def settled(bent: Array, straight: Array) -> Array:
        return bent + jnp.where(first, lax.stop_gradient(straight - bent), 0.0)

    return settled(jnp.exp(exponent), x), settled(-jnp.expm1(exponent), rest)


def _sqrt(x: Array) -> Array:
    inside = x > 0
    return jnp.where(inside, jnp.sqrt(safely(inside, x)), 0.0)
