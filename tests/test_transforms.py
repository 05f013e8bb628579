"""vmap over every numeric argument, and gradients through every float one."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import (
    CASES,
    IDS,
    Case,
    amplified,
    differences,
    float_dtype,
    interesting_steps,
    quickly_compiled,
    scale_of,
    ulps,
)

import jaxsched as js

every_case = pytest.mark.parametrize("c", CASES, ids=IDS)


def numeric_arguments(c: Case) -> Iterator[tuple[str, np.ndarray]]:
    """Each numeric argument with three settings of it, stacked."""
    for name, value in c.kwargs.items():
        numbers = value if isinstance(value, list) else [value]
        if not numbers or any(type(x) not in (int, float) for x in numbers):
            continue
        if name in ("phases", "schedules"):  # static, and numbers as schedules
            continue
        whole = all(isinstance(x, int) for x in numbers) and name not in VALUES
        table = np.asarray(value, np.int32 if whole else float_dtype())
        # A whole run grows, its parts shrink: so that they fit.
        more = np.array([0, 1, 3] if name == "total_steps" else [0, -1, -2], np.int32)
        if name in ("limit", "seed", "every", "timescale", "length_factor"):
            more = np.abs(more)
        if whole and isinstance(value, int):
            least = 1 if name in ("steps", "every") and c.make in PERIODIC else 0
            yield name, np.maximum(table + more, least)
        elif whole:
            yield name, table + np.abs(more)[:, None]
        elif name == "length_factor":
            yield name, table * np.array([1, 2, 4])
        else:
            falling = name in FACTORS  # a factor above 1 would grow without bound
            factors = np.array([1, 0.75, 0.5] if falling else [1, 1.25, 1.5])
            settings = table * factors.reshape(3, *[1] * table.ndim)
            yield name, settings.astype(float_dtype())


# Arguments whose Python integers are values, not lengths.
VALUES = {"value", "init_value", "end_value", "values", "second", "model_size"}
PERIODIC = {js.cosine_restarts, js.cycle, js.staircase, js.step_decay}
# Their settings fall.
FACTORS = {
    "factor",
    "rate",
    "power",
    "time_power",
    "step_factor",
    "value_factor",
    "peak_factor",
}

WITH_NUMBERS = [i for i, c in enumerate(CASES) if any(numeric_arguments(c))]
WITHOUT = [c for i, c in enumerate(CASES) if i not in WITH_NUMBERS]


@pytest.mark.parametrize(
    "c", [CASES[i] for i in WITH_NUMBERS], ids=[IDS[i] for i in WITH_NUMBERS]
)
def test_vmap_over_each_argument_is_a_loop(c: Case):
    arguments = dict(numeric_arguments(c))
    steps = interesting_steps(c)
    if isinstance(c.kwargs.get("steps"), float):
        steps = steps[: c.total]  # a float clock resolves no far steps

    def values(name: str, setting: Any) -> jax.Array:
        return c.make(**{**c.kwargs, name: setting})(steps)

    @quickly_compiled
    def one(settings: dict[str, Any]) -> dict[str, jax.Array]:
        return {k: values(k, v) for k, v in settings.items()}

    @quickly_compiled
    def mapped(settings: dict[str, Any]) -> dict[str, jax.Array]:
        return {k: jax.vmap(partial(values, k))(v) for k, v in settings.items()}

    results = mapped(arguments)
    for i in range(3):
        expected = one({k: v[i] for k, v in arguments.items()})
        for name, result in results.items():
            chex.assert_shape(result, (3, *steps.shape))
            error = differences(result[i], expected[name], scale=scale_of(c))
            assert np.all(error <= 4 + amplified(c, expected[name])), name


@pytest.mark.parametrize("c", WITHOUT, ids=str)
def test_vmap_over_the_numbers_inside_is_a_loop(c: Case):
    """Of those that hold schedules and no number of their own."""
    steps = interesting_steps(c)

    def scaled(by: float) -> js.Schedule:
        return jax.tree.map(lambda x: x * by if isinstance(x, float) else x, c.schedule)

    loop = [scaled(by) for by in (1.0, 1.25, 1.5)]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *loop)
    result = jax.vmap(lambda s: s(steps))(stacked)
    for mapped, one in zip(result, loop, strict=True):
        assert ulps(mapped, one(steps), scale=scale_of(c)) <= 4


@every_case
def test_gradients_are_finite_everywhere(c: Case):
    """With respect to every float leaf and the step, ends and inactive parts included."""
    leaves, tree = jax.tree.flatten(c.schedule)
    floats = [i for i, x in enumerate(leaves) if np.asarray(x).dtype.kind == "f"]
    lengths = [t for v in c.kwargs.values() if isinstance(v, int) for t in (v, v + 1)]
    near = [0, 1, c.total - 1, c.total, c.total + 1, *lengths]

    def at(values: list[Any], step: jax.Array) -> jax.Array:
        changed = list(leaves)
        for i, value in zip(floats, values, strict=True):
            changed[i] = value
        return jax.tree.unflatten(tree, changed)(step)

    @quickly_compiled
    def gradients(values: list[Any], steps: jax.Array) -> Any:
        by_value = jax.vmap(lambda step: jax.grad(at)(values, step))(steps)
        by_step = jax.vmap(jax.grad(c.schedule))(steps.astype(float))
        return by_value, by_step

    values = [jnp.asarray(leaves[i]) for i in floats]
    steps = jnp.array([*near, 2**31 - 1], jnp.int32)
    chex.assert_tree_all_finite(gradients(values, steps))


def test_extreme_hyperparameters_stay_finite():
    """Intermediate results may not overflow where the value does not."""
    s = js.exponential(1e-25, 1e25, steps=10)
    value = jax.jit(lambda s: s(5))(s)
    assert float(value) == pytest.approx(1.0, rel=1e-5)
    steep = lambda upper: js.transition(1.0, 0.0, 10, shape=js.tanh(-7.0, upper))(10)
    assert jax.grad(steep)(50.0) == 0.0
