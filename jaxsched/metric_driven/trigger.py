"""cooldown_on_trigger: the decay begins when something says so."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from jaxsched.arrays import Numeric, as_real
from jaxsched.domains import Count, Rate, Steps, Value
from jaxsched.metric_driven.decorator import MetricDrivenLike, metric_driven
from jaxsched.metric_driven.machine import Machine, Report, Scalar
from jaxsched.metric_driven.metrics import (
    Mode,
    Patience,
    ThresholdMode,
    Window,
    look,
    refuse_impossible,
    worst,
)
from jaxsched.numerics import blend
from jaxsched.progress import progress, since
from jaxsched.serialization import exported_tuple
from jaxsched.shapes import ShapeLike, as_shape


@exported_tuple
class Trigger(NamedTuple):
    """The memory of `cooldown_on_trigger`."""

    window: Window
    best: Scalar
    bad: Scalar = 0  # judgements in a row that were no better
    begin: Scalar = -1  # the step at which the cool-down begins, -1: not yet
    held: Scalar = 0.0  # the rate there


def _check(threshold: Numeric, threshold_mode: str, mode: str, **_: object) -> None:
    refuse_impossible(threshold, threshold_mode, mode)


@metric_driven(check=_check)
def cooldown_on_trigger(
    schedule: MetricDrivenLike,
    steps: Steps,
    end_value: Value = 0.0,
    *,
    shape: ShapeLike = "linear",
    patience: Patience | None = None,
    threshold: Rate = 1e-4,
    threshold_mode: ThresholdMode = "rel",
    mode: Mode = "min",
    window: Count = 1,
) -> Machine:
    """A schedule that starts to decay when told to, from wherever the rate is.

    Use it when you decide on the end of a run while it runs, by hand or by the loss.

    Three things begin the decay: a true `trigger=` passed to `update` (to the optimizer's
    update, in training); with `patience`, a metric that stops improving; and the host,
    with `set_trigger` between two updates (or by editing `begin` in its memory to now or
    later). It begins at the step of that update, once, and from then on the rate is that
    of `cooldown(schedule, begin=that step, ...)`.

    Formula, with u = min(t - begin, steps) / steps and the weights of the shape:

        s(t) = schedule(t)                                      for t <= begin
        s(t) = schedule(begin) fall(u) + end_value rise(u)      from then on

    A plateau is more than `patience` judgements in a row that are no better, as in
    `reduce_on_plateau`; a value that is not finite is no better and is forgotten.

    Args:
      schedule: A schedule, a number, a callable of the step, or another metric-driven
        schedule.
      steps: Length of the decay in steps, >= 0.
      end_value: The value it goes to.
      shape: Its shape, or its name; see `transition`.
      patience: How many judgements in a row may be no better, >= 0, or None: no metric
        is needed then.
      threshold: How much better is better, >= 0; below 1 for `rel` in mode min.
      threshold_mode: "rel", "abs" or "magnitude", as in `reduce_on_plateau`. Static.
      mode: "min" for a metric to bring down, "max" for one to bring up. Static.
      window: How many metrics are averaged before one judgement, >= 1.

    Example:
      >>> import jaxsched as js
      >>> driven = js.cooldown_on_trigger(1.0, steps=4)
      >>> state, rates = driven.init(), []
      >>> for step in range(8):
      ...     rates.append(float(driven(state)))
      ...     state = driven.update(state, trigger=step == 2)
      >>> rates
      [1.0, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0, 0.0]

    Reference: Hägele et al. (2024), arXiv:2405.18392, section 3, which decays any run of
    constant rate; the trigger is this library's.
    """

    def start() -> Trigger:
        return Trigger(Window(), worst(mode))

    def judge(memory: Trigger, report: Report) -> Trigger:
        left, seen = look(
            memory.window, report, window, memory.best, threshold, threshold_mode, mode
        )
        bad = jnp.where(seen.due, jnp.where(seen.better, 0, memory.bad + 1), memory.bad)
        told = report.trigger
        if patience is not None:
            told = told | (seen.due & (bad > patience))
        begin = jnp.where((memory.begin < 0) & told, report.step, memory.begin)
        cooling = (memory.begin >= 0) & (report.step > memory.begin)
        held = jnp.where(cooling, memory.held, report.base)
        return Trigger(left, seen.best, bad, begin, held)

    def rate(memory: Trigger, step: Array, base: Array) -> Array:
        cooling = (memory.begin >= 0) & (step >= memory.begin)
        # The host may have begun it just now, at a rate that no update has seen.
        left = jnp.where(step == memory.begin, base, as_real(memory.held))
        elapsed = jnp.where(cooling, since(step, memory.begin), 0)
        fall, rise = as_shape(shape)(*progress(elapsed, steps))
        return jnp.where(cooling, blend(left, fall, end_value, rise), base)

    needs_value = patience is not None
    return Machine(start, judge, rate, needs_value, takes_trigger=True)
