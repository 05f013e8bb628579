"""Where two schedules are not made alike: other hyperparameters, other rules."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from jaxsched.rule import Bound, as_called, same, short
from jaxsched.shapes import OfShape, Shape

# Of a long list of schedules the beginning is printed.
_CHARACTERS = 60


class Change(NamedTuple):
    """One place in which two schedules are not made alike.

    Attributes:
      path: The place: "steps", "schedule.steps", "schedules[1]", or "" for the whole.
      first: What the first schedule has there: a hyperparameter, or a schedule where the
        other has a schedule of another kind.
      second: What the second schedule has there.
    """

    path: str
    first: Any
    second: Any

    def __str__(self) -> str:
        first, second = in_short(self.first), in_short(self.second)
        return f"{self.path or 'the schedule'}: {first} -> {second}"


def changes(
    first: Any, second: Any, path: str = "", *, as_written: bool = False
) -> Iterator[Change]:
    """The places in which two schedules, or what they hold, are not made alike.

    As written: by the arguments of the recipes that made them.
    """
    if isinstance(first, Bound) and isinstance(second, Bound):
        if as_written:
            first, second = as_called(first), as_called(second)
        if first._rule == second._rule:
            for name, value in first._values.items():
                below = f"{path}.{name}" if path else name
                other = second._values[name]
                yield from changes(value, other, below, as_written=as_written)
            return
    elif isinstance(first, tuple) and isinstance(second, tuple):
        if len(first) == len(second):
            for i, pair in enumerate(zip(first, second, strict=True)):
                yield from changes(*pair, f"{path}[{i}]", as_written=as_written)
            return
    elif same(first, second):
        return
    yield Change(path, first, second)


def in_short(value: Any) -> str:
    """A hyperparameter as text of bounded length."""
    if isinstance(value, Shape):
        return OfShape().write(value)
    if isinstance(value, tuple):  # schedules: their names say which one is new
        names = ", ".join(entry._rule.name for entry in value)
        cut = names if len(names) <= _CHARACTERS else f"{names[:_CHARACTERS]}..."
        return f"{len(value)} schedules ({cut})"
    return short(value)
