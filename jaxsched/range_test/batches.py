"""The batches of a sweep, along the first axis of one pytree of arrays."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsched.arrays import is_traced

NUMBERS = (bool, int, float, complex, np.generic, np.ndarray, jax.Array)


def stacked(function: str, batches: Any, most: int) -> tuple[Any, int]:
    """A pytree whose leaves number the batches along their first axis, and how many.

    A list, an iterator or a loader holds one batch after another; at most `most` are
    taken. Any other pytree is already stacked.
    """
    if _is_loader(batches):
        batches = _stack(function, list(islice(batches, most)))
    leaves = jax.tree_util.tree_leaves_with_path(batches)
    for path, leaf in leaves:
        _check_leaf(function, path, leaf)
        if np.ndim(leaf) == 0:
            raise ValueError(
                f"{function}: batches must lie along the first axis of each "
                f"array, got a scalar{at(path)}"
            )
    sizes = {len(leaf): path for path, leaf in leaves}
    if not sizes or 0 in sizes:
        raise ValueError(f"{function}: batches must hold at least one batch, got none")
    if len(sizes) > 1:
        got = " and ".join(f"{size}{at(path)}" for size, path in sizes.items())
        raise ValueError(
            f"{function}: batches must hold the same number of batches in each array, "
            f"got {got}"
        )
    return batches, next(iter(sizes))


def is_number(leaf: Any) -> bool:
    """Whether JAX takes a leaf as an array."""
    if not isinstance(leaf, NUMBERS):
        return False
    return isinstance(leaf, jax.Array) or _is_numeric(np.asarray(leaf))


def at(path: Any) -> str:
    """Where a leaf is, for an error; nothing if it is the whole tree."""
    return f" at {jax.tree_util.keystr(path)}" if path else ""


def _check_leaf(function: str, path: Any, leaf: Any, array: Any = None) -> None:
    if not is_number(leaf if array is None else array):
        raise TypeError(
            f"{function}: batches must be a list or a loader of batches, or a pytree of "
            f"arrays, got {type(leaf).__name__}{at(path)}"
        )


def _is_numeric(array: np.ndarray) -> bool:
    return jnp.issubdtype(array.dtype, jnp.number) or array.dtype == bool


def _is_loader(batches: Any) -> bool:
    """Whether it gives one batch after another, and is none of JAX's trees."""
    if isinstance(batches, (list, Iterator)):
        return True
    if isinstance(batches, NUMBERS) or not isinstance(batches, Iterable):
        return False
    return jax.tree_util.all_leaves([batches])


def _stack(function: str, batches: list[Any]) -> Any:
    if not batches:
        raise ValueError(f"{function}: batches must hold at least one batch, got none")
    first, structure = jax.tree_util.tree_flatten_with_path(batches[0])
    paths = [path for path, _ in first]
    rows = []
    for i, batch in enumerate(batches):
        leaves, other = jax.tree.flatten(batch)
        if other != structure:
            raise ValueError(
                f"{function}: batches must all have the same structure, got {other} as "
                f"batch {i} and {structure} as batch 0"
            )
        row = [_array(leaf) for leaf in leaves]
        for path, array, leaf in zip(paths, row, leaves, strict=True):
            _check_leaf(function, path, leaf, array)
        for path, one, leaf in zip(paths, row, rows[0] if rows else row, strict=True):
            if (one.shape, one.dtype) != (leaf.shape, leaf.dtype):
                hint = "; drop a last, smaller batch" if one.shape != leaf.shape else ""
                raise ValueError(
                    f"{function}: batches must all have the same shapes and dtypes, got "
                    f"{kind(one)} as batch {i} and {kind(leaf)} as batch 0{at(path)}{hint}"
                )
        rows.append(row)
    columns = zip(*rows, strict=True)
    return jax.tree.unflatten(structure, [_stack_leaves(column) for column in columns])


def _array(leaf: Any) -> Any:
    """As an array of NumPy where it can hold it: no random keys, nothing traced."""
    if isinstance(leaf, jax.Array):
        is_key = jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        return leaf if is_key or is_traced(leaf) else np.asarray(leaf)
    return np.asarray(leaf)


def _stack_leaves(leaves: tuple[Any, ...]) -> Any:
    # On the host: JAX would compile a program for so many arguments.
    return (jnp if isinstance(leaves[0], jax.Array) else np).stack(leaves)


def kind(array: Any) -> str:
    """The dtype and shape of an array, as JAX writes them."""
    return f"{array.dtype}[{','.join(map(str, array.shape))}]"
