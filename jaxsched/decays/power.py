"""Decays by a power of the step."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from jaxsched.arrays import as_real
from jaxsched.domains import Factor, Period, Power, Steps, Value
from jaxsched.numerics import safely
from jaxsched.progress import turns
from jaxsched.schedule import Phase, schedule
from jaxsched.schedule.phases import number


@schedule
def inverse_sqrt_decay(step: Array, init_value: Value, timescale: Period) -> Array:
    """A value divided by the square root of time.

    Use it when the length of the run is unknown and training may go on for ever.

    Needs no total length, so training can go on; "rsqrt" in big_vision and T5X. With
    timescale = 1 it is the textbooks' lr / sqrt(t + 1). After a warm-up of W steps use
    timescale = W (`warmup_inverse_sqrt`). To begin later in the curve use `shift`.

    Formula: s(t) = init_value / sqrt(1 + t / timescale). Steps below 0 read as 0.

    Args:
      init_value: The value at step 0; differentiable.
      timescale: Steps after which the value has fallen to init_value / sqrt(2), >= 1;
        differentiable if a float.

    Raises:
      ValueError: `timescale` is not positive, or a value is not finite.

    Example:
      >>> import jaxsched as js
      >>> js.inverse_sqrt_decay(1.0, timescale=100).at(300)
      0.5

    Reference: Zhai et al., "Scaling Vision Transformers" (2022), arXiv:2106.04560,
    section 3.5.
    """
    return jnp.divide(init_value, jnp.sqrt(1 + turns(step, timescale)))


def _ramp_and_tail(s: Any, until: float) -> list[Phase]:
    ramp = number(s.warmup_steps)
    return [Phase("warmup", 0, ramp), Phase("inverse_sqrt", ramp, None)]


@schedule(phases=_ramp_and_tail)
def noam(
    step: Array, model_size: Factor, warmup_steps: Steps, *, factor: Factor = 1.0
) -> Array:
    """The Transformer's schedule: a linear warm-up, then the inverse square root.

    Use it when you train a Transformer as its paper did.

    The peak is factor / sqrt(model_size * warmup_steps), at t + 1 = warmup_steps.
    Given by its peak it is
    `warmup_inverse_sqrt(peak, warmup_steps - 1, timescale=warmup_steps)`.

    Formula, with n = t + 1:

        s(t) = factor model_size^-0.5 min(n^-0.5, n warmup_steps^-1.5)

    Steps below 0 read as 0.

    Args:
      model_size: Width of the model, > 0; differentiable.
      warmup_steps: Length of the ramp in steps, >= 0; differentiable if a float. 0
        means no ramp.
      factor: Multiplies everything, > 0; differentiable.

    Raises:
      ValueError: `model_size` or `factor` is not positive, or `warmup_steps` negative.

    Example:
      >>> import jaxsched as js
      >>> round(js.noam(512, warmup_steps=4000).at(3999), 8)
      0.00069877

    Reference: Vaswani et al., "Attention Is All You Need" (2017), arXiv:1706.03762,
    equation 3.
    """
    n = as_real(step) + 1
    ramp = as_real(warmup_steps)
    rising = n < ramp
    climbed = jnp.where(rising, n / safely(rising, ramp), 1.0)
    scale = jnp.divide(factor, jnp.sqrt(jnp.asarray(model_size)))
    return scale * climbed / jnp.sqrt(jnp.where(rising, ramp, n))


@schedule
def power_law(
    step: Array, max_value: Value, scale: Factor, *, power: Power = 0.51
) -> Array:
    """A power of time under a ceiling: the Power scheduler.

    Use it when one decay should serve runs of every length, so that it is found on
    small models and used on large ones.

    It is the decay that a fit over token counts and batch sizes suggests; it needs no
    total length. In the paper time is counted in tokens: `retime` it, or put
    tokens_per_step^-power into `scale`.

    Formula: s(t) = min(max_value, scale t^-power), and max_value at t = 0. Steps below
    0 read as 0.

    Args:
      max_value: The ceiling; differentiable.
      scale: The value the power law has at t = 1, > 0; differentiable.
      power: The exponent of the decay, > 0; differentiable.

    Raises:
      ValueError: `scale` or `power` is not positive, or a value is not finite.

    Example:
      >>> import jaxsched as js
      >>> s = js.power_law(0.02, scale=1.0, power=0.5)
      >>> round(s.at(100), 6), round(s.at(10_000), 6)
      (0.02, 0.01)

    Reference: Shen et al., "Power Scheduler" (2024), arXiv:2408.13359, equations 7-8.
    """
    t = as_real(step)
    begun = t > 0
    law = scale * jnp.exp(-(power * jnp.log(safely(begun, t))))
    return jnp.where(begun, jnp.minimum(max_value, law), max_value)
