"""plot: schedules as curves, with matplotlib."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from jaxsched.grids.points import Grid
from jaxsched.inspection.drawing import (
    count_steps,
    draw,
    look,
    place_legend,
    title_of,
    told_apart,
    written_rate,
)
from jaxsched.inspection.phases import inspected, phases
from jaxsched.inspection.samples import curve
from jaxsched.inspection.window import known_length
from jaxsched.rule import Bound, as_called, short
from jaxsched.schedule import Schedule
from jaxsched.schedule.stacking import leading_axes, unstack

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# More boundaries than that hide the curves, more labels are taller than the picture.
_MOST_BOUNDARIES, _MOST_LABELS = 16, 24


def plot(
    schedules: Any,
    total_steps: int | None = None,
    ax: "Axes | None" = None,
    *,
    log: bool = False,
    boundaries: bool = True,
    **style: Any,
) -> "Axes":
    """Draws schedules over the steps of a run; needs matplotlib.

    A run of any length is drawn from some thousands of steps: those where phases begin,
    even steps between, and more where the curve bends. Hundreds of cycles are drawn as a
    band between their lowest and their highest values.

    Args:
      schedules: A schedule, a number or a callable of the step; a list of them; a dict of
        them by label; a stacked schedule; or what `grid` returns.
      total_steps: The length T of the run, whose steps 0 to T - 1 are drawn. Without it
        the schedule that ends last is drawn to its end, and what has no end for as long as
        it takes to see what it does.
      ax: The axes to draw in, or None for those of a new figure.
      log: Whether the values are drawn on a logarithmic scale, without those <= 0.
      boundaries: Whether to mark where phases begin, of at most 16 in all.
      **style: What `Axes.plot` takes: `color`, `linewidth`, `linestyle`, ...

    Returns:
      The axes. One schedule is named in the title; several have labels, which say what
      tells them apart, and a legend beside the curves.

    Raises:
      TypeError: A schedule is traced, or not a schedule.
      ValueError: There is no schedule, one is stacked in a list, or on a logarithmic
        scale no value is above 0.
      ImportError: There is no matplotlib.

    >>> import jaxsched as js
    >>> ax = js.plot({"one": js.cosine(0.1, 0.0, steps=10**7), "two": 0.05})
    >>> [line.get_label() for line in ax.lines]
    ['one', 'two']
    """
    found = _labelled(schedules)
    total = known_length("plot", list(found.values()), total_steps)
    curves = [curve(schedule, total, log) for schedule in found.values()]
    if log and not any(np.any(values > 0) for _, values in curves):
        raise ValueError(
            "plot: log must be False, for no value is above 0, got log=True"
        )
    is_new, ax = ax is None, new_axes("plot") if ax is None else ax
    begins: set[int] = set()
    for i, (label, schedule) in enumerate(found.items()):
        style_of = {"label": label, **(look(i) if len(found) > 1 else {}), **style}
        draw(ax, *curves[i], **style_of)
        begins |= {p.begin for p in phases(schedule, total) if 0 < p.begin < total}
    if boundaries and len(begins) <= _MOST_BOUNDARIES:
        for begin in sorted(begins):
            ax.axvline(begin, color="0.7", linewidth=0.8, linestyle=":", zorder=0)
    ax.set(xlabel="step", ylabel="learning rate")
    if log:
        ax.set_yscale("log", nonpositive="mask")
    ax.yaxis.set_major_formatter(written_rate)
    count_steps(ax)
    if is_new and len(found) == 1:
        ax.set_title(title_of(next(iter(found.values()))), fontsize="medium")
    if 1 < len(found) <= _MOST_LABELS:
        place_legend(ax)
    return ax


def _labelled(schedules: Any) -> dict[str, Schedule]:
    """The schedules by label."""
    if isinstance(schedules, Mapping):
        named = {str(label): schedule for label, schedule in schedules.items()}
    elif isinstance(schedules, Grid):
        every = unstack(schedules.schedules)
        named = _numbered([schedules.label(i) for i in range(len(every))], every)
    elif isinstance(schedules, (list, tuple)):
        named = _numbered(told_apart(schedules), schedules)
    elif isinstance(schedules, Bound) and len(leading_axes("plot", schedules)) == 1:
        named = _numbered(_varying(schedules), unstack(schedules))
    else:
        made = inspected("plot", schedules, "schedules")
        return {short(as_called(made)): made}
    if not named:
        raise ValueError("plot: schedules must hold at least one schedule")
    return {
        label: inspected("plot", s, f"schedules {label}") for label, s in named.items()
    }


def _numbered(labels: list[str], entries: Any) -> dict[str, Any]:
    """By label, or by label and number where two have the same label."""
    if len(set(labels)) < len(labels):
        labels = [f"{i}: {label}" for i, label in enumerate(labels)]
    return dict(zip(labels, entries, strict=True))


def _varying(stacked: Any) -> list[str]:
    """What tells the schedules of a stacked one apart."""
    columns = {}
    for path, leaf in jax.tree_util.tree_flatten_with_path(stacked)[0]:
        column = np.asarray(leaf)
        if column.ndim == 1 and np.any(column != column[0]):
            columns[path] = column.tolist()
    last = [path[-1] for path in columns]
    names = [
        jax.tree_util.keystr(path[-1:] if last.count(path[-1]) == 1 else path)
        for path in columns
    ]
    return [
        ", ".join(
            f"{name.lstrip('.')}={column[i]:.6g}"
            for name, column in zip(names, columns.values(), strict=True)
        )
        for i in range(leading_axes("plot", stacked)[0])
    ]


def new_axes(function: str) -> "Axes":
    """The axes of a new figure, on behalf of a function that draws."""
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(
            f"{function}: matplotlib must be installed: pip install matplotlib"
        ) from error
    return pyplot.subplots(layout="constrained")[1]
