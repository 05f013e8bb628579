"""ReduceLROnPlateau."""

from collections.abc import Sequence
from typing import Any

from jaxsched.arrays import Numeric
from jaxsched.metric_driven.machine import MetricDriven
from jaxsched.metric_driven.plateau import reduce_on_plateau
from jaxsched.rule import known


def ReduceLROnPlateau(
    lr: Numeric,
    mode: str = "min",
    factor: float = 0.1,
    patience: int = 10,
    threshold: float = 1e-4,
    threshold_mode: str = "rel",
    cooldown: int = 0,
    min_lr: float | Sequence[float] = 0,
    eps: float = 1e-8,
) -> MetricDriven:
    """The rate falls by a factor when a metric stops improving: `reduce_on_plateau`.

    PyTorch leaves out reductions by less than `eps`, so that the rate stops falling: where
    it does becomes the `min_value`.

    Args:
      lr: The base learning rate.
      mode: "min" or "max".
      factor: What a reduction multiplies the rate by, > 0 and < 1.
      patience: How many metrics in a row may be no better.
      threshold: How much better is better.
      threshold_mode: "rel" or "abs".
      cooldown: Metrics after a reduction that are never bad.
      min_lr: The lowest rate, or a list of one.
      eps: The smallest reduction.

    Returns:
      A `MetricDriven` schedule.

    Raises:
      ValueError: An argument is out of its bounds.
      TypeError: An argument is of the wrong kind.

    Example:
      >>> from jaxsched.compat import torch
      >>> torch.ReduceLROnPlateau(0.1, factor=0.5, patience=3, eps=0.03)
      reduce_on_plateau(schedule=constant(value=0.1), factor=0.5, patience=3,
        min_value=0.05)
    """
    floor = only("ReduceLROnPlateau", "min_lr", min_lr)
    if threshold_mode not in ("rel", "abs"):
        raise ValueError(
            "ReduceLROnPlateau: threshold_mode must be 'rel' or 'abs', got "
            f"threshold_mode={threshold_mode!r}"
        )
    return reduce_on_plateau(
        lr,
        factor,
        patience,
        threshold=threshold,
        threshold_mode=threshold_mode,
        mode=mode,
        cooldown=cooldown,
        min_value=lowest(lr, factor, floor, eps),
    )


def only(name: str, argument: str, value: Any) -> Any:
    """A number, or the one number in a list for each group of parameters."""
    if not isinstance(value, (list, tuple)):
        return value
    if len(value) != 1:
        raise ValueError(
            f"{name}: {argument} must be one number, as there is one rate, got "
            f"{argument}={value}"
        )
    return value[0]


def lowest(lr: Any, factor: Any, min_lr: Any, eps: Any) -> Any:
    """Where reductions by `factor` end: at the floor, or when less than `eps` is left."""
    if not known(lr, factor, min_lr, eps) or not (eps > 0 and 0 < factor < 1):
        return min_lr
    rate = lr
    while rate - max(rate * factor, min_lr) > eps:
        rate = max(rate * factor, min_lr)
    return rate
