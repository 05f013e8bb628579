"""timm: the grid of settings, and the rates of its schedulers."""

import functools
import importlib.util
import sys
import types
from collections.abc import Iterator
from typing import Any

import pytest
from peer_torch import read
from tables import STEPS, settings

PACKAGE = "timm"
DOUBLE = True

RATES = (1.0, 0.1, 1e-4)
AROUND: dict[str, Any] = {
    "warmup_t": [..., 5, 1, 20],
    "warmup_lr_init": [..., 1e-3, 2.0],
    "warmup_prefix": [..., True, False],
    "t_in_epochs": [..., True],
    # After the last step: `test_compat_timm.py` looks at the noise itself.
    "noise_range_t": [..., "70", "(70, 80)", "[90, 70]"],
    "noise_pct": [..., 0.5],
    "noise_std": [..., 0.1],
    "noise_seed": [..., 7],
    "initialize": [..., True],
}
CYCLES: dict[str, Any] = {
    "lr_min": [..., 1e-5, 0.05, -1.0],
    "cycle_mul": [..., 2, 2.0, 1.5],
    "cycle_decay": [..., 0.5, 0.9, 1.5],
    "cycle_limit": [..., 2, 3, 99, 0],
    **AROUND,
}

SETTINGS = [
    *settings(
        "CosineLRScheduler",
        90,
        _lr=RATES,
        t_initial=[10, 1, 2, 7, 40, 70, 0],
        **CYCLES,
        k_decay=[..., 0.5, 2.0],
    ),
    *settings(
        "TanhLRScheduler",
        90,
        _lr=RATES,
        t_initial=[10, 1, 2, 7, 40, 70, 0],
        lb=[..., -4.0, 3.0],
        ub=[..., 2.0, 5.0],
        **CYCLES,
    ),
    *settings(
        "PolyLRScheduler",
        90,
        _lr=RATES,
        t_initial=[10, 1, 2, 7, 40, 70, 0],
        power=[..., 1.0, 2.0],
        **CYCLES,
        k_decay=[..., 0.5, 2.0],
    ),
    *settings(
        "StepLRScheduler",
        50,
        _lr=RATES,
        decay_t=[10, 1, 7, 70, 2.5],
        decay_rate=[..., 0.5, 0.0, 1.5],
        **AROUND,
    ),
    *settings(
        "MultiStepLRScheduler",
        50,
        _lr=RATES,
        decay_t=["[10, 30]", "[]", "[0, 5]", "[1, 2]", "[5, 5, 9]", "(4, 80)"],
        decay_rate=[..., 0.5, 0.0, 1.5],
        **AROUND,
    ),
    *settings(
        "WSDLRScheduler",
        90,
        _lr=RATES,
        t_initial=[40, 10, 1, 0, 70],
        decay_t=[10, 1, 40, 0, 50],
        lr_min=[..., 1e-5, 0.05, -1.0],
        stable_fn=[..., "'rsqrt'", "'power'", "'other'"],
        stable_timescale=[10, ..., 1, 0],
        stable_power=[..., 1.0, 0.25, 0],
        decay_fn=[..., "'linear'", "'cosine'", "'power'", "'exp'", "'1-sqrt'", "'up'"],
        decay_power=[..., 1.0, 2.0, 0],
        decay_ratio=[..., 0.5, 0.9, 1.0],
        **{key: values for key, values in AROUND.items() if key != "warmup_prefix"},
    ),
]


def require() -> None:
    """Skips the test where timm's schedulers cannot be had."""
    pytest.importorskip("torch", reason="see the extra parity")
    if "timm" not in sys.modules and importlib.util.find_spec("timm") is None:
        pytest.skip("timm is installed apart: pip install --no-deps timm")


def original(name: str) -> Any:
    """The class whose signature ours has."""
    return getattr(_schedulers(), name)


def real(setting: str) -> Iterator[float]:
    """What the optimizer uses at all steps."""
    scheduler = build(setting)
    for step in STEPS:
        scheduler.step(int(step))
        yield read(scheduler)


def build(setting: str) -> Any:
    """The real scheduler, on an optimizer of its own."""
    import torch

    def scheduler(name: str, lr: Any, *args: Any, **kw: Any) -> Any:
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
        return getattr(_schedulers(), name)(optimizer, *args, **kw)

    class Names(dict):
        def __missing__(self, name: str) -> Any:
            return functools.partial(scheduler, name)

    return eval(setting, {"__builtins__": {}}, Names())


def _schedulers() -> Any:
    """`timm.scheduler` alone: timm itself imports torchvision."""
    if "timm" not in sys.modules:
        spec = importlib.util.find_spec("timm")
        assert spec
        alone = types.ModuleType("timm")
        alone.__path__ = list(spec.submodule_search_locations or ())
        sys.modules["timm"] = alone
    return importlib.import_module("timm.scheduler")
