"""The values of a run: every step, or of a very long run enough of them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxsched.inspection.places import Height, drawn, known_steps, summits
from jaxsched.schedule import Schedule

# Runs up to here are looked at step by step, which takes a fraction of a second.
_EVERY = 2**22  # 4,194,304
_SAMPLES = 2**19  # of a longer run


class Samples(NamedTuple):
    """Steps of a run with their values.

    Attributes:
      steps: Rising, the first and the last step of the run among them.
      values: The value at each of them, as float64.
      weights: How many steps each of them stands for; together the whole run.
      is_exact: Whether all steps are there.
    """

    steps: np.ndarray
    values: np.ndarray
    weights: np.ndarray
    is_exact: bool


def samples(schedule: Schedule, total_steps: int) -> Samples:
    """The values of a run of that length."""
    if total_steps <= _EVERY:
        steps = np.arange(total_steps)
        return Samples(steps, schedule.at(steps), np.ones(total_steps), True)
    return sampled(schedule.at, [schedule], 0, total_steps, _SAMPLES)


def steps_for(a: Schedule, b: Schedule, total_steps: int) -> tuple[np.ndarray, bool]:
    """The steps of a run at which two schedules are compared; whether that is all."""
    if total_steps <= _EVERY:
        return np.arange(total_steps), True

    def gap(step: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore"):  # infinity less infinity
            return np.abs(a.at(step) - b.at(step))

    return sampled(gap, [a, b], 0, total_steps, _SAMPLES).steps, False


def sampled(
    read: Height,
    schedules: Sequence[Schedule],
    begin: int,
    end: int,
    points: int,
    most: int = 2**17,
) -> Samples:
    """Enough values of a long run, its highest and its lowest ones among them.

    Args:
      read: The value at steps.
      schedules: What it is the value of: where these turn, it may turn.
      begin: The first step.
      end: The step after the last one.
      points: About how many steps are drawn, besides those that are known to matter.
      most: How many knots are known at most.
    """
    sure = known_steps(schedules, begin, end, most)
    cells, sizes = drawn(schedules, begin, end, points)
    steps = np.union1d(sure, cells)
    values = read(steps)
    tops = summits(read, steps, values)
    bottoms = summits(lambda step: -read(step), steps, -values)
    more = np.setdiff1d(np.concatenate([tops, bottoms]), steps)
    order = np.argsort(np.append(steps, more))
    steps = np.append(steps, more)[order]
    values = np.append(values, read(more))[order]
    # What is sure stands for itself, what was drawn for the rest of its cell.
    sure = np.union1d(sure, more)
    ends = np.cumsum(sizes) + begin
    rest = sizes - np.diff(np.searchsorted(sure, ends), prepend=0)
    weights = np.isin(steps, sure).astype(np.float64)
    np.add.at(weights, np.searchsorted(steps, cells), rest)
    return Samples(steps, values, weights, False)


# A curve: even steps, and up to that many more where it bends; a bend is what lies off
# the line between two points by that part of the height, too little to be seen.
_POINTS, _MORE = 1024, 2**15
_BEND = 1e-3


def curve(
    schedule: Schedule, total_steps: int, log: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Steps of a run and their values: as many as a line through them needs.

    Phases and cycles begin at one of them. Where the curve bends (on a logarithmic
    scale, if `log`) they lie closer, down to single steps: a jump is found exactly,
    wherever it is.
    """
    if total_steps <= _POINTS:
        steps = np.arange(total_steps)
        values = schedule.at(steps)
    else:
        read, own = schedule.at, [schedule]
        steps = sampled(read, own, 0, total_steps, _POINTS, most=_POINTS).steps
        found = sampled(read, own, 0, total_steps, _MORE)
        ends = [np.argmin(found.values), np.argmax(found.values)]
        steps = np.union1d(steps, found.steps[ends])
        values = schedule.at(steps)
    # What is 0 on a logarithmic scale lies a little below all else, not infinitely.
    floor = 1e-3 * values.min(initial=1.0, where=values > 0)
    height_of = (lambda v: np.log(np.maximum(v, floor))) if log else (lambda v: v)
    low, high = steps[:-1], steps[1:]
    random = np.random.default_rng(0)
    while len(steps) < _MORE:
        is_wide = high - low > 1
        low, high = low[is_wide], high[is_wide]
        if not len(low):
            break
        # At two points of each, for the middle of an S lies on its line; anywhere near a
        # third and two thirds, for what goes round could be the same there.
        widths = (high - low - 2) // 4 + 1
        near = (random.random((2, len(low))) * widths).astype(np.int64)
        third = (high - low + 1) // 4 + near
        inner = np.stack(
            [low + np.maximum(third[0], 1), high - np.maximum(third[1], 1)]
        )
        inner.sort(axis=0)
        found = schedule.at(inner)
        line = np.interp(inner, steps, height_of(values))
        steps, order = np.unique(np.append(steps, inner), return_index=True)
        values = np.append(values, found)[order]
        heights = height_of(values)
        heights = heights[np.isfinite(heights)]
        height = np.ptp(heights) if len(heights) else 0.0
        bends = ~np.all(np.abs(height_of(found) - line) <= _BEND * height, axis=0)
        edges = np.stack([low, *inner, high])[:, bends]
        low, high = np.ravel(edges[:-1]), np.ravel(edges[1:])
    return steps, values
