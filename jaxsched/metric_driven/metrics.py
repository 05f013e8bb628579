"""What machines ask of a metric: its mean over a window, and whether it is better."""

from typing import Annotated, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxsched.arrays import Numeric, as_real
from jaxsched.domains.choices import OneOf
from jaxsched.domains.numbers import whole_number
from jaxsched.metric_driven.machine import Report, Scalar
from jaxsched.rule import Refusal, known
from jaxsched.serialization import exported_tuple

Mode = Annotated[str, OneOf("min", "max")]
ThresholdMode = Annotated[str, OneOf("rel", "abs", "magnitude")]
Patience = Annotated[Numeric, whole_number(0)]


@exported_tuple
class Window(NamedTuple):
    """The metrics of a window that is not yet full."""

    total: Scalar = 0.0  # their sum
    count: Scalar = 0  # their number
    spoiled: Scalar = False  # whether one was not finite


class Verdict(NamedTuple):
    """One judgement: of the mean of a window."""

    due: Array  # whether the window is full
    better: Array  # whether its mean is better than the best so far
    best: Array  # the best after it


def look(
    window: Window,
    report: Report,
    size: Numeric,
    best: Numeric,
    threshold: Numeric,
    threshold_mode: str,
    mode: str,
) -> tuple[Window, Verdict]:
    """Adds a metric to the window; where that is full, judges its mean and empties it."""
    total = window.total + jnp.where(report.measured, report.value, 0.0)
    count = window.count + jnp.where(report.measured, 1, 0)
    spoiled = window.spoiled | (report.measured & ~report.finite)
    due = report.measured & (count >= size)
    mean = total / jnp.maximum(as_real(count), 1)
    finite = jnp.isfinite(mean) & ~spoiled
    better = due & finite & is_better(mean, best, threshold, threshold_mode, mode)
    left = Window(jnp.where(due, 0.0, total), jnp.where(due, 0, count), ~due & spoiled)
    return left, Verdict(due, better, jnp.where(better, mean, best))


def is_better(
    value: Numeric,
    best: Numeric,
    threshold: Numeric,
    threshold_mode: str,
    mode: str,
) -> Array:
    """Whether a finite value beats the best by more than the threshold.

    The gain is compared, not the value with a moved best: a small threshold times the
    best is a small number and keeps its digits. The first value is always better.
    """
    sign = -1.0 if mode == "min" else 1.0
    first = jnp.isinf(best)
    known = jnp.where(first, 0.0, best)
    gain = sign * (value - known)
    scale = {"abs": 1.0, "rel": known, "magnitude": jnp.abs(known)}
    return first | (gain > threshold * scale[threshold_mode])


def worst(mode: str) -> float:
    """The best value before there is one."""
    return float("inf") if mode == "min" else -float("inf")


def refuse_growth(factor: Numeric) -> None:
    """Refuses a factor that is to bring the rate down and would not."""
    if known(factor) and not np.all(np.asarray(factor) < 1):
        raise Refusal("factor must be < 1", "factor")


def refuse_impossible(threshold: Numeric, threshold_mode: str, mode: str) -> None:
    """Refuses a threshold below which no positive metric could fall."""
    relative = threshold_mode == "rel" and mode == "min"
    if relative and known(threshold) and not np.all(np.asarray(threshold) < 1):
        raise Refusal('threshold must be < 1 for "rel" in mode "min"', "threshold")


def refuse_crossed(min_value: Numeric, max_value: Numeric) -> None:
    """Refuses bounds of a rate that leave nothing between them."""
    crossed = lambda: np.any(np.asarray(min_value) > np.asarray(max_value))
    if known(min_value, max_value) and crossed():
        raise Refusal("min_value must be <= max_value", "min_value", "max_value")
