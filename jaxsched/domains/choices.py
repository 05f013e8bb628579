"""Static choices."""

from typing import Any

import numpy as np

from jaxsched.rule import Domain


class TrueOrFalse(Domain):
    """True or False."""

    static: bool = True
    words: str = "bool"

    def admit(self, value: Any) -> bool:
        if not isinstance(value, (bool, np.bool_)):
            raise TypeError("must be True or False")
        return bool(value)


class OneOf(Domain):
    """One of a few choices."""

    static: bool = True

    choices: tuple[Any, ...]

    def __init__(self, *choices: Any):
        self.choices = choices
        self.words: str = " | ".join(map(repr, choices))

    def admit(self, value: Any) -> Any:
        if not any(type(value) is type(c) and value == c for c in self.choices):
            raise ValueError(f"must be one of {', '.join(map(repr, self.choices))}")
        return value
