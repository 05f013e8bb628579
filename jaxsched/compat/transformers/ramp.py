"""The ramp from 0 that most schedules of Transformers begin with."""

from typing import Any

from jaxsched.combinators.sequence import join, warmup
from jaxsched.combinators.time import shift
from jaxsched.compat.torch.last_epoch import resumed
from jaxsched.domains.numbers import surely
from jaxsched.schedule import Schedule, ScheduleLike, as_schedule
from jaxsched.transitions import linear


def after_ramp(
    name: str,
    lr: Any,
    steps: Any,
    schedule: ScheduleLike,
    last_epoch: int,
    *,
    starts_at_lr: bool = True,
) -> Schedule:
    """A ramp from 0 to `lr`, then the schedule; resumed after `last_epoch`."""
    if surely(steps, lambda n: n <= 0):
        body = as_schedule(schedule)
        whole = shift(body, -steps) if steps < 0 else body
    elif starts_at_lr:
        whole = warmup(schedule, steps, init_value=0.0)
    else:
        whole = join([linear(0.0, lr, steps), schedule], [steps])
    return resumed(name, whole, last_epoch)
