"""Live PyTorch schedulers as schedules, which are proven before they are given out."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from jaxsched.combinators.sequence import join
from jaxsched.combinators.time import stretch
from jaxsched.compat import plateau, transformers
from jaxsched.compat.torch.live.laws import Unreadable, refuse_changed
from jaxsched.compat.torch.live.proof import Future, prove, table
from jaxsched.compat.torch.live.several import from_now
from jaxsched.compat.torch.live.stand_in import (
    past_its_end,
    plain,
    random_states_kept,
    rates,
)
from jaxsched.domains.numbers import whole_number
from jaxsched.metric_driven.machine import MetricDriven
from jaxsched.rule import admitted, short
from jaxsched.schedule import Schedule
from jaxsched.schedule.arguments import constant


def from_torch(
    scheduler: Any,
    group: int = 0,
    *,
    steps: int | None = None,
    momentum: bool = False,
) -> Schedule | MetricDriven:
    """A live PyTorch scheduler as a schedule that goes on where the scheduler is.

    Step 0 is the rate that the optimizer's group has now, step k the rate that it will
    have after k more `scheduler.step()`. This holds in whatever state the scheduler is:
    after a rate was changed by hand, a state was loaded, or another scheduler was there
    before. It is proven before the schedule is returned: a copy of the scheduler makes
    40 steps, and more until the last phase of the schedule has begun, up to 2,000. The
    copy has no parameters, and the scheduler and its optimizer are not touched. A
    scheduler whose copy gives other rates is refused.

    The schedulers of Transformers are read as what they are, those of Accelerate as what
    they hold; with several processes, one step of theirs is as many. Of a
    `ReduceLROnPlateau` or a `GreedyLR` the current rate and the options are kept, and what
    it remembers of the metric is not: its counters begin anew, and nothing is compared.
    PyTorch's `OneCycleLR` can be stepped once past its end, to a rate beyond its last
    one; the schedule stays at the last one, but with Accelerate, which then steps it no
    more, at that one.

    A function of Python is called on a copy, with what it has captured and its defaults;
    what it changes in its module is changed. One that holds a generator or an open file,
    which cannot be copied, is refused.

    Args:
      scheduler: A scheduler of `torch.optim.lr_scheduler`, of `torch.optim.swa_utils`, of
        Transformers or of Accelerate; with `steps` also one of your own.
      group: Which group of parameters, from 0.
      steps: The number of steps that are needed, >= 1. What cannot be read (a function
        of Python that JAX cannot trace, a class of your own, a chain whose parts mix) is
        then a table of so many steps, which holds its last value.
      momentum: Whether to read the momentum of a `OneCycleLR` or `CyclicLR` (the first
        beta of Adam), instead of the rate.

    Returns:
      A `Schedule`, or a `MetricDriven` schedule for those that a metric drives.

    Raises:
      TypeError: It is no scheduler that is stepped without arguments.
      ValueError: There is no such group, the state cannot be read and `steps` is not
        given, or the scheduler would do something else: with both numbers and the step.

    Example:
      >>> from types import SimpleNamespace
      >>> from jaxsched.compat import torch
      >>> class StepLR(SimpleNamespace):
      ...     "Stands for torch.optim.lr_scheduler.StepLR."
      ...     def step(self):
      ...         self.last_epoch += 1
      ...         if self.last_epoch % self.step_size == 0:
      ...             self.optimizer.param_groups[0]["lr"] *= self.gamma
      >>> optimizer = SimpleNamespace(param_groups=[{"lr": 0.1}])
      >>> live = StepLR(
      ...     optimizer=optimizer, base_lrs=[0.1], step_size=30, gamma=0.5, last_epoch=12
      ... )
      >>> torch.from_torch(live)
      shift(schedule=step_decay(init_value=0.1, factor=0.5, every=30), steps=12)
    """
    inner, processes, stops = _unwrapped(scheduler)
    count = None if steps is None else _whole("steps", steps, 1)
    groups = inner.optimizer.param_groups
    if _whole("group", group, 0) >= len(groups):
        raise ValueError(
            f"from_torch: group must be below {len(groups)}, got group={group}"
        )
    if not momentum and (driven := _driven(inner, group)) is not None:
        return driven
    read = _momentum_of if momentum else _rate_of
    if momentum and read(groups[group]) is None:
        raise ValueError(
            f"from_torch: momentum must be False, for group={group} has none, got "
            "momentum=True"
        )

    def read_now(groups: Any) -> float:
        return float(read(groups[group]))

    def advance(twin: Any) -> None:
        for _ in range(processes):
            if not stops or twin._step_count <= twin.total_steps:
                twin.step()

    def future() -> Future:
        found = rates(inner, advance, read_now)
        # Accelerate stays one step past the end, so that what is there is no accident.
        return ((rate, is_past and not stops) for rate, is_past in found)

    now = read_now(groups)
    if not np.isfinite(now):
        raise ValueError(
            f"from_torch: scheduler must have a finite rate in group={group}, but has "
            f"{now}, got scheduler={_shown(scheduler)}"
        )
    try:
        with random_states_kept():  # functions of the user's are called
            schedule = from_now(inner, group, now, momentum)
        if processes & (processes - 1):  # a part of a step that is no exact number
            raise Unreadable(
                f"it makes {processes} steps at once, which is no power of two"
            )
        if processes > 1:
            schedule = stretch(schedule, 1 / processes)
        if stops and hasattr(inner, "_schedule_phases"):
            end = -(-(inner.total_steps - inner.last_epoch) // processes)
            beyond = past_its_end(inner, read_now)
            schedule = join([schedule, beyond], [end]) if end > 0 else constant(now)
        prove(schedule, future(), count)
    except (Unreadable, ValueError, TypeError) as reason:  # or a schedule refuses it
        if count is None:
            raise ValueError(
                f"from_torch: scheduler cannot be read, for {reason}; to get a "
                f"table of its next N rates, give steps=N, got scheduler="
                f"{_shown(scheduler)}"
            ) from None
        return table(_shown(scheduler), future, count)
    return schedule


def _whole(argument: str, value: Any, least: int) -> int:
    return int(admitted("from_torch", argument, value, whole_number(least)))


def _unwrapped(scheduler: Any) -> tuple[Any, int, bool]:
    """PyTorch's scheduler, how many of its steps are one, and whether Accelerate stops to
    step it at its `total_steps`.
    """
    processes, stops = 1, False
    if type(scheduler).__name__ == "AcceleratedScheduler":
        inner = scheduler.scheduler
        if scheduler.step_with_optimizer and not scheduler.split_batches:
            state = sys.modules["accelerate.state"].AcceleratorState()
            processes, stops = state.num_processes, hasattr(inner, "total_steps")
        scheduler = inner
    module = type(scheduler).__module__ or ""
    if module.startswith("timm."):
        raise TypeError(
            "from_torch: scheduler must be one of PyTorch's; for one of timm's call the "
            f"function of its name in jaxsched.compat.timm, got scheduler="
            f"{_shown(scheduler)}"
        )
    if not hasattr(scheduler, "step") or not hasattr(
        getattr(scheduler, "optimizer", None), "param_groups"
    ):
        raise TypeError(
            "from_torch: scheduler must be one of PyTorch's schedulers, got scheduler="
            f"{_shown(scheduler)}"
        )
    return scheduler, processes, stops


def _shown(scheduler: Any) -> str:
    """Its class, or what was given in its place."""
    if hasattr(scheduler, "step"):
        return f"<{type(scheduler).__module__}.{type(scheduler).__qualname__}>"
    return short(scheduler)


def _rate_of(group: dict[str, Any]) -> Any:
    return group["lr"]


def _momentum_of(group: dict[str, Any]) -> Any:
    return group["betas"][0] if "betas" in group else group.get("momentum")


def _driven(scheduler: Any, group: int) -> MetricDriven | None:
    """One that a metric drives, or None."""
    for name in (cls.__name__ for cls in type(scheduler).__mro__):
        if name in _DRIVEN:
            _as_pytorch_has_it(scheduler, name)
            make, attributes = _DRIVEN[name]
            given = {key: plain(getattr(scheduler, key)) for key in attributes}
            for argument in ("min_lr", "max_lr"):
                if limits := getattr(scheduler, f"{argument}s", None):
                    given[argument] = _limit(argument, limits, group)
            if hasattr(scheduler, "reset_start_original"):
                given["reset_start"] = scheduler.reset_start_original
            rate = float(scheduler.optimizer.param_groups[group]["lr"])
            return make(rate, **given)
    return None


def _as_pytorch_has_it(scheduler: Any, name: str) -> None:
    try:
        refuse_changed(scheduler, name)
    except Unreadable as reason:
        raise ValueError(
            f"from_torch: scheduler cannot be read, for {reason}, got scheduler="
            f"{_shown(scheduler)}"
        ) from None


def _limit(argument: str, limits: Any, group: int) -> float:
    if group >= len(limits):
        raise ValueError(
            f"from_torch: group must be one that the scheduler was made with, for "
            f"{argument} of groups added later is not known, got group={group}"
        )
    return float(limits[group])


# What a metric drives: the function, and the attributes that are its arguments.
_DRIVEN: dict[str, tuple[Callable[..., MetricDriven], tuple[str, ...]]] = {
    "ReduceLROnPlateau": (
        plateau.ReduceLROnPlateau,
        (
            *("mode", "factor", "patience", "threshold", "threshold_mode"),
            *("cooldown", "eps"),
        ),
    ),
    "GreedyLR": (
        transformers.get_greedy_schedule,
        (
            *("mode", "factor", "patience", "threshold", "threshold_mode"),
            *("cooldown", "warmup", "eps", "smooth", "window_size"),
        ),
    ),
}
