"""Schedules kept within limits: by each other, by a floor, by a ceiling."""

from typing import Any

import jax.numpy as jnp

from jaxsched.domains import Value
from jaxsched.rule import Refusal, known
from jaxsched.schedule import ScheduleLike, schedule
from jaxsched.schedule.operators import both
from jaxsched.schedule.phases import within


@schedule(phases=both("or"))
def maximum(step: Any, first: ScheduleLike, second: ScheduleLike) -> Any:
    """The larger of two schedules at every step.

    Use it when one schedule should be a floor under another.

    Formula: s(t) = max(first(t), second(t)).

    Args:
      first: A schedule, a number, or a callable of the step.
      second: Likewise.

    Example:
      >>> import jaxsched as js
      >>> js.maximum(js.linear(1.0, 0.0, 4), 0.25).at(4)
      0.25

    Reference: floors of this kind are `min_lr` in NeMo and Megatron-LM.
    """
    return jnp.maximum(first(step), second(step))


@schedule(phases=both("or"))
def minimum(step: Any, first: ScheduleLike, second: ScheduleLike) -> Any:
    """The smaller of two schedules at every step.

    Use it when one schedule should be a ceiling over another.

    Formula: s(t) = min(first(t), second(t)).

    Args:
      first: A schedule, a number, or a callable of the step.
      second: Likewise.

    Example:
      >>> import jaxsched as js
      >>> js.minimum(js.linear(0.0, 1.0, 4), 0.5).at(4)
      0.5

    Reference: the two branches of Vaswani et al. (2017), arXiv:1706.03762, equation 3.
    """
    return jnp.minimum(first(step), second(step))


def _in_order(
    schedule: ScheduleLike, min_value: Value | None, max_value: Value | None
) -> None:
    if min_value is None and max_value is None:
        raise Refusal("give min_value or max_value", "min_value", "max_value")
    if min_value is None or max_value is None or not known(min_value, max_value):
        return
    if min_value > max_value:
        raise Refusal("min_value must be <= max_value", "min_value", "max_value")


@schedule(check=_in_order, phases=within)
def clip(
    step: Any,
    schedule: ScheduleLike,
    min_value: Value | None = None,
    max_value: Value | None = None,
) -> Any:
    """A schedule kept between a floor and a ceiling.

    Use it when a decay should not fall below a floor, or a schedule not rise above a
    ceiling.

    The floor of any decay: `clip(exponential_decay(...), 1e-6)`.

    Formula: s(t) = min(max(schedule(t), min_value), max_value).

    Args:
      schedule: A schedule, a number, or a callable of the step.
      min_value: The floor, or None for none; differentiable.
      max_value: The ceiling, or None for none; differentiable.

    Raises:
      ValueError: Neither is given, or the floor is above the ceiling.

    Example:
      >>> import jaxsched as js
      >>> js.clip(js.linear(1.0, 0.0, 4), min_value=0.5).at(4)
      0.5

    Reference: `stop_factor_lr` in MXNet's `FactorScheduler`.
    """
    value = schedule(step)
    if min_value is not None:
        value = jnp.maximum(value, min_value)
    if max_value is not None:
        value = jnp.minimum(value, max_value)
    return value
