"""Sums, products and quotients of schedules: what the operators build, and print as."""

from collections.abc import Callable
from typing import Any

from jax import Array

from jaxsched.rule import Refusal, known
from jaxsched.schedule.arguments import ScheduleLike
from jaxsched.schedule.decorator import ScheduleRule, constructor
from jaxsched.schedule.phases import (
    Phase,
    is_constant,
    phases_of,
    together,
    within,
)
from jaxsched.schedule.schedule import Schedule

_SUM, _PRODUCT, _SIGN = 1, 2, 3  # how tightly Python's operators bind


class _Operator(ScheduleRule):
    """A rule that is written with an operator."""

    sign: str
    binds: int

    def text(self, values: Any) -> str:
        """The operands with the operator between them, in parentheses where needed."""
        if self.binds == _SIGN:
            [only] = values.values()
            return f"{self.sign}{_operand(only, self.binds)}"
        first, second = values.values()
        # Two numbers would be read as one number.
        is_number = is_constant(first) and not is_constant(second)
        left = _operand(first, self.binds, is_number)
        right = _operand(second, self.binds + 1, is_constant(second))
        return f"{left} {self.sign} {right}"


def _operand(value: Schedule, binds: int, is_number: bool = False) -> str:
    rule = value._rule
    if is_number:
        return rule.domains["value"].write(value.value)
    text = repr(value)
    loose = isinstance(rule, _Operator) and rule.binds < binds
    return f"({text})" if loose else text


def _operator(
    sign: str, binds: int, check: Callable[..., None] | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Schedule]]:
    def made(function: Callable[..., Any]) -> Callable[..., Schedule]:
        timeline = both(sign) if binds < _SIGN else within
        rule = _Operator(function, check=check, phases=timeline)
        rule.sign, rule.binds = sign, binds
        build = constructor(rule)
        Schedule.operators[rule.name] = build
        return build

    return made


def both(sign: str) -> Callable[[Any, float], list[Phase]]:
    """The phases of two schedules at once; a constant has none of its own."""

    def timeline(s: Any, until: float) -> list[Phase]:
        first, second = phases_of(s.first, until), phases_of(s.second, until)
        if is_constant(s.first):
            return second
        return first if is_constant(s.second) else together(first, second, sign)

    return timeline


@_operator("+", _SUM)
def add(step: Array, first: ScheduleLike, second: ScheduleLike) -> Array:
    """The sum of two schedules: `first + second`.

    Formula: s(t) = first(t) + second(t).

    Args:
      first: A schedule, a number, or a callable of the step.
      second: Likewise.

    Example:
      >>> import jaxsched as js
      >>> (js.linear(1.0, 0.0, 4) + 0.5).at(2)
      1.0

    """
    return first(step) + second(step)


@_operator("-", _SUM)
def subtract(step: Array, first: ScheduleLike, second: ScheduleLike) -> Array:
    """The difference of two schedules: `first - second`.

    Formula: s(t) = first(t) - second(t).

    Args:
      first: A schedule, a number, or a callable of the step.
      second: Likewise.

    Example:
      >>> import jaxsched as js
      >>> (1 - js.linear(1.0, 0.0, 4)).at(1)
      0.25

    """
    return first(step) - second(step)


@_operator("*", _PRODUCT)
def multiply(step: Array, first: ScheduleLike, second: ScheduleLike) -> Array:
    """The product of two schedules: `first * second`.

    Factors such as "constant * linear_warmup * rsqrt_decay" are written this way.

    Formula: s(t) = first(t) second(t).

    Args:
      first: A schedule, a number, or a callable of the step.
      second: Likewise.

    Example:
      >>> import jaxsched as js
      >>> (0.5 * js.linear(1.0, 0.0, 4)).at(2)
      0.25

    Reference: factor products as in T5X, Roberts et al. (2022), arXiv:2203.17189.
    """
    return first(step) * second(step)


def _not_zero(first: ScheduleLike, second: Schedule) -> None:
    # A number given as divisor has become a constant schedule.
    if is_constant(second) and known(second) and second.value == 0:
        raise Refusal("second must not be 0", "second")


@_operator("/", _PRODUCT, check=_not_zero)
def divide(step: Array, first: ScheduleLike, second: ScheduleLike) -> Array:
    """The quotient of two schedules: `first / second`.

    Formula: s(t) = first(t) / second(t). Where `second` passes through 0 it is
    infinite, as in JAX.

    Args:
      first: A schedule, a number, or a callable of the step.
      second: Likewise, not the number 0.

    Raises:
      ValueError: `second` is the number 0.

    Example:
      >>> import jaxsched as js
      >>> (js.linear(1.0, 0.0, 4) / 10).at(0)
      0.1

    Reference: the operator `/` of a field of functions.
    """
    return first(step) / second(step)


@_operator("-", _SIGN)
def negative(step: Array, schedule: ScheduleLike) -> Array:
    """A schedule with its sign turned: `-schedule`.

    Optax adds updates, so `optax.scale_by_schedule` wants the negative rate.

    Formula: s(t) = -schedule(t).

    Args:
      schedule: A schedule, a number, or a callable of the step.

    Raises:
      TypeError: The argument is not a schedule, a number or a callable.

    Example:
      >>> import jaxsched as js
      >>> (-js.constant(0.5)).at(0)
      -0.5

    """
    return -schedule(step)
