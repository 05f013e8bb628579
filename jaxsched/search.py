"""Which part of a table a step lies in: a constant cost where the table is known."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxsched.arrays import Numeric, is_traced
from jaxsched.progress import together

# More than that in one bucket, and a binary search of the whole table costs no more.
_MOST_ROUNDS = 5


def passed(boundaries: Any, step: Numeric) -> Array:
    """How many boundaries are not after the step.

    Args:
      boundaries: Rising, >= 0: integers or floats, known or traced.
      step: Any shape, not below 0.

    >>> passed(np.array([2, 5, 9]), np.array([0, 2, 8, 9, 99]))
    Array([0, 1, 2, 3, 3], dtype=int32)
    """
    edges, now = together(boundaries, step)
    known = len(edges) > 0 and not is_traced(boundaries)
    if known and jnp.issubdtype(edges.dtype, jnp.integer):
        buckets = _buckets(np.asarray(boundaries, edges.dtype))
        if buckets.most.bit_length() <= _MOST_ROUNDS:
            return _search(buckets, now)
    return jnp.searchsorted(edges, now, side="right")


class _Buckets(NamedTuple):
    """Boundaries sorted into buckets of equal width, about as many as boundaries."""

    edges: np.ndarray
    width: int  # as a power of 2
    starts: np.ndarray  # how many boundaries lie before each bucket
    most: int  # the largest number of boundaries in a bucket


def _buckets(edges: np.ndarray) -> _Buckets:
    last = int(edges[-1])
    width = max(0, last.bit_length() - len(edges).bit_length())
    begins = np.arange((last >> width) + 1, dtype=edges.dtype) << width
    starts = np.searchsorted(edges, begins, side="left")
    most = int(np.diff(starts, append=len(edges)).max())
    return _Buckets(edges, width, starts.astype(np.int32), most)


def _search(buckets: _Buckets, step: Array) -> Array:
    """A binary search, unrolled, in the one bucket that the step lies in."""
    edges, width, starts, most = buckets
    rounds = most.bit_length()
    beyond = np.full(2**rounds, np.iinfo(edges.dtype).max, edges.dtype)
    table = jnp.asarray(np.append(edges, beyond))
    bucket = jnp.minimum(step, edges[-1])
    found = _entry(jnp.asarray(starts), bucket >> width if width else bucket)
    for half in (2**k for k in reversed(range(rounds))):
        is_passed = _entry(table, found + (half - 1) if half > 1 else found) <= step
        found = found + is_passed.astype(found.dtype) * half
    # Nothing is beyond the largest integer, but it is not beyond itself.
    return jnp.minimum(found, len(edges)).astype(np.int32)


def _entry(table: Array, index: Array) -> Array:
    # An unsigned index is not looked at for what counts from the end.
    return table.at[index.astype(np.uint32)].get(mode="promise_in_bounds")
