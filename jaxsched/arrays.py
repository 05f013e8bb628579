"""What counts as a number or an array, and how JAX's kinds of numbers are made.

Also steps as every rule sees them: not below 0, integers as the default integer.
"""

from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
_INTEGERS = (np.dtype(np.int32), np.dtype(np.int64))

# What may be given for a number: no booleans, no complex numbers.
Numeric: TypeAlias = int | float | Array | np.ndarray | np.integer | np.floating

try:  # JAX gives no public way to make a weakly typed array of a strong one
    from jax._src.lax.lax import _convert_element_type as _converted
except (
    ImportError
):  # then a count decides the dtype of a result, which is all that is lost
    _converted = None


def is_real(dtype: Any) -> bool:
    """Whether JAX computes with the dtype as with real numbers."""
    kinds = (jnp.integer, jnp.floating)
    if not any(jnp.issubdtype(dtype, kind) for kind in kinds):
        return False
    # NumPy counts time deltas as integers, and JAX has no extended floats.
    return np.dtype(dtype).kind != "m" and np.dtype(dtype) != np.longdouble


def is_array(x: Any) -> bool:
    """Whether `x` is an array of JAX or NumPy, traced ones included."""
    return isinstance(x, (jax.Array, np.ndarray))


def is_weak(x: Any) -> bool:
    """Whether an array leaves the dtype of a result open, as a Python number does."""
    return getattr(x, "weak_type", False)


def is_whole(x: Any) -> bool:
    """Whether a number or array is of an integer kind."""
    return isinstance(x, int) or (
        is_array(x) and jnp.issubdtype(jnp.result_type(x), jnp.integer)
    )


def is_traced(value: Any) -> bool:
    """Whether any leaf of `value` is still unknown: inside jit, vmap or grad."""
    if isinstance(value, (int, float)):
        return False
    return any(isinstance(x, Tracer) for x in jax.tree.leaves(value))


def default_float() -> np.dtype:
    """The float that JAX computes with: float32, or float64 under x64."""
    return _FLOATS[jax.config.jax_enable_x64]  # type: ignore[attr-defined]


def default_integer() -> np.dtype:
    """The integer that JAX counts with: int32, or int64 under x64."""
    return _INTEGERS[jax.config.jax_enable_x64]  # type: ignore[attr-defined]


def host_numbers(array: Any) -> Any:
    """A concrete array as Python numbers, as short as its dtype allows.

    A float32 becomes the shortest decimal number that reads back as it: what was 0.1
    before a program made a float32 of it is 0.1 again.
    """
    host = np.asarray(jax.device_get(array))
    if host.dtype in (np.float16, np.float32):
        return host.astype("U").astype(np.float64).tolist()
    return host.tolist()


def as_integer(x: Array) -> Array:
    """An integer array in the default integer, saturating instead of wrapping."""
    widest = default_integer()
    if jnp.issubdtype(x.dtype, jnp.unsignedinteger):
        largest = min(int(jnp.iinfo(widest).max), int(jnp.iinfo(x.dtype).max))
        x = jnp.minimum(x, jnp.asarray(largest, x.dtype))
    return x.astype(widest)


def as_real(x: Numeric) -> Array:
    """A number as the default float, weakly typed: it never decides a result's dtype.

    A count is only ever a count: whatever its dtype, the values of a schedule must
    decide whether the result is float32 or bfloat16, as a Python float would let them.
    """
    x, default = jnp.asarray(x), default_float()
    if _converted is None:
        return x.astype(default)
    return jnp.asarray(_converted(x, default, weak_type=True))


def as_step(step: Numeric) -> Array:
    """A step as every rule sees it: not below 0, in the default integer or a float.

    Integers stay integers: signed or unsigned, narrow or wide, they become the default
    integer, and what does not fit there becomes its largest value instead of wrapping.

    Raises:
      TypeError: It is not a real number or an array of them; a predicate of an argument.

    >>> as_step(-5), as_step(np.uint32(2**32 - 1))
    (Array(0, dtype=int32), Array(2147483647, dtype=int32))
    """
    x = jnp.asarray(host_step(step))
    if jnp.issubdtype(x.dtype, jnp.integer):
        return jnp.maximum(as_integer(x), 0)
    x = as_real(x)
    return jnp.where(x < 0, 0.0, x)  # at 0 with the gradient of what follows


def host_step(step: Any) -> Any:
    """A concrete step that JAX converts without overflow or wrapping; others as given.

    Raises:
      TypeError: It is not a real number or an array of them.
    """
    kind = type(step)
    if kind is int:
        return step if 0 <= step <= 2**31 - 1 else _saturated(step)
    if kind is float:
        return step
    if isinstance(step, (jax.Array, np.ndarray, np.generic)) and is_real(step.dtype):
        is_host = not isinstance(step, jax.Array)
        saturate = is_host and jnp.issubdtype(step.dtype, jnp.integer)
        return _saturated(step) if saturate else step
    raise TypeError("must be a real number or an array of them")


def _saturated(step: Any) -> Any:
    default = default_integer()
    largest = int(np.iinfo(default).max)
    if np.ndim(step) == 0:  # one program for counts of every kind
        return min(max(int(step), 0), largest)
    low = np.maximum(step, 0).astype(np.uint64)
    return np.minimum(low, np.uint64(largest)).astype(default)
