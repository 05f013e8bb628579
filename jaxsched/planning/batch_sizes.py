"""seesaw: a larger batch in the place of a part of a decay."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from jaxsched.arrays import Numeric
from jaxsched.domains import Factor, Steps
from jaxsched.domains.numbers import surely
from jaxsched.rule import Refusal
from jaxsched.schedule import Schedule, ScheduleLike, schedule


def _not_below(
    schedule: ScheduleLike,
    batch_size: Factor,
    begin: Steps,
    max_batch_size: Factor | None,
) -> None:
    if max_batch_size is None:
        return
    if surely(max_batch_size - batch_size, lambda room: room < 0):
        names = ("max_batch_size", "batch_size")
        raise Refusal("max_batch_size must be >= batch_size", *names)


@schedule(check=_not_below)
def seesaw_batch_size(
    step: Array,
    schedule: ScheduleLike,
    batch_size: Factor,
    begin: Steps = 0,
    max_batch_size: Factor | None = None,
) -> Array:
    """The batch size of `seesaw`.

    Formula: batch_size before `begin`, then batch_size schedule(begin) / schedule(t),
    bounded by batch_size and max_batch_size; not rounded. Where the schedule is 0 it is
    max_batch_size, or infinite.

    Args:
      schedule: The learning rate that is to be matched: a schedule, a number or a
        callable of the step, >= 0.
      batch_size: The batch size of the reference, > 0; differentiable.
      begin: The step from which the batch may grow, >= 0: the end of the warm-up.
      max_batch_size: The largest batch size, >= batch_size, or None; differentiable.

    Example:
      >>> import jaxsched as js
      >>> js.planning.seesaw_batch_size(js.linear(1.0, 0.0, 8), 64).at(6)
      256.0

    Reference: Meterez et al. (2025), arXiv:2510.14717.
    """
    growth = _growth(schedule, batch_size, step, begin, max_batch_size)
    return growth * batch_size


@schedule(check=_not_below)
def seesaw_rate(
    step: Array,
    schedule: ScheduleLike,
    batch_size: Factor,
    begin: Steps = 0,
    max_batch_size: Factor | None = None,
) -> Array:
    """The learning rate of `seesaw`.

    Formula: schedule(t) sqrt(b / batch_size) for the batch size b of
    `seesaw_batch_size`: without a cap sqrt(schedule(begin) schedule(t)). Where the
    schedule is 0 it is 0.

    Args:
      schedule: The learning rate that is to be matched: a schedule, a number or a
        callable of the step, >= 0.
      batch_size: The batch size of the reference, > 0.
      begin: The step from which the batch may grow, >= 0: the end of the warm-up.
      max_batch_size: The largest batch size, >= batch_size, or None.

    Example:
      >>> import jaxsched as js
      >>> js.planning.seesaw_rate(js.linear(1.0, 0.0, 8), 64).at(6)
      0.5

    Reference: Meterez et al. (2025), arXiv:2510.14717.
    """
    value = schedule(step)
    growth = _growth(schedule, batch_size, step, begin, max_batch_size)
    is_on = value > 0
    return jnp.where(is_on, value * jnp.sqrt(jnp.where(is_on, growth, 1.0)), 0.0)


def _growth(
    schedule: Any, batch_size: Any, step: Array, begin: Any, max_batch_size: Any
) -> Array:
    """How many times as large as the reference's the batch is."""
    value = schedule(step)
    top = schedule(jnp.asarray(begin))
    is_on = value > 0
    ratio: Any = jnp.where(is_on, top / jnp.where(is_on, value, 1.0), jnp.inf)
    if max_batch_size is not None:
        ratio = jnp.minimum(ratio, max_batch_size / batch_size)
    return jnp.where(step < begin, 1.0, jnp.maximum(ratio, 1.0))


def seesaw(
    schedule: ScheduleLike,
    batch_size: Numeric,
    *,
    begin: Numeric = 0,
    max_batch_size: Numeric | None = None,
) -> tuple[Schedule, Schedule]:
    """A learning rate and a batch size that do together what a decay does.

    Where the reference multiplies its rate by x < 1, the rate is multiplied by sqrt(x)
    and the batch by 1 / x. The run sees as much data in fewer updates: in half of them in
    the place of a cosine or a line to 0.

    Both count steps *of the reference*, that is data: one step is `batch_size` samples.
    The number of real updates is the sum of batch_size / batch(t).

    What it is not: right above the critical batch size, from which on a larger batch
    gains nothing. When to switch is told by the functional scaling law
    (arXiv:2602.14208): late.

    Args:
      schedule: The learning rate of the reference: a schedule, a number or a callable of
        the step, >= 0.
      batch_size: The batch size of the reference, > 0; differentiable.
      begin: The step from which the batch may grow, >= 0: the end of the warm-up.
      max_batch_size: The largest batch size, >= batch_size; None for no bound.

    Returns:
      Two schedules, `seesaw_rate` and `seesaw_batch_size`. Rate / sqrt(batch) is the
      reference's at every step, with or without a cap.

    Raises:
      ValueError: `batch_size` is not positive or above `max_batch_size`.

    >>> import jaxsched as js
    >>> rate, batch_size = js.planning.seesaw(js.cosine(1e-3, 0.0, 1000), 256)
    >>> round(rate.at(500) / 1e-3, 4), round(batch_size.at(500), 4)
    (0.7071, 512.0)

    Reference: Meterez et al. (2025), arXiv:2510.14717.
    """
    given: dict[str, Any] = {"schedule": schedule, "batch_size": batch_size}
    given |= {"begin": begin, "max_batch_size": max_batch_size}
    try:
        return seesaw_rate(**given), seesaw_batch_size(**given)
    except (TypeError, ValueError) as error:  # they name themselves
        reason = str(error).removeprefix("seesaw_rate: ")
        raise type(error)(f"seesaw: {reason}") from None
