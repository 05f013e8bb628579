"""What an optimizer's state says of its schedules: the rate in use, the step count."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxsched.arrays import is_traced
from jaxsched.rule import admitted
from jaxsched.schedule import Inner, Schedule
from jaxsched.training.states import (
    Found,
    array_of,
    counts,
    find,
    injects,
    is_bare,
    is_clock,
    is_driven,
    is_partition,
    is_rate,
    part,
    refuse,
    remembers,
)


def learning_rate(opt_state: Any, schedule: Any = None) -> Any:
    """The learning rate that the last update used.

    Log it beside the loss of the step just made; the next update may use another one.
    Before the first update it is the rate that this update will use, or 0 in a state
    that was filled with zeros; after `set_step_count` or `set_multiplier` it is read anew
    with the next update.

    Args:
      opt_state: The state of an optimizer, however nested (chain, masked, partition,
        MultiSteps, apply_if_finite, ...), an `nnx.Optimizer` or a Linen `TrainState`;
        traced or not. It holds a `scale_by_learning_rate` of this package, or an
        `optax.inject_hyperparams` with a `learning_rate`, or else `schedule` is given.
      schedule: For the optimizers of Optax, which remember only a count: the schedule
        they were given. For `optax.partition`, also a mapping from labels to schedules.

    Returns:
      A scalar array; for `optax.partition` a dict of them by label.

    Raises:
      ValueError: There is no learning rate in the state, or more than one. The message
        says which were found and how to choose.

    >>> import jaxsched as js, optax
    >>> import jax.numpy as jnp
    >>> schedule = js.linear(1.0, 0.0, steps=4)
    >>> optimizer = optax.chain(optax.clip(1.0), optax.sgd(schedule))
    >>> params = jnp.array([1.0, 2.0])
    >>> _, state = optimizer.update(params, optimizer.init(params), params)
    >>> float(js.learning_rate(state, schedule))
    1.0
    """
    if isinstance(schedule, Mapping):
        return _rates_of_labels(opt_state, schedule)
    found = find(opt_state, is_rate)
    if not found and isinstance(schedule, (int, float)):
        return _schedule(schedule)(0)  # a number needs no count
    if not found and schedule is not None:
        found = find(opt_state, counts)
    if not found:
        refuse("learning_rate", opt_state, found, _NO_RATE)
    return _by_label("learning_rate", opt_state, found, partial(_rate, schedule))


def step_count(opt_state: Any) -> Any:
    """The number of updates that the schedules of an optimizer have seen.

    It is also the step at which the next update evaluates its schedule. Under
    `optax.MultiSteps` and `optax.apply_if_finite` these are the updates that were
    applied.

    Args:
      opt_state: As for `learning_rate`.

    Returns:
      An integer scalar array; for `optax.partition` a dict of them by label.

    Raises:
      ValueError: The state holds no count, or more than one of the same kind.

    >>> import jaxsched as js, optax
    >>> import jax.numpy as jnp
    >>> optimizer = optax.sgd(js.linear(1.0, 0.0, steps=4))
    >>> params = jnp.array([1.0, 2.0])
    >>> _, state = optimizer.update(params, optimizer.init(params), params)
    >>> int(js.step_count(state))
    1
    """
    for kind in (is_rate, is_driven, is_clock, counts):
        found = find(opt_state, kind)
        if found:
            return _by_label("step_count", opt_state, found, _count)
    refuse("step_count", opt_state, [], "nothing in it counts updates")


_NO_RATE = (
    "no rate is kept in it: make the optimizer with js.with_schedule(optax.adamw, "
    "schedule), or pass the schedule it was given, js.learning_rate(opt_state, "
    "schedule), for a partition {label: schedule}"
)


def _by_label(
    name: str, opt_state: Any, found: list[Found], read: Callable[[Found], Array]
) -> Any:
    """One reading, or one for each label of a partition."""
    found = _surest(found)
    labels = [one.labels for one in found]
    nested = any(a == b[: len(a)] for a in labels for b in labels if len(a) < len(b))
    if len({*labels}) < len(found) or nested:
        refuse(name, opt_state, found, "pass the part of the state that you mean")
    result: Any = {}
    for one in found:
        if not one.labels:
            return read(one)
        place = result
        for label in one.labels[:-1]:
            place = place.setdefault(label, {})
        place[one.labels[-1]] = read(one)
    return result


def _surest(found: list[Found]) -> list[Found]:
    """Without bare counts beside a state that says what it is, or beside equal ones."""
    kept: dict[tuple[Any, ...], list[Found]] = {}
    for one in found:
        kept.setdefault(one.labels, []).append(one)
    for label, several in kept.items():
        sure = [one for one in several if not is_bare(one.node)]
        if not sure and _are_equal([_count(one) for one in several]):
            sure = several[:1]
        kept[label] = sure or several
    return [one for several in kept.values() for one in several]


def _are_equal(found: list[Array]) -> bool:
    """Whether counts are known to be equal."""
    if is_traced(found):
        return False
    first, *others = jax.device_get(found)
    return all(np.array_equal(first, other) for other in others)


def _rate(schedule: Any, found: Found) -> Array:
    """The rate that the last update used, as a state remembers it or implies it."""
    node = found.node
    if remembers(node):
        return array_of(part(node, "last_learning_rate"))
    if injects(node):
        return array_of(part(node, "hyperparams")["learning_rate"])
    if schedule is None:
        refuse("learning_rate", None, [found], _NO_RATE)
    return _schedule(schedule)(_step_before(_count(found)))


def _schedule(value: Any) -> Schedule:
    return admitted("learning_rate", "schedule", value, Inner())


def _rates_of_labels(opt_state: Any, schedules: Mapping[Any, Any]) -> dict[Any, Any]:
    """The rate of every group that a mapping names or that remembers its own."""
    partitions = find(opt_state, is_partition)
    if len(partitions) != 1:
        how = "schedules by label are for one optax.partition"
        refuse("learning_rate", opt_state, partitions, how)
    groups = part(partitions[0].node, "inner_states")
    for label in schedules:
        if label not in groups:
            raise ValueError(
                f"learning_rate: there is no label {label!r}, only {[*groups]}"
            )
    for label, group in groups.items():
        kept = [one.node for one in find(group, is_rate)]
        if label not in schedules and not all(remembers(n) or injects(n) for n in kept):
            raise ValueError(
                f"learning_rate: the schedule of the label {label!r} is missing, got "
                f"those of {[*schedules]}"
            )
    return {
        label: learning_rate(group, schedules.get(label))
        for label, group in groups.items()
        if label in schedules or find(group, is_rate)
    }


def _count(found: Found) -> Array:
    node = found.node
    return array_of(part(node, "step" if is_driven(node) else "count"))


@jax.jit  # so that its numbers are part of a program: no transfer
def _step_before(count: Array) -> Array:
    return jnp.maximum(count, 1) - 1
