"""The decorator that makes a recipe of a function, and what recipes share."""

from collections.abc import Callable
from typing import Any, ParamSpec

from jaxsched.arrays import is_array
from jaxsched.domains.numbers import surely
from jaxsched.progress import together
from jaxsched.rule import Bound, Refusal, Rule, constructor_of, known, short
from jaxsched.schedule import Schedule, schedules

P = ParamSpec("P")


def recipe(function: Callable[P, Schedule], /) -> Callable[P, Schedule]:
    """Turns a function that composes schedules into a recipe.

    Its arguments are annotated and checked like the hyperparameters of a schedule, errors
    name the recipe, and `parse` and `from_dict` find it by name. Raise `Refusal` for
    arguments that do not fit each other.

    Raises:
      TypeError: An argument has no domain.

    >>> import jaxsched as js
    >>> @js.recipe
    ... def hill(peak_value: js.Value, steps: js.Steps):
    ...     return js.warmup(js.linear(peak_value, 0.0, steps), steps, init_value=0.0)
    >>> hill(1.0, steps=4).at(6)
    0.5
    """
    made = Rule(function, given=0)
    made.is_recipe = True
    schedules.add(made)

    def build(values: dict[str, Any]) -> Any:
        found = made.apply(function, values)
        if not isinstance(found, Bound):
            raise TypeError(
                f"{made.name}: a recipe returns a schedule, got {short(found)}"
            )
        return found

    return constructor_of(made, Schedule, build)


def rest_of(total_steps: Any, **parts: Any) -> Any:
    """The length that the parts leave of the whole: a refusal if there is no such one."""
    rest = difference(total_steps, **parts)
    if surely(rest, lambda n: 0 < n < 1):
        names = " + ".join(parts)
        reason = f"{names} must leave 0 or >= 1 of total_steps"
        raise Refusal(reason, *parts, "total_steps")
    return rest


def difference(total_steps: Any, **parts: Any) -> Any:
    """What the parts leave of the whole; refuses parts that are longer than it."""
    lengths = (total_steps, *parts.values())
    if any(is_array(length) for length in lengths):
        lengths = together(*lengths)  # narrow or unsigned integers would wrap
    rest = lengths[0] - sum(lengths[1:])
    if known(rest) and rest < 0:
        names = " + ".join(parts)
        raise Refusal(f"{names} must be <= total_steps", *parts, "total_steps")
    return rest
