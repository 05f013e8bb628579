"""ReduceLROnPlateau."""

from typing import Annotated, Any

from jaxsched.arrays import Numeric
from jaxsched.compat.arguments import ForOneGroup, LearningRate, NotNegative
from jaxsched.compat.peer import peer
from jaxsched.domains import Factor
from jaxsched.domains.choices import OneOf
from jaxsched.domains.numbers import Number
from jaxsched.metric_driven.machine import MetricDriven
from jaxsched.metric_driven.metrics import (
    Mode,
    Patience,
    refuse_growth,
    refuse_impossible,
)
from jaxsched.metric_driven.plateau import reduce_on_plateau
from jaxsched.rule import known

ThresholdMode = Annotated[str, OneOf("rel", "abs")]
Bound = Annotated[Numeric, ForOneGroup(Number())]


@peer
def ReduceLROnPlateau(
    lr: LearningRate,
    mode: Mode = "min",
    factor: Factor = 0.1,
    patience: Patience = 10,
    threshold: NotNegative = 1e-4,
    threshold_mode: ThresholdMode = "rel",
    cooldown: Patience = 0,
    min_lr: Bound = 0,
    eps: Annotated[Numeric, Number()] = 1e-8,
) -> MetricDriven:
    """The rate falls by a factor when a metric stops improving: `reduce_on_plateau`.

    PyTorch leaves out reductions by less than `eps`, so that the rate stops falling: where
    it does becomes the `min_value`.

    Args:
      mode: "min" or "max".
      factor: What a reduction multiplies the rate by, > 0 and < 1.
      patience: How many metrics in a row may be no better.
      threshold: How much better is better.
      threshold_mode: "rel" or "abs".
      cooldown: Metrics after a reduction that are never bad.
      min_lr: The lowest rate, or a list of one.
      eps: The smallest reduction.

    Example:
      >>> from jaxsched.compat import torch
      >>> torch.ReduceLROnPlateau(0.1, factor=0.5, patience=3, eps=0.03)
      reduce_on_plateau(schedule=constant(value=0.1), factor=0.5, patience=3,
        min_value=0.05)
    """
    refuse_growth(factor)
    refuse_impossible(threshold, threshold_mode, mode)
    return reduce_on_plateau(
        lr,
        factor,
        patience,
        threshold=threshold,
        threshold_mode=threshold_mode,
        mode=mode,
        cooldown=cooldown,
        min_value=lowest(lr, factor, min_lr, eps),
    )


def lowest(lr: Any, factor: Any, min_lr: Any, eps: Any) -> Any:
    """Where reductions by `factor` end: at the floor, or when less than `eps` is left."""
    if not known(lr, factor, min_lr, eps) or not (eps > 0 and 0 < factor < 1):
        return min_lr
    rate = lr
    while rate - max(rate * factor, min_lr) > eps:
        rate = max(rate * factor, min_lr)
    return rate
