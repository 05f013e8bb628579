"""Constants, moves and decays."""

from jaxsched.arrays import Numeric
from jaxsched.combinators.limits import clip
from jaxsched.combinators.time import delay
from jaxsched.compat.arguments import AnyLength, NotNegative
from jaxsched.compat.peer import peer
from jaxsched.decays import exponential
from jaxsched.domains import Flag, Period, Value
from jaxsched.domains.numbers import surely
from jaxsched.schedule import Schedule
from jaxsched.schedule.arguments import constant
from jaxsched.transitions import cosine, linear, polynomial


@peer
def constant_schedule(value: Value) -> Schedule:
    """The same value at every step: `constant(value)`.

    Args:
      value: The value.

    Example:
      >>> from jaxsched.compat import optax
      >>> optax.constant_schedule(0.1)
      constant(value=0.1)
    """
    return constant(value)


@peer
def polynomial_schedule(
    init_value: Value,
    end_value: Value,
    power: NotNegative,
    transition_steps: AnyLength,
    transition_begin: AnyLength = 0,
) -> Schedule:
    """A power of the remaining time, after `transition_begin` steps at `init_value`.

    Formula: `delay(polynomial(init_value, end_value, transition_steps, power=power),
    transition_begin)`.

    Args:
      init_value: The value until the move begins.
      end_value: The value after it.
      power: The exponent, >= 0.
      transition_steps: The length of the move; not positive means that there is none:
        `init_value` for ever.
      transition_begin: The step it begins at; a negative one is 0.

    Example:
      >>> from jaxsched.compat import optax
      >>> optax.polynomial_schedule(1.0, 0.0, 2, transition_steps=10)
      polynomial(init_value=1.0, end_value=0.0, steps=10, power=2.0)
    """
    if surely(transition_steps, lambda n: n <= 0) or surely(power, lambda p: p == 0):
        return constant(init_value)
    if surely(power, lambda p: p == 1):
        move = linear(init_value, end_value, transition_steps)
    else:
        move = polynomial(init_value, end_value, transition_steps, power=power)
    return _delayed(move, transition_begin)


@peer
def linear_schedule(
    init_value: Value,
    end_value: Value,
    transition_steps: AnyLength,
    transition_begin: AnyLength = 0,
) -> Schedule:
    """A straight line: `delay(linear(init_value, end_value, transition_steps), ...)`.

    Args:
      init_value: The value until the move begins.
      end_value: The value after it.
      transition_steps: The length of the move; not positive means that there is none:
        `init_value` for ever.
      transition_begin: The step it begins at; a negative one is 0.

    Example:
      >>> from jaxsched.compat import optax
      >>> optax.linear_schedule(1.0, 0.0, 10, transition_begin=5)
      delay(schedule=linear(init_value=1.0, end_value=0.0, steps=10), steps=5)
    """
    return polynomial_schedule(
        init_value, end_value, 1, transition_steps, transition_begin
    )


@peer
def exponential_decay(
    init_value: Value,
    transition_steps: AnyLength,
    decay_rate: NotNegative,
    transition_begin: AnyLength = 0,
    staircase: Flag = False,
    end_value: Value | None = None,
) -> Schedule:
    """A value multiplied by `decay_rate` every `transition_steps`, within `end_value`.

    Formula: `clip(delay(exponential_decay(init_value, decay_rate, transition_steps,
    staircase=staircase), transition_begin), ...)`.

    Args:
      init_value: The value until the decay begins.
      transition_steps: The period of the factor; not positive means no decay.
      decay_rate: The factor, >= 0; 0 means no decay.
      transition_begin: The step it begins at; a negative one is 0.
      staircase: Whether to decay in jumps.
      end_value: A floor where `decay_rate` is below 1, else a ceiling; traced rates are
        taken to be below 1.

    Example:
      >>> from jaxsched.compat import optax
      >>> optax.exponential_decay(0.1, transition_steps=100, decay_rate=0.5)
      exponential_decay(init_value=0.1, factor=0.5, steps=100)
    """
    if surely(transition_steps, lambda n: n <= 0) or surely(
        decay_rate, lambda r: r == 0
    ):
        return constant(init_value)
    decay = exponential.exponential_decay(
        init_value, decay_rate, transition_steps, staircase=staircase
    )
    decay = _delayed(decay, transition_begin)
    if end_value is None:
        return decay
    if surely(decay_rate, lambda r: r >= 1):
        return clip(decay, max_value=end_value)
    return clip(decay, min_value=end_value)


@peer
def cosine_decay_schedule(
    init_value: Value,
    decay_steps: Period,
    alpha: Value = 0.0,
    exponent: NotNegative = 1.0,
) -> Schedule:
    """Half a cosine: `cosine(init_value, alpha * init_value, decay_steps, power=exponent)`.

    Args:
      init_value: The value at step 0.
      decay_steps: The length of the decay, > 0.
      alpha: The end as a factor of `init_value`.
      exponent: The power of the curve, >= 0.

    Example:
      >>> from jaxsched.compat import optax
      >>> optax.cosine_decay_schedule(0.1, 1000)
      cosine(init_value=0.1, end_value=0.0, steps=1000)
    """
    return cosine_of(init_value, alpha * init_value, decay_steps, exponent)


def cosine_of(
    init_value: Numeric, end_value: Numeric, steps: Numeric, exponent: Numeric
) -> Schedule:
    """A cosine of any length, to a power that may be 0."""
    if surely(exponent, lambda p: p == 0):
        return constant(init_value)
    return cosine(init_value, end_value, steps, power=exponent)


def _delayed(schedule: Schedule, steps: Numeric) -> Schedule:
    return schedule if surely(steps, lambda n: n <= 0) else delay(schedule, steps)
