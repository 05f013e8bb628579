"""What the page of published runs shows: a picture of all of them, and a table."""

import inspect
from collections.abc import Iterator

import docstrings
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import jaxsched as js

COLUMNS = 8
GREY = "#888888"
# They have no end: how many times as long as the constant part they are drawn.
ENDLESS = {"minicpm": 1.1, "t5": 52.4288}


def names() -> list[str]:
    """The runs, in the order of the package."""
    return js.published.__all__


def length(name: str) -> tuple[float, str]:
    """How long a run is, and what a step is."""
    arguments = inspect.signature(getattr(js.published, name)).parameters
    if name in ENDLESS:
        return ENDLESS[name] * arguments["stable_steps"].default, "updates"
    [(total, unit)] = [
        (argument.default, word.removeprefix("total_"))
        for word, argument in arguments.items()
        if word.startswith("total_")
    ]
    return float(total), {"steps": "updates"}.get(unit, unit)


def picture() -> Figure:
    """Every run, from its beginning to its end, as a share of its peak."""
    rows = -(-len(names()) // COLUMNS)
    figure = Figure(figsize=(11, 1.25 * rows), layout="constrained")
    places = figure.subplots(rows, COLUMNS, sharex=True, sharey=True).flat
    share = np.linspace(0, 1, 1001)
    for name, axes in zip(names(), places, strict=False):
        values = getattr(js.published, name)().at(share * length(name)[0])
        axes.plot(100 * share, values / values.max(), color="#3b82f6")
        axes.set_title(name, fontsize="small", color=GREY)
    for axes in places:  # those that are left
        axes.set_axis_off()
    for axes in figure.axes:
        mute(axes)
        axes.tick_params(labelsize="small")
        axes.set(xticks=[0, 50, 100], yticks=[0, 1])
    figure.supxlabel("% of the run", fontsize="small", color=GREY)
    figure.supylabel("share of the peak", fontsize="small", color=GREY)
    return figure


def mute(axes: Axes) -> None:
    """Draws what is around the curves in a grey that is seen on white and on black."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["bottom", "left"]].set_color(GREY)
    axes.tick_params(colors=GREY)
    axes.xaxis.label.set_color(GREY)


def table() -> str:
    """A row for every run, as Markdown."""
    head = [
        "| | length | peak | ramp | ends at | what it is | source |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    return "\n".join([*head, *rows()]) + "\n"


def rows() -> Iterator[str]:
    """The rows, with numbers that are asked of the schedules."""
    for name in names():
        function = getattr(js.published, name)
        total, unit = length(name)
        schedule = function()
        values = schedule.at(np.linspace(0, total, 100_001))
        peak = inspect.signature(function).parameters["peak_value"].default
        rises = values[0] < values.max()
        ramp = np.argmax(values > (1 - 1e-6) * values.max()) / 100_000 if rises else 0
        end = schedule.at(total) / peak
        what = docstrings.summary(function).partition(": ")[2].rstrip(".")
        cells = [
            f"{{py:func}}`~jaxsched.published.{name}`",
            f"{in_words(total)} {unit}",
            f"{peak:.3g}",
            f"{100 * ramp:.2g} %" if ramp else "none",
            "goes on" if name in ENDLESS else f"{end:.3g} of the peak" if end else "0",
            what,
            docstrings.reference(function).rstrip("."),
        ]
        yield f"| {' | '.join(cells)} |"


def in_words(number: float) -> str:
    """A large number, short enough for a table."""
    for size, word in ((1e12, " trillion"), (1e9, " billion"), (1e6, " million")):
        if number >= size:
            return f"{number / size:.3g}{word}"
    return f"{number:,.0f}"
