"""What counts as a number or an array, and how JAX's kinds of numbers are made.

Also steps as every rule sees them: not below 0, integers as the default integer.
"""

from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer

try:
    enable_x64 = jax.enable_x64
except AttributeError:  # JAX before 0.8
    from jax.experimental import enable_x64  # type: ignore[no-redef]

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
_INTEGERS = (np.dtype(np.int32), np.dtype(np.int64))

# A later step is that step: Python's integers have no end, but floats have one.
_LATEST = 10**30

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


def array_of_variable(x: Any) -> Any:
    """The array of a variable: what is one to JAX, as those of Keras and Flax; or `x`."""
    is_variable = hasattr(type(x), "__jax_array__") and not is_array(x)
    return x.__jax_array__() if is_variable else x


def is_weak(x: Any) -> bool:
    """Whether an array leaves the dtype of a result open, as a Python number does."""
    return getattr(x, "weak_type", False)


def is_whole(x: Any) -> bool:
    """Whether a number or array is of an integer kind."""
    if isinstance(x, int):
        return True
    is_known = is_array(x) or isinstance(x, np.generic)
    return is_known and jnp.issubdtype(jnp.result_type(x), jnp.integer)


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


def largest_integer() -> int:
    """The largest number that JAX counts to."""
    return int(np.iinfo(default_integer()).max)


def fitted(x: Any) -> Any:
    """Integers that JAX does not count to as floats, where they are known on the host."""
    if type(x) is int:
        return x if x <= largest_integer() else float(x)
    if isinstance(x, np.ndarray) and x.dtype.kind in "iu" and x.size:
        return x if x.max() <= largest_integer() else x.astype(np.float64)
    return x


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
    """An integer array in the default integer, saturating instead of wrapping.

    What is negative in an array of more bits becomes 0.
    """
    default = default_integer()
    if not is_wide(x):
        return x.astype(default)
    small = jnp.where(is_beyond(x), largest_integer(), _low(x).astype(default))
    return jnp.where(as_real(x) < 0, 0, small)


def is_wide(x: Array) -> bool:
    """Whether an array of integers may hold some that JAX does not count to.

    They are uint32 with 32-bit integers, and those of 64 bits that were made while x64
    was on, or that Keras makes.
    """
    is_integer = jnp.issubdtype(x.dtype, jnp.integer)
    return is_integer and int(jnp.iinfo(x.dtype).max) > largest_integer()


def is_long(value: Any) -> bool:
    """Whether integers of JAX have more bits than it counts with: they may not fit."""
    if not (isinstance(value, jax.Array) and is_whole(value)):
        return False
    return value.dtype.itemsize > default_integer().itemsize


def is_beyond(x: Array) -> Array:
    """Which entries of a wide array JAX does not count to.

    Without x64 the constants of a program have 32 bits. So a float tells roughly, and
    where there is doubt the lower bits do.
    """
    rough, low = as_real(x), _low(x)
    surely = rough > 1.5 * largest_integer()
    return surely | ((rough >= 0) & (low > jnp.asarray(largest_integer(), low.dtype)))


def _low(x: Array) -> Array:
    """The lower bits of a wide array, as many as the default integer has."""
    return x.astype(f"u{default_integer()}")


def as_real(x: Numeric) -> Array:
    """A number as the default float, weakly typed: it never decides a result's dtype.

    A count is only ever a count: whatever its dtype, the values of a schedule must
    decide whether the result is float32 or bfloat16, as a Python float would let them.
    """
    default = default_float()
    if not isinstance(x, jax.Array):  # to which `jnp.asarray` may leave 32 bits
        x = jnp.asarray(x)
    if _converted is None:
        return x.astype(default)
    return jnp.asarray(_converted(x, default, weak_type=True))


def as_step(step: Numeric) -> Array:
    """A step as every rule sees it: not below 0, in the default integer or a float.

    Integers stay integers: signed or unsigned, narrow or wide, they become the default
    integer. Those that do not fit there must have become floats before.

    Raises:
      TypeError: It is not a real number or an array of them; a predicate of an argument.

    >>> as_step(-5), as_step(3_000_000_000)
    (Array(0, dtype=int32), Array(3.e+09, dtype=float32, weak_type=True))
    """
    x = jnp.asarray(host_step(step))
    if jnp.issubdtype(x.dtype, jnp.integer):
        return jnp.maximum(as_integer(x), 0)
    x = as_real(x)
    x = jnp.where(x < 0, 0.0, x)  # at 0 with the gradient of what follows
    return jnp.minimum(x, float(jnp.finfo(x.dtype).max))  # no end is infinitely late


def host_step(step: Any) -> Any:
    """A concrete step that JAX converts without overflow or wrapping; others as given.

    An integer that JAX does not count to becomes a float; many with some of that kind
    among them become an array of JAX with all their bits.

    Raises:
      TypeError: It is not a real number or an array of them.
    """
    kind = type(step)
    if kind is int:
        return step if 0 <= step <= 2**31 - 1 else _host_integer(step)
    if kind is float:
        return step
    step = array_of_variable(step)
    if isinstance(step, (jax.Array, np.ndarray, np.generic)) and is_real(step.dtype):
        is_host = not isinstance(step, jax.Array)
        is_integer = jnp.issubdtype(step.dtype, jnp.integer)
        return _host_integer(step) if is_host and is_integer else step
    if isinstance(step, (int, float)) and not isinstance(step, bool):
        # Out of a variable, or with a dtype of its own.
        return host_step(int(step) if isinstance(step, int) else float(step))
    raise TypeError("must be a real number or an array of them")


def _host_integer(step: Any) -> Any:
    if np.ndim(step) == 0:  # one program for counts of every kind
        return fitted(min(max(int(step), 0), _LATEST))
    steps = np.minimum(np.maximum(step, 0).astype(np.uint64), np.uint64(2**63 - 1))
    if not steps.size or steps.max() <= largest_integer():
        return steps.astype(default_integer())
    with enable_x64(True):
        return jnp.asarray(steps.astype(np.int64))


def strong(x: Numeric | bool | np.bool) -> Array:
    """A number as a state keeps it: of a dtype of its own, which no update changes."""
    dtype = np.dtype(jnp.result_type(x))
    # What comes from the host is put there explicitly, as a transfer guard asks.
    return jnp.asarray(x if isinstance(x, jax.Array) else _put(x, dtype), dtype)


def _put(x: Any, dtype: np.dtype) -> Array:
    return jax.device_put(np.array(x, dtype))


def as_leaf(x: Any, new: Array) -> Array:
    """A leaf of a state as an array, also where somebody put a Python number.

    An array keeps its dtype; what is of another kind than the leaf of a new state takes
    that of the new one.
    """
    kinds = jnp.floating, jnp.integer, jnp.bool_
    given = [jnp.issubdtype(jnp.result_type(x), kind) for kind in kinds]
    wanted = [jnp.issubdtype(new.dtype, kind) for kind in kinds]
    if given == wanted and is_array(x):
        return strong(x)
    return jnp.asarray(x if isinstance(x, jax.Array) else _put(x, new.dtype), new.dtype)


def as_before(before: Any, after: Any) -> Any:
    """A tree with the dtypes that another one had, so that a loop can carry it."""
    return jax.tree.map(lambda a, b: jnp.asarray(b).astype(a.dtype), before, after)
