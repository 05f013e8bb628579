"""When two functions are one rule: module, qualified name and code are the same.

A rule that cloudpickle carries into another process, or twice into one, is a new function
object each time, and still the same rule.
"""

import types
from collections.abc import Callable, Hashable
from typing import Any


def identity(function: Callable[..., Any]) -> Hashable:
    """What tells a rule from others, hashable."""
    return _identity(function, frozenset())


def captured(function: Callable[..., Any]) -> dict[str, Any]:
    """The variables of surrounding functions that a function uses, but modules.

    Two calls of what surrounds it make two functions of one name that differ in these.
    """
    closure = getattr(function, "__closure__", None) or ()
    names = getattr(getattr(function, "__code__", None), "co_freevars", ())
    found = {}
    for name, cell in zip(names, closure, strict=True):
        try:
            value = cell.cell_contents
        except ValueError:  # not yet assigned
            value = None
        if not isinstance(value, types.ModuleType):
            found[name] = value
    return found


def _identity(value: Any, within: frozenset[int]) -> Hashable:
    if isinstance(value, types.FunctionType) and id(value) not in within:
        inside = within | {id(value)}
        variables = captured(value).items()
        return (
            value.__module__,
            value.__qualname__,
            _code(value.__code__),
            tuple((name, _identity(v, inside)) for name, v in variables),
        )
    try:
        return type(value), hash(value), value
    except TypeError:
        return id(value)


def _code(code: types.CodeType) -> Hashable:
    """What code does, wherever in a file it stands."""
    return (
        code.co_code,
        code.co_names,
        code.co_varnames,
        code.co_freevars,
        tuple(
            _code(c) if isinstance(c, types.CodeType) else repr(c)
            for c in code.co_consts
        ),
    )
