"""RangeTest: what a sweep over learning rates has seen."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jaxsched.inspection.drawing import place_legend
from jaxsched.inspection.plot import new_axes
from jaxsched.range_test.suggestions import RULES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# fastai's: the first tenth of a sweep shows no change, the last points the explosion.
_FIRST_PART = 10
_LAST_POINTS = 5


@dataclass(frozen=True, eq=False)
class RangeTest:
    """The result of `lr_range_test`; printed, it is a few lines of text.

    Attributes:
      rates: The learning rate of each step that was made, as a NumPy array.
      losses: The loss that each step returned.
      smoothed_losses: The exponential moving average of the losses.
      steps: The number of steps that were asked for; fewer may have been made.
      stopped: Whether the loss diverged, which ended the sweep.
    """

    rates: np.ndarray
    losses: np.ndarray
    smoothed_losses: np.ndarray
    steps: int
    stopped: bool

    @property
    def suggestions(self) -> dict[str, float | None]:
        """The rates that the curve suggests by each of the four rules.

        They are `suggest_valley`, `suggest_slide`, `suggest_minimum` and `suggest_steep`
        of the smoothed losses without the first tenth of the steps asked for and the last
        five points, as in fastai's `lr_find`. None where the rest has too few points with
        a finite loss: 2, 16, 1 and 2. They depend on the smoothing and on the noise of
        the batches.
        """
        rates, losses = self._middle()
        finite = np.isfinite(losses).sum()
        return {
            name: rule.suggest(rates, losses) if finite >= rule.least else None
            for name, rule in RULES.items()
        }

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draws the losses over the rates and marks the suggestions; needs matplotlib.

        Args:
          ax: The axes to draw in, or None for those of a new figure.

        Returns:
          The axes.

        Raises:
          ImportError: There is no matplotlib.
        """
        ax = new_axes("RangeTest.plot") if ax is None else ax
        ax.plot(self.rates, self.losses, color="0.75", linewidth=1, label="loss")
        ax.plot(self.rates, self.smoothed_losses, color="0.2", label="smoothed loss")
        for i, (name, rate) in enumerate(self.suggestions.items()):
            if rate is not None:
                loss = np.interp(np.log(rate), np.log(self.rates), self.smoothed_losses)
                label = f"{name}: {rate:.2g}"
                ax.plot(rate, loss, "o", color=f"C{i}", zorder=3, label=label)
        ax.set(xscale="log", xlabel="learning rate", ylabel="loss", ylim=self._height())
        ax.grid(alpha=0.3)
        place_legend(ax)
        return ax

    def _middle(self) -> tuple[np.ndarray, np.ndarray]:
        """The rates and smoothed losses that the suggestions look at."""
        begin, end = self.steps // _FIRST_PART, max(0, len(self.rates) - _LAST_POINTS)
        return self.rates[begin:end], self.smoothed_losses[begin:end]

    def _height(self) -> tuple[float, float] | None:
        """What is worth seeing: the explosion at the end would flatten all else."""
        seen = [x[:-_LAST_POINTS] for x in (self.losses, self.smoothed_losses)]
        if not all(np.isfinite(x).any() for x in seen):
            return None
        low = np.nanmin(np.concatenate(seen))
        high = np.max(seen[1], where=np.isfinite(seen[1]), initial=low)
        margin = 0.15 * (high - low) or 1.0
        return float(low - margin), float(high + margin)

    def __str__(self) -> str:
        ended = ", where the loss diverged" if self.stopped else ""
        lines = [
            f"{len(self.rates)} of {self.steps} steps, at rates from "
            f"{self.rates[0]:.3g} to {self.rates[-1]:.3g}{ended}"
        ]
        for name, rate in self.suggestions.items():
            found = "too few points" if rate is None else f"{rate:.3g}"
            lines.append(f"{name:8} {found}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<RangeTest: {'; '.join(str(self).splitlines())}>"
