"""What an expression may call, with its signature and summary."""

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jaxsched as js
from jaxsched.command_line.peers import LIBRARIES, schedules_of
from jaxsched.rule import rule_of
from jaxsched.schedule import schedules
from jaxsched.shapes import shapes
from jaxsched.text.names import is_called


class Entry(NamedTuple):
    """A schedule or a shape.

    Attributes:
      name: What an expression calls it.
      made: Its constructor.
      room: The heading it stands under: Decays, Combinators, ...
    """

    name: str
    made: Callable[..., Any]
    room: str

    @property
    def call(self) -> str:
        """The signature without its annotations."""
        rule = rule_of(self.made)
        if not is_called(rule):
            return repr(self.name)
        return self.name + rule.usage.removeprefix(rule.name)

    @property
    def documentation(self) -> str:
        """What `help` shows of it in Python."""
        return inspect.getdoc(self.made) or ""

    @property
    def summary(self) -> str:
        """The first line of that."""
        return self.documentation.partition("\n")[0]

    def has(self, words: tuple[str, ...], paragraphs: int = 1) -> bool:
        """Whether each is in its name, or begins a word of its heading or description.

        Args:
          words: What is looked for.
          paragraphs: How many of its description count, the summary alone or more.
        """
        said = self.documentation.split("\n\n")[:paragraphs]
        text = " ".join([self.room, *said]).lower()
        return all(
            _plain(word) in _plain(self.name)
            or re.search(rf"(?<![a-z0-9]){re.escape(word)}", text)
            for word in map(str.lower, words)
        )


def _plain(name: str) -> str:
    """A name as people spell it: one cycle, one-cycle, onecycle."""
    return re.sub(r"[ _-]", "", name.lower())


def entries() -> Iterator[Entry]:
    """The public ones in their order, then those that were imported."""
    for module in (js, js.planning, js.published):
        for name in module.__all__:
            made = getattr(module, name)
            if hasattr(made, "__rule__"):
                yield Entry(name, made, _room(made))
    for names in (schedules, shapes):
        for rule in names.rules():
            if not rule.is_own:
                yield Entry(names.shortest(rule), rule.constructor, rule.path[0])


def named_shapes() -> Iterator[Entry]:
    """The shapes that are named in quotes."""
    for rule in shapes.rules():
        if rule.is_own and not is_called(rule):
            yield Entry(rule.name, rule.constructor, _room(rule.constructor))


def foreign_entries() -> Iterator[Entry]:
    """Those of other libraries."""
    for library in LIBRARIES:
        for name, made in schedules_of(library).items():
            yield Entry(f"{library}.{name}", made, library)


def functions() -> Iterator[Entry]:
    """The public functions of Python that are no schedules."""
    for name in js.__all__:
        made = getattr(js, name)
        if inspect.isfunction(made) and not hasattr(made, "__rule__"):
            yield Entry(name, made, "")


def _room(made: Callable[..., Any]) -> str:
    return rule_of(made).path[1].replace("_", " ").capitalize()
