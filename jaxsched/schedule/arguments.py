"""What stands for a schedule: a schedule, a number, or a callable of the step."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxsched.arrays import array_of_variable, largest_integer
from jaxsched.domains import Value
from jaxsched.domains.functions import Function, is_function_of_step
from jaxsched.domains.numbers import Number, numeric
from jaxsched.rule import Domain, admitted
from jaxsched.rule.saved import refuse_callable
from jaxsched.schedule.decorator import schedule
from jaxsched.schedule.phases import still
from jaxsched.schedule.programs import elsewhere
from jaxsched.schedule.schedule import Schedule
from jaxsched.serialization import exported, known_to_flax


@schedule(phases=still)
def constant(step: Array, value: Value) -> Array:
    """The same value at every step.

    Use it when you want to find out whether a model learns at all, or as a part of a
    longer schedule.

    Unlike a plain number it keeps the state of an optimizer in the same layout as any
    other schedule does.

    Formula: s(t) = value for every t.

    Args:
      value: The value, any finite number; differentiable.

    Raises:
      ValueError: The value is not finite.
      TypeError: The value is not a real number.

    Example:
      >>> import jaxsched as js
      >>> js.constant(0.1).at(1000)
      0.1

    Reference: Goodfellow, Bengio, Courville, *Deep Learning* (2016), algorithm 8.1.
    """
    return jnp.asarray(value)


@schedule
def call(step: Array, function: Annotated[Callable[[Any], Any], Function()]) -> Array:
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


class Inner(Domain):
    """A schedule inside another: a schedule, a number, or a callable of the step."""

    words: str = "schedule"
    holds_schedules: bool = True

    def admit(self, value: Any) -> Any:
        """The schedule that the value stands for."""
        value = array_of_variable(value)  # before its other side: Flax's are callable
        if isinstance(value, Schedule):
            return value
        # A function that a schedule was made into, for another library.
        if isinstance(carried := getattr(value, "__schedule__", None), Schedule):
            return carried
        if is_function_of_step(value):
            return call(value)
        try:
            return constant(Number().admit(value))
        except TypeError:
            what = "must be a schedule, a number or a callable of the step"
            raise TypeError(what) from None


class Inners(Domain):
    """A list of schedules."""

    words: str = "list of schedules"
    is_list: bool = True
    holds_schedules: bool = True

    def admit(self, value: Any) -> tuple[Schedule, ...]:
        """The schedules that the values stand for."""
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


class Clockwork(Domain):
    """A map from step to step: a schedule, or a callable whose integers stay exact."""

    words: str = "schedule | callable"
    holds_schedules: bool = True

    def admit(self, value: Any) -> Any:
        """The clock as it is kept."""
        if isinstance(value, (Schedule, Static)):
            return value
        clock = Static(Function().admit(value))
        first = _wraps_at(value)
        if first is not None:
            raise ValueError(
                f"must not wrap, as its integers do at step {first}, beyond "
                f"{largest_integer()}; let it return floats, such as 1024.0 * step"
            )
        return clock


def _wraps_at(clock: Callable[..., Any]) -> int | None:
    """A step at which a clock leaves the integers of JAX, if it shows at a power of 2."""
    steps = 2 ** np.arange(31)
    try:
        narrow, wide = (
            elsewhere(lambda: np.asarray(clock(jnp.asarray(steps))), x64=x64)
            for x64 in (False, True)
        )
        differ = narrow != wide
    except Exception:  # whatever a user's function may do with steps of its own choice
        return None
    is_whole = narrow.dtype.kind in "iu" and wide.dtype.kind in "iu"
    if not is_whole or differ.shape != steps.shape or largest_integer() > 2**31:
        return None
    return int(steps[differ][0]) if np.any(differ) else None


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
        """What the callable returns at the step."""
        return self.function(step)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Static) and self.function == other.function

    def __hash__(self) -> int:
        return hash(self.function)

    def __repr__(self) -> str:
        return repr(self.function)


exported(Static, refuse_callable, lambda _: None, lambda static, _: static)
known_to_flax(Static, lambda _: {}, lambda target, _: target)


# In a rule it is a Schedule, for its caller a number or a callable too: no type says both.
ScheduleLike = Annotated[Any, Inner()]


ScheduleLikes = Annotated[Sequence[Any], Inners()]


def as_schedule(value: Any) -> Schedule:
    """A schedule from a schedule, a number or any callable of the step.

    Args:
      value: A schedule comes back as it is, a number becomes `constant(value)`. Any
        other callable (an Optax schedule, a lambda) is wrapped: it is given one scalar
        step at a time and is static. What `to_torch_lambda` and `to_keras` return is
        the schedule again.

    Raises:
      TypeError: `value` is none of these.
      ValueError: `value` is a number that is not finite.

    >>> import jaxsched as js
    >>> js.as_schedule(0.1)
    constant(value=0.1)
    """
    return admitted("as_schedule", "value", value, Inner())
