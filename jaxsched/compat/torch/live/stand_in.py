"""A copy of a live scheduler that steps without an optimizer, and without a trace."""

import copy
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any


class StandIn:
    """What a scheduler asks of an optimizer: its groups, without the parameters."""

    def __init__(self, optimizer: Any):
        self.param_groups: list[dict[str, Any]] = [
            {key: plain(value) for key, value in group.items() if key != "params"}
            for group in optimizer.param_groups
        ]
        self.defaults: dict[str, Any] = dict(getattr(optimizer, "defaults", {}))
        self._opt_called = True  # PyTorch warns of a scheduler that goes first

    def step(self) -> None:
        """Nothing: there are no parameters."""


vars(StandIn.step)["_wrapped_by_lr_sched"] = True  # or it warns of steps it did not see


def plain(value: Any) -> Any:
    """A number for a tensor of one, so that it is neither shared nor rounded."""
    is_tensor = hasattr(value, "item") and hasattr(value, "numel")
    return value.item() if is_tensor and value.numel() == 1 else value


def copied(scheduler: Any, optimizer: StandIn) -> Any:
    """The scheduler on another optimizer: its own counters, the same functions."""
    twin = object.__new__(type(scheduler))
    for name, value in vars(scheduler).items():
        vars(twin)[name] = _for_twin(name, value, scheduler, twin, optimizer)
    return twin


def _for_twin(
    name: str, value: Any, scheduler: Any, twin: Any, optimizer: StandIn
) -> Any:
    """An attribute of the copy: as large as a list of rates, and never shared."""
    if name == "optimizer":
        return optimizer
    if name == "_schedulers":
        return [copied(part, optimizer) for part in value]
    if isinstance(value, types.MethodType) and value.__self__ is scheduler:
        return types.MethodType(value.__func__, twin)
    if type(value) is list:
        return [own(plain(entry)) for entry in value]
    return own(plain(value))


def rates(
    scheduler: Any, advance: Callable[[Any], None], read: Callable[[Any], float]
) -> Iterator[float]:
    """What a group would be given from now on, one step after another.

    Args:
      scheduler: A live one, which is not touched.
      advance: Makes one step of its copy.
      read: What is asked for, of the groups of the stand-in.
    """
    optimizer = StandIn(scheduler.optimizer)
    twin = copied(scheduler, optimizer)
    while not is_past_its_end(twin):
        yield read(optimizer.param_groups)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # meant for the training loop
            advance(twin)


def is_past_its_end(scheduler: Any) -> bool:
    """Whether a OneCycleLR, which goes past its end by one step, has made that step."""
    parts = getattr(scheduler, "_schedulers", ())
    over = (
        hasattr(scheduler, "_schedule_phases")
        and scheduler.last_epoch >= scheduler.total_steps
    )
    return over or any(map(is_past_its_end, parts))


def own(value: Any) -> Any:
    """A copy of what may change as a scheduler steps: a list, or a callable that counts.

    A copy is shallow: neither parameters nor other arrays are copied.
    """
    try:
        return copy.copy(value)
    except Exception:  # whatever a user's object does when it is copied
        return value
