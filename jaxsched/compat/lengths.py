"""Lengths as other libraries compute them, made into lengths here."""

from typing import Any

import jax.numpy as jnp

from jaxsched.arrays import Numeric
from jaxsched.domains.numbers import surely


def whole(steps: Any) -> Any:
    """A whole number of steps as an integer, whose time is exact; others as they are."""
    return int(steps) if surely(steps, lambda n: float(n).is_integer()) else steps


def at_least_1(steps: Any) -> Any:
    """The length that a division by `max(1, steps)` means."""
    return 1 if surely(steps, lambda n: n < 1) else steps


def representable(steps: Numeric) -> Numeric:
    """Steps as they are, or as a float where there are more than an integer holds."""
    large = isinstance(steps, int) and steps > jnp.iinfo(jnp.result_type(int)).max
    return float(steps) if large else steps


def refuse_no_steps(name: str, argument: str, steps: Numeric) -> None:
    """Refuses a length that is not positive."""
    if surely(steps, lambda n: n <= 0):
        raise ValueError(f"{name}: {argument} must be > 0, got {argument}={steps}")
