"""record_grad_norms: the norms of the gradients, recorded in a run for `refine`."""

from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxsched.planning.rates import length
from jaxsched.serialization import exported_tuple

if TYPE_CHECKING:
    import optax


@exported_tuple
class GradNormsState(NamedTuple):
    """The state of `record_grad_norms`; a state of zeros is one before any update.

    Attributes:
      count: The updates recorded.
      sums: The sums of the norms of each block of updates: Euclidean norms in the first
        row, sums of absolute values in the second.
    """

    count: Array  # type: ignore[assignment]
    sums: Array


def record_grad_norms(
    total_steps: int, *, slots: int = 1000
) -> "optax.GradientTransformationExtraArgs":
    """An Optax transformation that records the norms of the gradients that it is given.

    It changes nothing. Put it first in a chain, before gradients are clipped and scaled:
    `optax.chain(js.planning.record_grad_norms(10_000), optax.adamw(schedule))`. Read the
    norms with `recorded_grad_norms` and give them to `refine`.

    Its memory is bounded: 2 `slots` numbers, in each of which the norms of
    total_steps / slots updates that follow each other are summed. Both the Euclidean
    norm (for SGD) and the sum of absolute values (for Adam) are recorded. Updates after
    `total_steps` are not recorded.

    Args:
      total_steps: The number of updates of the run, a known whole number >= 1.
      slots: How many numbers to keep, >= 1.

    Returns:
      An `optax.GradientTransformationExtraArgs` with a `GradNormsState`.

    >>> import jax.numpy as jnp, jaxsched as js
    >>> recorder = js.planning.record_grad_norms(2)
    >>> grads = {"w": jnp.array([3.0, 4.0])}
    >>> state = recorder.init(grads)
    >>> for _ in range(2):
    ...     _, state = recorder.update(grads, state)
    >>> js.planning.recorded_grad_norms(state, 2).tolist()
    [5.0, 5.0]
    """
    import optax  # which takes longer to import than all of this package

    steps = length("record_grad_norms", total_steps)
    width = _width(steps, length("record_grad_norms", slots, "slots"))

    def init(params: Any) -> GradNormsState:
        sums = jnp.zeros((2, -(-steps // width)), float)
        return GradNormsState(jnp.zeros((), int), sums)

    def update(
        updates: Any, state: Any, params: Any = None, **extra: Any
    ) -> tuple[Any, GradNormsState]:
        del params, extra
        leaves = jax.tree.leaves(updates)
        norms = jnp.stack([_norm(leaves, 2), _norm(leaves, 1)])
        slot = state.count // width
        slot = jnp.where(
            state.count < steps, slot, state.sums.shape[1]
        )  # to be dropped
        sums = state.sums.at[:, slot].add(norms.astype(state.sums.dtype), mode="drop")
        return updates, GradNormsState(jnp.minimum(state.count + 1, steps), sums)

    return optax.GradientTransformationExtraArgs(init, update)


def recorded_grad_norms(
    state: Any, total_steps: int, *, slots: int = 1000, order: int = 2
) -> np.ndarray:
    """What `record_grad_norms` has recorded, as `refine` takes it.

    Args:
      state: The state of an optimizer with one `record_grad_norms` in it.
      total_steps: As it was given to `record_grad_norms`.
      slots: Likewise.
      order: 2 for Euclidean norms, 1 for sums of absolute values.

    Returns:
      A NumPy array with a number for each recorded update, at most `total_steps`: the
      mean of its block.

    Raises:
      ValueError: There is not one such state, none was recorded, `order` is another
        number, or the state is of another length.

    >>> import jaxsched as js
    >>> js.planning.recorded_grad_norms((), 100)
    Traceback (most recent call last):
    ValueError: recorded_grad_norms: state must hold one record_grad_norms, but holds 0
    """
    name = "recorded_grad_norms"
    steps = length(name, total_steps)
    width = _width(steps, length(name, slots, "slots"))
    if order not in (1, 2):
        raise ValueError(f"{name}: order must be 1 or 2, got order={order!r}")
    is_state = lambda x: isinstance(x, GradNormsState)
    found = [x for x in jax.tree.leaves(state, is_leaf=is_state) if is_state(x)]
    if len(found) != 1:
        raise ValueError(
            f"{name}: state must hold one record_grad_norms, but holds {len(found)}"
        )
    count = min(int(jax.device_get(found[0].count)), steps)
    sums = np.asarray(jax.device_get(found[0].sums), np.float64)[2 - order]
    if len(sums) != -(-steps // width):
        raise ValueError(
            f"{name}: total_steps and slots must be those of record_grad_norms, got "
            f"total_steps={steps}, slots={slots} for a state of {len(sums)} slots"
        )
    if count == 0:
        raise ValueError(
            f"{name}: state must have recorded at least one update, got none"
        )
    block = np.arange(count) // width
    return (sums[: block[-1] + 1] / np.bincount(block))[block]


def _width(steps: int, slots: int) -> int:
    """So many updates share a slot."""
    return -(-steps // slots)


def _norm(leaves: list[Any], order: int) -> Array:
    """The norm of all leaves together, scaled by the largest so that none overflows."""
    sizes = [
        jnp.abs(leaf.astype(jnp.result_type(float))) for leaf in leaves if leaf.size
    ]
    if not sizes:
        return jnp.zeros((), float)
    if order == 1:
        return sum((jnp.sum(size) for size in sizes), jnp.zeros((), float))
    largest = jnp.max(jnp.stack([jnp.max(size) for size in sizes]))
    scale = jnp.where(largest > 0, largest, 1.0)
    squares = [jnp.sum((size / scale) ** 2) for size in sizes]
    return scale * jnp.sqrt(sum(squares, jnp.zeros((), float)))
