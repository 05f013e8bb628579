"""vmap over every numeric argument."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import (
    CASES,
    IDS,
    ONE_OF_EACH,
    Case,
    amplified,
    differences,
    float_dtype,
    interesting_steps,
    scale_of,
    thorough,
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
PERIODIC = {js.cosine_restarts, js.cycle, js.staircase, js.step_decay, js.per}
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


def settings_of(c: Case) -> list[dict[str, np.ndarray]]:
    """All numeric arguments: as they are, then with one of them in another setting."""
    tables = dict(numeric_arguments(c))
    first = {name: table[0] for name, table in tables.items()}
    others = [{**first, k: t[i]} for k, t in tables.items() for i in (1, 2)]
    return [first, *others]


def values_with(c: Case, settings: dict[str, Any]) -> jax.Array:
    """The values of the case with other settings of some arguments."""
    steps = interesting_steps(c)
    if isinstance(c.kwargs.get("steps"), float):
        steps = steps[: c.total]  # a float clock resolves no far steps
    return c.make(**{**c.kwargs, **settings})(steps)


@pytest.mark.parametrize(
    "c",
    thorough([CASES[i] for i in WITH_NUMBERS], ONE_OF_EACH[::2]),
    ids=[IDS[i] for i in WITH_NUMBERS],
)
def test_vmap_over_each_argument_is_a_loop(c: Case):
    settings = settings_of(c)
    padded = settings + settings[:1] * (
        -len(settings) % 16
    )  # of one shape, as the steps
    stacked = jax.tree.map(lambda *x: np.stack(x), *padded)
    with jax.disable_jit():  # operation by operation: nothing more to compile
        mapped = jax.vmap(partial(values_with, c))(stacked)[: len(settings)]
        loop = np.stack([values_with(c, one) for one in settings])
    error = differences(mapped, loop, scale=scale_of(c))
    assert np.all(error <= 4 + amplified(c, loop))


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


def test_extreme_hyperparameters_stay_finite():
    """Intermediate results may not overflow where the value does not."""
    s = js.exponential(1e-25, 1e25, steps=10)
    value = jax.jit(lambda s: s(5))(s)
    assert float(value) == pytest.approx(1.0, rel=1e-5)
    steep = lambda upper: js.transition(1.0, 0.0, 10, shape=js.tanh(-7.0, upper))(10)
    assert jax.grad(steep)(50.0) == 0.0
