"""Schedules that a metric drives."""

from typing import Any

from jaxsched.arrays import Numeric
from jaxsched.compat.torch.plateau import ReduceLROnPlateau, lowest, only
from jaxsched.metric_driven.greedy import greedy
from jaxsched.metric_driven.machine import MetricDriven


def get_reduce_on_plateau_schedule(lr: Numeric, **kwargs: Any) -> MetricDriven:
    """PyTorch's `ReduceLROnPlateau`: `jaxsched.compat.torch.ReduceLROnPlateau`.

    Args:
      lr: The base learning rate.
      kwargs: The options of `ReduceLROnPlateau`.

    Returns:
      A `MetricDriven` schedule.

    Raises:
      ValueError: An option is out of its bounds.
      TypeError: An option is unknown.

    Example:
      >>> from jaxsched.compat import transformers
      >>> transformers.get_reduce_on_plateau_schedule(0.1, patience=3, eps=0.0)
      reduce_on_plateau(schedule=constant(value=0.1), patience=3)
    """
    return ReduceLROnPlateau(lr, **kwargs)


def get_greedy_schedule(
    lr: Numeric,
    mode: str = "min",
    factor: float = 0.95,
    patience: int = 10,
    threshold: float = 1e-6,
    threshold_mode: str = "abs",
    cooldown: int = 0,
    warmup: int = 0,
    min_lr: Any = 1e-3,
    max_lr: Any = 1.0,
    eps: float = 1e-8,
    verbose: bool = False,
    smooth: bool = False,
    window_size: int = 50,
    reset_start: int = 500,
) -> MetricDriven:
    """Raised while a metric improves, lowered when it does not: `greedy`.

    Transformers counts `reset_start` down at failed reductions, though it says that it
    counts steps at `min_lr`; this does what it says.

    Args:
      lr: The base learning rate.
      mode: "min" or "max".
      factor: What a reduction multiplies the rate by, > 0 and < 1.
      patience: How many metrics in a row change nothing.
      threshold: How much better is better.
      threshold_mode: "rel" or "abs".
      cooldown: Metrics ignored after a reduction.
      warmup: Metrics ignored after a rise.
      min_lr: Reductions stop there. A number or a list of one.
      max_lr: Rises stop there. A number or a list of one.
      eps: The smallest reduction.
      verbose: Not used: nothing is printed.
      smooth: Moving averages are not supported; `greedy` has a `window`.
      window_size: The length of that average; not used without it.
      reset_start: After that many metrics at `min_lr` everything begins anew; 0 for
        never.

    Returns:
      A `MetricDriven` schedule.

    Raises:
      ValueError: An option is out of its bounds.
      NotImplementedError: `smooth` is true.

    Example:
      >>> from jaxsched.compat import transformers
      >>> transformers.get_greedy_schedule(0.1, min_lr=0.01)
      greedy(schedule=constant(value=0.1), min_value=0.01, reset_after=500)
    """
    if smooth:
        raise NotImplementedError(
            "get_greedy_schedule: smooth=True, a moving average over the metrics; give "
            "jaxsched.greedy a window, which takes means over blocks"
        )
    low, high = only("get_greedy_schedule", "min_lr", min_lr), max_lr
    return greedy(
        lr,
        factor,
        patience,
        threshold=threshold,
        threshold_mode=threshold_mode,
        mode=mode,
        cooldown=cooldown,
        warmup=warmup,
        min_value=lowest(lr, factor, low, eps),
        max_value=only("get_greedy_schedule", "max_lr", high),
        reset_after=reset_start if reset_start > 0 else None,
    )
