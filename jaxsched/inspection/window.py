"""How many steps are looked at where nobody says it: the one answer of all that look.

A schedule that ends is looked at to its end. One that never ends is looked at for long
enough to see what it does: some of its cycles or values, and most of its way to where it
settles.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxsched.domains.numbers import Length
from jaxsched.inspection.phases import LAST_STEP, horizon, latest_end, run_length
from jaxsched.rule import short
from jaxsched.schedule import Schedule
from jaxsched.schedule.phases import knots_of, phases_of

# Of its way to where it settles, that much is left where a picture ends: the inverse
# square root of time is then seen for sixteen of its time scales, a half-life for two.
_LEFT = 0.25
# At least that many of its own lengths are seen, of a constant that many steps.
_LENGTHS, _CONSTANT = 4, 100
# Where its values are asked for: each step is followed by one about 6 % later.
_GRID = np.unique(np.geomspace(1, 2.0**50, 600).astype(np.int64)) - 1


def window(schedules: Sequence[Schedule]) -> int:
    """The steps to look at: to the end that comes last, or of the endless ones enough."""
    return latest_end(schedules) or max(map(_of_endless, schedules), default=_CONSTANT)


def known_length(
    function: str, schedules: Sequence[Schedule], total_steps: int | None
) -> int:
    """The length of a run: as given, or else as much as is looked at."""
    if total_steps is not None:
        return run_length(function, total_steps)
    last = window(schedules)
    if last > LAST_STEP:
        raise ValueError(
            f"{function}: total_steps must be given for schedules that end after "
            f"step {LAST_STEP}, got total_steps=None for {short(list(schedules))}"
        )
    return last


def _of_endless(schedule: Schedule) -> int:
    if horizon(schedule) == 0:  # nothing but its end value
        return _CONSTANT
    enough = _of_parts(schedule), _of_values(schedule), _LENGTHS * _longest(schedule)
    return min(_round(max(enough) or _CONSTANT), LAST_STEP)


def _of_parts(schedule: Schedule) -> float:
    """Some of its cycles, stairs or given values, and a little of what then holds."""
    found = phases_of(schedule, math.inf)
    knots = knots_of(found)
    if not len(knots) or not knots[-1]:
        return 0
    last, begins = float(knots[-1]), [float(p.begin) for p in found]
    if last > begins[-1]:  # within the last phase: it goes on like that
        return last
    another = last / (len(begins) - 1) if len(begins) > 2 else 0
    return last + max(last / 4, another)


def _of_values(schedule: Schedule) -> float:
    """Until most of its way is behind it, or 0 if it never settles."""
    values = np.asarray(schedule.at(_GRID), np.float64)
    first, last = np.abs(values[0]), np.abs(values[-1])
    if not np.isfinite(last) or last > 1e3 * np.max(np.abs(values[: len(values) // 2])):
        grown = np.abs(values) * _LEFT >= max(first, np.finfo(float).tiny)
        return float(_GRID[np.argmax(grown)]) if grown.any() else 0
    left = np.abs(values - values[-1])
    left = np.where(np.isfinite(left), left, np.inf)
    ahead = np.maximum.accumulate(left[::-1])[::-1]  # the most that is still to come
    finite = ahead[np.isfinite(ahead)]
    if not len(finite) or finite[0] <= 1e-12 * last:
        return 0
    step = int(np.argmax(ahead <= _LEFT * finite[0]))
    is_near = step < 0.9 * len(_GRID)
    return float(_GRID[step]) + 1 if is_near and ahead[step] < finite[0] else 0


def _longest(schedule: Any) -> float:
    """The longest length among its hyperparameters, and those of what it holds.

    Not of a schedule that ends: as one of the parts it is seen to its end.
    """
    domains = schedule._rule.domains
    lengths = [0.0]
    for name, value in schedule._values.items():
        if isinstance(domains.get(name), Length) and value is not None:
            lengths.append(float(np.max(np.asarray(value))))
        held = value if isinstance(value, tuple) else (value,)
        lengths += [
            _longest(x) for x in held if isinstance(x, Schedule) and not horizon(x)
        ]
    return max(lengths)


def _round(steps: float) -> int:
    """Up, to two digits."""
    unit = 10 ** max(0, math.floor(math.log10(steps)) - 1)
    return math.ceil(steps / unit) * unit
