"""The values of a run: every step, or of a very long run enough of them."""

from typing import NamedTuple

import numpy as np

from jaxsched.inspection.phases import phases
from jaxsched.schedule import Schedule

# Runs up to here are looked at step by step, which takes a fraction of a second.
_EVERY = 2**22  # 4,194,304
_CHUNK = 2**18


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
    is_exact = total_steps <= _EVERY
    steps = np.arange(total_steps) if is_exact else _sampled(schedule, total_steps)
    # Each stands for the steps nearer to it than to another.
    middles = (steps[1:] + steps[:-1] + 1) // 2
    weights = np.diff(middles, prepend=0, append=total_steps).astype(np.float64)
    return Samples(steps, values_at(schedule, steps), weights, is_exact)


def values_at(schedule: Schedule, steps: np.ndarray) -> np.ndarray:
    """The values at many steps, in chunks of one length: one program, little memory."""
    if len(steps) <= _CHUNK:
        return np.asarray(schedule.at(steps), np.float64)
    padding = -len(steps) % _CHUNK
    chunks = np.pad(steps, (0, padding), mode="edge").reshape(-1, _CHUNK)
    found = np.concatenate([np.asarray(schedule.at(c), np.float64) for c in chunks])
    return found[: len(steps)]


def _sampled(schedule: Schedule, total_steps: int) -> np.ndarray:
    """The first and last steps of every phase, and even steps within and over all."""
    found = [p for p in phases(schedule, total_steps) if p.begin < total_steps]
    spans = [(p.begin, total_steps if p.end is None else p.end) for p in found]
    spans = [(begin, min(end, total_steps) - 1) for begin, end in spans]
    spans.append((0, total_steps - 1))
    points = max(2, _CHUNK // len(spans))
    return np.unique([np.linspace(*span, points).astype(np.int64) for span in spans])
