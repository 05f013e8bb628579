"""A schedule that counts epochs or iterations, in a loop that counts updates."""

import math
from typing import Any

from jax import Array

from jaxsched.domains import Period
from jaxsched.progress import cycle_of
from jaxsched.schedule import Phase, ScheduleLike, schedule
from jaxsched.schedule.phases import in_blocks, mapped, number, phases_of


def _in_updates(s: Any, until: float) -> list[Phase]:
    every = number(s.every)

    def later(time: float) -> float:
        """When the count that the schedule is given has come to that time."""
        return time if time == math.inf else math.ceil(time) * every

    return in_blocks(mapped(phases_of(s.schedule, until / every), later), every, until)


@schedule(phases=_in_updates)
def per(step: Array, schedule: ScheduleLike, every: Period) -> Array:
    """A schedule whose own step is an epoch or an iteration of many updates.

    Use it when a schedule is written in epochs or iterations, and the optimizer counts
    updates.

    An optimizer counts updates. `per(schedule, steps_per_epoch)` is a schedule that was
    written in epochs; `per(schedule, epochs * minibatches)` is one of the iterations of
    PPO, each of which makes that many updates of one batch of experience.

    Formula: s(t) = schedule(floor(t / every)). Steps below 0 read as 0. Whole numbers
    are divided as whole numbers, so each value begins at its very step. `staircase` is
    for a schedule that is itself written in updates.

    Args:
      schedule: A schedule, a number, or a callable, of the number of completed epochs or
        iterations.
      every: How many updates make one of them, >= 1. A float is allowed; the gradient by
        it is 0.

    Returns:
      A `Schedule`. It lasts `every` times as long as the one that it holds.

    Raises:
      ValueError: `every` is below 1.

    Example:
      >>> import jaxsched as js
      >>> drops = js.piecewise_constant([30, 60], [0.1, 0.01, 0.001])
      >>> by_epoch = js.per(drops, every=100)
      >>> by_epoch.at(2999), by_epoch.at(3000), by_epoch.at(6000)
      (0.1, 0.01, 0.001)
      >>> ppo = js.per(js.linear(1.0, 0.0, 4), every=10 * 32)
      >>> ppo.at(319), ppo.at(320), js.horizon(ppo)
      (1.0, 0.75, 1280)

    Reference: `scheduler.step()` once per epoch, in PyTorch's documentation; the linear
    annealing of Huang et al., "The 37 Implementation Details of Proximal Policy
    Optimization" (2022), detail 4.
    """
    return schedule(cycle_of(step, every).turn)
