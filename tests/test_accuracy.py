"""Values against independent float64 references."""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import CASES, IDS, Case, amplified, in_groups, scale_of, thorough
from twins import excess, recipe_twin, twin

sys.path.insert(0, str(Path(__file__).parents[1]))

import jaxsched as js
from benchmarks import accuracy

pytestmark = pytest.mark.optimized


def _has_reference(c: Case) -> bool:
    """Not noise; and not cycles of a float length, which have a test of their own."""
    length = c.kwargs.get("steps", c.kwargs.get("up_steps"))
    cyclic = c.make in (js.cycle, js.cosine_restarts, js.triangular)
    return c.make is not js.noise and not (cyclic and isinstance(length, float))


REFERENCED = [(c, i) for c, i in zip(CASES, IDS, strict=True) if _has_reference(c)]


def steps_of(c: Case) -> np.ndarray:
    return np.array([*range(c.total + 5), 99, 1000, 2**24 + 1, 2**31 - 1])


# Compiled as users' programs are, which decides the last digits.
values_of = in_groups(lambda c, steps: c.schedule(steps), lambda c: (steps_of(c),))


@pytest.mark.parametrize(
    "c", [c for c, _ in REFERENCED], ids=[i for _, i in REFERENCED]
)
def test_every_case_equals_its_reference(c: Case):
    """Within 10 ulp, and 2 |log2(value / first value)| more where exponents amplify."""
    expected = recipe_twin(c.make, c.kwargs)(steps_of(c))
    # Under x64 the references themselves are good to some 5e-13.
    unit = 2.0**-23 if not jax.config.jax_enable_x64 else 1e-13
    size = np.maximum(np.abs(expected), scale_of(c))
    bound = (10 + amplified(c, expected)) * unit * size + 1e-37
    error = np.abs(np.asarray(values_of(c), np.float64) - expected)
    np.testing.assert_array_less(error, bound)


RECIPES = [c for c, _ in REFERENCED if c.schedule._rule.name != c.name]


@pytest.mark.parametrize("c", RECIPES, ids=str)
def test_a_recipe_is_the_composition_that_it_prints_as(c: Case):
    """The formula of the recipe is that of the schedules it is made of."""
    steps = np.arange(30)
    recipe, composition = recipe_twin(c.make, c.kwargs), twin(c.schedule)
    np.testing.assert_allclose(composition(steps), recipe(steps), rtol=1e-12)


@pytest.mark.skipif(jax.config.jax_enable_x64, reason="the bounds are for float32")
@pytest.mark.parametrize("total", [10**4, 2**31 - 1])
@pytest.mark.parametrize("name", thorough(accuracy.ROWS, [*accuracy.ROWS][::2]))
def test_long_runs_keep_their_digits(name: str, total: int):
    """Every row of the report, over all steps of 10^4 and some of very long runs."""
    row = accuracy.ROWS[name]._replace(peer=None)
    _, multiple, _ = accuracy.measure(row, total)
    assert multiple <= 1


@pytest.mark.parametrize("length", [1, 2, 3, 7, 10, 41, 49, 61, 1000, 1_000_003])
def test_both_ends_to_the_bit(length: int):
    """Lengths that a compiler knows, whose reciprocals are not exact."""
    init, end = 0.1, 3e-5
    makes = (js.linear, js.cosine, js.polynomial, js.exponential, js.transition)
    values = jax.jit(lambda t: [make(init, end, length)(t) for make in makes])
    start, *ended = (values(t) for t in (0, length, length + 1))
    all_at_once = values(np.array([0, length, 2**31 - 1]))
    expected = np.array([init, end, end], jnp.result_type(float))
    for *single, several in zip(start, *ended, all_at_once, strict=True):
        np.testing.assert_array_equal(np.array(single), expected)
        np.testing.assert_array_equal(several, expected)


def test_cycles_of_a_float_length_begin_at_the_fractions():
    t = np.arange(40)
    u = t / 4.5 % 1
    np.testing.assert_allclose(
        js.cosine_restarts(0.5, 0.0, 4.5).at(t), (1 + np.cos(np.pi * u)) / 4, atol=1e-6
    )
    up = np.where(u * 4.5 < 1.5, u * 3, (1 - u) * 1.5)
    np.testing.assert_allclose(js.triangular(0.0, 1.0, 1.5, 3.0).at(t), up, atol=2e-6)
    growing = js.cosine_restarts(0.5, 0.0, 2.5, length_factor=2, limit=3)
    begins = np.array([0.0, 2.5, 7.5, 17.5])
    i = np.searchsorted(begins[1:-1], t, side="right")
    u = np.minimum((t - begins[i]) / (begins[i + 1] - begins[i]), 1)
    np.testing.assert_allclose(growing.at(t), (1 + np.cos(np.pi * u)) / 4, atol=1e-6)


def test_growth_beyond_the_floats_stays_what_it_is():
    """Infinity for a value, zero for zero: never NaN."""
    with jax.debug_nans(True):
        assert js.exponential_decay(0.0, 2.0).at(10**6) == 0.0
        assert js.cycle(js.linear(0.0, 1.0, 4), 4, value_factor=2.0).at(2**20) == 0.0
        assert js.triangular(0.1, 1.0, 4, factor=2.0).at(2**20) == pytest.approx(0.1)


def test_the_error_of_a_single_value():
    """The measure itself: one ulp is one, and an exponent allows more."""
    one = np.float32(1) + np.spacing(np.float32(1))
    assert excess(np.array([one]), np.array([1.0])) == (1.0, 0.1)
    _, allowed = excess(np.array([one]), np.array([1.0]), scale=2.0**-5)
    assert allowed == pytest.approx(1 / 20)
