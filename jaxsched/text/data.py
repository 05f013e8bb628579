"""Schedules as plain data for JSON or YAML, and back."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from jaxsched.rule import Domain, Names, Rule, short
from jaxsched.rule.domain import NotData
from jaxsched.schedule import Schedule
from jaxsched.schedule.arguments import Inner
from jaxsched.schedule.stacking import leading_axes
from jaxsched.text.config import Config
from jaxsched.text.containers import arguments_in, is_mapping, is_sequence, named
from jaxsched.text.error import ParseError
from jaxsched.text.names import (
    MAX_CALLS,
    MAX_CHARACTERS,
    MAX_DEPTH,
    MAX_ENTRIES,
    argument_in,
    array,
    check_names,
    domain_of,
    is_call,
    is_schedule,
    names_in,
    rule_in,
    shape_in,
    unknown,
)
from jaxsched.text.parse import Reader

if TYPE_CHECKING:
    from jaxsched.metric_driven.machine import MetricDriven


def to_dict(schedule: "Schedule | MetricDriven | Config") -> dict[str, Any]:
    """A schedule as plain data for JSON or YAML.

    Each schedule is a mapping with one key, its name, to a mapping of its
    hyperparameters. All but those that are None are written, so that a config does not
    depend on defaults. For a `Config` the data is the call as it was written.

    Raises:
      TypeError: The argument is not a schedule.
      ValueError: The schedule holds a callable or traced values, which are not data, or
        is a stacked one, or its rule has no name that means it.

    >>> import jaxsched as js
    >>> js.to_dict(js.linear(1.0, 0.0, steps=10))
    {'linear': {'init_value': 1.0, 'end_value': 0.0, 'steps': 10}}
    """
    if isinstance(schedule, Config):
        return schedule.to_dict()
    if not is_schedule(schedule):
        raise TypeError(f"to_dict: schedule must be a schedule, got {short(schedule)}")
    if leading_axes("to_dict", schedule):
        raise ValueError(
            "to_dict: schedule must not be stacked; write each of those that unstack "
            f"gives, got {short(schedule)}"
        )
    try:
        return schedule._data()
    except NotData as error:
        raise ValueError(
            f"to_dict: {error.place[1:] or schedule._rule.name} {error}"
        ) from None


def from_dict(
    data: "Mapping[str, Any] | str | Config",
    *,
    names: Mapping[str, Callable[..., Any]] | None = None,
) -> "Schedule | MetricDriven":
    """The schedule that plain data describes: the inverse of `to_dict`.

    Hyperparameters with a default may be left out, and recipes may be used by name.

    Args:
      data: A mapping of one name to a mapping of its arguments, as `to_dict` writes it,
        or one mapping of all, with the name under "name". A schedule inside has either
        form too, or is the text of a call. Mappings and sequences of any library are
        read: those of OmegaConf and ml_collections, tuples, read-only ones.
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
    >>> js.from_dict({"name": "warmup", "schedule": "cosine(0.1, 0, 900)", "steps": 100})
    warmup(schedule=cosine(init_value=0.1, end_value=0.0, steps=900), steps=100)
    """
    check_names("from_dict", names)
    made = _Builder(names).build(data, "", 0, Inner())
    if not is_schedule(made):
        raise ValueError(f"from_dict: data must describe a schedule, got {short(data)}")
    return made


class _Builder:
    """Builds a schedule from plain data, which may be shared but not endless."""

    def __init__(self, given: Mapping[str, Callable[..., Any]] | None):
        self.given = given
        self.entries = 0
        self.characters = self.calls = 0

    def build(self, data: Any, path: str, depth: int, domain: Domain | None) -> Any:
        self.entries += 1
        if depth > MAX_DEPTH or self.entries > MAX_ENTRIES:
            deep = depth > MAX_DEPTH
            _refuse_data("nested too deeply" if deep else "too much data", path)
        if isinstance(data, Config):
            return data.schedule
        if is_sequence(data):
            places = ((i, f"{path}[{i}]") for i in range(len(data)))
            return [self._entry(data, i, place, depth, domain) for i, place in places]
        if is_mapping(data):
            return self._call(data, path, depth, names_in(domain))
        if not isinstance(data, (int, float, str, type(None), np.generic)):
            kinds = "only numbers, text, lists and mappings are read"
            _refuse_data(f"{kinds}, got {short(data)}", path)
        if isinstance(data, str) and is_call(data, domain):
            return self._text(data, path, names_in(domain))
        return shape_in(self.given, data, names_in(domain))

    def _entry(
        self, data: Any, key: Any, path: str, depth: int, domain: Domain | None
    ) -> Any:
        return self.build(_read(data, key, path), path, depth + 1, domain)

    def _text(self, text: str, path: str, names: Names) -> Any:
        """What a call makes that stands in the data as text."""
        # Of all texts together: one may stand in many places.
        self.characters += len(text)
        self.calls += text.count("(") if self.characters <= MAX_CHARACTERS else 0
        if self.characters > MAX_CHARACTERS or self.calls > MAX_CALLS:
            _refuse_data("too much text", path)
        try:
            return Reader(text, self.given).read(names)
        except ParseError as error:
            reason, *pointer = str(error).removeprefix("parse: ").split("\n")
            _refuse_data(f"{reason}{_hint(text)}", path, pointer)

    def _call(self, data: Any, path: str, depth: int, names: Names) -> Any:
        found = named(data, lambda data, key: _read(data, key, path))
        if found is None:
            _refuse_data(_several(list(data), names), path)
        name, inner = found
        rule = self._rule(name, path, names)
        if inner is not data:
            path = f"{path}.{name}"
        keys: list[Any] = arguments_in(data, inner) if is_mapping(inner) else [None]
        if not all(isinstance(key, str) for key in keys):
            reason = f"{name} needs a mapping of its arguments"
            _refuse_data(f"{reason}, got {short(inner)}", path)
        kwargs = {
            key: self._entry(inner, key, f"{path}.{key}", depth, domain_of(rule, key))
            for key in keys
        }
        try:
            return array(**kwargs) if rule is None else rule.constructor(**kwargs)
        except (TypeError, ValueError, OverflowError) as error:
            own = "array" if rule is None else rule.name
            argument = argument_in(str(error), own, kwargs)
            place = path if argument is None else f"{path}.{argument}"
            _refuse_data(f"{error}{_hint(kwargs.get(argument or ''))}", place)

    def _rule(self, name: Any, path: str, names: Names) -> Rule | None:
        """The rule that a name means; None for `array`."""
        if name == "array" and name not in (self.given or {}):
            return None
        try:
            rule = rule_in(self.given, name) or names.find(str(name))
        except ValueError as error:
            _refuse_data(str(error), path)
        if rule is None:
            _refuse_data(unknown(str(name), names), path)
        return rule


def _several(keys: list[Any], names: Names) -> str:
    """What is said of a mapping that names no schedule, or more than one."""
    reason = f"a {names.kind} is a mapping with one key, its name"
    kinds = [key for key in keys if isinstance(key, str) and names.meant(key)]
    if len(kinds) < 2:
        return f"{reason}, or with its name under 'name', got {short(keys)}"
    return (
        f"{reason}, got {' and '.join(map(repr, kinds[:3]))}, as a merge of two configs "
        "leaves them: replace the mapping as a whole, or write the name as a value, "
        f"which a merge replaces: {{'name': {kinds[-1]!r}, ...}}"
    )


def _read(data: Any, key: Any, path: str) -> Any:
    try:
        return data[key]
    except Exception as error:  # of another library, such as a reference to nothing
        _refuse_data(str(error).partition("\n")[0], path)


def _refuse_data(reason: str, path: str, pointer: Iterable[str] = ()) -> NoReturn:
    place = f" at {path[1:]}" if path else ""
    raise ValueError("\n".join([f"from_dict: {reason}{place}", *pointer])) from None


def _hint(value: Any) -> str:
    """What to write instead of a number that a YAML reader took for text."""
    try:
        number = float(value) if isinstance(value, str) else None
    except ValueError:
        number = None
    return f" (text; in YAML a number is written {number!r})" if number else ""
