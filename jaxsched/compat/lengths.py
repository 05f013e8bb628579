"""Lengths as other libraries compute them, made into lengths here."""

import math
from collections.abc import Callable
from typing import Any

from jaxsched.combinators.time import stretch
from jaxsched.domains.numbers import surely
from jaxsched.schedule import Schedule


def whole(steps: Any) -> Any:
    """A whole number of steps as an integer, whose time is exact; others as they are."""
    return int(steps) if surely(steps, lambda n: float(n).is_integer()) else steps


def at_least_1(steps: Any) -> Any:
    """The length that a division by `max(1, steps)` means."""
    return 1 if surely(steps, lambda n: n < 1) else steps


def of_any_length(
    make: Callable[..., Schedule], *lengths: Any, parts: tuple[Any, ...] = ()
) -> Schedule:
    """The schedule of these lengths, some of which may be between 0 and 1.

    No schedule has such lengths. One that is so many times as long does, and is stretched
    back: by a power of two, which loses no digits.

    Args:
      make: The schedule as a function of the lengths.
      lengths: The lengths, any of which may be below 0.
      parts: The lengths that `make` computes from them.
    """
    between = lambda n: 0 < abs(n) < 1
    fractions = [abs(n) for n in (*lengths, *parts) if surely(n, between)]
    if not fractions:
        return make(*lengths)
    factor = 2.0 ** (math.frexp(min(fractions))[1] - 1)
    return stretch(make(*(n / factor for n in lengths)), factor)
