"""What a function finds around it as it is called: in its module, and in what it captured.

A program that was compiled holds what the function found then. After a change it is the
program of another function.
"""

import dis
import functools
import hashlib
import sys
import types
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from jaxsched.rule.identity import captured
from jaxsched.rule.libraries import is_of_a_library


def surroundings(function: Callable[..., Any]) -> Hashable:
    """What a function finds, and what the functions that it calls find, hashable.

    Looked through are numbers, arrays, containers, and of modules, classes and objects the
    attributes that the function names. Libraries are taken to stay as they are.
    """
    return tuple(_Search().of_function(function))


class _Search:
    """One walk, which looks for the same attributes of nothing twice."""

    def __init__(self) -> None:
        # With the object, so that no other gets its number.
        self._seen: dict[tuple[int, frozenset[str]], Any] = {}

    def of_function(self, function: Any) -> Iterator[Hashable]:
        """What a function finds, and what it wraps."""
        if (wrapped := getattr(function, "__wrapped__", None)) is not None:
            yield from self._of(wrapped, frozenset())
        if not isinstance(function, types.FunctionType):
            return
        names, modules, attributes = _looked_up(function.__code__)
        found = {m: sys.modules[m] for m in modules if m in sys.modules}
        for name in names:
            if name in function.__globals__:
                found[name] = function.__globals__[name]
        found |= captured(function) | (function.__kwdefaults__ or {})
        found |= dict(enumerate(function.__defaults__ or ()))  # by their place
        for name, value in found.items():
            yield name
            yield from self._of(value, attributes)

    def _of(self, value: Any, attributes: frozenset[str]) -> Iterator[Hashable]:
        if isinstance(value, np.ndarray):
            yield value.dtype.str, value.shape, _digest(value)
            return
        if isinstance(value, types.MethodType):  # a new object each time
            code = getattr(value.__func__, "__code__", None)
            of_self = _looked_up(code)[2] if code else attributes
            yield from self._of(value.__self__, of_self)
            yield from self._of(value.__func__, attributes)
            return
        yield _Same(value)
        key = id(value), attributes
        if key in self._seen or type(value) in _PLAIN or is_of_a_library(value):
            return
        self._seen[key] = value
        if isinstance(value, types.FunctionType) or hasattr(value, "__wrapped__"):
            yield from self.of_function(value)
        elif isinstance(value, Mapping):
            for key, entry in value.items():
                yield _Same(key)
                yield from self._of(entry, attributes)
        elif isinstance(value, (list, tuple, set, frozenset)):
            for entry in value:
                yield from self._of(entry, attributes)
        for name in sorted(attributes):
            with suppress(Exception):  # of a property of the user's
                entry = getattr(value, name)
                yield name
                yield from self._of(entry, attributes)


_PLAIN = (int, float, str, bool, complex, bytes, type(None))


def _digest(array: np.ndarray) -> bytes:
    words = np.ascontiguousarray(array)
    return hashlib.blake2b(words.tobytes(), digest_size=16).digest()


@functools.lru_cache(maxsize=1024)
def _looked_up(
    code: types.CodeType,
) -> tuple[tuple[str, ...], tuple[str, ...], frozenset[str]]:
    """The globals, modules and attributes that code and the functions in it name."""
    found: dict[str, set[str]] = {"GLOBAL": set(), "IMPORT": set(), "ATTR": set()}
    for step in dis.get_instructions(code):
        kind = _KINDS.get(step.opname)
        if kind is not None:
            found[kind].add(step.argval)
        elif isinstance(step.argval, types.CodeType):
            for known, names in zip(found, _looked_up(step.argval), strict=True):
                found[known].update(names)
    names, modules, attributes = found.values()
    return tuple(sorted(names)), tuple(sorted(modules)), frozenset(attributes)


_KINDS = {
    **dict.fromkeys(["LOAD_GLOBAL", "LOAD_NAME"], "GLOBAL"),
    "IMPORT_NAME": "IMPORT",
    **dict.fromkeys(["LOAD_ATTR", "LOAD_METHOD", "IMPORT_FROM"], "ATTR"),
}


class _Same:
    """An object, equal to itself and to equal numbers and texts."""

    __slots__ = ("value",)

    def __init__(self, value: Any):
        self.value = value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Same):
            return False
        one, two = self.value, other.value
        if type(one) is not type(two) or type(one) not in _PLAIN:
            return one is two
        return one == two and repr(one) == repr(two)  # 0 and -0 are two

    def __hash__(self) -> int:
        return 0  # few, and compared in turn
