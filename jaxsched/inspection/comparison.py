"""compare: how two schedules differ, in what they are and in what they do."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from jaxsched.domains.numbers import Number, whole_number
from jaxsched.inspection.changes import Change, changes
from jaxsched.inspection.phases import inspected, latest_end, run_length
from jaxsched.inspection.places import first_where
from jaxsched.inspection.samples import steps_for
from jaxsched.inspection.window import known_length
from jaxsched.rule import Bound, admitted
from jaxsched.schedule import Schedule
from jaxsched.shapes import Shape

# What is printed of long lists.
_CHANGES, _SPANS = 8, 5

# Of a long run so many stretches are told to the step.
_REFINED = 256


class ComparedStep(NamedTuple):
    """The values of two schedules at one step.

    Attributes:
      step: The step.
      first: The value of the first schedule.
      second: The value of the second schedule.
    """

    step: int
    first: float
    second: float

    @property
    def difference(self) -> float:
        """The second value less the first."""
        return self.second - self.first

    @property
    def ratio(self) -> float | None:
        """The second value divided by the first.

        It is None where it has no meaning: the first value is 0, or one of both is not
        finite. It is negative where they have different signs.
        """
        if not self.first or not math.isfinite(self.first + self.second):
            return None
        return self.second / self.first


@dataclass(frozen=True)
class Comparison:
    """The result of `compare`; printed, it is a few lines of text.

    Attributes:
      changes: The places in which the schedules are not made alike, a `Change` each.
      total_steps: The length of the run, or None where the values of a run were not
        compared.
      spans: The first and the last step of each stretch in which the values differ.
      largest: A `ComparedStep`: the first step with the largest difference; None if the
        values do not differ.
      at: A `ComparedStep`: the step at which the run goes on; None if none was given.
      jumps: Whether the values at that step differ.
      is_exact: Whether every step was compared; runs of more than 4,194,304 steps are
        sampled, at all boundaries and knots, at random between them, and around the
        largest differences; an end of a span is right, but what lies within two samples
        is not seen.
    """

    changes: tuple[Change, ...]
    total_steps: int | None = None
    spans: tuple[tuple[int, int], ...] = ()
    largest: ComparedStep | None = None
    at: ComparedStep | None = None
    jumps: bool = False
    is_exact: bool = True

    def __str__(self) -> str:
        lines = [str(change) for change in self.changes[:_CHANGES]]
        more = len(self.changes) - _CHANGES
        lines += [f"... {more} more changes"] if more > 0 else []
        lines += [] if lines else ["they are the same schedule"]
        if self.total_steps is not None and self.changes:
            lines += self._run(self.total_steps)
        if self.at is not None:
            lines.append(_going_on(self.at, self.jumps))
        if self.total_steps is None and self.at is None:
            lines.append("a metric decides about their values, which are not compared")
        return "\n".join(lines)

    def _run(self, total: int) -> list[str]:
        """What is said of the values of the run."""
        if self.largest is None:
            where = "at all" if self.is_exact else "at all that were compared of"
            return [f"their values are the same {where} {total:_} steps"]
        listed = ", ".join(_span(*span) for span in self.spans[:_SPANS])
        more = len(self.spans) - _SPANS
        rest = f" and {more} more stretches" if more > 0 else ""
        step, first, second = self.largest
        seen = "" if self.is_exact else ", of those that were compared"
        return [
            f"their values differ in steps {listed}{rest}{seen}",
            f"most at step {step:_}: {first:.6g} by the first schedule, {second:.6g} by "
            f"the second ({self.largest.difference:+.3g}{_times(self.largest.ratio)})",
        ]


def _span(first: int, last: int) -> str:
    return f"{first:_}" if first == last else f"{first:_} to {last:_}"


def _going_on(found: ComparedStep, jumps: bool) -> str:
    step, first, second = found
    if not jumps:
        return f"at step {step:_} it goes on without a jump, at {second:.6g}"
    times = _times(found.ratio)
    return f"at step {step:_} it jumps from {first:.6g} to {second:.6g}{times}"


def _times(ratio: float | None) -> str:
    """A ratio in words: up to twice or half as a percentage, beyond as a multiple.

    To and from 0, and from one sign to the other, no ratio says more than both values.
    """
    if ratio is None or ratio <= 0:
        return ""
    if 0.5 < ratio < 2:
        word = "more" if ratio >= 1 else "less"
        return f", {100 * abs(ratio - 1):.3g} % {word}"
    if ratio >= 2:
        return f", {_digits(ratio)} times as much"
    return f", 1/{_digits(1 / ratio)} of it"


def _digits(number: float) -> str:
    return f"{number:_.0f}" if 1000 <= number < 1e6 else f"{number:.3g}"


def compare(
    a: Any,
    b: Any,
    total_steps: int | None = None,
    *,
    at: int | None = None,
    rtol: float = 1e-6,
) -> Comparison:
    """How two schedules differ: in what they are, over a run, and where a run goes on.

    Use it to see what an edit of a schedule does, and with `at` before a run goes on from
    a checkpoint under another schedule. It tells which hyperparameters were changed, in
    which steps the values differ and where most, and whether the rate jumps at `at`. A
    ratio of values is told as a percentage ("60 % more") up to twice or half, and beyond
    as a multiple ("55 times as much", "1/55 of it").

    Args:
      a: The first, or the schedule until now: a schedule, a number or a callable of the
        step. A metric-driven schedule has no values before it meets a metric: what it
        is made of is compared, and nothing else.
      b: The second, or the schedule from now on.
      total_steps: The length of the run in updates, >= 1: steps 0 to total_steps - 1 are
        compared. Without it the run is as long as the schedule that ends last; where
        none ends and `at` is given, the values are compared at `at` only.
      at: The step at which a run goes on with the second schedule, >= 0. It may lie after
        the end of the run.
      rtol: The relative difference up to which two values are the same, >= 0: the same
        curve composed in two ways may differ in its last digits.

    Returns:
      A `Comparison`.

    Raises:
      TypeError: A schedule is traced or not a schedule.
      ValueError: A schedule is stacked, a number is out of its bounds, or no schedule has
        an end and neither `total_steps` nor `at` is given.

    >>> import jaxsched as js
    >>> old = js.linear(1.0, 0.0, 8)
    >>> found = js.compare(old, old.replace(end_value=0.5), at=6)
    >>> print(found)
    end_value: 0.0 -> 0.5
    their values differ in steps 1 to 7
    most at step 7: 0.125 by the first schedule, 0.5625 by the second (+0.438, 4.5 times
    as much)
    at step 6 it jumps from 0.25 to 0.625, 2.5 times as much
    >>> found.at.ratio
    2.5
    >>> print(js.compare(old, js.staircase(old, every=4)))
    the schedule: linear(...) -> staircase(...)
    their values differ in steps 1 to 3, 5 to 7
    most at step 3: 0.625 by the first schedule, 1 by the second (+0.375, 60 % more)
    """
    first, second = _made("a", a), _made("b", b)
    if at is not None:
        at = admitted("compare", "at", at, whole_number(0))
    total = None if total_steps is None else run_length("compare", total_steps)
    rtol = admitted("compare", "rtol", rtol, Number(least=0))
    changed = tuple(changes(first, second))
    if not isinstance(first, Schedule) or not isinstance(second, Schedule):
        return Comparison(changed)
    both = first, second
    found: dict[str, Any] = {}
    if at is not None:
        step = ComparedStep(int(at), first.at(at), second.at(at))
        jumps = _apart(np.array(step.first), np.array(step.second), rtol)
        found = {"at": step, "jumps": bool(jumps)}
    if total is None and (at is None or latest_end(both)):
        total = known_length("compare", both, None)
    if total is not None:
        found |= _over_a_run(*both, total, rtol)
    return Comparison(changed, **found)


def _made(argument: str, value: Any) -> Any:
    """A schedule with a curve, or a metric-driven one, which has none."""
    has_no_curve = isinstance(value, Bound) and not isinstance(value, (Schedule, Shape))
    return value if has_no_curve else inspected("compare", value, argument)


def _over_a_run(a: Schedule, b: Schedule, total: int, rtol: float) -> dict[str, Any]:
    """What a comparison holds of the values of a run."""
    steps, is_exact = steps_for(a, b, total)
    x, y = a.at(steps), b.at(steps)
    apart = _apart(x, y, rtol)
    found = {"total_steps": total, "is_exact": is_exact}
    if not apart.any():
        return found
    with np.errstate(invalid="ignore"):  # infinity less infinity
        gap = np.abs(x - y)
    gap = np.where(np.isnan(gap), np.inf, gap)
    most = int(np.argmax(np.where(apart, gap, -1.0)))
    edges = np.diff(apart.astype(np.int8), prepend=0, append=0)
    first, last = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    begins, ends = steps[first], steps[last]
    if not is_exact and len(begins) <= _REFINED:
        # Between the last sample that is the same and the first that is not.
        before, after = (
            steps[np.maximum(first - 1, 0)],
            np.append(steps, total)[last + 1],
        )
        begins = first_where(lambda k: _apart(a.at(k), b.at(k), rtol), before, begins)
        ends = first_where(lambda k: ~_apart(a.at(k), b.at(k), rtol), ends, after) - 1
    return found | {
        "spans": tuple(zip(begins.tolist(), ends.tolist(), strict=True)),
        "largest": ComparedStep(int(steps[most]), float(x[most]), float(y[most])),
    }


def _apart(x: np.ndarray, y: np.ndarray, rtol: float) -> np.ndarray:
    """Where values are not the same; NaN and infinity are the same as themselves."""
    with np.errstate(invalid="ignore"):  # infinity less infinity
        gap = np.abs(x - y)
    near = (gap <= rtol * np.maximum(np.abs(x), np.abs(y))) & np.isfinite(gap)
    return ~(near | (x == y) | (np.isnan(x) & np.isnan(y)))
