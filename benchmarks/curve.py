"""Whole curves in one call."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

import jaxsched as js
from benchmarks.timing import Measurement, Row, Target, alternate

POINTS = 10**6


def against_optax(points: int, repeats: int) -> Measurement:
    """The same steps through both schedules, each compiled with its numbers."""
    steps = jnp.arange(points)
    ours = jax.jit(js.cosine(3e-4, 0.0, points))
    theirs = jax.jit(optax.cosine_decay_schedule(3e-4, points))
    return alternate(
        lambda: ours(steps), lambda: theirs(steps), repeats=repeats
    ).times_as_fast()


def against_sine(points: int, repeats: int) -> Measurement:
    """A cosine curve is at least one pass of a transcendental over the points."""
    steps = jnp.arange(points)
    angles = jnp.linspace(
        0, np.pi / 2, points
    )  # the cheapest for a sine: nothing to reduce
    ours, sine = jax.jit(js.cosine(3e-4, 0.0, points)), jax.jit(jnp.sin)
    return alternate(
        lambda: ours(steps), lambda: sine(angles), repeats=repeats
    ).times_as_long()


ROWS = [
    Row(
        "curve",
        "10^6-point cosine curve",
        "optax.cosine_decay_schedule, jitted",
        Target("at least", 1.3),
        lambda: against_optax(POINTS, repeats=200),
    ),
    Row(
        "curve-limit",
        "the same curve",
        "one jnp.sin pass over the points (the limit)",
        Target("at most", 1.2),
        lambda: against_sine(POINTS, repeats=200),
    ),
]
