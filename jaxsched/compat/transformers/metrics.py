"""Schedules that a metric drives."""

from typing import Annotated, Any

from jaxsched.arrays import Numeric
from jaxsched.compat.arguments import Known, LearningRate, NotNegative, Unused
from jaxsched.compat.peer import peer
from jaxsched.compat.plateau import (
    Bound,
    ReduceLROnPlateau,
    ThresholdMode,
    lowest,
)
from jaxsched.domains import Factor, Flag
from jaxsched.domains.numbers import Number, surely
from jaxsched.metric_driven.greedy import greedy
from jaxsched.metric_driven.machine import MetricDriven
from jaxsched.metric_driven.metrics import (
    Mode,
    Patience,
    refuse_growth,
    refuse_impossible,
)
from jaxsched.rule import Refusal


def get_reduce_on_plateau_schedule(lr: LearningRate, **kwargs: Any) -> MetricDriven:
    """PyTorch's `ReduceLROnPlateau`: `jaxsched.compat.torch.ReduceLROnPlateau`.

    Args:
      lr: The base learning rate.
      kwargs: The options of `ReduceLROnPlateau`.

    Example:
      >>> from jaxsched.compat import transformers
      >>> transformers.get_reduce_on_plateau_schedule(0.1, patience=3, eps=0.0)
      reduce_on_plateau(schedule=constant(value=0.1), patience=3)
    """
    return ReduceLROnPlateau(lr, **kwargs)


@peer
def get_greedy_schedule(
    lr: LearningRate,
    mode: Mode = "min",
    factor: Factor = 0.95,
    patience: Patience = 10,
    threshold: NotNegative = 1e-6,
    threshold_mode: ThresholdMode = "abs",
    cooldown: Patience = 0,
    warmup: Patience = 0,
    min_lr: Bound = 1e-3,
    max_lr: Bound = 1.0,
    eps: Annotated[Numeric, Number()] = 1e-8,
    verbose: Unused = False,
    smooth: Flag = False,
    window_size: Unused = 50,
    reset_start: Annotated[int, Known(whole="must", kind="a whole number")] = 500,
) -> MetricDriven:
    """A rate that rises while a metric improves and falls when it does not: `greedy`.

    Transformers counts `reset_start` down at failed reductions, though it says that it
    counts steps at `min_lr`; this does what it says.

    Args:
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

    Raises:
      NotImplementedError: `smooth` is true.

    Example:
      >>> from jaxsched.compat import transformers
      >>> transformers.get_greedy_schedule(0.1, min_lr=0.01)
      greedy(schedule=constant(value=0.1), min_value=0.01, reset_after=500)
    """
    if smooth:
        raise NotImplementedError(
            "get_greedy_schedule: smooth must be False (give jaxsched.greedy a window, "
            "which takes means over blocks), got smooth=True"
        )
    refuse_growth(factor)
    if surely(max_lr - min_lr, lambda gap: gap < 0):
        raise Refusal("min_lr must be <= max_lr", "min_lr", "max_lr")
    refuse_impossible(threshold, threshold_mode, mode)
    return greedy(
        lr,
        factor,
        patience,
        threshold=threshold,
        threshold_mode=threshold_mode,
        mode=mode,
        cooldown=cooldown,
        warmup=warmup,
        min_value=lowest(lr, factor, min_lr, eps),
        max_value=max_lr,
        reset_after=reset_start if reset_start > 0 else None,
    )
