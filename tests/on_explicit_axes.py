"""Evaluates schedules on a mesh with explicit axes; `test_meshes.py` runs this file.

In a process of its own, of as many devices as its first argument says. Every way in which
steps or hyperparameters can lie on the mesh must give what one device gives.
"""

import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={sys.argv[1]}"

import jax
import numpy as np
import optax
import users
from cases import ONE_OF_EACH
from driven import DRIVEN
from jax.sharding import NamedSharding, PartitionSpec as P

import jaxsched as js

DEVICES = int(sys.argv[1])
STEPS = np.arange(16, dtype=np.int32)
EXPLICIT = (jax.sharding.AxisType.Explicit,)
MESH = jax.make_mesh((DEVICES,), ("x",), axis_types=EXPLICIT)
SPREAD, EVERYWHERE = NamedSharding(MESH, P("x")), NamedSharding(MESH, P())


def ways(s: js.Schedule) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Ways to ask for the values at all steps."""
    steps, r = jax.device_put(STEPS, SPREAD), jax.device_put(s, EVERYWHERE)
    call = jax.jit(lambda s, t: s(t))
    yield "spread steps", lambda: s(steps)
    yield "spread steps, compiled", lambda: jax.jit(s)(steps)
    yield "an argument", lambda: call(r, steps)
    yield "everywhere", lambda: r(STEPS)
    yield "read", lambda: r.at(STEPS)
    scan = lambda r: jax.lax.scan(lambda c, t: (c, r(t)), 0, STEPS)[1]
    yield "scan", lambda: jax.jit(scan)(r)
    part = jax.shard_map(s, mesh=MESH, in_specs=P("x"), out_specs=P("x"))
    yield "shard_map", lambda: jax.jit(part)(steps)
    if not jax.tree.leaves(s):
        return
    stacked = jax.device_put(js.stack([s] * DEVICES), SPREAD)
    mapped = jax.vmap(lambda s: s(STEPS))
    yield "stack", lambda: np.asarray(mapped(stacked))[0]
    yield "stack, compiled", lambda: np.asarray(jax.jit(mapped)(stacked))[-1]
    yield "unstack", lambda: js.unstack(stacked)[1](STEPS)
    yield "entries", lambda: js.evaluate(js.stack(js.unstack(stacked[1:3])), STEPS)[0]


def driven_ways(d: js.MetricDriven) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Ways to ask for the rates of a metric-driven schedule."""
    yield "everywhere", lambda: rates(jax.device_put(d, EVERYWHERE))
    yield "an argument", lambda: jax.jit(rates)(jax.device_put(d, EVERYWHERE))
    stacked = jax.device_put(js.stack([d] * DEVICES), SPREAD)
    yield "stack", lambda: np.asarray(jax.vmap(rates)(stacked))[0]
    yield "stack, compiled", lambda: np.asarray(jax.jit(jax.vmap(rates))(stacked))[-1]


def judged(driven: js.MetricDriven, loss: Any) -> Any:
    """The rate after a loss that differs by device, handed in both ways."""
    return driven(js.set_metric(driven.update(driven.init(), value=loss), loss))


def rates(driven: js.MetricDriven) -> Any:
    """Of five updates, and of one more after a metric between two."""
    state, found = driven.init(), []
    for loss in (4.0, 2.0, 2.0, 3.0, 9.0):
        found.append(driven(state))
        state = driven.update(state, value=loss)
    state = js.set_metric(state, 1.0)
    return jax.numpy.stack([*found, driven(state)])


def wrong(s: Any) -> list[str]:
    """The ways that fail."""
    is_driven = isinstance(s, js.MetricDriven)
    expected, found = np.asarray(rates(s) if is_driven else s(STEPS)), []
    for name, values in driven_ways(s) if is_driven else ways(s):
        try:
            np.testing.assert_allclose(values(), expected, rtol=1e-5, atol=1e-7)
        except Exception as error:  # all of them are wanted
            found.append(f"{s}: {name}: {str(error).strip().splitlines()[0]}")
    return found


def wrong_apart(d: js.MetricDriven) -> list[str]:
    """Each device has a loss of its own, and a rate of its own after it."""
    losses = 1.0 + np.arange(DEVICES, dtype=np.float32)
    expected = [judged(d, loss) for loss in losses]
    mine = lambda losses: judged(d, losses[0])[None]
    apart = jax.shard_map(mine, mesh=MESH, in_specs=P("x"), out_specs=P("x"))
    try:
        found = jax.jit(apart)(jax.device_put(losses, SPREAD))
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    except Exception as error:  # all of them are wanted
        return [f"{d}: shard_map: {str(error).strip().splitlines()[0]}"]
    return []


every = int(sys.argv[2])
schedules = [*(c.schedule for c in ONE_OF_EACH), *users.SCHEDULES][::every]
schedules += DRIVEN[:: 2 * every]
failures = []
for s in schedules:
    failures += wrong(s)
    with jax.set_mesh(MESH):
        failures += [f"with a mesh set: {text}" for text in wrong(s)]
for d in DRIVEN[::every]:
    failures += wrong_apart(d)
    with jax.set_mesh(MESH):
        failures += [f"with a mesh set: {text}" for text in wrong_apart(d)]


def of_an_optimizer(x: Any) -> Any:
    """Made and started where a mesh is set, inside `shard_map`."""
    return js.with_schedule(optax.adamw, js.linear(1.0, 0.0, 9)).init(x).count + x


with jax.set_mesh(MESH):
    inside = jax.shard_map(
        of_an_optimizer, mesh=MESH, in_specs=P("x"), out_specs=P("x")
    )
    counted = jax.jit(inside)(jax.device_put(np.arange(DEVICES), SPREAD))
np.testing.assert_array_equal(counted, np.arange(DEVICES))
print("\n".join(failures) or "passed")
