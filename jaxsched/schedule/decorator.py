"""@schedule, which makes a constructor of schedules of a rule."""

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, overload

from jaxsched.domains import is_length
from jaxsched.rule import Rule, constructor_of
from jaxsched.schedule.phases import Timeline, ending, unbounded
from jaxsched.schedule.schedule import Schedule, schedules

P = ParamSpec("P")


class ScheduleRule(Rule):
    """A rule of a schedule, with its phases.

    Attributes:
      timeline: Its phases, as a function of the schedule and the time they are asked for.
    """

    timeline: Timeline

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        check: Callable[..., None] | None = None,
        phases: Timeline | None = None,
    ):
        super().__init__(function, given=1, check=check)
        has_end = "steps" in self.domains and is_length(self.domains["steps"])
        self.timeline = phases or (ending if has_end else unbounded)

    def functions(self) -> list[Callable[..., Any]]:
        """All functions that it is made of."""
        return [*super().functions(), self.timeline]


@overload
def schedule(rule: Callable[Concatenate[Any, P], Any], /) -> Callable[P, Schedule]: ...
@overload
def schedule(
    *,
    check: Callable[..., None] | None = None,
    phases: Timeline | None = None,
) -> Callable[[Callable[Concatenate[Any, P], Any]], Callable[P, Schedule]]: ...
def schedule(
    rule: Callable[..., Any] | None = None,
    /,
    *,
    check: Callable[..., None] | None = None,
    phases: Timeline | None = None,
) -> Any:
    """Turns a rule into the constructor of a schedule.

    The rule is the pure mathematics: its first parameter is the step (a JAX number, never
    below 0, integer or float), the others are hyperparameters annotated with what they
    may be (`Value`, `Steps`, ...). The decorated name becomes the constructor, with the
    same signature less the step and the same docstring. What it makes is a `Schedule`
    like any other, found by name by `parse` and `from_dict`.

    A rule may be called with traced hyperparameters, so it never branches on one.

    A rule with a hyperparameter `steps: Steps` is one phase that ends after so many steps
    and holds from there on; any other is one phase without an end. `phases` says it where
    it is otherwise.

    Args:
      rule: `rule(step, *hyperparameters)`; returns the value at one step. Arrays of steps
        are mapped over it.
      check: Called with the hyperparameters by name, for what one domain cannot say.
        Raises `Refusal`.
      phases: `phases(schedule, until)`; returns a list of `Phase`, each beginning where
        the one before it ends, the first at 0; the last ends where the value holds from,
        or never (None). `schedule` is one with known numbers; `until` is the length of
        the run, or infinity, for phases that come back for ever.

    Returns:
      The constructor.

    Raises:
      TypeError: A hyperparameter has no domain, or a name that schedules need.

    >>> import jaxsched as js
    >>> def two_phases(schedule, until):
    ...     ramp = schedule.ramp_steps
    ...     return [js.Phase("ramp", 0, ramp), js.Phase("tail", ramp, None)]
    >>> @js.schedule(phases=two_phases)
    ... def ramp_and_tail(step, value: js.Value, ramp_steps: js.Steps):
    ...     elapsed, remaining = js.progress(step, ramp_steps)
    ...     return value * elapsed / (1 + step)
    >>> ramp_and_tail(1.0, ramp_steps=8)
    ramp_and_tail(value=1.0, ramp_steps=8)
    >>> ramp_and_tail(1.0, ramp_steps=8).at(4)
    0.1
    >>> js.horizon(ramp_and_tail(1.0, ramp_steps=8)) is None
    True
    >>> js.parse("ramp_and_tail(1.0, ramp_steps=8)") == ramp_and_tail(1.0, ramp_steps=8)
    True
    """

    def made(function: Callable[..., Any]) -> Callable[..., Schedule]:
        return constructor(ScheduleRule(function, check=check, phases=phases))

    return made if rule is None else made(rule)


def constructor(rule: Rule) -> Callable[..., Schedule]:
    """The constructor of the schedules of a rule, found by its name from here on."""
    schedules.add(rule)
    return constructor_of(rule, Schedule, lambda values: Schedule(rule, values))
