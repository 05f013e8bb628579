"""Schedules looked at on the host: their first reading, their description, the command."""

import gc
import itertools
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator

import optax

import jaxsched as js
from benchmarks.timing import (
    Measurement,
    Row,
    Target,
    alternate,
    readable,
    spread,
    timed,
)

STEP, TOTAL, WARMUP, DECAY = 500, 10_000, 100, 2_000


def wsd(peak: float) -> Callable[[int], object]:
    """Optax's own way of writing warm-up, stable, decay."""
    parts = [
        optax.linear_schedule(0.0, peak, WARMUP),
        optax.constant_schedule(peak),
        optax.linear_schedule(peak, 0.0, DECAY),
    ]
    return optax.join_schedules(parts, [WARMUP, TOTAL - DECAY])


# A schedule of a peak, ours and Optax's.
PAIRS: dict[str, tuple[Callable, Callable]] = {
    "warmup_cosine": (
        lambda peak: js.warmup_cosine(peak, TOTAL, WARMUP, init_value=0.0),
        lambda peak: optax.warmup_cosine_decay_schedule(0.0, peak, WARMUP, TOTAL),
    ),
    "wsd": (
        lambda peak: js.wsd(peak, TOTAL, WARMUP, DECAY, init_value=0.0),
        wsd,
    ),
    "one_cycle": (
        lambda peak: js.one_cycle(peak, TOTAL, WARMUP),
        lambda peak: optax.cosine_onecycle_schedule(TOTAL, peak, WARMUP / TOTAL),
    ),
}


def fresh(make: Callable, number: int) -> Iterator:
    """Schedules that nobody has called yet, each with a peak of its own."""
    return iter([make(1e-3 * (1 + i / number)) for i in range(number)])


def first_reading(name: str, repeats: int, inner: int = 20) -> Measurement:
    """The first value of a schedule of a known structure, as a Python float."""
    make, make_theirs = PAIRS[name]
    make(0.5).at(STEP)
    number = repeats * inner + 1
    ours, theirs = fresh(make, number), fresh(make_theirs, number)
    return alternate(
        lambda: next(ours).at(STEP),
        lambda: float(next(theirs)(STEP)),
        repeats=repeats,
        inner=inner,
    ).times_as_fast()


def milliseconds(side: Callable[[], object], repeats: int, inner: int) -> Measurement:
    """The time of one call, of several measurements."""
    side()
    return Measurement(
        spread([1e3 * timed(side, inner) for _ in range(repeats)]), repeats
    )


def first_reading_in_milliseconds(repeats: int, inner: int = 20) -> Measurement:
    """The longest of the three kinds."""
    found = []
    for make, _ in PAIRS.values():
        make(0.5).at(STEP)
        schedules = fresh(make, repeats * inner + 1)
        read = lambda schedules=schedules: next(schedules).at(STEP)
        found.append(milliseconds(read, repeats, inner))
    return max(found, key=lambda measured: measured.value.median)


def described(repeats: int, inner: int = 5) -> Measurement:
    """The text of a description of a fresh schedule of a known structure."""
    make, _ = PAIRS["warmup_cosine"]
    schedules = itertools.chain([make(0.5)], fresh(make, repeats * inner))
    return milliseconds(lambda: str(js.describe(next(schedules))), repeats, inner)


def left_behind(number: int = 2_000) -> Measurement:
    """Kilobytes of memory that so many schedules, read and forgotten, leave."""
    make, _ = PAIRS["warmup_cosine"]
    _read_all(fresh(make, number))
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    _read_all(fresh(make, number))
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return Measurement(spread([(after - before) / 1024]), 1)


def _read_all(schedules: Iterator) -> None:
    for schedule in schedules:
        schedule.at(STEP)


def command(repeats: int) -> Measurement:
    """Milliseconds of `jaxsched list` more than of `import jax`, in new processes."""
    programs = ["-m", "jaxsched", "list"], ["-c", "import jax"]
    times: list[list[float]] = [[], []]
    for _ in range(repeats):
        for arguments, found in zip(programs, times, strict=True):
            found.append(_seconds(arguments))
    more = [1e3 * (ours - jax) for ours, jax in zip(*times, strict=True)]
    note = " against ".join(readable(spread(side).median) for side in times)
    return Measurement(spread(more), repeats, note)


def _seconds(arguments: list[str]) -> float:
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    begin = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments], env=kept, capture_output=True, check=True
    )
    return time.perf_counter() - begin


ROWS = [
    *(
        Row(
            f"fresh-{name.replace('_', '-')}",
            f"s.at(step) of a fresh {name} of a known structure",
            "a fresh schedule of Optax called eagerly, as a Python float",
            Target("at least", 10),
            lambda name=name: first_reading(name, repeats=60),
            why="Of some 13 µs JAX takes 6 to dispatch a compiled program, and 1 goes into "
            "its input and output; the rest finds the program of a structure of three "
            "schedules, one inside the other.",
        )
        for name in PAIRS
    ),
    Row(
        "fresh-time",
        "s.at(step) of a fresh schedule of a known structure, the slowest of the three",
        "",
        Target("at most", 0.5, "ms"),
        lambda: first_reading_in_milliseconds(repeats=40),
    ),
    Row(
        "describe",
        "str(describe(s)) of a fresh warmup_cosine of a known structure, 10^4 steps",
        "",
        Target("at most", 10, "ms"),
        lambda: described(repeats=20),
    ),
    Row(
        "fresh-memory",
        "memory that 2,000 fresh schedules leave, read and forgotten",
        "",
        Target("at most", 64, "kB"),
        left_behind,
    ),
    Row(
        "command",
        "the command `jaxsched list` beyond `import jax`, in new processes",
        "",
        Target("at most", 400, "ms"),
        lambda: command(repeats=10),
    ),
]
