"""Evaluation on meshes with explicit axes, as on those with automatic ones.

On an explicit mesh JAX asks of each lookup in a table how its result is to be sharded. A
rule knows nothing of meshes, and every one of them gives a value for each step. So rules
run with automatic axes, and their values are sharded as the steps are.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.sharding import PartitionSpec

from jaxsched.domains.tables import Numbers

_auto_axes: Any = getattr(jax.sharding, "auto_axes", None)  # JAX 0.6 has none


def explicit_mesh(*values: Any) -> Any:
    """The mesh with explicit axes that one of the values lies on, or None."""
    if _auto_axes is None:
        return None
    for value in values:
        if isinstance(value, Numbers):
            value = value.array
        if isinstance(value, jax.Array):
            mesh = jax.typeof(value).sharding.mesh
            if not mesh.empty and mesh.explicit_axes:
                return mesh
    return None


def automatically(
    function: Callable[[Any, Any], Array], values: Any, step: Any, mesh: Any
) -> Array:
    """`function(values, step)`, computed with automatic axes, sharded as the step is."""
    lies_there = explicit_mesh(step) is not None
    spec = jax.typeof(step).sharding.spec if lies_there else PartitionSpec()

    def run(values: Any, step: Any) -> Array:
        found = function(values, step)
        # A program leaves out an argument that it does not use, and its devices with it.
        return jnp.where(step == step, found, found) if lies_there else found

    axes = mesh.explicit_axes
    with jax.sharding.use_abstract_mesh(mesh):
        return _auto_axes(run, axes=axes, out_sharding=spec)(values, step)


def without_mesh() -> AbstractContextManager[Any]:
    """What is computed on one device, whatever mesh is set around it."""
    if _auto_axes is None:
        return nullcontext()
    return jax.sharding.use_abstract_mesh(jax.sharding.AbstractMesh((), ()))


@partial(jax.jit, static_argnums=0)
def on_their_mesh(function: Callable[..., Any], *args: Any) -> Any:
    """`function(*args)` on the mesh with explicit axes that an argument lies on.

    What it makes anew lies there too, and may meet the arguments in a branch that is
    mapped over.
    """
    with jax.sharding.use_abstract_mesh(explicit_mesh(*jax.tree.leaves(args))):
        return function(*args)


def is_spread(values: Any) -> bool:
    """Whether a tree has concrete arrays that lie on several devices."""
    return any(
        isinstance(x, jax.Array) and len(x.sharding.device_set) > 1
        for x in jax.tree.leaves(values)
    )
