"""Keras' learning-rate schedules: the same names and arguments, as values.

Every function returns an ordinary schedule, and what that prints as is how to write it in
this library's own words. The `name` of a Keras schedule is taken and not used.
`from_keras` reads what Keras serializes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from jax.typing import ArrayLike

from jaxsched.combinators.sequence import join, warmup
from jaxsched.combinators.time import cycle as repeated
from jaxsched.combinators.time import shift
from jaxsched.compat.lengths import refuse_no_steps, whole
from jaxsched.cycles import cosine_restarts
from jaxsched.decays.exponential import exponential_decay
from jaxsched.decays.inverse_time import inverse_time_decay
from jaxsched.domains.numbers import surely
from jaxsched.piecewise import piecewise_constant
from jaxsched.rule import known, short
from jaxsched.schedule import Schedule
from jaxsched.schedule.arguments import constant
from jaxsched.transitions import cosine, polynomial

__all__ = [
    "ExponentialDecay",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "InverseTimeDecay",
    "CosineDecay",
    "CosineDecayRestarts",
    "from_keras",
]


def ExponentialDecay(
    initial_learning_rate: ArrayLike,
    decay_steps: ArrayLike,
    decay_rate: ArrayLike,
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
    values: Sequence[ArrayLike],
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
    kept: dict[int, ArrayLike] = {}  # the last of several values wins
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
    initial_learning_rate: ArrayLike,
    decay_steps: ArrayLike,
    end_learning_rate: ArrayLike = 0.0001,
    power: ArrayLike = 1.0,
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
    initial_learning_rate: ArrayLike,
    decay_steps: ArrayLike,
    decay_rate: ArrayLike,
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


def CosineDecay(
    initial_learning_rate: ArrayLike,
    decay_steps: ArrayLike,
    alpha: ArrayLike = 0.0,
    name: str = "CosineDecay",
    warmup_target: ArrayLike | None = None,
    warmup_steps: ArrayLike = 0,
) -> Schedule:
    """Half a cosine, after a ramp if there is a `warmup_target`.

    Formula: `cosine(initial_learning_rate, alpha * initial_learning_rate, decay_steps)`,
    or `warmup(cosine(warmup_target, alpha * warmup_target, decay_steps), warmup_steps,
    initial_learning_rate)`.

    Args:
      initial_learning_rate: The value at step 0.
      decay_steps: The length of the decay alone, > 0.
      alpha: The end as a factor of the peak.
      name: Not used.
      warmup_target: The peak. As in Keras, without it there is no ramp.
      warmup_steps: The length of the ramp.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `decay_steps` is not positive.
      TypeError: An argument is not a real number.

    Example:
      >>> from jaxsched.compat import keras
      >>> keras.CosineDecay(0.0, 900, warmup_target=0.1, warmup_steps=100)
      warmup(schedule=cosine(init_value=0.1, end_value=0.0, steps=900), steps=100,
        init_value=0.0)
    """
    refuse_no_steps("CosineDecay", "decay_steps", decay_steps)
    peak = initial_learning_rate if warmup_target is None else warmup_target
    decay = cosine(peak, alpha * peak, decay_steps)  # type: ignore[operator]
    if warmup_target is None:
        return decay
    return warmup(decay, warmup_steps, initial_learning_rate)


def CosineDecayRestarts(
    initial_learning_rate: ArrayLike,
    first_decay_steps: ArrayLike,
    t_mul: ArrayLike = 2.0,
    m_mul: ArrayLike = 1.0,
    alpha: ArrayLike = 0.0,
    name: str = "SGDRDecay",
) -> Schedule:
    """SGDR: `cosine_restarts`; `m_mul` multiplies what lies above the floor.

    Formula: s(t) = initial (alpha + (1 - alpha) m_mul^i (1 + cos(pi u)) / 2) in cycle i,
    of which u has passed. Keras finds i as the floor of a logarithm in float32, and so is
    at the floor instead of the peak at some restarts, with t_mul=7 at most of them
    (first_decay_steps=10: steps 570, 4000, 28010, 196080); this never is.

    Args:
      initial_learning_rate: The value at step 0.
      first_decay_steps: The length of the first cycle, > 0.
      t_mul: Each cycle is that many times as long as the one before: 1, or >= 1.001.
      m_mul: The factor per cycle, >= 0.
      alpha: The floor as a factor of `initial_learning_rate`.
      name: Not used.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `first_decay_steps` is not positive, or a factor is out of bounds.
      TypeError: An argument is not a real number.

    Example:
      >>> from jaxsched.compat import keras
      >>> keras.CosineDecayRestarts(0.1, first_decay_steps=100)
      cosine_restarts(peak_value=0.1, end_value=0.0, steps=100, length_factor=2)
    """
    refuse_no_steps("CosineDecayRestarts", "first_decay_steps", first_decay_steps)
    init: Any = initial_learning_rate
    floor = alpha * init
    if surely(m_mul, lambda factor: factor == 0):
        return cosine(init, floor, first_decay_steps)
    growth, steps = whole(t_mul), whole(first_decay_steps)
    if isinstance(growth, float) and known(steps):
        steps = float(steps)  # its cycles begin within steps
    height, end = init, floor
    apart = not surely(m_mul, lambda factor: factor == 1) and not surely(
        alpha, lambda part: part == 0
    )
    if apart:
        height, end = init - floor, 0.0
    restarts = cosine_restarts(
        height, end, steps, length_factor=growth, peak_factor=m_mul
    )
    return floor + restarts if apart else restarts


_BY_CLASS = {
    function.__name__: function
    for function in (
        ExponentialDecay,
        PiecewiseConstantDecay,
        PolynomialDecay,
        InverseTimeDecay,
        CosineDecay,
        CosineDecayRestarts,
    )
}


def from_keras(config: Mapping[str, Any]) -> Schedule:
    """A schedule from what `keras.optimizers.schedules.serialize` returns.

    Args:
      config: A dict with the keys "class_name" and "config", as it stands in a saved
        model or in the configuration of an optimizer.

    Returns:
      A `Schedule`.

    Raises:
      TypeError: `config` is not such a dict, or its arguments are not those of the class.
      NotImplementedError: The class is not one of Keras' own.
      ValueError: An argument is out of its bounds.

    Example:
      >>> from jaxsched.compat import keras
      >>> keras.from_keras({
      ...     "module": "keras.optimizers.schedules",
      ...     "class_name": "ExponentialDecay",
      ...     "config": {
      ...         "initial_learning_rate": 0.1,
      ...         "decay_steps": 100,
      ...         "decay_rate": 0.5,
      ...         "staircase": False,
      ...         "name": "ExponentialDecay",
      ...     },
      ...     "registered_name": None,
      ... })
      exponential_decay(init_value=0.1, factor=0.5, steps=100)
    """
    if not isinstance(config, Mapping) or not {"class_name", "config"} <= config.keys():
        raise TypeError(
            "from_keras: config must be a dict with class_name and config, got config="
            f"{short(config)}"
        )
    name = config["class_name"]
    if name not in _BY_CLASS or config.get("registered_name"):
        raise NotImplementedError(
            f"from_keras: class_name must be one of {', '.join(_BY_CLASS)}, got "
            f"class_name={name!r}"
        )
    return _BY_CLASS[name](**config["config"])
