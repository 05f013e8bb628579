"""The phases of a schedule: what is in force from which step to which."""

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from jaxsched.domains.functions import Inner
from jaxsched.domains.numbers import whole_number
from jaxsched.rule import admitted, is_traced, short
from jaxsched.schedule import Schedule
from jaxsched.stacking import leading_axes

# More cycles or values than that are one phase: nobody reads a list of thousands.
_MOST = 32


class Phase(NamedTuple):
    """A part of a schedule's time.

    Attributes:
      name: What is in force: "warmup", "cosine", "cycle 2".
      begin: Its first step.
      end: The first step after it, or None if it never ends.
      is_joint: Whether it follows on another phase that was meant to lead to it, so that
        a jump at `begin` is a surprise. A table or a restart jumps on purpose.
    """

    name: str
    begin: Any
    end: Any
    is_joint: bool = True


def phases(schedule: Any, total_steps: int | None = None) -> list[Phase]:
    """The phases of a schedule, in order.

    A transition, a decay and a smooth table are one phase; tables of constants have one
    for each value, cycles one for each cycle (more than 32 are one phase). Of
    combinators the phases are those of what they hold, and their own ramps. A `retime`, a
    callable and a schedule of your own are one phase without an end.

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
    found = (_whole(phase) for phase in _phases(known, until))
    return [p for p in found if p.end is None or p.begin < p.end]


def horizon(schedule: Any) -> int | None:
    """The step at which a schedule has come to its end, or None if it never does.

    From there on it holds. A constant, a decay, the last value of a table of constants
    and cycles without a limit have no end.

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
    last = _phases(inspected("horizon", schedule), math.inf)[-1]
    return _whole(last).end


def latest_end(schedules: Iterable[Schedule]) -> int:
    """Where the schedule ends that ends last, or 0 if none does."""
    return max(horizon(schedule) or 0 for schedule in schedules)


def inspected(function: str, schedule: Any, argument: str = "schedule") -> Schedule:
    """The argument of an inspection as one schedule with known numbers."""
    made = admitted(function, argument, schedule, Inner())
    if is_traced(made):
        raise TypeError(
            f"{function}: {argument} must have known numbers, got {short(made)}; inside "
            "jit or vmap call the schedule itself"
        )
    if axes := leading_axes(function, made):
        raise ValueError(
            f"{function}: {argument} must be a single schedule, got a stacked one of "
            f"shape {axes}; see js.unstack"
        )
    return made


def run_length(function: str, total_steps: Any) -> int:
    """A checked `total_steps`."""
    return admitted(function, "total_steps", total_steps, whole_number(1))


# Below, times are exact numbers, an end that never comes is infinite, and cycles without
# a limit are listed up to the time `until`.


def _phases(schedule: Schedule, until: float) -> list[Phase]:
    timeline = _TIMELINES.get(schedule._rule.name, _unbounded)
    return timeline(schedule, until)


def _number(value: Any) -> Any:
    """A hyperparameter as a Python number."""
    return value if isinstance(value, (int, float)) else value.item()


def _times(boundaries: Any) -> list[Any]:
    """The boundaries of a table as Python numbers."""
    return np.asarray(getattr(boundaries, "array", boundaries)).tolist()


def _whole(phase: Phase) -> Phase:
    """The phase in whole steps: a time between two of them is met at the second."""
    end = None if phase.end == math.inf else math.ceil(phase.end)
    return phase._replace(begin=math.ceil(phase.begin), end=end)


def _moved(found: list[Phase], by: float) -> list[Phase]:
    return [p._replace(begin=p.begin + by, end=p.end + by) for p in found]


def _cut(found: list[Phase], begin: float, end: float) -> list[Phase]:
    """What lies between two times; what has ended before the second is held."""
    kept = [
        p._replace(begin=max(p.begin, begin), end=min(p.end, end))
        for p in found
        if p.begin < end and p.end > begin
    ]
    last = max(found[-1].end, begin)
    return kept + ([Phase("hold", last, end)] if last < end < math.inf else [])


def _unbounded(s: Any, until: float) -> list[Phase]:
    return [Phase(s._rule.name, 0, math.inf)]


def _transition(s: Any, until: float) -> list[Phase]:
    return [Phase(s._rule.name, 0, _number(s.steps))]


def _noam(s: Any, until: float) -> list[Phase]:
    ramp = _number(s.warmup_steps)
    return [Phase("warmup", 0, ramp), Phase("inverse_sqrt", ramp, math.inf)]


def _constants(s: Any, until: float) -> list[Phase]:
    """A table of constants."""
    begins = [0, *_times(s.boundaries), math.inf]
    if len(begins) > _MOST + 1:
        return _unbounded(s, until)
    pairs = pairwise(begins)
    return [Phase(f"value {i}", a, b, i == 1) for i, (a, b) in enumerate(pairs, 1)]


def _curve(s: Any, until: float) -> list[Phase]:
    """A table that is a curve through its points."""
    return [Phase(s._rule.name, 0, _times(s.boundaries)[-1])]


def _triangular(s: Any, until: float) -> list[Phase]:
    up = _number(s.up_steps)
    down = up if s.down_steps is None else _number(s.down_steps)
    return _cycles(up + down, 1, None, until)


def _restarts(s: Any, until: float) -> list[Phase]:
    limit = None if s.limit is None else _number(s.limit)
    return _cycles(_number(s.steps), _number(s.length_factor), limit, until)


def _cycles(n: Any, factor: Any, limit: int | None, until: float) -> list[Phase]:
    end = math.inf if limit is None else _cycle_begin(limit, n, factor)
    last = until if limit is None else end
    begins = [_cycle_begin(i, n, factor) for i in range(_MOST + 2)]
    count = sum(begin < last for begin in begins)
    if count > _MOST:
        return [Phase("cycles", 0, end)]
    return [
        Phase(f"cycle {i + 1}", begins[i], begins[i + 1], is_joint=i == 0)
        for i in range(count)
    ]


def _cycle_begin(i: int, n: Any, factor: Any) -> Any:
    """The first step of a cycle: exact where its first length is whole."""
    if factor == 1:
        return n * i
    if i * math.log(factor) > 100:
        return math.inf  # long after the last step there is
    ratio = Fraction(repr(factor))
    begin = Fraction(n) * (ratio**i - 1) / (ratio - 1)
    return math.ceil(begin) if isinstance(n, int) else float(begin)


def _join(s: Any, until: float) -> list[Phase]:
    begins = [0, *_times(s.boundaries)]
    found = []
    for part, begin, end in zip(
        s.schedules, begins, [*begins[1:], math.inf], strict=True
    ):
        own = _phases(part, min(end, until) - begin)
        found += _cut(_moved(own, begin), begin, end)
    return found


def _warmup(s: Any, until: float) -> list[Phase]:
    n = _number(s.steps)
    if s.overlap:
        after = _cut(_phases(s.schedule, until), n, math.inf)
    else:
        after = _moved(_phases(s.schedule, until - n), n)
    return [Phase("warmup", 0, n), *after]


def _cooldown(s: Any, until: float) -> list[Phase]:
    begin = _number(s.begin)
    before = _cut(_phases(s.schedule, min(begin, until)), 0, begin)
    return [*before, Phase("cooldown", begin, begin + _number(s.steps))]


def _delay(s: Any, until: float) -> list[Phase]:
    n = _number(s.steps)
    return [Phase("delay", 0, n), *_moved(_phases(s.schedule, until - n), n)]


def _shift(s: Any, until: float) -> list[Phase]:
    n = _number(s.steps)
    found = _cut(_moved(_phases(s.schedule, until + n), -n), 0, math.inf)
    return found or [Phase("hold", 0, 0)]


def _stretch(s: Any, until: float) -> list[Phase]:
    factor = _number(s.factor)
    found = _phases(s.schedule, until / factor)
    return [p._replace(begin=p.begin * factor, end=p.end * factor) for p in found]


def _staircase(s: Any, until: float) -> list[Phase]:
    every = _number(s.every)

    def stair(time: float) -> float:
        return time if time == math.inf else math.ceil(time / every) * every

    found = _phases(s.schedule, until)
    return [p._replace(begin=stair(p.begin), end=stair(p.end)) for p in found]


def _reverse(s: Any, until: float) -> list[Phase]:
    n = _number(s.steps)
    found = _cut(_phases(s.schedule, n), 0, n)
    backwards = [p._replace(begin=n - p.end, end=n - p.begin) for p in found[::-1]]
    return backwards or [Phase("hold", 0, 0)]


def _same(s: Any, until: float) -> list[Phase]:
    """The phases of the schedule inside."""
    return _phases(s.schedule, until)


def _both(sign: str) -> Callable[[Any, float], list[Phase]]:
    """The phases of two schedules at once; a constant has none of its own."""

    def timeline(s: Any, until: float) -> list[Phase]:
        first, second = _phases(s.first, until), _phases(s.second, until)
        for one, other in ((first, second), (second, first)):
            if [p.name for p in one] == ["constant"]:
                return other
        times = sorted({t for p in first + second for t in (p.begin, p.end)})
        both = [*first, *second]
        return [
            Phase(f"{_at(first, a)} {sign} {_at(second, a)}", a, b, _joint(both, a))
            for a, b in pairwise(times)
        ]

    return timeline


def _at(found: list[Phase], time: float) -> str:
    return next((p.name for p in found if p.begin <= time < p.end), "hold")


def _joint(found: list[Phase], time: float) -> bool:
    return all(p.is_joint for p in found if p.begin == time)


# What is not here has no end that it could tell: decays, callables, schedules of one's own.
_TIMELINES: dict[str, Callable[[Any, float], list[Phase]]] = {
    **dict.fromkeys(("linear", "cosine", "polynomial"), _transition),
    **dict.fromkeys(("exponential", "transition"), _transition),
    "noam": _noam,
    **dict.fromkeys(("piecewise_constant", "multistep"), _constants),
    **dict.fromkeys(("piecewise_linear", "spline"), _curve),
    "triangular": _triangular,
    **dict.fromkeys(("cosine_restarts", "cycle"), _restarts),
    "join": _join,
    "warmup": _warmup,
    "cooldown": _cooldown,
    "delay": _delay,
    "shift": _shift,
    "stretch": _stretch,
    "staircase": _staircase,
    "reverse": _reverse,
    **dict.fromkeys(("clip", "noise", "negative"), _same),
    "add": _both("+"),
    "subtract": _both("-"),
    "multiply": _both("*"),
    "divide": _both("/"),
    "maximum": _both("or"),
    "minimum": _both("or"),
}
