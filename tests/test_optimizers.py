"""Schedules where they are used: in Optax, in Flax, in training loops."""

import inspect
from collections.abc import Callable
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from cases import CASES, Case, float_dtype, scale_of, thorough, ulps
from flax import linen, nnx
from flax.training.train_state import TrainState

import jaxsched as js

SCHEDULE = js.warmup_cosine(0.1, total_steps=20, warmup_steps=4)

# What takes `learning_rate` but no schedule: each does arithmetic on it as on a number.
NUMBERS_ONLY = {"rprop", "scale_by_rprop", "sm3"}
# Deprecated for `optimistic_adam_v2`, and warns.
DEPRECATED = {"optimistic_adam"}
# What an optimizer needs beside the learning rate.
NEEDS: dict[str, dict[str, Any]] = {"noisy_sgd": {"key": 0}}


def optimizers() -> dict[str, Callable[..., Any]]:
    """Every public function of Optax that takes `learning_rate`."""
    functions = inspect.getmembers(optax, inspect.isfunction)
    return {
        name: function
        for name, function in functions
        if not name.startswith("_")
        and "learning_rate" in inspect.signature(function).parameters
        and name not in NUMBERS_ONLY | DEPRECATED
    }


OPTIMIZERS = optimizers()
every_optimizer = pytest.mark.parametrize("name", OPTIMIZERS)


def test_the_search_finds_the_optimizers():
    """It must not fail in silence when Optax changes."""
    assert len(OPTIMIZERS) >= 20
    assert {"sgd", "adam", "adamw", "lion", "lamb", "lbfgs"} <= OPTIMIZERS.keys()


def params_for(name: str) -> dict[str, jax.Array]:
    """Parameters in two precisions, of two ranks."""
    params = {
        "matrix": jnp.array([[0.5, -0.25], [1.0, 2.0]], jnp.float32),
        "vector": jnp.array([1.0, 2.0, -0.5], jnp.bfloat16),
    }
    if name == "lbfgs":  # its inner products need one dtype
        del params["vector"]
    return params


def loss(params: Any) -> jax.Array:
    """The sum of squares, in float32."""
    return sum(
        jnp.sum(x.astype(jnp.float32) ** 2) for x in jax.tree.leaves(params)
    ) * jnp.float32(0.5)


def two_updates(name: str, learning_rate: Any, params: Any) -> tuple[Any, Any]:
    """The updates and the parameters after each of two steps, stacked."""
    # Optax mixes dtypes on its own: float and int32 in Adam's bias correction, bfloat16
    # and float32 in others.
    with jax.numpy_dtype_promotion("standard"):
        optimizer = OPTIMIZERS[name](learning_rate=learning_rate, **NEEDS.get(name, {}))
        optimizer = optax.with_extra_args_support(optimizer)

        def step(carry: Any, _: Any):
            params, state = carry
            value, grad = jax.value_and_grad(loss)(params)
            extra = {"value": value, "grad": grad, "value_fn": loss}
            updates, state = optimizer.update(grad, state, params, **extra)
            params = optax.apply_updates(params, updates)
            return (params, state), (updates, params)

        return jax.lax.scan(step, (params, optimizer.init(params)), None, 2)[1]


@every_optimizer
def test_every_optimizer_takes_a_schedule(name: str):
    """The updates are those of the same values given by a plain function."""
    params = params_for(name)

    @jax.jit
    def both(params: Any):
        plain = lambda count: SCHEDULE(count)
        return two_updates(name, SCHEDULE, params), two_updates(name, plain, params)

    taken, expected = both(params)
    chex.assert_tree_all_finite(taken)
    chex.assert_trees_all_equal(taken, expected)
    updates, after = taken
    assert dtypes(after) == dtypes(params)
    assert all(np.all(np.any(x, axis=1)) for x in map(rows, jax.tree.leaves(updates)))


def rows(x: jax.Array) -> np.ndarray:
    """One row per step."""
    return np.asarray(x).reshape(len(x), -1)


def dtypes(tree: Any) -> Any:
    """The name of each leaf's dtype."""
    return jax.tree.map(lambda x: x.dtype.name, tree)


@every_optimizer
def test_parameters_keep_their_dtype_under_x64(name: str):
    """A schedule, which is float64 then, widens neither parameters nor updates."""
    params = params_for(name)
    # Older versions of JAX have it elsewhere.
    home = jax if hasattr(jax, "enable_x64") else jax.experimental
    with home.enable_x64(True):
        fixed = jax.eval_shape(lambda p: two_updates(name, 0.1, p), params)
        taken = jax.eval_shape(lambda p: two_updates(name, SCHEDULE, p), params)
    assert dtypes(taken) == dtypes(fixed)
    assert dtypes(taken[1]) == dtypes(params)


CASES_OF = {
    make: [c for c in CASES if c.make is make] for make in {c.make: 0 for c in CASES}
}


@pytest.mark.parametrize(
    "cases",
    thorough(CASES_OF.values(), [*CASES_OF.values()][::3]),
    ids=[m.__name__ for m in CASES_OF],
)
def test_every_schedule_in_sgd(cases: list[Case]):
    """An update is minus the gradient times the value at the number of updates made."""
    optimizers = [optax.sgd(c.schedule) for c in cases]
    grad = jnp.full((), 2.0, float_dtype())

    @jax.jit
    def run(steps: jax.Array):
        def step(states: Any, _: Any):
            pairs = [o.update(grad, s) for o, s in zip(optimizers, states, strict=True)]
            return [state for _, state in pairs], [update / -2 for update, _ in pairs]

        states = [optimizer.init(grad) for optimizer in optimizers]
        _, used = jax.lax.scan(step, states, None, len(steps))
        return used, [c.schedule(steps) for c in cases]

    for c, used, expected in zip(cases, *run(jnp.arange(3)), strict=True):
        assert ulps(used, expected, scale=scale_of(c)) <= 4, c


def test_inject_hyperparams_shows_the_value_used():
    """The schedule's value is in the state, where loggers look for it."""
    optimizer = optax.inject_hyperparams(optax.adamw)(learning_rate=SCHEDULE)
    params = {"w": jnp.ones(3)}

    @jax.jit
    def train_step(state: Any):
        with jax.numpy_dtype_promotion("standard"):  # in Adam's bias correction
            return optimizer.update(params, state, params)

    state = optimizer.init(params)
    for step in range(6):
        updates, state = train_step(state)
        used = state.hyperparams["learning_rate"]
        assert ulps(used, SCHEDULE(step)) <= 4
        # Adam's first updates for a constant gradient of 1, plus 1e-4 weight decay.
        chex.assert_trees_all_close(
            updates["w"], jnp.full(3, -1.0001 * used), rtol=1e-4
        )


def descend(schedule: Any, steps: int) -> jax.Array:
    """Gradient descent on half a square from 1."""
    optimizer = optax.sgd(schedule)

    def step(carry: Any, _: Any):
        x, state = carry
        updates, state = optimizer.update(x, state)
        x = optax.apply_updates(x, updates)
        return (x, state), x

    start = jnp.ones((), float_dtype())
    return jax.lax.scan(step, (start, optimizer.init(start)), None, steps)[1]


def descended(schedule: js.Schedule, steps: int) -> np.ndarray:
    """The same from the schedule's values: each step keeps 1 - s(k)."""
    return np.cumprod(1 - schedule.at(np.arange(steps)).astype(np.float64))


def test_scan_training_loop():
    """Closed over, and as a value that enters the compiled loop."""
    expected = descended(SCHEDULE, 25)
    for run in (jax.jit(descend, static_argnums=(0, 1)), descend):
        np.testing.assert_allclose(run(SCHEDULE, 25), expected, rtol=1e-5)


def test_one_trace_for_many_settings():
    """The schedule is an argument of the train step that builds the optimizer."""

    @jax.jit
    @chex.assert_max_traces(n=1)
    def train_step(schedule: js.Schedule, params: jax.Array, state: Any):
        return optax.sgd(schedule).update(params, state)

    chex.clear_trace_counter()
    params = jnp.ones(2)
    for peak, warmup_steps in [(0.1, 4), (0.2, 4), (0.4, 0), (3.0, 9)]:
        schedule = js.warmup_cosine(peak, total_steps=20, warmup_steps=warmup_steps)
        state = optax.sgd(schedule).init(params)
        for step in range(3):
            updates, state = train_step(schedule, params, state)
            assert ulps(-updates, np.full(2, schedule.at(step))) <= 4


def test_vmap_over_stacked_schedules_is_a_loop():
    """A grid of peaks and lengths trains in one program."""
    settings = [(0.1, 20, 4), (0.2, 10, 0), (0.4, 25, 9)]
    grid = [js.warmup_cosine(*setting) for setting in settings]
    stacked = jax.tree.map(lambda *x: jnp.stack(list(map(jnp.asarray, x))), *grid)
    trained = jax.jit(jax.vmap(lambda s: descend(s, 15)))(stacked)
    for schedule, run in zip(grid, trained, strict=True):
        np.testing.assert_allclose(run, descended(schedule, 15), rtol=1e-5)


def test_flax_nnx_step():
    """The optimizer's own count is an unsigned variable, and a step like any other."""
    model = nnx.Linear(2, 1, rngs=nnx.Rngs(0))
    optimizer = nnx.Optimizer(model, optax.adamw(SCHEDULE), wrt=nnx.Param)
    x = jnp.array([[1.0, 2.0], [3.0, -1.0]], jnp.float32)

    @nnx.jit
    def train_step(model: nnx.Linear, optimizer: nnx.Optimizer) -> Any:
        value = SCHEDULE(optimizer.step[...])
        loss, grads = nnx.value_and_grad(lambda m: jnp.mean(m(x) ** 2))(model)
        optimizer.update(model, grads)
        return loss, value

    losses = []
    with jax.numpy_dtype_promotion("standard"):  # in Adam's bias correction
        for step in range(4):
            assert optimizer.step[...].dtype == jnp.uint32
            assert ulps(SCHEDULE(optimizer.step[...]), SCHEDULE(step)) <= 4
            loss, value = train_step(model, optimizer)
            assert ulps(value, SCHEDULE(step)) <= 4
            losses.append(float(loss))
    assert losses[-1] < losses[0]


def test_flax_linen_train_state():
    """A step of SGD moves the parameters by the value at the state's count."""
    model = linen.Dense(1)
    x = jnp.array([[1.0, 2.0], [3.0, -1.0]], jnp.float32)
    params = model.init(jax.random.key(0), x)
    state = TrainState.create(
        apply_fn=model.apply, params=params, tx=optax.sgd(SCHEDULE)
    )

    @jax.jit
    def train_step(state: TrainState):
        loss = lambda params: jnp.mean(state.apply_fn(params, x) ** 2)
        grads = jax.grad(loss)(state.params)
        return state.apply_gradients(grads=grads), grads

    for step in range(3):
        after, grads = train_step(state)
        value = SCHEDULE.at(step)
        moved = jax.tree.map(
            lambda p, g, value=value: p - value * g, state.params, grads
        )
        chex.assert_trees_all_close(after.params, moved, rtol=1e-5, atol=1e-6)
        assert SCHEDULE(after.step) == pytest.approx(SCHEDULE.at(step + 1), rel=1e-6)
        state = after


OPTAX_SCHEDULES: dict[str, Callable[[Any], Any]] = {
    "cosine": optax.cosine_decay_schedule(0.1, 100),
    "linear": optax.linear_schedule(0.1, 0.01, 50, transition_begin=5),
    "piecewise": optax.piecewise_constant_schedule(0.1, {7: 0.5, 20: 0.1}),
    "join": optax.join_schedules(
        [optax.linear_schedule(0.0, 0.1, 10), optax.cosine_decay_schedule(0.1, 50)],
        [10],
    ),
}


@pytest.mark.parametrize("name", OPTAX_SCHEDULES)
def test_optax_schedules_inside_our_combinators(name: str):
    """They are asked for their own step: the shifted, clamped, wrapped one."""
    inner = OPTAX_SCHEDULES[name]
    t = np.arange(60)
    start = float(inner(0))
    moved = {
        js.delay(inner, 10): np.maximum(t - 10, 0),
        js.shift(inner, 7): t + 7,
        js.cycle(inner, 12): t % 12,
        js.staircase(inner, 8): t // 8 * 8,
        js.reverse(inner, 30): np.maximum(30 - t, 0),
        js.join([inner, inner], [20]): np.where(t < 20, t, t - 20),
    }
    with jax.numpy_dtype_promotion("standard"):  # Optax mixes counts and floats

        @jax.jit
        def all_values(steps: Any):
            theirs = [jax.vmap(inner)(step) for step in moved.values()]
            warmed = js.warmup(inner, 10), js.warmup(inner, 10, init_value=0.0)
            ours = [s(steps) for s in (*moved, *warmed)]
            return ours, theirs, jax.vmap(inner)(jnp.arange(50))

        ours, theirs, after = all_values(t)
    *ours, warmed, from_zero = map(np.asarray, ours)
    for s, values, expected in zip(moved, ours, theirs, strict=True):
        # Optax's own cosine cancels near its end, and differs between two programs.
        np.testing.assert_allclose(values, expected, 2e-6, 1e-8, err_msg=str(s))
    for values, ramp in ((warmed, (t[:10] + 1) / 11), (from_zero, t[:10] / 10)):
        np.testing.assert_allclose(values[:10], start * ramp, rtol=2e-6)
        np.testing.assert_allclose(values[10:], after, rtol=2e-6, atol=1e-8)


def test_our_schedules_inside_optax_combinators():
    """The other way round."""
    first, second = js.warmup(0.1, 10), js.cosine(0.1, 0.0, steps=40)
    joined = optax.join_schedules([first, second], [10])
    ours = js.join([first, second], [10])
    theirs = [float(joined(jnp.int32(t))) for t in (0, 9, 10, 30, 50)]
    np.testing.assert_allclose(theirs, ours.at(np.array([0, 9, 10, 30, 50])), rtol=1e-6)
