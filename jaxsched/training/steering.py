"""Changing what an optimizer's schedules do, between two updates."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsched.arrays import is_traced
from jaxsched.domains.numbers import Number, numeric, whole_number
from jaxsched.rule import Domain, admitted
from jaxsched.training.states import (
    Found,
    array_of,
    counts,
    find,
    is_clock,
    is_driven,
    part,
    rebuilt,
    refuse,
    remembers,
    replaced,
    written,
)


def set_multiplier(opt_state: Any, multiplier: Any) -> Any:
    """Multiplies the learning rate of all updates to come.

    The multiplier holds for any schedule, until it is set again; the rate that
    `learning_rate` reads includes it. A new multiplier takes the place of the old one,
    so 1 restores the schedule.

    Args:
      opt_state: The state of an optimizer with `with_schedule` or
        `scale_by_learning_rate`, or what holds one; see `learning_rate`.
      multiplier: A number >= 0, traced or not, or one for each member of a `vmap`; for
        `optax.partition` also a mapping from labels to them, others being left as they
        are.

    Returns:
      The changed state, in the form it was given in; what is new in it is a buffer of its
      own, which may be donated. The variables of Flax NNX are changed in place: an
      `nnx.Optimizer`, or that of an `nnx.state`, too.

    Raises:
      ValueError: There is no such state, or more than one outside of a partition, a
        label is unknown, or the number out of its bounds.
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
        how = "only js.with_schedule and js.scale_by_learning_rate have a multiplier"
        refuse("set_multiplier", opt_state, found, how)
    if len({one.labels for one in found}) < len(found):
        how = "pass the part of the state that you mean"
        refuse("set_multiplier", opt_state, found, how)
    given = multiplier if isinstance(multiplier, Mapping) else {(): multiplier}
    for label in given:
        if label != () and not any(label in one.labels for one in found):
            labels = sorted({str(x) for one in found for x in one.labels})
            raise ValueError(
                f"set_multiplier: there is no label {label!r}, only {labels}"
            )
    domain = _Each(Number(least=0))
    numbers = {
        label: admitted("set_multiplier", "multiplier", number, domain)
        for label, number in given.items()
    }

    def change(path: tuple[Any, ...], node: Any) -> Any:
        if remembers(node):
            for label, number in numbers.items():
                if label == () or label in Found(path, node).labels:
                    new = _filled("set_multiplier", "multiplier", node, number)
                    node = replaced(node, "multiplier", new)
                    started = written(part(node, "started"), True)
                    node = replaced(node, "started", started)
        return node

    return rebuilt(opt_state, change)


def set_step_count(opt_state: Any, count: Any, *, every: bool = False) -> Any:
    """Moves every schedule of an optimizer to a step.

    Use it for a run that goes on without its old optimizer state, or at another place
    of its schedule. The counts by which Adam and others correct their averages are left
    alone unless `every` is set: they belong to those averages.
    (`optax.contrib.schedule_free` and some others of `optax.contrib` have one count for
    both; set that yourself.)

    Args:
      opt_state: The state of an optimizer, or what holds one; see `learning_rate`.
      count: The step to move its schedules to, a whole number >= 0, traced or not, or one
        for each member of a `vmap`.
      every: Whether to set the counts of averages too, for averages that come from
        where the count does.

    Returns:
      The changed state, in the form it was given in; what is new in it is a buffer of its
      own, which may be donated. The variables of Flax NNX are changed in place: an
      `nnx.Optimizer`, or that of an `nnx.state`, too; its own `step` is left alone.

    Raises:
      ValueError: No schedule keeps a count in it, or the count is out of its bounds.
      TypeError: The count is not a whole number.

    >>> import jaxsched as js, optax
    >>> import jax.numpy as jnp
    >>> state = optax.adamw(js.linear(1.0, 0.0, steps=4)).init(jnp.array(1.0))
    >>> int(js.step_count(js.set_step_count(state, 3)))
    3
    """
    name = "set_step_count"
    count = admitted(name, "count", count, _Each(whole_number(0)))
    is_set = counts if every else is_clock
    if not find(opt_state, lambda node: is_set(node) or is_driven(node)):
        how = (
            "the optimizer was given a number, or it has one count for its averages too"
        )
        refuse(name, opt_state, [], how)

    def change(path: tuple[Any, ...], node: Any) -> Any:
        if is_set(node):
            return replaced(node, "count", _filled(name, "count", node, count))
        if is_driven(node):
            return replaced(node, "step", _filled(name, "step", node, count))
        return node

    return rebuilt(opt_state, change)


def set_trigger(opt_state: Any) -> Any:
    """Begins the decay of every `cooldown_on_trigger` at the next update.

    It is the same as a true `trigger=` at that update. A decay that has begun goes on.

    Args:
      opt_state: The state of an optimizer or of the metric-driven schedule itself, or
        what holds one; see `learning_rate`.

    Returns:
      The changed state, in the form it was given in. The variables of Flax NNX are
      changed in place: an `nnx.Optimizer`, or that of an `nnx.state`, too.

    Raises:
      ValueError: There is no `cooldown_on_trigger` in it, and no machine of your own that
        takes triggers.

    >>> import jaxsched as js
    >>> driven = js.cooldown_on_trigger(1.0, steps=4)
    >>> state = js.set_trigger(driven.init())
    >>> float(driven(driven.update(state)))
    0.75
    """
    if not find(opt_state, _takes_trigger):
        refuse(
            "set_trigger", opt_state, [], "only js.cooldown_on_trigger has a trigger"
        )

    def change(path: tuple[Any, ...], node: Any) -> Any:
        return _told(node, {"trigger": True}) if _takes_trigger(node) else node

    return rebuilt(opt_state, change)


def set_metric(opt_state: Any, value: Any) -> Any:
    """Hands a metric to every metric-driven schedule, in force from the next update on.

    Use it for what is measured between two updates, such as the loss on validation data
    after an epoch: pass `value=None` to the updates themselves, and call this after
    them, as PyTorch's `scheduler.step(metric)` is called.

    Args:
      opt_state: The state of an optimizer or of the metric-driven schedule itself, or
        what holds one; see `learning_rate`.
      value: The metric, a real number, traced or not, or one for each member of a
        `vmap`. One that is not finite counts as bad. A second one before the next update
        takes the place of the first.

    Returns:
      The changed state, in the form it was given in. The variables of Flax NNX are
      changed in place: an `nnx.Optimizer`, or that of an `nnx.state`, too.

    Raises:
      ValueError: There is no metric-driven schedule in it.
      TypeError: The value is not a real number.

    >>> import jaxsched as js
    >>> driven = js.reduce_on_plateau(1.0, factor=0.5, patience=0)
    >>> state = driven.init()
    >>> for loss in (3.0, 3.0):
    ...     for _ in range(10):
    ...         state = driven.update(state, value=None)
    ...     state = js.set_metric(state, loss)
    >>> float(driven(state))
    0.5
    """
    value = admitted("set_metric", "value", value, _Metric())
    if not find(opt_state, is_driven):
        refuse("set_metric", opt_state, [], "no schedule in it is driven by a metric")

    def change(path: tuple[Any, ...], node: Any) -> Any:
        if not is_driven(node):
            return node
        old = array_of(part(part(node, "told"), "value"))
        _refuse_shape("set_metric", "value", value, old.shape)
        given, numpy = (value, jnp) if is_traced(value) else (jax.device_get(value), np)
        with np.errstate(over="ignore"):
            metric = numpy.asarray(given, old.dtype)
        finite = numpy.isfinite(metric)
        safe = numpy.where(finite, metric, numpy.zeros_like(metric))
        return _told(node, {"value": safe, "measured": True, "spoiled": ~finite})

    return rebuilt(opt_state, change)


class _Each(Domain):
    """A number, or one for each member of a `vmap`."""

    def __init__(self, number: Number):
        self.number = number

    def admit(self, value: Any) -> Any:
        value = numeric(value, self.number.kind)
        self.number.inspect(value)
        return value


class _Metric(Domain):
    """A real number that need not be finite, or one for each member of a `vmap`."""

    def admit(self, value: Any) -> Any:
        return numeric(value)


def _filled(function: str, field: str, node: Any, value: Any) -> Any:
    """A field of a state with a number in it, or one for each member."""
    old = part(node, field)
    _refuse_shape(function, field, value, array_of(old).shape)
    return written(old, value)


def _refuse_shape(function: str, argument: str, value: Any, shape: Any) -> None:
    if np.ndim(value) and np.shape(value) != shape:
        raise ValueError(
            f"{function}: {argument} must be a number, or one for each member of a vmap, "
            f"here of shape {shape}, got shape {np.shape(value)}"
        )


def _takes_trigger(node: Any) -> bool:
    return is_driven(node) and part(part(node, "told"), "trigger") is not None


def _told(node: Any, news: dict[str, Any]) -> Any:
    """The state of a metric-driven schedule with what it is told between updates."""
    told = part(node, "told")
    for name, value in news.items():
        told = replaced(told, name, written(part(told, name), value))
    return replaced(node, "told", told)
