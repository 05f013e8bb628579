"""How a refusal is worded, everywhere alike."""

import re
import reprlib
from typing import Any

from jaxsched.rule.domain import Domain

_shortened = reprlib.Repr()
_shortened.maxother = _shortened.maxstring = 60


def short(value: Any) -> str:
    """A repr for an error: one line, of bounded length, of anything."""
    try:
        return re.sub(r"\s*\n\s*", " ", _shortened.repr(value))
    except ValueError:  # an integer with more digits than Python prints
        return f"<{type(value).__name__} too large to print>"


def admitted(function: str, argument: str, value: Any, domain: Domain) -> Any:
    """An argument as its domain keeps it; the one wording of a refusal."""
    try:
        return domain.admit(value)
    except (ValueError, TypeError) as error:
        message = f"{function}: {argument} {error}, got {argument}={short(value)}"
        raise type(error)(message) from None


class Refusal(Exception):
    """Hyperparameters that do not fit each other, with the names of those concerned.

    Args:
      reason: What must hold, such as "min_value must be <= max_value".
      names: The hyperparameters whose values the error shows.
    """

    names: tuple[str, ...]

    def __init__(self, reason: str, *names: str):
        super().__init__(reason)
        self.names = names
