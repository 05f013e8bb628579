"""back_off_on_spike: a spike in the loss cuts the rate for a while."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from jaxsched.arrays import Numeric, as_real
from jaxsched.domains import Count, Factor, Power, Steps
from jaxsched.metric_driven.decorator import MetricDrivenLike, metric_driven
from jaxsched.metric_driven.machine import Machine, Report, Scalar
from jaxsched.metric_driven.metrics import refuse_growth
from jaxsched.numerics import blend, safely
from jaxsched.progress import later, progress, since, together
from jaxsched.serialization import exported_tuple
from jaxsched.shapes import ShapeLike, as_shape

# Deviations are counted no finer than the digits of a float32 loss, and none is so large
# that its square overflows.
_RESOLUTION = 2.0**-20
_LARGEST = 1e18


@exported_tuple
class Spike(NamedTuple):
    """The memory of `back_off_on_spike`."""

    mean: Scalar = 0.0  # running mean of the metric
    variance: Scalar = 0.0  # running variance
    count: Scalar = 0  # finite metrics seen
    since: Scalar = -1  # updates since the last spike, -1 before there is one


def _check(factor: Numeric, **_: object) -> None:
    refuse_growth(factor)


@metric_driven(check=_check)
def back_off_on_spike(
    schedule: MetricDrivenLike,
    factor: Factor = 0.1,
    *,
    threshold: Power = 6.0,
    hold_steps: Steps = 100,
    recover_steps: Steps = 100,
    window: Count = 100,
    shape: ShapeLike = "linear",
) -> Machine:
    """A schedule that backs off when the loss spikes, and then comes back.

    Use it when a run has loss spikes.

    A spike is a loss more than `threshold` standard deviations above its running mean,
    or one that is not finite. The rate is then `factor` of the schedule's for
    `hold_steps` updates and returns from there to the schedule over `recover_steps`
    more; meanwhile the steps of the schedule go on. A spike during that time begins a
    new cut in the place of the old one.

    Formula, for a finite loss x after n others, with a = 1 / min(n + 1, window):

        spike = n >= window and x > mean + threshold * sqrt(variance)
        d = x - mean, held within threshold * sqrt(variance) from n >= window on
        mean += a d, variance = (1 - a) (variance + a d^2)
        rate = schedule(step) * (factor fall(u) + rise(u))

    where u is the elapsed part of the recovery, 0 while the rate is held. Because d is
    bounded, one spike cannot hide the next, and a lasting change of level is learned; the
    first `window` losses are taken as they are. A deviation below 2^-20 of the mean is
    none: pass the loss in float32, bfloat16 moves in larger steps. A loss that is not
    finite is a spike at any time and is forgotten.

    It must see the loss: `optax.apply_if_finite` around it holds its state where
    gradients are not finite, and `optax.MultiSteps` passes on only the last loss.

    Args:
      schedule: A schedule, a number, a callable of the step, or another metric-driven
        schedule.
      factor: What a spike multiplies the rate by, > 0 and < 1.
      threshold: How many standard deviations make a spike, > 0.
      hold_steps: Updates at the lower rate, >= 0.
      recover_steps: Updates of the way back, >= 0.
      window: Losses that the running mean and variance reach back, and that must be seen
        before one is judged, >= 1.
      shape: The shape of the way back, or its name; see `transition`.

    Example:
      >>> import jaxsched as js
      >>> driven = js.back_off_on_spike(
      ...     1.0, factor=0.5, hold_steps=2, recover_steps=2, window=4)
      >>> state, rates = driven.init(), []
      >>> for loss in (3.0, 2.0, 3.0, 2.0, float("nan"), 2.0, 2.0, 2.0, 2.0):
      ...     rates.append(float(driven(state)))
      ...     state = driven.update(state, value=loss)
      >>> rates
      [1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.75]

    Reference: Chowdhery et al., "PaLM" (2022), arXiv:2204.02311, section 5.1, for the
    spikes; the running variance is West's (1979), as exponential weights make it.
    """

    def judge(memory: Spike, report: Report) -> Spike:
        ready = memory.count >= window
        varies = memory.variance > 0
        spread = jnp.maximum(
            jnp.where(varies, jnp.sqrt(safely(varies, memory.variance)), 0.0),
            _RESOLUTION * jnp.abs(memory.mean),
        )
        bound = jnp.where(ready, jnp.minimum(threshold * spread, _LARGEST), _LARGEST)
        deviation = report.value - memory.mean
        spike = report.measured & (~report.finite | (ready & (deviation > bound)))
        usual = jnp.clip(deviation, -bound, bound)
        share = 1 / as_real(jnp.minimum(memory.count + 1, window))
        learns = report.measured & report.finite
        new = memory.mean + share * usual
        spread_out = (1 - share) * (memory.variance + share * usual**2)
        more = 0 if report.between else 1
        passed = jnp.where(memory.since < 0, -1, later(memory.since, more))
        return Spike(
            mean=jnp.where(learns, new, memory.mean),
            variance=jnp.where(learns, spread_out, memory.variance),
            count=jnp.where(learns, later(memory.count, 1), memory.count),
            since=jnp.where(spike, 0, passed),
        )

    def rate(memory: Spike, step: Array, base: Array) -> Array:
        passed, hold = together(memory.since, hold_steps)
        fall, rise = as_shape(shape)(*progress(since(passed, hold), recover_steps))
        held = (passed >= 0) & (passed < hold)
        recovers = (passed >= hold) & (passed < later(hold, recover_steps))
        back = jnp.where(recovers, base * blend(factor, fall, 1.0, rise), base)
        return jnp.where(held, base * factor, back)

    return Machine(Spike, judge, rate)
