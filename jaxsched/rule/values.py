"""Hyperparameters as values: when two are the same, and how one is written."""

from collections.abc import Hashable
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from jaxsched.arrays import host_numbers, is_array, is_traced, is_weak


def known(*values: Any) -> bool:
    """Whether all are concrete, so that a check may compare them."""
    return not any(is_traced(value) for value in values)


def plain(value: Any) -> Any:
    """What a weakly typed array stands for: a Python number, or a list of them.

    A Python number that went through a program comes out as such an array. It is still
    the number: it compares, prints and hashes as one.
    """
    if type(value) in (int, float):
        return value
    if isinstance(value, np.generic):  # what NumPy's arithmetic makes of a number
        is_wide = value.dtype in (np.float64, np.int64)
        return value.item() if is_wide else np.asarray(value)
    if hasattr(value, "_plain"):  # a table, which says it itself
        return value._plain()
    if is_weak(value) and not isinstance(value, Tracer):
        return host_numbers(value)
    if isinstance(value, float):  # with a dtype, as some variables of Flax return one
        return float(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    return value


def same(a: Any, b: Any) -> bool:
    """Equality of hyperparameters: same kind, and the same numbers."""
    if a is b:
        return True
    if type(a) is type(b) is float:  # -0.0 equals 0.0, but makes another program
        return a == b and (a != 0.0 or a.hex() == b.hex())
    if isinstance(a, Tracer) or isinstance(b, Tracer):
        return False
    a, b = plain(a), plain(b)
    if is_array(a) and is_array(b):
        return a.dtype == b.dtype and _equal(*jax.device_get((a, b)))
    if isinstance(a, (tuple, list)) and isinstance(b, (tuple, list)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return a.hex() == b.hex()
    return type(a) is type(b) and bool(a == b)


def _equal(a: Any, b: Any) -> bool:
    return np.array_equal(a, b) and np.array_equal(np.signbit(a), np.signbit(b))


def hashable(value: Any) -> Hashable:
    """What a hyperparameter is hashed by: equal ones alike.

    Arrays are compared by their numbers but hashed by their kind: hashing must not wait
    for a device, and `jax.jit(schedule)` hashes the schedule.
    """
    if isinstance(value, Tracer):
        return id(value)
    value = plain(value)
    if is_array(value):
        return value.shape, str(value.dtype)
    if isinstance(value, (tuple, list)):
        return tuple(map(hashable, value))
    return value


def written(value: Any) -> str:
    """The text of a hyperparameter, as `parse` reads it where it can be read."""
    if isinstance(value, Tracer):
        return f"<traced {value.dtype.name}{list(value.shape)}>"
    value = plain(value)
    if is_array(value):
        return f"array({host_numbers(value)}, dtype={value.dtype.name!r})"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(written, value))}]"
    return repr(value)
