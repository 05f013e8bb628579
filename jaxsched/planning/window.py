"""What is left of each update at the end of a run with weight decay."""

import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxsched.arrays import Numeric
from jaxsched.planning.rates import all_rates, length, positive
from jaxsched.rule import known, short
from jaxsched.schedule import ScheduleLike


def update_weights(
    schedule: ScheduleLike, total_steps: int, weight_decay: Numeric
) -> Array:
    """The share of each update in the weights that AdamW ends with.

    With weight decay the weights are a moving average of the updates: a rate that falls
    late in the run forgets less of what came before. What is missing to a sum of 1 is the
    share of the initial weights.

    Formula, for a_k = schedule(k) weight_decay: a_k (1 - a_(k+1)) ... (1 - a_(T-1)).
    Decoupled decay is meant, times the rate, as in `optax.adamw`.

    Args:
      schedule: The learning rate: a schedule, a number or a callable of the step, >= 0;
        differentiable. It may be 0 at its end.
      total_steps: The number of updates T, a known whole number >= 1. Static.
      weight_decay: The coefficient, > 0; differentiable. schedule * weight_decay must be
        at most 1 at every step; 1 forgets all that came before.

    Returns:
      An array of shape (total_steps,).

    Raises:
      ValueError: A rate is negative or not finite, or a_k is above 1.

    >>> import jaxsched as js
    >>> shares = js.planning.update_weights(js.linear(0.05, 0.0, 1000), 1000, 0.1)
    >>> int(shares.argmax()), round(1 - float(shares.sum()), 4)
    (553, 0.0815)

    Reference: Bergsma et al. (2025), arXiv:2502.15938, section 3.
    """
    name = "update_weights"
    steps = length(name, total_steps)
    decay = positive(name, "weight_decay", weight_decay)
    parts = all_rates(name, schedule, steps, "schedule") * decay
    if known(parts) and np.any(np.asarray(parts) > 1):
        step = int(np.argmax(np.asarray(parts) > 1))
        raise ValueError(
            f"{name}: schedule * weight_decay must be <= 1, got {float(parts[step]):.4g} "
            f"at step {step} for weight_decay={short(weight_decay)}"
        )
    # Sums of logarithms: a product of many factors near 1 would lose their digits.
    forgotten = parts >= 1
    logs = jnp.log1p(-jnp.where(forgotten, 0.0, parts))
    after = jnp.flip(jnp.cumsum(jnp.flip(logs))) - logs
    later = jnp.flip(jnp.cumsum(jnp.flip(forgotten.astype(int))))
    lost_after = later - forgotten.astype(int)
    return jnp.where(lost_after > 0, 0.0, parts * jnp.exp(after))


def effective_window(
    schedule: ScheduleLike, total_steps: int, weight_decay: Numeric
) -> Array:
    """How many updates the final weights of AdamW are an average of.

    Formula, for the shares c_k of `update_weights`: (sum of c_k)^2 / (sum of c_k^2).

    Args:
      schedule: As for `update_weights`; differentiable.
      total_steps: The number of updates, a known whole number >= 1. Static.
      weight_decay: As for `update_weights`; differentiable.

    Returns:
      A scalar array, in updates.

    >>> import jaxsched as js
    >>> for s in (js.constant(0.05), js.linear(0.05, 0.0, 1000)):
    ...     print(round(float(js.planning.effective_window(s, 1000, 0.1)), 1))
    393.7
    866.6

    Reference: Bergsma et al. (2025), arXiv:2502.15938, section 3.
    """
    shares = update_weights(schedule, total_steps, weight_decay)
    squares = jnp.sum(shares**2)
    is_any = squares > 0  # else no update was made
    return jnp.where(
        is_any, jnp.sum(shares) ** 2 / jnp.where(is_any, squares, 1.0), 0.0
    )
