"""Reads schedules in a process of four devices; prints "passed"."""

import os

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4"

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec as P

import jaxsched as js
from jaxsched.schedule import host


def check(s: js.Schedule) -> None:
    fresh = js.piecewise_linear([0, 4, 8, 12], [0.5, 0.25, 0.125, 0.0])
    expected = fresh.at(np.arange(15))
    np.testing.assert_array_equal(s.at(np.arange(15)), expected)
    assert s.at(2) == expected[2]
    assert js.cosine(0.25, 0.0, steps=20).at(10) == 0.125
    assert s == fresh
    assert repr(s) == repr(fresh)
    assert js.describe(s).horizon == 12


def meshes() -> list[jax.sharding.Mesh]:
    found = [jax.make_mesh((4,), ("x",))]
    if hasattr(jax.sharding, "AxisType"):
        for kind in (jax.sharding.AxisType.Auto, jax.sharding.AxisType.Explicit):
            found.append(jax.make_mesh((4,), ("x",), axis_types=(kind,)))
    return found


def entered(mesh: jax.sharding.Mesh) -> object:
    use = getattr(jax, "set_mesh", None) or getattr(jax.sharding, "use_mesh", None)
    return mesh if use is None else use(mesh)


plain = js.piecewise_linear([0, 4, 8, 12], [0.5, 0.25, 0.125, 0.0])
check(plain)
for device in jax.devices():
    check(jax.device_put(plain, device))
for mesh in meshes():
    sharded = jax.device_put(plain, NamedSharding(mesh, P("x")))
    copied = jax.device_put(plain, NamedSharding(mesh, P()))
    for s in (sharded, copied):
        host._structures.clear()
        check(s)
        with entered(mesh):
            host._structures.clear()
            check(s)
            check(plain)

# Whatever the default device is, programs are those of the CPU that is asked for.
host._structures.clear()
jax.config.update("jax_default_device", jax.devices()[2])
check(plain)
[structure, *_] = host._structures.values()
[program, *_] = structure.programs.values()
found = program(np.zeros(program.in_avals[0][0].shape, np.uint32))
assert found.devices() == {jax.local_devices(backend="cpu")[0]}, found.devices()
assert jnp.ones(()).devices() == {jax.devices()[2]}
print("passed")
