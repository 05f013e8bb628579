"""Lengths as other libraries compute them, made into lengths here."""

from typing import Any

from jaxsched.domains.numbers import surely


def whole(steps: Any) -> Any:
    """A whole number of steps as an integer, whose time is exact; others as they are."""
    return int(steps) if surely(steps, lambda n: float(n).is_integer()) else steps


def at_least_1(steps: Any) -> Any:
    """The length that a division by `max(1, steps)` means."""
    return 1 if surely(steps, lambda n: n < 1) else steps
