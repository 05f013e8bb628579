"""timm's schedulers: the same names and arguments, as values.

Where timm takes an optimizer, these take the base learning rate:
`CosineLRScheduler(0.1, t_initial=100)`. Time is in whatever the scheduler would be
stepped by, epochs or updates: `t_in_epochs` and `initialize` are taken and not used.
Every function returns an ordinary schedule, and what that prints as is how to write it in
this library's own words.

Without `warmup_prefix` the decay's clock runs during the ramp, as in timm. timm's noise
comes from PyTorch's generator, whose numbers there are not here: with `noise_range_t` the
noise has the same distribution and is other noise.
"""

from jaxsched.compat.timm.decays import (
    CosineLRScheduler,
    PolyLRScheduler,
    TanhLRScheduler,
)
from jaxsched.compat.timm.steps import MultiStepLRScheduler, StepLRScheduler
from jaxsched.compat.timm.wsd import WSDLRScheduler

__all__ = [
    "CosineLRScheduler",
    "TanhLRScheduler",
    "PolyLRScheduler",
    "StepLRScheduler",
    "MultiStepLRScheduler",
    "WSDLRScheduler",
]
