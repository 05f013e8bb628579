"""reduce_on_plateau: the rate falls by a factor when a metric stops improving."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from jaxsched.arrays import Numeric, as_real
from jaxsched.domains import Count, Factor, Rate, Value
from jaxsched.metric_driven.decorator import MetricDrivenLike, metric_driven
from jaxsched.metric_driven.machine import Machine, Report, Scalar
from jaxsched.metric_driven.metrics import (
    Mode,
    Patience,
    ThresholdMode,
    Window,
    look,
    refuse_growth,
    refuse_impossible,
    worst,
)
from jaxsched.numerics import at_least, at_most
from jaxsched.serialization import exported_tuple


@exported_tuple
class Plateau(NamedTuple):
    """The memory of `reduce_on_plateau`."""

    window: Window
    best: Scalar
    bad: Scalar = 0  # judgements in a row that were no better
    cooling: Scalar = 0  # judgements still to ignore after a reduction
    multiplier: Scalar = 1.0


def _check(
    factor: Numeric, threshold: Numeric, threshold_mode: str, mode: str, **_: object
) -> None:
    refuse_growth(factor)
    refuse_impossible(threshold, threshold_mode, mode)


@metric_driven(check=_check)
def reduce_on_plateau(
    schedule: MetricDrivenLike,
    factor: Factor = 0.1,
    patience: Patience = 10,
    *,
    threshold: Rate = 1e-4,
    threshold_mode: ThresholdMode = "rel",
    mode: Mode = "min",
    cooldown: Patience = 0,
    min_value: Value = 0.0,
    window: Count = 1,
) -> Machine:
    """A schedule, multiplied by `factor` each time that a metric stops improving.

    Use it when a validation loss should decide when the rate falls.

    The semantics are those of PyTorch's ReduceLROnPlateau, but the rate that is reduced
    may be any schedule: its values are multiplied, and its steps go on.

    Formula, for each judged value a, the mean of `window` metrics:

        better: best - a > threshold * best     mode min, rel
                a - best > threshold * best     mode max, rel
                the same with threshold                          abs
                the same with threshold * |best|                 magnitude
        bad = 0 if better else bad + 1; while cooling down, bad = 0
        bad > patience: multiplier *= factor, bad = 0, and the next `cooldown`
        judgements are not held against it
        rate = max(schedule(step) * multiplier, min(min_value, schedule(step)))

    The first value is always better. A gain within float rounding of the threshold may
    be judged either way. A value that is not finite is bad, the infinity of the good
    side too, and is forgotten. For a metric below 0, `rel` counts staying where it is as
    an improvement, as PyTorch does; use `magnitude` or `abs` there.

    Args:
      schedule: A schedule, a number, a callable of the step, or another metric-driven
        schedule.
      factor: What a reduction multiplies the rate by, > 0 and < 1.
      patience: How many judgements in a row may be no better, >= 0.
      threshold: How much better is better, >= 0; below 1 for `rel` in mode min.
      threshold_mode: "rel", "abs" or "magnitude", see above. Static.
      mode: "min" for a metric to bring down, "max" for one to bring up. Static.
      cooldown: Judgements after a reduction that are never bad, >= 0.
      min_value: A floor on the rate itself: no reduced rate is below it, however far the
        multiplier has fallen. Where the schedule itself is lower (a warm-up from 0), its
        own value holds.
      window: How many metrics are averaged before one judgement, >= 1.

    Example:
      >>> import jaxsched as js
      >>> driven = js.reduce_on_plateau(1.0, factor=0.5, patience=1)
      >>> state, rates = driven.init(), []
      >>> for loss in (3.0, 2.0, 2.0, 2.0, 2.0, 2.0):
      ...     rates.append(float(driven(state)))
      ...     state = driven.update(state, value=loss)
      >>> rates
      [1.0, 1.0, 1.0, 1.0, 0.5, 0.5]

    Reference: PyTorch's `torch.optim.lr_scheduler.ReduceLROnPlateau`, with eps = 0.
    """

    def start() -> Plateau:
        return Plateau(Window(), worst(mode))

    def judge(memory: Plateau, report: Report) -> Plateau:
        left, seen = look(
            memory.window, report, window, memory.best, threshold, threshold_mode, mode
        )
        cooling = memory.cooling > 0
        bad = jnp.where(seen.better | cooling, 0, memory.bad + 1)
        reduce = seen.due & (bad > patience)
        after = jnp.where(cooling, memory.cooling - 1, memory.cooling)
        return Plateau(
            window=left,
            best=seen.best,
            bad=jnp.where(seen.due, jnp.where(reduce, 0, bad), memory.bad),
            cooling=jnp.where(
                seen.due, jnp.where(reduce, cooldown, after), memory.cooling
            ),
            multiplier=memory.multiplier * jnp.where(reduce, factor, 1.0),
        )

    def rate(memory: Plateau, step: Array, base: Array) -> Array:
        reduced = base * as_real(memory.multiplier)
        return at_least(reduced, at_most(base, min_value))

    return Machine(start, judge, rate)
