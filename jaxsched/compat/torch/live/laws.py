"""What a live scheduler does to the rate of a group, read from its attributes."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from jaxsched.combinators.time import shift
from jaxsched.compat.lengths import whole
from jaxsched.compat.torch import cycles, decays, one_cycle
from jaxsched.compat.torch.live.functions import function_of
from jaxsched.compat.torch.live.stand_in import own, plain
from jaxsched.schedule import Schedule
from jaxsched.transitions import transition


class Unreadable(Exception):
    """A scheduler, or a state of one, that is no schedule; says why."""


class Law(NamedTuple):
    """One scheduler and one group.

    Attributes:
      of_base: The schedule from the scheduler's beginning, for a base rate.
      base: The base rate of the group, or None for one that was added later.
      made: The steps that the scheduler has made.
      multiplies: Whether a step multiplies the rate that it finds in the group. Other
        schedulers overwrite it.
      end: The step of the scheduler from which on it leaves the rate as it is.
    """

    of_base: Callable[[Any], Schedule]
    base: float | None
    made: float
    multiplies: bool
    end: float = math.inf

    @property
    def left(self) -> float:
        """The steps after which it leaves the rate as it is, from now on."""
        return max(0, self.end - self.made)

    @property
    def known_base(self) -> float:
        """The base rate, where it is known."""
        if self.base is None:
            raise Unreadable(
                "the base rate of a group that was added later is not known"
            )
        return self.base

    def from_now(self, base: float, later: int = 0) -> Schedule:
        """The schedule as it goes on, or so many steps later, for a base rate."""
        schedule, steps = self.of_base(base), self.made + later
        return shift(schedule, steps) if steps else schedule


def law(scheduler: Any, group: int, momentum: bool) -> Law:
    """What a single scheduler does."""
    name = name_of(scheduler)
    refuse_changed(scheduler, name)
    if momentum and getattr(scheduler, "cycle_momentum", False) and name in _MOMENTA:
        return _MOMENTA[name](scheduler, group)
    if momentum:
        raise Unreadable("it does not drive the momentum")
    if name not in _READERS:
        raise Unreadable("its class is none of PyTorch's own")
    return _READERS[name](scheduler, group)


def name_of(scheduler: Any) -> str:
    """The class of PyTorch's that a scheduler is one of."""
    known = {*_READERS, "SequentialLR", "ChainedScheduler"}
    for cls in type(scheduler).__mro__:
        if cls.__name__ in known:
            return cls.__name__
    return type(scheduler).__name__


# What decides about the rates of a scheduler of PyTorch's.
_DECIDING = ("get_lr", "_get_closed_form_lr", "step", "_reduce_lr", "_update_lr")


def refuse_changed(scheduler: Any, name: str) -> None:
    """Refuses a class of the user's own that does something else than PyTorch's."""
    for cls in type(scheduler).__mro__:
        if cls.__name__ == name:
            return
        for method in _DECIDING:
            if method in vars(cls):
                raise Unreadable(f"its class {cls.__name__} has a {method} of its own")


def _base_of(scheduler: Any, group: int) -> float | None:
    return _entry(scheduler.base_lrs, group)


def _entry(values: Any, group: int) -> Any:
    """What a scheduler keeps for a group, if the group was there when it was made."""
    return float(values[group]) if group < len(values) else None


def _with(function: Callable[..., Any], *attributes: str) -> Callable[[Any, int], Law]:
    """Reads schedulers that multiply, whose arguments are attributes of the same name."""

    def read(scheduler: Any, group: int) -> Law:
        given = {name: plain(getattr(scheduler, name)) for name in attributes}
        of_base = lambda base: function(base, **given)
        base, end = _base_of(scheduler, group), given.get("total_iters", math.inf)
        return Law(of_base, base, int(scheduler.last_epoch), True, end)

    return read


def _multistep(scheduler: Any, group: int) -> Law:
    milestones = sorted(scheduler.milestones.elements())
    of_base = lambda base: decays.MultiStepLR(base, milestones, scheduler.gamma)
    end, base = max(milestones, default=0), _base_of(scheduler, group)
    return Law(of_base, base, scheduler.last_epoch, True, end)


def _multiplicative(scheduler: Any, group: int) -> Law:
    factor = _function(scheduler, group)(1.0)
    of_base = lambda base: decays.MultiplicativeLR(base, factor)
    return Law(of_base, _base_of(scheduler, group), scheduler.last_epoch, True)


def _lambda(scheduler: Any, group: int) -> Law:
    of_base = _function(scheduler, group)
    return Law(of_base, _base_of(scheduler, group), scheduler.last_epoch, False)


def _function(scheduler: Any, group: int) -> Callable[[Any], Schedule]:
    if group >= len(scheduler.lr_lambdas):
        raise Unreadable("the function of a group that was added later is not known")
    of_base = function_of(own(scheduler.lr_lambdas[group]))
    if of_base is None:
        raise Unreadable(
            "its function is Python code that JAX cannot trace or that needs integers of "
            "more than 32 bits"
        )
    return of_base


def _restarts(scheduler: Any, group: int) -> Law:
    """The cycle that it is in, and how far: also where that is no whole step."""
    length, growth = whole(scheduler.T_i), scheduler.T_mult

    def of_base(base: Any) -> Schedule:
        return cycles.CosineAnnealingWarmRestarts(
            base, length, growth, float(scheduler.eta_min)
        )

    return Law(of_base, _base_of(scheduler, group), whole(scheduler.T_cur), False)


def _cyclic(scheduler: Any, group: int, momentum: bool = False) -> Law:
    total = scheduler.total_size
    up = round(total * scheduler.step_ratio, 6)  # what it was before it was divided
    make = cycles.CyclicLR.momentum if momentum else cycles.CyclicLR
    bounds: dict[str, Any] = {}
    if momentum:
        bounds = {
            "base_momentum": _entry(scheduler.base_momentums, group),
            "max_momentum": _entry(scheduler.max_momentums, group),
        }
    base, highest = _base_of(scheduler, group), _entry(scheduler.max_lrs, group)
    of_base = lambda base: make(
        base,
        base,
        highest,
        whole(up),
        whole(total - up),
        scheduler.mode,
        scheduler.gamma,
        scheduler._scale_fn_custom,
        scheduler.scale_mode,
        **bounds,
    )
    return Law(of_base, base, scheduler.last_epoch, False)


def _one_cycle(scheduler: Any, group: int, momentum: bool = False) -> Law:
    values = scheduler.optimizer.param_groups[group]
    if momentum:
        names = ("max_momentum", "base_momentum", "max_momentum")
    else:
        names = ("initial_lr", "max_lr", "min_lr")
    if not set(names) <= values.keys():
        raise Unreadable("the bounds of a group that was added later are not known")
    first, peak, last = (float(values[name]) for name in names)
    phases = scheduler._schedule_phases
    shape = "cosine" if scheduler._anneal_func_type == "cos" else "linear"
    end, up = scheduler.total_steps - 1, whole(phases[0]["end_step"])
    of_base = lambda _: one_cycle.phases_of(
        (first, peak, last), end, up, shape, len(phases)
    )
    return Law(of_base, first, scheduler.last_epoch, False)


def _averaging(scheduler: Any, group: int) -> Law:
    """SWALR: from the rate of its beginning to that of the group."""
    values = scheduler.optimizer.param_groups[group]
    if "swa_lr" not in values:
        raise Unreadable("the rate of a group that was added later is not known")
    end, length = float(values["swa_lr"]), max(1, scheduler.anneal_epochs)
    made = max(0, scheduler._step_count - 1)
    shape = "cosine" if scheduler._anneal_strategy == "cos" else "linear"
    share = min(1.0, made / length)
    if shape == "cosine":
        share = (1 - np.cos(np.pi * share)) / 2
    if share == 1.0:
        return Law(lambda _: transition(end, end, length), end, made, False)
    start = (float(values["lr"]) - share * end) / (1 - share)
    of_base = lambda base: transition(base, end, length, shape=shape)
    return Law(of_base, start, made, False)


_READERS: dict[str, Callable[[Any, int], Law]] = {
    "LambdaLR": _lambda,
    "MultiplicativeLR": _multiplicative,
    "StepLR": _with(decays.StepLR, "step_size", "gamma"),
    "MultiStepLR": _multistep,
    "ConstantLR": _with(decays.ConstantLR, "factor", "total_iters"),
    "LinearLR": _with(decays.LinearLR, "start_factor", "end_factor", "total_iters"),
    "ExponentialLR": _with(decays.ExponentialLR, "gamma"),
    "PolynomialLR": _with(decays.PolynomialLR, "total_iters", "power"),
    "CosineAnnealingLR": _with(cycles.CosineAnnealingLR, "T_max", "eta_min"),
    "CosineAnnealingWarmRestarts": _restarts,
    "CyclicLR": _cyclic,
    "OneCycleLR": _one_cycle,
    "SWALR": _averaging,
}

_MOMENTA: dict[str, Callable[[Any, int], Law]] = {
    "CyclicLR": lambda scheduler, group: _cyclic(scheduler, group, momentum=True),
    "OneCycleLR": lambda scheduler, group: _one_cycle(scheduler, group, momentum=True),
}
