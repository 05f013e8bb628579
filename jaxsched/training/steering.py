"""Changing what an optimizer's schedules do, between two updates."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp

from jaxsched.domains.numbers import Number, whole_number
from jaxsched.metric_driven.trigger import Trigger
from jaxsched.rule import admitted
from jaxsched.training.states import (
    Found,
    array_of,
    find,
    is_clock,
    is_driven,
    rebuilt,
    refuse,
    remembers,
    written,
)


def set_multiplier(opt_state: Any, multiplier: Any) -> Any:
    """Multiplies the learning rate of all updates to come.

    Takes effect whatever the schedule is, until it is set again; the rate that
    `learning_rate` reads includes it. It does not add up: 1 restores the schedule.

    Args:
      opt_state: The state of an optimizer with `scale_by_learning_rate`, or what holds
        one; see `learning_rate`.
      multiplier: A number >= 0, traced or not; for `optax.partition` also a mapping from
        labels to numbers, others being left as they are.

    Returns:
      The changed state, in the form it was given in. An `nnx.Optimizer` is changed in
      place and returned.

    Raises:
      ValueError: There is no `scale_by_learning_rate`, or more than one outside of a
        partition, a label is unknown, or the number out of its bounds.
      TypeError: The multiplier is not a number.

    >>> import jaxsched as js
    >>> import jax.numpy as jnp
    >>> optimizer = js.scale_by_learning_rate(0.5)
    >>> state = js.set_multiplier(optimizer.init(None), 0.5)
    >>> updates, state = optimizer.update(jnp.array(1.0), state)
    >>> float(updates)
    -0.25
    """
    found = find(opt_state, remembers)
    if not found:
        how = (
            "only js.scale_by_learning_rate has a multiplier: end the optimizer with it"
        )
        refuse("set_multiplier", opt_state, found, how)
    if len({one.labels for one in found}) < len(found):
        how = "change one: state._replace(multiplier=...)"
        refuse("set_multiplier", opt_state, found, how)
    given = multiplier if isinstance(multiplier, Mapping) else {(): multiplier}
    for label in given:
        if label != () and not any(label in one.labels for one in found):
            labels = sorted({str(x) for one in found for x in one.labels})
            raise ValueError(
                f"set_multiplier: there is no label {label!r}, only {labels}"
            )
    domain = Number(least=0)
    numbers = {
        label: admitted("set_multiplier", "multiplier", number, domain)
        for label, number in given.items()
    }

    def change(path: tuple[Any, ...], node: Any) -> Any:
        if remembers(node):
            for label, number in numbers.items():
                if label == () or label in Found(path, node).labels:
                    new = written(node.multiplier, number)
                    node = node._replace(multiplier=new)
        return node

    return rebuilt(opt_state, change)


def set_step_count(opt_state: Any, count: Any) -> Any:
    """Moves every schedule of an optimizer to a step.

    For a run that goes on without its old optimizer state, or at another place of its
    schedule. The counts by which Adam and others correct their averages are left alone:
    they belong to those averages. (`optax.contrib.schedule_free` and some others of
    `optax.contrib` have one count for both; set that yourself.)

    Args:
      opt_state: The state of an optimizer, or what holds one; see `learning_rate`.
      count: The number of updates that its schedules shall have seen, a whole
        number >= 0, traced or not.

    Returns:
      The changed state, in the form it was given in. An `nnx.Optimizer` is changed in
      place and returned; its own `step` is left alone.

    Raises:
      ValueError: No schedule keeps a count in it, or the count is out of its bounds.
      TypeError: The count is not a whole number.

    >>> import jaxsched as js, optax
    >>> import jax.numpy as jnp
    >>> state = optax.adamw(js.linear(1.0, 0.0, steps=4)).init(jnp.array(1.0))
    >>> int(js.step_count(js.set_step_count(state, 3)))
    3
    """
    count = admitted("set_step_count", "count", count, whole_number(0))
    if not find(opt_state, lambda node: is_clock(node) or is_driven(node)):
        refuse(
            "set_step_count",
            opt_state,
            [],
            "was the optimizer given a number, or is its count one for averages too?",
        )

    def change(path: tuple[Any, ...], node: Any) -> Any:
        if is_clock(node):
            return node._replace(count=written(node.count, count))
        if is_driven(node):
            return node._replace(step=written(node.step, count))
        return node

    return rebuilt(opt_state, change)


def set_trigger(opt_state: Any) -> Any:
    """Begins the decay of every `cooldown_on_trigger` at the next update.

    The same as a true `trigger=` at that update. One that has begun goes on as it is.

    Args:
      opt_state: The state of an optimizer or of the metric-driven schedule itself, or
        what holds one; see `learning_rate`.

    Returns:
      The changed state, in the form it was given in. An `nnx.Optimizer` is changed in
      place and returned.

    Raises:
      ValueError: There is no `cooldown_on_trigger` in it.

    >>> import jaxsched as js
    >>> driven = js.cooldown_on_trigger(1.0, steps=4)
    >>> state = js.set_trigger(driven.init())
    >>> float(driven(driven.update(state)))
    0.75
    """
    if not find(opt_state, _is_trigger):
        refuse("set_trigger", opt_state, [], "only js.cooldown_on_trigger has one")

    def change(path: tuple[Any, ...], node: Any) -> Any:
        if not (is_driven(node) and _is_trigger(node.memory)):
            return node
        begin, now = array_of(node.memory.begin), array_of(node.step)
        new = written(node.memory.begin, jnp.where(begin < 0, now, begin))
        return node._replace(memory=node.memory._replace(begin=new))

    return rebuilt(opt_state, change)


def _is_trigger(node: Any) -> bool:
    return isinstance(node, Trigger)
