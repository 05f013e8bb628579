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

# Fixed point: little-endian limbs of 16 bits, each in a uint32 so that a product fits.
_INTEGER, _FRACTION = 4, 4


_LIMB = 16


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
        high = np.array([min(e >> bits, 2**bits - 1) for e in edge], unsigned)
        end = jnp.asarray(low)[index + 1], jnp.asarray(high)[index + 1]
        return _span(step, index, starts[index], end)
    find = jax.vmap(_find, in_axes=(0, None, None, None))
    fixed = jax.lax.stop_gradient(jnp.asarray(factor))
    found = find(jnp.ravel(step), jnp.asarray(steps), fixed, limit)
    index, start, *end = (jnp.reshape(x, jnp.shape(step)) for x in found)
    return _span(step, index, start, (end[0], end[1]))


def _span(step: Array, index: Array, start: Array, end: tuple[Array, Array]) -> Span:
    """The span of an integer step; the end has two words, for the last cycle may end
    long after the largest integer.
    """
    low, high = end
    word = 2.0 ** jnp.iinfo(low.dtype).bits

    def until_end(x: Array) -> Array:
        near = jnp.where(x.astype(low.dtype) < low, low - x.astype(low.dtype), 0)
        far = as_real(low) - as_real(x) + as_real(high) * word
        return jnp.where(high == 0, as_real(near), far)

    length, remaining = until_end(start), until_end(step)
    local = jnp.minimum(step, jnp.where(high == 0, as_integer(low), step)) - start
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
    steps = jnp.maximum(steps, 1)
    if jnp.issubdtype(factor.dtype, jnp.integer):
        growth = jnp.concatenate([_limbs(jnp.uint32(0)), _limbs(factor)])
        grows = factor > 1
    else:
        whole = jnp.floor(factor)
        part = ((factor - whole) * 2.0**32).astype(jnp.uint32)
        whole = jnp.minimum(whole, 2.0**31 - 128).astype(jnp.int32)
        growth = jnp.concatenate([_limbs(part), _limbs(whole)])
        grows = factor > 1
    last = (
        jnp.iinfo(step.dtype).max
        if limit is None
        else as_integer(jnp.asarray(limit)) - 1
    )
    zeros = jnp.zeros(_FRACTION, jnp.uint32)
    above = jnp.zeros(_INTEGER - 2, jnp.uint32)
    # Equal cycles need no walk, only a division.
    index = jnp.where(grows, 0, jnp.minimum(step // steps, last))
    begin = jnp.concatenate([zeros, _limbs(index * steps), above])
    length = jnp.concatenate([zeros, _limbs(steps), above])

    def ended(state: tuple[Array, Array, Array]) -> Array:
        index, begin, length = state
        low, high = _ceiling(_add(begin, length))
        return grows & (high == 0) & (low <= step.astype(low.dtype)) & (index < last)

    def advance(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        index, begin, length = state
        return index + 1, _add(begin, length), _multiply(length, growth)

    state = jax.lax.while_loop(ended, advance, (index, begin, length))
    index, begin, length = state
    low, high = _ceiling(_add(begin, length))
    return index, _ceiling(begin)[0].astype(step.dtype), low, high


def _limbs(x: Array) -> Array:
    x = x.astype(jnp.uint32)
    return jnp.stack([x & 0xFFFF, x >> _LIMB])


def _carry(columns: list[Array]) -> list[Array]:
    """Columns of sums below 2^31 as limbs, plus the last carry."""
    limbs, carry = [], jnp.uint32(0)
    for column in columns:
        total = column + carry
        limbs.append(total & 0xFFFF)
        carry = total >> _LIMB
    return [*limbs, carry]


def _saturated(limbs: list[Array], overflow: Array) -> Array:
    return jnp.where(overflow > 0, jnp.uint32(0xFFFF), jnp.stack(limbs))


def _add(a: Array, b: Array) -> Array:
    *limbs, overflow = _carry(list(a + b))
    return _saturated(limbs, overflow)


def _multiply(length: Array, growth: Array) -> Array:
    """The product, truncated to 64 fractional bits and saturated at 2^64."""
    n = len(length) + len(growth)
    columns = [jnp.uint32(0)] * n
    for i in range(len(length)):
        for j in range(len(growth)):
            product = length[i] * growth[j]
            columns[i + j] += product & 0xFFFF
            columns[i + j + 1] += product >> _LIMB
    *limbs, _ = _carry(columns)
    low = len(growth) // 2  # half of the limbs of the growth are its fraction
    kept = limbs[low : low + len(length)]
    return _saturated(kept, sum(limbs[low + len(length) :], jnp.uint32(0)))


def _ceiling(x: Array) -> tuple[Array, Array]:
    """The first whole number not below, as a low and a high word."""
    whole = list(x[_FRACTION:] + 0)
    whole[0] = whole[0] + jnp.any(x[:_FRACTION] > 0).astype(jnp.uint32)
    a, b, c, d, _ = _carry(whole)
    return a + (b << _LIMB), c + (d << _LIMB)
