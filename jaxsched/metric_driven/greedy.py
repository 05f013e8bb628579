"""greedy: the rate rises while a metric improves and falls when it does not."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from jaxsched.arrays import Numeric
from jaxsched.domains import Count, Factor, Rate, Value
from jaxsched.metric_driven.bounds import at_floor, bounded, inverse, moved
from jaxsched.metric_driven.decorator import MetricDrivenLike, metric_driven
from jaxsched.metric_driven.machine import Machine, Report, Scalar
from jaxsched.metric_driven.metrics import (
    Mode,
    Patience,
    ThresholdMode,
    Window,
    look,
    refuse_crossed,
    refuse_growth,
    refuse_impossible,
    worst,
)
from jaxsched.serialization import exported_tuple


@exported_tuple
class Greedy(NamedTuple):
    """The memory of `greedy`."""

    window: Window
    best: Scalar
    good: Scalar = 0  # judgements in a row that were better
    bad: Scalar = 0  # judgements in a row that were not
    waiting: Scalar = 0  # judgements still to ignore after a change
    low: Scalar = 0  # judgements in a row at the floor
    multiplier: Scalar = 1.0


def _check(
    factor: Numeric,
    threshold: Numeric,
    threshold_mode: str,
    mode: str,
    min_value: Numeric,
    max_value: Numeric,
    **_: object,
) -> None:
    refuse_growth(factor)
    refuse_impossible(threshold, threshold_mode, mode)
    refuse_crossed(min_value, max_value)


@metric_driven(check=_check)
def greedy(
    schedule: MetricDrivenLike,
    factor: Factor = 0.95,
    patience: Patience = 10,
    *,
    threshold: Rate = 1e-6,
    threshold_mode: ThresholdMode = "abs",
    mode: Mode = "min",
    cooldown: Patience = 0,
    warmup: Patience = 0,
    min_value: Value = 0.0,
    max_value: Value = 1.0,
    window: Count = 1,
    reset_after: Count | None = None,
) -> Machine:
    """A schedule that is raised while a metric improves and lowered when it does not.

    Use it when the peak is uncertain and the rate may rise as well as fall with the loss.

    GreedyLR: more than `patience` better values in a row divide the rate by `factor`,
    as many others multiply it by `factor`.

    Formula, for each judged value (the mean of `window` metrics), with better as in
    `reduce_on_plateau`:

        good, bad = (good + 1, 0) if better else (0, bad + 1)
        good > patience: rate = min(rate / factor, max_value), wait `warmup` judgements
        bad > patience:  rate = max(rate * factor, min_value), wait `cooldown` judgements

    Judgements waited for are ignored altogether, the best value included. The state
    holds the rate as a multiple of schedule(step). The bounds bind the changes: where
    the schedule itself is outside of them, its own value holds. A value that is not
    finite is bad and is forgotten. For rates >= 0.

    Args:
      schedule: A schedule, a number, a callable of the step, or another metric-driven
        schedule.
      factor: What a reduction multiplies the rate by, > 0 and < 1.
      patience: How many judgements in a row change nothing, >= 0.
      threshold: How much better is better, >= 0; below 1 for `rel` in mode min.
      threshold_mode: "rel", "abs" or "magnitude", as in `reduce_on_plateau`. Static.
      mode: "min" for a metric to bring down, "max" for one to bring up. Static.
      cooldown: Judgements ignored after a reduction, >= 0.
      warmup: Judgements ignored after a rise, >= 0.
      min_value: Reductions stop there.
      max_value: Rises stop there, >= `min_value`.
      window: How many metrics are averaged before one judgement, >= 1.
      reset_after: After that many judgements at `min_value` everything begins anew;
        None for never.

    Example:
      >>> import jaxsched as js
      >>> driven = js.greedy(0.25, factor=0.5, patience=1)
      >>> state, rates = driven.init(), []
      >>> for loss in (3.0, 2.0, 1.0, 1.0, 1.0):
      ...     rates.append(float(driven(state)))
      ...     state = driven.update(state, value=loss)
      >>> rates, float(driven(state))
      ([0.25, 0.25, 0.5, 0.5, 0.5], 0.25)

    Reference: "GreedyLR: A Novel Adaptive Learning Rate Scheduler" (2025),
    arXiv:2512.14527. Unlike Transformers' GreedyLR: the floor is 0 by default, not 0.001,
    which is above most rates in use; no change is too small (eps = 0); `window` takes
    means over blocks instead of a moving average; and the reset counts judgements at the
    floor, as its documentation says, not failed reductions.
    """

    def start() -> Greedy:
        return Greedy(Window(), worst(mode))

    def judge(memory: Greedy, report: Report) -> Greedy:
        left, seen = look(
            memory.window, report, window, memory.best, threshold, threshold_mode, mode
        )
        waits = memory.waiting > 0
        counts = seen.due & ~waits
        good = jnp.where(counts & seen.better, memory.good + 1, 0)
        bad = jnp.where(counts & ~seen.better, memory.bad + 1, 0)
        rises, falls = good > patience, bad > patience
        multiplier, least = moved(
            memory.multiplier,
            rises,
            falls,
            inverse(factor),
            factor,
            report.base,
            min_value,
            max_value,
        )
        rests = jnp.where(rises, warmup, jnp.where(falls, cooldown, memory.waiting))
        after = Greedy(
            window=left,
            best=jnp.where(waits, memory.best, seen.best),
            good=jnp.where(rises, 0, good),
            bad=jnp.where(falls, 0, bad),
            waiting=jnp.where(waits, memory.waiting - 1, rests),
            low=jnp.where(at_floor(multiplier, least), memory.low + 1, 0),
            multiplier=multiplier,
        )
        if reset_after is not None:
            after = _where(after.low >= reset_after, start(), after)
        return _where(seen.due, after, memory._replace(window=left))

    def rate(memory: Greedy, step: Array, base: Array) -> Array:
        return bounded(base, memory.multiplier, min_value, max_value)

    return Machine(start, judge, rate)


def _where(condition: Array, a: Greedy, b: Greedy) -> Greedy:
    return jax.tree.map(lambda x, y: jnp.where(condition, x, y), a, b)
