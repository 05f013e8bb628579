"""Keras: the grid of settings, and the values of its schedules."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from tables import STEPS, settings

PACKAGE = "keras"
DOUBLE = False  # it computes in float32

OTHERS = {"from_keras"}  # `test_from_keras.py` proves it

RATES = (1.0, 0.1, 1e-4)
LENGTHS = (10, 1, 2, 7, 40, 70, 12.5, 0, -3)
NAMES = (..., "'mine'")

SETTINGS = [
    *settings(
        "ExponentialDecay",
        36,
        initial_learning_rate=RATES,
        decay_steps=LENGTHS,
        decay_rate=[0.5, 0.9, 1.0, 1.1, 0.0],
        staircase=[..., True],
        name=NAMES,
    ),
    *settings(
        "PiecewiseConstantDecay",
        20,
        boundaries=[
            "[10, 30]",
            "[0, 9]",
            "[-3, -1]",
            "[5, 5]",
            "[2.5, 7.9]",
            "[9, 80]",
        ],
        values=["[1.0, 0.5, 0.1]", "[0.1, 0.2, 0.0]", "[1.0, 0.5]", "(3.0, -1.0, 2.0)"],
        name=NAMES,
    ),
    *settings(
        "PolynomialDecay",
        50,
        initial_learning_rate=RATES[:2],
        decay_steps=LENGTHS[:6],
        end_learning_rate=[..., 0.0, 0.5],
        power=[..., 2.0, 0.5, 0.0],
        cycle=[..., True],
        name=NAMES,
    ),
    *settings(
        "PolynomialDecay",
        8,
        initial_learning_rate=RATES,
        decay_steps=LENGTHS[6:],
        name=NAMES,
    ),
    *settings(
        "InverseTimeDecay",
        30,
        initial_learning_rate=RATES,
        decay_steps=LENGTHS,
        decay_rate=[0.5, 1.0, 0.0, 3.0],
        staircase=[..., True],
        name=NAMES,
    ),
    *settings(
        "CosineDecay",
        50,
        initial_learning_rate=[*RATES, 0.0],
        decay_steps=LENGTHS,
        alpha=[..., 0.1, 1.0],
        name=NAMES,
        warmup_target=[..., 1.0, 0.5],
        warmup_steps=[..., 0, 1, 10, 50],
    ),
    *settings(
        "CosineDecayRestarts",
        70,
        initial_learning_rate=RATES,
        first_decay_steps=[10, 2, 7, 40, 70, 12.5, 0, -3],
        t_mul=[..., 1.0, 1, 2, 1.5],
        m_mul=[..., 0.5, 0.9, 1.5, 0.0],
        alpha=[..., 0.1, 1.0],
        name=NAMES,
    ),
]


def require() -> None:
    """Skips the test where Keras is not installed."""
    os.environ.setdefault("KERAS_BACKEND", "numpy")  # the others compute alike
    pytest.importorskip("keras", reason="see the extra parity")


def original(name: str) -> Any:
    """The class whose signature ours has."""
    return getattr(_schedules(), name, None)


def real(setting: str) -> Iterator[float]:
    """What Keras returns at all steps."""
    schedule = eval(setting, vars(_schedules()).copy())
    for step in STEPS:
        yield float(schedule(int(step)))


def _schedules() -> Any:
    require()
    from keras.optimizers import schedules

    return schedules
