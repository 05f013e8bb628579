"""Transformers: the grid of settings, and the rates of its schedulers."""

import functools
from collections.abc import Iterator
from typing import Any

from peer_torch import advance, read
from tables import STEPS, settings

PACKAGE = "transformers"
DOUBLE = True

# Not curves: `test_greedy.py` and `test_reduce_on_plateau.py` prove these.
OTHERS = {"get_greedy_schedule", "get_reduce_on_plateau_schedule"}

LRS = (1.0, 0.1, 5e-5)
RESUMED = (-1, 0, 6)
RAMP = (5, 0, 1, 2, 20, -3)
TOTAL = (40, 20, 21, 5, 3, 70)

COSINE: dict[str, Any] = {
    "_lr": LRS,
    "num_warmup_steps": RAMP,
    "num_training_steps": TOTAL,
    "num_cycles": [..., 1, 1.5, 0.25, 2, 0, -0.5],
    "last_epoch": RESUMED,
}
BOTTOM: dict[str, Any] = {"min_lr": [..., 0.0, 1e-5], "min_lr_rate": [0.1, ..., 0.5, 0]}
NO = "num_warmup_steps=None"
OPTIONS = "scheduler_specific_kwargs="

SETTINGS = [
    *settings("get_constant_schedule", 6, _lr=LRS, last_epoch=RESUMED),
    *settings(
        "get_constant_schedule_with_warmup",
        12,
        _lr=LRS,
        num_warmup_steps=RAMP,
        last_epoch=RESUMED,
    ),
    *settings(
        "get_linear_schedule_with_warmup",
        24,
        _lr=LRS,
        num_warmup_steps=RAMP,
        num_training_steps=TOTAL,
        last_epoch=RESUMED,
    ),
    *settings("get_cosine_schedule_with_warmup", 40, **COSINE),
    *settings(
        "get_cosine_with_hard_restarts_schedule_with_warmup",
        40,
        **{**COSINE, "num_cycles": [..., 2, 3, 5, 7, 0, 2.5]},
    ),
    *settings(
        "get_polynomial_decay_schedule_with_warmup",
        36,
        _lr=LRS,
        num_warmup_steps=RAMP,
        num_training_steps=TOTAL,
        lr_end=[..., 0.0, 1e-5, 0.5],
        power=[..., 2.0, 0.5, 0],
        last_epoch=RESUMED,
    ),
    *settings(
        "get_inverse_sqrt_schedule",
        24,
        _lr=LRS,
        num_warmup_steps=RAMP[:-1],
        timescale=[..., 1, 10, 100, None],
        last_epoch=RESUMED,
    ),
    *settings("get_cosine_with_min_lr_schedule_with_warmup", 40, **COSINE, **BOTTOM),
    *settings(
        "get_cosine_with_min_lr_schedule_with_warmup_lr_rate",
        50,
        **COSINE,
        **BOTTOM,
        warmup_lr_rate=[..., 0.0, 0.1, 1.0],
    ),
    *settings(
        "get_wsd_schedule",
        70,
        _lr=LRS,
        num_warmup_steps=RAMP[:-1],
        num_decay_steps=[10, 0, 1, 30],
        num_training_steps=[40, None, 12, 70],
        num_stable_steps=[None, 0, 10, 1],
        warmup_type=[..., "'cosine'", "'1-sqrt'", "'linear'", "'square'"],
        decay_type=[..., "'cosine'", "'1-sqrt'", "'linear'", "'square'"],
        min_lr_ratio=[..., 0.1, 0.5, 1],
        num_cycles=[..., 0.5, 1.5, 0.25],
        last_epoch=RESUMED,
    ),
    "get_scheduler('linear', 0.1, num_warmup_steps=5, num_training_steps=40)",
    "get_scheduler('linear', 0.1, num_warmup_steps=5)",
    f"get_scheduler('linear', 0.1, {NO}, num_training_steps=40)",
    f"get_scheduler('linear', 0.1, 5, 40, {OPTIONS}dict(power=2))",
    "get_scheduler('cosine', 5e-5, num_warmup_steps=5, num_training_steps=40)",
    f"get_scheduler('cosine', 5e-5, 5, 40, {OPTIONS}dict(num_cycles=1))",
    f"get_scheduler('cosine_with_restarts', 0.1, 5, 40, {OPTIONS}dict(num_cycles=3))",
    f"get_scheduler('polynomial', 0.1, 5, 40, {OPTIONS}dict(power=2, lr_end=0.01))",
    "get_scheduler('constant', 0.1)",
    f"get_scheduler('constant', 0.1, 5, 40, {OPTIONS}dict(nonsense=1))",
    f"get_scheduler('constant_with_warmup', 0.1, 5, None, {OPTIONS}dict(nonsense=1))",
    "get_scheduler('constant_with_warmup', 0.1)",
    f"get_scheduler('inverse_sqrt', 0.1, 5, {OPTIONS}dict(timescale=20))",
    f"get_scheduler('cosine_with_min_lr', 0.1, 5, 40, {OPTIONS}dict(min_lr=0.01))",
    "get_scheduler('cosine_with_min_lr', 0.1, 5, 40)",
    "get_scheduler('cosine_warmup_with_min_lr', 0.1, 5, 40, "
    f"{OPTIONS}dict(min_lr_rate=0.1, warmup_lr_rate=0.2))",
    f"get_scheduler('warmup_stable_decay', 0.1, 5, 40, {OPTIONS}dict(num_decay_steps=9))",
    "get_scheduler('warmup_stable_decay', 0.1, 5, "
    f"{OPTIONS}dict(num_decay_steps=9, num_stable_steps=9))",
    "get_scheduler('warmup_stable_decay', 0.1, 5, 40)",
    "get_scheduler('square', 0.1, 5, 40)",
]


def original(name: str) -> Any:
    """The function whose signature ours has."""
    from transformers import optimization

    # This one takes the options of its class as they come.
    classes = {"get_greedy_schedule": "GreedyLR"}
    return getattr(optimization, classes.get(name, name))


def real(setting: str) -> Iterator[float]:
    """What the optimizer uses at all steps."""
    import torch
    from transformers import optimization

    def optimizer(lr: Any) -> Any:
        return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)

    def scheduler(
        name: str, lr: Any, *args: Any, last_epoch: int = -1, **kw: Any
    ) -> Any:
        """One that has made its steps, as one that is resumed has."""
        own = getattr(optimization, name)(optimizer(lr), *args, **kw)
        for _ in range(last_epoch + 1):
            advance(own)
        return own

    def get_scheduler(name: str, lr: Any, *args: Any, **kw: Any) -> Any:
        return optimization.get_scheduler(name, optimizer(lr), *args, **kw)

    class Names(dict):
        def __missing__(self, name: str) -> Any:
            return functools.partial(scheduler, name)

    names = Names(get_scheduler=get_scheduler, dict=dict)
    made = eval(setting, {"__builtins__": {}}, names)
    for _ in STEPS:
        yield read(made)
        advance(made)
