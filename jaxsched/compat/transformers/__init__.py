"""The schedules of Transformers: `get_scheduler` and every schedule it names.

Where Transformers takes an optimizer, these take the base learning rate:
`get_scheduler("cosine", 5e-5, num_warmup_steps=100, num_training_steps=1000)`. Every
function returns an ordinary schedule, and what that prints as is how to write it in this
library's own words. With `last_epoch=n` it goes on after n + 1 steps.
"""

from jaxsched.compat.transformers.cosines import (
    get_cosine_schedule_with_warmup,
    get_cosine_with_hard_restarts_schedule_with_warmup,
    get_cosine_with_min_lr_schedule_with_warmup,
    get_cosine_with_min_lr_schedule_with_warmup_lr_rate,
)
from jaxsched.compat.transformers.metrics import (
    get_greedy_schedule,
    get_reduce_on_plateau_schedule,
)
from jaxsched.compat.transformers.scheduler import get_scheduler
from jaxsched.compat.transformers.warmups import (
    get_constant_schedule,
    get_constant_schedule_with_warmup,
    get_inverse_sqrt_schedule,
    get_linear_schedule_with_warmup,
    get_polynomial_decay_schedule_with_warmup,
)
from jaxsched.compat.transformers.wsd import get_wsd_schedule

__all__ = [
    "get_scheduler",
    "get_constant_schedule",
    "get_constant_schedule_with_warmup",
    "get_linear_schedule_with_warmup",
    "get_cosine_schedule_with_warmup",
    "get_cosine_with_hard_restarts_schedule_with_warmup",
    "get_polynomial_decay_schedule_with_warmup",
    "get_inverse_sqrt_schedule",
    "get_cosine_with_min_lr_schedule_with_warmup",
    "get_cosine_with_min_lr_schedule_with_warmup_lr_rate",
    "get_wsd_schedule",
    "get_reduce_on_plateau_schedule",
    "get_greedy_schedule",
]
