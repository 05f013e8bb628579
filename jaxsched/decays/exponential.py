"""Decays by a constant factor: per step, per period, in steps."""

from jax import Array

from jaxsched.arrays import as_real
from jaxsched.domains import Factor, Flag, Period, Rate, Value
from jaxsched.numerics import grown, powered
from jaxsched.progress import turns
from jaxsched.schedule import schedule


@schedule
def exponential_decay(
    step: Array,
    init_value: Value,
    factor: Factor,
    steps: Period = 1,
    *,
    staircase: Flag = False,
) -> Array:
    """A value that is multiplied by `factor` every `steps` steps.

    Use it when a decay should have no end, or an older recipe gives a factor for each
    epoch.

    `ExponentialLR` in PyTorch (steps = 1), `exponential_decay` in Optax and Keras. With
    `staircase` the factor is applied at once at the end of every `steps`. For a given
    end use `exponential`; for a floor `clip`.

    Formula: s(t) = init_value factor^(t / steps), or factor^floor(t / steps).
    Steps below 0 read as 0.

    Args:
      init_value: The value at step 0; differentiable.
      factor: The factor per `steps`, > 0; differentiable. Passed through `jax.jit` as an
        argument it is a float32: a factor very near 1 is then better written with more
        `steps`.
      steps: The period of the factor in steps, >= 1; differentiable if a float and not a
        staircase.
      staircase: Whether to decay in jumps. Static.

    Raises:
      ValueError: `factor` or `steps` is not positive, or a value is not finite.

    Example:
      >>> import jaxsched as js
      >>> js.exponential_decay(0.1, 0.5, steps=10).at(20)
      0.025

    Reference: Li, Arora, "An Exponential Learning Rate Schedule for Deep Learning"
    (2019), arXiv:1910.07454.
    """
    return powered(init_value, factor, turns(step, steps, whole=bool(staircase)))


@schedule
def natural_exponential_decay(step: Array, init_value: Value, rate: Rate) -> Array:
    """Exponential decay given by its rate per step.

    Use it when a decay is given by its rate, as in textbooks.

    `NaturalExpDecay` in Paddle; the textbooks' e^(-kt).

    Formula: s(t) = init_value e^(-rate t). Steps below 0 read as 0.

    Args:
      init_value: The value at step 0; differentiable.
      rate: Decay per step, >= 0; differentiable.

    Raises:
      ValueError: `rate` is negative, or a value is not finite.

    Example:
      >>> import jaxsched as js
      >>> round(js.natural_exponential_decay(1.0, 0.1).at(10), 6)
      0.367879

    Reference: Li, Arora, "An Exponential Learning Rate Schedule for Deep Learning"
    (2019), arXiv:1910.07454.
    """
    return grown(init_value, -(rate * as_real(step)))


@schedule
def step_decay(step: Array, init_value: Value, factor: Factor, every: Period) -> Array:
    """A value that is multiplied by `factor` at the end of every `every` steps.

    Use it when you train an image classifier as the older papers did, by a factor at
    regular times.

    `StepLR` in PyTorch. Textbooks count from 1: `shift(step_decay(...), 1)` gives their
    init_value * factor^floor((1 + t) / every).

    Formula: s(t) = init_value factor^floor(t / every). Steps below 0 read as 0.

    Args:
      init_value: The value before the first drop; differentiable.
      factor: The factor per drop, > 0; differentiable.
      every: Steps between drops, >= 1.

    Raises:
      ValueError: `factor` or `every` is not positive, or a value is not finite.

    Example:
      >>> import jaxsched as js
      >>> s = js.step_decay(0.1, 0.5, every=10)
      >>> [round(s.at(t), 4) for t in (9, 10, 20)]
      [0.1, 0.05, 0.025]

    Reference: He et al., "Deep Residual Learning" (2016), arXiv:1512.03385, section 3.4.
    """
    return powered(init_value, factor, turns(step, every, whole=True))
