"""Products over time: a factor for each step, multiplied up."""

import jax
import jax.numpy as jnp
from jax import Array

from jaxsched.domains import Value
from jaxsched.schedule import ScheduleLike, schedule


@schedule
def compounded(step: Array, init_value: Value, schedule: ScheduleLike) -> Array:
    """A value times those of a schedule at the steps 1, 2, ..., t.

    Formula: s(t) = init_value schedule(1) ... schedule(t). Not differentiable in reverse
    with respect to the hyperparameters of `schedule`, for it is a loop of t rounds.
    """
    now = jnp.floor(jnp.asarray(step))

    def multiply(k: Array, product: Array) -> Array:
        return jnp.where(k <= now, product * schedule(k), product)

    ones = jnp.ones_like(now, jnp.result_type(float))
    last = jnp.max(now, initial=0).astype(jnp.result_type(int))
    return init_value * jax.lax.fori_loop(1, last + 1, multiply, ones)
