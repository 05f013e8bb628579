"""The schedules of other libraries by the names they have there: torch.StepLR."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from types import ModuleType
from typing import Any

from jaxsched import compat
from jaxsched.rule.alike import snake

LIBRARIES = [
    found.name for found in pkgutil.iter_modules(compat.__path__) if found.ispkg
]


class _Peers(Mapping[str, Callable[..., Any]]):
    """What a dotted name means that has the name of a library in it.

    `torch.StepLR`, and as it is written there: `torch.optim.lr_scheduler.StepLR`. A
    library's schedules are imported as they are asked for: most commands need none.
    """

    def __getitem__(self, name: str) -> Callable[..., Any]:
        *rooms, last = name.split(".")
        for library in rooms:
            if library in LIBRARIES:
                return schedules_of(library)[last]
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        for library in LIBRARIES:
            yield from (f"{library}.{name}" for name in schedules_of(library))

    def __len__(self) -> int:
        return sum(1 for _ in self)


PEERS = _Peers()


@cache
def schedules_of(library: str) -> dict[str, Callable[..., Any]]:
    """The schedules of a library, by name."""
    module: ModuleType = importlib.import_module(f"{compat.__name__}.{library}")
    public = {name: getattr(module, name) for name in module.__all__}
    return {name: made for name, made in public.items() if hasattr(made, "__rule__")}


def named(name: str) -> list[str]:
    """Where there is a schedule of this name: torch.StepLR for StepLR and step_lr."""
    last = snake(name.rpartition(".")[2])
    return [known for known in PEERS if snake(known.rpartition(".")[2]) == last]
