"""Metrics of many kinds, and the comparison of two records of decisions."""

import random
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
from cases import differences
from numpy.random import Generator

STEPS = 64
BASE = 0.1  # the rate that everything starts from

Family = Callable[[Generator], np.ndarray]


# Metrics that are to fall.


def falling(rng: Generator) -> np.ndarray:
    """A loss on its way to a floor."""
    t = np.arange(STEPS)
    return 2 * np.exp(-t / rng.uniform(5, 60)) + 0.5 + 0.1 * rng.random(STEPS)


def negative(rng: Generator) -> np.ndarray:
    return falling(rng) - 3.5


def crossing(rng: Generator) -> np.ndarray:
    """From above 0 to below."""
    return np.linspace(1, -1, STEPS) + 0.5 * rng.normal(size=STEPS)


def noise(rng: Generator) -> np.ndarray:
    return rng.normal(size=STEPS)


def runs(rng: Generator) -> np.ndarray:
    """Constant stretches."""
    return np.repeat(noise(rng), rng.integers(1, 12, STEPS))[:STEPS]


def ties(rng: Generator) -> np.ndarray:
    """Eighths: equal ones, and gains of exactly a threshold of 1/8."""
    return np.round(np.linspace(rng.integers(-2, 4), -2, STEPS) + noise(rng)) / 8


def valley(rng: Generator) -> np.ndarray:
    """Falls without a setback, then rises."""
    turn = rng.integers(STEPS // 4, STEPS)
    return np.abs(np.arange(STEPS) - turn) * rng.uniform(0.1, 0.5) + 0.25


def huge(rng: Generator) -> np.ndarray:
    """Between both ends of float32, where differences overflow."""
    return 3e38 * rng.uniform(-1, 1, STEPS)


def tiny(rng: Generator) -> np.ndarray:
    return 1e-30 * crossing(rng)


FAMILIES: list[Family] = [
    falling,
    negative,
    crossing,
    noise,
    runs,
    ties,
    valley,
    huge,
    tiny,
]


def sequences(family: Family, count: int, mode: str) -> np.ndarray:
    """Sequences of a family, as float32, so that both sides are given the same numbers.

    Turned around for mode "max". Every other one is spoiled by NaN and by the infinity
    that is bad; at the other one the library deliberately differs.
    """
    rng = np.random.default_rng(FAMILIES.index(family))
    bad = 1 if mode == "min" else -1
    values = np.stack([bad * family(rng) for _ in range(count)])
    spoiled = rng.random(values.shape) * (np.arange(count) % 2)[:, None]
    values[spoiled > 0.85] = np.nan
    values[spoiled > 0.93] = bad * np.inf
    return values.astype(np.float32)


def shuffled(rows: Iterable[Any]) -> list[Any]:
    """Any slice of these has a bit of everything."""
    rng = random.Random(0)
    return sorted(rows, key=lambda _: rng.random())


def columns(rows: Iterable[Sequence[float]]) -> tuple[np.ndarray, ...]:
    """One array per option, of rows of options."""
    return tuple(np.array(column) for column in zip(*rows, strict=True))


def stack(records: list[list[Any]]) -> Any:
    """Records of (sequence, update), which are named tuples, as one record of arrays."""
    flat = chain.from_iterable(chain.from_iterable(records))
    numbers = np.fromiter(flat, np.float64).reshape(len(records), len(records[0]), -1)
    return type(records[0][0])(*np.moveaxis(numbers, -1, 0))


def assert_same_decisions(ours: Any, theirs: Any, changes: np.ndarray) -> None:
    """The same after every update; the rates up to the rounding of each change.

    A change rounds once on each side; JAX rounds `factor` to its float, and the first
    rate, their product, and the bounds as rates and as multiples of the first rate.
    """
    for name, mine, other in zip(ours._fields, ours, theirs, strict=True):
        if name != "rate":
            np.testing.assert_array_equal(mine, other, err_msg=name)
    error = differences(ours.rate, theirs.rate, scale=1e-30)
    np.testing.assert_array_less(error / (2 * changes + 4), 1, err_msg="rate")
