"""A ramp, then a constant, a line, a polynomial, or an inverse square root."""

from jaxsched.combinators.sequence import join
from jaxsched.compat.arguments import LastEpoch, LearningRate, NotNegative
from jaxsched.compat.peer import peer
from jaxsched.compat.transformers.ramp import TrainingSteps, WarmupSteps, after_ramp
from jaxsched.decays.power import inverse_sqrt_decay
from jaxsched.domains import Period, Value
from jaxsched.domains.numbers import surely
from jaxsched.rule import Refusal
from jaxsched.schedule import Schedule
from jaxsched.schedule.arguments import constant
from jaxsched.transitions import linear, polynomial


@peer
def get_constant_schedule(lr: LearningRate, last_epoch: LastEpoch = -1) -> Schedule:
    """The same rate at every step: `constant(lr)`.

    Example:
      >>> from jaxsched.compat import transformers
      >>> transformers.get_constant_schedule(5e-5)
      constant(value=5e-05)
    """
    return constant(lr)


@peer
def get_constant_schedule_with_warmup(
    lr: LearningRate, num_warmup_steps: WarmupSteps, last_epoch: LastEpoch = -1
) -> Schedule:
    """A ramp from 0, then constant: `warmup(constant(lr), num_warmup_steps, 0.0)`.

    Example:
      >>> from jaxsched.compat import transformers
      >>> transformers.get_constant_schedule_with_warmup(5e-5, 100)
      warmup(schedule=constant(value=5e-05), steps=100, init_value=0.0)
    """
    return after_ramp(lr, num_warmup_steps, constant(lr))


@peer
def get_linear_schedule_with_warmup(
    lr: LearningRate,
    num_warmup_steps: WarmupSteps,
    num_training_steps: TrainingSteps,
    last_epoch: LastEpoch = -1,
) -> Schedule:
    """A ramp from 0, then a line to 0 at the end of the run.

    Formula: `warmup(linear(lr, 0.0, num_training_steps - num_warmup_steps),
    num_warmup_steps, 0.0)`.

    Args:
      num_training_steps: The length of the whole. Where the ramp is as long or longer,
        the rate drops to 0 after it.

    Example:
      >>> from jaxsched.compat import transformers
      >>> transformers.get_linear_schedule_with_warmup(5e-5, 100, 1000)
      warmup(schedule=linear(init_value=5e-05, end_value=0.0, steps=900), steps=100,
        init_value=0.0)
    """
    rest = num_training_steps - num_warmup_steps
    if surely(rest, lambda n: n <= 0):
        return after_ramp(lr, num_warmup_steps, 0.0, starts_at_lr=False)
    return after_ramp(lr, num_warmup_steps, linear(lr, 0.0, rest))


@peer
def get_polynomial_decay_schedule_with_warmup(
    lr: LearningRate,
    num_warmup_steps: WarmupSteps,
    num_training_steps: TrainingSteps,
    lr_end: Value = 1e-7,
    power: NotNegative = 1.0,
    last_epoch: LastEpoch = -1,
) -> Schedule:
    """A ramp from 0, then a power of the remaining time down to `lr_end`.

    Formula: `warmup(polynomial(lr, lr_end, num_training_steps - num_warmup_steps,
    power=power), num_warmup_steps, 0.0)`.

    Args:
      num_training_steps: The length of the whole. Where the ramp is as long or longer,
        the rate drops to `lr_end` after it.
      lr_end: The rate at the end, below `lr`.
      power: The exponent, >= 0.

    Example:
      >>> from jaxsched.compat import transformers
      >>> s = transformers.get_polynomial_decay_schedule_with_warmup(1.0, 2, 10, 0.1, 2.0)
      >>> [round(s.at(t), 4) for t in (0, 1, 2, 6, 10, 11)]
      [0.0, 0.5, 1.0, 0.325, 0.1, 0.1]
    """
    if surely(lr - lr_end, lambda gap: gap <= 0):
        raise Refusal("lr_end must be < lr", "lr_end", "lr")
    rest = num_training_steps - num_warmup_steps
    if surely(rest, lambda n: n <= 0):
        return after_ramp(lr, num_warmup_steps, lr_end, starts_at_lr=False)
    if surely(power, lambda p: p == 0):
        decay = join([lr, lr_end], [rest + 1])
    else:
        decay = polynomial(lr, lr_end, rest, power=power)
    return after_ramp(lr, num_warmup_steps, decay)


@peer
def get_inverse_sqrt_schedule(
    lr: LearningRate,
    num_warmup_steps: WarmupSteps,
    timescale: Period | None = None,
    last_epoch: LastEpoch = -1,
) -> Schedule:
    """A ramp from 0, then the inverse square root of time.

    Formula: `warmup(inverse_sqrt_decay(lr, timescale), num_warmup_steps, 0.0)`.

    Args:
      timescale: Steps after the ramp until the rate has fallen to lr / sqrt(2), > 0;
        `num_warmup_steps`, or 10,000 where that is 0.

    Example:
      >>> from jaxsched.compat import transformers
      >>> transformers.get_inverse_sqrt_schedule(5e-5, 100)
      warmup(schedule=inverse_sqrt_decay(init_value=5e-05, timescale=100), steps=100,
        init_value=0.0)
    """
    if timescale is None:
        if surely(num_warmup_steps, lambda n: n < 0):
            reason = "num_warmup_steps must be >= 0 where there is no timescale"
            raise Refusal(reason, "num_warmup_steps", "timescale")
        none = surely(num_warmup_steps, lambda n: n == 0)
        timescale = 10_000 if none else num_warmup_steps
    decay = inverse_sqrt_decay(lr, timescale)
    return after_ramp(lr, num_warmup_steps, decay)
