"""The classical schedules with the numbers of the textbooks, and the laws of time.

Expected numbers are written out by hand, or come from the plain formula or from the
loop that the textbook prints, in Python's floats.
"""

import copy
import math
from functools import partial
from inspect import signature
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import CASES, SHAPES, Case, float_dtype, interesting_steps, thorough

import jaxsched as js

LAST = 2**31 - 1


def check(schedule: js.Schedule, expected: dict[int, float] | list[float]) -> None:
    """The values at some steps, or at all from 0 on; 10 ulp of float32 and no more."""
    if isinstance(expected, list):
        expected = dict(enumerate(expected))
    steps = np.array(list(expected), np.int32)
    values = np.array(list(expected.values()))
    np.testing.assert_allclose(schedule.at(steps), values, rtol=1.2e-6, atol=1e-9)


# The schedules.


def test_constant():
    """0.1, always."""
    check(js.constant(0.1), {0: 0.1, 1: 0.1, 1000: 0.1, LAST: 0.1})


def test_step_decay_halves_every_ten_epochs():
    """Init 0.1, drop 0.5, floor((1 + epoch) / 10): the first drop is at epoch 9."""
    s = js.shift(js.step_decay(0.1, 0.5, every=10), 1)
    check(s, {0: 0.1, 8: 0.1, 9: 0.05, 18: 0.05, 19: 0.025, 29: 0.0125, 49: 0.003125})


def test_step_decay_counts_from_0():
    """`StepLR`: the first drop is at epoch 10."""
    s = js.step_decay(0.1, 0.5, every=10)
    check(s, {0: 0.1, 9: 0.1, 10: 0.05, 19: 0.05, 20: 0.025, 30: 0.0125})


def test_time_based_decay():
    """0.01 / (1 + 0.5 t)."""
    s = js.inverse_time_decay(0.01, rate=0.5)
    check(s, {0: 0.01, 1: 0.01 / 1.5, 2: 0.005, 8: 0.002, 18: 0.001})


@pytest.mark.parametrize("decay", [0.01, 0.5])
def test_time_based_decay_as_it_is_written_in_loops(decay: float):
    """The rate of the last update is divided again, so the divisors multiply."""
    expected, rate = [], 0.1
    for iteration in range(60):
        rate *= 1.0 / (1.0 + decay * iteration)
        expected.append(rate)
    s = js.compounding_time_decay(0.1, decay)
    steps = np.arange(60)
    # The logarithm of the product amplifies rounding.
    amplified = np.abs(np.log2(np.array(expected) / 0.1))
    normal = np.array(expected) > 1e-37
    error = np.abs(s.at(steps) / np.array(expected) - 1)[normal]
    assert np.all(error <= (10 + 2 * amplified[normal]) * 2**-23)
    # It is not 1 / (1 + decay t): at t = 3 it has been divided three times.
    thrice = 0.1 / ((1 + decay) * (1 + 2 * decay) * (1 + 3 * decay))
    check(s, {0: 0.1, 1: 0.1 / (1 + decay), 3: thrice})


def test_exponential_decay_as_a_power_of_e():
    """0.1 e^(-0.1 t)."""
    s = js.natural_exponential_decay(0.1, rate=0.1)
    check(s, {0: 0.1, 1: 0.09048374180, 10: 0.03678794412, 20: 0.01353352832})


def test_exponential_decay_as_a_factor_per_period():
    """0.96 every 100 steps, smooth and in stairs."""
    s = js.exponential_decay(0.1, 0.96, steps=100)
    check(s, {0: 0.1, 50: 0.1 * math.sqrt(0.96), 100: 0.096, 200: 0.09216})
    stairs = js.exponential_decay(0.1, 0.96, steps=100, staircase=True)
    check(stairs, {0: 0.1, 99: 0.1, 100: 0.096, 199: 0.096, 200: 0.09216})


def test_linear():
    """1 - 0.1 t, down to 0.1."""
    check(js.linear(1.0, 0.1, steps=9), [*(1 - 0.1 * t for t in range(10)), 0.1, 0.1])


def test_cosine_annealing():
    """0.05 + (0.1 - 0.05) (1 + cos(pi t / 100)) / 2."""
    s = js.cosine(0.1, 0.05, steps=100)
    plain = [0.05 + 0.025 * (1 + math.cos(math.pi * t / 100)) for t in range(101)]
    check(s, plain)
    third = 0.05 + 0.05 * 0.75  # cos(pi / 3) = 1/2, at a third of the way
    check(js.cosine(0.1, 0.05, steps=300), {100: third, 150: 0.075, 999: 0.05})


def test_warm_restarts():
    """T_0 = 10, T_mult = 2: restarts at 10, 30, 70, 150."""
    s = js.cosine_restarts(0.1, 0.0, 10, length_factor=2)
    expected, begin, length = [], 0, 10
    for t in range(160):
        if t == begin + length:
            begin, length = t, 2 * length
        expected.append(0.05 * (1 + math.cos(math.pi * (t - begin) / length)))
    check(s, expected)
    assert s.at(np.array([0, 10, 30, 70, 150])).tolist() == [s.at(0)] * 5
    check(s, {5: 0.05, 20: 0.05, 50: 0.05, 110: 0.05})


@pytest.mark.parametrize("mode", ["triangular", "triangular2", "exp_range"])
def test_cyclical_learning_rates(mode: str):
    """Smith, arXiv 1506.01186: base 0.001, maximum 0.006, half a cycle of 20 steps."""
    base, top, half, gamma = 0.001, 0.006, 20, 0.99
    kwargs = {"triangular2": {"factor": 0.5}, "exp_range": {"step_factor": gamma}}
    s = js.triangular(base, top, half, **kwargs.get(mode, {}))
    expected = []
    for t in range(200):
        cycle = math.floor(1 + t / (2 * half))
        x = abs(t / half - 2 * cycle + 1)
        scale = {"triangular2": 0.5 ** (cycle - 1), "exp_range": gamma**t}.get(mode, 1)
        expected.append(base + (top - base) * max(0, 1 - x) * scale)
    check(s, expected)
    second = {"triangular": 0.006, "triangular2": 0.0035}.get(mode)
    check(s, {0: 0.001, 40: 0.001} | ({60: second} if second else {}))


def test_square_root_decay():
    """0.1 / sqrt(t + 1)."""
    s = js.inverse_sqrt_decay(0.1, timescale=1)
    check(s, {0: 0.1, 3: 0.05, 8: 0.1 / 3, 24: 0.02, 99: 0.01, 9999: 0.001})


def test_factor_decay_with_a_floor():
    """max(0.01, 0.1 * 0.9^t), as a loop writes it."""
    expected, rate = [], 0.1
    for _ in range(40):
        expected.append(rate)
        rate = max(0.01, rate * 0.9)
    s = js.clip(js.exponential_decay(0.1, 0.9), min_value=0.01)
    np.testing.assert_allclose(s.at(np.arange(40)), expected, rtol=2e-6)
    check(s, {21: 0.1 * 0.9**21, 22: 0.01, LAST: 0.01})


def test_multi_factor():
    """A tenth at 30, 60 and 80; then a factor for each boundary."""
    s = js.multistep(0.1, [30, 60, 80], 0.1)
    check(s, {0: 0.1, 29: 0.1, 30: 0.01, 59: 0.01, 60: 0.001, 80: 0.0001, LAST: 0.0001})
    own = js.multistep(0.5, [15, 30], factors=[0.5, 0.1])
    check(own, {14: 0.5, 15: 0.25, 29: 0.25, 30: 0.025})


@pytest.mark.parametrize("power", [0.5, 1.0, 0.9, 2.0])
def test_polynomial(power: float):
    """(0.1 - 0.01) (1 - t / 50)^power + 0.01."""
    plain = [0.09 * (1 - t / 50) ** power + 0.01 for t in range(51)]
    check(js.polynomial(0.1, 0.01, steps=50, power=power), [*plain, 0.01, 0.01])


def test_warmup_followed_by_decay():
    """From 0 to 0.3 over 5 steps, then a cosine to 0.01 over the 15 that remain."""
    cosine = [0.01 + 0.145 * (1 + math.cos(math.pi * t / 15)) for t in range(16)]
    s = js.warmup_cosine(0.3, 20, 5, end_value=0.01, init_value=0.0)
    check(s, [0.0, 0.06, 0.12, 0.18, 0.24, *cosine, 0.01])
    # The default wastes no update at 0: the ramp is (t + 1) / (5 + 1).
    default = js.warmup_cosine(0.3, 20, 5, end_value=0.01)
    check(default, [0.05, 0.1, 0.15, 0.2, 0.25, *cosine, 0.01])


def test_noam():
    """Model size 512, 4000 steps of warm-up; the paper counts steps from 1."""
    s = js.noam(512, 4000)
    check(s, {0: 1.746928107e-7, 999: 1.746928107e-4, 1999: 3.493856214e-4})
    check(s, {3999: 6.987712430e-4, 15999: 3.493856214e-4, 99999: 1.397542486e-4})
    plain = lambda n: 512**-0.5 * min(n**-0.5, n * 4000**-1.5)
    check(s, {n - 1: plain(n) for n in (1, 2, 3999, 4000, 4001, 8000, 10**6)})


EVERY = 25
per_epoch = {
    "constant": (js.constant(0.1), lambda e: 0.1),
    "step_decay": (
        js.step_decay(0.1, 0.5, every=2 * EVERY),
        lambda e: 0.1 * 0.5 ** (e // 2),
    ),
    "inverse_time_decay": (
        js.inverse_time_decay(0.1, 0.5, steps=EVERY),
        lambda e: 0.1 / (1 + 0.5 * e),
    ),
    "natural_exponential_decay": (
        js.natural_exponential_decay(0.1, 0.3 / EVERY),
        lambda e: 0.1 * math.exp(-0.3 * e),
    ),
    "exponential_decay": (
        js.exponential_decay(0.1, 0.9, steps=EVERY),
        lambda e: 0.1 * 0.9**e,
    ),
    "linear": (js.linear(0.1, 0.0, 8 * EVERY), lambda e: 0.1 * (1 - e / 8)),
    "cosine": (
        js.cosine(0.1, 0.0, 8 * EVERY),
        lambda e: 0.05 * (1 + math.cos(math.pi * e / 8)),
    ),
    "cosine_restarts": (
        js.cosine_restarts(0.1, 0.0, 4 * EVERY),
        lambda e: 0.05 * (1 + math.cos(math.pi * (e % 4) / 4)),
    ),
    "triangular": (
        js.triangular(0.1, 0.5, 3 * EVERY),
        lambda e: 0.1 + 0.4 * (1 - abs(e % 6 - 3) / 3),
    ),
    "inverse_sqrt_decay": (
        js.inverse_sqrt_decay(0.1, timescale=EVERY),
        lambda e: 0.1 / math.sqrt(e + 1),
    ),
    "clip": (
        js.clip(js.exponential_decay(0.1, 0.5, steps=EVERY), min_value=0.01),
        lambda e: max(0.01, 0.1 * 0.5**e),
    ),
    "multistep": (
        js.multistep(0.1, [3 * EVERY, 6 * EVERY], 0.1),
        lambda e: 0.1 * 0.1 ** ((e >= 3) + (e >= 6)),
    ),
    "polynomial": (
        js.polynomial(0.1, 0.0, 8 * EVERY, power=2.0),
        lambda e: 0.1 * (1 - e / 8) ** 2,
    ),
    "warmup": (
        js.warmup(js.linear(0.1, 0.0, 6 * EVERY), 2 * EVERY, init_value=0.0),
        lambda e: 0.05 * e if e < 2 else 0.1 * (1 - (e - 2) / 6),
    ),
}


@pytest.mark.parametrize("name", per_epoch)
def test_per_epoch_use(name: str):
    """25 steps an epoch, 8 epochs: the value moves only when an epoch begins."""
    schedule, epoch_value = per_epoch[name]
    expected = [epoch_value(t // EVERY) for t in range(8 * EVERY)]
    check(js.staircase(schedule, EVERY), expected)
    in_epochs = js.stretch(schedule, 1 / EVERY)
    check(js.per(in_epochs, EVERY), expected)


def test_compounding_decay_per_epoch():
    """Its own step is the epoch."""
    s = js.per(js.compounding_time_decay(0.1, 0.5), EVERY)
    check(s, {0: 0.1, 24: 0.1, 25: 0.1 / 1.5, 74: 0.1 / 3, 75: 0.1 / 7.5})


# The laws of time.

one_of_each = list({c.make: c for c in reversed(CASES)}.values())


@pytest.mark.parametrize("c", thorough(one_of_each, one_of_each[::2]), ids=str)
def test_a_warmup_of_length_zero_is_absent(c: Case):
    """Bit for bit, at every step, whatever else the ramp is given."""
    steps = interesting_steps(c)
    direct = copy.copy(c.schedule)(steps)  # compiled here, as the other one is
    chex.assert_trees_all_equal(js.warmup(c.schedule, 0)(steps), direct)


@pytest.mark.parametrize("overlap", [False, True])
@pytest.mark.parametrize("shape", ["linear", "cosine", "tanh"])
def test_a_warmup_of_length_zero_has_no_start_and_no_shape(shape: str, overlap: bool):
    """A ramp that is not there cannot be seen."""
    s, steps = js.cosine(0.3, 0.1, 10), np.arange(15)
    absent = js.warmup(s, 0, init_value=7.0, shape=shape, overlap=overlap)
    chex.assert_trees_all_equal(absent(steps), s(steps))


MOVES: dict[str, Any] = {
    "linear": js.linear,
    "cosine": js.cosine,
    "cosine powers": lambda *a: js.cosine(*a, power=2.5, time_power=0.7),
    "polynomial": js.polynomial,
    "polynomial power": lambda *a: js.polynomial(*a, power=0.9),
    "exponential": js.exponential,
    **{
        f"transition {shape}": lambda *a, shape=shape: js.transition(*a, shape=shape)
        for shape in SHAPES
        if "tanh" not in str(shape)  # which does not reach its ends
    },
    "warmup": lambda a, b, n: js.warmup(b, n, a),
    "cooldown": lambda a, b, n: js.cooldown(a, 0, n, b),
}
every_move = pytest.mark.parametrize("name", MOVES)
half_of_moves = pytest.mark.parametrize("name", thorough(MOVES, [*MOVES][::2]))
rng = np.random.default_rng(0)


@every_move
def test_a_part_is_at_its_ends_to_the_bit(name: str):
    """Lengths 1 to 200 with random ends, as data: start at 0, end from n on."""
    dtype = float_dtype()
    starts, ends = rng.uniform(1e-5, 1.0, (2, 200)).astype(dtype)
    lengths = np.arange(1, 201)

    @jax.jit
    @jax.vmap
    def values(a, b, n):
        return MOVES[name](a, b, n)(jnp.stack([0 * n, n, n + 1, 0 * n + LAST]))

    first, *rest = values(starts, ends, lengths).T
    np.testing.assert_array_equal(first, starts)
    for value in rest:
        np.testing.assert_array_equal(value, ends)


@half_of_moves
def test_a_part_of_constant_length_is_at_its_ends_to_the_bit(name: str):
    """Compilers multiply by the rounded reciprocal of a constant length."""
    lengths = (1, 3, 7, 10, 41, 49, 61, 1_000_003)
    starts, ends = rng.uniform(1e-5, 1.0, (2, len(lengths))).tolist()
    parts = [MOVES[name](*x) for x in zip(starts, ends, lengths, strict=True)]

    @jax.jit
    def values(steps):
        return [part(step) for part, step in zip(parts, steps, strict=True)]

    def expected(numbers):
        return np.array(numbers, float_dtype())

    start = values(np.zeros(len(lengths), np.int32))
    np.testing.assert_array_equal(np.array(start), expected(starts))
    for more in (0, 1):
        end = values(np.array(lengths, np.int32) + more)
        np.testing.assert_array_equal(np.array(end), expected(ends))
    assert parts[3].at(lengths[3]) == expected(ends)[3]


def test_every_length_as_a_constant_of_its_own_program():
    """The eager way, a program for each length."""
    for steps in (3, 7, 10, 41, 49, 61, 1_000_003):
        s = js.cosine(0.3, 0.1, steps)
        around = s.at(np.array([0, steps - 1, steps, steps + 1, LAST], np.int32))
        first, _, *after = around.tolist()
        assert first == float_dtype().type(0.3)
        assert after == [float_dtype().type(0.1)] * 3


def test_boundaries_belong_to_what_follows():
    """The new part is in force at its boundary, not one step later."""
    before, after = js.constant(0.5), js.linear(0.25, 0.0, 4)
    starts = [
        js.join([before, after], [7]),
        js.cooldown(before, begin=7, steps=0, end_value=0.25),
        js.piecewise_constant([7], [0.5, 0.25]),
        js.multistep(0.5, [7], 0.5),
        js.step_decay(0.5, 0.5, every=7),
        js.exponential_decay(0.5, 0.5, steps=7, staircase=True),
        js.cycle(js.constant(0.5), 7, value_factor=0.5),
        js.cosine_restarts(0.5, 0.25, 7, limit=1),
        js.warmup(js.constant(0.25), 7, init_value=0.5),
        js.linear(0.5, 0.25, 7),
    ]
    for s in starts:
        before, at = s.at(np.array([6, 7]))
        assert before > 0.26, s
        assert at == pytest.approx(0.25, rel=1e-6), s


def test_after_its_end_it_holds():
    """The end value to the bit, at the end and ever after; not a step earlier."""
    parts = [
        js.linear(0.5, 0.25, 7),
        js.cosine(0.5, 0.25, 7),
        js.polynomial(0.5, 0.25, 7, power=2.0),
        js.exponential(0.5, 0.25, 7),
        js.piecewise_linear([0, 7], [0.5, 0.25]),
        js.spline([0, 3, 7], [0.5, 0.375, 0.25]),
        js.warmup(0.25, 7, init_value=0.5),
        js.cooldown(0.5, 3, 4, end_value=0.25),
        js.cycle(js.linear(0.5, 0.25, 7), 7, limit=1),
        js.warmup_cosine(0.5, 7, 2, end_value=0.25),
        js.warmup_linear(0.5, 7, 2, end_value=0.25),
        js.wsd(0.5, 7, 2, 3, end_value=0.25),
        js.one_cycle(0.5, 7, 2, end_value=0.25),
        js.slanted_triangular(0.5, 7, 2, min_value=0.25),
        js.flat_cosine(0.5, 7, 3, end_value=0.25),
    ]
    for s in parts:
        last, *after = s.at(np.array([6, 7, 8, 14, 1000, 2**24 + 1, LAST])).tolist()
        assert last != 0.25, s
        assert after == [0.25] * 6, s


def test_no_length_includes_another():
    """`warmup` and `delay` push back what they hold by exactly their own length."""
    inner, steps = js.cosine(0.5, 0.125, 10), np.arange(15)
    for pushed in (js.warmup(inner, 6), js.delay(inner, 6), js.join([1.0, inner], [6])):
        np.testing.assert_array_equal(pushed.at(steps + 6), inner.at(steps))
    recipe = js.warmup_cosine(0.5, total_steps=16, warmup_steps=6, end_value=0.125)
    np.testing.assert_array_equal(recipe.at(steps + 6), inner.at(steps))


RAMPED = [
    name
    for name in js.__all__
    if {"total_steps", "warmup_steps"} <= set(signature(getattr(js, name)).parameters)
]


@pytest.mark.parametrize("name", RAMPED)
def test_a_ramp_goes_to_the_peak_also_where_it_fills_the_run(name: str):
    """Every recipe with a ramp in a run, with lengths that are known, traced, stacked."""
    assert len(RAMPED) >= 5
    recipe, steps = getattr(js, name), np.arange(12)
    rest = {"decay_steps": 0} if "decay_steps" in signature(recipe).parameters else {}
    ramp = dict.fromkeys(
        {"init_value", "min_value"} & set(signature(recipe).parameters)
    )
    start = dict.fromkeys(ramp, 0.0)
    made = partial(recipe, 0.5, 8, **rest, **start)
    full = made(warmup_steps=8)
    shape = getattr(full.schedule, "shape", "linear")
    plain = js.warmup(0.5, 8, 0.0, shape=shape)
    np.testing.assert_array_equal(full.at(steps[:8]), plain.at(steps[:8]))
    assert len({*full.at(steps[8:]).tolist(), full.at(10**9)}) == 1
    assert full.at(7) > 0.4 > full.at(8)
    assert js.parse(repr(full)) == full

    traced = jax.vmap(lambda n: made(warmup_steps=n)(steps))
    ways = [js.evaluate(js.grid(made, warmup_steps=[8, 0, 3]).schedules, steps)]
    ways += [traced(jnp.array(n)) for n in ([8, 0, 3], [8.0, 0.0, 3.0])]
    for rows in ways:
        for n, row in zip([8, 0, 3], rows, strict=True):
            values = made(warmup_steps=n).at(steps)
            np.testing.assert_allclose(row, values, rtol=1e-6, atol=1e-9)


def test_a_run_of_t_updates_uses_steps_0_to_t_minus_1():
    """The last update of a linear decay to 0 still moves; the next one would not."""
    s = js.linear(1.0, 0.0, steps=4)
    assert [s.at(t) for t in range(4)] == [1.0, 0.75, 0.5, 0.25]
    assert s.at(4) == 0.0
