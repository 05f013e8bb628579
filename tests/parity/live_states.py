"""Live PyTorch schedulers in the states that occur: each class, plain and odd."""

import collections
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.optim import lr_scheduler as lrs
from torch.optim.swa_utils import SWALR


class Pair(NamedTuple):
    """What a user's scheduler may keep."""

    warmup: int
    decay: int


class Doubling(lrs.LRScheduler):
    """A class of a user's own."""

    def get_lr(self) -> list[Any]:
        rates = [group["lr"] for group in self.optimizer.param_groups]
        return [r * (2 if self.last_epoch % 5 == 4 else 0.9) for r in rates]


class Keeping(lrs.LRScheduler):
    """A class of a user's own, with things that a step changes, and large ones."""

    def __init__(self, optimizer: Any):
        self.total_steps = 12  # of its own meaning
        self.table = np.linspace(1, 0.1, 100)
        self.tensor = torch.linspace(1, 0.1, 100)
        self.pair = Pair(3, 9)
        self.seen: collections.deque[int] = collections.deque()
        self.counts: dict[str, int] = {"calls": 0}
        self.factor = self.look_up  # bound to this object
        super().__init__(optimizer)

    def look_up(self) -> float:
        self.seen.append(self.last_epoch)
        self.counts["calls"] += 1
        return float(self.table[min(self.last_epoch, 99)])

    def get_lr(self) -> list[Any]:
        factor = self.factor()
        return [base * factor for base in self.base_lrs]


def python(step: int) -> float:
    """A function that JAX cannot trace."""
    return 1.0 if step < 7 else 0.3 / step


class Counting:
    """A callable with a state of its own."""

    calls = 0

    def __call__(self, step: int) -> float:
        self.calls += 1
        return 0.97**step


# One of each class, with settings as people use them.
CLASSES: dict[str, Callable[[Any], Any]] = {
    "StepLR": lambda o: lrs.StepLR(o, 7, 0.5),
    "StepLR to 0": lambda o: lrs.StepLR(o, 25, 0.0),
    "MultiStepLR": lambda o: lrs.MultiStepLR(o, [9, 3, 20, 20], 0.5),
    "ConstantLR": lambda o: lrs.ConstantLR(o, 0.25, 8),
    "LinearLR": lambda o: lrs.LinearLR(o, 0.1, 1.0, 10),
    "LinearLR down": lambda o: lrs.LinearLR(o, 1.0, 0.0, 20),
    "ExponentialLR": lambda o: lrs.ExponentialLR(o, 0.95),
    "PolynomialLR": lambda o: lrs.PolynomialLR(o, 20, 2.0),
    "CosineAnnealingLR": lambda o: lrs.CosineAnnealingLR(o, 15),
    "CosineAnnealingLR eta_min": lambda o: lrs.CosineAnnealingLR(o, 15, 0.05),
    "CosineAnnealingLR long": lambda o: lrs.CosineAnnealingLR(o, 300, 0.01),
    "CosineAnnealingWarmRestarts": lambda o: lrs.CosineAnnealingWarmRestarts(o, 7, 2),
    "CosineAnnealingWarmRestarts 1": lambda o: lrs.CosineAnnealingWarmRestarts(o, 9),
    "CyclicLR": lambda o: lrs.CyclicLR(o, 0.1, 1.0, 5, 8),
    "CyclicLR 2": lambda o: lrs.CyclicLR(o, 0.1, 1.0, 4, mode="triangular2"),
    "CyclicLR exp": lambda o: lrs.CyclicLR(o, 0.1, 1.0, 4, mode="exp_range", gamma=0.9),
    "OneCycleLR": lambda o: lrs.OneCycleLR(o, 1.0, total_steps=60),
    "OneCycleLR 3": lambda o: lrs.OneCycleLR(
        o, 1.0, total_steps=60, anneal_strategy="linear", three_phase=True
    ),
    "LambdaLR": lambda o: lrs.LambdaLR(o, lambda step: 0.95**step),
    "MultiplicativeLR": lambda o: lrs.MultiplicativeLR(o, lambda step: 0.95),
    "SWALR": lambda o: SWALR(o, 0.05, 10),
    "SWALR linear": lambda o: SWALR(o, 0.05, 10, "linear"),
    "SWALR at once": lambda o: SWALR(o, 0.05, 0),
    "warm-up, cosine": lambda o: lrs.SequentialLR(
        o, [lrs.LinearLR(o, 0.1, 1.0, 10), lrs.CosineAnnealingLR(o, 30)], [10]
    ),
    "three parts": lambda o: lrs.SequentialLR(
        o,
        [lrs.ConstantLR(o, 0.1, 99), lrs.ExponentialLR(o, 0.9), lrs.StepLR(o, 4, 0.5)],
        [5, 20],
    ),
    "warm-up, one cycle": lambda o: lrs.SequentialLR(
        o, [lrs.LinearLR(o, 0.1, 1.0, 10), lrs.OneCycleLR(o, 1.0, total_steps=70)], [10]
    ),
    "warm-up, restarts": lambda o: lrs.SequentialLR(
        o, [lrs.LinearLR(o, 0.1, 1.0, 5), lrs.CosineAnnealingWarmRestarts(o, 9, 2)], [5]
    ),
    "warm-up times decay": lambda o: lrs.ChainedScheduler(
        [lrs.ConstantLR(o, 0.1, 10), lrs.ExponentialLR(o, 0.9)]
    ),
    "three at once": lambda o: lrs.ChainedScheduler(
        [
            lrs.LinearLR(o, 0.1, 1.0, 10),
            lrs.ExponentialLR(o, 0.99),
            lrs.MultiStepLR(o, [15, 35], 0.3),
        ]
    ),
    "two milestones at once": lambda o: lrs.SequentialLR(
        o,
        [lrs.ConstantLR(o, 0.1, 99), lrs.ExponentialLR(o, 0.9), lrs.StepLR(o, 4, 0.5)],
        [5, 5],
    ),
    "a ramp that is cut off": lambda o: lrs.SequentialLR(
        o, [lrs.LinearLR(o, 0.1, 1.0, 20), lrs.PolynomialLR(o, 30, 2.0)], [10]
    ),
    "warm-up times cosine": lambda o: lrs.ChainedScheduler(
        [lrs.LinearLR(o, 0.1, 1.0, 10), lrs.CosineAnnealingLR(o, 25)]
    ),
}

# What is not read in every state: a chain whose parts mix, nested ones, Python code.
HARD: dict[str, Callable[[Any], Any]] = {
    "stairs, then a function": lambda o: lrs.ChainedScheduler(
        [lrs.StepLR(o, 4, 0.5), lrs.LambdaLR(o, lambda step: 0.95**step)]
    ),
    "a function, then stairs": lambda o: lrs.ChainedScheduler(
        [lrs.LambdaLR(o, lambda step: 0.95**step), lrs.StepLR(o, 4, 0.5)]
    ),
    "chained with eta_min": lambda o: lrs.ChainedScheduler(
        [lrs.ConstantLR(o, 0.1, 10), lrs.CosineAnnealingLR(o, 15, 0.05)]
    ),
    "two waves": lambda o: lrs.ChainedScheduler(
        [lrs.CosineAnnealingLR(o, 12), lrs.CosineAnnealingLR(o, 15)]
    ),
    "a decay under a wave": lambda o: lrs.ChainedScheduler(
        [lrs.ExponentialLR(o, 0.9), lrs.CosineAnnealingLR(o, 9)]
    ),
    "a sequence first": lambda o: lrs.SequentialLR(
        o,
        [
            lrs.SequentialLR(
                o, [lrs.ConstantLR(o, 0.5, 99), lrs.ExponentialLR(o, 0.9)], [6]
            ),
            lrs.StepLR(o, 5, 0.5),
        ],
        [20],
    ),
    "a chain first": lambda o: lrs.SequentialLR(
        o,
        [
            lrs.ChainedScheduler(
                [lrs.ConstantLR(o, 0.5, 9), lrs.ExponentialLR(o, 0.9)]
            ),
            lrs.ExponentialLR(o, 0.8),
        ],
        [20],
    ),
    "a product second": lambda o: lrs.SequentialLR(
        o,
        [lrs.ConstantLR(o, 0.5, 9), lrs.MultiplicativeLR(o, lambda step: 0.9)],
        [12],
    ),
    "averaging second": lambda o: lrs.SequentialLR(
        o, [lrs.ExponentialLR(o, 0.9), SWALR(o, 0.05, 10)], [12]
    ),
    "a factor below 0": lambda o: lrs.ExponentialLR(o, -0.9),
    "half a period of 7.5": lambda o: lrs.CosineAnnealingLR(o, 7.5),  # type: ignore
    "Python": lambda o: lrs.LambdaLR(o, python),
    "Python product": lambda o: lrs.MultiplicativeLR(o, python),
    "counting": lambda o: lrs.LambdaLR(o, Counting()),
    "a user's": Doubling,
    "a user's that keeps things": Keeping,
}


def optimizer(*rates: Any, tensors: bool = False) -> Any:
    """With a group for each rate."""
    groups = [
        {
            "params": [torch.nn.Parameter(torch.zeros(1))],
            "lr": torch.tensor(rate) if tensors else rate,
        }
        for rate in rates or (0.5,)
    ]
    return torch.optim.SGD(groups, lr=(rates or (0.5,))[0], momentum=0.9)


def advance(scheduler: Any, steps: int = 1) -> Any:
    """Updates and steps, as in a loop."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about what a loop should not do
        for _ in range(steps):
            scheduler.optimizer.step()
            scheduler.step()
    return scheduler


def _scaled(scheduler: Any, factor: float) -> Any:
    for group in scheduler.optimizer.param_groups:
        group["lr"] *= factor
    return scheduler


def _loaded(make: Callable[[Any], Any], steps: int, *, whole: bool) -> Any:
    """A state that was saved, in new objects."""
    old = advance(make(optimizer()), steps)
    new = make(optimizer())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        new.load_state_dict(old.state_dict())
    if whole:
        new.optimizer.load_state_dict(old.optimizer.state_dict())
    return new


def _stacked(make: Callable[[Any], Any], steps: int) -> Any:
    """Another scheduler steps on the same optimizer."""
    shared = optimizer()
    other, scheduler = lrs.ExponentialLR(shared, 0.8), make(shared)
    advance(other, 2)
    return advance(scheduler, steps)


def _after_another(make: Callable[[Any], Any], steps: int) -> Any:
    shared = optimizer()
    advance(lrs.StepLR(shared, 2, 0.5), 5)
    return advance(make(shared), steps)


def _grown(make: Callable[[Any], Any], steps: int) -> Any:
    """A group was added after the scheduler was made; that group is read."""
    scheduler = advance(make(optimizer()), steps)
    extra = {"params": [torch.nn.Parameter(torch.zeros(1))], "lr": 0.25}
    scheduler.optimizer.add_param_group(extra)
    return scheduler


PLAIN: dict[str, Callable[[Callable[[Any], Any]], Any]] = {
    "fresh": lambda make: make(optimizer()),
    "after 1": lambda make: advance(make(optimizer()), 1),
    "after 6": lambda make: advance(make(optimizer()), 6),
    "after 19": lambda make: advance(make(optimizer()), 19),
    "groups": lambda make: advance(make(optimizer(0.5, 0.125)), 4),
    "tensors": lambda make: advance(make(optimizer(0.5, tensors=True)), 4),
    "loaded with its optimizer": lambda make: _loaded(make, 6, whole=True),
}
ODD: dict[str, Callable[[Callable[[Any], Any]], Any]] = {
    "halved": lambda make: _scaled(advance(make(optimizer()), 3), 0.5),
    "halved late": lambda make: _scaled(advance(make(optimizer()), 17), 0.5),
    "halved at 15": lambda make: _scaled(advance(make(optimizer()), 15), 0.5),
    "set to 0": lambda make: _scaled(advance(make(optimizer()), 3), 0.0),
    "loaded alone": lambda make: _loaded(make, 6, whole=False),
    "stacked": lambda make: _stacked(make, 3),
    "after another": lambda make: _after_another(make, 3),
    "a group added": lambda make: _grown(make, 4),
    "past the end": lambda make: advance(make(optimizer()), 45),
}


class Live(NamedTuple):
    """A state: a class, what was done to it, and whether it must be read."""

    name: str
    state: str
    make: Callable[[], Any]
    is_plain: bool


def states() -> Iterator[Live]:
    """Each class in each state."""
    for name, make in {**CLASSES, **HARD}.items():
        for state, reach in {**PLAIN, **ODD}.items():
            is_plain = name in CLASSES and state in PLAIN
            yield Live(name, state, lambda m=make, r=reach: r(m), is_plain)


def future(scheduler: Any, group: int, steps: int) -> list[float]:
    """The rates that it shows; a OneCycleLR goes past its end by one, which is left out."""
    found = []
    while len(found) < steps and not _is_over(scheduler):
        found.append(float(scheduler.optimizer.param_groups[group]["lr"]))
        try:
            advance(scheduler)
        except Exception:
            break
    return found


def _is_over(scheduler: Any) -> bool:
    end = getattr(scheduler, "total_steps", None)
    return bool(end and scheduler.last_epoch >= end) or any(
        map(_is_over, getattr(scheduler, "_schedulers", ()))
    )
