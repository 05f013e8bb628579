"""The picture of a schedule in a notebook: its curve as a small SVG, made without a
library.
"""

import html
import math
from typing import NamedTuple

import numpy as np

from jaxsched.arrays import is_traced
from jaxsched.inspection.phases import LAST_STEP, horizon, phases
from jaxsched.inspection.samples import curve
from jaxsched.schedule import Schedule
from jaxsched.schedule.phases import knots_of, phases_of
from jaxsched.schedule.stacking import leading_axes

_WIDTH, _HEIGHT, _MARGIN = 320, 80, 4
_COLOR, _MUTED = "#3b82f6", "#8b949e"  # to be seen on white and on black


def notebook(schedule: Schedule) -> str:
    """The repr of a schedule and, where its numbers are known, its curve, as HTML."""
    text = f"<code>{html.escape(repr(schedule))}</code>"
    if is_traced(schedule) or leading_axes("notebook", schedule):
        return text
    return f"{text}<br>{figure(schedule, Extent())[0]}"


Schedule.picture = staticmethod(notebook)


class Extent(NamedTuple):
    """What a picture shows at least."""

    steps: int = 0
    low: float = 0.0
    high: float = 0.0


def figure(schedule: Schedule, extent: Extent) -> tuple[str, Extent]:
    """The curve of a schedule as SVG with a line of text, and what it shows."""
    total = max(_shown(schedule), extent.steps)
    steps, values = curve(schedule, total + 1)
    finite = np.isfinite(values)
    low = float(np.min(values[finite], initial=extent.low))
    high = float(np.max(values[finite], initial=extent.high))
    shown = Extent(total, low, high)
    return _svg(steps[finite], values[finite], shown), shown


def _shown(schedule: Schedule) -> int:
    """How many steps to show: all, or of what never ends a beginning."""
    end = horizon(schedule)
    if end:
        return min(end, LAST_STEP - 1)
    last = max((phase.begin for phase in phases(schedule)), default=0)
    knot = int(max(knots_of(phases_of(schedule, math.inf)), default=0))
    return min(max(4 * last or 1000, knot), 2**31 - 2)


def _svg(steps: np.ndarray, values: np.ndarray, shown: Extent) -> str:
    total, low, high = shown
    height = high - low or 1.0
    x = _MARGIN + (_WIDTH - 2 * _MARGIN) * steps / total
    y = _MARGIN + (_HEIGHT - 2 * _MARGIN) * (high - values) / height
    # Thousands of points of a steep curve fall together when rounded.
    points = " ".join(
        dict.fromkeys(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    )
    zero = _MARGIN + (_HEIGHT - 2 * _MARGIN) * high / height
    label = f"steps 0 to {total:,}, values {low:.3g} to {high:.3g}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        f'role="img"><title>{label}</title>'
        f'<line x1="0" x2="{_WIDTH}" y1="{zero:.1f}" y2="{zero:.1f}" '
        f'stroke="{_MUTED}" stroke-width="0.5"/>'
        f'<polyline points="{points}" fill="none" stroke="{_COLOR}" '
        f'stroke-width="1.6" stroke-linejoin="round"/></svg>'
        f"<br><small>{label}</small>"
    )
