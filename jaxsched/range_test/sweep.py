"""lr_range_test: one training run over all learning rates, low to high."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxsched.arrays import is_real, is_traced
from jaxsched.domains.numbers import Number, whole_number
from jaxsched.range_test.batches import at, is_number, kind, stacked
from jaxsched.range_test.result import RangeTest
from jaxsched.rule import admitted, short
from jaxsched.schedule import Schedule
from jaxsched.transitions import exponential

TrainStep = Callable[[Any, Any, Array], tuple[Any, Any]]

_NAME = "lr_range_test"


def lr_range_test(
    train_step: TrainStep,
    state: Any,
    batches: Any,
    min_value: float = 1e-7,
    max_value: float = 10.0,
    steps: int = 100,
    *,
    smoothing: float = 0.98,
    stop_factor: float | None = 4.0,
) -> RangeTest:
    """Trains over a sweep of learning rates, to find one to train with.

    Use it before a first long run with a new model, optimizer or batch size. It is also
    called the learning-rate finder. The whole sweep is one compiled `lax.scan`; once
    the loss diverges, its remaining steps are skipped. `state` is left as it is, so
    training can begin from it afterwards.

    Formula, for step k = 0, 1, ..., with b = smoothing:

        rate_k = min_value (max_value / min_value)^(k / (steps - 1))
        smoothed_k = (1 - b) / (1 - b^(k + 1)) sum_{i <= k} b^(k - i) loss_i

    and the loss has diverged where it is not finite, or with

        smoothed_k > best_k + (stop_factor - 1) |best_k|,  best_k = min_{i <= k} smoothed_i

    which is stop_factor * best_k for a loss above 0. fastai divides k by `steps` instead,
    so that its last rate is a little below `max_value`.

    Args:
      train_step: A pure function `train_step(state, batch, learning_rate)` that makes one
        update at a learning rate, a traced scalar, and returns `(state, loss)`: a state of
        the same structure, shapes and dtypes, and the loss as a scalar.
      state: Any pytree of arrays: parameters, the optimizer's state, statistics, random
        keys. Of a Flax NNX model it is what `nnx.split` gives, or the model itself if
        `train_step` returns it.
      batches: A list, an iterator or a loader of batches, of which up to `steps` are
        taken and stacked; or a pytree (a tuple, a dict, an array, ...) whose arrays number
        the batches along their first axis. All are kept in memory. Where there are fewer
        than `steps` they are used again from the start.
      min_value: The learning rate of the first step, > 0.
      max_value: The learning rate of the last step, > min_value.
      steps: The number of steps, >= 2.
      smoothing: The factor of the exponential moving average of the losses, in [0, 1);
        0 means none.
      stop_factor: How many times the best smoothed loss is too much, > 1. None: only a
        loss that is not finite stops the sweep.

    Returns:
      A `RangeTest`, trimmed to the steps that were made: the rates, the losses as float32
      (float64 under x64), the smoothed losses, suggestions and a plot.

    Raises:
      ValueError: A number is out of its bounds; there are no batches, or they have
        different shapes; `train_step` returns a state that is unlike the one it got.
      TypeError: An argument is of the wrong kind, or is traced.

    Example:
      >>> import jax, jaxsched as js, optax
      >>> import jax.numpy as jnp
      >>> def train_step(state, batch, learning_rate):
      ...     params, opt_state = state
      ...     loss, grads = jax.value_and_grad(lambda w: jnp.mean((w - batch) ** 2))(params)
      ...     optimizer = optax.adamw(learning_rate)
      ...     updates, opt_state = optimizer.update(grads, opt_state, params)
      ...     return (optax.apply_updates(params, updates), opt_state), loss
      >>> params = jnp.zeros(3)
      >>> state = params, optax.adamw(0.0).init(params)  # alike for any constant rate
      >>> print(js.lr_range_test(train_step, state, batches=[jnp.ones(3)]))
      100 of 100 steps, at rates from 1e-07 to 10
      valley   0.00159
      slide    0.138
      minimum  0.394
      steep    0.167

    Reference: Smith, "Cyclical Learning Rates for Training Neural Networks" (2017),
    arXiv:1506.01186, section 3.3; the sweep and its end as in fastai's `lr_find`.
    """
    if not callable(train_step):
        raise TypeError(
            f"{_NAME}: train_step must be a function of state, batch and learning_rate, "
            f"got train_step={short(train_step)}"
        )
    _check_state(state)
    steps = int(admitted(_NAME, "steps", steps, whole_number(2)))
    stack, count = stacked(_NAME, batches, steps)
    if is_traced((state, stack, min_value, max_value)):
        raise TypeError(
            f"{_NAME}: must be called outside jax.jit, jax.vmap and jax.grad, as it "
            "makes a whole run and reads the losses"
        )
    sweep = _sweep(min_value, max_value, steps)
    weights = _weights(smoothing, steps)
    if stop_factor is not None:
        stop_factor = admitted(_NAME, "stop_factor", stop_factor, Number(above=1))

    def step(state: Any, k: Array, rate: Array, stack: Any) -> tuple[Any, Array]:
        batch = jax.tree.map(lambda x: x[k % count], stack)
        return _checked(state, train_step(state, batch, rate))

    run = jax.jit(partial(_scan, step, sweep, stop_factor))
    rates, losses, smoothed, made, stopped = jax.device_get(run(state, stack, weights))
    end = int(made.sum())
    return RangeTest(rates[:end], losses[:end], smoothed[:end], steps, bool(stopped))


def _scan(
    step: Callable[..., tuple[Any, Array]],
    sweep: Schedule,
    stop_factor: float | None,
    state: Any,
    stack: Any,
    weights: Array,
) -> tuple[Array, Array, Array, Array, Array]:
    """Rates, losses, smoothed losses, which steps were made, and whether it diverged."""

    def body(carry: Any, x: tuple[Array, Array]) -> tuple[Any, Any]:
        state, smoothed, best, over = carry
        k, weight = x
        rate = sweep(k)  # weakly typed: it does not widen parameters of few bits
        state, loss = jax.lax.cond(
            over,
            lambda state: (state, jnp.zeros((), float)),
            lambda state: step(state, k, rate, stack),
            state,
        )
        # The debiased average in one line; the first weight is 1.
        smoothed = (1 - weight) * smoothed + weight * loss
        best = jnp.minimum(best, smoothed)
        diverged = ~jnp.isfinite(loss)
        if stop_factor is not None:
            factor = jnp.where(best < 0, 2 - stop_factor, stop_factor)
            diverged |= smoothed > factor * best
        return (state, smoothed, best, over | diverged), (rate, loss, smoothed, ~over)

    zero = jnp.zeros((), float)
    carry = state, zero, zero + jnp.inf, jnp.zeros((), bool)
    xs = jnp.arange(len(weights)), weights
    (_, _, _, over), columns = jax.lax.scan(body, carry, xs)
    return *columns, over


def _sweep(min_value: Any, max_value: Any, steps: int) -> Schedule:
    """The rates, far enough apart to be different numbers."""
    smallest = Number(least=float(jnp.finfo(jnp.result_type(float)).tiny))
    low = float(admitted(_NAME, "min_value", min_value, smallest))
    high = float(admitted(_NAME, "max_value", max_value, smallest))
    least = low * (1 + 1e-5 * steps)
    if not high > least:
        raise ValueError(
            f"{_NAME}: max_value must be > {least:.6g} for {steps} rates above min_value, "
            f"got min_value={short(min_value)}, max_value={short(max_value)}"
        )
    return exponential(low, high, steps - 1)


def _weights(smoothing: Any, steps: int) -> Array:
    """What each loss counts in the average that it enters."""
    factor = float(admitted(_NAME, "smoothing", smoothing, Number(least=0)))
    if factor >= 1:
        raise ValueError(f"{_NAME}: smoothing must be < 1, got smoothing={factor}")
    # In float64: the denominator is a small difference.
    return jnp.asarray((1 - factor) / (1 - factor ** np.arange(1.0, steps + 1)), float)


def _check_state(state: Any) -> None:
    for path, leaf in jax.tree_util.tree_leaves_with_path(state):
        if not is_number(leaf):
            raise TypeError(
                f"{_NAME}: state must be a pytree of arrays, got "
                f"{type(leaf).__name__}{at(path)}; keep what is no array outside of it"
            )


def _checked(state: Any, result: Any) -> tuple[Any, Array]:
    """The new state and the loss; what a scan would refuse less clearly."""
    if not isinstance(result, tuple) or len(result) != 2:
        raise TypeError(
            f"{_NAME}: train_step must return (state, loss), got {short(result)}"
        )
    new, loss = result
    old_structure, structure = map(jax.tree.structure, (state, new))
    if structure != old_structure:
        raise ValueError(
            f"{_NAME}: train_step must return a state of the same structure as it gets, "
            f"got {structure} for {old_structure}"
        )
    leaves = zip(
        jax.tree_util.tree_leaves_with_path(new), jax.tree.leaves(state), strict=True
    )
    for (path, leaf), old in leaves:
        if not is_number(leaf):
            raise TypeError(
                f"{_NAME}: train_step must return a state of arrays, "
                f"got {short(leaf)}{at(path)}"
            )
        leaf, old = jnp.asarray(leaf), jnp.asarray(old)
        if (leaf.shape, leaf.dtype) != (old.shape, old.dtype):
            raise ValueError(
                f"{_NAME}: train_step must return a state of the same shapes and dtypes "
                f"as it gets, got {kind(leaf)} for {kind(old)}{at(path)}"
            )
    if (
        not is_number(loss)
        or jnp.shape(loss) != ()
        or not is_real(jnp.result_type(loss))
    ):
        got = kind(loss) if isinstance(loss, jax.Array) else short(loss)
        raise TypeError(
            f"{_NAME}: train_step must return the loss as a real scalar, got {got}"
        )
    return new, jnp.asarray(loss, float)
