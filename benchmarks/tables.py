"""Long tables at work."""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

import jaxsched as js
from benchmarks.timing import Measurement, Row, Target, alternate

Curve = Callable[[Any], Any]

FEW, MANY, PEER = 10, 10**5, 1024  # boundaries; of the peer as many as it can take
RUN = 10**5  # steps computed in one call


def edges(n: int) -> list[int]:
    """Boundaries that divide a run evenly."""
    return np.linspace(0, RUN, n + 1).astype(int)[1:].tolist()


def table(n: int) -> js.Schedule:
    """A constant rate between n boundaries, multiplied by the same factor at each."""
    values = np.geomspace(1.0, 0.1, n + 1).tolist()
    return js.piecewise_constant(edges(n), values)


def optax_table(n: int) -> optax.Schedule:
    """The same in Optax."""
    factors = dict.fromkeys(edges(n), math.pow(0.1, 1 / n))
    return optax.piecewise_constant_schedule(1.0, factors)


def over_run(schedule: Curve) -> Callable[[], Array]:
    """All steps of a run through a schedule, in one compiled call."""
    steps = jnp.arange(RUN)
    # Point by point: Optax's table does not take an array of steps.
    program = jax.jit(jax.vmap(lambda step: schedule(step)))
    return lambda: program(steps)


def in_a_loop(schedule: Curve) -> Callable[[], Array]:
    """All steps of a run one after another in a compiled loop, as training has them."""
    steps = jnp.arange(RUN)
    add = lambda total, step: (total + schedule(step), None)
    program = jax.jit(lambda steps: jax.lax.scan(add, jnp.zeros(()), steps)[0])
    return lambda: program(steps)


def against_optax(program: Callable[[Curve], Callable[[], Array]]) -> Measurement:
    """Many boundaries against the few that the peer can take."""
    ours, theirs = program(table(MANY)), program(optax_table(PEER))
    return alternate(ours, theirs, repeats=9).times_as_fast()


def against_few(program: Callable[[Curve], Callable[[], Array]]) -> Measurement:
    """Many boundaries against few."""
    ours, theirs = program(table(MANY)), program(table(FEW))
    return alternate(ours, theirs, repeats=100).times_as_long()


TABLE = "piecewise_constant with 10^5 boundaries"
PEER_TABLE = f"Optax piecewise_constant_schedule with {PEER}"
AT_ONCE = f"run of {TABLE}, 10^5 steps at once"
IN_A_LOOP = f"run of {TABLE}, 10^5 steps in a compiled loop"
ROWS = [
    Row(
        "table-run",
        AT_ONCE,
        PEER_TABLE,
        Target("at least", 50),
        lambda: against_optax(over_run),
    ),
    Row(
        "table-run-growth",
        AT_ONCE,
        f"its own {FEW}",
        Target("at most", 3),
        lambda: against_few(over_run),
    ),
    Row(
        "table-loop",
        IN_A_LOOP,
        PEER_TABLE,
        Target("at least", 50),
        lambda: against_optax(in_a_loop),
    ),
    Row(
        "table-loop-growth",
        IN_A_LOOP,
        f"its own {FEW}",
        Target("at most", 3),
        lambda: against_few(in_a_loop),
    ),
]
