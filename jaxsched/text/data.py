"""Schedules as plain data for JSON or YAML, and back."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from jaxsched.rule import Names, short
from jaxsched.rule.domain import NotData
from jaxsched.schedule import Schedule, schedules
from jaxsched.schedule.stacking import leading_axes
from jaxsched.text.names import (
    MAX_DEPTH,
    MAX_ENTRIES,
    argument_in,
    array,
    check_names,
    is_schedule,
    names_for,
    rule_in,
    shape_in,
    unknown,
)

if TYPE_CHECKING:
    from jaxsched.metric_driven.machine import MetricDriven


def to_dict(schedule: "Schedule | MetricDriven") -> dict[str, Any]:
    """A schedule as plain data for JSON or YAML.

    Each schedule is a mapping with one key, its name, to a mapping of its
    hyperparameters. All of them are written, so that a config does not depend on defaults,
    but those that are None.

    Raises:
      TypeError: The argument is not a schedule.
      ValueError: The schedule holds a callable or traced values, which are not data, or
        is a stacked one, or its rule has no name that means it.

    >>> import jaxsched as js
    >>> js.to_dict(js.linear(1.0, 0.0, steps=10))
    {'linear': {'init_value': 1.0, 'end_value': 0.0, 'steps': 10}}
    """
    if not is_schedule(schedule):
        raise TypeError(f"to_dict: schedule must be a schedule, got {short(schedule)}")
    if leading_axes("to_dict", schedule):
        raise ValueError(
            "to_dict: a stacked schedule is not data: write those of unstack, "
            f"got {short(schedule)}"
        )
    try:
        return schedule._data()
    except NotData as error:
        raise ValueError(
            f"to_dict: {error.place[1:] or schedule._rule.name} {error}"
        ) from None


def from_dict(
    data: Mapping[str, Any], *, names: Mapping[str, Callable[..., Any]] | None = None
) -> "Schedule | MetricDriven":
    """The schedule that plain data describes: the inverse of `to_dict`.

    Hyperparameters with a default may be left out, and recipes may be used by name.

    Args:
      data: A mapping of one name to a mapping of its arguments.
      names: What some names mean, as constructors; needed where two packages have
        schedules of one name.

    Returns:
      A `Schedule`, or a `MetricDriven` schedule if the data says so.

    Raises:
      ValueError: The data is not understood, or a constructor refuses its arguments. The
        message names the place.

    >>> import jaxsched as js
    >>> js.from_dict({"linear": {"init_value": 1.0, "end_value": 0.0, "steps": 10}})
    linear(init_value=1.0, end_value=0.0, steps=10)
    """
    check_names("from_dict", names)
    made = _Builder(names).build(data, "", 0, schedules)
    if not is_schedule(made):
        raise ValueError(f"from_dict: data must describe a schedule, got {short(data)}")
    return made


class _Builder:
    """Builds a schedule from plain data, which may be shared but not endless."""

    def __init__(self, given: Mapping[str, Callable[..., Any]] | None):
        self.given = given
        self.entries = 0

    def build(self, data: Any, path: str, depth: int, names: Names) -> Any:
        self.entries += 1
        if depth > MAX_DEPTH or self.entries > MAX_ENTRIES:
            deep = depth > MAX_DEPTH
            _refuse_data("nested too deeply" if deep else "too much data", path)
        if isinstance(data, (list, tuple)):
            entries = enumerate(data)
            return [self.build(v, f"{path}[{i}]", depth + 1, names) for i, v in entries]
        if isinstance(data, Mapping):
            return self._call(data, path, depth, names)
        if not isinstance(data, (int, float, str, type(None), np.generic)):
            kinds = "only numbers, text, lists and mappings are read"
            _refuse_data(f"{kinds}, got {short(data)}", path)
        return shape_in(self.given, data, names)

    def _call(
        self, data: Mapping[Any, Any], path: str, depth: int, names: Names
    ) -> Any:
        if len(data) != 1:
            reason = "a schedule is a mapping with one key, its name"
            _refuse_data(f"{reason}, got {short(list(data))}", path)
        [(name, inner)] = data.items()
        rule = None
        if name != "array" or "array" in (self.given or {}):
            try:
                rule = rule_in(self.given, name) or names.find(str(name))
            except ValueError as error:
                _refuse_data(str(error), path)
            if rule is None:
                _refuse_data(unknown(str(name), names), path)
        path = f"{path}.{name}"
        if not isinstance(inner, Mapping) or not all(isinstance(k, str) for k in inner):
            reason = f"{name} needs a mapping of its arguments"
            _refuse_data(f"{reason}, got {short(inner)}", path)
        kwargs = {
            k: self.build(v, f"{path}.{k}", depth + 1, names_for(rule, k))
            for k, v in inner.items()
        }
        try:
            return array(**kwargs) if rule is None else rule.constructor(**kwargs)
        except (TypeError, ValueError, OverflowError) as error:
            own = "array" if rule is None else rule.name
            argument = argument_in(str(error), own, kwargs)
            place = path if argument is None else f"{path}.{argument}"
            _refuse_data(f"{error}{_hint(kwargs.get(argument or ''))}", place)


def _refuse_data(reason: str, path: str) -> NoReturn:
    place = f" at {path[1:]}" if path else ""
    raise ValueError(f"from_dict: {reason}{place}") from None


def _hint(value: Any) -> str:
    """What to write instead of a number that a YAML reader took for text."""
    try:
        number = float(value) if isinstance(value, str) else None
    except ValueError:
        number = None
    return f" (text; in YAML a number is written {number!r})" if number else ""
