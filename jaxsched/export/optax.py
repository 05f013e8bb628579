"""to_optax: a schedule as one that Optax has, where it has one."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsched.arrays import largest_integer
from jaxsched.domains.numbers import whole_number
from jaxsched.inspection.phases import horizon, inspected
from jaxsched.inspection.samples import curve
from jaxsched.rule import admitted, short
from jaxsched.schedule import Schedule, ScheduleLike

# So many steps are compared where a schedule has no end.
_WITHOUT_END = 1000

# Of the largest value: Optax computes in float32, whose rounding an exponent amplifies.
_CLOSE = 1e-5


def to_optax(
    schedule: ScheduleLike, *, total_steps: int | None = None
) -> Callable[[Any], Any]:
    """The plain Optax schedule that does the same, where Optax has one.

    To leave this library, or to hand a schedule to code that looks into Optax's own. What
    is returned is made by the functions of `optax.schedules` alone (a callable of yours is
    returned as it is). Before that it is compared: at every step of a short run, and of a
    long one where its curve turns or jumps. It has what Optax's have: closures, and
    float32, whose errors are as large as 1e-5 of the largest value, and so larger than
    the rate itself where that is close to 0.

    Constants, lines, cosines, polynomials, exponential and stepwise decays, tables, and
    what `join`, `warmup`, `cooldown`, `delay`, `shift` and a limited `cycle` make of them
    can be written with Optax. Products and sums, noise, other shapes, and cycles without
    a limit cannot. An Optax schedule inside comes out as it is.

    Args:
      schedule: A schedule, a number or a callable of the step.
      total_steps: The length of the run to compare, >= 1; where it is not given, the
        schedule's own length, or 1,000 steps if it has none.

    Returns:
      A function of the step.

    Raises:
      NotImplementedError: Optax has no such schedule; says what it lacks.
      ValueError: Optax's own would do something else, or the schedule is stacked.
      TypeError: `schedule` is none, or is traced.

    >>> import jaxsched as js
    >>> rate = js.to_optax(js.warmup_cosine(0.1, total_steps=1000, warmup_steps=100))
    >>> print(f"{rate(100):.4f} {rate(550):.4f} {rate(1000):.4f}")
    0.1000 0.0500 0.0000
    >>> js.to_optax(js.noam(512, warmup_steps=4000))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    NotImplementedError: to_optax: Optax has nothing for noam, got schedule=noam(...)
    """
    # Optax takes longer to import than all of this package, and few ask for it.
    from jaxsched.export.optax_schedules import Lacking, in_optax

    inner = inspected("to_optax", schedule)
    try:
        made = in_optax(inner)
    except Lacking as lacking:
        raise NotImplementedError(
            f"to_optax: Optax has nothing for {lacking}, got schedule={short(inner)}"
        ) from None
    _compare(inner, made, total_steps)
    return made


def _compare(
    schedule: Schedule, made: Callable[[Any], Any], total_steps: int | None
) -> None:
    """Refuses what differs."""
    if total_steps is None:
        length = (horizon(schedule) or _WITHOUT_END) + 2
    else:
        length = int(admitted("to_optax", "total_steps", total_steps, whole_number(1)))
    end = min(length, largest_integer())
    turns = curve(schedule, end)[0]  # all steps of a short run
    steps = np.unique(np.clip([turns - 1, turns, turns + 1], 0, end - 1))
    expected = schedule.at(steps)
    # Optax relies on this promotion, and puts its numbers on the device as it computes.
    with jax.numpy_dtype_promotion("standard"), jax.transfer_guard("allow"):
        found = np.asarray(made(jnp.asarray(steps)), np.float64)
    scale = np.max(np.abs(expected), initial=0.0)
    differs = ~(np.abs(found - expected) <= _CLOSE * scale)
    if np.any(differs):
        i = int(np.argmax(differs))
        raise ValueError(
            f"to_optax: Optax's schedule gives {found[i]} at step {steps[i]} instead of "
            f"{expected[i]}, got schedule={short(schedule)}"
        )
