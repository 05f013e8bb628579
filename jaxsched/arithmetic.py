"""Schedules combined value by value: what the operators build, and limits."""

import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxsched.domains import ScheduleLike, Value
from jaxsched.domains.functions import as_schedule
from jaxsched.domains.numbers import known
from jaxsched.rule import Refusal
from jaxsched.schedule import Schedule, schedule
from jaxsched.transitions import constant


@schedule
def add(step: ArrayLike, first: ScheduleLike, second: ScheduleLike) -> ArrayLike:
    """The sum of two schedules: `first + second`.

    Formula: s(t) = first(t) + second(t).

    Args:
      first: A schedule, a number, or a callable of the step.
      second: Likewise.

    Returns:
      A `Schedule`.

    Raises:
      TypeError: An argument is not a schedule, a number or a callable.

    Example:
      >>> import jaxsched as js
      >>> (js.linear(1.0, 0.0, 4) + 0.5).at(2)
      1.0

    Reference: the operator `+` of a ring of functions.
    """
    return as_schedule(first)(step) + as_schedule(second)(step)


@schedule
def subtract(step: ArrayLike, first: ScheduleLike, second: ScheduleLike) -> ArrayLike:
    """The difference of two schedules: `first - second`.

    Formula: s(t) = first(t) - second(t).

    Args:
      first: A schedule, a number, or a callable of the step.
      second: Likewise.

    Returns:
      A `Schedule`.

    Raises:
      TypeError: An argument is not a schedule, a number or a callable.

    Example:
      >>> import jaxsched as js
      >>> (1 - js.linear(1.0, 0.0, 4)).at(1)
      0.25

    Reference: the operator `-` of a ring of functions.
    """
    return as_schedule(first)(step) - as_schedule(second)(step)


@schedule
def multiply(step: ArrayLike, first: ScheduleLike, second: ScheduleLike) -> ArrayLike:
    """The product of two schedules: `first * second`.

    Factors such as "constant * linear_warmup * rsqrt_decay" are written this way.

    Formula: s(t) = first(t) second(t).

    Args:
      first: A schedule, a number, or a callable of the step.
      second: Likewise.

    Returns:
      A `Schedule`.

    Raises:
      TypeError: An argument is not a schedule, a number or a callable.

    Example:
      >>> import jaxsched as js
      >>> (0.5 * js.linear(1.0, 0.0, 4)).at(2)
      0.25

    Reference: factor products as in T5X, Roberts et al. (2022), arXiv:2203.17189.
    """
    return as_schedule(first)(step) * as_schedule(second)(step)


def _not_zero(first: ScheduleLike, second: Schedule) -> None:
    # A number given as divisor has become a constant schedule.
    value = getattr(second, "value", None)
    if second._rule is constant.__rule__ and known(value) and value == 0:  # type: ignore[attr-defined]
        raise Refusal("second must not be 0", "second")


@schedule(check=_not_zero)
def divide(step: ArrayLike, first: ScheduleLike, second: ScheduleLike) -> ArrayLike:
    """The quotient of two schedules: `first / second`.

    Formula: s(t) = first(t) / second(t). Where `second` passes through 0 it is
    infinite, as in JAX.

    Args:
      first: A schedule, a number, or a callable of the step.
      second: Likewise, not the number 0.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `second` is the number 0.
      TypeError: An argument is not a schedule, a number or a callable.

    Example:
      >>> import jaxsched as js
      >>> (js.linear(1.0, 0.0, 4) / 10).at(0)
      0.10000000149011612

    Reference: the operator `/` of a field of functions.
    """
    return as_schedule(first)(step) / as_schedule(second)(step)


@schedule
def negative(step: ArrayLike, schedule: ScheduleLike) -> ArrayLike:
    """A schedule with its sign turned: `-schedule`.

    Optax adds updates, so `optax.scale_by_schedule` wants the negative rate.

    Formula: s(t) = -schedule(t).

    Args:
      schedule: A schedule, a number, or a callable of the step.

    Returns:
      A `Schedule`.

    Raises:
      TypeError: The argument is not a schedule, a number or a callable.

    Example:
      >>> import jaxsched as js
      >>> (-js.constant(0.5)).at(0)
      -0.5

    Reference: the operator `-` of a ring of functions.
    """
    return -as_schedule(schedule)(step)


@schedule
def maximum(step: ArrayLike, first: ScheduleLike, second: ScheduleLike) -> ArrayLike:
    """The larger of two schedules at every step.

    Formula: s(t) = max(first(t), second(t)).

    Args:
      first: A schedule, a number, or a callable of the step.
      second: Likewise.

    Returns:
      A `Schedule`.

    Raises:
      TypeError: An argument is not a schedule, a number or a callable.

    Example:
      >>> import jaxsched as js
      >>> js.maximum(js.linear(1.0, 0.0, 4), 0.25).at(4)
      0.25

    Reference: floors of this kind are `min_lr` in NeMo and Megatron-LM.
    """
    return jnp.maximum(as_schedule(first)(step), as_schedule(second)(step))


@schedule
def minimum(step: ArrayLike, first: ScheduleLike, second: ScheduleLike) -> ArrayLike:
    """The smaller of two schedules at every step.

    Formula: s(t) = min(first(t), second(t)).

    Args:
      first: A schedule, a number, or a callable of the step.
      second: Likewise.

    Returns:
      A `Schedule`.

    Raises:
      TypeError: An argument is not a schedule, a number or a callable.

    Example:
      >>> import jaxsched as js
      >>> js.minimum(js.linear(0.0, 1.0, 4), 0.5).at(4)
      0.5

    Reference: the two branches of Vaswani et al. (2017), arXiv:1706.03762, equation 3.
    """
    return jnp.minimum(as_schedule(first)(step), as_schedule(second)(step))


def _in_order(
    schedule: ScheduleLike, min_value: Value | None, max_value: Value | None
) -> None:
    if min_value is None and max_value is None:
        raise Refusal("give min_value or max_value", "min_value", "max_value")
    if min_value is None or max_value is None or not known(min_value, max_value):
        return
    if min_value > max_value:  # type: ignore[operator]
        raise Refusal("min_value must be <= max_value", "min_value", "max_value")


@schedule(check=_in_order)
def clip(
    step: ArrayLike,
    schedule: ScheduleLike,
    min_value: Value | None = None,
    max_value: Value | None = None,
) -> ArrayLike:
    """A schedule kept between a floor and a ceiling.

    The floor of any decay: `clip(exponential_decay(...), 1e-6)`.

    Formula: s(t) = min(max(schedule(t), min_value), max_value).

    Args:
      schedule: A schedule, a number, or a callable of the step.
      min_value: The floor, or None for none; differentiable.
      max_value: The ceiling, or None for none; differentiable.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: Neither is given, or the floor is above the ceiling.
      TypeError: An argument is of the wrong kind.

    Example:
      >>> import jaxsched as js
      >>> js.clip(js.linear(1.0, 0.0, 4), min_value=0.5).at(4)
      0.5

    Reference: `stop_factor_lr` in MXNet's `FactorScheduler`.
    """
    value = as_schedule(schedule)(step)
    if min_value is not None:
        value = jnp.maximum(value, min_value)
    if max_value is not None:
        value = jnp.minimum(value, max_value)
    return value
