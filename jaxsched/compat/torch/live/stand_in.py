"""A copy of a live scheduler that steps without an optimizer, and without a trace."""

import copy
import io
import random
import sys
import types
import warnings
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from jaxsched.rule import Bound, Rule


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
    with the variables that they have captured. Parameters and models are not copied, of
    long lists not the entries; what a function keeps in its module cannot be.
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
        if isinstance(value, _ATOMS) or _is_model(value):
            return None
        if _is_tensor(value):
            return plain if value.numel() == 1 else None
        if isinstance(value, _UNIQUE):
            raise TypeError(f"a {type(value).__name__} that it reads cannot be copied")
        if isinstance(value, _RANDOM):
            return copy.deepcopy
        if isinstance(value, (list, dict)) and len(value) > _LONGEST:
            return copy.copy
        if isinstance(value, types.MethodType):
            return lambda v: types.MethodType(v.__func__, self.of(v.__self__))
        if isinstance(value, types.FunctionType):
            return self._function if _keeps(value) else None
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
            argdefs=function.__defaults__
            and tuple(map(self._held, function.__defaults__)),
            closure=cells,
        )
        named = function.__kwdefaults__ or {}
        twin.__kwdefaults__ = {key: self._held(value) for key, value in named.items()}
        vars(twin).update(vars(function))
        twin.__module__, twin.__qualname__ = function.__module__, function.__qualname__
        self.known[id(function)] = twin
        for cell, old in zip(cells, function.__closure__ or (), strict=True):
            with suppress(ValueError):  # it has no value yet
                cell.cell_contents = self._held(old.cell_contents)
        return twin

    def _held(self, value: Any) -> Any:
        """What a function holds: a tensor stays one, which the function may change."""
        if _is_tensor(value) and id(value) not in self.known:
            is_data = getattr(value, "requires_grad", False) or value.numel() > _LONGEST
            self.kept.append(value)
            self.known[id(value)] = value if is_data else value.clone()
        return self.of(value)

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
        if twin is not value:
            for name, entry in getattr(value, "__dict__", {}).items():
                vars(twin)[name] = self.of(entry)
            for name in _slots_of(value):
                object.__setattr__(twin, name, self.of(getattr(value, name)))
        return twin


_ATOMS = (
    *(int, float, complex, str, bytes, type(None), type, types.ModuleType),
    *(types.BuiltinFunctionType, types.CodeType, types.MappingProxyType, range),
    *(Bound, Rule),
)

# Random numbers that a function draws, and what goes on where anybody reads it.
_RANDOM = (random.Random, np.random.Generator, np.random.RandomState)
_UNIQUE = (types.GeneratorType, io.IOBase)

# The entries of longer lists are data, not counters.
_LONGEST = 10_000


def _is_tensor(value: Any) -> bool:
    return hasattr(value, "item") and hasattr(value, "numel")


def _is_model(value: Any) -> bool:
    return hasattr(value, "parameters") and hasattr(value, "state_dict")


def _keeps(function: types.FunctionType) -> bool:
    """Whether it holds anything that it may change as it is called."""
    named = function.__kwdefaults__ or {}
    given = (*(function.__defaults__ or ()), *named.values())
    return bool(function.__closure__) or not all(isinstance(x, _ATOMS) for x in given)


def _slots_of(value: Any) -> list[str]:
    """The attributes that an object keeps in slots."""
    found = []
    for kind in type(value).__mro__:
        slots = vars(kind).get("__slots__", ())
        found += [slots] if isinstance(slots, str) else list(slots)
    hidden = {"__dict__", "__weakref__"}
    return [name for name in found if name not in hidden and hasattr(value, name)]


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


def past_its_end(scheduler: Any, read: Callable[[Any], float]) -> float:
    """What a OneCycleLR gives that is stepped once past its end."""
    late = copied(scheduler, StandIn(scheduler.optimizer))
    late.last_epoch, late._step_count = late.total_steps - 1, late.total_steps
    _, (beyond, _) = islice(rates(late, lambda twin: twin.step(), read), 2)
    return beyond


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
