"""scale_by_learning_rate: a transformation of Optax that remembers what it did."""

from typing import TYPE_CHECKING, Any, NamedTuple

import jax
from jax import Array

from jaxsched.arrays import as_real
from jaxsched.metric_driven.decorator import Driven, MetricDrivenLike
from jaxsched.metric_driven.machine import MetricDriven, strong
from jaxsched.progress import later
from jaxsched.rule import admitted, short

if TYPE_CHECKING:
    import optax


class ScaleByLearningRateState(NamedTuple):
    """The state of `scale_by_learning_rate`, of one layout for every schedule.

    `schedule_state` is `()` but for a metric-driven schedule.
    """

    count: Array  # type: ignore[assignment]  # updates made
    learning_rate: Array  # what the last update used; before one, what the first will
    multiplier: Array  # what every rate is multiplied by, 1 until someone changes it
    schedule_state: Any


def scale_by_learning_rate(
    learning_rate: MetricDrivenLike, *, flip_sign: bool = True
) -> "optax.GradientTransformationExtraArgs":
    """Scales updates by minus the learning rate, and remembers it.

    In the place of `optax.scale_by_learning_rate`, at the end of a chain. The state holds
    the rate that the last update used (see `learning_rate`) and a multiplier that always
    takes effect (see `set_multiplier`). Its layout is the same for a number and for every
    schedule, so a checkpoint survives a change of schedule; a metric-driven one adds its
    own state.

    Formula, at the update after `count` others:

        rate = schedule(count) * multiplier
        update = -rate * update

    Args:
      learning_rate: A schedule, a number, a callable of the step, or a metric-driven
        schedule, whose metric is then passed to the optimizer's `update` as `value=`.
      flip_sign: Whether to change the sign, so that applying updates descends.

    Returns:
      An `optax.GradientTransformationExtraArgs`. Updates keep their dtype.

    Raises:
      ValueError: The number is not finite.
      TypeError: `learning_rate` is none of these.

    Example:
      >>> import jaxsched as js, optax
      >>> import jax.numpy as jnp
      >>> optimizer = optax.chain(
      ...     optax.trace(0.9), js.scale_by_learning_rate(js.linear(1.0, 0.0, 4)))
      >>> params = jnp.array([1.0, 2.0])
      >>> state = optimizer.init(params)
      >>> for _ in range(2):
      ...     updates, state = optimizer.update(params, state, params)
      >>> float(js.learning_rate(state))
      0.75
    """
    import optax  # what merely evaluates schedules does without it

    name = "scale_by_learning_rate"
    schedule = admitted(name, "learning_rate", learning_rate, Driven())
    driven = isinstance(schedule, MetricDriven)
    sign = -1 if flip_sign else 1
    layout = jax.tree.structure(schedule.init() if driven else ())

    def rate_of(count: Array, own: Any) -> Array:
        return schedule(own if driven else count)

    def init(params: Any) -> ScaleByLearningRateState:
        del params
        count = strong(0)
        own = schedule.init() if driven else ()
        first = strong(rate_of(count, own).astype(strong(1.0).dtype))
        return ScaleByLearningRateState(count, first, strong(1.0), own)

    def update(
        updates: Any, state: Any, params: Any = None, **extra: Any
    ) -> tuple[Any, ScaleByLearningRateState]:
        del params
        if jax.tree.structure(state.schedule_state) != layout:
            raise ValueError(
                "scale_by_learning_rate: the state is that of another kind of schedule "
                f"than {short(schedule)}; begin with a new state and set_step_count"
            )
        rate = rate_of(state.count, state.schedule_state) * as_real(state.multiplier)
        own = schedule.update(state.schedule_state, **extra) if driven else ()
        updates = jax.tree.map(lambda g: (sign * rate).astype(g.dtype) * g, updates)
        return updates, ScaleByLearningRateState(
            later(state.count, 1).astype(state.count.dtype),
            rate.astype(state.learning_rate.dtype),
            state.multiplier,
            own,
        )

    return optax.GradientTransformationExtraArgs(init, update)
