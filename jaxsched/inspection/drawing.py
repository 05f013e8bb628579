"""How curves are drawn: their colours and labels, bands of many cycles, numbers on axes."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxsched.inspection.changes import changes, in_short
from jaxsched.rule import Bound, as_called, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Matplotlib's ten, and two more that differ from them.
_COLORS = [*(f"C{i}" for i in range(10)), "#14213d", "#a3d977"]
_LINES = ("-", "--", ":", "-.")

# Longer labels would leave no room for the curves beside them; longer calls are cut.
_LABEL, _CALL, _LINE = 28, 200, 80

# A curve that turns more often than that is a band, of so many columns.
_TURNS, _COLUMNS = 200, 400


def look(i: int) -> dict[str, str]:
    """The colour of a curve among several; from the thirteenth on other lines."""
    return {
        "color": _COLORS[i % len(_COLORS)],
        "linestyle": _LINES[i // len(_COLORS) % len(_LINES)],
    }


def draw(ax: "Axes", steps: np.ndarray, values: np.ndarray, **style: Any) -> None:
    """A line, or a band between the lowest and the highest values of many turns."""
    moves = np.sign(np.diff(values))
    moves = moves[moves != 0]
    if np.count_nonzero(moves[1:] != moves[:-1]) <= _TURNS:
        ax.plot(steps, values, **style)
        return
    begins = np.searchsorted(steps, np.linspace(0, steps[-1], _COLUMNS, endpoint=False))
    begins = np.unique(begins)
    high, low = (f.reduceat(values, begins) for f in (np.maximum, np.minimum))
    columns = np.append(steps[begins], steps[-1])
    high, low = np.append(high, high[-1]), np.append(low, low[-1])
    (line,) = ax.plot(columns, high, **style)
    ax.plot(columns, low, **{**style, "color": line.get_color(), "label": "_lowest"})
    ax.fill_between(columns, low, high, color=line.get_color(), alpha=0.3, linewidth=0)


def told_apart(entries: Sequence[Any]) -> list[str]:
    """Labels of schedules: of one kind only what differs, of several their calls."""
    written = [as_called(e) if isinstance(e, Bound) else e for e in entries]
    calls = [short(entry) for entry in written]
    if not written or not all(isinstance(entry, Bound) for entry in written):
        return calls
    first = written[0]
    found = [{c.path: c for c in changes(first, e, as_written=True)} for e in written]
    firsts = {path: c.first for one in found for path, c in one.items()}
    inside = tuple(f"{path}{mark}" for path in firsts for mark in ".[")
    if any(path == "" or path.startswith(inside) for path in firsts):
        return calls  # some hold a schedule of one kind there, others of another
    last = [path.rpartition(".")[2] for path in firsts]
    names = [n if last.count(n) == 1 else p for n, p in zip(last, firsts, strict=True)]
    labels = []
    for one in found:
        values = [one[p].second if p in one else x for p, x in firsts.items()]
        pairs = zip(names, values, strict=True)
        labels.append(", ".join(f"{name}={in_short(value)}" for name, value in pairs))
    return labels if firsts else calls


def place_legend(ax: "Axes") -> None:
    """Puts the legend where it hides nothing: beside the curves, or below them."""
    longest = max(map(len, ax.get_legend_handles_labels()[1]))
    where = (1.01, 1.0) if longest <= _LABEL else (0.0, -0.15)
    ax.legend(loc="upper left", bbox_to_anchor=where, borderaxespad=0.0)


def title_of(schedule: Any) -> str:
    """The call of a schedule, in lines."""
    call = as_called(schedule)
    text = repr(call)
    return textwrap.fill(text, _LINE) if len(text) <= _CALL else short(call)


def count_steps(ax: "Axes") -> None:
    """Has whole steps on the axis, in thousands, millions and so on: 500, 20k, 1.5M."""
    from matplotlib.ticker import EngFormatter, MaxNLocator

    ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    if isinstance(locator := ax.xaxis.get_major_locator(), MaxNLocator):
        locator.set_params(integer=True)


def written_rate(value: float, _: Any = None) -> str:
    """A number as people write learning rates: 3e-4, 0.01, 0."""
    if value == 0 or 1e-2 <= abs(value) < 1e5:
        return f"{value:.6g}"
    mantissa, exponent = f"{value:.5e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
