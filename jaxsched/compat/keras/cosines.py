"""Half a cosine, once after a ramp or again and again."""

from typing import Any

from jaxsched.combinators.sequence import warmup
from jaxsched.compat.arguments import NotNegative, Unused
from jaxsched.compat.lengths import whole
from jaxsched.compat.peer import peer
from jaxsched.cycles import cosine_restarts
from jaxsched.domains import LengthFactor, Period, Steps, Value
from jaxsched.domains.numbers import surely
from jaxsched.rule import known
from jaxsched.schedule import Schedule
from jaxsched.transitions import cosine


@peer
def CosineDecay(
    initial_learning_rate: Value,
    decay_steps: Period,
    alpha: Value = 0.0,
    name: Unused = "CosineDecay",
    warmup_target: Value | None = None,
    warmup_steps: Steps = 0,
) -> Schedule:
    """Half a cosine, after a ramp if there is a `warmup_target`.

    Formula: `cosine(initial_learning_rate, alpha * initial_learning_rate, decay_steps)`,
    or `warmup(cosine(warmup_target, alpha * warmup_target, decay_steps), warmup_steps,
    initial_learning_rate)`.

    Args:
      initial_learning_rate: The value at step 0.
      decay_steps: The length of the decay alone, > 0.
      alpha: The end as a factor of the peak.
      warmup_target: The peak. As in Keras, without it there is no ramp.
      warmup_steps: The length of the ramp.

    Example:
      >>> from jaxsched.compat import keras
      >>> keras.CosineDecay(0.0, 900, warmup_target=0.1, warmup_steps=100)
      warmup(schedule=cosine(init_value=0.1, end_value=0.0, steps=900), steps=100,
        init_value=0.0)
    """
    peak = initial_learning_rate if warmup_target is None else warmup_target
    decay = cosine(peak, alpha * peak, decay_steps)
    if warmup_target is None:
        return decay
    return warmup(decay, warmup_steps, initial_learning_rate)


@peer
def CosineDecayRestarts(
    initial_learning_rate: Value,
    first_decay_steps: Period,
    t_mul: LengthFactor = 2.0,
    m_mul: NotNegative = 1.0,
    alpha: Value = 0.0,
    name: Unused = "SGDRDecay",
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

    Example:
      >>> from jaxsched.compat import keras
      >>> keras.CosineDecayRestarts(0.1, first_decay_steps=100)
      cosine_restarts(peak_value=0.1, end_value=0.0, steps=100, length_factor=2)
    """
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
