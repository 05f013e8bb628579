"""PyTorch: the grid of settings, and the rates of its schedulers, stepped one by one."""

import functools
from collections.abc import Iterator
from typing import Any

from tables import STEPS, function_of, settings

PACKAGE = "torch"
DOUBLE = True

# Not curves: `test_from_torch.py` and `test_reduce_on_plateau.py` prove these.
OTHERS = {"from_torch", "ReduceLROnPlateau"}

LRS = (0.1, 1.0, 3, 1e-4)
RESUMED = (-1, 0, 6)
LENGTHS = (10, 1, 2, 7, 0, 40, -2, 70)

LAMBDAS = (
    "lambda t: 0.95**t",
    "lambda t: 1 / (1 + t)",
    "[lambda t: 0.5 ** (t // 10)]",
    "lambda t: 1.0",
    "lambda t: 1.01 - 0.02 * (t % 3)",
)
ONE_CYCLE: dict[str, Any] = {
    "_lr": LRS[:2],
    "max_lr": [1.0, 0.01],
    "total_steps": [40, 1, 2, 3, 10, 17, None, 0, 60],
    "epochs": [..., 4, 5],
    "steps_per_epoch": [..., 5, 8],
    "pct_start": [0.3, 0.0, 0.1, 0.5, 0.45, 0.8, 1.0, 0.01, 1.5, 1],
    "anneal_strategy": ["'cos'", "'linear'", "'cosine'"],
    "cycle_momentum": [True, False],
    "base_momentum": [0.85, 0.5],
    "max_momentum": [0.95, 0.9],
    "div_factor": [25.0, 1.0, 4],
    "final_div_factor": [1e4, 1.0, 10],
    "three_phase": [False, True],
}
CYCLIC: dict[str, Any] = {
    "_lr": LRS[:2],
    "base_lr": [0.1, 0.0, 0.5],
    "max_lr": [1.0, 0.2],
    "step_size_up": [5, 1, 10, 8, 0],
    "step_size_down": [None, 3, 10, 0],
    "mode": ["'triangular'", "'triangular2'", "'exp_range'", "'other'"],
    "gamma": [1.0, 0.9, 0.99],
    "scale_fn": [None, "lambda x: 1 / (1 + x)", "lambda x: 0.9**x"],
    "scale_mode": ["'cycle'", "'iterations'"],
    "cycle_momentum": [True, False],
    "base_momentum": [0.8, 0.5],
    "max_momentum": [0.9, 0.95],
    "last_epoch": RESUMED,
}
RAMP = "LinearLR(0.1, start_factor=0.1, total_iters=5)"
LOW = "ConstantLR(0.1, factor=0.5, total_iters=7)"
DECAY = "ExponentialLR(0.1, gamma=0.9)"
STAIRS = "StepLR(0.1, step_size=4, gamma=0.5)"
POWER = "PolynomialLR(0.1, total_iters=20, power=2.0)"
COSINE = "CosineAnnealingLR(0.1, T_max=12, eta_min=0.01)"
LONG = "CosineAnnealingLR(0.1, T_max=70)"
RESTARTS = "CosineAnnealingWarmRestarts(0.1, T_0=5, T_mult=2)"
LAMBDA = "LambdaLR(0.1, lambda t: 0.9**t)"
PRODUCT = "MultiplicativeLR(0.1, lambda t: 0.9)"
TRIANGLES = "CyclicLR(0.1, base_lr=0.1, max_lr=1.0, step_size_up=4)"

SETTINGS = [
    *settings("LambdaLR", 12, _lr=LRS, lr_lambda=LAMBDAS, last_epoch=RESUMED),
    *settings("MultiplicativeLR", 12, _lr=LRS, lr_lambda=LAMBDAS, last_epoch=RESUMED),
    *settings(
        "StepLR",
        24,
        _lr=LRS,
        step_size=[10, 1, 2, 7, 40, 70],
        gamma=[..., 0.5, 0.0, 1.0, 2.0],
        last_epoch=RESUMED,
    ),
    *settings(
        "MultiStepLR",
        24,
        _lr=LRS,
        milestones=["[10, 30]", "[]", "[0, 5]", "[5, 5, 9]", "[30, 10]", "(-3, 4, 80)"],
        gamma=[..., 0.5, 0.0, 1.0, 2.0],
        last_epoch=RESUMED,
    ),
    *settings(
        "ConstantLR",
        24,
        _lr=LRS,
        factor=[..., 0.5, 1.0, 1.5, -0.5],
        total_iters=[..., *LENGTHS],
        last_epoch=RESUMED,
    ),
    *settings(
        "LinearLR",
        36,
        _lr=LRS,
        start_factor=[..., 0.5, 1.0, 0.01, 0.0, 1.5],
        end_factor=[..., 0.5, 0.0, 0.1, 1.5, -0.1],
        total_iters=[..., *LENGTHS],
        last_epoch=RESUMED,
    ),
    *settings(
        "ExponentialLR",
        12,
        _lr=LRS,
        gamma=[0.9, 0.5, 0.999, 1.0, 1.05, 0.0],
        last_epoch=RESUMED,
    ),
    *settings(
        "PolynomialLR",
        24,
        _lr=LRS,
        total_iters=[..., *LENGTHS],
        power=[..., 2.0, 0.5, 0, 0.9],
        last_epoch=RESUMED,
    ),
    *settings(
        "CosineAnnealingLR",
        24,
        _lr=LRS,
        T_max=[10, 1, 2, 7, 25, 70],
        eta_min=[..., 0.05, 1.0],
        last_epoch=RESUMED,
    ),
    *settings(
        "CosineAnnealingWarmRestarts",
        30,
        _lr=LRS,
        T_0=[10, 1, 2, 7, 25, 70, 0, 2.5],
        T_mult=[..., 2, 3, 0, 1.5],
        eta_min=[..., 0.05, 1.0],
        last_epoch=RESUMED,
    ),
    *settings("CyclicLR", 50, **CYCLIC),
    *settings("CyclicLR.momentum", 30, **{**CYCLIC, "cycle_momentum": [True]}),
    *settings("OneCycleLR", 70, **ONE_CYCLE),
    *settings(
        "OneCycleLR", 4, _lr=[0.1], max_lr=[1.0], total_steps=[40], last_epoch=RESUMED
    ),
    *settings("OneCycleLR.momentum", 40, **{**ONE_CYCLE, "cycle_momentum": [True]}),
    *settings(
        "SequentialLR",
        60,
        _lr=[0.1],
        schedulers=[
            f"[{RAMP}, {DECAY}, {STAIRS}]",
            f"[{LOW}, {COSINE}, {POWER}]",
            f"[{RESTARTS}, {LAMBDA}, {RESTARTS}]",
            f"[{PRODUCT}, {RAMP}, {TRIANGLES}]",
            f"[{LAMBDA}, {TRIANGLES}]",
            f"[{DECAY}]",
            "[]",
        ],
        milestones=["[5, 20]", "[0, 9]", "[7, 7]", "[10]", "[]", "[70, 80]", "[1, 2]"],
        last_epoch=RESUMED,
    ),
    *settings(
        "ChainedScheduler",
        12,
        schedulers=[
            f"[{RAMP}, {DECAY}]",
            f"[{LOW}, {STAIRS}, {DECAY}]",
            f"[{POWER}, {RAMP}]",
            f"[{LONG}, {LOW}]",
            f"[{PRODUCT}, {STAIRS}]",
            f"[{DECAY}]",
            "[]",
        ],
        optimizer=["0.1"],
    ),
    f"ChainedScheduler([{DECAY}], optimizer=None)",
    "ConstantLR(0.1, factor=0.0, total_iters=5)",
]


def original(name: str) -> Any:
    """The class whose signature ours has; None for what PyTorch does not have."""
    from torch.optim import lr_scheduler

    return getattr(lr_scheduler, name, None)


def build(setting: str) -> Any:
    """The real scheduler, on an optimizer of its own."""
    import torch
    from torch.optim import lr_scheduler

    made: list[Any] = []

    def optimizer(lr: Any) -> Any:
        """One for all schedulers in a setting."""
        if not made and lr is not None:
            weight = torch.nn.Parameter(torch.zeros(1))
            made.append(torch.optim.SGD([weight], lr=lr, momentum=0.9))
        return made[0] if made else None

    def scheduler(
        name: str, lr: Any, *args: Any, last_epoch: int = -1, **kw: Any
    ) -> Any:
        """One that has made its steps, as one that is resumed has."""
        own = getattr(lr_scheduler, name)(optimizer(lr), *args, **kw)
        for _ in range(last_epoch + 1):
            advance(own)
        return own

    def chained(schedulers: Any, optimizer: Any = None) -> Any:
        group = made[0] if made else None
        return lr_scheduler.ChainedScheduler(schedulers, optimizer and group)

    class Names(dict):
        def __missing__(self, name: str) -> Any:
            return functools.partial(scheduler, name)

    names = Names(ChainedScheduler=chained)
    return eval(setting.replace(".momentum(", "("), {"__builtins__": {}}, names)


def advance(scheduler: Any) -> None:
    """One update."""
    scheduler.optimizer.step()
    scheduler.step()


def read(scheduler: Any, momentum: bool = False) -> float:
    """The rate, or the momentum, of the next update."""
    return scheduler.optimizer.param_groups[0]["momentum" if momentum else "lr"]


def real(setting: str) -> Iterator[float]:
    """What the optimizer uses at all steps."""
    scheduler = build(setting)
    # OneCycleLR allows one step after its end: see `test_torch_errors.py`.
    end = getattr(scheduler, "total_steps", None)
    for _ in STEPS:
        if end is not None and scheduler.last_epoch >= end:
            return
        yield read(scheduler, ".momentum(" in function_of(setting) + "(")
        advance(scheduler)
