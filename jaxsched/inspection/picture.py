"""The picture of a schedule in a notebook: its curve as a small SVG, made without a
library.
"""

import html
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxsched.arrays import is_traced
from jaxsched.inspection.phases import LAST_STEP, latest_end
from jaxsched.inspection.samples import curve
from jaxsched.inspection.window import window
from jaxsched.metric_driven.machine import MetricDriven
from jaxsched.rule import Bound
from jaxsched.schedule import Schedule
from jaxsched.schedule.stacking import leading_axes, unstack

_WIDTH, _HEIGHT, _MARGIN = 320, 80, 4
# To be seen on white and on black.
_COLORS = ("#3b82f6", "#d97706", "#16a34a", "#9333ea", "#dc2626", "#0891b2")
_MUTED = "#8b949e"
# More curves than that hide each other.
_CURVES = 12


def notebook(bound: Bound) -> str:
    """The repr of a schedule and, where its numbers are known, its curve, as HTML.

    Of a stacked one the curves of some, of a metric-driven one that of the schedule
    inside.
    """
    text = f"<code>{html.escape(repr(bound))}</code>"
    axes = () if is_traced(bound) else leading_axes("notebook", bound)
    if is_traced(bound) or len(axes) > 1 or 0 in axes:
        return text
    every = unstack(bound) if axes else [bound]
    shown = [every[i] for i in np.linspace(0, len(every) - 1, _CURVES).astype(int)]
    curves = [_curve_of(one) for one in (shown if len(every) > _CURVES else every)]
    found = [one for one in curves if one is not None]
    if not found:
        return text
    notes = [f"{len(found)} of {len(every)} schedules"] if axes else []
    notes += ["before any metric"] if isinstance(bound, MetricDriven) else []
    return f"{text}<br>{figure(found, Extent(), notes)[0]}"


Bound.picture = staticmethod(notebook)


def _curve_of(bound: Any) -> Schedule | None:
    """What has a curve: a schedule, or the one that a metric drives."""
    while isinstance(bound, MetricDriven):
        bound = bound.schedule
    return bound if isinstance(bound, Schedule) else None


class Extent(NamedTuple):
    """What a picture shows at least."""

    steps: int = 0
    low: float = 0.0
    high: float = 0.0


def figure(
    schedules: Sequence[Schedule], extent: Extent, notes: Sequence[str] = ()
) -> tuple[str, Extent]:
    """The curves of schedules as SVG with a line of text, and what it shows."""
    # An end is shown too; of what has none the next step may begin a new cycle.
    ends = latest_end(schedules) > 0
    last = max(min(window(schedules), LAST_STEP) - (not ends), extent.steps)
    curves = []
    for schedule in schedules:
        steps, values = curve(schedule, last + 1)
        finite = np.isfinite(values)
        curves.append((steps[finite], values[finite]))
    values = np.concatenate([values for _, values in curves])
    low = float(np.min(values, initial=extent.low))
    high = float(np.max(values, initial=extent.high))
    shown = Extent(last, low, high)
    label = f"steps 0 to {last:,}, values {low:.3g} to {high:.3g}"
    return _svg(curves, shown, ", ".join([label, *notes])), shown


def _svg(
    curves: Sequence[tuple[np.ndarray, np.ndarray]], shown: Extent, label: str
) -> str:
    last, low, high = shown
    height = high - low or 1.0
    zero = _MARGIN + (_HEIGHT - 2 * _MARGIN) * high / height
    lines = []
    for i, (steps, values) in enumerate(curves):
        x = _MARGIN + (_WIDTH - 2 * _MARGIN) * steps / max(last, 1)
        y = _MARGIN + (_HEIGHT - 2 * _MARGIN) * (high - values) / height
        # Thousands of points of a steep curve fall together when rounded.
        points = " ".join(
            dict.fromkeys(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
        )
        color = _COLORS[i % len(_COLORS)]
        lines.append(
            f'<polyline points="{points}" fill="none" stroke="{color}" '
            'stroke-width="1.6" stroke-linejoin="round"/>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        f'role="img"><title>{label}</title>'
        f'<line x1="0" x2="{_WIDTH}" y1="{zero:.1f}" y2="{zero:.1f}" '
        f'stroke="{_MUTED}" stroke-width="0.5"/>'
        f"{''.join(lines)}</svg>"
        f"<br><small>{label}</small>"
    )
