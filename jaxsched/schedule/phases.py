"""The phases of a rule: what is in force from which step to which.

A rule declares them beside its formula, as a function of the schedule and of the time
`until` which they are asked for: cycles that never end are listed up to there. Times are
exact numbers, fractions of steps included; a phase that never ends ends at infinity.
"""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxsched.rule import short
from jaxsched.schedule.knots import blocks, merged, none

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
      knots: The times within it at which the curve may turn or jump, for those who look
        for its peak; `phases` tells none.
    """

    name: str
    begin: Any
    end: Any
    is_joint: bool = True
    knots: Any = ()


Timeline = Callable[[Any, float], list[Phase]]


def phases_of(schedule: Any, until: float) -> list[Phase]:
    """The phases of a schedule with known numbers, as its rule declares them.

    They follow each other from time 0; an end that never comes is infinite. There is at
    least one.

    Raises:
      ValueError: The rule's own declaration leaves a gap, or is none.
    """
    rule = schedule._rule
    if not rule.is_own:  # a user's counts on the length of a run
        until = until if until == math.inf else max(math.ceil(until), 1)
    declared = rule.timeline(schedule, until)
    if not isinstance(declared, (list, tuple)) or not all(
        isinstance(p, Phase) for p in declared
    ):
        raise TypeError(
            f"{rule.name}: its phases must be a list of js.Phase, got {short(declared)}"
        )
    found = [
        p._replace(
            begin=number(p.begin), end=math.inf if p.end is None else number(p.end)
        )
        for p in declared
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
    inner = _held(s, until)
    return [Phase(s._rule.name, 0, math.inf, knots=knots_of(inner))]


def until_its_clock_ends(s: Any, until: float) -> list[Phase]:
    """A clock that comes to its end stands still, and the schedule with it."""
    if not isinstance(s.clock, type(s)):
        return unbounded(s, until)
    # Asked once each: a clock may itself be a schedule on a clock, many deep.
    clock = phases_of(s.clock, math.inf)
    knots = knots_of([*phases_of(s.schedule, until), *clock])
    return [Phase(s._rule.name, 0, clock[-1].end, knots=knots)]


def still(s: Any, until: float) -> list[Phase]:
    """The one phase of a number, which has no time of its own."""
    return [Phase(s._rule.name, 0, math.inf)]


def _held(s: Any, until: float) -> list[Phase]:
    """The phases of all that it holds, but numbers."""
    held = (v for v in s._values.values() if isinstance(v, (type(s), tuple)))
    inner = (x for v in held for x in (v if isinstance(v, tuple) else (v,)))
    own = (x for x in inner if isinstance(x, type(s)) and not is_constant(x))
    return [p for x in own for p in phases_of(x, until)]


def ending(s: Any, until: float) -> list[Phase]:
    """One phase that ends with the length `steps`: what a rule with one does by default.

    What it holds may go on for as long again.
    """
    if s.steps is None:
        return unbounded(s)
    inner, steps = _held(s, until), number(s.steps)
    end = steps + max((p.end for p in inner), default=0)
    # It may hold them from the beginning, or after its own steps.
    knots = knots_of(inner)
    return [Phase(s._rule.name, 0, end, knots=merged(knots, [steps], knots + steps))]


def within(s: Any, until: float) -> list[Phase]:
    """The phases of the schedule that it holds."""
    return phases_of(s.schedule, until)


def is_constant(schedule: Any) -> bool:
    """Whether it is a number in the place of a schedule, which has no time of its own."""
    return schedule._rule.timeline is still


def knots_of(found: list[Phase]) -> np.ndarray:
    """Where phases begin and end, and the knots within them."""
    edges = [t for p in found for t in (p.begin, p.end) if t < math.inf]
    return merged(edges, *(p.knots for p in found)) if found else none()


def mapped(found: list[Phase], later: Callable[[Any], Any]) -> list[Phase]:
    """The phases in another time, which a function of a time tells."""
    return [
        p._replace(
            begin=later(p.begin), end=later(p.end), knots=[later(t) for t in p.knots]
        )
        for p in found
    ]


def backwards(found: list[Phase], end: float) -> list[Phase]:
    """The phases from last to first, from a time on that was their end."""
    turned = mapped(found[::-1], lambda time: end - time)
    return [p._replace(begin=p.end, end=p.begin) for p in turned]


def moved(found: list[Phase], by: float) -> list[Phase]:
    """The phases that much later."""
    return [
        p._replace(begin=p.begin + by, end=p.end + by, knots=np.add(p.knots, by))
        for p in found
    ]


def cut(found: list[Phase], begin: float, end: float) -> list[Phase]:
    """What lies between two times; what has ended before the second is held."""
    kept = [
        p._replace(
            begin=max(p.begin, begin), end=min(p.end, end), knots=_cut(p, begin, end)
        )
        for p in found
        if p.begin < end and p.end > begin
    ]
    last = max(found[-1].end, begin)
    return kept + ([Phase("hold", last, end)] if last < end < math.inf else [])


def _cut(phase: Phase, begin: float, end: float) -> np.ndarray:
    knots = np.asarray(phase.knots, float)
    return knots[(knots >= begin) & (knots <= end)]


def together(first: list[Phase], second: list[Phase], sign: str) -> list[Phase]:
    """The phases of two schedules at once, named after both."""
    both = [*first, *second]
    edges = sorted({t for p in both for t in (p.begin, p.end)})
    surprises = {p.begin: True for p in both}
    for p in both:
        surprises[p.begin] &= p.is_joint
    names = zip(_names(first, edges), _names(second, edges), strict=True)
    found = [
        Phase(f"{one} {sign} {other}", a, b, surprises.get(a, True))
        for (one, other), (a, b) in zip(names, pairwise(edges), strict=False)
    ]
    return within_them(found, knots_of(both)) or [Phase("hold", 0, 0)]


def within_them(found: list[Phase], knots: np.ndarray) -> list[Phase]:
    """The phases, each with those of the knots that lie within it."""
    begins = np.searchsorted(knots, [p.begin for p in found])
    ends = np.searchsorted(knots, [p.end for p in found], side="right")
    return [
        p._replace(knots=knots[a:b])
        for p, a, b in zip(found, begins, ends, strict=True)
    ]


def in_blocks(found: list[Phase], every: float, until: float) -> list[Phase]:
    """The phases of what changes with each block of a length."""
    return within_them(found, merged(knots_of(found), blocks(every, until)))


def _names(found: list[Phase], times: list[Any]) -> Iterator[str]:
    """What is in force at each of rising times."""
    rest = iter(found)
    now = next(rest, None)
    for time in times:
        while now is not None and now.end <= time:
            now = next(rest, None)
        yield "hold" if now is None else now.name
