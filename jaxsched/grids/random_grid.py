"""random_grid: settings drawn at random, and the schedules made with them."""

import zlib
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.core import Tracer

from jaxsched.domains.distributions import Distribution
from jaxsched.domains.numbers import whole_number
from jaxsched.grids.points import Grid, is_axis, of_points
from jaxsched.rule import admitted, short
from jaxsched.schedule.stacking import B


def random_grid(
    factory: Callable[..., B],
    /,
    key: Array,
    n: int,
    *fixed: Any,
    **distributions: Any,
) -> Grid[B]:
    """Schedules of settings drawn at random, and a table of the settings.

    Random search: with more than two hyperparameters it finds good settings in fewer
    runs than a `grid`, because no two points share a value.

    Args:
      factory: The constructor of a schedule, a recipe, or any function that returns a
        schedule of the same structure for all settings.
      key: A random key, as from `jax.random.key(0)`. The same key gives the same points,
        and the draws of one argument do not depend on the other arguments.
      n: The number of points, >= 1.
      *fixed: The first arguments of `factory`, the same at every point.
      **distributions: Its other arguments: `LogUniform`, `Uniform`, `Integer`, `Choice`
        or anything with their `sample(key, n)`; everything else is fixed. A list is
        refused, unless a schedule takes one itself: it could be meant as a `Choice`, as
        an axis or as a table (a tuple).

    Returns:
      A `Grid` of n points: `schedules`, one stacked schedule with a leading axis of length
      n, and `settings`, what was drawn: n values for each distribution by its name.

    Raises:
      ValueError: n is below 1, a point has a bad value, or two points differ in
        structure. The message names the setting.
      TypeError: An argument is of a bad kind, or `factory` does not return a schedule.

    >>> import jax, jaxsched as js
    >>> schedules, settings = js.random_grid(
    ...     js.warmup_cosine,
    ...     jax.random.key(0),
    ...     16,
    ...     peak_value=js.LogUniform(1e-4, 1e-1),
    ...     total_steps=1000,
    ...     warmup_steps=js.Integer(0, 200),
    ... )
    >>> js.evaluate(schedules, 0).shape
    (16,)
    >>> sorted(settings), len(settings["peak_value"])
    (['peak_value', 'warmup_steps'], 16)

    Reference: Bergstra and Bengio, "Random Search for Hyper-Parameter Optimization"
    (2012), Journal of Machine Learning Research 13.
    """
    key = _checked_key(key)
    n = admitted("random_grid", "n", n, whole_number(1))
    for name, value in distributions.items():
        if is_axis(factory, name, value) or isinstance(value, type):
            raise TypeError(
                f"random_grid: {name} must be a distribution such as js.Choice([...]), "
                f"or one fixed value (write a table as a tuple), got {name}={short(value)}"
            )
    drawn = {
        name: _drawn(name, d, jax.random.fold_in(key, zlib.crc32(name.encode())), n)
        for name, d in distributions.items()
        if isinstance(d, Distribution)
    }
    rest = {name: v for name, v in distributions.items() if name not in drawn}
    make = lambda setting: factory(*fixed, **rest, **setting)
    return of_points("random_grid", make, drawn, n)


def _drawn(name: str, distribution: Distribution, key: Array, n: int) -> Sequence[Any]:
    values = distribution.sample(key, n)
    if len(values) != n:
        raise ValueError(
            f"random_grid: {name} must give n={n} values, got {len(values)} "
            f"from {name}={short(distribution)}"
        )
    return values


def _checked_key(key: Any) -> Array:
    """A random key, new or old style."""
    if isinstance(key, Tracer):
        raise TypeError(f"random_grid: key must be known, not traced, got key={key}")
    if isinstance(key, jax.Array):
        if jnp.issubdtype(key.dtype, jax.dtypes.prng_key) and key.shape == ():
            return key
        if key.dtype == jnp.uint32 and key.shape == (2,):
            return key
    raise TypeError(
        "random_grid: key must be one random key such as jax.random.key(0), "
        f"got key={short(key)}"
    )
