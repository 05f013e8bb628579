"""States of schedules, found anywhere inside the state of an optimizer."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, NoReturn

import jax
import jax.numpy as jnp
from jax import Array
from jax.tree_util import DictKey, GetAttrKey, keystr

from jaxsched.arrays import is_traced
from jaxsched.metric_driven.machine import MetricDrivenState
from jaxsched.training.transformation import ScaleByLearningRateState


class Found(NamedTuple):
    """A state of a schedule and where it is."""

    path: tuple[Any, ...]
    node: Any

    @property
    def labels(self) -> tuple[Any, ...]:
        """The labels of `optax.partition` on the way to it."""
        inner = GetAttrKey("inner_states")
        pairs = zip(self.path, self.path[1:], strict=False)
        return tuple(b.key for a, b in pairs if a == inner and isinstance(b, DictKey))


def find(opt_state: Any, is_kind: Callable[[Any], bool]) -> list[Found]:
    """The outermost states of a kind, in an optimizer's state or what holds one."""
    return list(_search((), state_in(opt_state), is_kind))


def _search(
    path: tuple[Any, ...], node: Any, is_kind: Callable[[Any], bool]
) -> Iterator[Found]:
    if is_kind(node):
        yield Found(path, node)
        return
    for key, child in _children(node)[0]:
        yield from _search((*path, *key), child, is_kind)


def rebuilt(opt_state: Any, change: Callable[[tuple[Any, ...], Any], Any]) -> Any:
    """The state with `change(path, node)` in the place of every node, outermost first.

    The variables of Flax NNX are changed where they are.
    """

    def visit(path: tuple[Any, ...], node: Any) -> Any:
        node = change(path, node)
        children, structure = _children(node)
        if not children:
            return node
        return structure.unflatten([visit((*path, *k), c) for k, c in children])

    new = visit((), state_in(opt_state))
    return opt_state if _is_nnx_optimizer(opt_state) else new


def state_in(holder: Any) -> Any:
    """The optimizer's state in an `nnx.Optimizer`; anything else is searched itself."""
    return holder.opt_state if _is_nnx_optimizer(holder) else holder


def _is_nnx_optimizer(x: Any) -> bool:
    return hasattr(x, "opt_state") and hasattr(x, "wrt")


def _children(node: Any) -> tuple[list[tuple[tuple[Any, ...], Any]], Any]:
    """The children of a node of a pytree with their keys; none for a leaf."""
    if _is_variable(node):
        return [], None
    children, structure = jax.tree_util.tree_flatten_with_path(
        node, is_leaf=lambda x: x is not node
    )
    is_leaf = len(children) == 1 and children[0][1] is node
    return ([] if is_leaf else children), structure


def _is_variable(x: Any) -> bool:
    """Whether it is a variable of Flax NNX, which holds an array."""
    return hasattr(x, "get_metadata") and hasattr(x, "copy_from")


def array_of(x: Any) -> Array:
    """An array that may be held by a variable of Flax NNX."""
    return jnp.asarray(x[...] if _is_variable(x) else x)


def written(old: Any, new: Any) -> Any:
    """The new value in the form of the old one: its shape, its dtype, its variable."""
    before = array_of(old)
    value = jnp.broadcast_to(jnp.asarray(new).astype(before.dtype), before.shape)
    if not is_traced((before, value)) and len(before.sharding.device_set) > 1:
        value = jax.device_put(value, before.sharding)
    if not _is_variable(old):
        return value
    old[...] = value
    return old


def refuse(name: str, opt_state: Any, found: list[Found], how: str) -> NoReturn:
    """Says what was found where, and how to choose."""
    if not found:
        kind = type(opt_state).__name__
        raise ValueError(f"{name}: found none in the {kind}; {how}")
    places = ", ".join(
        f"{type(one.node).__name__} at opt_state{keystr(one.path)}" for one in found
    )
    raise ValueError(f"{name}: found {places}; {how}")


# Kinds of states. Those of Optax are known by their names and fields: their modules are
# private, and nothing here needs to import them.


def _has(node: Any, *fields: str) -> bool:
    return {*fields} <= {*getattr(node, "_fields", ())}


def remembers(node: Any) -> bool:
    """Whether it is the state of `scale_by_learning_rate`."""
    return isinstance(node, ScaleByLearningRateState)


def injects(node: Any) -> bool:
    """Whether it is the state of `optax.inject_hyperparams` with a learning rate."""
    return _has(node, "hyperparams") and "learning_rate" in node.hyperparams


def is_partition(node: Any) -> bool:
    """Whether it is the state of `optax.partition`."""
    return _has(node, "inner_states")


def is_driven(node: Any) -> bool:
    """Whether it is the state of a metric-driven schedule."""
    return isinstance(node, MetricDrivenState)


def is_rate(node: Any) -> bool:
    """Whether it is the state of what scales updates by a learning rate."""
    scales = type(node).__name__ == "ScaleByScheduleState"
    return remembers(node) or injects(node) or scales


_CLOCKS = {
    "ScaleByLearningRateState",
    "ScaleByScheduleState",
    "WeightDecaySchedule",
    "WrappedScheduleState",
    "InjectHyperparamsState",
    "InjectStatefulHyperparamsState",
}


def is_clock(node: Any) -> bool:
    """Whether it counts updates for a schedule, and for nothing else."""
    return type(node).__name__ in _CLOCKS and counts(node)


def counts(node: Any) -> bool:
    """Whether it counts updates, for whatever purpose."""
    return _has(node, "count")
