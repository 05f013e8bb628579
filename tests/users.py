"""Schedules that a user might write: whatever is true of ours is true of these."""

import math
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np

import jaxsched as js

Share = Annotated[float, js.Number(least=0, most=1)]


@js.schedule
def cubic(step, init_value: js.Value, end_value: js.Value, steps: js.Steps):
    """Ends with its `steps`, without a word."""
    elapsed, remaining = js.progress(step, steps)
    rest = remaining**3
    return init_value * rest + end_value * (elapsed * (1 + remaining + remaining**2))


@js.schedule
def fading(step, value: js.Value, every: js.Period):
    """Never ends."""
    return value / (1 + step / every)


def _up_and_down(s: Any, until: float) -> list[js.Phase]:
    top = s.up_steps
    return [js.Phase("up", 0, top), js.Phase("down", top, top + s.down_steps)]


@js.schedule(phases=_up_and_down)
def tent(step, peak_value: js.Value, up_steps: js.Steps, down_steps: js.Steps):
    """Two phases, said beside the rule."""
    climbed, _ = js.progress(step, up_steps)
    _, left = js.progress(jnp.maximum(step - up_steps, 0), down_steps)
    return peak_value * jnp.minimum(climbed, left)


def _teeth(s: Any, until: float) -> list[js.Phase]:
    if until == math.inf:
        return [js.Phase("teeth", 0, None)]
    assert type(until) is int
    n = until // s.every + 1
    teeth = [js.Phase(f"tooth {i}", i * s.every, (i + 1) * s.every) for i in range(n)]
    return [*teeth, js.Phase("more", n * s.every, None)]


@js.schedule(phases=_teeth)
def saw(step, value: js.Value, every: js.Period):
    """Phases that depend on the length of the run."""
    return value * js.progress(step % every, every)[1]


@js.schedule
def drop(step, value: js.Value, steps: js.Steps):
    """Written for one step."""
    last = jnp.min(jnp.stack([jnp.asarray(step, float), jnp.asarray(steps, float)]))
    return jax.lax.cond(last < steps, lambda: value * 1.0, lambda: value * 0.5)


@js.schedule
def damped(step, schedule: js.ScheduleLike, share: Share):
    """Holds another schedule, and has no length of its own."""
    return schedule(step) * share


@js.schedule
def late(step, schedule: js.ScheduleLike, steps: js.Steps):
    """Holds another schedule, and has a length."""
    return schedule(jnp.maximum(step - steps, 0))


@js.recipe
def hill(peak_value: js.Value, steps: js.Steps):
    """A composition under a name."""
    return js.warmup(cubic(peak_value, 0.0, steps), steps, init_value=0.0)


@js.shape
def smoothstep(elapsed, remaining, bend: js.Factor = 1.0):
    """A shape with a hyperparameter."""
    rise = elapsed * (1 + bend) / (1 + bend * elapsed)
    return remaining / (1 + bend * elapsed), rise


SCHEDULES = [
    cubic(0.5, 0.125, steps=8),
    cubic(0.5, 0.125, steps=0),
    fading(0.5, every=4),
    tent(0.5, up_steps=3, down_steps=5),
    tent(np.float32(0.5), up_steps=0, down_steps=5),
    damped(cubic(0.5, 0.0, 6), share=0.5),
    late(js.cosine(0.5, 0.0, 6), steps=3),
    late(0.5, steps=3),
    hill(0.5, steps=6),
    saw(0.5, every=4),
    js.warmup(saw(0.5, every=4), 30),
    drop(0.5, steps=3),
    js.warmup(cubic(0.5, 0.0, 9), 4, shape=smoothstep(bend=2.0)),
    js.cycle(tent(0.5, 3, 3), 6),
    0.5 * cubic(0.5, 0.0, 9) + 0.25,
    js.transition(0.5, 0.0, 9, shape=smoothstep(bend=0.5)),
]
