"""The phases of a rule: what is in force from which step to which.

A rule declares them beside its formula, as a function of the schedule and of the time
`until` which they are asked for: cycles that never end are listed up to there. Times are
exact numbers, fractions of steps included; a phase that never ends ends at infinity.
"""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import jax
import numpy as np

# More cycles or values than that are one phase: nobody reads a list of thousands.
MOST = 32

# What comes after the cycles that were asked for, where they never end.
MORE = "more cycles"


class Phase(NamedTuple):
    """A part of a schedule's time.

    Attributes:
      name: What is in force: "warmup", "cosine", "cycle 2".
      begin: Its first step.
      end: The first step after it, or None if it never ends.
      is_joint: Whether it follows on another phase that was meant to lead to it, so that
        a jump at `begin` is a surprise. A table or a restart jumps on purpose.
    """

    name: str
    begin: Any
    end: Any
    is_joint: bool = True


Timeline = Callable[[Any, float], list[Phase]]


def phases_of(schedule: Any, until: float) -> list[Phase]:
    """The phases of a schedule with known numbers, as its rule declares them.

    They follow each other from time 0; an end that never comes is infinite. There is at
    least one.

    Raises:
      ValueError: The rule's own declaration leaves a gap, or is none.
    """
    rule = schedule._rule
    found = [
        Phase(
            p.name, number(p.begin), math.inf if p.end is None else number(p.end), p[3]
        )
        for p in rule.timeline(schedule, until)
    ]
    times = [0, *(p.end for p in found)]
    if not found or any(p.begin != t for p, t in zip(found, times, strict=False)):
        raise ValueError(
            f"{rule.name}: its phases must follow each other from step 0 without a gap, "
            f"got {found}"
        )
    if not all(p.begin <= p.end for p in found):
        raise ValueError(f"{rule.name}: a phase must not end before it begins: {found}")
    return found


def number(value: Any) -> Any:
    """A hyperparameter as a Python number."""
    return value if isinstance(value, (int, float)) else jax.device_get(value).item()


def times(boundaries: Any) -> list[Any]:
    """The boundaries of a table as Python numbers."""
    return np.asarray(jax.device_get(getattr(boundaries, "array", boundaries))).tolist()


def unbounded(s: Any, until: float = math.inf) -> list[Phase]:
    """One phase without an end, called like the rule."""
    return [Phase(s._rule.name, 0, math.inf)]


def still(s: Any, until: float) -> list[Phase]:
    """The one phase of a number, which has no time of its own."""
    return unbounded(s)


def ending(s: Any, until: float) -> list[Phase]:
    """One phase that ends with the length `steps`: what a rule with one does by default.

    What it holds may go on for as long again.
    """
    if s.steps is None:
        return unbounded(s)
    held = (v for v in s._values.values() if isinstance(v, (type(s), tuple)))
    inner = [x for v in held for x in (v if isinstance(v, tuple) else (v,))]
    ends = (phases_of(x, until)[-1].end for x in inner if not is_constant(x))
    return [Phase(s._rule.name, 0, number(s.steps) + max(ends, default=0))]


def within(s: Any, until: float) -> list[Phase]:
    """The phases of the schedule that it holds."""
    return phases_of(s.schedule, until)


def is_constant(schedule: Any) -> bool:
    """Whether it is a number in the place of a schedule, which has no time of its own."""
    return schedule._rule.timeline is still


def moved(found: list[Phase], by: float) -> list[Phase]:
    """The phases that much later."""
    return [p._replace(begin=p.begin + by, end=p.end + by) for p in found]


def cut(found: list[Phase], begin: float, end: float) -> list[Phase]:
    """What lies between two times; what has ended before the second is held."""
    kept = [
        p._replace(begin=max(p.begin, begin), end=min(p.end, end))
        for p in found
        if p.begin < end and p.end > begin
    ]
    last = max(found[-1].end, begin)
    return kept + ([Phase("hold", last, end)] if last < end < math.inf else [])


def together(first: list[Phase], second: list[Phase], sign: str) -> list[Phase]:
    """The phases of two schedules at once, named after both."""
    both = [*first, *second]
    edges = sorted({t for p in both for t in (p.begin, p.end)})
    found = [
        Phase(f"{_at(first, a)} {sign} {_at(second, a)}", a, b, _joint(both, a))
        for a, b in pairwise(edges)
    ]
    return found or [Phase("hold", 0, 0)]


def _at(found: list[Phase], time: float) -> str:
    return next((p.name for p in found if p.begin <= time < p.end), "hold")


def _joint(found: list[Phase], time: float) -> bool:
    return all(p.is_joint for p in found if p.begin == time)
