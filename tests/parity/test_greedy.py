"""greedy decides as Transformers' GreedyLR does, update by update."""

import inspect
from collections.abc import Iterable
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import jax
import numpy as np
import pytest
from decisions import (
    BASE,
    FAMILIES,
    Family,
    assert_same_decisions,
    columns,
    sequences,
    shuffled,
    stack,
    ties,
    valley,
)

import jaxsched as js

torch = pytest.importorskip("torch", reason="GreedyLR needs it: see the extra parity")
pytest.importorskip("transformers", "5.4", reason="GreedyLR: see the extra parity")
from transformers.optimization import GreedyLR  # noqa: E402

FACTORS = (0.5, 0.95)
PATIENCES = (0, 1, 2, 5)
THRESHOLDS = (0.0, 1e-6, 0.125)
COOLDOWNS = (0, 1, 3)
WARMUPS = (0, 2)
# Floor and ceiling: far, near, both above the first rate, both below it.
BOUNDS = ((0.0, 1.0), (1e-3, 0.5), (0.08, 0.15), (0.3, 1.0), (0.01, 0.05))
GRID = shuffled(product(FACTORS, PATIENCES, THRESHOLDS, COOLDOWNS, WARMUPS, BOUNDS))

NEVER = 10**9

each_mode = pytest.mark.parametrize("mode", ["min", "max"])
each_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.__name__)


class Record(NamedTuple):
    """What is known after an update."""

    good: Any
    bad: Any
    waiting: Any
    best: Any
    rate: Any


class Peer(GreedyLR):
    """Transformers', counting changes."""

    changes = 0

    def _reduce_lr(self, epoch: int) -> None:
        self.changes += 1
        super()._reduce_lr(epoch)

    def _increase_lr(self, epoch: int) -> None:
        self.changes += 1
        super()._increase_lr(epoch)

    def record(self) -> Record:
        waiting = self.cooldown_counter + self.warmup_counter
        counters = self.num_good_epochs, self.num_bad_epochs, waiting
        return Record(*counters, self.best, self.get_last_lr()[0])


class AsDocumented(Peer):
    """Begins anew after so many judgements at its floor, as it is described."""

    reset_after = 0
    low = 0
    resets = 0

    def step(self, metrics: float, epoch: int | None = None) -> None:
        super().step(metrics, epoch)
        brought = self.get_last_lr()[0] <= self.min_lrs[0] < BASE
        self.low = self.low + 1 if brought else 0
        if self.low >= self.reset_after:
            self.low = 0
            self.resets += 1
            self._reset()
            self._last_lr = self._init_lrs.copy()


def optimizer(rate: float = BASE) -> Any:
    return torch.optim.SGD([torch.zeros(1)], lr=rate)


def make_peer(kind: type[Peer], threshold_mode: str, mode: str, row: Any) -> Any:
    """The peer with a row of the grid as its options."""
    factor, patience, threshold, cooldown, warmup, (floor, ceiling) = row
    return kind(
        optimizer(),
        factor=factor,
        patience=patience,
        threshold=threshold,
        threshold_mode=threshold_mode,
        mode=mode,
        cooldown=cooldown,
        warmup=warmup,
        min_lr=floor,
        max_lr=ceiling,
        eps=0.0,
        reset_start=NEVER,
    )


def theirs(peer: Any, metrics: Iterable[float]) -> list[Record]:
    """The records of one sequence."""
    records = []
    for value in metrics:
        peer.step(value)
        records.append(peer.record())
    return records


@partial(jax.jit, static_argnums=(0, 1))
def ours(
    threshold_mode: str,
    mode: str,
    options: tuple[jax.Array, ...],
    metrics: jax.Array,
    reset_after: int | None,
    window: int,
) -> Record:
    """The records of many sequences, as one program."""

    def run(row: Any, metrics: jax.Array) -> Record:
        factor, patience, threshold, cooldown, warmup, bounds = row
        driven = js.greedy(
            BASE,
            factor,
            patience,
            threshold=threshold,
            threshold_mode=threshold_mode,
            mode=mode,
            cooldown=cooldown,
            warmup=warmup,
            min_value=bounds[0],
            max_value=bounds[1],
            window=window,
            reset_after=reset_after,
        )

        def update(state: Any, value: jax.Array) -> tuple[Any, Record]:
            after = driven.update(state, value=value)
            memory = after.memory
            counters = memory.good, memory.bad, memory.waiting
            return after, Record(*counters, memory.best, driven(after))

        return jax.lax.scan(update, driven.init(), metrics)[1]

    return jax.vmap(run)(options, metrics)


def check(
    peers: list[Any],
    threshold_mode: str,
    mode: str,
    rows: list[Any],
    metrics: np.ndarray,
    reset_after: int | None = None,
) -> None:
    """Compares both on the same metrics."""
    expected = stack(list(map(theirs, peers, metrics.tolist())))
    found = ours(threshold_mode, mode, columns(rows), metrics, reset_after, 1)
    changes = np.array([[peer.changes] for peer in peers])
    assert changes.max() > 5
    assert_same_decisions(found, expected, changes)


@each_family
@each_mode
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
def test_every_decision(threshold_mode: str, mode: str, family: Family):
    """Every combination of options, on sequences of two families or three."""
    rows = GRID[FAMILIES.index(family) % 4 :: 4]
    peers = [make_peer(Peer, threshold_mode, mode, row) for row in rows]
    metrics = sequences(family, len(rows), mode)
    check(peers, threshold_mode, mode, rows, metrics)


@each_mode
@pytest.mark.parametrize("family", [valley, ties], ids=lambda f: f.__name__)
@pytest.mark.parametrize("reset_after", [1, 4])
def test_reset_after_judgements_at_the_floor(
    reset_after: int, family: Family, mode: str
):
    rows = GRID[::4]
    peers = [make_peer(AsDocumented, "abs", mode, row) for row in rows]
    for peer in peers:
        peer.reset_after = reset_after
    metrics = sequences(family, len(rows), mode)
    check(peers, "abs", mode, rows, metrics, reset_after)
    # It happens, although not where the floor is above the base rate.
    assert sum(peer.resets for peer in peers) > len(rows) / 4


# Where the two differ, as the docstring of greedy says.


def rates(driven: js.MetricDriven, metrics: Iterable[float]) -> list[float]:
    """The rate after each update, rounded to be compared with a Python float's."""
    state, found = driven.init(), []
    for value in metrics:
        state = driven.update(state, value=value)
        found.append(float(f"{float(driven(state)):.5g}"))
    return found


def test_the_peer_resets_after_reductions_at_the_floor():
    """Patience is spent before each, so it waits longer than was asked for."""
    options = {"factor": 0.5, "patience": 1, "cooldown": 0, "warmup": 0}
    peer = Peer(optimizer(), min_lr=0.05, reset_start=3, **options)
    driven = js.greedy(BASE, min_value=0.05, reset_after=3, **options)
    constant = [1.0] * 7
    found = [record.rate for record in theirs(peer, constant)]
    assert found == [0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.1]
    assert rates(driven, constant) == [0.1, 0.1, 0.05, 0.05, 0.1, 0.1, 0.1]


@pytest.mark.parametrize(("rate", "floor"), [(3e-4, {}), (1e-8, {"min_lr": 0.0})])
def test_the_peer_leaves_small_rates_alone(rate: float, floor: dict[str, Any]):
    """Below its default floor, and where a change would be less than its eps."""
    constant = [1.0] * 30
    peer = Peer(optimizer(rate), **floor)
    assert {record.rate for record in theirs(peer, constant)} == {rate}
    assert peer.changes > 1
    last = rates(js.greedy(rate), constant)[-1]
    assert last == pytest.approx(rate * 0.95**peer.changes, rel=1e-4)


def test_the_peer_smooths_with_a_moving_average():
    """It judges at each update; a window here is judged once."""
    improving = [8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0]
    options = {"factor": 0.5, "patience": 0, "threshold": 0.0}
    smooth = Peer(optimizer(1e-3), smooth=True, window_size=4, **options)
    assert [record.rate for record in theirs(smooth, improving)] == [
        1e-3 * 2**judged for judged in range(1, 9)
    ]
    driven = js.greedy(1e-3, window=4, **options)
    assert rates(driven, improving) == [1e-3] * 3 + [2e-3] * 4 + [4e-3]
    told_of_means = Peer(optimizer(1e-3), **options)
    records = theirs(told_of_means, [6.5, 2.5])
    assert [record.rate for record in records] == [2e-3, 4e-3]


def test_the_other_defaults_are_the_same():
    """All that Transformers has and this has too, but for the floor."""
    peer = inspect.signature(GreedyLR).parameters
    own = inspect.signature(js.greedy).parameters
    shared = {name: name for name in own if name in peer} | {"max_lr": "max_value"}
    assert len(shared) == 8
    for name, mine in shared.items():
        assert own[mine].default == peer[name].default, name
    assert peer["min_lr"].default == 1e-3
    assert own["min_value"].default == 0.0
