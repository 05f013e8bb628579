"""Decays: exponential, stepwise, polynomial, by inverse time."""

from collections.abc import Sequence
from typing import Any

from jaxsched.arrays import Numeric
from jaxsched.combinators.sequence import join
from jaxsched.combinators.time import cycle as repeated
from jaxsched.combinators.time import shift
from jaxsched.compat.lengths import refuse_no_steps, whole
from jaxsched.decays.exponential import exponential_decay
from jaxsched.decays.inverse_time import inverse_time_decay
from jaxsched.domains.numbers import surely
from jaxsched.piecewise import piecewise_constant
from jaxsched.rule import short
from jaxsched.schedule import Schedule
from jaxsched.schedule.arguments import constant
from jaxsched.transitions import polynomial


def ExponentialDecay(
    initial_learning_rate: Numeric,
    decay_steps: Numeric,
    decay_rate: Numeric,
    staircase: bool = False,
    name: str = "ExponentialDecay",
) -> Schedule:
    """Multiplied by `decay_rate` every `decay_steps`: `exponential_decay`.

    Args:
      initial_learning_rate: The value at step 0.
      decay_steps: The period of the factor, > 0.
      decay_rate: The factor, >= 0.
      staircase: Whether to decay in jumps.
      name: Not used.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `decay_steps` is not positive, or `decay_rate` is negative.
      TypeError: An argument is not a real number.

    Example:
      >>> from jaxsched.compat import keras
      >>> keras.ExponentialDecay(0.1, decay_steps=100, decay_rate=0.5)
      exponential_decay(init_value=0.1, factor=0.5, steps=100)
    """
    refuse_no_steps("ExponentialDecay", "decay_steps", decay_steps)
    if surely(decay_rate, lambda rate: rate == 0):
        return piecewise_constant(
            [decay_steps if staircase else 1], [initial_learning_rate, 0.0]
        )
    return exponential_decay(
        initial_learning_rate, decay_rate, decay_steps, staircase=staircase
    )


def PiecewiseConstantDecay(
    boundaries: Sequence[float],
    values: Sequence[Numeric],
    name: str = "PiecewiseConstant",
) -> Schedule:
    """Constant between boundaries: `piecewise_constant(boundaries + 1, values)`.

    Keras keeps the old value at the boundary itself, so the new one begins a step later.

    Args:
      boundaries: n steps, not falling; a fraction of a step is dropped, as in Keras.
      values: n + 1 values.
      name: Not used.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: The counts do not fit, or the boundaries fall.
      TypeError: An argument is not a real number.

    Example:
      >>> from jaxsched.compat import keras
      >>> keras.PiecewiseConstantDecay([100, 200], [1.0, 0.5, 0.1])
      piecewise_constant(boundaries=[101, 201], values=[1.0, 0.5, 0.1])
    """
    if len(boundaries) != len(values) - 1:
        raise ValueError(
            "PiecewiseConstantDecay: boundaries must be one fewer than values, got "
            f"{len(boundaries)} and {len(values)}"
        )
    kept: dict[int, Numeric] = {}  # the last of several values wins
    for boundary, value in zip(boundaries, values[1:], strict=True):
        begin = max(int(boundary) + 1, 0)
        if kept and begin < max(kept):
            raise ValueError(
                "PiecewiseConstantDecay: boundaries must not fall, got boundaries="
                f"{short(boundaries)}"
            )
        kept[begin] = value
    if not kept:
        return constant(values[0])
    return piecewise_constant(list(kept), [values[0], *kept.values()])


def PolynomialDecay(
    initial_learning_rate: Numeric,
    decay_steps: Numeric,
    end_learning_rate: Numeric = 0.0001,
    power: Numeric = 1.0,
    cycle: bool = False,
    name: str = "PolynomialDecay",
) -> Schedule:
    """A power of the remaining time: `polynomial`, once or in ever lower cycles.

    Formula with `cycle`, for m = max(1, ceil(t / decay_steps)):
    s(t) = end + (initial - end) (1 - t / (m decay_steps))^power. It reaches its end at
    every multiple of `decay_steps`, and jumps up to 1 / 2, 1 / 3, ... after it.

    Args:
      initial_learning_rate: The value at step 0.
      decay_steps: The length of the decay, > 0; with `cycle` a whole number.
      end_learning_rate: The value at the end.
      power: The exponent, >= 0.
      cycle: Whether to begin again after the end.
      name: Not used.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `decay_steps` is not positive, or `power` is negative.
      TypeError: An argument is not a real number.
      NotImplementedError: `cycle` with `decay_steps` that are not whole.

    Example:
      >>> from jaxsched.compat import keras
      >>> keras.PolynomialDecay(0.1, decay_steps=1000, end_learning_rate=0.01)
      polynomial(init_value=0.1, end_value=0.01, steps=1000)
      >>> s = keras.PolynomialDecay(1.0, 10, 0.0, cycle=True)
      >>> [round(s.at(t), 4) for t in (0, 5, 10, 11, 20, 21)]
      [1.0, 0.5, 0.0, 0.45, 0.0, 0.3]
    """
    refuse_no_steps("PolynomialDecay", "decay_steps", decay_steps)
    init: Any = initial_learning_rate
    if surely(power, lambda p: p == 0):
        return constant(init)
    if not cycle:
        return polynomial(init, end_learning_rate, decay_steps, power=power)
    steps = whole(decay_steps)
    if isinstance(steps, float):
        raise NotImplementedError(
            "PolynomialDecay: cycle=True with decay_steps that are not whole, got "
            f"decay_steps={decay_steps}"
        )
    # A cycle holds its own end, so it begins one step after the one before has ended.
    fall = repeated(shift(polynomial(1.0, 0.0, steps, power=power), 1), steps)
    lower = inverse_time_decay(1.0, 1.0, steps, power=power, staircase=True)
    cycles = end_learning_rate + (init - end_learning_rate) * fall * lower
    return join([init, cycles], [1])


def InverseTimeDecay(
    initial_learning_rate: Numeric,
    decay_steps: Numeric,
    decay_rate: Numeric,
    staircase: bool = False,
    name: str = "InverseTimeDecay",
) -> Schedule:
    """Divided by one plus a multiple of time: `inverse_time_decay`.

    Args:
      initial_learning_rate: The value at step 0.
      decay_steps: The unit of time, > 0.
      decay_rate: The decay per unit, >= 0.
      staircase: Whether to decay in jumps.
      name: Not used.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `decay_steps` is not positive, or `decay_rate` is negative.
      TypeError: An argument is not a real number.

    Example:
      >>> from jaxsched.compat import keras
      >>> keras.InverseTimeDecay(0.1, decay_steps=100, decay_rate=0.5)
      inverse_time_decay(init_value=0.1, rate=0.5, steps=100)
    """
    refuse_no_steps("InverseTimeDecay", "decay_steps", decay_steps)
    return inverse_time_decay(
        initial_learning_rate, decay_rate, decay_steps, staircase=staircase
    )
