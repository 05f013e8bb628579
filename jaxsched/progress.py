"""Integer-exact time: how much of an interval has passed, what remains, which cycle.

Here, and in `restarts` for cycles, steps are divided. Integers are subtracted, clamped
and reduced as integers and divided once, at the end, so that a step late in a long run
keeps all its digits. A float step or length makes the whole computation one of floats.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from jaxsched import restarts
from jaxsched.arrays import Numeric, as_integer, as_real, default_integer, fitted
from jaxsched.numerics import at_least, fractions, is_literal


def progress(step: Numeric, steps: Numeric) -> tuple[Array, Array]:
    """The elapsed and the remaining fraction of an interval of `steps` that begins at 0.

    Both are divided from their own exact difference, so neither loses digits near an
    end. They are exactly (1, 0) from `steps` on, and at once when `steps` is 0.

    Args:
      step: Steps since the interval began, any shape, not below 0.
      steps: The length of the interval, a scalar or of the shape of `step`.

    Returns:
      `(min(step, steps) / steps, (steps - min(step, steps)) / steps)`.

    >>> import jaxsched as js
    >>> print(*js.progress(250, 1000))
    0.25 0.75
    """
    is_positive = isinstance(steps, (int, float)) and steps > 0
    step, steps = together(step, steps)
    elapsed = jnp.minimum(step, steps)
    length = steps if is_positive else jnp.where(steps > 0, steps, 1)
    return fractions(elapsed, steps - elapsed, length)


def since(step: Numeric, start: Numeric) -> Array:
    """Steps since `start`, 0 before it."""
    step, start = together(step, start)
    return at_least(step - start, 0)


def until(step: Numeric, end: Numeric) -> Array:
    """Steps until `end`, 0 from there on."""
    step, end = together(step, end)
    return at_least(0, end - step)


def later(step: Numeric, steps: Numeric) -> Array:
    """The step that many steps later; stops at the largest integer instead of wrapping."""
    step, steps = together(step, steps)
    if jnp.issubdtype(step.dtype, jnp.integer):
        return step + jnp.minimum(steps, jnp.iinfo(step.dtype).max - step)
    return step + steps


def plus(step: Numeric, steps: Numeric) -> Array:
    """Their sum; unsigned if they are integers, so that it neither wraps nor stops."""
    step, steps = together(step, steps)
    if jnp.issubdtype(step.dtype, jnp.integer):
        unsigned = jnp.dtype(f"u{step.dtype}")
        return step.astype(unsigned) + steps.astype(unsigned)
    return step + steps


def turns(step: Numeric, every: Numeric, *, whole: bool = False) -> Array:
    """How many times `every` has passed, as a float; only completed times if `whole`."""
    if whole:
        return as_real(cycle_of(step, every).turn)
    if is_literal(every, 1):
        return as_real(step)
    step, every = together(step, every)
    return as_real(step) / as_real(jnp.where(every > 0, every, 1))


def cycle_of(
    step: Numeric,
    steps: Numeric,
    factor: Numeric = 1,
    limit: Numeric | None = None,
) -> restarts.Span:
    """The cycle that a step lies in, when each is `factor` times as long as the last.

    Cycle i begins at the first whole step that is not before
    steps * (1 + factor + ... + factor^(i-1)), found from exact integers, never from the
    floor of a logarithm. After `limit` cycles the last one stays at its end.

    Args:
      step: Any shape, not below 0.
      steps: The length of the first cycle, > 0.
      factor: At least 1.
      limit: The number of cycles, or None for no end.

    Returns:
      `turn`, the number of completed cycles; `step`, the steps since this one began;
      `fraction`, how much of it has passed and how much remains.
    """
    now, length = jnp.asarray(step), jnp.asarray(fitted(steps))
    if not jnp.issubdtype(length.dtype, jnp.integer):
        now, length = together(now, length)
        return restarts.of_floats(now, length, as_real(factor), limit)
    if not jnp.issubdtype(now.dtype, jnp.integer):
        return _between(now, steps, factor, limit)
    now, length = together(now, length)
    if is_literal(factor, 1):
        return restarts.equal(now, length, limit)
    return restarts.growing(now, steps, factor, limit)


def _between(
    step: Array, steps: Numeric, factor: Numeric, limit: Numeric | None
) -> restarts.Span:
    """The cycle at a float step of cycles whose boundaries are integers."""
    time, count = as_real(step), default_integer()
    whole = jnp.floor(time)
    # As far as there are integers; beyond, where floats are coarser, among floats.
    is_near = whole < 2.0 ** (jnp.iinfo(count).bits - 1)
    now = jnp.where(is_near, whole, 0.0).astype(count)
    near = cycle_of(now, steps, factor, limit)
    u, r = near.fraction
    part = jnp.where(r > 0, time - whole, 0.0)
    more = part / near.length
    near = near._replace(
        turn=as_real(near.turn),
        step=as_real(near.step) + part,
        fraction=(u + more, r - more),
    )
    far = restarts.of_floats(time, as_real(steps), as_real(factor), limit)
    return jax.tree.map(lambda a, b: jnp.where(is_near, a, b), near, far)


def together(*times: Any) -> tuple[Array, ...]:
    """Times as integers if all are, else all as floats."""
    arrays = [jnp.asarray(fitted(t)) for t in times]
    if all(jnp.issubdtype(a.dtype, jnp.integer) for a in arrays):
        return tuple(as_integer(a) for a in arrays)
    return tuple(as_real(a) for a in arrays)
