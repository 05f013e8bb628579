"""A schedule on another clock: repeated, held, moved, stretched, reversed."""

import math
from typing import Annotated, Any

import jax.numpy as jnp
from jax import Array

from jaxsched.arrays import as_real
from jaxsched.domains import Count, Factor, LengthFactor, Period, Steps
from jaxsched.numerics import is_literal, powered
from jaxsched.progress import cycle_of, plus, since, together, until
from jaxsched.schedule import Clockwork, Phase, ScheduleLike, schedule
from jaxsched.schedule.cycles import restarts
from jaxsched.schedule.phases import (
    backwards,
    cut,
    in_blocks,
    mapped,
    moved,
    number,
    phases_of,
    until_its_clock_ends,
)


@schedule(phases=restarts)
def cycle(
    step: Array,
    schedule: ScheduleLike,
    steps: Period,
    *,
    length_factor: LengthFactor = 1,
    value_factor: Factor = 1.0,
    limit: Count | None = None,
) -> Array:
    """A schedule repeated, each time from its step 0.

    Use it when a schedule should start over again and again.

    Warm restarts of anything: of a warm-up and a decay, of another cycle.

    Formula, in cycle i = 0, 1, ..., which begins at the first whole step b_i not before
    steps (1 + length_factor + ... + length_factor^(i-1)) and is n_i long:

        s(t) = value_factor^i schedule((t - b_i) steps / n_i)

    Steps below 0 read as 0. After `limit` cycles it holds what the last one ends with,
    schedule(steps) scaled. With a `length_factor` other than 1 the schedule is given
    float steps, which resolve its last steps less finely than integers would.

    Args:
      schedule: A schedule, a number, or a callable of the step.
      steps: The length of the first cycle in steps, >= 1; differentiable if a float. The
        cycles of a float length begin at the fractions b_i themselves.
      length_factor: Each cycle is that many times as long as the one before: 1, or at
        least 1.001.
      value_factor: Multiplies the values once per cycle, > 0; differentiable.
      limit: How many cycles there are, >= 1; without it they never end.

    Raises:
      ValueError: A length, factor or limit is out of bounds.
      TypeError: An argument is of the wrong kind, or `limit` is not whole.

    Example:
      >>> import jaxsched as js
      >>> s = js.cycle(js.linear(1.0, 0.0, 4), steps=4, value_factor=0.5)
      >>> [round(s.at(t), 4) for t in (0, 2, 4, 6, 8)]
      [1.0, 0.5, 0.5, 0.25, 0.25]

    Reference: Loshchilov, Hutter, "SGDR" (2017), arXiv:1608.03983, for any schedule.
    """
    place = cycle_of(step, steps, length_factor, limit)
    local = place.step
    if not is_literal(length_factor, 1):
        # Multiplied first: then whole steps of the schedule are met exactly.
        first = as_real(steps)
        scaled = as_real(local) * first / place.length
        local = jnp.where(place.length == first, as_real(local), scaled)
    value = schedule(local)
    if is_literal(value_factor, 1):
        return value
    return powered(value, value_factor, as_real(place.turn))


def _stairs(s: Any, until: float) -> list[Phase]:
    every = number(s.every)

    def stair(time: float) -> float:
        return time if time == math.inf else math.ceil(time / every) * every

    return in_blocks(mapped(phases_of(s.schedule, until), stair), every, until)


@schedule(phases=_stairs)
def staircase(step: Array, schedule: ScheduleLike, every: Period) -> Array:
    """A schedule that moves only every so many steps: per-epoch schedules.

    Use it when the rate should change once an epoch, and the schedule is written in
    updates.

    Formula: s(t) = schedule(every floor(t / every)). Steps below 0 read as 0.

    Args:
      schedule: A schedule, a number, or a callable of the step.
      every: Length of a stair in steps, >= 1; the steps in an epoch, say.

    Raises:
      ValueError: `every` is not positive.

    Example:
      >>> import jaxsched as js
      >>> s = js.staircase(js.linear(1.0, 0.0, 100), every=25)
      >>> s.at(24), s.at(25), s.at(99)
      (1.0, 0.75, 0.25)

    Reference: `scheduler.step()` once per epoch, in PyTorch's documentation.
    """
    now, length = together(step, every)
    return schedule(since(now, cycle_of(now, length).step))


def _later(s: Any, until: float) -> list[Phase]:
    n = number(s.steps)
    return [Phase("delay", 0, n), *moved(phases_of(s.schedule, until - n), n)]


@schedule(phases=_later)
def delay(step: Array, schedule: ScheduleLike, steps: Steps) -> Array:
    """A schedule that begins later, holding its first value until then.

    Use it when a schedule should wait at its first value: a decay that begins later, say.

    Formula: s(t) = schedule(max(t - steps, 0)).

    Args:
      schedule: A schedule, a number, or a callable of the step.
      steps: How much later, in steps, >= 0; differentiable if a float.

    Raises:
      ValueError: `steps` is negative.

    Example:
      >>> import jaxsched as js
      >>> s = js.delay(js.linear(1.0, 0.0, 4), steps=10)
      >>> s.at(10), s.at(12)
      (1.0, 0.5)

    Reference: `transition_begin` in Optax.
    """
    return schedule(since(step, steps))


def _earlier(s: Any, until: float) -> list[Phase]:
    n = number(s.steps)
    found = cut(moved(phases_of(s.schedule, until + n), -n), 0, math.inf)
    return found or [Phase("hold", 0, 0)]


@schedule(phases=_earlier)
def shift(step: Array, schedule: ScheduleLike, steps: Steps) -> Array:
    """A schedule continued from a later step: for a run that goes on from a checkpoint.

    Use it when a run goes on from a checkpoint with an optimizer that counts from 0
    again.

    Formula: s(t) = schedule(t + steps). Steps below 0 read as 0.

    Args:
      schedule: A schedule, a number, or a callable of the step.
      steps: Steps already made, >= 0; differentiable if a float.

    Raises:
      ValueError: `steps` is negative.

    Example:
      >>> import jaxsched as js
      >>> js.shift(js.linear(1.0, 0.0, 4), steps=3).at(0)
      0.25

    Reference: `step_offset` in T5X and AXLearn.
    """
    return schedule(plus(step, steps))


def _longer(s: Any, until: float) -> list[Phase]:
    factor = number(s.factor)

    def later(time: float) -> float:
        """When the schedule has come to that time, by the division that it is told by."""
        stretched = time * factor
        while stretched < math.inf and stretched / factor < time:
            stretched = math.nextafter(stretched, math.inf)
        return stretched

    return mapped(phases_of(s.schedule, until / factor), later)


@schedule(phases=_longer)
def stretch(step: Array, schedule: ScheduleLike, factor: Factor) -> Array:
    """A schedule with every duration multiplied by `factor`.

    Use it when you want the same curve for a longer or a shorter run.

    The same curve for another budget, or for micro-batches instead of updates.

    Formula: s(t) = schedule(t / factor). Steps below 0 read as 0. The schedule is given
    float steps, which resolve its last steps less finely than integers would.

    Args:
      schedule: A schedule, a number, or a callable of the step.
      factor: How many times as long, > 0; differentiable.

    Raises:
      ValueError: `factor` is not positive.

    Example:
      >>> import jaxsched as js
      >>> js.stretch(js.linear(1.0, 0.0, 4), factor=2.0).at(2)
      0.75

    Reference: `scale_schedule_ratio` in Composer.
    """
    return schedule(as_real(step) / as_real(factor))


def _backwards(s: Any, until: float) -> list[Phase]:
    n = number(s.steps)
    return backwards(cut(phases_of(s.schedule, n), 0, n), n) or [Phase("hold", 0, 0)]


@schedule(phases=_backwards)
def reverse(step: Array, schedule: ScheduleLike, steps: Steps) -> Array:
    """A schedule run backwards from `steps` to 0, then held.

    Use it when a curve should run backwards: a rise that mirrors a decay, say.

    Formula: s(t) = schedule(max(steps - t, 0)). Steps below 0 read as 0.

    Args:
      schedule: A schedule, a number, or a callable of the step.
      steps: The step it begins at, >= 0; differentiable if a float.

    Raises:
      ValueError: `steps` is negative.

    Example:
      >>> import jaxsched as js
      >>> s = js.reverse(js.linear(1.0, 0.0, 4), steps=4)
      >>> s.at(0), s.at(1), s.at(9)
      (0.0, 0.25, 1.0)

    Reference: the momentum of a one-cycle run mirrors its rate; Smith (2018),
    arXiv:1803.09820, section 4.
    """
    return schedule(until(step, steps))


@schedule(phases=until_its_clock_ends)
def retime(
    step: Array, schedule: ScheduleLike, clock: Annotated[Any, Clockwork()]
) -> Array:
    """A schedule in another unit of time: schedule(clock(t)).

    Use it when a schedule is written in tokens or examples, and their number per update
    changes.

    A schedule written in tokens under a growing batch, say. A clock that returns
    integers is exact, as far as JAX counts; one that would wrap beyond is refused.

    Formula: s(t) = schedule(clock(t)). Steps below 0 read as 0.

    Args:
      schedule: A schedule, a number, or a callable of its own time.
      clock: Maps the step to that time: a schedule (float time, its hyperparameters
        data), or a callable of the step that works on arrays of steps (static).

    Raises:
      ValueError: The integers of `clock` wrap at some step below 2^31.

    Example:
      >>> import jaxsched as js
      >>> s = js.retime(js.linear(1.0, 0.0, 4096), clock=lambda step: 1024.0 * step)
      >>> s.at(1)
      0.75

    Reference: sample-counted schedules in Megatron-LM.
    """
    time = jnp.asarray(clock(step))
    return schedule(jnp.broadcast_to(time, jnp.shape(step)))
