"""The points of a grid: the settings of each, and the schedules made with them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, NamedTuple

import numpy as np

from jaxsched.arrays import is_array
from jaxsched.rule import short
from jaxsched.schedule.stacking import B, stacked


class Grid(NamedTuple, Generic[B]):
    """Schedules as one stacked schedule, and the settings that each was made with.

    What `grid` and `random_grid` return: a pair, to be unpacked or read by name.

    Attributes:
      schedules: The stacked schedule, with a leading axis of length n.
      settings: A table of what varies: for each argument by its name a list of n values,
        in the order of the schedules.

    >>> import jaxsched as js
    >>> grid = js.grid(js.cosine, 0.1, 0.0, steps=[100, 200])
    >>> grid.settings
    {'steps': [100, 200]}
    >>> grid.label(1)
    'steps=200'
    """

    schedules: B
    settings: dict[str, list[Any]]

    def label(self, i: int) -> str:
        """The settings of schedule i as text: "peak_value=0.01, warmup_steps=20"."""
        return labelled({name: values[i] for name, values in self.settings.items()})


def labelled(setting: Mapping[str, Any]) -> str:
    """Arguments as they stand in a call."""
    return ", ".join(f"{name}={short(value)}" for name, value in setting.items())


def of_points(
    function: str,
    make: Callable[[Mapping[str, Any]], B],
    settings: Mapping[str, Sequence[Any]],
    n: int,
) -> Grid[B]:
    """The grid of a table of settings, n each; errors name the point."""
    points = [{name: values[i] for name, values in settings.items()} for i in range(n)]
    label = lambda i: f"{i} ({labelled(points[i])})"
    schedules: list[B] = []
    for i, setting in enumerate(points):
        try:
            schedules.append(make(setting))
        except (ValueError, TypeError) as error:
            kind = ValueError if isinstance(error, ValueError) else TypeError
            raise kind(f"{function}: point {label(i)}: {error}") from error
    table = {name: list(values) for name, values in settings.items()}
    return Grid(stacked(function, schedules, label), table)


def is_axis(factory: Callable[..., Any], name: str, value: Any) -> bool:
    """Whether an argument is to vary; one that is itself a list varies as lists of them."""
    rule = getattr(factory, "__rule__", None)
    is_list = rule is not None and name in rule.domains and rule.domains[name].is_list
    return any(map(_is_row, value)) if is_list and _is_row(value) else _is_row(value)


def _is_row(value: Any) -> bool:
    return isinstance(value, (list, range)) or (is_array(value) and np.ndim(value) > 0)
