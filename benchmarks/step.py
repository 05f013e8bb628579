"""What a schedule adds to one training step."""

from collections.abc import Callable
from functools import partial

import jax
import optax
from jax import Array

import jaxsched as js
from benchmarks.network import Problem, problem, update
from benchmarks.timing import Measurement, Row, Target, alternate

SIZES, BATCH_SIZE = [784, 512, 512, 10], 128


def stepper(
    learning_rate: optax.ScalarOrSchedule, task: Problem
) -> Callable[[], Array]:
    """A training run: each call makes the next update and returns its loss."""
    optimizer = optax.adam(learning_rate)
    step = jax.jit(partial(update, optimizer), donate_argnums=(0, 1))
    params = jax.tree.map(lambda x: x.copy(), task.params)
    state, batch = optimizer.init(params), task.batch(0)

    def call() -> Array:
        nonlocal params, state
        params, state, value = step(params, state, batch)
        return value

    return call


def scheduled(task: Problem) -> Callable[[], Array]:
    """The run under `warmup_cosine`."""
    return stepper(js.warmup_cosine(1e-3, 100_000, 1_000), task)


def constant(task: Problem) -> Callable[[], Array]:
    """The run under a constant learning rate."""
    return stepper(1e-3, task)


def against_constant(task: Problem, repeats: int) -> Measurement:
    """A step with a schedule against one with a number."""
    return alternate(scheduled(task), constant(task), repeats=repeats).times_as_long()


WHAT = "one jitted train step with warmup_cosine (adam, MLP 784-512-512-10, batch 128)"

ROWS = [
    Row(
        "step",
        WHAT,
        "the same with a constant rate",
        Target("at most", 1.02),
        lambda: against_constant(problem(SIZES, BATCH_SIZE, 1), repeats=1500),
    ),
]
