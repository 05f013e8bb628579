"""The small network that the rows about training share, and its data."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

Params = list[tuple[Array, Array]]


class Problem(NamedTuple):
    """Initial parameters, and batches that are used in turn."""

    params: Params
    inputs: Array  # batches, examples, features
    labels: Array  # batches, examples

    def batch(self, step: Array | int) -> tuple[Array, Array]:
        """The examples of an update."""
        turn = step % len(self.inputs)
        return self.inputs[turn], self.labels[turn]


def problem(sizes: Sequence[int], batch_size: int, batches: int) -> Problem:
    """A multilayer perceptron of these widths, and random examples for it."""
    rng = np.random.default_rng(0)
    params = [
        (
            jnp.asarray(rng.normal(size=(m, n)) / np.sqrt(m), jnp.float32),
            jnp.zeros(n, jnp.float32),
        )
        for m, n in pairwise(sizes)
    ]
    inputs = rng.normal(size=(batches, batch_size, sizes[0]))
    labels = rng.integers(0, sizes[-1], (batches, batch_size))
    return Problem(
        params, jnp.asarray(inputs, jnp.float32), jnp.asarray(labels, jnp.int32)
    )


def loss(params: Params, inputs: Array, labels: Array) -> Array:
    """The mean cross-entropy of a batch."""
    *hidden, (weights, bias) = params
    x = inputs
    for w, b in hidden:
        x = jax.nn.relu(x @ w + b)
    logits = x @ weights + bias
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


def update(
    optimizer: optax.GradientTransformation,
    params: Params,
    state: optax.OptState,
    batch: tuple[Array, Array],
) -> tuple[Params, optax.OptState, Array]:
    """One update; the loss is that before it."""
    value, grads = jax.value_and_grad(loss)(params, *batch)
    updates, state = optimizer.update(grads, state, params)
    return optax.apply_updates(params, updates), state, value  # type: ignore[return-value]


def train(learning_rate: optax.ScalarOrSchedule, task: Problem, steps: int) -> Array:
    """The losses of a run with Adam."""
    optimizer = optax.adam(learning_rate)

    def body(carry: tuple[Params, optax.OptState], step: Array):
        params, state, value = update(optimizer, *carry, task.batch(step))
        return (params, state), value

    start = task.params, optimizer.init(task.params)
    return jax.lax.scan(body, start, jnp.arange(steps))[1]
