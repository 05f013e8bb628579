"""The hyperparameters of a rule, read from its annotations."""

import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jaxsched.rule.domain import Domain

# A hyperparameter must not hide what every schedule has.
_RESERVED = frozenset({"at", "replace"})


def read_signature(
    function: Callable[..., Any], given: int
) -> tuple[inspect.Signature, dict[str, Domain]]:
    """The signature less the first `given` parameters, and the domain of each other.

    Raises:
      TypeError: A hyperparameter has no domain, or a name that schedules need.
    """
    name = function.__name__
    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())
    if len(parameters) < given:
        raise TypeError(
            f"{name}: a rule needs {given} arguments before its hyperparameters"
        )
    domains: dict[str, Domain] = {}
    for parameter in parameters[given:]:
        domain = _domain(_resolved(parameter.annotation, function))
        if domain is None:
            raise TypeError(
                f"{name}: annotate {parameter.name} with what it may be, for example "
                f"{parameter.name}: js.Value (a number) or js.Steps (a length)"
            )
        if parameter.kind not in (
            parameter.POSITIONAL_OR_KEYWORD,
            parameter.KEYWORD_ONLY,
        ):
            raise TypeError(
                f"{name}: {parameter.name} must not be positional-only, *args or **kwargs"
            )
        if parameter.name in _RESERVED:
            raise TypeError(
                f"{name}: {parameter.name} must have another name, as it is that of "
                "a method of every schedule"
            )
        domains[parameter.name] = domain
    if {"init", "update"} <= domains.keys():
        raise TypeError(
            f"{name}: hyperparameters named both init and update would make Optax take "
            "the schedule for a stateful one"
        )
    return signature.replace(parameters=parameters[given:]), domains


def arguments(
    signature: inspect.Signature, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments of a call by name, defaults filled in, in the signature's order.

    What `inspect` binds, several times as fast; it finds the words where it refuses.
    """
    found: dict[str, Any] = {}
    used = 0
    for i, (name, parameter) in enumerate(signature.parameters.items()):
        if i < len(args) and parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            found[name], used = args[i], used + 1
        elif name in kwargs:
            found[name], used = kwargs[name], used + 1
        elif parameter.default is not parameter.empty:
            found[name] = parameter.default
        else:
            break
    if len(found) < len(signature.parameters) or used < len(args) + len(kwargs):
        signature.bind(*args, **kwargs)  # which raises
    return found


def _resolved(annotation: Any, function: Callable[..., Any]) -> Any:
    """An annotation, also one that `from __future__ import annotations` made a text."""
    if not isinstance(annotation, str):
        return annotation
    holder = types.SimpleNamespace(__annotations__={"it": annotation})
    try:
        names = function.__globals__
        return typing.get_type_hints(holder, names, include_extras=True)["it"]
    except NameError:
        return None


def _domain(hint: Any) -> Domain | None:
    """The domain in an annotation; `Domain | None` has the domain of its first part."""
    for part in (hint, *typing.get_args(hint)):
        for extra in getattr(part, "__metadata__", ()):
            if isinstance(extra, Domain):
                return extra
    return None
