"""Noise as a pure function of the step."""

from typing import Annotated

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from jaxsched.arrays import as_real
from jaxsched.domains import Factor, Period, Rate, Seed
from jaxsched.domains.choices import OneOf
from jaxsched.progress import cycle_of
from jaxsched.schedule import ScheduleLike, as_schedule, schedule
from jaxsched.schedule.phases import within


@schedule(phases=within)
def noise(
    step: ArrayLike,
    schedule: ScheduleLike,
    scale: Rate,
    seed: Seed,
    *,
    distribution: Annotated[str, OneOf("normal", "uniform")] = "normal",
    bound: Factor = 1.0,
    every: Period = 1,
) -> ArrayLike:
    """A schedule with multiplicative noise that depends on nothing but seed and step.

    The noise at a step is always the same, whatever ran before: a resumed run sees what
    an uninterrupted one would have.

    Formula: s(t) = schedule(t) (1 + scale n), where n is drawn from the key
    fold_in(key(seed), floor(t / every)), uniform in [-bound, bound) or standard normal
    truncated to it. scale * bound < 1 keeps the sign. Steps below 0 read as 0.

    Args:
      schedule: A schedule, a number, or a callable of the step.
      scale: Size of the noise as a part of the value, >= 0; differentiable.
      seed: A whole number >= 0.
      distribution: "normal" or "uniform". Static.
      bound: The largest draw, > 0; differentiable.
      every: Steps for which a draw is kept, > 0.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: A number is out of bounds, or the distribution is unknown.
      TypeError: An argument is of the wrong kind.

    Example:
      >>> import jaxsched as js
      >>> s = js.noise(js.constant(1.0), scale=0.1, seed=0, distribution="uniform")
      >>> 0.9 <= s.at(3) <= 1.1, s.at(3) == s.at(3), s.at(3) == s.at(4)
      (True, True, False)

    Reference: `noise_range_t` in timm's schedulers (`distribution="normal"`, scale 1,
    bound 0.67).
    """
    key = jax.random.key(seed)  # type: ignore[arg-type]

    def draw(block: Array) -> Array:
        own = jax.random.fold_in(key, block)
        if distribution == "uniform":
            return jax.random.uniform(own, minval=-bound, maxval=bound)  # type: ignore[operator]
        return jax.random.truncated_normal(own, -bound, bound)  # type: ignore[operator]

    block = cycle_of(step, every).turn.astype(jnp.uint32)
    drawn = jnp.reshape(jax.vmap(draw)(jnp.ravel(block)), jnp.shape(block))
    return as_schedule(schedule)(step) * (1 + scale * as_real(drawn))
