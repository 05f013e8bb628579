"""When two functions are one rule: module, qualified name and code are the same.

So are their defaults, and the variables of surrounding functions that they use. A rule
that cloudpickle carries into another process, or twice into one, is a new function object
each time, and still the same rule.
"""

import functools
import types
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from jaxsched.arrays import is_array
from jaxsched.rule.libraries import is_found_by_name


def identity(function: Callable[..., Any] | None) -> Hashable:
    """What tells a rule from others, hashable."""
    return _identity(function, frozenset())


def captured(function: Callable[..., Any]) -> dict[str, Any]:
    """The variables of surrounding functions that a function uses, but modules.

    Two calls of what surrounds it make two functions of one name that differ in these. A
    function under decorators uses what each of them captured, and not what it wraps.
    """
    wrapped = getattr(function, "__wrapped__", None)
    found = {} if wrapped is None else captured(wrapped)
    closure = getattr(function, "__closure__", None) or ()
    names = getattr(getattr(function, "__code__", None), "co_freevars", ())
    for name, cell in zip(names, closure, strict=True):
        try:
            value = cell.cell_contents
        except ValueError:  # not yet assigned
            value = None
        if value is not wrapped and not isinstance(value, types.ModuleType):
            found[name] = value
    return found


def _identity(value: Any, within: frozenset[int]) -> Hashable:
    if id(value) in within:  # it calls, or holds, itself
        return "itself"
    inside = within | {id(value)}

    def each(*held: Any) -> tuple[Hashable, ...]:
        return tuple(_identity(v, inside) for v in held)

    kind: Any = type(value)
    wrapped = getattr(value, "__wrapped__", None)
    if is_found_by_name(value):
        return value.__module__, value.__qualname__
    if kind is types.FunctionType:
        place = value.__module__, value.__qualname__
        held = [*captured(value).values(), *(value.__defaults__ or ())]
        held += [v for _, v in sorted((value.__kwdefaults__ or {}).items())]
        return (*place, _code(value.__code__), *each(*held, wrapped))
    if is_array(value):
        host = np.asarray(value)
        return host.dtype.str, host.shape, host.tobytes()
    if kind is float:  # 0 and -0 are two, and NaN is one
        return kind, repr(value)
    if kind in (tuple, list):
        return kind, *each(*value)
    if kind in (dict, types.MappingProxyType):
        return kind, *each(*value), *each(*value.values())
    if kind in (set, frozenset):
        return kind, frozenset(each(*value))
    if kind is functools.partial:
        return kind, *each(value.func, *value.args, value.keywords)
    if callable(value) and wrapped is not None:  # `jax.jit`, and its like
        own = {k: v for k, v in vars(value).items() if not k.startswith("_")}
        return kind, *each(wrapped, own)
    if kind.__eq__ is object.__eq__ and getattr(value, "__dict__", None):
        return kind, *each(vars(value))
    try:
        return kind, hash(value), value
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
