"""A copy of a live scheduler that steps without an optimizer, and without a trace."""

import copy
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

# What holds the parameters, or the rate as a tensor that is written in place.
_LEFT_OUT = ("params",)


class StandIn:
    """What a scheduler asks of an optimizer: its groups, without the parameters."""

    def __init__(self, optimizer: Any):
        self.param_groups: list[dict[str, Any]] = [
            {key: plain(value) for key, value in group.items() if key not in _LEFT_OUT}
            for group in optimizer.param_groups
        ]
        self.defaults: dict[str, Any] = dict(getattr(optimizer, "defaults", {}))
        # PyTorch warns of a scheduler that goes before its optimizer.
        self._opt_called = True
        self.step: Callable[..., None] = partial(_nothing)
        vars(self.step)["_wrapped_by_lr_sched"] = True


def plain(value: Any) -> Any:
    """A number for a tensor of one, so that it is neither shared nor rounded."""
    return float(value) if hasattr(value, "item") else value


def copied(scheduler: Any, optimizer: StandIn) -> Any:
    """The scheduler on another optimizer: its own counters, the same functions."""
    twin = object.__new__(type(scheduler))
    for name, value in vars(scheduler).items():
        if name == "optimizer":
            value = optimizer
        elif name == "_schedulers":
            value = [copied(part, optimizer) for part in value]
        elif name == "lr_lambdas":
            value = [own(function) for function in value]
        elif isinstance(value, (list, tuple)):
            value = type(value)(map(plain, value))
        elif isinstance(value, (dict, set)):
            value = copy.copy(value)
        vars(twin)[name] = plain(value)
    return twin


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
    end = getattr(scheduler, "total_steps", None)
    own = isinstance(end, int) and scheduler.last_epoch >= end > 0
    return own or any(map(is_past_its_end, parts))


def own(function: Any) -> Any:
    """An object that can be called may count its calls: a copy of it does so."""
    return copy.copy(function) if hasattr(function, "__dict__") else function


def _nothing() -> None:
    """The step of an optimizer that has no parameters."""
