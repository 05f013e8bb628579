"""A copy of a live scheduler that steps without an optimizer, and without a trace."""

import copy
import random
import sys
import types
import warnings
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import numpy as np


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
    """The scheduler on another optimizer, and all that it holds and may change."""
    return _Copies({id(scheduler.optimizer): optimizer}).of(scheduler)


def own(value: Any) -> Any:
    """A function with what it holds and may change as it is called."""
    return _Copies({}).of(value)


class _Copies:
    """Copies of what a scheduler holds, each once: counters, other schedulers, functions
    with the variables that they have captured. Parameters, models and long lists are not
    copied; what a function keeps in its module cannot be.
    """

    def __init__(self, known: dict[int, Any]):
        self.known = known
        self.kept: list[Any] = []  # so that no other object gets an id of theirs

    def of(self, value: Any) -> Any:
        """The copy of a value, or itself where it cannot change."""
        if id(value) in self.known:
            return self.known[id(value)]
        self.kept.append(value)
        make = self._maker(value)
        return value if make is None else make(value)

    def _maker(self, value: Any) -> Callable[[Any], Any] | None:
        if isinstance(value, _ATOMS) or _is_large(value):
            return None
        if _is_tensor(value):
            return plain
        if isinstance(value, types.MethodType):
            return lambda v: types.MethodType(v.__func__, self.of(v.__self__))
        if isinstance(value, types.FunctionType):
            return self._function if value.__closure__ else None
        if isinstance(value, partial):
            return self._partial
        if type(value) in (tuple, set, frozenset):
            return lambda v: type(v)(map(self.of, v))
        return self._object

    def _function(self, function: types.FunctionType) -> Any:
        """One whose captured variables are its own."""
        cells = tuple(types.CellType() for _ in function.__closure__ or ())
        twin = types.FunctionType(
            function.__code__,
            function.__globals__,
            function.__name__,
            function.__defaults__,
            cells,
        )
        twin.__kwdefaults__ = function.__kwdefaults__
        vars(twin).update(vars(function))
        twin.__module__, twin.__qualname__ = function.__module__, function.__qualname__
        self.known[id(function)] = twin
        for cell, old in zip(cells, function.__closure__ or (), strict=True):
            with suppress(ValueError):  # it has no value yet
                cell.cell_contents = self.of(old.cell_contents)
        return twin

    def _partial(self, value: Any) -> Any:
        given = {key: self.of(entry) for key, entry in value.keywords.items()}
        return partial(self.of(value.func), *map(self.of, value.args), **given)

    def _object(self, value: Any) -> Any:
        """A container, or an object with attributes."""
        try:
            twin = copy.copy(value)
        except Exception:  # whatever a user's object does when it is copied
            return value
        self.known[id(value)] = twin
        if isinstance(value, list) and type(value) is list:
            twin[:] = map(self.of, value)
        elif isinstance(value, dict):
            for key, entry in value.items():
                dict.__setitem__(twin, key, self.of(entry))
        if hasattr(value, "__dict__") and twin is not value:
            for name, entry in vars(value).items():
                vars(twin)[name] = self.of(entry)
        return twin


_ATOMS = (
    *(int, float, complex, str, bytes, type(None), type, types.ModuleType),
    *(types.BuiltinFunctionType, types.CodeType, range),
)

# Longer lists are data, not counters.
_LONGEST = 10_000


def _is_tensor(value: Any) -> bool:
    return hasattr(value, "item") and hasattr(value, "numel")


def _is_large(value: Any) -> bool:
    """Whether it is a model, parameters, or data."""
    if _is_tensor(value):
        return value.numel() != 1
    is_model = hasattr(value, "parameters") and hasattr(value, "state_dict")
    return is_model or (isinstance(value, (list, dict)) and len(value) > _LONGEST)


def rates(
    scheduler: Any, advance: Callable[[Any], None], read: Callable[[Any], float]
) -> Iterator[tuple[float, bool]]:
    """What a group would be given from now on, one step after another.

    Args:
      scheduler: A live one, which is not touched.
      advance: Makes one step of its copy.
      read: What is asked for, of the groups of the stand-in.

    Yields:
      The value, and whether it is one past the end of a OneCycleLR.
    """
    optimizer = StandIn(scheduler.optimizer)
    twin = copied(scheduler, optimizer)
    while True:
        yield read(optimizer.param_groups), is_past_its_end(twin)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # meant for the training loop
            advance(twin)


def is_past_its_end(scheduler: Any) -> bool:
    """Whether a OneCycleLR, which goes past its end by one step, has made that step."""
    parts = getattr(scheduler, "_schedulers", ())
    if hasattr(scheduler, "_milestones"):  # one after another: the one in force
        parts = [parts[bisect_right(scheduler._milestones, scheduler.last_epoch)]]
    over = (
        hasattr(scheduler, "_schedule_phases")
        and scheduler.last_epoch >= scheduler.total_steps
    )
    return over or any(map(is_past_its_end, parts))


@contextmanager
def random_states_kept() -> Iterator[None]:
    """Afterwards the generators of Python, NumPy and PyTorch are as they were."""
    torch = sys.modules.get("torch")
    states = random.getstate(), np.random.get_state()
    of_torch = torch.get_rng_state() if torch is not None else None
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        if torch is not None:
            torch.set_rng_state(of_torch)
