"""The phases of what goes round: one for each cycle."""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from jaxsched.restarts import decimal
from jaxsched.schedule.knots import turns
from jaxsched.schedule.phases import (
    MORE,
    MOST,
    Phase,
    knots_of,
    number,
    phases_of,
    within_them,
)


def cycles(
    n: Any,
    factor: Any,
    limit: int | None,
    until: float,
    inside: Sequence[float] | np.ndarray = (),
) -> list[Phase]:
    """Cycles of first length n, each `factor` times as long as the one before.

    Args:
      n: The length of the first.
      factor: How many times as long as the one before each is.
      limit: How many there are, or None for no end.
      until: The time until which they are asked for.
      inside: The knots of the first.
    """
    end = math.inf if limit is None else _begin(limit, n, factor)
    last = until if limit is None else end
    knots = turns(n, factor, min(last, until), np.asarray(inside, float))
    begins = [_begin(i, n, factor) for i in range(MOST + 2)]
    count = max(1, sum(begin < last for begin in begins))
    if count > MOST:
        return [Phase("cycles", 0, end, knots=knots)]
    found = [
        Phase(f"cycle {i + 1}", begins[i], begins[i + 1], is_joint=i == 0)
        for i in range(count)
    ]
    more = [Phase(MORE, begins[count], math.inf, is_joint=False)]
    return within_them(found + more if limit is None else found, knots)


def restarts(s: Any, until: float) -> list[Phase]:
    """The phases of a rule with `steps`, `length_factor` and `limit`."""
    limit = None if s.limit is None else number(s.limit)
    steps = number(s.steps)
    inner = phases_of(s.schedule, steps) if "schedule" in s._values else []
    return cycles(steps, number(s.length_factor), limit, until, knots_of(inner))


def _begin(i: int, n: Any, factor: Any) -> Any:
    """The first step of a cycle: exact where its first length is whole."""
    if factor == 1:
        return n * i
    if i * math.log(factor) > 100:
        return math.inf  # long after the last step there is
    ratio = decimal(factor)
    begin = Fraction(n) * (ratio**i - 1) / (ratio - 1)
    return math.ceil(begin) if isinstance(n, int) else float(begin)
