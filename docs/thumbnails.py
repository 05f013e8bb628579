"""Small pictures for the tables: of shapes, metric-driven schedules, published runs.

Those of the schedules are in `pictures/`, because README shows them too.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import charts
import matplotlib
import numpy as np
import pictures
import runs
from matplotlib.figure import Figure

import jaxsched as js
import jaxsched.shapes as curves

matplotlib.use("agg")

FOLDER = Path(__file__).parent / "api" / "charts" / "small"
PEN = {"solid_capstyle": "round", "solid_joinstyle": "round", "clip_on": False}


def all_small() -> dict[str, Callable[[], Figure]]:
    """How to draw each, by the name of its file."""
    drawn = {f"shape_{name}": partial(of_shape, name) for name in curves.shapes}
    drawn |= {name: partial(of_driven, name) for name in driven()}
    return drawn | {f"published_{name}": partial(of_run, name) for name in runs.names()}


def driven() -> list[str]:
    """The names of the schedules that see a metric."""
    return [
        name
        for name, call in charts.MORE.items()
        if isinstance(js.parse(call), js.MetricDriven)
    ]


def small(values: np.ndarray, behind: np.ndarray | None = None) -> Figure:
    """A line without axes, as in `pictures/`, perhaps with a grey one behind it."""
    figure = Figure(figsize=(pictures.WIDTH / 96, pictures.HEIGHT / 96))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    top = max(values.max(), 0 if behind is None else behind.max())
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.09 * top, 1.09 * top))
    axes.plot([0, 1], [0, 0], color=pictures.MUTED, lw=0.5, alpha=0.6, **PEN)
    for line, look in ((behind, (pictures.MUTED, 0.8)), (values, (pictures.LINE, 1.6))):
        if line is not None:
            color, width = look
            share = np.linspace(0, 1, len(line))
            axes.plot(share, line, color=color, lw=width, **PEN)
    return figure


def of_shape(name: str) -> Figure:
    """A fall from 1 to 0, over the straight line."""
    steps = np.arange(101)
    return small(js.transition(1.0, 0.0, 100, shape=name).at(steps), 1 - steps / 100)


def of_driven(name: str) -> Figure:
    """The rate, over the loss that it follows."""
    made = js.parse(charts.CALLS[name])
    assert isinstance(made, js.MetricDriven)
    losses, rates = charts.driven_rates(made)
    return small(rates, losses / losses.max())


def of_run(name: str) -> Figure:
    """A published run, from its beginning to its end."""
    values = getattr(js.published, name)().at(
        np.linspace(0, 1, 401) * runs.length(name)[0]
    )
    return small(values / values.max())


def draw() -> None:
    """Draws them all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, made in all_small().items():
        made().savefig(FOLDER / f"{name}.svg", transparent=True)
