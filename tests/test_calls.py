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
    float_dtype,
    in_groups,
    interesting_steps,
    scale_of,
    ulps,
)

import jaxsched as js

every_case = pytest.mark.parametrize("c", CASES, ids=IDS)


@pytest.mark.optimized
@pytest.mark.parametrize("c", ONE_OF_EACH[::4], ids=str)
def test_eager_is_jit_bit_for_bit(c: Case):
    """As the law on all cases says of their text."""
    s, steps = c.schedule, interesting_steps(c)
    compiled = jax.jit(s)
    chex.assert_trees_all_equal(s(steps), compiled(steps))
    for step in (0, c.total, 2**31 - 1):
        chex.assert_trees_all_equal(s(step), compiled(step))


@every_case
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


@every_case
def test_array_argument_and_map_agree(c: Case):
    """All steps at once, new numbers for a compiled program, a map."""
    s, steps, scale = c.schedule, interesting_steps(c), scale_of(c)
    with jax.disable_jit():  # operation by operation: nothing more to compile
        mapped = jax.vmap(s)(steps)
    assert ulps(as_argument(c), s(steps), scale=scale) <= 4
    assert ulps(mapped, s(steps), scale=scale) <= 4


@pytest.mark.parametrize("c", ONE_OF_EACH, ids=str)
def test_a_loop_and_a_scan_over_the_run_agree(c: Case):
    """As in training steps, which carry the count."""
    body = lambda t, _: (t + 1, c.schedule(t))
    _, scanned = jax.lax.scan(body, jnp.int32(0), None, c.total)
    at_once = c.schedule(interesting_steps(c))[: c.total]
    loop = [c.schedule(t) for t in range(c.total)]
    assert ulps(scanned, at_once, scale=scale_of(c)) <= 4
    assert ulps(loop, at_once, scale=scale_of(c)) <= 4


@every_case
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


@every_case
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


@every_case
def test_before_the_start_and_after_the_largest_integer(c: Case):
    """Steps below 0 read as 0; none wraps, whatever its type."""
    s = c.schedule
    size = interesting_steps(c).size  # for which it is compiled
    values = np.asarray(s(np.resize([-1, -(2**40), 2**31, 2**62], size)))
    chex.assert_trees_all_equal(values[0], values[1])
    near = s(interesting_steps(c))
    assert ulps(values[0], near[0], scale=scale_of(c)) <= 4
    if not jax.config.jax_enable_x64:
        chex.assert_trees_all_equal(values[2], values[3])
        assert ulps(values[2], near[-1], scale=scale_of(c)) <= 4
        huge = np.resize(np.array([2**32 - 1], np.uint32), size)
        chex.assert_trees_all_equal(np.asarray(s(huge))[2], values[2])


@every_case
def test_no_leaks_and_finite(c: Case):
    with jax.checking_leaks():
        jax.eval_shape(c.schedule, 3)
    chex.assert_tree_all_finite(c.schedule(interesting_steps(c)))


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


def test_length_beyond_the_integers_may_be_a_float():
    s = js.linear(1.0, 0.0, steps=1e12)
    chex.assert_trees_all_close(s.at(0.5e12), 0.5)
