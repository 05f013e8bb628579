"""loss_warmup: a warm-up that goes by the loss, not by the step."""

from typing import Annotated, Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from jaxsched.arrays import Numeric, as_real
from jaxsched.domains import Value
from jaxsched.domains.numbers import Number, surely
from jaxsched.metric_driven.decorator import MetricDrivenLike, metric_driven
from jaxsched.metric_driven.machine import Machine, Report, Scalar
from jaxsched.rule import Refusal
from jaxsched.serialization import exported_tuple

Ratio = Annotated[Numeric, Number(above=1)]

# A loss at its least possible value would divide by 0.
_SMALL = 1e-6


@exported_tuple
class LossWarmup(NamedTuple):
    """The memory of `loss_warmup`; gaps are losses above the least one."""

    first: Scalar = 0.0  # the gap of the first loss, 0 before it
    gap: Scalar = 0.0  # the gap of the last one


def _in_order(peak_loss: Value, least_loss: Value, **_: object) -> None:
    if surely(peak_loss - least_loss, lambda gap: gap <= 0):
        raise Refusal("peak_loss must be > least_loss", "peak_loss", "least_loss")


@metric_driven(check=_in_order)
def loss_warmup(
    schedule: MetricDrivenLike,
    peak_loss: Value,
    least_loss: Value = 0.0,
    first_factor: Ratio = 10.0,
) -> Machine:
    """A schedule under a warm-up that goes by the loss.

    Early in training the curvature falls with the loss, and the rate that is stable rises.
    So the rate rises as the loss falls, from the schedule divided by `first_factor` to
    the whole schedule at `peak_loss`, whenever that is; and it falls again below that.

    Formula, with D = loss - least_loss, D0 that of the first loss and D* = peak_loss -
    least_loss:

        rate = schedule(step) / (1 + (first_factor - 1) (D0 / D) ((D - D*) / (D0 - D*))^2)

    which is D / (K0 + K1 D + K2 D^2) in the paper's terms. Where the first loss is not
    above `peak_loss` there is no warm-up. A loss that is not finite changes nothing.

    Args:
      schedule: A schedule, a number, a callable of the step, or another metric-driven
        schedule: the rate without the warm-up.
      peak_loss: The loss at which the warm-up is over, > `least_loss`.
      least_loss: The loss that no training goes below.
      first_factor: What the first rates are divided by, > 1.

    Example:
      >>> import jaxsched as js
      >>> driven = js.planning.loss_warmup(0.1, peak_loss=2.0)
      >>> state, rates = driven.init(), []
      >>> for loss in (10.0, 6.0, 4.0, 2.0):
      ...     state = driven.update(state, value=loss)
      ...     rates.append(round(float(driven(state)), 4))
      >>> rates
      [0.01, 0.0211, 0.0416, 0.1]

    Reference: arXiv:2602.05813.
    """

    def judge(memory: LossWarmup, report: Report) -> LossWarmup:
        gap = jnp.maximum(report.value - least_loss, _SMALL)
        usable = report.measured & report.finite
        is_first = usable & (memory.first == 0)
        return LossWarmup(
            jnp.where(is_first, gap, memory.first),
            jnp.where(usable, gap, memory.gap),
        )

    def rate(memory: LossWarmup, step: Array, base: Array) -> Any:
        top = peak_loss - least_loss
        first, gap = as_real(memory.first), as_real(memory.gap)
        begun, needed = first > 0, first > top
        first = jnp.where(begun & needed, first, 2 * top)
        gap = jnp.where(begun & needed, gap, 2 * top)
        part = (gap - top) / (first - top)
        divisor = 1 + (first_factor - 1) * (first / gap) * part**2
        return base / jnp.where(begun & ~needed, 1.0, divisor)

    return Machine(LossWarmup, judge, rate)
