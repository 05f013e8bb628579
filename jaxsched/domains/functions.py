"""Plain callables of the step."""

from collections.abc import Callable
from typing import Any

from jaxsched.rule import Bound, Domain


class Function(Domain):
    """A plain callable of the step."""

    static: bool = True
    words: str = "callable"

    def admit(self, value: Any) -> Callable[..., Any]:
        if not is_function_of_step(value):
            raise TypeError("must be a callable of the step")
        try:
            hash(value)
        except TypeError:
            raise TypeError("must be hashable, as jax.jit compares it") from None
        return value


def is_function_of_step(value: Any) -> bool:
    """Callables but classes, shapes, and constructors that someone forgot to call."""
    no_function = isinstance(value, (type, Bound)) or hasattr(value, "__rule__")
    return callable(value) and not no_function
