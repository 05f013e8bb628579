"""Bounded moves from `init_value` to `end_value` over `steps`, which then hold."""

import jax.numpy as jnp
from jax import Array

from jaxsched import shapes
from jaxsched.domains import Power, Steps, Value
from jaxsched.numerics import blend, log
from jaxsched.progress import progress
from jaxsched.rule import Refusal, known
from jaxsched.schedule import schedule
from jaxsched.shapes import ShapeLike, as_shape, raised


@schedule
def linear(step: Array, init_value: Value, end_value: Value, steps: Steps) -> Array:
    """A straight line from `init_value` to `end_value`.

    Use it when the length of the run is known: straight to 0 is hard to beat.

    The usual warm-up (rising) and the budgeted decay to zero (falling); `LinearLR` in
    PyTorch, `linear_schedule` in Optax.

    Formula, with u = min(t, steps) / steps:

        s(t) = init_value (1 - u) + end_value u

    Steps below 0 read as 0. From `steps` on it is exactly `end_value`.

    Args:
      init_value: The value at step 0; differentiable.
      end_value: The value from step `steps` on; differentiable.
      steps: The length of the move in steps, >= 0; differentiable if a float. 0 means
        that there is no move, only `end_value`.

    Raises:
      ValueError: A value is not finite, or `steps` is negative.

    Example:
      >>> import jaxsched as js
      >>> js.linear(1.0, 0.0, steps=4).at(1)
      0.75

    Reference: Li, Yumer, Ramanan, "Budgeted Training" (2019), arXiv:1905.04753,
    section 4.
    """
    return _move(init_value, end_value, shapes.linear()(*progress(step, steps)))


@schedule
def cosine(
    step: Array,
    init_value: Value,
    end_value: Value,
    steps: Steps,
    *,
    power: Power = 1.0,
    time_power: Power = 1.0,
) -> Array:
    """Half a cosine wave from `init_value` to `end_value`.

    Use it when the length of the run is known and the rate should stay high for long;
    the usual choice for published models.

    The default decay of much of deep learning: flat at both ends. Cosine annealing
    without restarts; `CosineAnnealingLR` in PyTorch (which rises again after its end,
    while this holds), `cosine_decay_schedule` in Optax (`power` is its `exponent`).

    Formula, with u = (min(t, steps) / steps)^time_power:

        s(t) = end_value + (init_value - end_value) ((1 + cos(pi u)) / 2)^power

    Steps below 0 read as 0. From `steps` on it is exactly `end_value`.

    Args:
      init_value: The value at step 0; differentiable.
      end_value: The value from step `steps` on; differentiable.
      steps: The length of the move in steps, >= 0; differentiable if a float. 0 means
        that there is no move, only `end_value`.
      power: Exponent of the curve, > 0; differentiable.
      time_power: Exponent of time, > 0; differentiable. Above 1 the value stays high
        longer. This is k-decay; its paper and timm call the exponent k.

    Raises:
      ValueError: A value is not finite, `steps` is negative, or `power` or `time_power`
        is not positive.

    Example:
      >>> import jaxsched as js
      >>> s = js.cosine(1.0, 0.0, steps=4)
      >>> [round(s.at(t), 4) for t in range(6)]
      [1.0, 0.8536, 0.5, 0.1464, 0.0, 0.0]

    Reference: Loshchilov, Hutter, "SGDR" (2017), arXiv:1608.03983, equation 5;
    `time_power`: Zhang, Li, "k-decay" (2020), arXiv:2004.05909.
    """
    elapsed, remaining = progress(step, steps)
    bent, rest = raised(elapsed, remaining, time_power)
    fall, rise = shapes.cosine()(bent, rest)
    return _move(init_value, end_value, raised(fall, rise, power))


@schedule
def polynomial(
    step: Array,
    init_value: Value,
    end_value: Value,
    steps: Steps,
    *,
    power: Power = 1.0,
    time_power: Power = 1.0,
) -> Array:
    """A power of the remaining time, from `init_value` to `end_value`.

    Use it when a paper or a code asks for it: power 0.9 in segmentation, 2 with LARS.

    power = 1 is linear. `PolynomialLR` in PyTorch, `polynomial_schedule` in Optax.

    Formula, with u = (min(t, steps) / steps)^time_power:

        s(t) = end_value + (init_value - end_value) (1 - u)^power

    Steps below 0 read as 0. From `steps` on it is exactly `end_value`.

    Args:
      init_value: The value at step 0; differentiable.
      end_value: The value from step `steps` on; differentiable.
      steps: The length of the move in steps, >= 0; differentiable if a float. 0 means
        that there is no move, only `end_value`.
      power: The exponent, > 0; differentiable.
      time_power: Exponent of time, > 0; differentiable. Above 1 the value stays high
        longer. This is k-decay; its paper and timm call the exponent k.

    Raises:
      ValueError: A value is not finite, `steps` is negative, or `power` or `time_power`
        is not positive.

    Example:
      >>> import jaxsched as js
      >>> js.polynomial(1.0, 0.0, steps=4, power=2.0).at(2)
      0.25

    Reference: Chen et al., "DeepLab" (2017), arXiv:1606.00915, section 4.1.2;
    `time_power`: Zhang, Li, "k-decay" (2020), arXiv:2004.05909.
    """
    bent, rest = raised(*progress(step, steps), time_power)
    return _move(init_value, end_value, raised(rest, bent, power))


def _same_sign(init_value: Value, end_value: Value, steps: Steps) -> None:
    if known(init_value, end_value) and not (
        (init_value > 0 and end_value > 0) or (init_value < 0 and end_value < 0)
    ):
        raise Refusal(
            "init_value and end_value must have the same sign and not be 0",
            "init_value",
            "end_value",
        )


@schedule(check=_same_sign)
def exponential(
    step: Array, init_value: Value, end_value: Value, steps: Steps
) -> Array:
    """A geometric move from `init_value` to `end_value`: a straight line in log space.

    Use it when both ends of an exponential decay are known, or for rates that rise
    through all magnitudes.

    The exponential decay of which you know the end instead of the factor, and, rising,
    the sweep of a learning-rate range test.

    Formula, with u = min(t, steps) / steps:

        s(t) = init_value (end_value / init_value)^u

    Steps below 0 read as 0. From `steps` on it is exactly `end_value`.

    Args:
      init_value: The value at step 0, not 0; differentiable.
      end_value: The value from step `steps` on, of the same sign; differentiable.
      steps: The length of the move in steps, >= 0; differentiable if a float. 0 means
        that there is no move, only `end_value`.

    Raises:
      ValueError: The ends have different signs or one is 0, a value is not finite, or
        `steps` is negative.

    Example:
      >>> import jaxsched as js
      >>> round(js.exponential(1.0, 0.01, steps=4).at(2), 6)
      0.1

    Reference: Smith, "Cyclical Learning Rates for Training Neural Networks" (2017),
    arXiv:1506.01186, section 3.3 (as a range test).
    """
    elapsed, remaining = progress(step, steps)
    span = _log_ratio(end_value, init_value)
    # From the nearer end, so that the exponent is at most half of the span.
    return jnp.where(
        elapsed < remaining,
        init_value * jnp.exp(span * elapsed),
        end_value * jnp.exp(-(span * remaining)),
    )


@schedule
def transition(
    step: Array,
    init_value: Value,
    end_value: Value,
    steps: Steps,
    *,
    shape: ShapeLike = "cosine",
) -> Array:
    """A move from `init_value` to `end_value` along any shape.

    Use it when none of the named moves has the shape that you want.

    Formula, with u = min(t, steps) / steps and the two weights of the shape:

        s(t) = init_value fall(u) + end_value rise(u)

    Steps below 0 read as 0. From `steps` on it is exactly `end_value`, unless the shape
    says that it does not reach its ends (`tanh`).

    Args:
      init_value: The value at step 0; differentiable.
      end_value: The value from step `steps` on; differentiable.
      steps: The length of the move in steps, >= 0; differentiable if a float. 0 means
        that there is no move, only its end.
      shape: A shape (`js.rex(beta=0.5)`), or the name of one: "linear", "cosine",
        "one_minus_sqrt" (1 - sqrt(u)), "square" (1 - u^2), "sqrt" (sqrt(1 - u)),
        "sine" (1 - sin(pi u / 2)), "mirror_cosine", "inverse_proportional",
        "one_minus_power", "exponential_to_zero", "rex", "tanh", or your own.

    Raises:
      ValueError: A value is not finite, `steps` is negative, or the shape is unknown.

    Example:
      >>> import jaxsched as js
      >>> js.transition(1.0, 0.0, steps=4, shape="one_minus_sqrt").at(1)
      0.5

    Reference: Hägele et al., "Scaling Laws and Compute-Optimal Training Beyond Fixed
    Training Durations" (2024), arXiv:2405.18392, section 4 (shapes compared).
    """
    return _move(init_value, end_value, as_shape(shape)(*progress(step, steps)))


def _move(init_value: Value, end_value: Value, weights: shapes.Weights) -> Array:
    fall, rise = weights
    return blend(init_value, fall, end_value, rise)


def _log_ratio(a: Value, b: Value) -> Array:
    """log(a / b) for numbers of one sign; in double precision for Python numbers."""
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return log(abs(a)) - log(abs(b)) if not 1e-300 < a / b < 1e300 else log(a / b)
    a, b = jnp.asarray(a), jnp.asarray(b)
    ratio = a / b
    apart = (ratio > 0) & (ratio < jnp.inf)  # else it has under- or overflowed
    far = jnp.log(jnp.abs(a)) - jnp.log(jnp.abs(b))
    return jnp.where(apart, jnp.log(jnp.where(apart, ratio, 1.0)), far)
