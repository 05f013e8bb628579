"""The phases of a schedule: what is in force from which step to which."""

import math
from collections.abc import Iterable
from typing import Any

from jaxsched.arrays import is_traced
from jaxsched.domains.numbers import whole_number
from jaxsched.metric_driven.machine import MetricDriven
from jaxsched.rule import admitted, short
from jaxsched.schedule import Inner, Phase, Schedule
from jaxsched.schedule.phases import MORE, phases_of
from jaxsched.schedule.stacking import leading_axes


def phases(schedule: Any, total_steps: int | None = None) -> list[Phase]:
    """The phases of a schedule, in order.

    A transition, a decay and a smooth table are one phase; tables of constants have one
    for each value, cycles one for each cycle (more than 32 are one phase). Of
    combinators the phases are those of what they hold, and their own ramps. A schedule of
    your own is one phase that ends with its `steps`, if it has any, unless its rule says
    otherwise (`phases` of `@schedule`). A `retime` and a callable have no end.

    Args:
      schedule: A schedule, a number or a callable of the step.
      total_steps: The length of the run: cycles that never end are listed up to there.
        It does not cut off a phase.

    Returns:
      A list of `Phase`. Phases without a step are left out. The last one ends at
      `horizon(schedule)`, which is None if it never ends.

    Raises:
      TypeError: `schedule` is traced, or not a schedule.
      ValueError: `schedule` is stacked, or `total_steps` not a positive integer.

    >>> import jaxsched as js
    >>> s = js.wsd(0.1, total_steps=100, warmup_steps=10, decay_steps=20)
    >>> for phase in js.phases(s):
    ...     print(phase.name, phase.begin, phase.end)
    warmup 0 10
    constant 10 80
    cooldown 80 100
    """
    known = inspected("phases", schedule)
    until = math.inf if total_steps is None else run_length("phases", total_steps)
    found = phases_of(known, until)
    if found[-1].name == MORE and found[-1].begin >= until:
        found = found[:-1]
    return [p for p in map(_whole, found) if p.end is None or p.begin < p.end]


def horizon(schedule: Any) -> int | None:
    """The step at which a schedule has come to its end, or None if it never does.

    From that step on its value stays. A constant, a decay, the last value of a table of
    constants and cycles without a limit have no end.

    Args:
      schedule: A schedule, a number or a callable of the step.

    Raises:
      TypeError: `schedule` is traced, or not a schedule.
      ValueError: `schedule` is stacked.

    >>> import jaxsched as js
    >>> js.horizon(js.warmup(js.cosine(0.1, 0.0, steps=900), steps=100))
    1000
    >>> js.horizon(js.warmup_inverse_sqrt(0.1, warmup_steps=100)) is None
    True
    """
    last = phases_of(inspected("horizon", schedule), math.inf)[-1]
    return _whole(last).end


def latest_end(schedules: Iterable[Schedule]) -> int:
    """Where the schedule ends that ends last, or 0 if none does."""
    return max(horizon(schedule) or 0 for schedule in schedules)


def inspected(function: str, schedule: Any, argument: str = "schedule") -> Schedule:
    """The argument of an inspection as one schedule with known numbers."""
    if isinstance(schedule, MetricDriven):
        raise TypeError(
            f"{function}: {argument} must be a schedule; one that follows a metric has no "
            f"curve of its own: give the schedule inside it, {short(schedule.schedule)}"
        )
    made = admitted(function, argument, schedule, Inner())
    if is_traced(made):
        raise TypeError(
            f"{function}: {argument} must have known numbers, got {short(made)}; inside "
            "jit or vmap call the schedule itself"
        )
    if axes := leading_axes(function, made):
        raise ValueError(
            f"{function}: {argument} must be a single schedule, got a stacked one of "
            f"shape {axes}; index it, or see js.unstack"
        )
    return made


# As far as schedules are read.
LAST_STEP = 2**62 - 1
RUN_LENGTH = whole_number(1)
RUN_LENGTH.largest = LAST_STEP + 1


def run_length(function: str, total_steps: Any) -> int:
    """A checked `total_steps`."""
    return admitted(function, "total_steps", total_steps, RUN_LENGTH)


def _whole(phase: Phase) -> Phase:
    """The phase in whole steps: a time between two of them is met at the second."""
    end = None if phase.end == math.inf else math.ceil(phase.end)
    return phase._replace(begin=math.ceil(phase.begin), end=end, knots=())
