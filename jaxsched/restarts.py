"""Where cycles begin: whole-step boundaries of equal and of geometrically growing cycles.

Cycle i of first length n and factor m begins at the first whole step not before
B_i = n * (1 + m + ... + m^(i-1)). Peers find i as the floor of a logarithm, which is off
by one at many restarts. Here B_i is exact: a table of Python fractions where n and m are
Python numbers, and fixed-point integers inside the program where they are traced.
"""

from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxsched.arrays import Numeric, as_integer, as_real
from jaxsched.numerics import at_least, fractions

# Fixed point in decimal, as factors are written: little-endian limbs of four digits, each
# in a uint32, in which a few products can be summed. By the bytes of a step: limbs of a
# fraction, so that a boundary is wrong by less than 10^-6 of a step, and of an integer.
_BASE = 10_000
_FRACTION = {4: 5, 8: 7}
_INTEGER = {4: 5, 8: 10}


class Span(NamedTuple):
    """The cycle of a step; `fraction` is how much of it has passed and remains."""

    turn: Array  # the number of completed cycles
    step: Array  # steps since the cycle began, at most its length
    length: Array  # its length, as a float
    fraction: tuple[Array, Array]


def equal(step: Array, steps: Array, limit: Numeric | None) -> Span:
    """The cycle at an integer step, all cycles alike."""
    length = jnp.maximum(steps, 1)
    index = _limited(step // length, limit)
    local = jnp.minimum(step - index * length, length)
    return Span(index, local, as_real(length), fractions(local, length - local, length))


def growing(
    step: Array, steps: Numeric, factor: Numeric, limit: Numeric | None
) -> Span:
    """The same where each cycle is `factor` times as long as the one before."""
    if isinstance(steps, int) and isinstance(factor, (int, float)):
        largest = int(jnp.iinfo(step.dtype).max)
        edge = edges(steps, factor, largest)
        starts = jnp.asarray(np.array(edge[:-1], step.dtype))
        index = jnp.searchsorted(starts[1:], step, side="right").astype(step.dtype)
        index = _limited(index, limit)
        unsigned = jnp.dtype(f"u{step.dtype}")
        bits = jnp.iinfo(unsigned).bits
        low = np.array([e % 2**bits for e in edge], unsigned)
        rough = as_real(np.minimum(np.array(edge, np.float64), 1e38))
        end = jnp.asarray(low)[index + 1], rough[index + 1]
        return _span(step, index, starts[index], end)
    find = jax.vmap(_find, in_axes=(0, None, None, None))
    fixed = jax.lax.stop_gradient(jnp.asarray(factor))
    found = find(jnp.ravel(step), jnp.asarray(steps), fixed, limit)
    index, start, *end = (jnp.reshape(x, jnp.shape(step)) for x in found)
    return _span(step, index, start, (end[0], end[1]))


def _span(step: Array, index: Array, start: Array, end: tuple[Array, Array]) -> Span:
    """The span of an integer step; its end as `_first_step` gives it, for the last cycle
    may end long after the largest integer.
    """
    low, rough = end
    is_far = _is_far(rough, low)

    def until_end(x: Array) -> Array:
        now = x.astype(low.dtype)
        near = jnp.where(now < low, low - now, 0)
        return jnp.where(is_far, rough - as_real(x), as_real(near))

    length, remaining = until_end(start), until_end(step)
    local = jnp.minimum(step, jnp.where(is_far, step, as_integer(low))) - start
    return Span(index, local, length, fractions(local, remaining, length))


@lru_cache(maxsize=256)
def edges(steps: int, factor: float, largest: int) -> tuple[int, ...]:
    """First steps of all cycles up to `largest`, and the end of the last one.

    A float factor means the decimal number it prints as: 1.1 is 11/10.

    >>> edges(10, 1.5, 100)
    (0, 10, 25, 48, 82, 132)
    """
    # n (m^i - 1) / (m - 1) with m = p / q, in integers that are never reduced: their
    # greatest common divisors would cost more than all the rest.
    ratio = decimal(factor)
    p, q = ratio.numerator, ratio.denominator
    found, powers, scale = [0], 1, 1  # m^i = powers / scale
    total = 0  # (1 + m + ... + m^(i-1)) * scale
    while found[-1] <= largest:
        total = total * q + powers * q
        powers, scale = powers * p, scale * q
        found.append(-(-max(steps, 1) * total // scale))
    return tuple(found)


def decimal(factor: float) -> Fraction:
    """A number as the decimal that it prints as; an integer of a subclass as itself."""
    return Fraction(repr(factor) if type(factor) is float else int(factor))


def of_floats(step: Array, steps: Array, factor: Array, limit: Numeric | None) -> Span:
    """The same for float steps or lengths: differentiable, exact to float precision."""
    first = jnp.where(steps > 0, steps, 1.0)
    fixed_step, fixed, growth = jax.lax.stop_gradient((step, first, factor))

    def begins(index: Array, first: Array, factor: Array) -> Array:
        """The boundary n * (m^i - 1) / (m - 1), or n * i where m is 1."""
        grows = factor > 1
        m = jnp.where(grows, factor, 2.0)
        # A power is rounded less than e^(i log m), but near m = 1 it cancels.
        close = jnp.expm1(index * jnp.log(m))
        total = jnp.where(m < 1.25, close, jnp.power(m, index) - 1) / (m - 1)
        return first * jnp.where(grows, total, index)

    ratio = fixed_step / fixed
    m = jnp.where(growth > 1, growth, 2.0)
    most = float(jnp.finfo(ratio.dtype).max)
    geometric = jnp.log1p(jnp.minimum(ratio * (m - 1), most)) / jnp.log(m)
    index = jnp.floor(jnp.where(growth > 1, geometric, ratio))
    # The logarithm only guesses; the boundaries on either side decide.
    index = jnp.where(begins(index, fixed, growth) > fixed_step, index - 1, index)
    index = jnp.where(begins(index + 1, fixed, growth) <= fixed_step, index + 1, index)
    index = _limited(jnp.maximum(index, 0), limit)
    start = begins(index, first, factor)
    # Not a difference of boundaries: far out, where floats are coarse, it could be 0.
    length = first * jnp.power(jnp.where(factor > 1, factor, 1.0), index)
    local = at_least(jnp.minimum(step - start, length), 0.0)
    return Span(index, local, as_real(length), fractions(local, length - local, length))


def _limited(index: Array, limit: Numeric | None) -> Array:
    if limit is None:
        return index
    last = as_integer(jnp.asarray(limit)) - 1
    return jnp.minimum(index, last.astype(index.dtype))


def _find(
    step: Array, steps: Array, factor: Array, limit: Numeric | None
) -> tuple[Array, Array, Array, Array]:
    """Walks from cycle to cycle in fixed point; at most 53 steps for a factor of 1.5."""
    steps = jnp.maximum(steps, 1).astype(step.dtype)
    growth, grows = _growth(factor), factor > 1
    last = (
        jnp.iinfo(step.dtype).max
        if limit is None
        else as_integer(jnp.asarray(limit)) - 1
    )
    # Equal cycles need no walk, only a division.
    index = jnp.where(grows, 0, jnp.minimum(step // steps, last))
    fraction, integer = (n[step.dtype.itemsize] for n in (_FRACTION, _INTEGER))

    def fixed(whole: Array) -> Array:
        return jnp.pad(_limbs(whole, integer), (fraction, 0))

    def end_of(begin: Array, length: Array) -> tuple[Array, Array]:
        return _first_step(_carried(begin + length), fraction, step)

    def ended(state: tuple[Array, Array, Array]) -> Array:
        index, begin, length = state
        low, rough = end_of(begin, length)
        is_passed = ~_is_far(rough, low) & (low <= step.astype(low.dtype))
        return grows & is_passed & (index < last)

    def advance(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        index, begin, length = state
        return index + 1, _carried(begin + length), _multiplied(length, growth)

    start = index, fixed(index * steps), fixed(steps)
    index, begin, length = jax.lax.while_loop(ended, advance, start)
    first, _ = _first_step(begin, fraction, step)
    return index, first.astype(step.dtype), *end_of(begin, length)


# A factor has four limbs of a fraction and three of a whole part.
_PARTS = 4


def _growth(factor: Array) -> Array:
    """A factor as limbs: the decimal that it prints as, if of few enough digits."""
    if jnp.issubdtype(factor.dtype, jnp.integer):
        return jnp.pad(_limbs(factor, 3), (_PARTS, 0))
    whole = jnp.floor(factor)
    part = factor - whole
    is_single = factor.dtype.itemsize <= 4
    digits, all_digits = (7, 8) if is_single else (15, 16)
    # The digits that the whole part leaves; where they are not all, as many as there are.
    left = digits - 1 - jnp.floor(jnp.log10(jnp.maximum(whole, 1)))
    scale = jnp.round(10.0 ** jnp.maximum(left, 0))
    short = jnp.round(part * scale)
    word = jnp.dtype("uint32" if is_single else "uint64")
    decimal = jnp.where(
        whole + short / scale == factor,
        short.astype(word) * jnp.round(10.0**all_digits / scale).astype(word),
        jnp.minimum(jnp.round(part * 10.0**all_digits), 10.0**all_digits - 1).astype(
            word
        ),
    )
    limbs = _limbs(decimal, all_digits // 4)
    whole = jnp.minimum(whole, 2.0**31 - 128).astype(jnp.uint32)
    return jnp.concatenate([jnp.pad(limbs, (_PARTS - len(limbs), 0)), _limbs(whole, 3)])


def _limbs(x: Array, count: int) -> Array:
    x, limbs = x.astype(f"uint{8 * x.dtype.itemsize}"), []
    for _ in range(count):
        limbs.append(x % _BASE)
        x = x // _BASE
    return jnp.stack(limbs).astype(jnp.uint32)


def _carried(columns: Array) -> Array:
    """Sums as limbs, saturated."""
    limbs, carry = [], jnp.uint32(0)
    for column in columns:
        total = column + carry
        limbs.append(total % _BASE)
        carry = total // _BASE
    return jnp.where(carry > 0, jnp.uint32(_BASE - 1), jnp.stack(limbs))


def _multiplied(length: Array, growth: Array) -> Array:
    """The product, truncated to as many limbs of a fraction, and saturated."""
    n, m = len(length), len(growth)
    columns = jnp.zeros(n + m, jnp.uint32)
    for j in range(m):
        columns += jnp.pad(length * growth[j], (j, m - j))
    # Carried, then cut off below; above must be nothing, or it is too large.
    product = _carried(columns)
    kept, above = product[_PARTS : _PARTS + n], product[_PARTS + n :]
    return jnp.where(jnp.any(above > 0), jnp.uint32(_BASE - 1), kept)


def _first_step(x: Array, fraction: int, step: Array) -> tuple[Array, Array]:
    """The first whole number not below: its lower bits, as many as a step has; roughly."""
    up, whole = jnp.any(x[:fraction] > 0), x[fraction:]
    word = jnp.dtype(f"uint{8 * step.dtype.itemsize}")
    powers = [_BASE**k for k in range(len(whole))]
    low = np.array([p % 2 ** (8 * word.itemsize) for p in powers], word)
    low = jnp.sum(whole.astype(word) * low, dtype=word) + up.astype(word)
    return low, jnp.sum(as_real(whole) * as_real(np.array(powers, np.float64)))


def _is_far(rough: Array, low: Array) -> Array:
    """Whether a number is beyond all steps, and more than its lower bits."""
    return rough > 0.75 * 2.0 ** (8 * low.dtype.itemsize)
