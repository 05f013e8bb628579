"""refine: the best schedule for gradient norms that a run has shown."""

from typing import Any

import numpy as np

from jaxsched.arrays import Numeric
from jaxsched.domains.numbers import Number
from jaxsched.piecewise import piecewise_linear
from jaxsched.rule import admitted, short
from jaxsched.schedule import Schedule
from jaxsched.transitions import linear


def refine(
    grad_norms: Any, *, power: Numeric = 2.0, smoothing: Numeric = 0.1
) -> Schedule:
    """The schedule that is best for a run whose gradients have these norms.

    Record the norms in one run (`record_grad_norms`), then train again under the
    refined schedule. Large norms at the beginning give it a warm-up. Only the shape is
    given: its largest value is 1, and its height is tuned anew.

    Formula, for w_k = smoothed(grad_norms)[k]^-power, where the last one counts twice
    because no update measures the norm at the final weights:

        e_k = w_k (w_(k+1) + ... + w_T), divided by the largest of them

    so equal norms give exactly `linear(1, 0, T)`.

    What it is not: a schedule for another model or length. Norms that go to 0 late in a
    run, as a classifier's at 100 % accuracy do, make the schedule shoot up at its end:
    then smooth more, or record a run that does not memorize.

    Args:
      grad_norms: The norms of the gradients at each of T updates, > 0, shape (T,): the
        Euclidean norm for SGD; for Adam the sum of absolute values, with power=1.
      power: The exponent, > 0: 2 for SGD, 1 for Adam.
      smoothing: The width of the median filter as a part of the run, 0 <= smoothing < 1;
        0 for none.

    Returns:
      A schedule for T updates, which is 0 from step T on.

    Raises:
      ValueError: A norm is 0, negative or not finite, or there are none.
      TypeError: An argument is not made of real numbers.

    >>> import jaxsched as js
    >>> js.planning.refine([1.0] * 100)
    linear(init_value=1.0, end_value=0.0, steps=100)
    >>> s = js.planning.refine([4, 2, 1, 1, 1, 1, 1, 1, 1])
    >>> [round(s.at(step), 3) for step in (0, 1, 2, 3, 9)]
    [0.074, 0.286, 1.0, 0.857, 0.0]

    Reference: Defazio et al. (2023), arXiv:2310.07831, section 3.
    """
    norms = _norms(grad_norms)
    exponent = float(admitted("refine", "power", power, Number(above=0)))
    share = float(admitted("refine", "smoothing", smoothing, Number(least=0)))
    if share >= 1:
        raise ValueError(f"refine: smoothing must be < 1, got smoothing={share}")
    smooth = _median(norms, 2 * int(share * len(norms) / 2) + 1)
    if np.all(smooth == smooth[0]):
        return linear(1.0, 0.0, len(norms))
    # The least norm first: those of 1e-15 would have weights of 1e30.
    weights = (np.min(smooth) / smooth) ** exponent
    weights = np.append(weights, weights[-1])
    later = np.append(np.cumsum(weights[:0:-1])[::-1], 0.0)
    rates = weights * later
    return piecewise_linear(np.arange(len(rates)), (rates / np.max(rates)).tolist())


def _norms(grad_norms: Any) -> np.ndarray:
    try:
        norms = np.asarray(grad_norms, np.float64)
    except (TypeError, ValueError):
        raise TypeError(
            f"refine: grad_norms must be numbers, got grad_norms={short(grad_norms)}"
        ) from None
    if norms.ndim != 1 or not norms.size:
        raise ValueError(
            f"refine: grad_norms must be one number for each update, got an array of "
            f"shape {norms.shape}"
        )
    bad = ~(np.isfinite(norms) & (norms > 0))
    if np.any(bad):
        step = int(np.argmax(bad))
        raise ValueError(
            f"refine: grad_norms must be finite and > 0, got {norms[step]} at step {step}"
        )
    return norms


def _median(norms: np.ndarray, width: int) -> np.ndarray:
    """A running median; its window sees the run mirrored at its end, held at its start."""
    if width == 1:
        return norms
    half = width // 2
    padded = np.pad(np.pad(norms, (0, half), mode="reflect"), (half, 0), mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, width), axis=1)
