"""grid: every combination of some settings as one stacked schedule."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from jaxsched.arrays import host_numbers, is_array, is_real
from jaxsched.rule import short
from jaxsched.schedule.stacking import B, stacked


def grid(
    factory: Callable[..., B], /, *fixed: Any, product: bool = True, **axes: Any
) -> B:
    """The schedules of all combinations of some settings, as one stacked schedule.

    A sweep is then one program: `jax.vmap(train)(js.grid(...))`, where `train(schedule)`
    builds its optimizer with `optax.adamw(schedule)`. `unstack` gives the schedules of
    the grid one by one, to print them.

    Args:
      factory: The constructor of a schedule, a recipe, or any function that returns a
        schedule of the same structure for all settings.
      *fixed: Its first arguments, the same at every point, whatever they are.
      product: Whether the axes are combined, the last one varying fastest as in
        `itertools.product`; else they are zipped: all of one length, point i takes the
        entry i of each.
      **axes: Its other arguments. A list, a range or an array with at least one
        dimension is an axis; everything else (a number, a text, a tuple) is fixed. An
        axis of tables is a list of lists. Entries of arrays become Python numbers.

    Returns:
      A stacked schedule with a leading axis of length n, the product of the lengths of
      the axes (zipped: their common length; 1 if there is no axis).

    Raises:
      ValueError: An axis is empty, zipped axes differ in length, a point has a bad
        value, or two points differ in structure. The message names the setting.
      TypeError: A point has an argument of a bad kind, or `factory` does not return a
        schedule.

    >>> import jaxsched as js
    >>> stacked = js.grid(
    ...     js.warmup_cosine, peak_value=[1e-3, 1e-2], total_steps=500, warmup_steps=[0, 50]
    ... )
    >>> for schedule in js.unstack(stacked):
    ...     print(schedule)
    cooldown(schedule=warmup(schedule=constant(value=0.001), steps=0), begin=0,
      steps=500, shape='cosine')
    cooldown(schedule=warmup(schedule=constant(value=0.001), steps=50), begin=50,
      steps=450, shape='cosine')
    cooldown(schedule=warmup(schedule=constant(value=0.01), steps=0), begin=0,
      steps=500, shape='cosine')
    cooldown(schedule=warmup(schedule=constant(value=0.01), steps=50), begin=50,
      steps=450, shape='cosine')
    """
    entries = {name: _entries(value) for name, value in axes.items() if is_axis(value)}
    rest = {name: value for name, value in axes.items() if name not in entries}
    lengths = {name: len(values) for name, values in entries.items()}
    for name, length in lengths.items():
        if not length:
            raise ValueError(f"grid: {name} must have entries, got {name}=[]")
    if not product and len(set(lengths.values())) > 1:
        got = ", ".join(f"{length} for {name}" for name, length in lengths.items())
        raise ValueError(f"grid: zipped axes must have one length, got {got}")
    combine = itertools.product if product else zip
    points = [dict(zip(entries, p, strict=True)) for p in combine(*entries.values())]
    make = lambda setting: factory(*fixed, **rest, **setting)
    return of_points("grid", make, points or [{}])


def of_points(
    function: str,
    make: Callable[[Mapping[str, Any]], B],
    points: Sequence[Mapping[str, Any]],
) -> B:
    """The stacked schedule of the settings of all points; errors name the point."""

    def label(i: int) -> str:
        return f"{i} ({', '.join(f'{k}={short(v)}' for k, v in points[i].items())})"

    schedules: list[B] = []
    for i, setting in enumerate(points):
        try:
            schedules.append(make(setting))
        except (ValueError, TypeError) as error:
            kind = ValueError if isinstance(error, ValueError) else TypeError
            raise kind(f"{function}: point {label(i)}: {error}") from error
    return stacked(function, schedules, label)


def is_axis(value: Any) -> bool:
    """Whether an argument is to vary."""
    return isinstance(value, (list, range)) or (is_array(value) and np.ndim(value) > 0)


def _entries(axis: Any) -> list[Any]:
    # As short as the dtype allows: 0.001 of a float32 array prints as 0.001.
    known = is_array(axis) and not isinstance(axis, Tracer)
    return list(host_numbers(axis)) if known and is_numeric(axis) else list(axis)


def is_numeric(array: jax.Array | np.ndarray) -> bool:
    """Whether an array holds numbers (others hold texts, schedules or random keys)."""
    return array.dtype == bool or is_real(array.dtype)
