"""A ramp, then cosines: waves that rise again, or hard restarts."""

from typing import Annotated, Any

from jaxsched.combinators.limits import clip
from jaxsched.combinators.sequence import join
from jaxsched.combinators.time import shift
from jaxsched.compat.arguments import Known, LastEpoch, LearningRate
from jaxsched.compat.cosine_wave import cosine_wave
from jaxsched.compat.lengths import at_least_1, of_any_length, whole
from jaxsched.compat.peer import peer
from jaxsched.compat.transformers.ramp import TrainingSteps, WarmupSteps, after_ramp
from jaxsched.cycles import cosine_restarts
from jaxsched.domains import Value
from jaxsched.domains.numbers import surely
from jaxsched.rule import Refusal
from jaxsched.schedule import Schedule
from jaxsched.schedule.arguments import constant
from jaxsched.transitions import linear

Cycles = Annotated[float, Known(), "How many waves there are in the rest of the run."]


@peer
def get_cosine_schedule_with_warmup(
    lr: LearningRate,
    num_warmup_steps: WarmupSteps,
    num_training_steps: TrainingSteps,
    num_cycles: Cycles = 0.5,
    last_epoch: LastEpoch = -1,
) -> Schedule:
    """A ramp from 0, then a cosine wave, which after the end of the run rises again.

    Formula: with the half period h = (num_training_steps - num_warmup_steps) / (2
    num_cycles), `warmup(cycle(join([cosine(lr, 0.0, h), cosine(0.0, lr, h)], [h]), 2 * h),
    num_warmup_steps, 0.0)`. Up to the end of the run half a wave is
    `warmup(cosine(lr, 0.0, h), num_warmup_steps, 0.0)`, which holds there.

    Example:
      >>> from jaxsched.compat import transformers
      >>> s = transformers.get_cosine_schedule_with_warmup(1.0, 4, 12)
      >>> [round(s.at(t), 4) for t in (0, 2, 4, 8, 12, 16)]
      [0.0, 0.5, 1.0, 0.5, 0.0, 0.5]
    """
    wave = waves(lr, 0.0, num_training_steps - num_warmup_steps, num_cycles)
    return after_ramp(lr, num_warmup_steps, wave)


@peer
def get_cosine_with_hard_restarts_schedule_with_warmup(
    lr: LearningRate,
    num_warmup_steps: WarmupSteps,
    num_training_steps: TrainingSteps,
    num_cycles: Annotated[float, Known(least=0)] = 1,
    last_epoch: LastEpoch = -1,
) -> Schedule:
    """A ramp from 0, then equal half cosines, and 0 from the end of the run on.

    Formula: `warmup(cosine_restarts(lr, 0.0, (num_training_steps - num_warmup_steps) /
    num_cycles, limit=num_cycles), num_warmup_steps, 0.0)`.

    Args:
      num_cycles: How many times the cosine falls in the rest of the run, >= 0. A
        fraction of a cycle is cut off by the end.

    Example:
      >>> from jaxsched.compat import transformers
      >>> s = transformers.get_cosine_with_hard_restarts_schedule_with_warmup(
      ...     1.0, 4, 12, num_cycles=2
      ... )
      >>> [round(s.at(t), 4) for t in (0, 2, 4, 6, 8, 10, 12)]
      [0.0, 0.5, 1.0, 0.5, 1.0, 0.5, 0.0]
    """
    rest = at_least_1(num_training_steps - num_warmup_steps)
    if num_cycles == 0:
        falls = join([lr, 0.0], [rest])
    elif float(num_cycles).is_integer():
        falls = _restarts(lr, whole(rest / num_cycles), int(num_cycles))
    else:
        falls = join([_restarts(lr, rest / num_cycles), 0.0], [rest])
    return after_ramp(lr, num_warmup_steps, falls)


@peer
def get_cosine_with_min_lr_schedule_with_warmup(
    lr: LearningRate,
    num_warmup_steps: WarmupSteps,
    num_training_steps: TrainingSteps,
    num_cycles: Cycles = 0.5,
    last_epoch: LastEpoch = -1,
    min_lr: Value | None = None,
    min_lr_rate: Value | None = None,
) -> Schedule:
    """A ramp from 0, then a cosine wave down to `min_lr`, which then rises again.

    Formula: as `get_cosine_schedule_with_warmup`, with `min_lr` for 0.

    Args:
      min_lr: The bottom of the wave.
      min_lr_rate: The same as a part of `lr`.

    Example:
      >>> from jaxsched.compat import transformers
      >>> s = transformers.get_cosine_with_min_lr_schedule_with_warmup(
      ...     1.0, 4, 12, min_lr=0.1
      ... )
      >>> [round(s.at(t), 4) for t in (0, 2, 4, 8, 12, 16)]
      [0.0, 0.5, 1.0, 0.55, 0.1, 0.55]
    """
    low = _bottom(lr, min_lr, min_lr_rate)
    wave = waves(lr, low, num_training_steps - num_warmup_steps, num_cycles)
    return after_ramp(lr, num_warmup_steps, _not_below_0(wave, low))


@peer
def get_cosine_with_min_lr_schedule_with_warmup_lr_rate(
    lr: LearningRate,
    num_warmup_steps: WarmupSteps,
    num_training_steps: TrainingSteps,
    num_cycles: Cycles = 0.5,
    last_epoch: LastEpoch = -1,
    min_lr: Value | None = None,
    min_lr_rate: Value | None = None,
    warmup_lr_rate: Value | None = None,
) -> Schedule:
    """A ramp from above 0, then a cosine wave that is one step ahead.

    Formula: `join([linear(lr * warmup_lr_rate, lr, num_warmup_steps - 1), shift(wave, 1)],
    [num_warmup_steps])` with the wave of `get_cosine_with_min_lr_schedule_with_warmup`.

    Args:
      num_warmup_steps: The length of the ramp, whose last step is at `lr`.
      num_training_steps: The length of the whole, whose last step is at the bottom.
      min_lr: The bottom of the wave.
      min_lr_rate: The same as a part of `lr`.
      warmup_lr_rate: The first rate as a part of `lr`; 1 / num_warmup_steps if not given.

    Example:
      >>> from jaxsched.compat import transformers
      >>> s = transformers.get_cosine_with_min_lr_schedule_with_warmup_lr_rate(
      ...     1.0, 4, 12, min_lr=0.1
      ... )
      >>> [round(s.at(t), 4) for t in (0, 1, 3, 7, 11)]
      [0.25, 0.5, 1.0, 0.55, 0.1]
    """
    low = _bottom(lr, min_lr, min_lr_rate)
    ramp_steps: Any = num_warmup_steps
    wave = waves(lr, low, num_training_steps - ramp_steps, num_cycles)
    wave = _not_below_0(shift(wave, 1), low)
    if surely(ramp_steps, lambda n: n <= 0):
        whole = shift(wave, -ramp_steps) if ramp_steps < 0 else wave
    else:
        start = lr / ramp_steps if warmup_lr_rate is None else lr * warmup_lr_rate
        ramp = _not_below_0(linear(start, lr, at_least_1(ramp_steps - 1)), start)
        whole = join([ramp, wave], [ramp_steps])
    return whole


def _restarts(lr: Any, length: Any, limit: int | None = None) -> Schedule:
    make = lambda steps: cosine_restarts(lr, 0.0, steps, limit=limit)
    return of_any_length(make, length)


def waves(lr: Any, low: Any, steps: Any, num_cycles: Any) -> Schedule:
    """So many whole waves in so many steps, and on."""
    if num_cycles == 0:
        return constant(lr)
    return cosine_wave(lr, low, whole(at_least_1(steps) / (2 * abs(num_cycles))))


def _bottom(lr: Any, min_lr: Any, min_lr_rate: Any) -> Any:
    if (min_lr is None) == (min_lr_rate is None):
        raise Refusal("give either min_lr or min_lr_rate", "min_lr", "min_lr_rate")
    return lr * min_lr_rate if min_lr is None else min_lr


def _not_below_0(schedule: Schedule, lowest: Any) -> Schedule:
    return clip(schedule, 0.0) if surely(lowest, lambda v: v < 0) else schedule
