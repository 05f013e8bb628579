"""One schedule after another: join, and what comes before and after."""

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxsched.arrays import as_real
from jaxsched.combinators.parts import Table, by_kind
from jaxsched.domains import Boundaries, Flag, Steps, Value
from jaxsched.numerics import at_most, blend
from jaxsched.progress import progress, since, together
from jaxsched.rule import Refusal
from jaxsched.schedule import Phase, ScheduleLike, ScheduleLikes, schedule
from jaxsched.schedule.phases import cut, moved, number, phases_of, times
from jaxsched.search import passed
from jaxsched.shapes import ShapeLike, as_shape


def _one_boundary_less(schedules: ScheduleLikes, boundaries: Boundaries) -> None:
    n, m = len(schedules), len(boundaries)
    if m != n - 1:
        raise Refusal(
            f"boundaries must be one fewer than schedules, not {m} and {n}",
            "schedules",
            "boundaries",
        )


def _parts(s: Any, until: float) -> list[Phase]:
    begins = [0, *times(s.boundaries)]
    found = []
    for part, begin, end in zip(
        s.schedules, begins, [*begins[1:], math.inf], strict=True
    ):
        own = phases_of(part, min(end, until) - begin)
        found += cut(moved(own, begin), begin, end)
    return found


@schedule(check=_one_boundary_less, phases=_parts)
def join(step: Array, schedules: ScheduleLikes, boundaries: Boundaries) -> Array:
    """One schedule after another, each from its own step 0.

    Use it when one schedule should follow another.

    `SequentialLR` in PyTorch, `join_schedules` in Optax (which drops what does not fit;
    here it is refused).

    Formula, with i = number of boundaries <= t and b_0 = 0:

        s(t) = schedules[i](t - b_i)

    Steps below 0 read as 0. With a first boundary of 0 the first schedule is never in
    force. More than 16 schedules that differ in numbers only are one program that reads
    the numbers from a table, as precisely as the default float.

    Args:
      schedules: n schedules, numbers or callables of the step.
      boundaries: n - 1 steps, strictly increasing, >= 0: where the second, third, ...
        schedule begins. It is in force at its boundary. Differentiable if floats.

    Raises:
      ValueError: The counts do not fit, or the boundaries do not increase.

    Example:
      >>> import jaxsched as js
      >>> s = js.join([js.linear(0.0, 1.0, 4), js.linear(1.0, 0.0, 4)], boundaries=[4])
      >>> [s.at(t) for t in (0, 2, 4, 6, 8)]
      [0.0, 0.5, 1.0, 0.5, 0.0]

    Reference: `optax.join_schedules`.
    """
    edges, now = together(boundaries, step)
    few, tables = by_kind(schedules)
    value: Any = None
    for i in few:
        # A part out of force is asked for a step at which it could be in force: an
        # overflow there would poison the gradient of the one that is.
        local = now if i == 0 else since(now, edges[i - 1])
        if i < len(edges):
            local = jnp.minimum(local, since(edges[i], edges[i - 1] if i else 0))
        own = schedules[i](local)
        value = own if value is None else jnp.where(now < edges[i - 1], value, own)
    for table in tables:
        own, in_force = _read(table, passed(boundaries, now), edges, now)
        value = own if value is None else jnp.where(in_force, own, value)
    return value


def _read(table: Table, part: Array, edges: Array, now: Array) -> tuple[Array, Array]:
    """The value of the last member not after a part; whether it is that part."""
    parts, members = np.arange(len(edges) + 1), np.array(table.members)
    rows = np.maximum(np.searchsorted(members, parts, side="right") - 1, 0)
    row = jnp.asarray(rows, jnp.int32)[part]
    in_force = jnp.asarray(members[rows] == parts)[part]
    begins = jnp.concatenate([jnp.zeros_like(edges, shape=1), edges])[members]
    ends = jnp.concatenate([edges, jnp.full_like(edges, _latest(edges), shape=1)])
    begin = begins[row]
    local = jnp.minimum(since(now, begin), since(ends[members][row], begin))
    return table(row, local), in_force


def _latest(times: Array) -> Any:
    whole = jnp.issubdtype(times.dtype, jnp.integer)
    return jnp.iinfo(times.dtype).max if whole else jnp.inf


def _ramp_first(s: Any, until: float) -> list[Phase]:
    n = number(s.steps)
    if s.overlap:
        after = cut(phases_of(s.schedule, until), n, math.inf)
    else:
        after = moved(phases_of(s.schedule, until - n), n)
    return [Phase("warmup", 0, n), *after]


@schedule(phases=_ramp_first)
def warmup(
    step: Array,
    schedule: ScheduleLike,
    steps: Steps,
    init_value: Value | None = None,
    *,
    shape: ShapeLike = "linear",
    overlap: Flag = False,
) -> Array:
    """A ramp to the start of a schedule, then the schedule from its step 0.

    Use it when the first updates must be small: Transformers, Adam at high rates, large
    batches.

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

    Raises:
      ValueError: `steps` is negative, a value not finite, or the shape unknown.

    Example:
      >>> import jaxsched as js
      >>> [round(js.warmup(1.0, steps=4).at(t), 4) for t in range(6)]
      [0.2, 0.4, 0.6, 0.8, 1.0, 1.0]
      >>> [js.warmup(1.0, steps=4, init_value=0.0).at(t) for t in range(6)]
      [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]

    Reference: Goyal et al., "Accurate, Large Minibatch SGD" (2017), arXiv:1706.02677,
    section 2.2.
    """
    fall, rise = as_shape(shape)(*progress(step, steps))
    now, length = together(step, steps)
    # Before its beginning a schedule is at its step 0, which is what the ramp goes to.
    body = schedule(now if overlap else since(now, length))
    start = body / (as_real(length) + 1) if init_value is None else init_value
    return jnp.where(now < length, blend(start, fall, body, rise), body)


def _cooldown_last(s: Any, until: float) -> list[Phase]:
    begin = number(s.begin)
    end = begin + number(s.steps)
    before = cut(phases_of(s.schedule, min(begin, until)), 0, begin)
    found = [*before, Phase("cooldown", begin, end)]
    if s.freeze or s.shape.reaches_end():
        return found
    return [*found, *cut(phases_of(s.schedule, until), end, math.inf)]


@schedule(phases=_cooldown_last)
def cooldown(
    step: Array,
    schedule: ScheduleLike,
    begin: Steps,
    steps: Steps,
    end_value: Value = 0.0,
    *,
    shape: ShapeLike = "linear",
    freeze: Flag = True,
) -> Array:
    """A schedule that from some step on goes down to `end_value`.

    Use it when a run should end well at a step that you choose, even late.

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

    Raises:
      ValueError: A length is negative, a value not finite, or the shape unknown.

    Example:
      >>> import jaxsched as js
      >>> s = js.cooldown(js.constant(1.0), begin=10, steps=4)
      >>> [s.at(t) for t in (9, 10, 11, 14, 99)]
      [1.0, 1.0, 0.75, 0.0, 0.0]

    Reference: Hägele et al. (2024), arXiv:2405.18392, section 3; Zhai et al. (2022),
    arXiv:2106.04560, section 3.5.
    """
    now, start = together(step, begin)
    fall, rise = as_shape(shape)(*progress(since(now, start), steps))
    # Frozen, its clock stops. Not schedule(begin): a constant would be computed by the
    # compiler, which rounds exponentials otherwise than the program.
    left = schedule(at_most(start, now) if freeze else now)
    return jnp.where(now < start, left, blend(left, fall, end_value, rise))
