"""States of schedules, found anywhere inside the state of an optimizer."""

import copy
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple, NoReturn

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.tree_util import keystr

from jaxsched.arrays import is_array, is_traced, is_whole, strong


class Found(NamedTuple):
    """A state of a schedule and where it is."""

    path: tuple[Any, ...]
    node: Any

    @property
    def labels(self) -> tuple[Any, ...]:
        """The labels of `optax.partition` on the way to it."""
        names = [_name(key) for key in self.path]
        return tuple(b for a, b in pairwise(names) if a == "inner_states")


def find(opt_state: Any, is_kind: Callable[[Any], bool]) -> list[Found]:
    """The outermost states of a kind, in an optimizer's state or what holds one."""
    return list(_search((), state_in(opt_state), is_kind))


def _search(
    path: tuple[Any, ...], node: Any, is_kind: Callable[[Any], bool]
) -> Iterator[Found]:
    if is_kind(node):
        yield Found(path, node)
        return
    for key, child, is_searched in _children(path, node)[0]:
        if is_searched:
            yield from _search((*path, *key), child, is_kind)


def rebuilt(opt_state: Any, change: Callable[[tuple[Any, ...], Any], Any]) -> Any:
    """The state with `change(path, node)` in the place of every node, outermost first.

    The variables of Flax NNX are changed where they are.
    """

    def visit(path: tuple[Any, ...], node: Any) -> Any:
        node = change(path, node)
        children, structure = _children(path, node)
        if not children:
            return node
        return structure.unflatten(
            [visit((*path, *k), c) if searched else c for k, c, searched in children]
        )

    new = visit((), state_in(opt_state))
    return opt_state if _is_nnx_optimizer(opt_state) else new


def state_in(holder: Any) -> Any:
    """The optimizer's state in an `nnx.Optimizer`; anything else is searched itself."""
    return holder.opt_state if _is_nnx_optimizer(holder) else holder


def _is_nnx_optimizer(x: Any) -> bool:
    return hasattr(x, "opt_state") and hasattr(x, "wrt")


def _children(
    path: tuple[Any, ...], node: Any
) -> tuple[list[tuple[tuple[Any, ...], Any, bool]], Any]:
    """The children of a node of a pytree, none for a leaf.

    Each with its key, and whether a state may be in it: parameters, statistics and
    metrics, and what a metric-driven schedule remembers, may be called anything.
    """
    if _is_variable(node):
        return [], None
    children, structure = jax.tree_util.tree_flatten_with_path(
        node, is_leaf=lambda x: x is not node
    )
    if len(children) == 1 and children[0][1] is node:
        return [], structure
    names = {_name(key[-1]) for key, _ in children}
    is_by_label = bool(path) and _name(path[-1]) == "inner_states"
    searched = names if is_by_label else _searched(names)
    found = [(key, child, _name(key[-1]) in searched) for key, child in children]
    return found, structure


def _searched(names: set[Any]) -> set[Any]:
    """Of the names of a node's children those in which there may be a state."""
    if {"step", "started", "told"} <= names:  # of a metric-driven schedule
        return names & {"inner"}
    if "opt_state" in names and "adv_state" not in names:  # both: `optax.contrib.sam`
        return {"opt_state"}
    averages = {"mu", "nu"} if "count" in names else set()
    return names - {"params", "batch_stats"} - averages


def _name(key: Any) -> Any:
    """A key of a path as an attribute or an entry of a dict; None for an index."""
    return getattr(key, "name", getattr(key, "key", None))


def _is_variable(x: Any) -> bool:
    """Whether it is a variable of Flax NNX, which holds an array."""
    return hasattr(x, "get_metadata") and hasattr(x, "copy_from")


def _is_saved_variable(x: Any) -> bool:
    """Whether it is a variable as Orbax restores it without a template."""
    return isinstance(x, Mapping) and x.keys() == {"value"}


def _held(x: Any) -> Any:
    """What may be held by a variable of Flax NNX, live or restored."""
    if _is_saved_variable(x):
        return x["value"]
    return x[...] if _is_variable(x) else x


def array_of(x: Any) -> Array:
    """An array that may be held by a variable of Flax NNX."""
    return strong(_held(x))


def written(old: Any, new: Any) -> Any:
    """The new value in the form of the old one: its shape, its dtype, its variable.

    It is a buffer of its own, whatever was given and however often: states are donated.
    """
    held = _held(old)
    dtype = np.dtype(jnp.result_type(held if is_array(held) else new))
    if is_traced((held, new)):
        filled = jnp.broadcast_to(jnp.asarray(new, dtype), np.shape(held))
        value = jnp.array(filled, copy=True)
    else:
        host = np.broadcast_to(np.asarray(jax.device_get(new), dtype), np.shape(held))
        is_placed = getattr(held, "committed", False)
        value = jax.device_put(host.copy(), held.sharding if is_placed else None)
    if _is_saved_variable(old):
        return replaced(old, "value", value)
    if not _is_variable(old):
        return value
    old[...] = value
    return old


def refuse(name: str, opt_state: Any, found: list[Found], how: str) -> NoReturn:
    """Says what was found where, and how to choose."""
    if not found:
        kind = type(opt_state).__name__
        if _is_flat(opt_state):
            how = "its keys are whole paths: turn it back into a tree of dicts first"
        raise ValueError(f"{name}: found no state that it can use in the {kind}; {how}")
    places = ", ".join(
        f"{type(one.node).__name__} at opt_state{keystr(one.path)}" for one in found
    )
    raise ValueError(f"{name}: found {places}; {how}")


def _is_flat(state: Any) -> bool:
    """Whether it was flattened to a mapping, or a list, from paths to leaves."""
    if type(state).__name__ == "FlatState":  # of Flax NNX
        return True
    keys = list(state) if isinstance(state, Mapping) else []
    return bool(keys) and all(
        isinstance(key, tuple) or (isinstance(key, str) and "/" in key) for key in keys
    )


# Kinds of states. They are known by their fields: live ones are tuples with names, those
# that a checkpoint or Flax has taken apart are mappings with the same names, but for those
# of empty fields.


def part(node: Any, name: str) -> Any:
    """A field of a state."""
    return node.get(name) if isinstance(node, Mapping) else getattr(node, name)


def replaced(node: Any, name: str, value: Any) -> Any:
    """The state with another value of a field."""
    if not isinstance(node, Mapping):
        return node._replace(**{name: value})
    changed = copy.copy(node)
    changed[name] = value  # type: ignore[index]
    return changed


def _names(node: Any) -> frozenset[Any]:
    names = node if isinstance(node, Mapping) else getattr(node, "_fields", ())
    return frozenset(names)


def remembers(node: Any) -> bool:
    """Whether it is the state of `with_schedule` or `scale_by_learning_rate`."""
    return _names(node) >= {"count", "last_learning_rate", "multiplier", "started"}


def injects(node: Any) -> bool:
    """Whether it is the state of `optax.inject_hyperparams` with a learning rate."""
    return "hyperparams" in _names(node) and "learning_rate" in part(
        node, "hyperparams"
    )


def is_partition(node: Any) -> bool:
    """Whether it is the state of `optax.partition`."""
    return "inner_states" in _names(node)


def is_driven(node: Any) -> bool:
    """Whether it is the state of a metric-driven schedule."""
    return _names(node) >= {"step", "started", "told"}


def is_rate(node: Any) -> bool:
    """Whether it is the state of what scales updates by a learning rate."""
    import optax  # what merely evaluates schedules does without it

    scales = isinstance(node, optax.ScaleByScheduleState) or is_bare(node)
    return remembers(node) or injects(node) or scales


def is_bare(node: Any) -> bool:
    """Whether it is a count alone, of which nothing says any more what was counted."""
    return isinstance(node, Mapping) and counts(node) and _names(node) == {"count"}


def is_clock(node: Any) -> bool:
    """Whether it counts updates for a schedule, and for nothing else."""
    is_alone = _names(node) == {"count"} or "hyperparams" in _names(node)
    return remembers(node) or (counts(node) and is_alone)


def counts(node: Any) -> bool:
    """Whether it counts updates, for whatever purpose: a parameter is no integer."""
    return "count" in _names(node) and is_whole(_held(part(node, "count")))
