"""Schedules handed to training loops of other libraries: plain functions on the host."""

from collections.abc import Callable
from functools import partial
from typing import Any

from jaxsched.domains.numbers import Number
from jaxsched.rule import admitted
from jaxsched.schedule import Inner, Schedule, ScheduleLike


def to_torch_lambda(schedule: ScheduleLike, lr: float = 1.0) -> Callable[[int], float]:
    """A schedule as the function that PyTorch's `LambdaLR` multiplies a rate by.

    `LambdaLR(SGD(parameters, lr=1.0), js.to_torch_lambda(schedule))` trains under the
    schedule. The function can be pickled when the schedule can; PyTorch is not imported.

    Args:
      schedule: A schedule, a number, or a callable of the step.
      lr: The optimizer's own learning rate, which is divided out; not 0.

    Returns:
      A function of the step (a whole number) that returns a Python float,
      schedule(step) / lr.

    Raises:
      TypeError: `schedule` is not a schedule, a number or a callable, or `lr` not a
        number.
      ValueError: `lr` is 0 or not finite.

    >>> import jaxsched as js
    >>> factor = js.to_torch_lambda(js.linear(0.5, 0.0, 4), lr=0.5)
    >>> [factor(step) for step in (0, 1, 4)]
    [1.0, 0.75, 0.0]
    """
    inner = admitted("to_torch_lambda", "schedule", schedule, Inner())
    rate = admitted("to_torch_lambda", "lr", lr, Number())
    if rate == 0:
        raise ValueError(f"to_torch_lambda: lr must not be 0, got lr={lr}")
    return partial(_divided, inner, rate)


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
      ValueError: `steps_per_epoch` is not positive.

    >>> import jaxsched as js
    >>> rate = js.to_keras(js.linear(1.0, 0.0, 400), steps_per_epoch=100)
    >>> [rate(epoch, 0.1) for epoch in (0, 1, 4)]
    [1.0, 0.75, 0.0]
    """
    inner = admitted("to_keras", "schedule", schedule, Inner())
    steps = admitted(
        "to_keras",
        "steps_per_epoch",
        steps_per_epoch,
        Number(above=0, whole="must", kind="a whole number"),
    )
    return partial(_of_epoch, inner, int(steps))


def _divided(schedule: Schedule, lr: Any, step: int) -> float:
    return schedule.at(step) / float(lr)


def _of_epoch(
    schedule: Schedule, steps_per_epoch: int, epoch: int, lr: Any = None
) -> float:
    return schedule.at(epoch * steps_per_epoch)
