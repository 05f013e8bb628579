"""Several schedules of one structure as one: each hyperparameter with a leading axis."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer
from jax.sharding import NamedSharding, PartitionSpec

from jaxsched.arrays import host_numbers, is_array, is_weak
from jaxsched.domains.tables import Numbers
from jaxsched.rule import Bound, known, same, short

B = TypeVar("B", bound=Bound)


def stack(schedules: Sequence[B]) -> B:
    """Several schedules of one structure as one pytree with a leading axis.

    What comes out is a stacked schedule: `jax.vmap` maps a training run over it,
    `evaluate` computes its curves, `unstack` gives the schedules back. It cannot be
    called itself. Stacked schedules can be stacked again, for one more leading axis.

    Args:
      schedules: n schedules, at least 1, made by the same constructors with the same
        static arguments (shapes, flags): they differ in numbers only. The numbers in one
        place are all integers or all floats. Metric-driven schedules and shapes are
        stacked alike. Several kinds become one with `choose`.

    Returns:
      One of the same structure, whose every hyperparameter has a leading axis of length
      n. Numbers become NumPy arrays, which keep all their digits; arrays of JAX stay so.
      Mapped over, they are arrays of the default float: unlike a Python number they
      decide the dtype of what they are multiplied with. Optax's optimizers and
      `scale_by_learning_rate` keep the dtype of the weights all the same; an update of
      your own in fewer bits casts the rate: `rate.astype(weights.dtype)`.

    Raises:
      ValueError: There is none, or two differ in structure; the message says where.
      TypeError: An entry is not a schedule.

    >>> import jax, jaxsched as js
    >>> stacked = js.stack([js.linear(peak, 0.0, steps=10) for peak in (1.0, 2.0)])
    >>> jax.vmap(lambda schedule: schedule(5))(stacked)
    Array([0.5, 1. ], dtype=float32)
    >>> js.stack([js.linear(1.0, 0.0, 10), js.cosine(1.0, 0.0, 10)])
    Traceback (most recent call last):
    ValueError: stack: schedules 0 and 1 differ: one is linear, the other is cosine; for
      several kinds in one sweep use js.choose(index, schedules)
    """
    if not isinstance(schedules, (list, tuple)):
        got = f"got schedules={short(schedules)}"
        raise TypeError(f"stack: schedules must be a list of schedules, {got}")
    return stacked("stack", schedules, lambda i: f"{i}")


def stacked(function: str, entries: Sequence[B], label: Callable[[int], str]) -> B:
    """`stack` on behalf of a function whose errors call entry i `label(i)`."""
    if not entries:
        raise ValueError(f"{function}: schedules must hold at least one schedule")
    for i, entry in enumerate(entries):
        if not isinstance(entry, Bound):
            raise TypeError(
                f"{function}: schedules entry {label(i)} must be a schedule, "
                f"got {short(entry)}"
            )
        for path, one, other, way_out in differences(entries[0], entry):
            where = f" at {path}" if path else ""
            raise ValueError(
                f"{function}: schedules {label(0)} and {label(i)} differ{where}: "
                f"one is {one}, the other is {other}{way_out}"
            )
    if not jax.tree.leaves(entries[0]):
        raise ValueError(
            f"{function}: schedules must hold numbers, got {short(entries[0])}"
        )
    return jax.tree.map(lambda *leaves: stacked_leaf(leaves), *entries)


def unstack(stacked: B) -> list[B]:
    """The schedules in a stacked schedule, in order.

    Args:
      stacked: A stacked schedule: from `stack`, that of a `Grid`, or what `jax.vmap`
        returns.

    Returns:
      A list of n schedules, n the length of the leading axis. Numbers that `stack` made
      arrays of NumPy become Python numbers again: `unstack(stack(s)) == s`, unless `s`
      holds 0-dimensional NumPy arrays of 64 bits, which become Python numbers too.

    Raises:
      ValueError: `stacked` is a single schedule, or not all of it is stacked.
      TypeError: `stacked` is not a schedule.

    >>> import jaxsched as js
    >>> grid = js.grid(js.cosine, 0.1, 0.0, steps=[10, 20])
    >>> for schedule in js.unstack(grid.schedules):
    ...     print(schedule)
    cosine(init_value=0.1, end_value=0.0, steps=10)
    cosine(init_value=0.1, end_value=0.0, steps=20)
    """
    axes = leading_axes("unstack", stacked)
    if not axes:
        raise ValueError(
            f"unstack: stacked must be a stacked schedule, got {short(stacked)}"
        )
    return [_entries(stacked, i) for i in range(axes[0])]


def entries(stacked: B, index: Any) -> B:
    """Those of the schedules in a stacked schedule that `index` selects: `stacked[index]`.

    Args:
      stacked: A stacked schedule.
      index: A whole number, for one of them; a slice, a boolean mask or an array of whole
        numbers, for a stacked schedule of some.

    Raises:
      TypeError: It is a single schedule, which has no entries.
      IndexError: There is no such entry.
    """
    name = stacked._rule.name
    axes = leading_axes(name, stacked)
    if not axes:
        raise TypeError(
            f"{name}: a single schedule has no entries, got index {short(index)}; its "
            "value at a step is schedule(step) or schedule.at(step)"
        )
    return _entries(stacked, _checked_index(name, index, axes[0]))


def _checked_index(name: str, index: Any, n: int) -> Any:
    """An index of n schedules; arrays of JAX would take the nearest one there is."""
    if isinstance(index, (slice, Tracer)):
        return index
    host = np.asarray(jax.device_get(index))
    is_mask = host.dtype == bool and host.shape == (n,)
    if not is_mask and (host.dtype.kind not in "iu" or host.ndim > 1):
        raise TypeError(
            f"{name}: index must be a whole number, a slice, whole numbers or a mask of "
            f"length {n}, got {short(index)}"
        )
    if not is_mask and np.any((host < -n) | (host >= n)):
        raise IndexError(
            f"{name}: index must be from {-n} to {n - 1}, got {short(index)}"
        )
    return host if host.ndim else host.item()


def _entries(stacked: B, index: Any) -> B:
    return jax.tree.map(lambda leaf: _entry(leaf, index), stacked)


def _entry(leaf: Any, index: Any) -> Any:
    """Part of a stacked leaf; a Python number where `stack` can have had one."""
    if (
        isinstance(leaf, jax.Array)
        and known((leaf, index))
        and leaf.is_fully_addressable
    ):
        return _placed_entry(leaf, index)
    entry = leaf[index]
    if isinstance(entry, np.ndarray):
        entry.flags.writeable = False
    if not isinstance(entry, np.generic):
        return entry
    return entry.item() if entry.dtype in (np.int64, np.float64) else np.asarray(entry)


def _placed_entry(leaf: Array, index: Any) -> Any:
    """Part of a leaf on devices, taken on the host: without a program for each index.

    It goes back to where it was, to all devices if it was spread among several.
    """
    host = np.asarray(jax.device_get(leaf))[index]
    if is_weak(leaf):
        return host_numbers(host) if host.ndim == 0 else leaf[index]
    placed = leaf.sharding
    if isinstance(placed, NamedSharding):
        placed = NamedSharding(placed.mesh, PartitionSpec())
    elif len(placed.device_set) > 1 or not getattr(leaf, "committed", False):
        placed = None
    return jax.device_put(host, placed)


def stacked_leaf(leaves: Sequence[Any]) -> Any:
    """The leaves of several schedules as one array, on the host where they are there."""
    if any(isinstance(leaf, jax.Array) for leaf in leaves):
        return jnp.stack(leaves)
    table = np.stack([np.asarray(leaf) for leaf in leaves])
    table.flags.writeable = False
    return table


def leading_axes(function: str, schedule: Any) -> tuple[int, ...]:
    """The shape that stacking gave every hyperparameter: () for a single schedule."""
    if not isinstance(schedule, Bound):
        got = f"got {short(schedule)}"
        raise TypeError(f"{function}: stacked must be a stacked schedule, {got}")
    found = list(_axes("", schedule))
    for path, axes in found:
        if axes != found[0][1]:
            raise ValueError(
                f"{function}: all hyperparameters must be stacked alike, got "
                f"leading axes {found[0][1]} at {found[0][0]} and {axes} at {path}"
            )
    return found[0][1] if found else ()


def _axes(path: str, node: Any, ndim: int = 0) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Each leaf's path and the axes it has beyond the `ndim` that its domain gives it."""
    if isinstance(node, (Bound, tuple)):
        for name, child, domain in _children(node):
            if domain is None or not domain.static:
                own = 0 if domain is None else domain.ndim
                yield from _axes(_joined(path, name), child, own)
    elif isinstance(node, Numbers):
        yield from _axes(path, node.array, 1)
    elif node is not None and jax.tree.leaves(node):
        shape = np.shape(node)
        yield path, shape[: len(shape) - ndim]


def differences(
    one: Any, other: Any, path: str = "", way_out: str = ""
) -> Iterator[tuple[str, str, str, str]]:
    """Where two schedules are not of one structure, what each is there, and what helps."""
    if isinstance(one, Bound) and isinstance(other, Bound):
        if one._one_kind:
            way_out = f"; for several kinds in one sweep use {one._one_kind}"
        if one._rule != other._rule:
            yield path, one._rule.name, other._rule.name, way_out
            return
        for name, child, domain in _children(one):
            twin, below = other._values[name], _joined(path, name)
            if not domain.static:
                yield from differences(child, twin, below, way_out)
            elif not same(child, twin):
                yield below, short(child), short(twin), way_out
    elif isinstance(one, tuple) and isinstance(other, tuple):
        if len(one) != len(other):
            yield path, f"{len(one)} long", f"{len(other)} long", way_out
            return
        for i, pair in enumerate(zip(one, other, strict=True)):
            yield from differences(*pair, _joined(path, i), way_out)
    elif kind(one) != kind(other):
        if isinstance(one, (int, float)) and isinstance(other, (int, float)):
            way_out = "; write both as integers or both as floats"
        yield path, kind(one), kind(other), way_out


def _children(node: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Name, value and domain of what a schedule or a list of schedules holds."""
    if isinstance(node, tuple):
        yield from ((i, child, None) for i, child in enumerate(node))
        return
    domains = node._rule.domains
    yield from ((name, v, domains[name]) for name, v in node._values.items())


def _joined(path: str, name: str | int) -> str:
    if isinstance(name, int):
        return f"{path}[{name}]"
    return f"{path}.{name}" if path else name


def kind(value: Any) -> str:
    """What stacked numbers must agree in, in words."""
    if isinstance(value, int):
        return "an integer"
    if isinstance(value, float):
        return "a float"
    if isinstance(value, Numbers):
        if isinstance(value.array, np.ndarray):
            entries = "integers" if value.array.dtype.kind == "i" else "floats"
            return f"a table of {len(value)} {entries}"
        return kind(value.array)
    if is_array(value):
        weak = ", weakly typed" if is_weak(value) else ""
        return f"an array of {value.dtype.name}{list(value.shape)}{weak}"
    return short(value)
