"""Several schedulers: one after another, or all at once."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any

from jaxsched.combinators.products import compounded
from jaxsched.compat.arguments import LastEpoch, LearningRate, Parts, Row, SignedLength
from jaxsched.compat.optax import join_schedules
from jaxsched.compat.peer import peer
from jaxsched.domains import Value
from jaxsched.domains.numbers import surely
from jaxsched.rule import Refusal, known, rule_of, short
from jaxsched.schedule import Schedule

Schedules = Annotated[Sequence[Any], Parts()]


@peer
def SequentialLR(
    lr: LearningRate,
    schedulers: Schedules,
    milestones: Annotated[Sequence[int], Row(SignedLength())],
    last_epoch: LastEpoch = -1,
) -> Schedule:
    """One scheduler after another, each from its step 0: `join(schedulers, milestones)`.

    Inside another `SequentialLR`, PyTorch is wrong: the milestones of the inner one come a
    step early, and the decays of a `ChainedScheduler` count step 0. This does what both
    are documented to do.

    Args:
      lr: The base learning rate of all: not used, each schedule has its own.
      schedulers: n schedules.
      milestones: n - 1 steps at which the next schedule begins, not falling.

    Raises:
      NotImplementedError: A `MultiplicativeLR` is not the first: PyTorch's goes on from
        the rate that the one before it leaves. Give its base rate to `LambdaLR`.

    Example:
      >>> from jaxsched.compat import torch
      >>> ramp = torch.ConstantLR(0.1, factor=0.5, total_iters=20)
      >>> decay = torch.ExponentialLR(0.1, gamma=0.9)
      >>> s = torch.SequentialLR(0.1, [ramp, decay], milestones=[20])
      >>> [round(s.at(t), 4) for t in (0, 19, 20, 21)]
      [0.05, 0.05, 0.1, 0.09]
    """
    if len(milestones) != len(schedulers) - 1:
        raise Refusal(
            "milestones must be one fewer than schedulers", "schedulers", "milestones"
        )
    if known(milestones) and any(b < a for a, b in pairwise(milestones)):
        raise Refusal("milestones must not decrease", "milestones")
    if any(schedule._rule == rule_of(compounded) for schedule in schedulers[1:]):
        raise NotImplementedError(
            "SequentialLR: schedulers may have a MultiplicativeLR only as the first "
            f"entry, got schedulers={short(schedulers)}"
        )
    begins = [max(b, 0) for b in milestones] if known(milestones) else milestones
    return join_schedules(schedulers, begins)


@peer
def ChainedScheduler(schedulers: Schedules, optimizer: Value | None = None) -> Schedule:
    """All schedulers at once: the base rate times the factor of each.

    Formula: s(t) = schedulers[0](t) * (schedulers[1](t) / optimizer) * ... This is what
    PyTorch does for schedulers that multiply the rate they find: `MultiplicativeLR`,
    `StepLR`, `MultiStepLR`, `ConstantLR`, `LinearLR`, `ExponentialLR`, `PolynomialLR`,
    and `CosineAnnealingLR` up to its `T_max` where `eta_min` is 0. The others overwrite
    the rate, so that PyTorch forgets what stands before them in the list.

    Args:
      schedulers: Schedules of the same base rate.
      optimizer: That base rate, not 0.

    Example:
      >>> from jaxsched.compat import torch
      >>> ramp = torch.ConstantLR(0.1, factor=0.5, total_iters=20)
      >>> decay = torch.ExponentialLR(0.1, gamma=0.9)
      >>> s = torch.ChainedScheduler([ramp, decay], optimizer=0.1)
      >>> [round(s.at(t), 4) for t in (0, 1, 2)]
      [0.05, 0.045, 0.0405]
    """
    chain, *factors = schedulers
    if factors and optimizer is None:
        raise Refusal("optimizer must be the base rate of all schedulers", "optimizer")
    if factors and surely(optimizer, lambda rate: rate == 0):
        raise Refusal(
            "optimizer must not be 0, as rates are divided by it", "optimizer"
        )
    for factor in factors:
        chain = chain * (factor / optimizer)
    return chain
