"""Static choices."""

from typing import Any

import numpy as np


class TrueOrFalse:
    """True or False."""

    static: bool = True

    def admit(self, value: Any) -> bool:
        if not isinstance(value, (bool, np.bool_)):
            raise TypeError("must be True or False")
        return bool(value)

    def load(self, value: bool) -> bool:
        return value


class OneOf:
    """One of a few choices."""

    static: bool = True

    choices: tuple[Any, ...]

    def __init__(self, *choices: Any):
        self.choices = choices

    def admit(self, value: Any) -> Any:
        if not any(type(value) is type(c) and value == c for c in self.choices):
            raise ValueError(f"must be one of {', '.join(map(repr, self.choices))}")
        return value

    def load(self, value: Any) -> Any:
        return value
