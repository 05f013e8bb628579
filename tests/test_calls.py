"""Calling a schedule: eager, compiled, on arrays, on every kind of count."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import (
    CASES,
    IDS,
    ONE_OF_EACH,
    Case,
    differences,
    each_constructor,
    float_dtype,
    in_groups,
    interesting_steps,
    scale_of,
    thorough,
    ulps,
)

import jaxsched as js
from jaxsched.arrays import enable_x64

every_case = pytest.mark.parametrize("c", CASES, ids=IDS)
some_constructors = pytest.mark.parametrize(
    "c", thorough(ONE_OF_EACH, ONE_OF_EACH[::3]), ids=str
)


@pytest.mark.optimized
@pytest.mark.parametrize("c", ONE_OF_EACH[::4], ids=str)
def test_eager_is_jit_bit_for_bit(c: Case):
    """As the law on all cases says of their text."""
    s, steps = c.schedule, interesting_steps(c)
    compiled = jax.jit(s)
    chex.assert_trees_all_equal(s(steps), compiled(steps))
    for step in (0, c.total, 2**31 - 1):
        chex.assert_trees_all_equal(s(step), compiled(step))


@each_constructor
def test_eager_is_the_program_that_jit_compiles(c: Case):
    """What is compiled of the two is the same text, and the same tables of numbers."""
    s, steps = c.schedule, interesting_steps(c)
    s(steps)
    [call] = jax.make_jaxpr(s._compiled)(steps).eqns
    eager, traced = call.params["jaxpr"], jax.make_jaxpr(s)(steps)
    assert str(eager) == str(traced)
    chex.assert_trees_all_equal(eager.consts, traced.consts)


as_argument = in_groups(
    lambda c, s, steps: s(steps), lambda c: (c.schedule, interesting_steps(c))
)


@some_constructors
def test_array_argument_and_map_agree(c: Case):
    """All steps at once, new numbers for a compiled program, a map."""
    s, steps, scale = c.schedule, interesting_steps(c), scale_of(c)
    with jax.disable_jit():  # operation by operation: nothing more to compile
        mapped = jax.vmap(s)(steps)
    assert ulps(as_argument(c), s(steps), scale=scale) <= 4
    assert ulps(mapped, s(steps), scale=scale) <= 4


@some_constructors
def test_a_loop_and_a_scan_over_the_run_agree(c: Case):
    """As in training steps, which carry the count."""
    body = lambda t, _: (t + 1, c.schedule(t))
    _, scanned = jax.lax.scan(body, jnp.int32(0), None, c.total)
    at_once = c.schedule(interesting_steps(c))[: c.total]
    loop = [c.schedule(t) for t in range(c.total)]
    assert ulps(scanned, at_once, scale=scale_of(c)) <= 4
    assert ulps(loop, at_once, scale=scale_of(c)) <= 4


@each_constructor
def test_shape_and_weak_type(c: Case):
    """The shape of the step; a dtype left open, like that of the numbers it is made of."""
    s = c.schedule
    for shape, kind in (((), jnp.int32), ((0, 3), jnp.bfloat16)):
        value = jax.eval_shape(s, jnp.zeros(shape, kind))
        chex.assert_shape(value, shape)
        assert value.weak_type
        assert value.dtype == float_dtype()
    passed = jax.eval_shape(lambda s, t: s(t), s, jnp.zeros((2, 3), jnp.int8))
    assert (passed.shape, passed.dtype) == ((2, 3), float_dtype())
    assert jax.eval_shape(lambda s: s(5), s).weak_type


@every_case
def test_arrays_decide_the_dtype(c: Case):
    narrow = jax.tree.map(
        lambda x: (
            jnp.asarray(x, jnp.bfloat16) if np.asarray(x).dtype.kind == "f" else x
        ),
        c.schedule,
    )
    value = jax.eval_shape(narrow, 3)
    assert value.dtype == jnp.bfloat16
    assert not value.weak_type


@each_constructor
def test_every_kind_of_count(c: Case):
    """The same number is the same step, whatever its type."""
    steps = np.resize(np.array([0, 1, 7, c.total], np.int32), 32)
    with jax.disable_jit():  # operation by operation: nothing more to compile
        expected = c.schedule(steps)
        for kind in (jnp.uint32, jnp.int8, jnp.float32):
            value = c.schedule(jnp.asarray(steps, kind))
            assert ulps(value, expected, scale=scale_of(c)) <= 8
        for count in (np.uint8(7), np.array(7, np.int64)):
            assert ulps(c.schedule(count), expected[2], scale=scale_of(c)) <= 4


@each_constructor
def test_before_the_start_and_after_the_largest_integer(c: Case):
    """Steps below 0 read as 0; none wraps, whatever its type."""
    s = c.schedule
    size = interesting_steps(c).size  # for which it is compiled
    values = np.asarray(s(np.resize([-1, -(2**40), 2**31, 2**62], size)))
    chex.assert_trees_all_equal(values[0], values[1])
    near = s(interesting_steps(c))
    assert ulps(values[0], near[0], scale=scale_of(c)) <= 4
    huge = s(np.resize(np.array([7, 2**32 - 1], np.uint32), size))
    assert ulps(huge[0], near[7], scale=scale_of(c)) <= 8
    chex.assert_tree_all_finite((values, huge))
    if js.horizon(s) is not None:  # it goes on as a float, at its end
        end = near[-1]
        assert ulps([*values[2:4], huge[1]], [end] * 3, scale=scale_of(c)) <= 4


@pytest.mark.parametrize("c", ONE_OF_EACH[::4], ids=str)
def test_no_leaks(c: Case):
    """Not of each: JAX looks for what leaked through the whole heap."""
    with jax.checking_leaks():
        jax.eval_shape(c.schedule, 3)


class TestVariants(chex.TestCase):
    @chex.variants(with_jit=True, without_jit=True, with_device=True)
    def test_values_do_not_depend_on_the_way_of_calling(self):
        s = js.warmup_cosine(0.5, total_steps=12, warmup_steps=4)
        value = self.variant(s)(jnp.int32(8))
        chex.assert_trees_all_close(value, 0.25, rtol=1e-6)


def test_one_trace_for_many_numbers():
    """A hundred settings passed as an argument compile once."""
    chex.clear_trace_counter()

    @jax.jit
    @chex.assert_max_traces(n=1)
    def value(s, step):
        return s(step)

    for i in range(100):
        s = js.warmup_cosine(0.1 + i, total_steps=200 + i, warmup_steps=i)
        value(s, 5)


def test_equal_schedules_share_a_program():
    """Equal schedules are the same static argument: the program is not traced again."""
    traces = []

    def value(s, step):
        traces.append(s)
        return s(step)

    compiled = jax.jit(value, static_argnums=0)
    for _ in range(3):
        compiled(js.warmup_cosine(0.1, total_steps=20, warmup_steps=5), 3)
    assert len(traces) == 1


def test_eager_calls_compile_once():
    """One program for calls, one for reading on the host."""
    traces = []

    @js.schedule
    def counted_calls(step, value: js.Value):
        traces.append(step)
        return value

    s = counted_calls(0.5)
    for step in range(20):
        assert s(step) == s.at(step) == 0.5
    assert len(traces) == 2


def test_a_stacked_schedule_is_refused_with_a_way_out():
    stacked = jax.tree.map(
        lambda *x: jnp.stack([jnp.asarray(v) for v in x]),
        js.linear(0.1, 0.0, steps=10),
        js.linear(0.2, 0.0, steps=20),
    )
    with pytest.raises(ValueError, match=r"linear: holds stacked .* jax\.vmap"):
        stacked(3)
    values = jax.vmap(lambda s: s(5))(stacked)
    chex.assert_trees_all_close(
        values, np.array([0.05, 0.15], float_dtype()), rtol=1e-6
    )


STEEP = [
    js.compounding_time_decay(1.0, 0.001),
    js.compounding_time_decay(1.0, 0.01),
    js.inverse_time_decay(1.0, 0.1, power=2.5),
    js.exponential_decay(1.0, 0.97),
    js.natural_exponential_decay(1.0, 0.03),
    js.exponential(1.0, 1e-20, 400),
    js.power_law(1.0, 1.0),
    js.inverse_sqrt_decay(1.0, 100),
    js.transition(1.0, 0.0, 400, shape="tanh"),
]


@pytest.mark.parametrize("s", STEEP, ids=repr)
def test_however_small_a_value_has_become_all_ways_agree_on_it(s):
    """Compared with the value itself: a map that is not compiled, a scan, a loop."""
    steps = np.arange(400, dtype=np.int32)
    at_once = s(steps)
    # JAX 0.6 computes exponentials in other ways alone than among others.
    is_old = jax.__version_info__ < (0, 7)
    exponent = np.abs(np.log2(np.maximum(at_once, 1e-37))) * is_old
    _, scanned = jax.lax.scan(lambda t, _: (t + 1, s(t)), jnp.int32(0), None, 400)
    for values in (jax.vmap(s)(steps), scanned, [s(int(t)) for t in steps]):
        assert np.all(differences(values, at_once) <= 4 + 2 * exponent)


# ----- steps and lengths that JAX does not count to -----


def wide(steps):
    """Steps in 64 bits, as an environment's counter or Keras makes them."""
    with enable_x64(True):
        return jnp.asarray(np.array(steps, np.int64))


TRILLION = 10**12


@pytest.mark.parametrize(
    "n", [TRILLION, 1e12, np.array(TRILLION), np.array([TRILLION])[0]]
)
def test_a_length_may_be_any_integer(n):
    """It is a float where JAX does not count to it."""
    s = js.linear(1.0, 0.0, steps=n)
    passed = jax.jit(lambda s, t: s(t))
    for step, value in ((0, 1.0), (TRILLION // 2, 0.5), (TRILLION, 0.0), (2**62, 0.0)):
        assert s.at(step) == value
        assert float(s(step)) == float(passed(s, float(step))) == value
    back = jax.jit(lambda s: s)(s)
    assert float(back.steps) == pytest.approx(TRILLION)
    assert eval(repr(back), vars(js) | {"array": js.array}) == back
    stacked = js.stack([s, s.replace(init_value=2.0)])
    both = jax.vmap(lambda s: s(TRILLION // 4))(stacked)
    chex.assert_trees_all_close(both, np.array([0.75, 1.5], float_dtype()))


def test_a_length_may_be_an_array_of_64_bits():
    """Exact where JAX counts to it and it is known, a float otherwise."""
    short, long = wide(7), wide(TRILLION)
    s = js.cosine_restarts(1.0, 0.0, short)
    assert float(s(7 * 10**8)) == 1.0
    for value in (
        js.linear(1.0, 0.0, long)(TRILLION // 2),
        jax.jit(lambda n: js.linear(1.0, 0.0, n)(1.0 * TRILLION / 2))(long),
    ):
        assert float(value) == pytest.approx(0.5, rel=1e-6)


def test_boundaries_may_be_any_integers():
    s = js.piecewise_constant([10, 5 * 10**9], [1.0, 0.5, 0.25])
    steps = np.array([0, 10, 4 * 10**9, 5 * 10**9, 2**62])
    expected = [1.0, 0.5, 0.5, 0.25, 0.25]
    assert s(steps).tolist() == s.at(steps).tolist() == expected
    assert js.join([1.0, 0.5], [5 * 10**9])(6 * 10**9) == 0.5
    assert js.triangular(0.0, 1.0, 2 * 10**9)(3 * 10**9) == 0.5


@pytest.mark.parametrize(
    "total", thorough([1000, 2 * 10**9, 2**31 - 1, 6 * 10**9], [1000, 6 * 10**9])
)
def test_steps_of_64_bits_are_those_steps(total):
    """With x64 off: exact where the length fits, and floats beyond."""
    s = js.warmup_cosine(1.0, total, total // 10)
    steps = [
        0,
        5,
        total // 20,
        total // 2,
        total - 1,
        total,
        2 * total,
        2**62,
        -(2**40),
    ]
    expected = s.at(np.array(steps))
    passed = jax.jit(lambda s, t: s(t))
    for values in (s(wide(steps)), jax.jit(s)(wide(steps)), passed(s, wide(steps))):
        assert values.dtype == float_dtype()
        np.testing.assert_allclose(values, expected, rtol=1e-6, atol=1e-12)
    mapped = jax.vmap(s)(wide(steps))
    np.testing.assert_allclose(mapped, expected, rtol=1e-6, atol=1e-12)
    assert float(s(wide(total))) == 0.0
    assert np.isfinite(
        jax.grad(lambda s: s(wide(total)))(js.linear(1.0, 0.5, 9.0)).end_value
    )


@pytest.mark.parametrize("kind", [np.uint32, np.int64, np.uint64])
def test_a_wide_step_equals_a_narrow_one(kind):
    """To the bit, restarts included."""
    s = js.cosine_restarts(1.0, 0.0, 7, length_factor=1.5)
    steps = np.array([0, 6, 7, 17, 18, 10**6 + 3, 2**31 - 1])
    with enable_x64(True):
        given = jnp.asarray(steps.astype(kind))
    chex.assert_trees_all_equal(jax.jit(s)(given), s(steps.astype(np.int32)))


TIMED = [
    js.step_decay(1.0, 0.5, 10**9),
    js.cycle(js.linear(1.0, 0.0, 10**9), 10**9),
    js.cosine_restarts(1.0, 0.0, 10**9),
    js.cosine_restarts(1.0, 0.0, 10**9, length_factor=2),
    js.triangular(0.0, 1.0, 10**9),
    js.staircase(js.linear(1.0, 0.0, 2 * 10**10), 10**9),
    js.per(js.linear(1.0, 0.0, 20), 10**9),
    js.noise(1.0, 0.5, 0, every=10**9),
    js.shift(js.step_decay(1.0, 0.5, 10**9), 2**31 - 10),
    js.natural_exponential_decay(1.0, 1e-10),
    js.inverse_sqrt_decay(1.0, 1000),
]


@pytest.mark.parametrize("s", TIMED, ids=lambda s: s._rule.name)
def test_a_float_clock_goes_on_beyond_the_integers(s):
    """At times between restarts, where floats find their place; as a clock, and called."""
    times = np.array([0.25, 1.25, 2.25, 2.75, 3.5, 4.25, 9.75]) * 1e9
    expected = s.at(times)
    np.testing.assert_allclose(s(times.astype(float_dtype())), expected, rtol=1e-5)
    clock = js.linear(0.0, 1e10, 40)
    np.testing.assert_allclose(
        js.retime(s, clock)(np.array([1, 5, 9, 11, 14, 17, 39])), expected, rtol=1e-4
    )
    assert np.isfinite(s(np.inf))
    assert np.isfinite(js.cosine_restarts(1.0, 0.0, 10, length_factor=1.5)(np.inf))


@pytest.mark.skipif(jax.config.jax_enable_x64, reason="64-bit integers do not wrap")
def test_a_clock_that_wraps_is_refused():
    s = js.linear(1.0, 0.0, 10)
    for clock in (lambda t: 2**19 * t, lambda t: t * t // 3, lambda t: (t + 1) * 1024):
        with pytest.raises(
            ValueError, match=r"retime: clock must not wrap.* at step \d+"
        ):
            js.retime(s, clock)
    for clock in (
        lambda t: t.astype(float) * 2.0**19,
        lambda t: t // 4,
        lambda t: jnp.minimum(t, 9),
    ):
        assert js.retime(s, clock)(0) == 1.0
