"""Runs as loss laws see them, and how a law fits them to the eye."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from jaxsched.inspection.drawing import place_legend
from jaxsched.planning.laws import Law
from jaxsched.rule import admitted, short
from jaxsched.schedule import Inner, Schedule

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Run(NamedTuple):
    """A run as the laws see it.

    Attributes:
      schedule: Its learning rate.
      steps: Numbers of updates, each >= 1, shape (n,).
      losses: The loss after each of them, > 0, shape (n,).
    """

    schedule: Schedule
    steps: np.ndarray
    losses: np.ndarray


def listed(runs: Any) -> list[Any]:
    """Some runs, at least one."""
    if not isinstance(runs, (list, tuple)):
        raise TypeError(f"fit_law: runs must be a list of runs, got runs={short(runs)}")
    if not runs:
        raise ValueError("fit_law: runs must hold at least one run")
    return list(runs)


def admitted_run(i: int, given: Any) -> Run:
    """The run at a place in a list."""
    try:
        schedule, steps, losses = given
        steps, losses = np.asarray(steps), np.asarray(losses, np.float64)
    except (TypeError, ValueError):
        raise TypeError(
            f"fit_law: runs[{i}] must be (schedule, steps, losses), got {short(given)}"
        ) from None
    inner = admitted("fit_law", f"runs[{i}].schedule", schedule, Inner())
    if steps.ndim != 1 or steps.shape != losses.shape or not steps.size:
        raise ValueError(
            f"fit_law: steps and losses of runs[{i}] must be equally many, at least 1, "
            f"got shapes {steps.shape} and {losses.shape}"
        )
    if steps.dtype.kind not in "iu" or steps.min() < 1:
        raise ValueError(
            f"fit_law: steps of runs[{i}] must be whole numbers >= 1, got {short(steps)}"
        )
    if not np.all(np.isfinite(losses) & (losses > 0)):
        raise ValueError(f"fit_law: losses of runs[{i}] must be finite and > 0")
    return Run(inner, steps, losses)


def plot_law(
    law: Law, runs: Any, ax: "Axes | None" = None, *, warmup_steps: int = 0
) -> "Axes":
    """Draws what a law predicts over what runs have shown; needs matplotlib.

    Args:
      law: A law.
      runs: As for `fit_law`, or a dict of them by label.
      ax: The axes to draw in, or None for those of a new figure.
      warmup_steps: As for `fit_law`.

    Returns:
      The axes, with points for observed and lines for predicted losses.

    >>> import jaxsched as js
    >>> law = js.planning.AnnealingLaw(2.0, 0.5, 0.5, 1e-2)
    >>> ax = js.planning.plot_law(law, {"flat": (1.0, [4, 8], [2.25, 2.2])})
    >>> [line.get_label() for line in ax.lines]
    ['flat', 'flat, predicted']
    """
    import matplotlib.pyplot as plt

    labels = list(runs) if isinstance(runs, dict) else None
    given = list(runs.values()) if isinstance(runs, dict) else listed(runs)
    ax = plt.subplots(layout="constrained")[1] if ax is None else ax
    for i, run in enumerate(admitted_run(i, run) for i, run in enumerate(given)):
        label = labels[i] if labels else str(short(run.schedule))
        order = np.argsort(run.steps)
        steps = run.steps[order]
        predicted = law.predict(run.schedule, steps, warmup_steps)
        [points] = ax.plot(steps, run.losses[order], ".", alpha=0.4, label=label)
        color = points.get_color()
        ax.plot(steps, np.asarray(predicted), color=color, label=f"{label}, predicted")
    ax.set(xlabel="updates", ylabel="loss")
    place_legend(ax)
    return ax
