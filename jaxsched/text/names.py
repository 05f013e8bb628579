"""Which names text and data may use, and what bounds them."""

import difflib
import itertools
from collections.abc import Callable, Iterable
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxsched.metric_driven.machine import metric_driven_schedules
from jaxsched.rule import short
from jaxsched.schedule import schedules
from jaxsched.shapes import shapes

# Enough for a table of 100,000 knots; beyond, a text would cost minutes or gigabytes.
MAX_CHARACTERS = 4_000_000


MAX_ENTRIES = 500_000


MAX_CALLS = 10_000


MAX_DEPTH = 100


MAX_WORD = 400  # characters in one number or name


def array(values: Any, dtype: str) -> np.ndarray:
    """An array as a hyperparameter, the way `repr` writes one.

    Args:
      values: A number or nested lists of numbers, finite.
      dtype: The name of a real dtype, such as "float32" or "bfloat16".

    Returns:
      A NumPy array, so that it keeps its dtype whatever JAX is set to.

    Raises:
      TypeError: `values` are not numbers, or `dtype` is not the name of a real dtype.
      ValueError: `values` are not rectangular, or not finite numbers of that dtype.

    >>> import jaxsched as js
    >>> js.constant(js.array(0.5, "float32"))
    constant(value=array(0.5, dtype='float32'))
    """
    kind = _DTYPES.get(dtype) if isinstance(dtype, str) else None
    if kind is None:
        names = ", ".join(_DTYPES)
        raise TypeError(
            f"array: dtype must be one of {names}, got dtype={short(dtype)}"
        )
    got = f"got values={short(values)}"
    try:
        given = np.array(values)
    except (ValueError, OverflowError):
        raise ValueError(f"array: values must be rectangular, {got}") from None
    if given.dtype == object and all(type(v) in (int, float) for v in given.flat):
        raise ValueError(f"array: values must be finite numbers of {dtype}, {got}")
    if given.size and given.dtype.kind not in "iuf":
        raise TypeError(f"array: values must be numbers, {got}")
    with np.errstate(all="ignore"):
        made = given.astype(kind)
        if not np.all(np.isfinite(made.astype(np.float64))):
            raise ValueError(f"array: values must be finite numbers of {dtype}, {got}")
        whole = jnp.issubdtype(kind, jnp.integer)
        if whole and not np.array_equal(
            made.astype(np.float64), given.astype(np.float64)
        ):
            raise ValueError(f"array: values must be whole numbers of {dtype}, {got}")
    return made


_DTYPES = {
    np.dtype(kind).name: np.dtype(kind)
    for kind in (
        *(jnp.float32, jnp.bfloat16, jnp.float16, jnp.float64),
        *(jnp.int8, jnp.int16, jnp.int32, jnp.int64),
        *(jnp.uint8, jnp.uint16, jnp.uint32, jnp.uint64),
    )
}


# The schedule `linear` comes before the shape, which is written as text.
_REGISTRIES = (schedules, metric_driven_schedules, shapes)


def find(name: str) -> Callable[..., Any] | None:
    """The constructor of a schedule, recipe or shape, or `array`."""
    for registry in _REGISTRIES:
        rule = registry.get(name)
        if rule is not None:
            return rule.constructor
    return array if name == "array" else None


def registered() -> list[str]:
    """The names of all schedules, recipes and shapes."""
    return list(dict.fromkeys(itertools.chain(*_REGISTRIES)))


def unknown(name: str) -> str:
    """What to say of a name that is not registered."""
    name = name[:40]
    near = difflib.get_close_matches(name, registered(), n=3, cutoff=0.5)
    hint = f"; the nearest are {', '.join(near)}" if near else ""
    return f"there is no schedule {name!r}{hint}"


def argument_in(message: str, name: str, given: Iterable[str]) -> str | None:
    """The argument of `name` that an error of its constructor speaks of."""
    for argument in given:
        starts = (f"{name}: {argument} ", f"{name}: unknown argument {argument!r}")
        if message.startswith(starts):
            return argument
    return None
