"""The ramp from 0 that most schedules of Transformers begin with."""

from typing import Annotated, Any

from jaxsched.combinators.sequence import join, warmup
from jaxsched.combinators.time import shift
from jaxsched.compat.arguments import AnyLength
from jaxsched.domains.numbers import surely
from jaxsched.schedule import Schedule, ScheduleLike, as_schedule
from jaxsched.transitions import linear

WarmupSteps = Annotated[AnyLength, "The length of the ramp."]
TrainingSteps = Annotated[AnyLength, "The length of the whole."]


def after_ramp(
    lr: Any, steps: Any, schedule: ScheduleLike, *, starts_at_lr: bool = True
) -> Schedule:
    """A ramp from 0 to `lr`, then the schedule."""
    if surely(steps, lambda n: n <= 0):
        body = as_schedule(schedule)
        return shift(body, -steps) if steps < 0 else body
    if starts_at_lr:
        return warmup(schedule, steps, init_value=0.0)
    return join([linear(0.0, lr, steps), schedule], [steps])
