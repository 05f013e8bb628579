"""Clock: from epochs, fractions and tokens to the integer steps schedules speak of."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from numbers import Rational
from typing import Any

import numpy as np

from jaxsched.rule import short


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Converts other units of time into whole steps, that is, optimizer updates.

    Args:
      steps_per_epoch: Updates in an epoch, > 0, or None if unknown. With gradient
        accumulation count updates, not micro-batches.
      total_steps: Updates in the whole run, > 0, or None if unknown.
      tokens_per_step: Tokens (or samples) an update consumes, > 0, or None if unknown.

    Results are rounded to the nearest whole step, half a step up, from the decimal
    number as written: 0.29 of 100 steps is 29.

    Raises:
      ValueError: A number is not positive and finite.
      TypeError: A number is not a real number.

    >>> import jaxsched as js
    >>> clock = js.Clock(steps_per_epoch=390, total_steps=10_000, tokens_per_step=2**19)
    >>> clock.epochs(5), clock.fraction(0.03), clock.tokens(2e9)
    (1950, 300, 3815)
    """

    steps_per_epoch: float | None = None
    total_steps: float | None = None
    tokens_per_step: float | None = None

    def __post_init__(self) -> None:
        for name in ("steps_per_epoch", "total_steps", "tokens_per_step"):
            value = getattr(self, name)
            if value is not None and _exact("Clock", name, value) == 0:
                raise ValueError(
                    f"Clock: {name} must be > 0, got {name}={short(value)}"
                )

    def epochs(self, epochs: float) -> int:
        """Steps in that many epochs, >= 0.

        Raises:
          ValueError: `steps_per_epoch` is unknown, or `epochs` is negative.
          TypeError: `epochs` is not a real number.
        """
        return _rounded(
            _exact("Clock", "epochs", epochs) * self._unit("steps_per_epoch")
        )

    def fraction(self, fraction: float) -> int:
        """Steps in that fraction of the run, from 0 to 1.

        Raises:
          ValueError: `total_steps` is unknown, or `fraction` is not within 0 and 1.
          TypeError: `fraction` is not a real number.
        """
        part = _exact("Clock", "fraction", fraction)
        if part > 1:
            raise ValueError(
                f"Clock: fraction must be <= 1, got fraction={short(fraction)}"
            )
        return _rounded(part * self._unit("total_steps"))

    def tokens(self, tokens: float) -> int:
        """Steps that consume that many tokens, >= 0.

        Raises:
          ValueError: `tokens_per_step` is unknown, or `tokens` is negative.
          TypeError: `tokens` is not a real number.
        """
        return _rounded(
            _exact("Clock", "tokens", tokens) / self._unit("tokens_per_step")
        )

    def _unit(self, name: str) -> Fraction:
        value = getattr(self, name)
        if value is None:
            raise ValueError(
                f"Clock: {name} must be given for this unit, got {name}=None"
            )
        return _exact("Clock", name, value)


def _exact(owner: str, name: str, value: Any) -> Fraction:
    """A number >= 0 as the fraction it is written as."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, (float, Rational, Decimal)):
        raise TypeError(f"{owner}: {name} must be a number, got {name}={short(value)}")
    try:
        exact = Fraction(repr(value)) if isinstance(value, float) else Fraction(value)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{owner}: {name} must be finite, got {name}={short(value)}"
        ) from None
    if exact < 0:
        raise ValueError(f"{owner}: {name} must be >= 0, got {name}={short(value)}")
    return exact


def _rounded(exact: Fraction) -> int:
    return int((2 * exact + 1) // 2)
