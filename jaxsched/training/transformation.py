"""Optimizers of Optax under a schedule, in a state that remembers what it did."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from jaxsched.arrays import as_leaf, as_real, strong
from jaxsched.metric_driven.decorator import Driven, MetricDrivenLike
from jaxsched.metric_driven.machine import MetricDriven
from jaxsched.progress import later
from jaxsched.rule import admitted, short
from jaxsched.serialization import exported_tuple
from jaxsched.training.trial import refuse_unfit

if TYPE_CHECKING:
    import optax


@exported_tuple
class ScheduledState(NamedTuple):
    """The state of `with_schedule` and `scale_by_learning_rate`.

    Its layout is the same for every schedule; `schedule_state` is `()` but for a
    metric-driven one. A state of zeros is one before any update.
    """

    count: Array  # type: ignore[assignment]  # updates made
    last_learning_rate: Array  # what the last update used; before one, what it will use
    multiplier: Array  # what every rate is multiplied by, 1 until someone changes it
    started: Array  # False only in a state of zeros, whose multiplier then is 1
    schedule_state: Any
    inner_state: Any  # of the optimizer

    @property
    def hyperparams(self) -> dict[str, Array]:
        """The rate that the last update used, as `optax.inject_hyperparams` shows it.

        To be read: changes are lost. `set_multiplier` steers.
        """
        return {"learning_rate": self.last_learning_rate}


def with_schedule(
    optimizer: "Callable[..., optax.GradientTransformation]",
    schedule: MetricDrivenLike,
    /,
    **settings: Any,
) -> "optax.GradientTransformationExtraArgs":
    """An optimizer of Optax under a schedule that you can read and steer.

    It makes the updates of `optimizer(learning_rate=schedule, **settings)`. Its state
    also holds the rate that the last update used (see `learning_rate`), a multiplier
    (see `set_multiplier`), and what a metric-driven schedule remembers. It has one
    layout for every schedule and for a number, so a checkpoint survives a change of
    schedule.

    Formula, at the update after `count` others:

        rate = schedule(count) * multiplier
        the update is that of optimizer(learning_rate=rate, **settings)

    Args:
      optimizer: What makes the optimizer and takes `learning_rate` as a number:
        `optax.adamw`, another of Optax or `optax.contrib`, or a function of your own.
      schedule: A schedule, a number, a callable of the step, or a metric-driven
        schedule, whose metric is then passed to the optimizer's `update` as `value=`.
      **settings: The other arguments of `optimizer`, by name.

    Returns:
      An `optax.GradientTransformationExtraArgs`.

    Raises:
      TypeError: `optimizer` takes no `learning_rate`, or is an optimizer already, whose
        updates are scaled; `schedule` is none of these.
      ValueError: The optimizer looks at its rate only once, so no schedule moves it, or
        counts its updates otherwise, as one inside `optax.MultiSteps` does.

    A function of your own whose updates go up the gradient, such as a chain in which two
    parts have a learning rate, is taken with a warning.

    Example:
      >>> import jaxsched as js, optax
      >>> import jax.numpy as jnp
      >>> optimizer = js.with_schedule(
      ...     optax.adamw, js.linear(1.0, 0.0, steps=4), weight_decay=1e-4)
      >>> params = jnp.array([1.0, 2.0])
      >>> state = optimizer.init(params)
      >>> for _ in range(2):
      ...     updates, state = optimizer.update(params, state, params)
      >>> float(js.learning_rate(state))
      0.75
    """
    refuse_unfit(optimizer, settings)
    made = partial(optimizer, **settings)
    return _scheduled(made, admitted("with_schedule", "schedule", schedule, Driven()))


def scale_by_learning_rate(
    learning_rate: MetricDrivenLike, *, flip_sign: bool = True
) -> "optax.GradientTransformationExtraArgs":
    """Scales updates by minus the learning rate, and remembers it.

    Use it in an optimizer that you put together yourself, in the place of
    `optax.scale_by_learning_rate`: the last of several `scale_by_...` parts. A whole
    optimizer needs no chain: `with_schedule(optax.adamw, schedule)` makes AdamW with
    the same state. Behind a whole optimizer this part would do harm: `optax.adamw(1.0)`
    has scaled its updates and turned their sign, and a second turn climbs the loss.

    Formula, at the update after `count` others:

        rate = schedule(count) * multiplier
        update = -rate * update

    Args:
      learning_rate: As `schedule` of `with_schedule`.
      flip_sign: Whether to change the sign, so that applying updates descends.

    Returns:
      An `optax.GradientTransformationExtraArgs`. Updates keep their dtype.

    Raises:
      ValueError: The number is not finite.
      TypeError: `learning_rate` is none of these.

    Example:
      >>> import jaxsched as js, optax
      >>> import jax.numpy as jnp
      >>> schedule = js.linear(1.0, 0.0, 4)
      >>> optimizer = optax.chain(  # AdamW: js.with_schedule(optax.adamw, schedule)
      ...     optax.scale_by_adam(),
      ...     optax.add_decayed_weights(1e-4),
      ...     js.scale_by_learning_rate(schedule))
      >>> params = jnp.array([1.0, 2.0])
      >>> state = optimizer.init(params)
      >>> for _ in range(2):
      ...     updates, state = optimizer.update(params, state, params)
      >>> float(js.learning_rate(state))
      0.75
    """
    import optax  # what merely evaluates schedules does without it

    def made(learning_rate: Any) -> optax.GradientTransformation:
        scale = optax.scale_by_learning_rate(learning_rate, flip_sign=flip_sign)

        def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
            return scale.update(updates, scale.init(params))[0], state

        # Its state is nothing, and not an `optax.EmptyState`, which JAX does not export.
        return optax.GradientTransformation(lambda params: (), update)

    name = "scale_by_learning_rate"
    return _scheduled(made, admitted(name, "learning_rate", learning_rate, Driven()))


def _scheduled(
    made: "Callable[..., optax.GradientTransformation]", schedule: Any
) -> "optax.GradientTransformationExtraArgs":
    """What `made(learning_rate=...)` makes, anew at each update, with that one's rate."""
    import optax

    driven = isinstance(schedule, MetricDriven)

    def rate_of(count: Array, own: Any) -> Array:
        return as_real(schedule(own if driven else count))

    def init(params: Any) -> ScheduledState:
        own = schedule.init() if driven else ()
        # The numbers that a schedule and an optimizer begin with come from the host.
        with jax.transfer_guard("allow"):
            first = strong(rate_of(strong(0), own))
            optimizer = made(learning_rate=first)
        inner = optimizer.init(params)
        return ScheduledState(strong(0), first, strong(1.0), strong(True), own, inner)

    def update(
        updates: Any, state: Any, params: Any = None, **extra: Any
    ) -> tuple[Any, ScheduledState]:
        state = _arrays(state, schedule)
        multiplier = state.multiplier
        unset = ~state.started & (multiplier == 0)
        multiplier = as_real(jnp.where(unset, jnp.ones_like(multiplier), multiplier))
        rate = rate_of(state.count, state.schedule_state) * multiplier
        inner = optax.with_extra_args_support(made(learning_rate=rate))
        updates, own = inner.update(updates, state.inner_state, params, **extra)
        after = ScheduledState(
            later(state.count, 1).astype(state.count.dtype),
            rate.astype(state.last_learning_rate.dtype),
            multiplier.astype(state.multiplier.dtype),
            strong(True),
            schedule.update(state.schedule_state, **extra) if driven else (),
            own,
        )
        return updates, after

    return optax.GradientTransformationExtraArgs(init, update)


def _arrays(state: Any, schedule: Any) -> ScheduledState:
    """The state with arrays as leaves, or a refusal of what is none of this schedule."""
    if not isinstance(state, ScheduledState):
        raise ValueError(
            "the state is not that of js.with_schedule or js.scale_by_learning_rate, but "
            f"a {type(state).__name__}; begin with optimizer.init(params) and let its "
            "schedule go on with js.set_step_count(state, count), together with the "
            "counts of averages such as Adam's with "
            "js.set_step_count(state, count, every=True)"
        )
    driven = isinstance(schedule, MetricDriven)
    new = ScheduledState(
        strong(0),
        strong(1.0),
        strong(1.0),
        strong(True),
        schedule.init() if driven else (),
        (),
    )
    inner, plain = state.inner_state, state._replace(inner_state=())
    if jax.tree.structure(plain) != jax.tree.structure(new):
        raise ValueError(
            "the state is that of another kind of schedule than "
            f"{short(schedule)}; begin with a new state and js.set_step_count"
        )
    return jax.tree.map(as_leaf, plain, new)._replace(inner_state=inner)
