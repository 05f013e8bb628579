"""Tracing and compiling: how much, and how often."""

import time
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import Array

import jaxsched as js
from benchmarks.tables import (
    FEW,
    MANY,
    PEER,
    PEER_TABLE,
    TABLE,
    Curve,
    optax_table,
    table,
)
from benchmarks.timing import (
    Measurement,
    Row,
    Spread,
    Target,
    Times,
    alternate,
    readable,
    spread,
)

PHASES = 1024
STEP = jax.ShapeDtypeStruct((), jnp.int32)  # what a program is compiled for


def compiled(schedule: Curve) -> Any:
    """The program of a schedule at one step, made anew."""
    return jax.jit(lambda step: schedule(step)).lower(STEP).compile()


def compile_times(ours: Curve, theirs: Curve, repeats: int) -> Times:
    """Both sides traced and compiled with nothing kept of the time before.

    Schedules are constructed before, on either side.
    """
    return alternate(
        lambda: compiled(ours),
        lambda: compiled(theirs),
        repeats=repeats,
        prepare=jax.clear_caches,
    )


def phases(n: int) -> js.Schedule:
    """A joined schedule of n straight lines of 10 steps."""
    parts = [js.linear(1.0, 0.1 + i / n, 10) for i in range(n)]
    return js.join(parts, [10 * i for i in range(1, n)])


def optax_phases(n: int) -> optax.Schedule:
    """The same in Optax."""
    parts = [optax.linear_schedule(1.0, 0.1 + i / n, 10) for i in range(n)]
    return optax.join_schedules(parts, [10 * i for i in range(1, n)])


def profile(schedule: Curve, repeats: int = 5) -> str:
    """Where the time to a program goes, beside that of a program that does nothing."""
    nothing = stages(lambda step: 1.0 * step, repeats)
    return f"{stages(schedule, repeats)}; a program of one multiplication: {nothing}"


def stages(schedule: Curve, repeats: int) -> str:
    """The median times of the stages to a program."""
    seconds = []
    for _ in range(repeats):
        jax.clear_caches()
        function, begin = jax.jit(lambda step: schedule(step)), time.perf_counter()
        traced, then = function.trace(STEP), time.perf_counter()
        lowered, later = traced.lower(), time.perf_counter()
        lowered.compile()
        seconds.append((then - begin, later - then, time.perf_counter() - later))
    trace, lower, xla = (readable(spread(s).median) for s in zip(*seconds, strict=True))
    return f"trace {trace}, lower {lower}, XLA {xla}"


def traces(settings: int) -> Measurement:
    """How often a function is traced whose argument is a schedule with other numbers."""
    count = 0

    @jax.jit
    def value(schedule: js.Schedule, step: Array) -> Array:
        nonlocal count
        count += 1
        return schedule(step)

    for i in range(settings):
        value(js.warmup_cosine(1e-3 * (i + 1), 1_000 + i, i), jnp.int32(i))
    return Measurement(Spread(count, count, count), 1)


def equations(jaxpr: Any) -> int:
    """How many operations a traced program has, those of its functions counted."""
    count = 0
    for equation in jaxpr.eqns:
        closed = [p for p in equation.params.values() if hasattr(p, "jaxpr")]
        count += sum(equations(p.jaxpr) for p in closed) if closed else 1
    return count


def traced_equations() -> Measurement:
    """Those of warmup_cosine at one step, beside Optax's."""
    ours, theirs = (
        equations(jax.make_jaxpr(s)(jnp.int32(0)).jaxpr) for s in (OURS, THEIRS)
    )
    return Measurement(Spread(ours, ours, ours), 1, f"Optax {theirs}")


def lowered(schedule: Curve) -> Any:
    """The program of a schedule as it is given to the compiler."""
    return jax.jit(lambda step: schedule(step)).lower(STEP)


OURS = js.warmup_cosine(1e-3, 10_000, 500)
THEIRS = optax.warmup_cosine_decay_schedule(0.0, 1e-3, 500, 10_000)

JOINED = f"trace + compile of join of {PHASES} phases of one kind"

ROWS = [
    Row(
        "join",
        JOINED,
        f"Optax join_schedules of {PHASES}",
        Target("at least", 50),
        lambda: compile_times(
            phases(PHASES), optax_phases(PHASES), repeats=5
        ).times_as_fast(),
        profile=lambda: profile(phases(PHASES)),
    ),
    Row(
        "join-growth",
        JOINED,
        "its own of 2",
        Target("at most", 3),
        lambda: compile_times(phases(PHASES), phases(2), repeats=30).times_as_long(),
        profile=lambda: profile(phases(PHASES)),
    ),
    Row(
        "table",
        f"trace + compile of {TABLE}",
        PEER_TABLE,
        Target("at least", 50),
        lambda: compile_times(
            table(MANY), optax_table(PEER), repeats=9
        ).times_as_fast(),
        profile=lambda: profile(table(MANY)),
    ),
    Row(
        "table-growth",
        f"trace + compile of {TABLE}",
        f"its own {FEW}",
        Target("at most", 3),
        lambda: compile_times(table(MANY), table(FEW), repeats=30).times_as_long(),
        profile=lambda: profile(table(MANY)),
    ),
    Row(
        "equations",
        "operations in the traced program of warmup_cosine",
        "",
        Target("at most", 80, "operations"),
        traced_equations,
    ),
    Row(
        "trace",
        "trace + lowering of warmup_cosine",
        "Optax",
        Target("at most", 2),
        lambda: alternate(
            lambda: lowered(OURS), lambda: lowered(THEIRS), repeats=30
        ).times_as_long(),
        why="It traces almost three times as many operations as Optax, for the digits and "
        "the gradients at both ends of a curve; what each costs is spent in JAX, most of "
        "it in jnp.where, comparisons and dtype promotion.",
        profile=lambda: profile(OURS),
    ),
    Row(
        "retraces",
        "traces of a function over 100 settings passed as an argument",
        "",
        Target("exactly", 1, "trace"),
        lambda: traces(100),
    ),
]
