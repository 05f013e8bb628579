"""describe: what a schedule does in a run, and what in it deserves attention."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from jaxsched.inspection.phases import LAST_STEP, horizon, inspected, phases
from jaxsched.inspection.places import first_where
from jaxsched.inspection.samples import Samples, sampled, samples
from jaxsched.inspection.sparkline import sparkline
from jaxsched.inspection.window import known_length
from jaxsched.schedule import Schedule

# A joint is a jump if the step over it is that many times as large as those beside it,
# and at least that part of the peak: a ramp of few steps is steep everywhere.
_STEEPER, _PART = 3.0, 0.01

# As many steps are looked at after a run.
_LATER = 2**12

# What is printed of long texts, tables and lists.
_CHARACTERS = 1000
_FIRST, _LAST = 20, 5
_JUMPS = 5


class DescribedPhase(NamedTuple):
    """A phase of a run.

    Attributes:
      name: What is in force.
      first: Its first step.
      last: Its last step within the run, or None where the run does not reach it.
      init_value: The value at its first step.
      end_value: The value at its last step in the run, or None.
      share: The part of the run's steps, from 0 to 1.
    """

    name: str
    first: int
    last: int | None
    init_value: float
    end_value: float | None
    share: float


@dataclass(frozen=True)
class Description:
    """The result of `describe`; printed, it is a table with a curve.

    Attributes:
      schedule: The schedule.
      total_steps: The length of the run T: it uses the values at 0, ..., T - 1.
      horizon: Where the schedule ends, or None.
      phases: The phases, "hold" after the end included.
      peak_value: The largest value of the run.
      peak_step: The first step that has it.
      mean: The mean of the values of the run.
      area: Their sum.
      last_value: The value that the last update uses, at T - 1.
      is_exact: Whether every step was looked at; runs of more than 4,194,304 steps are
        sampled, at all boundaries and knots, at random between them, and around the
        highest and the lowest values.
      attention: What deserves attention, a sentence each.
      sparkline: The curve in one line of text, from 0 (or the lowest value) to the peak.
    """

    schedule: Schedule
    total_steps: int
    horizon: int | None
    phases: tuple[DescribedPhase, ...]
    peak_value: float
    peak_step: int
    mean: float
    area: float
    last_value: float
    is_exact: bool
    attention: tuple[str, ...]
    sparkline: str

    def __str__(self) -> str:
        about = "" if self.is_exact else "about "
        names = max(len("phase"), *(len(p.name) for p in self.phases))
        rows = [_row(phase, names) for phase in self.phases]
        if len(rows) > _FIRST + _LAST:
            rows[_FIRST:-_LAST] = [f"... {len(rows) - _FIRST - _LAST} more phases"]
        lines = [
            _shortened(repr(self.schedule)),
            self.sparkline,
            f"{'phase':{names}} {'first':>11} {'last':>11}"
            f" {'start':>10} {'end':>10}  share",
            *rows,
            f"run of {self.total_steps:_} steps: peak {self.peak_value:.4g} at step "
            f"{self.peak_step:_}, mean {about}{self.mean:.4g}, area {about}"
            f"{self.area:.4g}, last used {self.last_value:.4g}",
            *(f"! {sentence}" for sentence in self.attention),
        ]
        return "\n".join(lines)


def _shortened(text: str) -> str:
    """The beginning and the end of a text of many characters."""
    half = _CHARACTERS // 2
    return text if len(text) <= _CHARACTERS else f"{text[:half]} ... {text[-half:]}"


def _row(phase: DescribedPhase, width: int) -> str:
    last = "never" if phase.last is None else f"{phase.last:_}"
    end = "" if phase.end_value is None else f"{phase.end_value:.4g}"
    return (
        f"{phase.name:{width}} {phase.first:>11_} {last:>11} "
        f"{phase.init_value:>10.4g} {end:>10} {phase.share:>6.1%}"
    )


def describe(schedule: Any, total_steps: int | None = None) -> Description:
    """What a schedule does in a run: its phases, its numbers, what deserves attention.

    Printed, it is a table with a curve. What deserves attention is: a first update spent
    at 0, other steps at 0, negative values and values that are not finite, a jump where
    one phase leads to the next, a phase that the run never reaches, a run shorter or
    longer than the schedule, and values that rise again after the run.

    Args:
      schedule: A schedule, a number or a callable of the step.
      total_steps: The length of the run in updates, >= 1; without it the run is as long
        as the schedule, or of one that has no end as long as it takes to see what it does.

    Returns:
      A `Description`.

    Raises:
      TypeError: `schedule` is traced, or not a schedule.
      ValueError: `schedule` is stacked, or `total_steps` not a positive integer.

    >>> import jaxsched as js
    >>> schedule = js.warmup(js.cosine(0.1, 0.0, 90), 10, 0.0)
    >>> print(js.describe(schedule, total_steps=50))
    warmup(schedule=cosine(init_value=0.1, end_value=0.0, steps=90), steps=10,
    init_value=0.0)
    ▁▂▂▃▄▅▅▆▇▇████████████████▇▇▇▇▇▇▇▇▇▇▇▇▆▆▆▆▆▆▆▆▆▅▅▅
    phase        first        last      start        end  share
    warmup           0           9          0       0.09  20.0%
    cosine          10          49        0.1     0.0604  80.0%
    run of 50 steps: peak 0.1 at step 10, mean 0.07762, area 3.881, last used 0.0604
    ! the first update is spent at 0
    ! the run is shorter than the schedule, which ends at step 100: it stops at 0.0603956
    """
    known = inspected("describe", schedule)
    end = horizon(known)
    total = known_length("describe", [known], total_steps)
    run = samples(known, total)
    peak = int(np.argmax(np.where(np.isnan(run.values), -np.inf, run.values)))
    peak_value = float(run.values[peak])
    area = float(np.sum(run.values * run.weights))
    return Description(
        schedule=known,
        total_steps=total,
        horizon=end,
        phases=tuple(_phases(known, total, end)),
        peak_value=peak_value,
        peak_step=_first(
            known, run, run.values == peak_value, lambda v: v == peak_value
        ),
        mean=area / total,
        area=area,
        last_value=known.at(total - 1),
        is_exact=run.is_exact,
        attention=(
            *_chosen(total, total_steps, end),
            *_attention(known, run, total, end),
        ),
        sparkline=sparkline(known, run, total),
    )


def _phases(schedule: Schedule, total: int, end: int | None) -> list[DescribedPhase]:
    found = [(p.name, p.begin, p.end) for p in phases(schedule, total)]
    if end is not None and end < total:
        found.append(("hold", end, None))
    return [_described(schedule, *phase, total) for phase in found]


def _described(
    schedule: Schedule, name: str, begin: int, end: int | None, total: int
) -> DescribedPhase:
    start = schedule.at(begin)
    if begin >= total:
        return DescribedPhase(name, begin, None, start, None, 0.0)
    last = (total if end is None else min(end, total)) - 1
    share = (last + 1 - begin) / total
    return DescribedPhase(name, begin, last, start, schedule.at(last), share)


def _chosen(total: int, given: int | None, end: int | None) -> list[str]:
    """Whether the length of the run is nobody's."""
    is_chosen = given is None and end is None
    return [f"it has no end: these are its first {total:_} steps"] if is_chosen else []


def _attention(
    schedule: Schedule, run: Samples, total: int, end: int | None
) -> list[str]:
    """What deserves attention, the worst first."""
    found = []

    def count(name: str, test: Callable[[np.ndarray], np.ndarray], least: int) -> None:
        where = test(run.values) & (run.steps >= least)
        n = round(np.sum(run.weights[where]))
        if n:
            first = _first(schedule, run, where, test)
            about = "" if run.is_exact else "about "
            steps = "step is" if n == 1 else "steps are"
            found.append(f"{about}{n:_} {steps} {name}, the first at step {first:_}")

    count("not finite", lambda v: ~np.isfinite(v), 0)
    count("negative", lambda v: v < 0, 0)
    if run.values[0] == 0:
        found.append("the first update is spent at 0")
    count("spent at 0", lambda v: v == 0, 1)
    found += _jumps(schedule, total, float(np.max(np.abs(run.values))))
    for phase in phases(schedule, total):
        if phase.begin >= total:
            found.append(f"{phase.name} is never reached: it begins at {phase.begin:_}")
    last = schedule.at(total - 1)
    if end is not None and end > total:
        found.append(
            "the run is shorter than the schedule, which ends at step "
            f"{end:_}: it stops at {last:.6g}"
        )
    if end is not None and end < total:
        found.append(
            f"the run is longer than the schedule, which holds {schedule.at(end):.6g} "
            f"for the last {total - end:_} steps"
        )
    if end is None:  # what has an end holds from there on
        found += _rise(schedule, total, last)
    return found


def _jumps(schedule: Schedule, total: int, peak: float) -> list[str]:
    found = []
    for before, phase in pairwise(phases(schedule, total)):
        b = phase.begin
        # A phase of one step is a jump itself: a ramp in one step.
        if not phase.is_joint or b >= total or b - before.begin < 2:
            continue
        around = schedule.at(np.arange(b - 2, b + 2))
        left, over, right = np.abs(np.diff(around))
        if over > max(_STEEPER * max(left, right), _PART * peak):
            found.append(
                f"it jumps from {around[1]:.6g} to {around[2]:.6g} at step {b:_}, where "
                f"{phase.name} begins"
            )
    more = len(found) - _JUMPS
    return found[:_JUMPS] + ([f"it jumps at {more} more joints"] if more > 0 else [])


def _rise(schedule: Schedule, total: int, last: float) -> list[str]:
    """Whether it goes up again in a run that goes on for as long once more."""
    end = min(2 * total, LAST_STEP) + 1
    if end <= total:
        return []
    if end - total <= _LATER:
        after = schedule.at(np.arange(total, end))
    else:
        after = sampled(schedule.at, [schedule], total, end, _LATER).values
    if not np.max(after) > last + 1e-6 * abs(last):
        return []
    return [f"after the run it rises again, from {last:.6g} to {np.max(after):.6g}"]


def _first(
    schedule: Schedule,
    run: Samples,
    where: np.ndarray,
    test: Callable[[np.ndarray], np.ndarray],
) -> int:
    """The first step of a run whose value passes a test that some of the samples pass."""
    i = int(np.argmax(where))
    if run.is_exact or i == 0:
        return int(run.steps[i])
    low, high = run.steps[i - 1 : i], run.steps[i : i + 1]
    return int(first_where(lambda step: test(schedule.at(step)), low, high)[0])
