"""Decays: exponential, stepwise, polynomial, by inverse time."""

from collections.abc import Sequence
from typing import Annotated, Any

from jaxsched.arrays import Numeric
from jaxsched.combinators.sequence import join
from jaxsched.combinators.time import cycle as repeated, shift
from jaxsched.compat.arguments import NotNegative, Row, Unused
from jaxsched.compat.lengths import whole
from jaxsched.compat.peer import peer
from jaxsched.decays.exponential import exponential_decay
from jaxsched.decays.inverse_time import inverse_time_decay
from jaxsched.domains import Flag, Period, Value, Values
from jaxsched.domains.numbers import Number, surely
from jaxsched.piecewise import piecewise_constant
from jaxsched.rule import Refusal
from jaxsched.schedule import Schedule
from jaxsched.schedule.arguments import constant
from jaxsched.transitions import polynomial

_STEP = Number(whole="may", most=2**62, kind="a step")


@peer
def ExponentialDecay(
    initial_learning_rate: Value,
    decay_steps: Period,
    decay_rate: NotNegative,
    staircase: Flag = False,
    name: Unused = "ExponentialDecay",
) -> Schedule:
    """A rate multiplied by `decay_rate` every `decay_steps`: `exponential_decay`.

    Args:
      initial_learning_rate: The value at step 0.
      decay_steps: The period of the factor, > 0.
      decay_rate: The factor, >= 0.
      staircase: Whether to decay in jumps.

    Example:
      >>> from jaxsched.compat import keras
      >>> keras.ExponentialDecay(0.1, decay_steps=100, decay_rate=0.5)
      exponential_decay(init_value=0.1, factor=0.5, steps=100)
    """
    if surely(decay_rate, lambda rate: rate == 0):
        return piecewise_constant(
            [decay_steps if staircase else 1], [initial_learning_rate, 0.0]
        )
    return exponential_decay(
        initial_learning_rate, decay_rate, decay_steps, staircase=staircase
    )


@peer
def PiecewiseConstantDecay(
    boundaries: Annotated[Sequence[float], Row(_STEP)],
    values: Values,
    name: Unused = "PiecewiseConstant",
) -> Schedule:
    """Constant between boundaries: `piecewise_constant(boundaries + 1, values)`.

    Keras keeps the old value at the boundary itself, so the new one begins a step later.

    Args:
      boundaries: n steps, not falling; a fraction of a step is dropped, as in Keras.
      values: n + 1 values.

    Example:
      >>> from jaxsched.compat import keras
      >>> keras.PiecewiseConstantDecay([100, 200], [1.0, 0.5, 0.1])
      piecewise_constant(boundaries=[101, 201], values=[1.0, 0.5, 0.1])
    """
    if len(boundaries) != len(values) - 1:
        reason = "boundaries must be one fewer than values"
        raise Refusal(reason, "boundaries", "values")
    kept: dict[int, Numeric] = {}  # the last of several values wins
    for boundary, value in zip(boundaries, values[1:], strict=True):
        begin = max(int(boundary) + 1, 0)
        if kept and begin < max(kept):
            raise Refusal("boundaries must not decrease", "boundaries")
        kept[begin] = value
    if not kept:
        return constant(values[0])
    return piecewise_constant(list(kept), [values[0], *kept.values()])


@peer
def PolynomialDecay(
    initial_learning_rate: Value,
    decay_steps: Period,
    end_learning_rate: Value = 0.0001,
    power: NotNegative = 1.0,
    cycle: Flag = False,
    name: Unused = "PolynomialDecay",
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

    Raises:
      NotImplementedError: `cycle` with `decay_steps` that are not whole.

    Example:
      >>> from jaxsched.compat import keras
      >>> keras.PolynomialDecay(0.1, decay_steps=1000, end_learning_rate=0.01)
      polynomial(init_value=0.1, end_value=0.01, steps=1000)
      >>> s = keras.PolynomialDecay(1.0, 10, 0.0, cycle=True)
      >>> [round(s.at(t), 4) for t in (0, 5, 10, 11, 20, 21)]
      [1.0, 0.5, 0.0, 0.45, 0.0, 0.3]
    """
    init: Any = initial_learning_rate
    if surely(power, lambda p: p == 0):
        return constant(init)
    if not cycle:
        return polynomial(init, end_learning_rate, decay_steps, power=power)
    steps = whole(decay_steps)
    if isinstance(steps, float):
        raise NotImplementedError(
            "PolynomialDecay: decay_steps must be a whole number with cycle=True, got "
            f"decay_steps={decay_steps}"
        )
    # A cycle holds its own end, so it begins one step after the one before has ended.
    fall = repeated(shift(polynomial(1.0, 0.0, steps, power=power), 1), steps)
    lower = inverse_time_decay(1.0, 1.0, steps, power=power, staircase=True)
    cycles = end_learning_rate + (init - end_learning_rate) * fall * lower
    return join([init, cycles], [1])


@peer
def InverseTimeDecay(
    initial_learning_rate: Value,
    decay_steps: Period,
    decay_rate: NotNegative,
    staircase: Flag = False,
    name: Unused = "InverseTimeDecay",
) -> Schedule:
    """A rate divided by one plus a multiple of time: `inverse_time_decay`.

    Args:
      initial_learning_rate: The value at step 0.
      decay_steps: The unit of time, > 0.
      decay_rate: The decay per unit, >= 0.
      staircase: Whether to decay in jumps.

    Example:
      >>> from jaxsched.compat import keras
      >>> keras.InverseTimeDecay(0.1, decay_steps=100, decay_rate=0.5)
      inverse_time_decay(init_value=0.1, rate=0.5, steps=100)
    """
    return inverse_time_decay(
        initial_learning_rate, decay_rate, decay_steps, staircase=staircase
    )
