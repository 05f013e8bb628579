"""@metric_driven, and what a metric-driven schedule may drive."""

from collections.abc import Callable
from typing import Annotated, Any, ParamSpec, overload

from jaxsched.metric_driven.machine import Machine, MetricDriven
from jaxsched.rule import Rule, constructor_of
from jaxsched.schedule import Inner, schedules

P = ParamSpec("P")


@overload
def metric_driven(rule: Callable[P, Machine], /) -> Callable[P, MetricDriven]: ...
@overload
def metric_driven(
    *, check: Callable[..., None]
) -> Callable[[Callable[P, Machine]], Callable[P, MetricDriven]]: ...
def metric_driven(
    rule: Callable[..., Machine] | None = None,
    /,
    *,
    check: Callable[..., None] | None = None,
) -> Any:
    """Turns a function of hyperparameters that returns a `Machine` into a constructor.

    The first argument is `schedule: MetricDrivenLike`, the schedule that the machine
    drives; the others are annotated as for `@schedule`. The machine never branches on a
    number: everything may be traced.

    Args:
      rule: `rule(schedule, *hyperparameters)`; returns a `Machine`.
      check: Called with the hyperparameters by name, for what one domain cannot say.
        Raises `Refusal`.

    Returns:
      The constructor.

    Raises:
      TypeError: A hyperparameter has no domain, or there is no `schedule`.

    >>> import jaxsched as js
    >>> import jax.numpy as jnp
    >>> @js.metric_driven
    ... def halve_when(schedule: js.MetricDrivenLike, limit: js.Value):
    ...     def judge(halved, report):
    ...         return halved | (report.measured & (report.value < limit))
    ...     def rate(halved, step, base):
    ...         return jnp.where(halved, base / 2, base)
    ...     return js.Machine(start=lambda: False, judge=judge, rate=rate)
    >>> driven = halve_when(0.5, limit=1.0)
    >>> state = driven.update(driven.init(), value=0.75)
    >>> float(driven(state))
    0.25
    """
    if rule is None:
        return lambda function: _constructor(function, check)
    return _constructor(rule, check)


def _constructor(
    function: Callable[..., Machine], check: Callable[..., None] | None
) -> Callable[..., MetricDriven]:
    made = Rule(function, given=0, check=check)
    if "schedule" not in made.domains:
        raise TypeError(f"{made.name}: the first argument must be schedule")
    schedules.add(made)
    return constructor_of(made, MetricDriven, lambda values: MetricDriven(made, values))


class Driven(Inner):
    """What a metric-driven schedule may drive: what `Inner` takes, and its own kind."""

    def admit(self, value: Any) -> Any:
        """The schedule, made of whatever stands for one."""
        return value if isinstance(value, MetricDriven) else super().admit(value)


MetricDrivenLike = Annotated[Any, Driven()]
