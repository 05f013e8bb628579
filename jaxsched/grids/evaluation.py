"""evaluate: the curves of a whole grid in one compiled call."""

from functools import partial
from typing import Any

import jax
from jax import Array

from jaxsched.arrays import Numeric
from jaxsched.domains.numbers import Step
from jaxsched.rule import admitted
from jaxsched.schedule import Inner, Schedule
from jaxsched.schedule.stacking import leading_axes


def evaluate(schedule: Any, steps: Numeric) -> Array:
    """The values of a schedule, or of all schedules in a stacked one, at some steps.

    One program for each structure and each shape of `steps`: another grid of the same
    size compiles nothing again.

    Args:
      schedule: A stacked schedule (from `stack`, or that of a `Grid`), or a single one:
        a schedule, a number or a callable of the step. May be traced.
      steps: Numbers of updates already made: an array of any shape, or one number. Steps
        below 0 read as 0.

    Returns:
      An array of the shape of the leading axes of the schedule followed by that of
      `steps`: (n, len(steps)) for a grid of n, (len(steps),) for a single schedule,
      which is exactly `schedule(steps)`.

    Raises:
      TypeError: `schedule` is not a schedule, or `steps` not real numbers.
      ValueError: Not all of a stacked schedule is stacked.

    >>> import numpy as np, jaxsched as js
    >>> grid = js.grid(js.linear, end_value=0.0, init_value=[1.0, 2.0], steps=[5, 10])
    >>> js.evaluate(grid.schedules, np.array([0, 5, 10]))
    Array([[1. , 0. , 0. ],
           [1. , 0.5, 0. ],
           [2. , 0. , 0. ],
           [2. , 1. , 0. ]], dtype=float32)
    """
    schedule = admitted("evaluate", "schedule", schedule, Inner())
    axes = leading_axes("evaluate", schedule)
    with jax.transfer_guard("allow"):  # steps and hyperparameters of the host are meant
        if not axes:
            return schedule(steps)
        known = admitted("evaluate", "step", steps, Step())
        return _mapped(schedule, known, len(axes))


@partial(jax.jit, static_argnums=2)
def _mapped(schedule: Schedule, steps: Array, depth: int) -> Array:
    values = lambda schedule: schedule(steps)
    for _ in range(depth):
        values = jax.vmap(values)
    return values(schedule)
