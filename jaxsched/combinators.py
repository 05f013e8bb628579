"""Schedules that hold schedules: put one after another, repeated, slowed, made noisy.

Each takes a schedule, a number or any callable of the step wherever it holds one. Those
that combine values instead of time (`clip`, `maximum`, the operators) are in
`arithmetic`.
"""

from typing import Annotated, Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from jaxsched.decays import powered
from jaxsched.domains import (
    Boundaries,
    Clockwork,
    Count,
    Factor,
    Flag,
    LengthFactor,
    OneOf,
    Period,
    Rate,
    ScheduleLike,
    ScheduleLikes,
    Seed,
    Steps,
    Value,
    as_schedule,
    is_literal,
)
from jaxsched.progress import cycle_of, later, progress, since, together
from jaxsched.rule import Refusal
from jaxsched.schedule import as_real, schedule
from jaxsched.shapes import ShapeLike, as_shape


def _one_boundary_less(schedules: ScheduleLikes, boundaries: Boundaries) -> None:
    n, m = len(schedules), len(boundaries)  # type: ignore[arg-type]
    if m != n - 1:
        raise Refusal(
            f"boundaries must be one fewer than schedules, not {m} and {n}",
            "schedules",
            "boundaries",
        )


@schedule(check=_one_boundary_less)
def join(
    step: ArrayLike, schedules: ScheduleLikes, boundaries: Boundaries
) -> ArrayLike:
    """One schedule after another, each from its own step 0.

    `SequentialLR` in PyTorch, `join_schedules` in Optax (which drops what does not fit;
    here it is refused).

    Formula, with i = number of boundaries <= t and b_0 = 0:

        s(t) = schedules[i](t - b_i)

    Steps below 0 read as 0. With a first boundary of 0 the first schedule is never in
    force.

    Args:
      schedules: n schedules, numbers or callables of the step.
      boundaries: n - 1 steps, strictly increasing, >= 0: where the second, third, ...
        schedule begins. It is in force at its boundary. Differentiable if floats.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: The counts do not fit, or the boundaries do not increase.
      TypeError: An argument is of the wrong kind.

    Example:
      >>> import jaxsched as js
      >>> s = js.join([js.linear(0.0, 1.0, 4), js.linear(1.0, 0.0, 4)], boundaries=[4])
      >>> [s.at(t) for t in (0, 2, 4, 6, 8)]
      [0.0, 0.5, 1.0, 0.5, 0.0]

    Reference: `optax.join_schedules`.
    """
    edges, now = together(boundaries, step)
    value = None
    for i, part in enumerate(schedules):  # type: ignore[arg-type]
        # A part out of force is asked for a step at which it could be in force: an
        # overflow there would poison the gradient of the one that is.
        local = now if i == 0 else since(now, edges[i - 1])
        if i < len(edges):
            local = jnp.minimum(local, since(edges[i], edges[i - 1] if i else 0))
        own = as_schedule(part)(local)
        value = own if value is None else jnp.where(now < edges[i - 1], value, own)
    return value  # type: ignore[return-value]


@schedule
def warmup(
    step: ArrayLike,
    schedule: ScheduleLike,
    steps: Steps,
    init_value: Value | None = None,
    shape: ShapeLike = "linear",
    *,
    overlap: Flag = False,
) -> ArrayLike:
    """A ramp to the start of a schedule, then the schedule from its step 0.

    By default the ramp begins at schedule(0) / (steps + 1), so that no update is spent
    at 0; `init_value=0.0` gives the classic ramp from 0. `steps` is the length of the
    ramp alone: the schedule ends `steps` later than without it.

    Formula, with u = min(t, steps) / steps and the weights of the shape:

        s(t) = init_value fall(u) + schedule(0) rise(u)    for t < steps
        s(t) = schedule(t - steps)                         from then on

    With `overlap` the schedule's clock runs during the ramp: s(t) = init_value fall(u) +
    schedule(t) rise(u), which for a ramp from 0 is their product. Where `init_value` is
    not given it is 1 / (steps + 1) of the value ramped to: the ramp is
    (t + 1) / (steps + 1). Steps below 0 read as 0. With steps = 0 there is no ramp.

    Args:
      schedule: A schedule, a number, or a callable of the step.
      steps: Length of the ramp in steps, >= 0; differentiable if a float.
      init_value: The value at step 0, or None for the default; differentiable.
      shape: The ramp's shape, or its name; see `transition`.
      overlap: Whether the ramp lies over the schedule instead of before it. Static.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `steps` is negative, a value not finite, or the shape unknown.
      TypeError: An argument is of the wrong kind.

    Example:
      >>> import jaxsched as js
      >>> [round(js.warmup(1.0, steps=4).at(t), 4) for t in range(6)]
      [0.2, 0.4, 0.6, 0.8, 1.0, 1.0]
      >>> [js.warmup(1.0, steps=4, init_value=0.0).at(t) for t in range(6)]
      [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]

    Reference: Goyal et al., "Accurate, Large Minibatch SGD" (2017), arXiv:1706.02677,
    section 2.2.
    """
    inner = as_schedule(schedule)
    fall, rise = as_shape(shape)(*progress(step, steps))
    now, length = together(step, steps)
    body = inner(now) if overlap else inner(since(now, length))
    target = body if overlap else inner(jnp.zeros_like(now))
    start = target / (as_real(length) + 1) if init_value is None else init_value
    return jnp.where(now < length, start * fall + target * rise, body)


@schedule
def cooldown(
    step: ArrayLike,
    schedule: ScheduleLike,
    begin: Steps,
    steps: Steps,
    end_value: Value = 0.0,
    shape: ShapeLike = "linear",
    *,
    freeze: Flag = True,
) -> ArrayLike:
    """A schedule that from some step on goes down to `end_value`.

    Ends a run of any schedule cleanly, from any of its checkpoints.

    Formula, with u = min(t - begin, steps) / steps and the weights of the shape:

        s(t) = schedule(t)                                      for t < begin
        s(t) = schedule(begin) fall(u) + end_value rise(u)      from then on

    Without `freeze` the schedule keeps moving underneath: schedule(t) in the place of
    schedule(begin). Steps below 0 read as 0. From begin + steps on it is exactly
    `end_value`, with steps = 0 from `begin` on, unless the shape says that it does not
    reach its ends (`tanh`).

    Args:
      schedule: A schedule, a number, or a callable of the step.
      begin: The first step of the cool-down, >= 0; differentiable if a float.
      steps: Its length in steps, >= 0; differentiable if a float.
      end_value: The value it goes to; differentiable.
      shape: Its shape, or its name; see `transition`.
      freeze: Whether the schedule stops where it is at `begin`. Static.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: A length is negative, a value not finite, or the shape unknown.
      TypeError: An argument is of the wrong kind.

    Example:
      >>> import jaxsched as js
      >>> s = js.cooldown(js.constant(1.0), begin=10, steps=4)
      >>> [s.at(t) for t in (9, 10, 11, 14, 99)]
      [1.0, 1.0, 0.75, 0.0, 0.0]

    Reference: Hägele et al. (2024), arXiv:2405.18392, section 3; Zhai et al. (2022),
    arXiv:2106.04560, section 3.5.
    """
    inner = as_schedule(schedule)
    now, start = together(step, begin)
    fall, rise = as_shape(shape)(*progress(since(now, start), steps))
    body = inner(now)
    left = inner(jnp.broadcast_to(start, jnp.shape(now))) if freeze else body
    return jnp.where(now < start, body, left * fall + end_value * rise)


@schedule
def cycle(
    step: ArrayLike,
    schedule: ScheduleLike,
    steps: Period,
    length_factor: LengthFactor = 1,
    value_factor: Factor = 1.0,
    *,
    limit: Count | None = None,
) -> ArrayLike:
    """A schedule repeated, each time from its step 0.

    Warm restarts of anything: of a warm-up and a decay, of another cycle.

    Formula, in cycle i = 0, 1, ..., which begins at the first whole step b_i not before
    steps (1 + length_factor + ... + length_factor^(i-1)) and is n_i long:

        s(t) = value_factor^i schedule((t - b_i) steps / n_i)

    Steps below 0 read as 0. After `limit` cycles it holds what the last one ends with,
    schedule(steps) scaled. With a `length_factor` other than 1 the schedule is given
    float steps, which resolve its last steps less finely than integers would.

    Args:
      schedule: A schedule, a number, or a callable of the step.
      steps: The length of the first cycle in steps, > 0; differentiable if a float. The
        cycles of a float length begin at the fractions b_i themselves.
      length_factor: Each cycle is that many times as long as the one before: 1, or at
        least 1.001.
      value_factor: Multiplies the values once per cycle, > 0; differentiable.
      limit: How many cycles there are, >= 1; without it they never end.

    Returns:
      A `Schedule`.

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
    value = as_schedule(schedule)(local)
    if is_literal(value_factor, 1):
        return value
    return powered(value, value_factor, as_real(place.turn))


@schedule
def staircase(step: ArrayLike, schedule: ScheduleLike, every: Period) -> ArrayLike:
    """A schedule that moves only every so many steps: per-epoch schedules.

    Formula: s(t) = schedule(every floor(t / every)). Steps below 0 read as 0.

    Args:
      schedule: A schedule, a number, or a callable of the step.
      every: Length of a stair in steps, > 0; the steps in an epoch, say.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `every` is not positive.
      TypeError: An argument is of the wrong kind.

    Example:
      >>> import jaxsched as js
      >>> s = js.staircase(js.linear(1.0, 0.0, 100), every=25)
      >>> s.at(24), s.at(25), s.at(99)
      (1.0, 0.75, 0.25)

    Reference: `scheduler.step()` once per epoch, in PyTorch's documentation.
    """
    now, length = together(step, every)
    return as_schedule(schedule)(since(now, cycle_of(now, length).step))


@schedule
def delay(step: ArrayLike, schedule: ScheduleLike, steps: Steps) -> ArrayLike:
    """A schedule that begins later, holding its first value until then.

    Formula: s(t) = schedule(max(t - steps, 0)).

    Args:
      schedule: A schedule, a number, or a callable of the step.
      steps: How much later, in steps, >= 0; differentiable if a float.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `steps` is negative.
      TypeError: An argument is of the wrong kind.

    Example:
      >>> import jaxsched as js
      >>> s = js.delay(js.linear(1.0, 0.0, 4), steps=10)
      >>> s.at(10), s.at(12)
      (1.0, 0.5)

    Reference: `transition_begin` in Optax.
    """
    return as_schedule(schedule)(since(step, steps))


@schedule
def shift(step: ArrayLike, schedule: ScheduleLike, steps: Steps) -> ArrayLike:
    """A schedule continued from a later step: for a run that goes on from a checkpoint.

    Formula: s(t) = schedule(t + steps). Steps below 0 read as 0; t + steps stops at the
    largest integer.

    Args:
      schedule: A schedule, a number, or a callable of the step.
      steps: Steps already made, >= 0; differentiable if a float.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `steps` is negative.
      TypeError: An argument is of the wrong kind.

    Example:
      >>> import jaxsched as js
      >>> js.shift(js.linear(1.0, 0.0, 4), steps=3).at(0)
      0.25

    Reference: `step_offset` in T5X and AXLearn.
    """
    return as_schedule(schedule)(later(step, steps))


@schedule
def stretch(step: ArrayLike, schedule: ScheduleLike, factor: Factor) -> ArrayLike:
    """A schedule with every duration multiplied by `factor`.

    The same curve for another budget, or for micro-batches instead of updates.

    Formula: s(t) = schedule(t / factor). Steps below 0 read as 0. The schedule is given
    float steps, which resolve its last steps less finely than integers would.

    Args:
      schedule: A schedule, a number, or a callable of the step.
      factor: How many times as long, > 0; differentiable.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `factor` is not positive.
      TypeError: An argument is of the wrong kind.

    Example:
      >>> import jaxsched as js
      >>> js.stretch(js.linear(1.0, 0.0, 4), factor=2.0).at(2)
      0.75

    Reference: `scale_schedule_ratio` in Composer.
    """
    return as_schedule(schedule)(as_real(step) / as_real(factor))


@schedule
def reverse(step: ArrayLike, schedule: ScheduleLike, steps: Steps) -> ArrayLike:
    """A schedule run backwards from `steps` to 0, then held.

    Formula: s(t) = schedule(max(steps - t, 0)). Steps below 0 read as 0.

    Args:
      schedule: A schedule, a number, or a callable of the step.
      steps: The step it begins at, >= 0; differentiable if a float.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `steps` is negative.
      TypeError: An argument is of the wrong kind.

    Example:
      >>> import jaxsched as js
      >>> s = js.reverse(js.linear(1.0, 0.0, 4), steps=4)
      >>> s.at(0), s.at(1), s.at(9)
      (0.0, 0.25, 1.0)

    Reference: the momentum of a one-cycle run mirrors its rate; Smith (2018),
    arXiv:1803.09820, section 4.
    """
    return as_schedule(schedule)(since(steps, step))


@schedule
def retime(
    step: ArrayLike, schedule: ScheduleLike, clock: Annotated[Any, Clockwork()]
) -> ArrayLike:
    """A schedule in another unit of time: schedule(clock(t)).

    A schedule written in tokens under a growing batch, say. A clock that returns
    integers is exact.

    Formula: s(t) = schedule(clock(t)). Steps below 0 read as 0.

    Args:
      schedule: A schedule, a number, or a callable of its own time.
      clock: Maps the step to that time: a schedule (float time, its hyperparameters
        data), or a callable of the step that works on arrays of steps (static).

    Returns:
      A `Schedule`.

    Raises:
      TypeError: An argument is of the wrong kind.

    Example:
      >>> import jaxsched as js
      >>> s = js.retime(js.linear(1.0, 0.0, 4096), clock=lambda step: 1024 * step)
      >>> s.at(1)
      0.75

    Reference: sample-counted schedules in Megatron-LM.
    """
    time = jnp.asarray(clock(step))
    return as_schedule(schedule)(jnp.broadcast_to(time, jnp.shape(step)))


@schedule
def noise(
    step: ArrayLike,
    schedule: ScheduleLike,
    scale: Rate,
    seed: Seed,
    *,
    distribution: Annotated[str, OneOf("normal", "uniform")] = "normal",
    bound: Factor = 1.0,
    every: Period = 1,
) -> ArrayLike:
    """A schedule with multiplicative noise that depends on nothing but seed and step.

    The noise at a step is always the same, whatever ran before: a resumed run sees what
    an uninterrupted one would have.

    Formula: s(t) = schedule(t) (1 + scale n), where n is drawn from the key
    fold_in(key(seed), floor(t / every)), uniform in [-bound, bound) or standard normal
    truncated to it. scale * bound < 1 keeps the sign. Steps below 0 read as 0.

    Args:
      schedule: A schedule, a number, or a callable of the step.
      scale: Size of the noise as a part of the value, >= 0; differentiable.
      seed: A whole number >= 0.
      distribution: "normal" or "uniform". Static.
      bound: The largest draw, > 0; differentiable.
      every: Steps for which a draw is kept, > 0.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: A number is out of bounds, or the distribution is unknown.
      TypeError: An argument is of the wrong kind.

    Example:
      >>> import jaxsched as js
      >>> s = js.noise(js.constant(1.0), scale=0.1, seed=0, distribution="uniform")
      >>> 0.9 <= s.at(3) <= 1.1, s.at(3) == s.at(3), s.at(3) == s.at(4)
      (True, True, False)

    Reference: `noise_range_t` in timm's schedulers (`distribution="normal"`, scale 1,
    bound 0.67).
    """
    key = jax.random.key(seed)  # type: ignore[arg-type]

    def draw(block: Array) -> Array:
        own = jax.random.fold_in(key, block)
        if distribution == "uniform":
            return jax.random.uniform(own, minval=-bound, maxval=bound)  # type: ignore[operator]
        return jax.random.truncated_normal(own, -bound, bound)  # type: ignore[operator]

    block = cycle_of(step, every).turn.astype(jnp.uint32)
    drawn = jnp.reshape(jax.vmap(draw)(jnp.ravel(block)), jnp.shape(block))
    return as_schedule(schedule)(step) * (1 + scale * as_real(drawn))
