"""64 schedules in one program, against one program for each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

import jaxsched as js
from benchmarks.network import Problem, problem, train
from benchmarks.timing import Measurement, Row, Target, alternate


@dataclass(frozen=True)
class Sweep:
    """A network trained under `warmup_cosine` for every peak and length of the ramp."""

    peaks: list[float]
    warmups: list[int]
    steps: int
    task: Problem

    def grid(self) -> Any:
        """All the schedules as one."""
        return js.grid(
            js.warmup_cosine,
            peak_value=self.peaks,
            total_steps=self.steps,
            warmup_steps=self.warmups,
            init_value=0.0,
        ).schedules

    def optax(self) -> list[optax.Schedule]:
        """The same schedules in Optax."""
        return [
            optax.warmup_cosine_decay_schedule(0.0, peak, warmup, self.steps)
            for peak in self.peaks
            for warmup in self.warmups
        ]

    def in_one(self) -> Callable[[Any], Array]:
        """A new program: the losses of all runs under a stacked schedule."""
        return jax.jit(jax.vmap(lambda s: train(s, self.task, self.steps)))

    def precomputed(self) -> Callable[[Array], Array]:
        """A new program: the losses of all runs under arrays of learning rates."""
        run = lambda rates: train(lambda count: rates[count], self.task, self.steps)
        return jax.jit(jax.vmap(run))

    def one_by_one(self) -> Array:
        """The same losses, with a program of its own for each setting."""
        runs = [
            jax.jit(lambda task, s=s: train(s, task, self.steps))(self.task)
            for s in self.optax()
        ]
        return jnp.stack(runs)


def full() -> Sweep:
    """The sweep of the rows: 8 peaks with 8 ramps."""
    peaks, warmups = np.geomspace(1e-4, 1e-2, 8).tolist(), list(range(8, 72, 8))
    task = problem([64, 32, 10], batch_size=32, batches=40)
    return Sweep(peaks, warmups, steps=200, task=task)


def compile_included(sweep: Sweep, repeats: int) -> Measurement:
    """Both sides from schedules to losses, with nothing compiled before."""
    return alternate(
        lambda: sweep.in_one()(sweep.grid()),
        sweep.one_by_one,
        repeats=repeats,
        warm=False,
        prepare=jax.clear_caches,
    ).times_as_fast()


def run_only(sweep: Sweep, repeats: int) -> Measurement:
    """Both sides compiled; theirs reads the learning rates from an array."""
    run, limit = sweep.in_one(), sweep.precomputed()
    stacked = sweep.grid()
    rates = js.evaluate(stacked, jnp.arange(sweep.steps))
    return alternate(
        lambda: run(stacked), lambda: limit(rates), repeats=repeats
    ).times_as_long()


COMPILE_INCLUDED = Row(
    "sweep",
    "sweep of 64 schedules (adam, 200 steps, MLP 64-32-10, batch 32), compile included",
    "Optax schedules, one jit per setting",
    Target("at least", 15),
    lambda: compile_included(full(), repeats=3),
)

ROWS = [
    COMPILE_INCLUDED,
    Row(
        "sweep-run",
        "the same sweep, run time only",
        "the same vmapped training fed precomputed learning rates (the limit)",
        Target("at most", 1.10),
        lambda: run_only(full(), repeats=50),
    ),
]
