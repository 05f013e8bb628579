"""Noise as a pure function of the step."""

import math
from typing import Annotated, Any

import jax
import jax.numpy as jnp
from jax import Array

from jaxsched.arrays import as_real
from jaxsched.domains import Factor, Period, Rate, Seed
from jaxsched.domains.choices import OneOf
from jaxsched.progress import cycle_of
from jaxsched.schedule import ScheduleLike, schedule
from jaxsched.schedule.phases import Phase, in_blocks, number, phases_of


def _never_still(s: Any, until: float) -> list[Phase]:
    """The phases of the schedule, and after its end the noise goes on."""
    found = phases_of(s.schedule, until)
    end = found[-1].end
    found += [] if end == math.inf else [Phase("noise", end, math.inf)]
    return in_blocks(found, number(s.every), until)


@schedule(phases=_never_still)
def noise(
    step: Array,
    schedule: ScheduleLike,
    scale: Rate,
    seed: Seed,
    *,
    distribution: Annotated[str, OneOf("normal", "uniform")] = "normal",
    bound: Factor = 1.0,
    every: Period = 1,
) -> Array:
    """A schedule with multiplicative noise that depends on nothing but seed and step.

    Use it when you want to test how much a run depends on the exact rate.

    The noise at a step is always the same, whatever ran before: a resumed run sees what
    an uninterrupted one would have.

    Formula: s(t) = schedule(t) (1 + scale n), where n is made of the threefry key
    fold_in(key(seed), floor(t / every)), uniform in (-bound, bound) or standard normal
    truncated to it. scale * bound < 1 keeps the sign. Steps below 0 read as 0. It is the
    same for every setting of JAX: its random generator, 64-bit floats, partitioning.

    Args:
      schedule: A schedule, a number, or a callable of the step.
      scale: Size of the noise as a part of the value, >= 0; differentiable.
      seed: A whole number >= 0.
      distribution: "normal" or "uniform". Static.
      bound: The largest draw, > 0; differentiable.
      every: Steps for which a draw is kept, >= 1.

    Raises:
      ValueError: A number is out of bounds, or the distribution is unknown.

    Example:
      >>> import jaxsched as js
      >>> s = js.noise(js.constant(1.0), scale=0.1, seed=0, distribution="uniform")
      >>> 0.9 <= s.at(3) <= 1.1, s.at(3) == s.at(3), s.at(3) == s.at(4)
      (True, True, False)

    Reference: `noise_range_t` in timm's schedulers (`distribution="normal"`, scale 1,
    bound 0.67).
    """
    block = cycle_of(step, every).turn
    if not jnp.issubdtype(block.dtype, jnp.integer):
        block = block % 2.0**32  # as integers wrap
    block = block.astype(jnp.uint32)
    unit = jnp.reshape(_unit(seed, jnp.ravel(block)), jnp.shape(block))
    most = jnp.asarray(bound, jnp.float32)
    drawn = (2 * unit - 1) * most if distribution == "uniform" else _normal(unit, most)
    return schedule(step) * (1 + scale * as_real(drawn))


def _unit(seed: Any, blocks: Array) -> Array:
    """A number in (0, 1) for each block, of 24 bits: the same whatever JAX is set to.

    The bits are those of the key itself: `jax.random.uniform` would make others of it
    with 64-bit floats, and with another `jax_threefry_partitionable`.
    """
    key = jax.random.key(seed, impl="threefry2x32")
    own = jax.vmap(lambda block: jax.random.key_data(jax.random.fold_in(key, block)))
    bits = own(blocks)[:, 0] >> 8
    return (bits.astype(jnp.float32) + 0.5) * jnp.float32(2.0**-24)


def _normal(unit: Array, bound: Array) -> Array:
    """The same as a draw of the normal distribution between -bound and bound."""
    part = jax.lax.erf(bound * jnp.float32(0.5**0.5))
    drawn = jnp.float32(2.0**0.5) * jax.lax.erf_inv((2 * unit - 1) * part)
    return jnp.clip(drawn, -bound, bound)
