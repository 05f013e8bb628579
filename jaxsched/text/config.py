"""Config, the call of a schedule kept as it was written."""

import ast
import copy
import inspect
import io
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxsched.rule import Domain, Names, Rule, rule_of, short
from jaxsched.rule.values import written
from jaxsched.schedule import schedules
from jaxsched.text.containers import arguments_in, is_mapping, is_sequence, named
from jaxsched.text.names import (
    MAX_CHARACTERS,
    MAX_DEPTH,
    array,
    domain_of,
    is_call,
    names_in,
    unknown,
)
from jaxsched.text.parse import Reader, parse

if TYPE_CHECKING:
    from jaxsched.metric_driven.machine import MetricDriven
    from jaxsched.schedule import Schedule


class Config:
    """The call that makes a schedule, as it was written: for the records of a run.

    A recipe returns the schedules that it is composed of. They print without what a
    person gave, such as `total_steps`; a config keeps that. It prints as the call, is
    compared and pickled as the call, and is data in the form that `from_dict` reads.

    Args:
      name: What is called: a constructor such as `js.warmup_cosine` or its name. Or the
        whole call as text, without other arguments.
      *args: Arguments of the constructor.
      **kwargs: Arguments of the constructor by name. A schedule among them may also be a
        config, or data as `from_dict` reads it.

    Raises:
      ValueError: The call makes no schedule, or has no text that could be read back.
      TypeError: `name` is neither text nor a constructor.

    >>> import jaxsched as js
    >>> config = js.Config(js.warmup_cosine, 3e-4, total_steps=1000, warmup_steps=100)
    >>> config
    warmup_cosine(peak_value=0.0003, total_steps=1000, warmup_steps=100)
    >>> config.schedule
    cooldown(schedule=warmup(schedule=constant(value=0.0003), steps=100), begin=100,
      steps=900, shape='cosine')
    >>> config.to_dict()
    {'name': 'warmup_cosine', 'peak_value': 0.0003, 'total_steps': 1000,
      'warmup_steps': 100}
    >>> js.Config(**config.to_dict()) == config
    True
    >>> config == js.Config("warmup_cosine(3e-4, total_steps=10 * 100, warmup_steps=100)")
    True
    """

    __slots__ = ("_data", "_schedule", "_text")

    def __init__(self, name: str | Callable[..., Any], *args: Any, **kwargs: Any):
        is_text = isinstance(name, str) and "(" in name and not args and not kwargs
        self._text = str(name).strip() if is_text else _text(name, args, kwargs)
        self._schedule = parse(self._text)
        self._data = _CallReader(self._text).read(schedules)

    @property
    def schedule(self) -> "Schedule | MetricDriven":
        """The schedule that the call makes."""
        return self._schedule

    def to_dict(self) -> dict[str, Any]:
        """The call as plain data: the name under "name", and the arguments given."""
        return copy.deepcopy(self._data)

    def __repr__(self) -> str:
        return self._text

    def __eq__(self, other: object) -> bool:
        # As text: 1, 1.0 and True are not one argument.
        return isinstance(other, Config) and repr(self._data) == repr(other._data)

    def __hash__(self) -> int:
        return hash(repr(self._data))

    def __reduce__(self) -> tuple[Any, ...]:
        return Config, (self._text,)


# ----- from a call to text, and from text to data -----


def _text(name: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """The call of a constructor with arguments as text."""
    rule = schedules.find(name) if isinstance(name, str) else _rule_of(name)
    if rule is None:
        raise ValueError(f"Config: {unknown(name, schedules)}")
    if reason := rule.names.why_not(rule):
        raise ValueError(f"Config: {rule.name} {reason}")
    try:
        given = rule.signature.bind(*args, **kwargs).arguments
    except TypeError as error:
        raise TypeError(f"{rule.name}: {error}; use {rule.usage}") from None
    text = io.StringIO()
    for piece in _pieces({rule.names.shortest(rule): given}, None, 0):
        text.write(piece)
        if text.tell() > MAX_CHARACTERS:
            raise ValueError(f"Config: text must be <= {MAX_CHARACTERS} characters")
    return text.getvalue()


def _rule_of(constructor: Any) -> Rule:
    if not hasattr(constructor, "__rule__"):
        raise TypeError(
            "Config: name must be text or a constructor such as js.cosine, "
            f"got name={short(constructor)}"
        )
    return rule_of(constructor)


def _pieces(value: Any, domain: Domain | None, depth: int) -> Iterator[str]:
    """The text of an argument, a little at a time: data may repeat itself without end."""
    if depth > MAX_DEPTH:
        raise ValueError(f"Config: arguments must be nested <= {MAX_DEPTH} deep")
    if is_sequence(value):
        yield "["
        for i, entry in enumerate(value):
            yield ", " if i else ""
            yield from _pieces(entry, domain, depth + 1)
        yield "]"
    elif is_mapping(value):
        name, inner = named(value) or ("", ())
        if not is_mapping(inner):
            raise ValueError(
                f"Config: a dict must be the call of a schedule, got {short(value)}"
            )
        rule = names_in(domain).find(str(name))
        yield f"{name}("
        for i, key in enumerate(arguments_in(value, inner)):
            yield f", {key}=" if i else f"{key}="
            yield from _pieces(inner[key], domain_of(rule, key), depth + 1)
        yield ")"
    else:
        value = value.item() if isinstance(value, np.generic) else value
        is_text = isinstance(value, str) and is_call(value, domain)
        yield value.strip() if is_text else written(value)


_OPERATORS = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.USub: "negative",
}


class _CallReader(Reader):
    """Reads a text that is known to be the call of a schedule as data."""

    def _is_made(self, value: Any, names: Names) -> bool:
        return isinstance(value, dict)

    def _is_operand(self, value: Any) -> bool:
        return isinstance(value, dict)

    def _operated(self, op: ast.AST, values: list[Any]) -> Any:
        return self._called(schedules.find(_OPERATORS[type(op)]), values, {})

    def _called(
        self, rule: Rule | None, args: list[Any], kwargs: dict[str, Any]
    ) -> Any:
        name = "array" if rule is None else rule.names.shortest(rule)
        signature = inspect.signature(array) if rule is None else rule.signature
        given = signature.bind(*args, **kwargs).arguments
        return {name: dict(given)} if "name" in given else {"name": name, **given}
