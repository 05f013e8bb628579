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
      base: The base rate of the group.
      made: The steps that the scheduler has made.
      multiplies: Whether a step multiplies the rate that it finds in the group. Other
        schedulers overwrite it.
      end: The step of the scheduler from which on it leaves the rate as it is.
    """

    of_base: Callable[[Any], Schedule]
    base: float
    made: float
    multiplies: bool
    end: float = math.inf

    @property
    def left(self) -> float:
        """The steps after which it leaves the rate as it is, from now on."""
        return max(0, self.end - self.made)

    def from_now(self, base: float, later: int = 0) -> Schedule:
        """The schedule as it goes on, or so many steps later, for a base rate."""
        schedule, steps = self.of_base(base), self.made + later
        return shift(schedule, steps) if steps else schedule


def law(scheduler: Any, group: int, momentum: bool) -> Law:
    """What a single scheduler does."""
    for cls in type(scheduler).__mro__:
        if momentum and cls.__name__ in _MOMENTA:
            return _MOMENTA[cls.__name__](scheduler, group)
        if not momentum and cls.__name__ in _READERS:
            return _READERS[cls.__name__](scheduler, group)
    raise Unreadable("it is none of PyTorch's own classes")


def name_of(scheduler: Any) -> str:
    """The class of PyTorch's that a scheduler is one of."""
    known = {*_READERS, "SequentialLR", "ChainedScheduler", "CosineAnnealingLR"}
    for cls in type(scheduler).__mro__:
        if cls.__name__ in known:
            return cls.__name__
    return type(scheduler).__name__


def base_of(scheduler: Any, group: int) -> float:
    """The base rate of a group; that of one that was added later is not known."""
    bases = scheduler.base_lrs
    return float(bases[group]) if group < len(bases) else math.nan


def _with(function: Callable[..., Any], *attributes: str) -> Callable[[Any, int], Law]:
    """Reads schedulers that multiply, whose arguments are attributes of the same name."""

    def read(scheduler: Any, group: int) -> Law:
        given = {name: plain(getattr(scheduler, name)) for name in attributes}
        of_base = lambda base: function(base, **given)
        base, end = base_of(scheduler, group), given.get("total_iters", math.inf)
        return Law(of_base, base, int(scheduler.last_epoch), True, end)

    return read


def _multistep(scheduler: Any, group: int) -> Law:
    milestones = sorted(scheduler.milestones.elements())
    of_base = lambda base: decays.MultiStepLR(base, milestones, scheduler.gamma)
    end, base = max(milestones, default=0), base_of(scheduler, group)
    return Law(of_base, base, scheduler.last_epoch, True, end)


def _multiplicative(scheduler: Any, group: int) -> Law:
    factor = _function(scheduler, group)(1.0)
    of_base = lambda base: decays.MultiplicativeLR(base, factor)
    return Law(of_base, base_of(scheduler, group), scheduler.last_epoch, True)


def _lambda(scheduler: Any, group: int) -> Law:
    of_base = _function(scheduler, group)
    return Law(of_base, base_of(scheduler, group), scheduler.last_epoch, False)


def _function(scheduler: Any, group: int) -> Callable[[Any], Schedule]:
    if group >= len(scheduler.lr_lambdas):
        raise Unreadable("it has no function for that group, which was added later")
    of_base = function_of(own(scheduler.lr_lambdas[group]))
    if of_base is None:
        raise Unreadable("its function is Python code that JAX cannot trace")
    return of_base


def _restarts(scheduler: Any, group: int) -> Law:
    """The cycle that it is in, and how far: also where that is no whole step."""
    length, growth = whole(scheduler.T_i), scheduler.T_mult

    def of_base(base: Any) -> Schedule:
        return cycles.CosineAnnealingWarmRestarts(
            base, length, growth, float(scheduler.eta_min)
        )

    return Law(of_base, base_of(scheduler, group), whole(scheduler.T_cur), False)


def _cyclic(scheduler: Any, group: int, momentum: bool = False) -> Law:
    total = scheduler.total_size
    up = round(total * scheduler.step_ratio, 6)  # what it was before it was divided
    make = cycles.CyclicLR.momentum if momentum else cycles.CyclicLR
    bounds: dict[str, Any] = {}
    if momentum:
        bounds = {
            "base_momentum": float(scheduler.base_momentums[group]),
            "max_momentum": float(scheduler.max_momentums[group]),
        }
    base = base_of(scheduler, group)
    of_base = lambda base: make(
        base,
        base,
        float(scheduler.max_lrs[group]),
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
        raise Unreadable("the group lacks its bounds, for it was added later")
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
        raise Unreadable("the group lacks its rate, for it was added later")
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
