"""Values in every corner: of any scale, growing without end, and text that cannot hurt."""

import time
import tracemalloc

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import CASES, Case, amplified, each_constructor, float_dtype, scale_of
from scaling import scaled

import jaxsched as js
from jaxsched.arrays import enable_x64

SCALES = (1e-30, 1e30)
LAST = [2**31 - 1]


@pytest.mark.parametrize("by", SCALES)
@each_constructor
def test_scaled_values_make_the_scaled_curve(c: Case, by: float):
    """To its accuracy, read and called, as far as float32 has normal numbers."""
    # Of cycles of a float length, float32 loses the place long before the last step.
    far = (
        []
        if isinstance(c.kwargs.get("steps", c.kwargs.get("up_steps")), float)
        else LAST
    )
    steps = np.array([*range(c.total + 3), *far])
    s, small = c.schedule, scaled(c.schedule, by)
    expected = s.at(steps) * by
    size = np.maximum(np.abs(expected), by * scale_of(c))
    read = np.abs(small.at(steps) - expected)
    np.testing.assert_array_less(read, 1e-12 * size + 1e-300)
    with jax.disable_jit():  # operation by operation: nothing to compile
        values = small(np.resize(steps, len(steps) + -len(steps) % 32))[: len(steps)]
    called = np.abs(np.asarray(values, np.float64) - expected)
    unit = float(np.finfo(float_dtype()).eps)
    bound = (12 + amplified(c, expected / by)) * unit * size + 4e-38
    np.testing.assert_array_less(called, bound)


def test_scaling_is_not_in_vain():
    """The law changes what it should, and would see a wrong one."""
    assert scaled(js.cosine(0.5, 0.25, 8), 2.0) == js.cosine(1.0, 0.5, 8)
    assert scaled(js.multistep(0.5, [3], 0.5), 2.0) == js.multistep(1.0, [3], 0.5)
    assert scaled(0.5 * js.constant(0.25), 2.0) == 1.0 * js.constant(0.25)
    changed = [c for c in CASES if scaled(c.schedule, 2.0) != c.schedule]
    unchanged = {c.name for c in CASES} - {c.name for c in changed}
    assert unchanged == set()


# ----- products beyond a float whose result is not -----


def test_a_spline_of_any_size():
    for by in (1e20, 1e-20, 1e37, 1e-37):
        table = [v * by for v in (1.0, 2.0, 4.0, 4.5)]
        s = js.spline([0, 10, 20, 30], table)
        assert float(s(30)) == pytest.approx(4.5 * by, rel=1e-6)
        one = js.spline([0, 10, 20, 30], [1.0, 2.0, 4.0, 4.5]).at(15)
        assert float(s(15)) == pytest.approx(one * by, rel=1e-5)


def test_decays_of_any_rate():
    s = js.compounding_time_decay(1.0, 1e8)
    exact = np.prod([1 / (1 + 1e8 * k) for k in range(1, 6)])
    assert s.at(5) == pytest.approx(exact, rel=1e-13)
    assert float(js.compounding_time_decay(1e20, 1e8)(5)) == pytest.approx(
        exact * 1e20, rel=1e-5
    )
    for rate in (1e-30, 1e8, 1e30):
        for step in (0, 1, 9, 10**6):
            by_all = jax.grad(lambda s, t=step: s(t))(
                js.compounding_time_decay(1.0, rate)
            )
            assert all(np.all(np.isfinite(x)) for x in jax.tree.leaves(by_all))


def test_ends_that_are_far_apart():
    s = js.exponential(1e30, 1e-300, 10)
    assert s.at(3) == pytest.approx(1e-69, rel=1e-12)
    assert float(js.exponential(1e30, 1e-30, 10)(5)) == pytest.approx(1.0, rel=1e-4)


def test_noise_of_any_bound():
    s = js.noise(1.0, scale=0.5, seed=1, distribution="uniform", bound=3e38)
    assert np.all(np.isfinite(np.asarray(s(np.arange(100)))))


# ----- what grows -----


@pytest.mark.parametrize("factor", [1.5, 2.0])
@pytest.mark.parametrize("low", [1.0, 0.1, -2.0])
def test_a_growing_triangle_keeps_its_floor(factor, low):
    """At the bottom of each cycle, however high the tops are, and without any."""
    flat, grows = (
        js.triangular(low, high, 4, factor=factor) for high in (low, low + 1)
    )
    for cycle in (0, 1, 5, 30, 60):
        assert float(flat(8 * cycle + 3)) == pytest.approx(low, rel=1e-6)
        assert flat.at(8 * cycle + 3) == pytest.approx(low, rel=1e-13)
        assert float(grows(8 * cycle)) == pytest.approx(low, rel=1e-6)
        top = low + factor**cycle
        assert grows.at(8 * cycle + 4) == pytest.approx(top, rel=1e-12, abs=1e-12)
        assert float(grows(8 * cycle + 4)) == pytest.approx(top, rel=1e-4, abs=1e-6)


# ----- text that cannot hurt -----

LONG = "a " * 25_000
HOSTILE = [
    f'constant(array(["{LONG}"{", 1" * 20_000}], "float32"))',
    f'constant(array([[1], "{LONG}"{", [1]" * 20_000}], "float32"))',
    f'piecewise_linear(["{LONG}"{", 1" * 20_000}], [1])',
    f'constant(array([{"[1]," * 100_000}], "int8"))',
    f"constant(array({'[' * 60}1{']' * 60}, 'float32'))",
    f'constant(array([{"1," * 20_000} "{LONG}"], "{LONG}"))',
    f"transition(1, 0, 10, shape='{LONG}')",
    f"linear(1, 0, 10, {LONG.replace(' ', '')[:300]}=1)",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_text_takes_memory_and_time_in_proportion(text):
    """It is known to be numbers before anything is made of it; errors are ValueErrors."""
    tracemalloc.start()
    begin = time.thread_time()
    try:
        with pytest.raises(ValueError, match="parse"):
            js.parse(text)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1000 * len(text)
    assert time.thread_time() - begin < 10


def test_data_takes_memory_in_proportion():
    data = {"constant": {"value": {"array": {"values": [LONG, *[1] * 20_000]}}}}
    data["constant"]["value"]["array"]["dtype"] = "float32"
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"values must be numbers.* at constant"):
            js.from_dict(data)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()


def test_arrays_are_still_read():
    """Numbers, lists of lists, and arrays."""
    assert js.array([[1, 2], [3, 4]], "int8").tolist() == [[1, 2], [3, 4]]
    assert js.array(0.5, "bfloat16").shape == ()
    assert js.array(np.arange(3), "float32").tolist() == [0, 1, 2]
    assert js.array([np.float32(0.5), 1], "float32").tolist() == [0.5, 1]
    for wrong in (True, [True], "1", [b"1"], [None], [[1], None], {}, [object()]):
        with pytest.raises(TypeError, match="array: values must be numbers"):
            js.array(wrong, "float32")
    assert jnp.asarray(js.array([0.5], "float32")).dtype == jnp.float32


# ----- ties that are no kinks -----


@pytest.mark.parametrize(("shape", "slope"), [("cosine", -1.0), ("mirror_cosine", 1.0)])
def test_the_middle_of_a_curve_has_its_slope(shape, slope):
    """Where both ends are equally near, by the step and by the length."""
    steep = np.pi / 2 if slope < 0 else 2 - np.pi / 2
    by_step = jax.grad(js.transition(1.0, 0.0, 10, shape=shape))(5.0)
    assert float(by_step) == pytest.approx(-steep / 10, rel=1e-5)
    by_length = jax.grad(lambda n: js.transition(1.0, 0.0, n, shape=shape)(5))(10.0)
    assert float(by_length) == pytest.approx(steep / 20, rel=1e-5)
    assert np.isfinite(jax.grad(jax.grad(js.cosine(1.0, 0.0, 10)))(5.0))


def test_the_middle_of_an_interval_of_a_spline_has_its_slope():
    s = js.spline([0, 10, 20], [0.0, 1.0, 0.5])
    for step in (5.0, 15.0):
        above, below = s.at(step + 1e-4), s.at(step - 1e-4)
        slope = (above - below) / 2e-4
        assert float(jax.grad(s)(step)) == pytest.approx(slope, rel=1e-4)


def test_tables_are_as_precise_as_the_floats_of_the_moment():
    """A table that single precision has read is read again in double precision."""
    s = js.piecewise_linear([1.1, 7.3], [0.3, 0.7])
    s(3.0)
    with enable_x64(True):
        assert float(s(3.0)) == pytest.approx(s.at(3.0), rel=1e-15)
