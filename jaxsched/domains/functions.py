"""Schedules in schedules, and callables of the step."""

from collections.abc import Callable
from typing import Annotated, Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxsched.domains.numbers import Number, numeric
from jaxsched.rule import Bound, admitted
from jaxsched.schedule import (
    Schedule,
    schedule,
)


class Function:
    """A plain callable of the step."""

    static: bool = True

    def admit(self, value: Any) -> Callable[..., Any]:
        if not _is_function_of_step(value):
            raise TypeError("must be a callable of the step")
        try:
            hash(value)
        except TypeError:
            raise TypeError("must be hashable, to be part of a program") from None
        return value

    def load(self, value: Callable[..., Any]) -> Callable[..., Any]:
        return value


def _is_function_of_step(value: Any) -> bool:
    """Callables but classes, shapes, and constructors that someone forgot to call."""
    no_function = isinstance(value, (type, Bound)) or hasattr(value, "__rule__")
    return callable(value) and not no_function


class Inner:
    """A schedule inside another: a schedule, a number, or a callable of the step."""

    static: bool = False

    def admit(self, value: Any) -> Schedule:
        if isinstance(value, Schedule):
            return value
        if _is_function_of_step(value):
            return call(value)
        try:
            number = Number().admit(value)
        except TypeError:
            what = "must be a schedule, a number or a callable of the step"
            raise TypeError(what) from None
        from jaxsched.transitions import constant  # made with this room's domains

        return constant(number)

    def load(self, value: Schedule) -> Schedule:
        return value


class Inners:
    """A list of schedules."""

    static: bool = False

    def admit(self, value: Any) -> tuple[Schedule, ...]:
        if not isinstance(value, (list, tuple)):
            raise TypeError("must be a list of schedules")
        if not value:
            raise ValueError("must hold at least one schedule")
        admitted = []
        for i, entry in enumerate(value):
            try:
                admitted.append(Inner().admit(entry))
            except (TypeError, ValueError) as error:
                raise type(error)(f"entry {i} {error}") from None
        return tuple(admitted)

    def load(self, value: tuple[Schedule, ...]) -> tuple[Schedule, ...]:
        return value


class Clockwork:
    """A map from step to step: a schedule, or a callable whose integers stay exact."""

    static: bool = False

    def admit(self, value: Any) -> Any:
        if isinstance(value, (Schedule, Static)):
            return value
        return Static(Function().admit(value))

    def load(self, value: Any) -> Any:
        return value


@jax.tree_util.register_static
class Static:
    """A plain callable in the place of a subtree: part of the structure."""

    __slots__ = ("function",)

    function: Callable[..., Any]

    def __init__(self, function: Callable[..., Any]):
        self.function = function

    def __reduce__(self) -> tuple[Any, ...]:
        return Static, (self.function,)

    def __call__(self, step: Any) -> Any:
        return self.function(step)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Static) and self.function == other.function

    def __hash__(self) -> int:
        return hash(self.function)

    def __repr__(self) -> str:
        return repr(self.function)


def as_schedule(value: Any) -> Schedule:
    """A schedule from a schedule, a number or any callable of the step.

    Args:
      value: A schedule comes back as it is, a number becomes `constant(value)`. Any
        other callable (an Optax schedule, a lambda) is wrapped: it is given one scalar
        step at a time and is static.

    Raises:
      TypeError: `value` is none of these.
      ValueError: `value` is a number that is not finite.

    >>> import jaxsched as js
    >>> js.as_schedule(0.1)
    constant(value=0.1)
    """
    return admitted("as_schedule", "value", value, Inner())


@schedule
def call(
    step: ArrayLike, function: Annotated[Callable[[Any], Any], Function()]
) -> ArrayLike:
    """A callable of one scalar step as a schedule."""
    try:
        if jnp.ndim(step) == 0:
            values = function(step)
        else:
            flat = jax.vmap(function)(jnp.ravel(step))
            values = jnp.reshape(flat, jnp.shape(step))
    except jax.errors.ConcretizationTypeError as error:
        raise TypeError(
            f"call: function must not branch on the step (use jnp.where), got {function}"
        ) from error
    try:
        numeric(values)
    except TypeError as error:
        raise TypeError(
            f"call: the result {error}, got {values!r} from {function}"
        ) from None
    return values
