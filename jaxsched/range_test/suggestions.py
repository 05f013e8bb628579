"""Learning rates that the curve of a range test suggests: fastai's four rules.

Pure functions of the rates and the losses. Each looks for something else in the curve,
and all depend on how it was smoothed, on the noise of its batches and on its length (a
longer test learns more at low rates, and suggests lower ones): a suggestion is where to
begin to look, to within a factor of ten.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from jaxsched.arrays import is_traced
from jaxsched.domains.numbers import Number, numeric, whole_number
from jaxsched.rule import Domain, admitted, short

_INTERVAL = 15


def suggest_valley(rates: Any, losses: Any) -> float:
    """The rate halfway down the longest descent, fastai's default.

    The rule is cautious: on digits it gives a twentieth of the best peak (see
    `suggest_minimum`). The descent is the longest strictly decreasing subsequence of
    the losses, so that noise on the way down does not end it.

    Formula, with a descent of L points that ends at index e, the first one of that length:

        rates[e - L + floor(L / 3) + floor(L / 6)]

    Where fastai's index is -1, which would be the last and highest rate (a curve that
    falls from its first point to its second and never further), it is 0 here. Losses that
    never fall suggest the first rate.

    Args:
      rates: The learning rates, > 0 and increasing.
      losses: The loss at each rate, best smoothed and without the first tenth and the
        last five points, as in `RangeTest.suggestions`. Points whose loss is not finite
        are left out.

    Returns:
      One of the rates, as a Python float.

    Raises:
      ValueError: There are fewer than 2 points with a finite loss, the lengths differ, or
        the rates are not increasing.
      TypeError: An argument does not hold real numbers.

    Example:
      >>> import jaxsched as js
      >>> rates = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0]
      >>> js.suggest_valley(rates, [2.3, 2.2, 1.9, 1.2, 0.8, 0.7, 9.0])
      0.001

    Reference: fastai 2, `fastai.callback.schedule.valley`.
    """
    rates, losses = _curve("suggest_valley", rates, losses, 2)
    # lengths[i]: of the longest decreasing subsequence that ends at i.
    lengths = np.ones(len(losses), int)
    for i in range(1, len(losses)):
        higher = losses[:i] > losses[i]
        lengths[i] = 1 + lengths[:i].max(where=higher, initial=0)
    end = int(lengths.argmax())
    length = int(lengths[end]) if end > 0 else 0
    return float(rates[max(0, end - length + length // 3 + length // 6)])


def suggest_slide(
    rates: Any, losses: Any, *, interval: int = _INTERVAL, threshold: float = 0.005
) -> float:
    """The rate where the loss has begun to fall steadily, seen from the right.

    It is for curves that blow up at their end, and the least steady of the four rules.
    An interval slides from the end of the curve to the left until the slopes at its two
    ends are nearly the same.

    Formula, with g the gradient of the losses by index and n the number of points: the
    interval from n - 1 - k - interval to n - 1 - k moves, k = 0, 1, ..., while

        |g[n - 1 - k] - g[n - 1 - k - interval]| > threshold

    and the suggestion is the rate at the left end of its last place for which this holds,
    or of its first place if it holds for none.

    Args:
      rates: The learning rates, > 0 and increasing.
      losses: The loss at each rate; see `suggest_valley`.
      interval: The length of the interval in points, >= 1.
      threshold: The difference between two slopes that counts as none, in units of the
        loss per point, >= 0. The default is for losses about as large as cross-entropies.

    Returns:
      One of the rates, as a Python float.

    Raises:
      ValueError: There are no more than `interval` points with a finite loss, or a number
        is out of its bounds.

    Example:
      >>> import jaxsched as js
      >>> rates = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0]
      >>> js.suggest_slide(rates, [2.3, 2.2, 1.9, 1.2, 0.8, 0.7, 9.0], interval=2)
      1e-05

    Reference: fastai 2, `fastai.callback.schedule.slide`.
    """
    name = "suggest_slide"
    interval = int(admitted(name, "interval", interval, whole_number(1)))
    threshold = admitted(name, "threshold", threshold, Number(least=0))
    rates, losses = _curve(name, rates, losses, interval + 1)
    slopes = np.gradient(losses)
    apart = np.abs(slopes[interval:] - slopes[:-interval]) > threshold
    near = np.flatnonzero(~apart)
    stop = int(near[-1]) + 1 if len(near) else 0  # the leftmost place reached
    return float(rates[min(stop, len(apart) - 1)])


def suggest_minimum(rates: Any, losses: Any) -> float:
    """A tenth of the rate at which the loss is lowest.

    Begin with this rule. The lowest loss comes just before the curve turns up, at a
    rate that is too high to stay at. In tests of 200 steps on digits it gives a sixth
    to nine tenths of the best peak of a warm-up and a cosine, on each of ten seeds; see
    `benchmarks/RANGE_TEST.md`.

    Formula:

        rates[argmin losses] / 10

    Args:
      rates: The learning rates, > 0 and increasing.
      losses: The loss at each rate; see `suggest_valley`.

    Returns:
      A Python float, which may be below the lowest of the rates.

    Raises:
      ValueError: No point has a finite loss, the lengths differ, or the rates are not
        increasing.
      TypeError: An argument does not hold real numbers.

    Example:
      >>> import jaxsched as js
      >>> rates = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0]
      >>> js.suggest_minimum(rates, [2.3, 2.2, 1.9, 1.2, 0.8, 0.7, 9.0])
      0.1

    Reference: fastai 2, `fastai.callback.schedule.minimum`.
    """
    rates, losses = _curve("suggest_minimum", rates, losses, 1)
    return float(rates[losses.argmin()]) / 10


def suggest_steep(rates: Any, losses: Any) -> float:
    """The rate from which the loss falls most steeply on a logarithmic axis.

    It is often near the best peak, but a single noisy batch may decide it.

    Formula:

        rates[argmin_i (losses[i + 1] - losses[i]) / (log rates[i + 1] - log rates[i])]

    Args:
      rates: The learning rates, > 0 and increasing.
      losses: The loss at each rate; see `suggest_valley`.

    Returns:
      One of the rates, as a Python float.

    Raises:
      ValueError: There are fewer than 2 points with a finite loss, the lengths differ, or
        the rates are not increasing.
      TypeError: An argument does not hold real numbers.

    Example:
      >>> import jaxsched as js
      >>> rates = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0]
      >>> js.suggest_steep(rates, [2.3, 2.2, 1.9, 1.2, 0.8, 0.7, 9.0])
      0.001

    Reference: fastai 2, `fastai.callback.schedule.steep`.
    """
    rates, losses = _curve("suggest_steep", rates, losses, 2)
    return float(rates[(np.diff(losses) / np.diff(np.log(rates))).argmin()])


class Rule(NamedTuple):
    """A suggestion and the number of points with a finite loss that it needs."""

    suggest: Callable[[Any, Any], float]
    least: int


RULES = {
    "valley": Rule(suggest_valley, 2),
    "slide": Rule(suggest_slide, _INTERVAL + 1),
    "minimum": Rule(suggest_minimum, 1),
    "steep": Rule(suggest_steep, 2),
}


def _curve(
    function: str, rates: Any, losses: Any, least: int
) -> tuple[np.ndarray, np.ndarray]:
    """The points of a curve whose loss is finite, in float64."""
    rates, losses = _row(function, "rates", rates), _row(function, "losses", losses)
    if len(rates) != len(losses):
        raise ValueError(
            f"{function}: rates and losses must have the same length, "
            f"got {len(rates)} rates and {len(losses)} losses"
        )
    # Written so that NaN fails too.
    if not (
        np.all(rates > 0) and np.all(np.diff(rates) > 0) and np.all(rates < np.inf)
    ):
        raise ValueError(
            f"{function}: rates must be finite, > 0 and increasing, "
            f"got rates={short(rates)}"
        )
    finite = np.isfinite(losses)
    if finite.sum() < least:
        raise ValueError(
            f"{function}: losses must hold at least {least} finite "
            f"{'value' if least == 1 else 'values'}, got {finite.sum()}"
        )
    return rates[finite], losses[finite]


def _row(function: str, argument: str, values: Any) -> np.ndarray:
    return admitted(function, argument, values, _Row())


class _Row(Domain):
    """A row of real numbers."""

    def admit(self, value: Any) -> np.ndarray:
        kind = "a row of numbers"
        if is_traced(value):
            raise TypeError(f"must be {kind} that are known, not traced")
        try:
            row = np.asarray(value)
        except ValueError:  # rows of different lengths
            raise ValueError(f"must be {kind}") from None
        if row.size:  # an empty list has the dtype of floats, whatever it was meant for
            numeric(row, kind)
        if row.ndim != 1:
            raise ValueError(f"must be {kind}, not an array of shape {row.shape}")
        return row.astype(np.float64)
