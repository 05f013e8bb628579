"""Schedules of epochs and of iterations, in a loop of updates."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import users
from cases import ONE_OF_EACH, thorough

import jaxsched as js
from jaxsched.arrays import enable_x64

# Ours and users', of every kind.
INNER = [*(c.schedule for c in ONE_OF_EACH), *users.SCHEDULES]
every_inner = pytest.mark.parametrize("s", INNER, ids=lambda s: s._rule.name)

half_of_inner = pytest.mark.parametrize(
    "s", thorough(INNER, INNER[::2]), ids=[s._rule.name for s in INNER]
)

LAST = 2**31 - 1


def around(every: int, last: int) -> np.ndarray:
    """Steps on both sides of where blocks of a length begin, up to the last step."""
    blocks = np.array([0, 1, 2, 7, 20, 10**6, last // every])
    begins = [min(int(b) * every, last) for b in blocks]
    steps = [
        t + d for t in begins for d in (-1, 0, 1, every // 2) if 0 <= t + d <= last
    ]
    return np.resize(np.array([*steps, last], np.int64), 32)


@half_of_inner
@pytest.mark.parametrize("every", thorough([1, 7, 320, 10**8], [320]))
def test_it_is_the_schedule_of_the_whole_quotient(s: js.Schedule, every: int):
    """To the bit: read up to step 2^62, called up to the largest that JAX counts to."""
    s_by = js.per(s, every)
    for last in (LAST, 2**62):
        steps = around(every, last)
        np.testing.assert_array_equal(s_by.at(steps), s.at(steps // every))
    steps = around(every, LAST)
    with jax.disable_jit():  # operation by operation: nothing to compile
        called = s_by(steps.astype(np.int32))
        expected = s((steps // every).astype(np.int32))
    np.testing.assert_array_equal(called, expected)


@every_inner
def test_it_lasts_that_many_times_as_long(s: js.Schedule):
    """Its phases are those of the schedule, each begun with a whole block."""
    for total in (None, 12):
        later = None if total is None else 40 * total
        found, own = js.phases(js.per(s, 40), later), js.phases(s, total)
        names = [p.name for p in own]
        assert [p.name for p in found] == names
        for phase, inner in zip(found, own, strict=True):
            assert phase.begin == 40 * inner.begin
            assert phase.end == (None if inner.end is None else 40 * inner.end)
    end = js.horizon(s)
    assert js.horizon(js.per(s, 40)) == (None if end is None else 40 * end)


def test_with_64_bits_it_is_exact_to_the_last_step():
    table = js.piecewise_constant([2**40, 2**60], [1.0, 0.5, 0.25])
    with enable_x64(True):
        s = js.per(table, 3)
        for step, value in (
            (3 * 2**40 - 1, 1.0),
            (3 * 2**40, 0.5),
            (3 * 2**60 - 1, 0.5),
            (3 * 2**60, 0.25),
            (2**62, 0.25),
        ):
            assert s.at(step) == float(s(step)) == value


def test_a_step_between_whole_ones_is_rounded_down():
    s = js.per(js.linear(1.0, 0.0, 8), every=4)
    times = np.array([0.0, 3.99, 4.0, 4.01, 7.5, 31.9, 32.0, 1e9, -3.0])
    expected = [1.0, 1.0, 0.875, 0.875, 0.875, 0.125, 0.0, 0.0, 1.0]
    assert s.at(times).tolist() == expected
    assert s(times.astype(np.float32)).tolist() == expected
    assert float(jax.grad(s)(4.0)) == float(jax.grad(s)(5.5)) == 0.0


def test_a_block_may_have_a_float_length():
    """An epoch of 312.5 updates begins with the first update after the fraction."""
    s = js.per(js.linear(1.0, 0.0, 8), every=312.5)
    steps = np.arange(2600)
    np.testing.assert_array_equal(s.at(steps), 1 - np.minimum(steps // 312.5, 8) / 8)
    np.testing.assert_array_equal(s(steps), s.at(steps))
    assert js.horizon(s) == 2500
    by_length = jax.grad(lambda n: js.per(js.linear(1.0, 0.0, 8), n)(400))(312.5)
    assert float(by_length) == 0.0


@pytest.mark.parametrize("every", [40, np.int32(40), np.uint8(40), jnp.asarray(40)])
def test_the_length_may_be_of_any_kind(every):
    s = js.per(js.linear(1.0, 0.0, 8), every)
    steps = np.arange(400)
    expected = 1 - np.minimum(steps // 40, 8) / 8
    np.testing.assert_array_equal(s.at(steps), expected)
    np.testing.assert_array_equal(jax.jit(lambda s, t: s(t))(s, steps), expected)
    np.testing.assert_array_equal(s(steps.astype(np.uint32)), expected)


def test_the_loop_of_ppo():
    """Every update of an iteration, over all epochs and minibatches, uses one rate."""
    iterations, epochs, minibatches = 5, 4, 3
    schedule = js.per(js.linear(3e-4, 0.0, iterations), epochs * minibatches)

    def iteration(count, i):
        def update(count, _):
            return count + 1, schedule(count)

        return jax.lax.scan(update, count, None, epochs * minibatches)

    _, rates = jax.lax.scan(iteration, jnp.asarray(0), jnp.arange(iterations))
    annealed = 3e-4 * (1 - np.arange(iterations) / iterations)  # as CleanRL has it
    expected = np.broadcast_to(annealed[:, None], rates.shape)
    np.testing.assert_allclose(rates, expected, rtol=1e-6)


@pytest.mark.skipif(jax.config.jax_enable_x64, reason="floats of 64 bits go further")
def test_what_nobody_finds_is_right_for_small_steps_only():
    """The composition divides floats; `per` divides whole numbers."""
    inner = js.piecewise_constant([671_089], [1.0, 0.5])
    step = 100 * 671_089
    composed = js.staircase(js.stretch(inner, 100), every=100)
    assert float(composed(step)) == 1.0
    assert float(js.per(inner, 100)(step)) == inner.at(671_089) == 0.5
    small = np.arange(2000)
    by_two = js.staircase(js.stretch(js.cosine(1.0, 0.0, 60), 32), every=32)
    np.testing.assert_array_equal(
        js.per(js.cosine(1.0, 0.0, 60), 32).at(small), by_two.at(small)
    )
