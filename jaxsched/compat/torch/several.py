"""Several schedulers: one after another, or all at once."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from jaxsched.arrays import Numeric
from jaxsched.combinators.products import compounded
from jaxsched.compat.optax import join_schedules
from jaxsched.compat.torch.last_epoch import resumed
from jaxsched.metric_driven.machine import MetricDriven
from jaxsched.rule import known, rule_of
from jaxsched.schedule import Schedule, ScheduleLike, as_schedule


def SequentialLR(
    lr: Numeric,
    schedulers: Sequence[ScheduleLike],
    milestones: Sequence[int],
    last_epoch: int = -1,
) -> Schedule:
    """One after another, each from its own step 0: `join(schedulers, milestones)`.

    Inside another `SequentialLR`, PyTorch is wrong: the milestones of the inner one come a
    step early, and the decays of a `ChainedScheduler` count step 0. This does what both
    are documented to do.

    Args:
      lr: The base learning rate of all: not used, each schedule has its own.
      schedulers: n schedules.
      milestones: n - 1 steps at which the next schedule begins, not falling.
      last_epoch: The last step already made, -1 for none.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: The counts do not fit, the milestones fall, or a schedule is driven by
        a metric.
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
    _refuse_metrics("SequentialLR", schedulers)
    if len(milestones) != len(schedulers) - 1:
        raise ValueError(
            "SequentialLR: milestones must be one fewer than schedulers, got "
            f"{len(milestones)} and {len(schedulers)}"
        )
    if known(milestones) and any(b < a for a, b in pairwise(milestones)):
        raise ValueError(
            f"SequentialLR: milestones must not fall, got milestones={milestones}"
        )
    if any(_is_compounded(schedule) for schedule in schedulers[1:]):
        raise NotImplementedError(
            "SequentialLR: a MultiplicativeLR that is not the first of the schedulers"
        )
    begins = [max(b, 0) for b in milestones] if known(milestones) else milestones
    return resumed("SequentialLR", join_schedules(schedulers, begins), last_epoch)


def ChainedScheduler(
    schedulers: Sequence[ScheduleLike], optimizer: Numeric | None = None
) -> Schedule:
    """All at once: the base rate times what each makes of it.

    Formula: s(t) = schedulers[0](t) * (schedulers[1](t) / optimizer) * ... This is what
    PyTorch does for schedulers that multiply the rate they find: `MultiplicativeLR`,
    `StepLR`, `MultiStepLR`, `ConstantLR`, `LinearLR`, `ExponentialLR`, `PolynomialLR`,
    and `CosineAnnealingLR` up to its `T_max` where `eta_min` is 0. The others overwrite
    the rate, so that PyTorch forgets what stands before them in the list.

    Args:
      schedulers: Schedules of the same base rate.
      optimizer: That base rate, not 0.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: There is no schedule, no base rate, or one is driven by a metric.
      TypeError: An argument is of the wrong kind.

    Example:
      >>> from jaxsched.compat import torch
      >>> ramp = torch.ConstantLR(0.1, factor=0.5, total_iters=20)
      >>> decay = torch.ExponentialLR(0.1, gamma=0.9)
      >>> s = torch.ChainedScheduler([ramp, decay], optimizer=0.1)
      >>> [round(s.at(t), 4) for t in (0, 1, 2)]
      [0.05, 0.045, 0.0405]
    """
    _refuse_metrics("ChainedScheduler", schedulers)
    if optimizer is None and len(schedulers) > 1:
        raise ValueError(
            "ChainedScheduler: optimizer must be the base learning rate of all "
            "schedulers, got optimizer=None"
        )
    chain = as_schedule(schedulers[0])
    for factor in schedulers[1:]:
        chain = chain * (as_schedule(factor) / optimizer)
    return chain


def _refuse_metrics(name: str, schedulers: Sequence[Any]) -> None:
    if not schedulers:
        raise ValueError(f"{name}: schedulers must hold at least one schedule")
    for i, schedule in enumerate(schedulers):
        if isinstance(schedule, MetricDriven):
            raise ValueError(
                f"{name}: a schedule driven by a metric cannot be one of several, got "
                f"schedulers[{i}]={schedule!r}"
            )


def _is_compounded(schedule: ScheduleLike) -> bool:
    return isinstance(schedule, Schedule) and schedule._rule == rule_of(compounded)
