"""Which steps of a long run to look at: enough to find its peak and to tell its mean.

Those at which a phase, a cycle or a line of a table begins are known. Between them one
step is drawn from each of many cells: even steps would beat with a period, and could all
lie at the bottom of a cycle. Around the highest and the lowest of them all is looked at.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from jaxsched.schedule import Schedule
from jaxsched.schedule.knots import chosen
from jaxsched.schedule.phases import knots_of, phases_of

# A knot is a time; the steps on either side of it.
_AROUND = np.arange(-1, 3)

# From each end of a phase on cells grow by that many a time as large.
_GROWING = 512

Height = Callable[[np.ndarray], np.ndarray]

# So many summits are climbed, by that many steps at once.
_SUMMITS, _STEPS = 16, 32


def known_steps(
    schedules: Sequence[Schedule], begin: int, end: int, most: int
) -> np.ndarray:
    """The steps from `begin` to before `end` next to knots, or of very many some."""
    last = end - 1
    found = [np.array([begin, last])]
    for schedule in schedules:
        knots = np.floor(knots_of(phases_of(schedule, end)))
        knots = knots[(knots >= begin - 2) & (knots <= end)].astype(np.int64)
        found.append(knots[chosen(len(knots), most)])
    steps = np.unique(np.add.outer(np.concatenate(found), _AROUND))
    return steps[(steps >= begin) & (steps <= last)]


def drawn(
    schedules: Sequence[Schedule], begin: int, end: int, points: int
) -> tuple[np.ndarray, np.ndarray]:
    """A step of each cell, and how large the cell is; together they fill the time."""
    spans = [(begin, end)]
    for schedule in schedules:
        ends = ((p.begin, min(p.end, end)) for p in phases_of(schedule, end))
        whole = ((math.ceil(max(a, begin)), math.ceil(b)) for a, b in ends)
        spans += [(a, b) for a, b in whole if a < b <= end]
    each = max(2, points // len(spans))
    edges = np.concatenate([_edges(a, b, each) for a, b in spans])
    edges = np.unique(np.clip(edges, begin, end))
    sizes = np.diff(edges)
    places = np.random.default_rng(0).random(len(sizes))
    return edges[:-1] + np.minimum((places * sizes).astype(np.int64), sizes - 1), sizes


def _edges(begin: int, end: int, count: int) -> np.ndarray:
    """Even ones, and closer ones near both ends, where curves are steep."""
    length = end - begin
    evenly = np.linspace(0, length, min(count, length) + 1).astype(np.int64)
    closer = np.geomspace(1, length, min(count // 4 + 1, _GROWING)).astype(np.int64)
    return begin + np.concatenate([evenly, closer, length - closer])


def summits(height: Height, steps: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """Steps at the top of the highest summits, from rising steps with their heights."""
    heights = np.nan_to_num(heights, nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    sides = np.pad(heights, 1, constant_values=-np.inf)
    tops = np.flatnonzero((heights >= sides[:-2]) & (heights >= sides[2:]))
    best = tops[np.argsort(-heights[tops], kind="stable")[:_SUMMITS]]
    top, low = steps[best], steps[np.maximum(best - 1, 0)]
    high = steps[np.minimum(best + 1, len(steps) - 1)]
    while np.any(high - low > 2):
        around = np.vstack([_between(low, high), top])
        found = np.nan_to_num(height(around), nan=-np.inf)
        # The last row is the top until now: one that is as high is not climbed to.
        place = np.argmax(found[::-1], axis=0)
        top = around[::-1][place, np.arange(len(top))]
        low = np.where(around < top, around, low).max(axis=0)
        high = np.where(around > top, around, high).min(axis=0)
    return top


def first_where(
    holds: Callable[[np.ndarray], np.ndarray], low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """From where on something holds: it does at `high`, but not at `low` before it."""
    while np.any(high - low > 1):
        around = _between(low, high)
        first = np.argmax(holds(around) | (around == high), axis=0)
        column = np.arange(len(low))
        low, high = around[np.maximum(first - 1, 0), column], around[first, column]
    return high


def _between(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Steps from one to another, both included, in a column for each pair."""
    parts = np.arange(_STEPS + 1)[:, None]
    # The lengths are divided first: 32 times a length may be too large an integer.
    whole, rest = np.divmod(high - low, _STEPS)
    return low + parts * whole + parts * rest // _STEPS
