"""Live PyTorch schedulers as schedules, read by their attributes."""

from collections.abc import Callable
from typing import Any

from jaxsched.combinators.time import shift
from jaxsched.compat.lengths import whole
from jaxsched.compat.torch import cycles, decays, one_cycle, plateau, several
from jaxsched.metric_driven.machine import MetricDriven
from jaxsched.rule import short
from jaxsched.schedule import Schedule


def from_torch(scheduler: Any, group: int = 0) -> Schedule | MetricDriven:
    """A live PyTorch scheduler as a schedule that goes on where the scheduler is.

    Step 0 is the scheduler's current rate. Reads the scheduler's attributes; PyTorch is
    not imported. Of a `ReduceLROnPlateau` the current rate and the options are kept, and
    what it remembers of the metric is not: its counters begin anew.

    Args:
      scheduler: An instance of a scheduler of `torch.optim.lr_scheduler` or of a subclass
        that does not change its formula.
      group: Which group of parameters.

    Returns:
      A `Schedule`, or a `MetricDriven` schedule for `ReduceLROnPlateau`.

    Raises:
      TypeError: The scheduler is not one of PyTorch's.
      ValueError: There is no such group.

    Example:
      >>> from types import SimpleNamespace
      >>> from jaxsched.compat import torch
      >>> class StepLR(SimpleNamespace):
      ...     "Stands for torch.optim.lr_scheduler.StepLR."
      >>> torch.from_torch(StepLR(base_lrs=[0.1], step_size=30, gamma=0.5, last_epoch=12))
      shift(schedule=step_decay(init_value=0.1, factor=0.5, every=30), steps=12)
    """
    read = _reader(scheduler)
    groups = scheduler.optimizer.param_groups if hasattr(scheduler, "optimizer") else []
    groups = groups or scheduler.base_lrs
    if not 0 <= group < len(groups):
        raise ValueError(
            f"from_torch: group must be below {len(groups)}, got group={group}"
        )
    schedule = read(scheduler, group)
    made = _steps_made(scheduler)
    if made == 0 or isinstance(schedule, MetricDriven):
        return schedule
    return shift(schedule, made)


def _reader(scheduler: Any) -> Callable[[Any, int], Any]:
    for cls in type(scheduler).__mro__:
        if cls.__name__ in _READERS:
            return _READERS[cls.__name__]
    raise TypeError(
        "from_torch: scheduler must be one of PyTorch's schedulers, got scheduler="
        f"{short(scheduler)}"
    )


def _steps_made(scheduler: Any) -> int:
    if hasattr(scheduler, "_schedulers") and not hasattr(scheduler, "_milestones"):
        return _steps_made(scheduler._schedulers[0])  # a chain has no count of its own
    return int(scheduler.last_epoch)


def _from_the_start(scheduler: Any, group: int) -> Any:
    """The schedule from its beginning."""
    return _reader(scheduler)(scheduler, group)


def _base(scheduler: Any, group: int) -> float:
    return float(scheduler.base_lrs[group])


def _function(scheduler: Any, group: int) -> tuple[float, Any]:
    return _base(scheduler, group), scheduler.lr_lambdas[group]


def _with(
    function: Callable[..., Any], *attributes: str
) -> Callable[[Any, int], Schedule]:
    """Reads schedulers whose arguments are attributes of the same name."""

    def read(scheduler: Any, group: int) -> Schedule:
        given = {name: getattr(scheduler, name) for name in attributes}
        return function(_base(scheduler, group), **given)

    return read


def _cyclic(scheduler: Any, group: int) -> Schedule:
    total = scheduler.total_size
    up = round(total * scheduler.step_ratio, 6)  # what it was before it was divided
    return cycles.CyclicLR(
        _base(scheduler, group),
        _base(scheduler, group),
        float(scheduler.max_lrs[group]),
        whole(up),
        whole(total - up),
        scheduler.mode,
        scheduler.gamma,
        scheduler._scale_fn_custom,
        scheduler.scale_mode,
    )


def _one_cycle(scheduler: Any, group: int) -> Schedule:
    values = scheduler.optimizer.param_groups[group]
    phases = scheduler._schedule_phases
    return one_cycle.phases_of(
        (float(values["initial_lr"]), float(values["max_lr"]), float(values["min_lr"])),
        scheduler.total_steps - 1,
        whole(phases[0]["end_step"]),
        "cosine" if scheduler._anneal_func_type == "cos" else "linear",
        len(phases),
    )


def _sequential(scheduler: Any, group: int) -> Schedule:
    parts = [_from_the_start(part, group) for part in scheduler._schedulers]
    return several.SequentialLR(0.0, parts, scheduler._milestones)


def _chained(scheduler: Any, group: int) -> Schedule:
    parts = [_from_the_start(part, group) for part in scheduler._schedulers]
    base = _base(scheduler._schedulers[0], group)
    return several.ChainedScheduler(parts, base)


def _plateau(scheduler: Any, group: int) -> MetricDriven:
    return plateau.ReduceLROnPlateau(
        float(scheduler.optimizer.param_groups[group]["lr"]),
        scheduler.mode,
        scheduler.factor,
        scheduler.patience,
        scheduler.threshold,
        scheduler.threshold_mode,
        scheduler.cooldown,
        scheduler.min_lrs[group],
        scheduler.eps,
    )


def _multistep(scheduler: Any, group: int) -> Schedule:
    milestones = scheduler.milestones.elements()
    return decays.MultiStepLR(_base(scheduler, group), milestones, scheduler.gamma)


_READERS: dict[str, Callable[[Any, int], Any]] = {
    "LambdaLR": lambda s, g: decays.LambdaLR(*_function(s, g)),
    "MultiplicativeLR": lambda s, g: decays.MultiplicativeLR(*_function(s, g)),
    "StepLR": _with(decays.StepLR, "step_size", "gamma"),
    "MultiStepLR": _multistep,
    "ConstantLR": _with(decays.ConstantLR, "factor", "total_iters"),
    "LinearLR": _with(decays.LinearLR, "start_factor", "end_factor", "total_iters"),
    "ExponentialLR": _with(decays.ExponentialLR, "gamma"),
    "PolynomialLR": _with(decays.PolynomialLR, "total_iters", "power"),
    "CosineAnnealingLR": _with(cycles.CosineAnnealingLR, "T_max", "eta_min"),
    "CosineAnnealingWarmRestarts": _with(
        cycles.CosineAnnealingWarmRestarts, "T_0", "T_mult", "eta_min"
    ),
    "CyclicLR": _cyclic,
    "OneCycleLR": _one_cycle,
    "SequentialLR": _sequential,
    "ChainedScheduler": _chained,
    "ReduceLROnPlateau": _plateau,
}
