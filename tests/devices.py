"""Checks on eight devices; `test_sweep.py` runs this file in a process of its own."""

import re
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

import jaxsched as js

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
import sweep_digits  # type: ignore[import-not-found]


def collectives(program: Any) -> list[str]:
    """The operations of a compiled program that make devices talk to each other."""
    kinds = "all-gather|all-reduce|all-to-all|collective-permute|reduce-scatter"
    return re.findall(kinds, program.as_text())


def check_collectives_are_seen() -> None:
    """A mean over all devices is one, so that finding none means something."""
    mesh = Mesh(np.array(jax.devices()), ("data",))
    x = jax.device_put(np.ones(8), NamedSharding(mesh, PartitionSpec("data")))
    assert "all-reduce" in collectives(jax.jit(jnp.mean).lower(x).compile())


def check_sharded_sweep() -> None:
    """The devices share the grid, never talk, and find what one device finds."""
    _, grid = sweep_digits.make_grid(4, 4, steps=8)
    given = partial(sweep_digits.compile_sweep, grid.schedules, steps=8, seeds=2)
    alone = sweep_digits.run_sweep(given())
    sweep = given(devices=jax.devices())
    assert collectives(sweep.program) == []
    stacked, _ = sweep.arguments
    for leaf in jax.tree.leaves(stacked):
        assert {shard.data.shape for shard in leaf.addressable_shards} == {(1, 2)}
    shared = sweep_digits.run_sweep(sweep)
    for one, other in zip(alone, shared, strict=True):
        assert one.shape == other.shape
        # Programs of other shapes add in another order: the losses after 8 updates.
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=0.007)


def check_sweep_on_every_kind_of_mesh() -> None:
    """Explicit axes find what automatic ones find; nothing is transferred by the way."""
    if not hasattr(jax.sharding, "auto_axes"):
        return
    _, grid = sweep_digits.make_grid(4, 2, steps=8)
    found = []
    for kind in (jax.sharding.AxisType.Auto, jax.sharding.AxisType.Explicit):
        kept = jax.make_mesh
        jax.make_mesh = partial(kept, axis_types=(kind,))
        given = {"steps": 8, "seeds": 2, "devices": jax.devices()}
        sweep = sweep_digits.compile_sweep(grid.schedules, **given)
        jax.make_mesh = kept
        with jax.transfer_guard("disallow"):
            found.append(sweep_digits.run_sweep(sweep))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=0.007)


def updates(schedule: Any, mesh: Mesh) -> Iterator[Any]:
    """Data-parallel training of a line as in README: the optimizer's states."""
    replicated = NamedSharding(mesh, PartitionSpec())
    by_device = NamedSharding(mesh, PartitionSpec("data"))
    optimizer = js.scale_by_learning_rate(schedule)

    @jax.jit
    def train_step(weight: Any, state: Any, x: Any, y: Any) -> Any:
        gradient = jax.grad(lambda w: jnp.mean((w * x - y) ** 2))(weight)
        change, state = optimizer.update(gradient, state)
        return optax.apply_updates(weight, change), state

    rng = np.random.default_rng(0)
    weight = jnp.zeros(())
    weight, state = jax.device_put((weight, optimizer.init(weight)), replicated)
    for _ in range(20):
        x = rng.normal(size=64).astype(np.float32)
        x, y = jax.device_put((x, 3 * x), by_device)
        weight, state = train_step(weight, state, x, y)
        yield state


def check_replicated_rates() -> None:
    """Every device uses the same rate, bit for bit, and it is that of one device."""
    schedule = js.warmup_cosine(0.3, total_steps=20, warmup_steps=5)
    devices = np.array(jax.devices())
    on_all = updates(schedule, Mesh(devices, ("data",)))
    on_one = updates(schedule, Mesh(devices[:1], ("data",)))
    for step, (many, one) in enumerate(zip(on_all, on_one, strict=True)):
        copies = js.learning_rate(many).addressable_shards
        bits = {np.asarray(copy.data).tobytes() for copy in copies}
        assert len(copies) == len(devices)
        assert bits == {np.asarray(js.learning_rate(one)).tobytes()}
        t = step - 5
        exact = 0.05 * (step + 1) if t < 0 else 0.15 * (1 + np.cos(np.pi * t / 15))
        np.testing.assert_allclose(js.learning_rate(one), exact, rtol=1e-5)


def check_sharded_evaluation() -> None:
    """`evaluate` keeps the sharding of a grid."""
    mesh = Mesh(np.array(jax.devices()), ("grid",))
    grid = js.grid(
        js.cosine, init_value=[1.0, 0.5], end_value=0.0, steps=range(1, 5)
    ).schedules
    spread = jax.device_put(grid, NamedSharding(mesh, PartitionSpec("grid")))
    values = js.evaluate(spread, jnp.arange(6))
    assert len(values.sharding.device_set) == 8
    np.testing.assert_array_equal(values, js.evaluate(grid, jnp.arange(6)))


if __name__ == "__main__":
    assert jax.device_count() == 8
    check_collectives_are_seen()
    check_sharded_sweep()
    check_sweep_on_every_kind_of_mesh()
    check_replicated_rates()
    check_sharded_evaluation()
    print("checked on", jax.device_count(), "devices")
