"""Two sides measured in turns, what is asked of their ratio, and what came out."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import jax
import numpy as np


class Spread(NamedTuple):
    """A median and the 10th and the 90th percentile beside it."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """The spread of some measurements."""
    low, median, high = np.percentile(np.asarray(values, float), [10, 50, 90])
    return Spread(float(median), float(low), float(high))


class Measurement(NamedTuple):
    """What a row came to.

    Attributes:
      value: The figure that the target is about.
      repeats: How many times it was measured.
      note: The times behind it, and whatever else a reader needs.
    """

    value: Spread
    repeats: int
    note: str = ""


class Skipped(Exception):
    """A row that cannot be measured here, and why."""


class Times(NamedTuple):
    """Seconds of both sides, pair by pair."""

    ours: list[float]
    theirs: list[float]

    def times_as_long(self) -> Measurement:
        """How many times as long ours takes as theirs."""
        pairs = zip(self.ours, self.theirs, strict=True)
        return self._measured([ours / theirs for ours, theirs in pairs])

    def times_as_fast(self) -> Measurement:
        """How many times as fast ours is as theirs."""
        pairs = zip(self.ours, self.theirs, strict=True)
        return self._measured([theirs / ours for ours, theirs in pairs])

    def _measured(self, ratios: list[float]) -> Measurement:
        ours, theirs = (readable(float(np.median(side))) for side in self)
        return Measurement(spread(ratios), len(ratios), f"{ours} against {theirs}")


def alternate(
    ours: Callable[[], Any],
    theirs: Callable[[], Any],
    *,
    repeats: int,
    inner: int | tuple[int, int] = 1,
    warm: bool = True,
    prepare: Callable[[], Any] = lambda: None,
    seconds: Callable[[Callable[[], Any], int], float] | None = None,
) -> Times:
    """Measures two sides in turns, so that what slows the machine slows both.

    Every repeat measures each side once, and the side that goes first changes from one
    repeat to the next.

    Args:
      ours: One side, timed until its result is there.
      theirs: The other side.
      repeats: How many pairs are measured.
      inner: How many calls are timed as one, where one is short: the same for both
        sides, or for each its own.
      warm: Whether each side is called once before, to compile.
      prepare: Called before each measurement, outside of it.
      seconds: Measures a side and the number of calls; by the clock if not given.
    """
    measure, times = seconds or timed, Times([], [])
    ours_inner, theirs_inner = inner if isinstance(inner, tuple) else (inner, inner)
    sides = [(ours, ours_inner, times.ours), (theirs, theirs_inner, times.theirs)]
    if warm:
        for side, _, _ in sides:
            jax.block_until_ready(side())
    for repeat in range(repeats):
        for side, n, measured in sides if repeat % 2 == 0 else reversed(sides):
            prepare()
            measured.append(measure(side, n))
    return times


def timed(
    side: Callable[[], Any],
    inner: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Seconds of one call, the mean of `inner` of them, until its result is there."""
    result = None
    begin = clock()
    for _ in range(inner):
        result = side()
    jax.block_until_ready(result)
    return (clock() - begin) / inner


@dataclass(frozen=True)
class Target:
    """What a row's figure has to be.

    Attributes:
      kind: On which side of the bound it has to lie.
      bound: The bound itself.
      unit: Written behind the figure.
    """

    kind: Literal["at least", "at most", "exactly"]
    bound: float
    unit: str = "x"

    def reached(self, value: float) -> bool:
        """Whether a figure is on the right side."""
        if self.kind == "exactly":
            return value == self.bound
        return value >= self.bound if self.kind == "at least" else value <= self.bound

    def __str__(self) -> str:
        return f"{self.kind} {number(self.bound, self.unit)}"


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
      name: What `--only` calls it.
      what: What is measured.
      against: What it is compared with; empty for a plain count or time.
      target: What has to come out.
      measure: Measures it; raises `Skipped` where that cannot be done.
      why: Why the target is missed, shown where it is.
      profile: Where the time goes, measured where the target is missed.
    """

    name: str
    what: str
    against: str
    target: Target
    measure: Callable[[], Measurement]
    why: str = ""
    profile: Callable[[], str] | None = None


@dataclass(frozen=True)
class Result:
    """A row with its measurement, or with the reason why there is none."""

    row: Row
    measured: Measurement | None
    skipped: str = ""
    profile: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached; None if it was not measured."""
        if self.measured is None:
            return None
        return self.row.target.reached(self.measured.value.median)


def run(row: Row) -> Result:
    """Measures a row, and profiles it if its target is missed."""
    try:
        result = Result(row, row.measure())
    except Skipped as reason:
        return Result(row, None, skipped=str(reason))
    if result.reached or row.profile is None:
        return result
    return Result(row, result.measured, profile=row.profile())


def number(value: float, unit: str) -> str:
    """A figure with its unit, to three digits behind the point or four in all.

    >>> number(1.02, "x"), number(23.456, "ms"), number(1234.5, "x")
    ('1.02x', '23.5 ms', '1234x')
    """
    decimals = 3 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    digits = f"{value:.{decimals}f}"
    digits = digits.rstrip("0").rstrip(".") if decimals else digits
    return f"{digits}{unit}" if unit in ("", "x") else f"{digits} {unit}"


def readable(seconds: float) -> str:
    """A duration in the unit that suits it.

    >>> readable(0.00123), readable(7e-6)
    ('1.23 ms', '7 µs')
    """
    for size, unit in ((1, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
