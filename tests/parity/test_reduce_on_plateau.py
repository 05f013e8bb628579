"""reduce_on_plateau decides as PyTorch's ReduceLROnPlateau does, update by update."""

import inspect
import math
from collections.abc import Iterable
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from decisions import (
    BASE,
    FAMILIES,
    STEPS,
    Family,
    assert_same_decisions,
    columns,
    falling,
    runs,
    sequences,
    shuffled,
    stack,
    ties,
)

import jaxsched as js

torch = pytest.importorskip("torch", reason="the peer is PyTorch: see the extra parity")
from torch.optim.lr_scheduler import ReduceLROnPlateau  # noqa: E402

FACTORS = (0.3, 0.5, 0.9)  # none so small that 63 reductions leave float32
PATIENCES = (0, 1, 2, 5, 10)
THRESHOLDS = (0.0, 1e-4, 0.1, 0.125)
COOLDOWNS = (0, 1, 3)
FLOORS = (0.0, 1e-3, 0.5)  # the last is above the rate that everything starts from
GRID = shuffled(product(FACTORS, PATIENCES, THRESHOLDS, COOLDOWNS, FLOORS))
QUARTER = GRID[::4]

each_mode = pytest.mark.parametrize("mode", ["min", "max"])
each_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.__name__)


class Record(NamedTuple):
    """What is known after an update."""

    reductions: Any
    bad: Any
    cooling: Any
    best: Any
    rate: Any


class Peer(ReduceLROnPlateau):
    """PyTorch's, counting reductions."""

    reductions = 0

    def _reduce_lr(self, epoch: Any) -> None:
        self.reductions += 1
        super()._reduce_lr(epoch)

    def record(self) -> Record:
        rate = self.optimizer.param_groups[0]["lr"]
        counters = self.num_bad_epochs, self.cooldown_counter
        return Record(self.reductions, *counters, self.best, rate)


class Magnitude(Peer):
    """The same with a threshold relative to |best|, which PyTorch does not have."""

    def _is_better(self, a: float, best: float) -> bool:
        margin = 0.0 if math.isinf(best) else self.threshold * abs(best)
        return a < best - margin if self.mode == "min" else a > best + margin


def make_peer(threshold_mode: str, mode: str, row: Iterable[Any]) -> Peer:
    """The peer with a row of the grid as its options."""
    factor, patience, threshold, cooldown, floor = row
    own = threshold_mode == "magnitude"
    options: dict[str, Any] = {} if own else {"threshold_mode": threshold_mode}
    return (Magnitude if own else Peer)(
        torch.optim.SGD([torch.zeros(1)], lr=BASE),
        mode=mode,  # type: ignore[arg-type]
        factor=factor,
        patience=patience,
        threshold=threshold,
        cooldown=cooldown,
        min_lr=floor,
        eps=0.0,
        **options,
    )


def theirs(peer: Peer, metrics: Iterable[float | None]) -> list[Record]:
    """The records of one sequence; None is an update that the peer is not told of."""
    records = []
    for value in metrics:
        if value is not None:
            peer.step(value)
        records.append(peer.record())
    return records


@partial(jax.jit, static_argnums=(0, 1))
def ours(
    threshold_mode: str,
    mode: str,
    options: tuple[jax.Array, ...],
    metrics: jax.Array,
    measured: jax.Array,
    window: int,
) -> Record:
    """The records of many sequences, as one program."""

    def run(row: Any, *sequence: jax.Array) -> Record:
        factor, patience, threshold, cooldown, floor = row
        driven = js.reduce_on_plateau(
            BASE,
            factor,
            patience,
            threshold=threshold,
            threshold_mode=threshold_mode,
            mode=mode,
            cooldown=cooldown,
            min_value=floor,
            window=window,
        )

        def update(state: Any, told: Any) -> tuple[Any, Record]:
            value, new = told
            after = driven.update(state, value=value, measured=new)
            memory = after.memory
            reduced = memory.multiplier < state.memory.multiplier
            counters = memory.bad, memory.cooling
            return after, Record(reduced, *counters, memory.best, driven(after))

        record = jax.lax.scan(update, driven.init(), sequence)[1]
        return record._replace(reductions=jnp.cumsum(record.reductions))

    return jax.vmap(run)(options, metrics, measured)


def check(
    threshold_mode: str,
    mode: str,
    rows: list[Any],
    metrics: np.ndarray,
    told: Iterable[Iterable[float | None]],
    measured: np.ndarray,
    window: int = 1,
) -> None:
    """Compares both: ours is given `metrics`, where `measured`, and theirs `told`."""
    peers = [make_peer(threshold_mode, mode, row) for row in rows]
    expected = stack(list(map(theirs, peers, told)))
    assert expected.reductions.max() > 5
    found = ours(threshold_mode, mode, columns(rows), metrics, measured, window)
    assert_same_decisions(found, expected, expected.reductions)


@each_family
@each_mode
@pytest.mark.parametrize("threshold_mode", ["rel", "abs", "magnitude"])
def test_every_decision(threshold_mode: str, mode: str, family: Family):
    """Every combination of options, on sequences of two families or three."""
    rows = GRID[FAMILIES.index(family) % 4 :: 4]
    metrics = sequences(family, len(rows), mode)
    measured = np.ones(metrics.shape, bool)
    check(threshold_mode, mode, rows, metrics, metrics.tolist(), measured)


@each_mode
@pytest.mark.parametrize("family", [falling, runs, ties], ids=lambda f: f.__name__)
def test_updates_without_a_metric(mode: str, family: Family):
    """What is passed at an update that is not measured is never looked at."""
    metrics = sequences(family, len(QUARTER), mode)
    measured = np.random.default_rng(0).random(metrics.shape) < 0.4
    told = metrics.astype(object)
    told[~measured] = None
    check("rel", mode, QUARTER, metrics, told, measured)


@each_mode
@pytest.mark.parametrize("window", [2, 3, 5])
def test_a_window_is_one_judgement_of_its_mean(window: int, mode: str):
    """The means are multiples of 1/8, so that no side rounds them."""
    metrics = window * sequences(ties, len(QUARTER), mode)
    told = np.full(metrics.shape, None)
    for end in range(window, STEPS + 1, window):
        told[:, end - 1] = metrics[:, end - window : end].mean(1, float)
    measured = np.ones(metrics.shape, bool)
    check("abs", mode, QUARTER, metrics, told, measured, window)


@pytest.mark.parametrize(
    "told",
    [
        {"value": None},
        {"value": 0.5, "measured": False},
        {"value": math.nan, "measured": False},
    ],
)
def test_an_update_without_a_metric_counts_a_step(told: dict[str, Any]):
    driven = js.reduce_on_plateau(BASE, patience=0, window=2)
    state = driven.update(driven.init(), value=1.0)
    after = driven.update(state, **told)
    assert after.step == 2
    chex.assert_trees_all_equal(after._replace(step=state.step), state)


@each_mode
def test_the_good_infinity_is_bad(mode: str):
    """It would be the best for ever, as it is at the peer."""
    sign = 1.0 if mode == "min" else -1.0
    metrics = sign * np.array([[2.0, -np.inf, 1.0]], np.float32)
    row = (0.5, 0, 0.0, 0, 0.0)
    expected = theirs(make_peer("abs", mode, row), metrics[0].tolist())
    assert [r.bad + r.reductions for r in expected] == [0, 0, 1]
    assert expected[-1].best == -sign * math.inf
    found = ours("abs", mode, columns([row]), metrics, np.ones((1, 3), bool), 1)
    np.testing.assert_array_equal(found.reductions, [[0, 1, 1]])
    np.testing.assert_array_equal(found.best, sign * np.array([[2.0, 2.0, 1.0]]))


def test_the_defaults_are_the_same():
    """All that PyTorch has and this has too."""
    names = {"min_lr": "min_value"}
    peer = inspect.signature(ReduceLROnPlateau).parameters
    own = inspect.signature(js.reduce_on_plateau).parameters
    shared = peer.keys() - {"optimizer", "eps"}
    for name in shared:
        assert own[names.get(name, name)].default == peer[name].default, name
