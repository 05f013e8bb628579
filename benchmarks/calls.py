"""Single values outside a compiled program."""

import jax
import optax

import jaxsched as js
from benchmarks.timing import Measurement, Row, Target, alternate

STEP = 500


def eager(repeats: int) -> Measurement:
    """A call with a Python int, until its value is there."""
    ours = js.warmup_cosine(3e-4, 1_000, 100, init_value=0.0)
    theirs = optax.warmup_cosine_decay_schedule(0.0, 3e-4, 100, 1_000)
    return alternate(
        lambda: jax.block_until_ready(ours(STEP)),
        lambda: jax.block_until_ready(theirs(STEP)),
        repeats=repeats,
        inner=50,
    ).times_as_fast()


def at(repeats: int) -> Measurement:
    """A Python float, against a program of one operation that nobody waits for."""
    ours, bare = js.warmup_cosine(3e-4, 1_000, 100), jax.jit(lambda step: 0.5 * step)
    return alternate(
        lambda: ours.at(STEP), lambda: bare(STEP), repeats=repeats, inner=500
    ).times_as_long()


ROWS = [
    Row(
        "eager",
        "eager call of warmup_cosine with a Python int",
        "Optax eager",
        Target("at least", 10),
        lambda: eager(repeats=50),
    ),
    Row(
        "at",
        "s.at(step)",
        "a bare jitted dispatch of the same int, not waited for",
        Target("at most", 3),
        lambda: at(repeats=100),
    ),
]
