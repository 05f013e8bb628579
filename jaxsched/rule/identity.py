"""When two functions are one rule: module, qualified name and code are the same.

So are their defaults, and the variables of surrounding functions that they use. A rule
that cloudpickle carries into another process, or twice into one, is a new function object
each time, and still the same rule.
"""

import inspect
import types
from collections.abc import Callable, Hashable, Iterator
from typing import Any

import numpy as np

from jaxsched.arrays import is_array


def identity(function: Callable[..., Any] | None) -> Hashable:
    """What tells a rule from others, hashable."""
    return _identity(function, frozenset())


def captured(function: Callable[..., Any]) -> dict[str, Any]:
    """The variables of surrounding functions that a function uses, but modules.

    Two calls of what surrounds it make two functions of one name that differ in these.
    """
    inner = inspect.unwrap(function)
    closure = getattr(inner, "__closure__", None) or ()
    names = getattr(getattr(inner, "__code__", None), "co_freevars", ())
    found = {}
    for name, cell in zip(names, closure, strict=True):
        try:
            value = cell.cell_contents
        except ValueError:  # not yet assigned
            value = None
        if not isinstance(value, types.ModuleType):
            found[name] = value
    return found


def surroundings(function: Callable[..., Any]) -> Hashable:
    """What a function finds in its module as it is called, and what that finds there.

    A program that was compiled holds what it found; after a change it is another's.
    """
    return tuple(_found(inspect.unwrap(function), set()))


def _found(function: Any, seen: set[int]) -> Iterator[Hashable]:
    if not isinstance(function, types.FunctionType) or id(function) in seen:
        return
    seen.add(id(function))
    for name in sorted(_names(function.__code__)):
        if name in function.__globals__:
            value = function.__globals__[name]
            yield name, _Same(value)
            yield from _found(inspect.unwrap(value) if callable(value) else value, seen)
    for value in captured(function).values():
        yield from _found(value, seen)


def _names(code: types.CodeType) -> set[str]:
    """The names that code and the functions in it look up."""
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return set(code.co_names).union(*map(_names, inner))


class _Same:
    """An object, equal to itself and to equal numbers and texts."""

    __slots__ = ("value",)

    def __init__(self, value: Any):
        self.value = value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Same):
            return False
        one, two = self.value, other.value
        is_plain = type(one) in (int, float, str, bool) and type(one) is type(two)
        return one is two or (is_plain and one == two)

    def __hash__(self) -> int:
        return 0  # few, and compared in turn


def _identity(value: Any, within: frozenset[int]) -> Hashable:
    value = inspect.unwrap(value) if callable(value) else value
    if isinstance(value, types.FunctionType):
        place = value.__module__, value.__qualname__
        if id(value) in within:  # it calls itself
            return place
        inside = within | {id(value)}
        held = [*captured(value).values(), *(value.__defaults__ or ())]
        held += [v for _, v in sorted((value.__kwdefaults__ or {}).items())]
        return (*place, _code(value.__code__), *(_identity(v, inside) for v in held))
    if is_array(value):
        host = np.asarray(value)
        return host.dtype.str, host.shape, host.tobytes()
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
