"""The table of properties in `choose.md`, found by calling the library."""

from collections.abc import Iterator

import docstrings
import numpy as np
import pictures

import jaxsched as js

# Combinators have the properties of what they hold.
GROUPS = [title for title in pictures.EXAMPLES if title != "Combinators"]

# A thousandth of the peak is as good as 0 to an optimizer.
NEGLIGIBLE = 1e-3


def table() -> str:
    """A row for every schedule, as Markdown."""
    head = [
        "| | use it when | needs the length of the run | ends at 0 | restarts | source |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    return "\n".join([*head, *rows()]) + "\n"


def rows() -> Iterator[str]:
    """The rows, in the order of the pictures."""
    for title in GROUPS:
        for call in pictures.EXAMPLES[title]:
            name = pictures.name_of(call)
            schedule, made = js.parse(call), getattr(js, name)
            assert isinstance(schedule, js.Schedule), call
            cells = [
                f"{{py:func}}`{name} <jaxsched.{name}>`",
                docstrings.use(made),
                "no" if js.horizon(schedule) is None else "yes",
                ends_at_zero(schedule),
                "yes" if restarts(schedule) else "no",
                docstrings.reference(made).replace("|", "\\|"),
            ]
            yield f"| {' | '.join(cells)} |"


def ends_at_zero(schedule: js.Schedule) -> str:
    """What becomes of it, at its end or at the last step that can be counted."""
    end = js.horizon(schedule)
    peak = schedule.at(pictures.STEPS).max()
    last = schedule.at(2**31 - 1 if end is None else end)
    if last > NEGLIGIBLE * peak:
        return "no"
    if end is None:
        return "in the limit"
    return "yes" if last == 0 else "nearly"


def restarts(schedule: js.Schedule) -> bool:
    """Whether it rises after it has fallen."""
    moves = np.diff(schedule.at(np.arange(1000)))
    falls = np.flatnonzero(moves < 0)
    return bool(len(falls)) and bool(np.any(moves[falls[0] :] > 0))
