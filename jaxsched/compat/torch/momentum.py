"""Schedulers that drive the momentum too."""

import functools
import inspect
from collections.abc import Callable
from typing import Concatenate, Generic, ParamSpec

from jaxsched.compat.peer import with_first
from jaxsched.rule import Refusal
from jaxsched.schedule import Schedule

P = ParamSpec("P")


class DrivesMomentum(Generic[P]):
    """A scheduler of the learning rate whose `momentum` is its twin.

    Wraps a function whose first argument says which of the two it is to return.
    """

    def __init__(self, function: Callable[Concatenate[bool, P], Schedule]):
        self._rate: Callable[P, Schedule] = with_first(function, False)
        self._momentum: Callable[P, Schedule] = with_first(function, True)
        functools.update_wrapper(self, self._rate)
        self.__signature__: inspect.Signature = inspect.signature(self._rate)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Schedule:
        """The schedule of the learning rate."""
        return self._rate(*args, **kwargs)

    def momentum(self, *args: P.args, **kwargs: P.kwargs) -> Schedule:
        """The schedule of the momentum, or of Adam's first beta: the same arguments."""
        return self._momentum(*args, **kwargs)


def refuse_no_momentum(cycle_momentum: bool) -> None:
    """Refuses the momentum of a scheduler that leaves it alone."""
    if not cycle_momentum:
        raise Refusal("there is no momentum to drive", "cycle_momentum")
