"""Schedules handed to training loops of other libraries: plain functions on the host."""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from jaxsched.combinators.time import retime
from jaxsched.domains.numbers import Number
from jaxsched.inspection.phases import inspected
from jaxsched.rule import admitted, short
from jaxsched.schedule import Schedule, ScheduleLike


def to_torch_lambda(schedule: ScheduleLike, lr: float = 1.0) -> Callable[[int], float]:
    """A schedule as the function that PyTorch's `LambdaLR` multiplies a rate by.

    `LambdaLR(SGD(parameters, lr=1.0), js.to_torch_lambda(schedule))` trains under the
    schedule; `to_torch` makes that scheduler, for any rate. The function can be pickled
    when the schedule can, and `as_schedule` and `compat.torch.from_torch` give the
    schedule back; PyTorch is not imported.

    Args:
      schedule: A schedule, a number, or a callable of the step.
      lr: The optimizer's own learning rate, which is divided out; not 0.

    Returns:
      A function of the step (a whole number) that returns a Python float,
      schedule(step) / lr.

    Raises:
      TypeError: `schedule` is not a schedule, a number or a callable, or `lr` not a
        number.
      ValueError: `lr` is 0 or not finite, or the schedule is stacked.

    >>> import jaxsched as js
    >>> factor = js.to_torch_lambda(js.linear(0.5, 0.0, 4), lr=0.5)
    >>> [factor(step) for step in (0, 1, 4)]
    [1.0, 0.75, 0.0]
    """
    inner = inspected("to_torch_lambda", schedule)
    rate = admitted("to_torch_lambda", "lr", lr, Number())
    if rate == 0:
        raise ValueError(f"to_torch_lambda: lr must not be 0, got lr={lr}")
    return _Factor(inner, float(rate))


def to_torch(
    schedule: ScheduleLike | Sequence[ScheduleLike],
    optimizer: Any,
    last_epoch: int = -1,
) -> Any:
    """A schedule as a PyTorch scheduler that gives an optimizer exactly its values.

    It is a `LambdaLR` of the factors that `to_torch_lambda` makes, each for the base rate
    of its group, so that the rate the optimizer was made with does not matter: after
    `scheduler = js.to_torch(schedule, optimizer)`, k calls of `scheduler.step()` leave
    every group at schedule(k). PyTorch is imported when this is called.

    Args:
      schedule: A schedule, a number or a callable of the step for all groups of
        parameters; or a list of them, one for each group.
      optimizer: A `torch.optim.Optimizer`, whose groups have rates other than 0.
      last_epoch: The last step already made, as for PyTorch's schedulers: -1 for none.

    Returns:
      A `torch.optim.lr_scheduler.LambdaLR`. Its state holds numbers alone, which
      `torch.load` reads: after `load_state_dict` it is at the saved step of the schedule
      that is given here.

    Raises:
      TypeError: There is no schedule, or `optimizer` has no groups of parameters.
      ValueError: A group's rate is 0, there is another number of schedules than of
        groups, or one is stacked.

    >>> import jaxsched as js
    >>> js.to_torch(js.constant(0.1), optimizer=None)
    Traceback (most recent call last):
    TypeError: to_torch: optimizer must be one of PyTorch's, got optimizer=None
    """
    groups = getattr(optimizer, "param_groups", None)
    if not isinstance(groups, list):
        raise TypeError(
            "to_torch: optimizer must be one of PyTorch's, got optimizer="
            f"{short(optimizer)}"
        )
    if isinstance(schedule, (list, tuple)):
        inners = [
            inspected("to_torch", s, f"schedule[{i}]") for i, s in enumerate(schedule)
        ]
    else:
        inners = [inspected("to_torch", schedule)] * len(groups)
    if len(inners) != len(groups):
        raise ValueError(
            "to_torch: schedule must be one, or one for each of the optimizer's "
            f"{len(groups)} groups, got {len(inners)}"
        )
    rates = [float(group.get("initial_lr", group["lr"])) for group in groups]
    for i, rate in enumerate(rates):
        if rate == 0:
            raise ValueError(
                "to_torch: optimizer must not have a rate of 0, for PyTorch multiplies "
                f"it, got lr={rate} in group {i}"
            )
    factors = [_Factor(s, rate) for s, rate in zip(inners, rates, strict=True)]
    schedulers = importlib.import_module("torch.optim.lr_scheduler")
    return schedulers.LambdaLR(optimizer, factors, last_epoch)


def to_keras(schedule: ScheduleLike, steps_per_epoch: int = 1) -> Callable[..., float]:
    """A schedule as the function of Keras' `LearningRateScheduler` callback.

    `keras.callbacks.LearningRateScheduler(js.to_keras(schedule, len(dataset)))` sets the
    rate of each epoch to what the schedule gives at its first step. The function can be
    pickled when the schedule can; Keras is not imported.

    Args:
      schedule: A schedule, a number, or a callable of the step.
      steps_per_epoch: Steps in an epoch, a whole number > 0; 1 for a schedule in epochs.

    Returns:
      A function of the epoch (and of the current rate, which it does not look at) that
      returns a Python float, schedule(epoch * steps_per_epoch).

    Raises:
      TypeError: `schedule` is not a schedule, a number or a callable, or
        `steps_per_epoch` not a whole number.
      ValueError: `steps_per_epoch` is not positive, or the schedule is stacked.

    >>> import jaxsched as js
    >>> rate = js.to_keras(js.linear(1.0, 0.0, 400), steps_per_epoch=100)
    >>> [rate(epoch, 0.1) for epoch in (0, 1, 4)]
    [1.0, 0.75, 0.0]
    """
    inner = inspected("to_keras", schedule)
    steps = admitted(
        "to_keras",
        "steps_per_epoch",
        steps_per_epoch,
        Number(above=0, whole="must", kind="a whole number"),
    )
    return _OfEpoch(inner, int(steps))


@dataclass(unsafe_hash=True)
class _Factor:
    """What `LambdaLR` multiplies a rate by.

    `LambdaLR` saves and loads what is in its `__dict__`. The rate belongs there, for base
    rates are saved too; the schedule does not, for a run may go on under another.
    """

    __slots__ = ("__dict__", "schedule")
    schedule: Schedule
    lr: float

    def __call__(self, step: int) -> float:
        return self.schedule.at(step) / self.lr

    @property
    def __schedule__(self) -> Schedule:
        return self.schedule if self.lr == 1.0 else self.schedule / self.lr


@dataclass(frozen=True)
class _OfEpoch:
    """What Keras' callback asks for the rate of an epoch."""

    schedule: Schedule
    steps_per_epoch: int

    def __call__(self, epoch: int, lr: Any = None) -> float:
        return self.schedule.at(epoch * self.steps_per_epoch)

    @property
    def __schedule__(self) -> Schedule:
        if self.steps_per_epoch == 1:
            return self.schedule
        return retime(self.schedule, _Steps(self.steps_per_epoch))


@dataclass(frozen=True)
class _Steps:
    """A clock from epochs to steps."""

    per_epoch: int

    def __call__(self, epoch: Any) -> Any:
        return epoch * float(self.per_epoch)  # integers would wrap
