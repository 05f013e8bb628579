"""Schedulers that drive the momentum too."""

import functools
import inspect
from collections.abc import Callable
from typing import Concatenate, Generic, ParamSpec

from jaxsched.schedule import Schedule

P = ParamSpec("P")


class DrivesMomentum(Generic[P]):
    """A scheduler of the learning rate whose `momentum` is its twin.

    Wraps a function whose first argument says which of the two it is to return.
    """

    def __init__(self, function: Callable[Concatenate[bool, P], Schedule]):
        functools.update_wrapper(self, function)
        parameters = list(inspect.signature(function).parameters.values())[1:]
        self.__signature__: inspect.Signature = inspect.Signature(parameters)
        self._function = function

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Schedule:
        """The schedule of the learning rate."""
        return self._function(False, *args, **kwargs)

    def momentum(self, *args: P.args, **kwargs: P.kwargs) -> Schedule:
        """The schedule of the momentum, or of Adam's first beta: the same arguments."""
        return self._function(True, *args, **kwargs)


def refuse_no_momentum(name: str, cycle_momentum: bool) -> None:
    """Refuses the momentum of a scheduler that leaves it alone."""
    if not cycle_momentum:
        raise ValueError(
            f"{name}: there is no momentum to drive, got cycle_momentum={cycle_momentum}"
        )
