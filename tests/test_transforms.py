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
    differences,
    float_dtype,
    in_groups,
    interesting_steps,
    scale_of,
)
from jax.typing import ArrayLike

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
            falling = name in AMPLIFIED  # a factor above 1 would grow without bound
            factors = np.array([1, 0.75, 0.5] if falling else [1, 1.25, 1.5])
            settings = table * factors.reshape(3, *[1] * table.ndim)
            yield name, settings.astype(float_dtype())


# Arguments whose Python integers are values, not lengths.
VALUES = {"value", "init_value", "end_value", "values", "second", "model_size"}
PERIODIC = {js.cosine_restarts, js.cycle, js.staircase, js.step_decay}
# Where rounding the argument to float32 is amplified by an exponent.
AMPLIFIED = {
    "factor",
    "rate",
    "power",
    "k",
    "step_factor",
    "value_factor",
    "peak_factor",
}


def steps_of(c: Case) -> np.ndarray:
    """A float clock resolves no far steps."""
    steps = interesting_steps(c)
    return steps[: c.total] if isinstance(c.kwargs.get("steps"), float) else steps


def values_of(c: Case, name: str, setting: Any) -> jax.Array:
    """With one argument as given."""
    return c.make(**{**c.kwargs, name: setting})(steps_of(c))


mapped = in_groups(
    lambda c, settings: {
        k: jax.vmap(partial(values_of, c, k))(v) for k, v in settings.items()
    },
    lambda c: (dict(numeric_arguments(c)),),
)
looped = in_groups(
    lambda c, setting: {k: values_of(c, k, v) for k, v in setting.items()},
    lambda c, i: ({k: v[i] for k, v in numeric_arguments(c)},),
)


@every_case
def test_vmap_over_each_argument_is_a_loop(c: Case):
    results = mapped(c)
    for i in range(3):
        expected = looped(c, i)
        assert results.keys() == expected.keys()
        for name, result in results.items():
            chex.assert_shape(result, (3, *steps_of(c).shape))
            error = differences(result[i], expected[name], scale=scale_of(c))
            assert np.all(error <= 4 + amplified(c, expected[name])), name


def amplified(c: Case, values: Any) -> ArrayLike:
    """What two programs may differ by where an exponent amplifies their rounding."""
    if not AMPLIFIED & c.kwargs.keys():
        return 0.0
    normal = np.maximum(np.abs(np.asarray(values, np.float64)), 1e-37)
    return 2 * np.abs(np.log2(normal))


def float_leaves(c: Case) -> dict[int, Any]:
    """By their place among all leaves."""
    leaves = enumerate(jax.tree.leaves(c.schedule))
    return {i: x for i, x in leaves if np.asarray(x).dtype.kind == "f"}


def edges(c: Case) -> np.ndarray:
    """The steps around the ends of the whole and of its parts, and the last."""
    lengths = [t for v in c.kwargs.values() if isinstance(v, int) for t in (v, v + 1)]
    near = [0, 1, c.total - 1, c.total, c.total + 1, *lengths]
    return np.array([*near, 2**31 - 1], np.int32)


def _gradients(c: Case, floats: dict[int, Any], steps: jax.Array) -> Any:
    leaves, tree = jax.tree.flatten(c.schedule)

    def at(floats: dict[int, Any], step: jax.Array) -> jax.Array:
        changed = [floats.get(i, x) for i, x in enumerate(leaves)]
        return jax.tree.unflatten(tree, changed)(step)

    by_value = jax.vmap(lambda step: jax.grad(at)(floats, step))(steps)
    by_step = jax.vmap(jax.grad(c.schedule))(steps.astype(float))
    return by_value, by_step


gradients = in_groups(_gradients, lambda c: (float_leaves(c), edges(c)))


@every_case
def test_gradients_are_finite_everywhere(c: Case):
    """With respect to every float leaf and the step, ends and inactive parts included."""
    by_value, by_step = gradients(c)
    assert by_value.keys() == float_leaves(c).keys()
    chex.assert_tree_all_finite((by_value, by_step))


def test_extreme_hyperparameters_stay_finite():
    """Intermediate results may not overflow where the value does not."""
    s = js.exponential(1e-25, 1e25, steps=10)
    value = jax.jit(lambda s: s(5))(s)
    assert float(value) == pytest.approx(1.0, rel=1e-5)
    steep = lambda upper: js.transition(1.0, 0.0, 10, js.tanh(-7.0, upper))(10)
    assert jax.grad(steep)(50.0) == 0.0
