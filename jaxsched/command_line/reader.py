"""Text of schedules as the command line reads it: with the names of other libraries."""

import ast
import inspect
from collections.abc import Callable
from typing import Any

import jaxsched as js
from jaxsched.command_line.peers import LIBRARIES, PEERS, named
from jaxsched.rule import Names
from jaxsched.rule.alike import alike, nearest
from jaxsched.schedule import schedules
from jaxsched.shapes import shapes
from jaxsched.text.names import unknown
from jaxsched.text.parse import Reader


class PeerReader(Reader):
    """Reads what `js.parse` reads, and the calls of other libraries' schedules."""

    def __init__(self, text: str):
        super().__init__(text, PEERS)

    def _value(self, node: ast.expr, depth: int, names: Names) -> Any:
        if not isinstance(node, ast.Dict) or not all(node.keys):
            return super()._value(node, depth, names)
        # Some of those take a dict, such as Optax's piecewise_constant_schedule.
        found = {}
        for key, entry in zip(node.keys, node.values, strict=True):
            read = self._value(key or node, depth + 1, names)
            if not isinstance(read, (int, float, str)):
                self._refuse_at(key or node, "a key of a dict is a number or text")
            found[read] = self._value(entry, depth + 1, names)
        return found

    def _unknown(self, name: str, names: Names) -> str:
        return no_such(name, names)


def read(text: str) -> Any:
    """What an expression makes, a schedule or one that is driven by a metric."""
    return PeerReader(text).read(schedules)


def constructor(name: str) -> Callable[..., Any]:
    """What a name means in an expression, a schedule or a shape.

    Raises:
      ValueError: There is nothing of the name, or several packages have it.
    """
    if name in PEERS:
        return PEERS[name]
    for names in (schedules, shapes):
        if (rule := names.find(name)) is not None:
            return rule.constructor
    raise ValueError(no_such(name, schedules))


def no_such(name: str, names: Names) -> str:
    """What to say of an unknown name, and where there may be what is meant."""
    if name in LIBRARIES:
        return f"{name} is a library, not a {names.kind}: see jaxsched list {name}"
    if inspect.isfunction(found := getattr(js, name.removeprefix("js."), None)):
        shown = f"see help(jaxsched.{found.__name__}) in Python"
        return f"{name} is a function, not a {names.kind}: {shown}"
    if set(LIBRARIES).intersection(name.split(".")[:-1]):
        return f"there is no {names.kind} {name[:40]!r}{nearest(alike(name, PEERS))}"
    others = f"; there is {' and '.join(peers)}" if (peers := named(name)) else ""
    return f"{unknown(name, names)}{others}; --import MODULE makes your own known"
