"""A curve in one line of text."""

import numpy as np

from jaxsched.inspection.samples import Samples
from jaxsched.schedule import Schedule

_BARS = "▁▂▃▄▅▆▇█"
_WIDTH = 60


def sparkline(schedule: Schedule, run: Samples, total: int) -> str:
    """The curve of a run, whose samples are given, from 0 or the lowest to the peak.

    Of each column one value is shown: the mean would hide the ends.
    """
    columns = min(total, _WIDTH)
    steps = np.linspace(0, total - 1, columns).astype(np.int64)
    finite = np.where(np.isfinite(run.values), run.values, 0.0)
    low, high = min(0.0, finite.min()), max(0.0, finite.max())
    begins = np.minimum(np.searchsorted(run.steps, steps), len(run.steps) - 1)
    spread = np.maximum.reduceat(finite, begins) - np.minimum.reduceat(finite, begins)
    if total > columns and np.median(spread) > (high - low) / 2:
        # Most columns hold ups and downs, with which even steps would beat.
        sizes = np.diff(steps, append=total)
        places = np.random.default_rng(0).random(columns)
        steps = np.minimum(steps + (places * sizes).astype(np.int64), total - 1)
    values = np.atleast_1d(np.asarray(schedule.at(steps), np.float64))
    for extreme in (np.argmin(finite), np.argmax(finite)):  # however short they are
        values[np.searchsorted(begins, extreme, side="right") - 1] = finite[extreme]
    values = np.where(np.isfinite(values), values, 0.0)
    height = (values - low) / (high - low) if high > low else np.zeros(len(values))
    return "".join(_BARS[int(h)] for h in np.rint(height * (len(_BARS) - 1)))
