"""kl_adaptive: the rate that keeps the steps of a policy near a target size."""

from typing import Annotated, NamedTuple

from jax import Array

from jaxsched.arrays import Numeric
from jaxsched.domains import Value
from jaxsched.domains.numbers import Number
from jaxsched.metric_driven.bounds import bounded, inverse, moved
from jaxsched.metric_driven.decorator import MetricDrivenLike, metric_driven
from jaxsched.metric_driven.machine import Machine, Report, Scalar
from jaxsched.metric_driven.metrics import refuse_crossed
from jaxsched.serialization import exported_tuple

Target = Annotated[Numeric, Number(above=0)]
Ratio = Annotated[Numeric, Number(above=1)]


@exported_tuple
class KLAdaptive(NamedTuple):
    """The memory of `kl_adaptive`."""

    multiplier: Scalar = 1.0


def _check(min_value: Numeric, max_value: Numeric, **_: object) -> None:
    refuse_crossed(min_value, max_value)


@metric_driven(check=_check)
def kl_adaptive(
    schedule: MetricDrivenLike,
    target: Target,
    factor: Ratio = 1.5,
    *,
    band: Ratio = 2.0,
    min_value: Value = 1e-5,
    max_value: Value = 1e-2,
) -> Machine:
    """A schedule that is raised or lowered to keep a KL divergence in a band.

    Use it when a policy should move by about the same amount in each update.

    In PPO and its kin the metric is the mean KL divergence between the policy before an
    update and after it. A policy that moves too far lowers the rate, one that hardly
    moves raises it. Called KLAdaptiveLR in skrl and TorchRL, and schedule="adaptive" in
    rsl_rl and rl_games. Any metric that grows with the rate can stand for the
    divergence.

    Formula, for each metric a:

        a > target * band:      rate = max(rate / factor, min_value)
        0 < a < target / band:  rate = min(rate * factor, max_value)

    The state holds the rate as a multiple of schedule(step). The bounds bind the changes:
    where the schedule itself is outside of them, its own value holds. A metric of exactly
    0 changes nothing, for a policy that did not move; one that is not finite lowers the
    rate.

    Args:
      schedule: A schedule, a number, a callable of the step, or another metric-driven
        schedule.
      target: The divergence to keep near to, > 0; 0.008 to 0.02 are usual.
      factor: What a rise multiplies the rate by, and a fall divides it by, > 1.
      band: How many times the target is too much, and which part of it too little, > 1.
      min_value: Falls stop there.
      max_value: Rises stop there, >= `min_value`.

    Example:
      >>> import jaxsched as js
      >>> driven = js.kl_adaptive(0.001, target=0.01, factor=2.0)
      >>> state, rates = driven.init(), []
      >>> for divergence in (0.03, 0.03, 0.01, 0.004, 0.0):
      ...     state = driven.update(state, value=divergence)
      ...     rates.append(round(float(driven(state)), 6))
      >>> rates
      [0.0005, 0.00025, 0.00025, 0.0005, 0.0005]

    Reference: Rudin et al., "Learning to Walk in Minutes" (2021), arXiv:2109.11978, as
    rsl_rl does it, with its bounds; rl_games and skrl stop at 1e-6 and raise the rate at a
    divergence of 0 too.
    """

    def judge(memory: KLAdaptive, report: Report) -> KLAdaptive:
        much = ~report.finite | (report.value > target * band)
        little = report.finite & (report.value > 0) & (report.value < target / band)
        after = moved(
            memory.multiplier,
            report.measured & little,
            report.measured & much,
            factor,
            inverse(factor),
            report.base,
            min_value,
            max_value,
        )
        return KLAdaptive(after.multiplier)

    def rate(memory: KLAdaptive, step: Array, base: Array) -> Array:
        return bounded(base, memory.multiplier, min_value, max_value)

    return Machine(KLAdaptive, judge, rate)
