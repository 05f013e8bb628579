"""diff: where two schedules part."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxsched.domains.numbers import Number, whole_number
from jaxsched.rule import admitted
from jaxsched.schedule import Inner, Schedule

_CHUNK = 2**18


@dataclass(frozen=True)
class Difference:
    """What `diff` found; its text says it in two lines."""

    old: Schedule
    new: Schedule
    at: int
    old_value: float
    new_value: float
    first: int | None  # the first step at which they part, None if there is none
    compared: int  # the number of steps compared, from 0 on

    def __str__(self) -> str:
        jump = self.new_value - self.old_value
        part = (
            f"they are the same for the first {self.compared:_} steps"
            if self.first is None
            else f"they part first at step {self.first:_}"
        )
        return (
            f"at step {self.at:_}: {self.old_value:.6g} by the old schedule, "
            f"{self.new_value:.6g} by the new one ({jump:+.3g})\n{part}"
        )


def diff(
    old: Any, new: Any, at: int, *, total_steps: int = 1_000_000, rtol: float = 1e-6
) -> Difference:
    """How a new schedule differs from an old one, before a run goes on with it.

    Args:
      old: The schedule until now: a schedule, a number or a callable of the step.
      new: The schedule from now on.
      at: The step at which the run goes on, >= 0; both values there are reported.
      total_steps: How many steps are compared, from 0 on, >= 1. At least those up to and
        with `at` are.
      rtol: The relative difference up to which two values are the same, >= 0: the same
        curve composed in two ways may differ in its last digits.

    Returns:
      A `Difference`; printed, it gives both values and the first step at which they part.

    Raises:
      ValueError: A number is out of its bounds.
      TypeError: An argument is of the wrong kind, or a schedule is metric-driven.

    >>> import jaxsched as js
    >>> old = js.warmup_cosine(0.1, total_steps=1000, warmup_steps=100)
    >>> new = js.warmup_cosine(0.1, total_steps=2000, warmup_steps=100)
    >>> print(js.diff(old, new, at=500))
    at step 500: 0.0586824 by the old schedule, 0.089457 by the new one (+0.0308)
    they part first at step 101
    """
    at = admitted("diff", "at", at, whole_number(0))
    total = admitted("diff", "total_steps", total_steps, whole_number(1))
    rtol = admitted("diff", "rtol", rtol, Number(least=0))
    before = admitted("diff", "old", old, Inner())
    after = admitted("diff", "new", new, Inner())
    compared = max(total, at + 1)
    return Difference(
        before,
        after,
        at,
        before.at(at),
        after.at(at),
        _first_difference(before, after, compared, rtol),
        compared,
    )


def _first_difference(a: Schedule, b: Schedule, steps: int, rtol: float) -> int | None:
    for start in range(0, steps, _CHUNK):
        # One length for all chunks, so that each schedule is compiled once.
        chunk = np.arange(start, start + _CHUNK)
        x, y = np.asarray(a.at(chunk)), np.asarray(b.at(chunk))
        near = np.abs(x - y) <= rtol * np.maximum(np.abs(x), np.abs(y))
        apart = ~(near | (np.isnan(x) & np.isnan(y)))
        apart[steps - start :] = False
        if apart.any():
            return start + int(apart.argmax())
    return None
