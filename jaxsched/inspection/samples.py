"""The values of a run: every step, or of a very long run enough of them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxsched.inspection.phases import LAST_STEP, latest_end, phases, run_length
from jaxsched.rule import short
from jaxsched.schedule import Schedule

# Runs up to here are looked at step by step, which takes a fraction of a second.
_EVERY = 2**22  # 4,194,304
_SAMPLES = 2**18  # of a longer run


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


def known_length(
    function: str, schedules: Sequence[Schedule], total_steps: int | None
) -> int:
    """The length of a run: as given, or else that of the schedule that ends last."""
    if total_steps is not None:
        return run_length(function, total_steps)
    last = latest_end(schedules)
    if not 0 < last <= LAST_STEP:
        why = (
            "have no end or no length"
            if last == 0
            else "end after the last step that is read"
        )
        raise ValueError(
            f"{function}: total_steps must be given for schedules that {why}, got "
            f"total_steps=None for {short(list(schedules))}"
        )
    return last


def samples(schedule: Schedule, total_steps: int) -> Samples:
    """The values of a run of that length."""
    is_exact = total_steps <= _EVERY
    steps = np.arange(total_steps) if is_exact else _sampled(schedule, total_steps)
    # Each stands for the steps nearer to it than to another.
    middles = (steps[1:] + steps[:-1] + 1) // 2
    weights = np.diff(middles, prepend=0, append=total_steps).astype(np.float64)
    return Samples(steps, schedule.at(steps), weights, is_exact)


def _sampled(schedule: Schedule, total_steps: int) -> np.ndarray:
    """The first and last steps of every phase, and even steps within and over all."""
    found = [p for p in phases(schedule, total_steps) if p.begin < total_steps]
    spans = [(p.begin, total_steps if p.end is None else p.end) for p in found]
    spans = [(begin, min(end, total_steps) - 1) for begin, end in spans]
    spans.append((0, total_steps - 1))
    points = max(2, _SAMPLES // len(spans))
    return np.unique([np.linspace(*span, points).astype(np.int64) for span in spans])


# A curve: even steps, and up to that many more where it bends; a bend is what lies off
# the line between two points by that part of the height, too little to be seen.
_POINTS, _MORE = 1024, 2**15
_BEND = 1e-3


def curve(
    schedule: Schedule, total_steps: int, log: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Steps of a run and their values: as many as a line through them needs.

    Phases begin at one of them. Where the curve bends (on a logarithmic scale, if `log`)
    they lie closer, down to single steps: a jump is found exactly, wherever it is.
    """
    last = total_steps - 1
    begins = [p.begin + d for p in phases(schedule, total_steps) for d in (-1, 0)]
    evenly = np.linspace(0, last, min(total_steps, _POINTS)).astype(np.int64)
    steps = np.union1d(evenly, [b for b in begins if 0 <= b <= last]).astype(np.int64)
    values = schedule.at(steps)
    # What is 0 on a logarithmic scale lies a little below all else, not infinitely.
    floor = 1e-3 * values.min(initial=1.0, where=values > 0)
    height_of = (lambda v: np.log(np.maximum(v, floor))) if log else (lambda v: v)
    low, high = steps[:-1], steps[1:]
    while len(steps) < _MORE:
        is_wide = high - low > 1
        low, high = low[is_wide], high[is_wide]
        if not len(low):
            break
        # At two points of each: the middle of an S lies on its line.
        third = (high - low + 1) // 3
        inner = np.stack([low + third, high - third])
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
