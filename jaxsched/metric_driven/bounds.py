"""A rate that a machine raises and lowers, within bounds that bind the changes."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from jaxsched.arrays import Numeric, as_real
from jaxsched.numerics import at_least, at_most, safely

_LARGEST = 1e30  # so that a rate of nearly 0 times it is a number


class Moved(NamedTuple):
    """A multiplier after a rise or a fall, and the least that it may be."""

    multiplier: Array
    least: Array


def moved(
    multiplier: Numeric,
    rises: Array,
    falls: Array,
    up: Numeric,
    down: Numeric,
    base: Array,
    min_value: Numeric,
    max_value: Numeric,
) -> Moved:
    """The multiplier times `up` after a rise, times `down` after a fall.

    The rate, multiplier times base, stops at its bounds. Where the base itself is outside
    of them, the multiplier goes no further, and never back.
    """
    positive = base > 0
    base = safely(positive, base)
    least = jnp.where(positive, min_value / base, 0.0)
    most = jnp.where(positive, max_value / base, multiplier)
    most = jnp.minimum(most, _LARGEST)
    raised = jnp.maximum(jnp.minimum(multiplier * up, most), multiplier)
    lowered = jnp.minimum(jnp.maximum(multiplier * down, least), multiplier)
    after = jnp.where(rises, raised, jnp.where(falls, lowered, multiplier))
    return Moved(after, least)


def at_floor(multiplier: Array, least: Array) -> Array:
    """Whether the rate has been brought to its floor, up to the rounding of a change.

    A rise and a fall from there lead back to it, but for a digit. A base that is itself
    below the floor has not been brought there.
    """
    rounded = least * (1 + 4 * jnp.finfo(least.dtype).eps)
    return (multiplier <= rounded) & (least < 1)


def inverse(factor: Numeric) -> Array:
    """One over a factor: a division by a known number is compiled as something else."""
    return 1 / as_real(factor)


def bounded(
    base: Array, multiplier: Numeric, min_value: Numeric, max_value: Numeric
) -> Array:
    """The rate within its bounds, and within the base where that is outside of them."""
    low, high = at_most(base, min_value), at_least(base, max_value)
    return at_most(at_least(base * as_real(multiplier), low), high)
