"""The rows about training on an accelerator, timed by the device's own events."""

import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

import jaxsched as js
from benchmarks import step, sweep
from benchmarks.network import Problem, problem
from benchmarks.timing import (
    Measurement,
    Row,
    Skipped,
    Target,
    alternate,
    spread,
    timed,
)

CALLS = 50  # of a step in one profile


class Events(NamedTuple):
    """What ran on the devices during some calls: kernels, and copies between them."""

    names: Counter[str]
    seconds: float


def device_events(profile: Any) -> Events:
    """The events of all devices in a `jax.profiler.ProfileData`.

    A GPU's plane has a line for each of its streams; other lines of the plane repeat the
    same events by operation and by program. A TPU's plane has no streams, and its
    operations are a line of their own.
    """
    events = [
        event
        for plane in profile.planes
        if plane.name.startswith("/device:") and "CUSTOM" not in plane.name
        for line in _original(list(plane.lines))
        for event in line.events
    ]
    nanoseconds = sum(event.duration_ns for event in events)
    return Events(Counter(event.name for event in events), nanoseconds / 1e9)


def _original(lines: list[Any]) -> list[Any]:
    streams = [line for line in lines if line.name.startswith("Stream")]
    return streams or [line for line in lines if line.name == "XLA Ops"]


def profiled(side: Callable[[], Any], calls: int) -> Any:
    """The `jax.profiler.ProfileData` of some calls."""
    try:
        from jax.profiler import ProfileData
    except ImportError:
        raise Skipped("this JAX has no jax.profiler.ProfileData") from None
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder):
            timed(side, calls)
        (path,) = Path(folder).rglob("*.xplane.pb")
        return ProfileData.from_file(str(path))


def events_of(side: Callable[[], Any], calls: int) -> Events:
    """What ran on the devices during some calls."""
    events = device_events(profiled(side, calls))
    if not events.names:
        raise Skipped("the profile of this device shows no events")
    return events


def device_seconds(side: Callable[[], Any], calls: int) -> float:
    """Seconds that the devices were busy for one call."""
    return events_of(side, calls).seconds / calls


def step_time(task: Problem, repeats: int) -> Measurement:
    """The busy time of a step with a schedule against that with a number."""
    return alternate(
        step.scheduled(task),
        step.constant(task),
        repeats=repeats,
        inner=CALLS,
        seconds=device_seconds,
    ).times_as_long()


def added_kernels(task: Problem, repeats: int) -> Measurement:
    """How many more events a step with a schedule has, copies included."""
    sides = step.scheduled(task), step.constant(task)
    for side in sides:
        jax.block_until_ready(side())
    differences, ours, theirs = [], Counter[str](), Counter[str]()
    for _ in range(repeats):
        ours, theirs = (events_of(side, CALLS).names for side in sides)
        differences.append((ours.total() - theirs.total()) / CALLS)
    note = f"{ours.total() / CALLS:g} against {theirs.total() / CALLS:g}"
    if any(differences):
        # Names differ between programs: a hint at what was added, not a proof.
        note += f"; only with the schedule: {', '.join(sorted(ours - theirs))}"
    return Measurement(spread(differences), repeats, note)


def sweep_time(task: sweep.Sweep, repeats: int) -> Measurement:
    """The busy time of a sweep against that with precomputed learning rates."""
    run, limit, stacked = task.in_one(), task.precomputed(), task.grid()
    rates = js.evaluate(stacked, jnp.arange(task.steps))
    return alternate(
        lambda: run(stacked),
        lambda: limit(rates),
        repeats=repeats,
        seconds=device_seconds,
    ).times_as_long()


def describe() -> str | None:
    """The accelerator that JAX uses by default, or None."""
    if jax.default_backend() == "cpu":
        return None
    device = jax.devices()[0]
    return f"{jax.device_count()} x {device.device_kind} ({device.platform})"


def _task() -> Problem:
    return problem(step.SIZES, step.BATCH_SIZE, batches=1)


ROWS = [
    sweep.COMPILE_INCLUDED,  # compiling is the host's work: by the clock
    Row(
        "sweep-run",
        "the same sweep, busy time of the device",
        "the same vmapped training fed precomputed learning rates (the limit)",
        Target("at most", 1.10),
        lambda: sweep_time(sweep.full(), repeats=20),
    ),
    Row(
        "step",
        f"{step.WHAT}, busy time of the device",
        "the same with a constant rate",
        Target("at most", 1.02),
        lambda: step_time(_task(), repeats=20),
    ),
    Row(
        "kernels",
        "kernels and copies that the schedule adds to the step",
        "the same with a constant rate",
        Target("exactly", 0, ""),
        lambda: added_kernels(_task(), repeats=5),
    ),
]
