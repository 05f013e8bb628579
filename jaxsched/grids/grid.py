"""grid: every combination of some settings as one stacked schedule."""

import itertools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from jaxsched.arrays import host_numbers, is_array, is_real
from jaxsched.grids.points import Grid, is_axis, of_points
from jaxsched.schedule.stacking import B


def grid(
    factory: Callable[..., B], /, *fixed: Any, product: bool = True, **axes: Any
) -> Grid[B]:
    """The schedules of all combinations of some settings, and a table of the settings.

    A sweep is then one program: `jax.vmap(train)(grid.schedules)`, where
    `train(schedule)` builds its optimizer with `optax.adamw(schedule)`. The settings are
    in the same order, so `grid.label(losses.argmin())` says which were the best.

    Args:
      factory: The constructor of a schedule, a recipe, or any function that returns a
        schedule of the same structure for all settings.
      *fixed: Its first arguments, the same at every point, whatever they are.
      product: Whether the axes are combined, the last one varying fastest as in
        `itertools.product`; else they are zipped: all of one length, point i takes the
        entry i of each.
      **axes: Its other arguments. A list, a range or an array with at least one
        dimension is an axis; everything else (a number, a text, a tuple) is fixed. Where
        a schedule takes a list itself, such as `boundaries`, that list is fixed and an
        axis is a list of lists. Entries of arrays become Python numbers.

    Returns:
      A `Grid` of n points: `schedules`, one stacked schedule with a leading axis of length
      n, and `settings`, the n values of each axis by its name. n is the product of the
      lengths of the axes (zipped: their common length; 1 if there is no axis).

    Raises:
      ValueError: An axis is empty, zipped axes differ in length, a point has a bad
        value, or two points differ in structure. The message names the setting.
      TypeError: A point has an argument of a bad kind, or `factory` does not return a
        schedule.

    >>> import jaxsched as js
    >>> grid = js.grid(
    ...     js.warmup_cosine, peak_value=[1e-3, 1e-2], total_steps=500, warmup_steps=[0, 50]
    ... )
    >>> grid.settings
    {'peak_value': [0.001, 0.001, 0.01, 0.01], 'warmup_steps': [0, 50, 0, 50]}
    >>> grid.label(2)
    'peak_value=0.01, warmup_steps=0'
    >>> grid.schedules[2]
    cooldown(schedule=warmup(schedule=constant(value=0.01), steps=0), begin=0,
      steps=500, shape='cosine')
    >>> kinds = [js.constant(0.1), js.linear(0.1, 0.0, 500), js.cosine(0.1, 0.0, 500)]
    >>> schedules, settings = js.grid(js.choose, index=[0, 1, 2], schedules=kinds)
    >>> js.evaluate(schedules, 500)
    Array([0.1, 0. , 0. ], dtype=float32)
    """
    varying = {name: v for name, v in axes.items() if is_axis(factory, name, v)}
    entries = {name: _entries(value) for name, value in varying.items()}
    rest = {name: value for name, value in axes.items() if name not in entries}
    lengths = {name: len(values) for name, values in entries.items()}
    for name, length in lengths.items():
        if not length:
            raise ValueError(f"grid: {name} must have entries, got {name}=[]")
    if not product and len(set(lengths.values())) > 1:
        got = ", ".join(f"{length} for {name}" for name, length in lengths.items())
        raise ValueError(f"grid: zipped axes must have the same length, got {got}")
    combine = itertools.product if product else zip
    points = list(combine(*entries.values())) or [()]
    settings = dict(zip(entries, zip(*points, strict=True), strict=True))
    make = lambda setting: factory(*fixed, **rest, **setting)
    return of_points("grid", make, settings, len(points))


def _entries(axis: Any) -> list[Any]:
    # As short as the dtype allows: 0.001 of a float32 array prints as 0.001.
    known = is_array(axis) and not isinstance(axis, Tracer)
    return list(host_numbers(axis)) if known and is_numeric(axis) else list(axis)


def is_numeric(array: jax.Array | np.ndarray) -> bool:
    """Whether an array holds numbers (others hold texts, schedules or random keys)."""
    return array.dtype == bool or is_real(array.dtype)
