"""PyTorch's learning-rate schedulers: the same names and arguments, as values.

Where PyTorch takes an optimizer, these take the base learning rate:
`StepLR(0.1, step_size=30)`. One step of the scheduler is one step here. Every function
returns an ordinary schedule, and what that prints as is how to write it in this library's
own words. With `last_epoch=n` it goes on after n + 1 steps, as PyTorch's does.

`CyclicLR` and `OneCycleLR` also drive the momentum: `OneCycleLR.momentum(...)`, with the
same arguments, is that schedule. `from_torch` reads a live scheduler.
"""

from jaxsched.compat.plateau import ReduceLROnPlateau
from jaxsched.compat.torch.cycles import (
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    CyclicLR,
)
from jaxsched.compat.torch.decays import (
    ConstantLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from jaxsched.compat.torch.live import from_torch
from jaxsched.compat.torch.one_cycle import OneCycleLR
from jaxsched.compat.torch.several import ChainedScheduler, SequentialLR

__all__ = [
    "LambdaLR",
    "MultiplicativeLR",
    "StepLR",
    "MultiStepLR",
    "ConstantLR",
    "LinearLR",
    "ExponentialLR",
    "PolynomialLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "OneCycleLR",
    "SequentialLR",
    "ChainedScheduler",
    "ReduceLROnPlateau",
    "from_torch",
]
