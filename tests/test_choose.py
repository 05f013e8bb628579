"""One of several schedules: a sweep over kinds, and gradients that do not mix."""

from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import users
from cases import ONE_OF_EACH, float_dtype, thorough, ulps
from test_grids import UNIT, UPDATES, adamw, train

import jaxsched as js

KINDS = [js.constant(0.25), js.linear(0.5, 0.0, 8), js.cosine(0.5, 0.0, 8)]

# Ours and users', of every kind.
INNER = [*(c.schedule for c in ONE_OF_EACH), *users.SCHEDULES]
every_inner = pytest.mark.parametrize("s", INNER, ids=lambda s: s._rule.name)
fewer_inner = pytest.mark.parametrize(
    "s", thorough(INNER, INNER[::4]), ids=[s._rule.name for s in INNER]
)
some_inner = pytest.mark.parametrize(
    "s", thorough(INNER, INNER[::8]), ids=[s._rule.name for s in INNER]
)


@js.schedule
def steep(step, value: js.Value):
    """A user's rule whose value and slope are infinite at step 0."""
    return jnp.sqrt(value * step) / step


SWEEPS = {
    "stack": lambda: js.stack([js.choose(i, KINDS) for i in range(3)]),
    "grid": lambda: js.grid(js.choose, index=[0, 1, 2], schedules=KINDS).schedules,
    "zipped": lambda: (
        js.grid(js.choose, product=False, index=range(3), schedules=KINDS).schedules
    ),
    "array": lambda: (
        js.grid(lambda i: js.choose(i, KINDS), i=np.arange(3, dtype=np.uint8)).schedules
    ),
    "vmap": lambda: jax.vmap(lambda i: js.choose(i, KINDS))(jnp.arange(3)),
}


@pytest.fixture
def standard_promotion():
    """Optax mixes float and int32 in Adam's bias correction."""
    with jax.numpy_dtype_promotion("standard"):
        yield


@pytest.mark.usefixtures("standard_promotion")
@pytest.mark.parametrize("name", SWEEPS)
def test_one_program_trains_under_several_kinds(name: str):
    """Every run is that under its schedule alone, computed in float64."""
    stacked = SWEEPS[name]()
    trajectories = np.asarray(jax.jit(jax.vmap(train))(stacked), float)
    for kind, trajectory in zip(KINDS, trajectories, strict=True):
        expected = adamw(kind.at(np.arange(UPDATES)))
        # Rates of at most 1/2, each good to 10 ulp, in six updates.
        np.testing.assert_allclose(trajectory, expected, atol=60 * UNIT)
    values = js.evaluate(stacked, np.arange(10))
    one_by_one = np.stack([s(np.arange(10)) for s in KINDS])
    chex.assert_trees_all_close(values, one_by_one, rtol=1e-6)


def test_a_random_search_over_kinds_and_peaks():
    def made(kind: int, peak: float) -> js.Schedule:
        return js.choose(kind, [js.constant(peak), js.linear(peak, 0.0, 8)])

    drawn = js.random_grid(
        made, jax.random.key(0), 6, kind=js.Integer(0, 1), peak=js.LogUniform(0.1, 1.0)
    )
    expected = [made(*pair) for pair in zip(*drawn.settings.values(), strict=True)]
    assert js.unstack(drawn.schedules) == expected
    same = js.random_grid(
        js.choose, jax.random.key(0), 6, index=js.Integer(0, 2), schedules=KINDS
    )
    assert js.unstack(same.schedules) == [
        js.choose(i, KINDS) for i in same.settings["index"]
    ]


@fewer_inner
def test_it_is_the_chosen_one(s: js.Schedule):
    """In value, phases and end, read and called, the index known or data."""
    steps = np.resize(np.array([*range(25), 10**6, 2**31 - 1], np.int32), 32)
    chosen = js.choose(1, [js.constant(-9.0), s])
    # The program of two optimises a sum of products otherwise than the program of one.
    np.testing.assert_allclose(chosen.at(steps), s.at(steps), rtol=1e-13, atol=1e-300)
    assert js.phases(chosen) == js.phases(s)
    assert js.phases(chosen, 40) == js.phases(s, 40)
    assert js.horizon(chosen) == js.horizon(s)
    with jax.disable_jit():  # operation by operation: nothing to compile
        traced = jax.vmap(lambda i: js.choose(i, [-9.0, s, 9.0])(steps))(jnp.arange(3))
        assert ulps(traced[1], s(steps)) <= 4
    np.testing.assert_array_equal(traced[0], -9.0)
    np.testing.assert_array_equal(traced[2], 9.0)


@pytest.mark.usefixtures("standard_promotion")
@some_inner
def test_gradients_are_those_of_the_chosen_one_and_0_for_the_others(s: js.Schedule):
    numbers = jax.tree.map(jnp.asarray, s)
    steps = jnp.asarray([0.0, 3.0, 7.5, 40.0])

    def by_numbers(s: js.Schedule, step: Any) -> Any:
        return jax.grad(lambda s, t: s(t), allow_int=True)(s, step)

    def floats(tree: Any) -> list[Any]:
        return [x for x in jax.tree.leaves(tree) if x.dtype == float_dtype()]

    with jax.disable_jit():
        alone = jax.vmap(by_numbers, (None, 0))(numbers, steps)
        for index in range(2):
            both = js.choose(jnp.asarray(index), [numbers, numbers])
            found = jax.vmap(by_numbers, (None, 0))(both, steps).schedules
            chex.assert_trees_all_close(floats(found[index]), floats(alone), rtol=1e-5)
            for other in floats(found[1 - index]):
                np.testing.assert_array_equal(other, 0.0)


@pytest.mark.parametrize("at", [0.0, 4.0])
def test_an_infinite_slope_of_what_is_not_chosen_does_no_harm(at: float):
    """By numbers and by the step, once and twice, forwards, under vmap and jit."""

    def value(numbers: Any, index: Any, step: Any) -> Any:
        first, second = numbers
        return js.choose(index, [js.linear(first, 0.0, 8), steep(second)])(step)

    def mapped(*given: Any) -> Any:
        numbers, index, step = given
        many = jax.vmap(jax.grad(value), (None, 0, None))
        return [x[0] for x in many(numbers, jnp.asarray([index, 0]), step)]

    numbers = (jnp.asarray(0.5), jnp.asarray(0.0))
    ways = jax.grad(value), jax.jit(jax.grad(value)), jax.jacfwd(value), mapped
    for slopes in ways:
        with jax.debug_nans(False):
            found = slopes(numbers, 0, at)
        assert [float(x) for x in found] == [1 - at / 8, 0.0]
    with jax.debug_nans(False):
        by_step = jax.grad(value, 2)(numbers, 0, at)
        twice = jax.grad(lambda *given: jax.grad(value)(*given)[0])(numbers, 0, at)
    assert float(by_step) == -0.5 / 8
    assert [float(x) for x in twice] == [0.0, 0.0]


def test_an_index_that_is_data_and_out_of_range_means_the_nearest():
    """As `jax.lax.switch` has it."""
    indices = jnp.asarray([-(2**31), -1, 0, 1, 2, 3, 2**31 - 1], jnp.int32)
    values = jax.jit(jax.vmap(lambda i: js.choose(i, [0.5, 0.25, 0.125])(3)))(indices)
    switch = jax.vmap(
        lambda i: jax.lax.switch(i, [lambda: 0.5, lambda: 0.25, lambda: 0.125])
    )(indices)
    np.testing.assert_array_equal(values, switch)
    lived = jax.jit(lambda s: jax.tree.map(lambda x: x + 7, s))(js.choose(0, KINDS))
    assert js.horizon(lived) == js.horizon(lived.schedules[2])
    for index in (np.int64(1), np.uint8(1), jnp.asarray(1, jnp.uint8)):
        assert js.choose(index, [0.5, 0.25]).at(3) == 0.25


def test_dtypes_are_those_of_all_of_them():
    """Whichever is chosen, or a loop could not carry the rate."""
    narrow = js.constant(jnp.bfloat16(0.5))
    for index in range(2):
        for s in (js.choose(index, [narrow, 0.25]), js.choose(index, [0.25, narrow])):
            assert s(3).dtype == jnp.bfloat16
            assert jax.jit(lambda s: s(3))(s).dtype == jnp.bfloat16


def test_steps_may_be_arrays_of_any_shape():
    for step in (3, np.arange(6).reshape(2, 3), np.zeros((0, 2), np.int32)):
        value = js.choose(2, KINDS)(step)
        chex.assert_trees_all_close(value, KINDS[2](step), rtol=1e-6)
    assert js.choose(0, [lambda step: 0.5, 0.25])(np.arange(3)).tolist() == [0.5] * 3


def test_text_is_the_call():
    s = js.parse("choose(0, [linear(1, 0, 8), 0.5, cosine(1, 0, 8)])")
    assert s == js.choose(0, [js.linear(1, 0, 8), 0.5, js.cosine(1, 0, 8)])
    assert js.from_dict(js.to_dict(s)) == js.parse(repr(s)) == s


line = js.linear(1.0, 0.0, 8)
CHOOSE = r"; for several kinds in one sweep use js\.choose\(index, schedules\)$"
ALIKE = "; write both as integers or both as floats$"
DIFFERENT = {
    "rules": ([line, js.cosine(1.0, 0.0, 8)], CHOOSE),
    "inside": ([js.warmup(line, 5), js.warmup(0.5, 5)], CHOOSE),
    "shapes": ([js.transition(1, 0, 8, shape=s) for s in ("sqrt", js.rex())], CHOOSE),
    "flags": ([js.cooldown(line, 5, 5, freeze=f) for f in (True, False)], CHOOSE),
    "counts": ([js.join([line], []), js.join([line, line], [5])], CHOOSE),
    "tables": ([js.multistep(1.0, b, 0.5) for b in ([5], [5, 9])], CHOOSE),
    "none": ([js.warmup(line, 5), js.warmup(line, 5, init_value=0.0)], CHOOSE),
    "of users": (users.SCHEDULES[:3:2], CHOOSE),
    "lengths": ([js.linear(1.0, 0.0, n) for n in (8, 8.5)], ALIKE),
    "inside what a metric drives": (
        [js.reduce_on_plateau(s) for s in (line, js.cosine(1.0, 0.0, 8))],
        CHOOSE,
    ),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_cannot_be_stacked_says_what_works(name: str):
    schedules, hint = DIFFERENT[name]
    with pytest.raises(ValueError, match=r"^stack: schedules 0 and 1 differ.*" + hint):
        js.stack(schedules)
    with pytest.raises(ValueError, match=r"^grid: schedules 0 .* 1 .* differ.*" + hint):
        js.grid(lambda i: schedules[i], i=[0, 1])
    if hint == CHOOSE and isinstance(schedules[0], js.Schedule):
        js.stack([js.choose(i, schedules) for i in range(2)])


def test_what_cannot_be_chosen_is_not_said_to_be():
    """Metric-driven schedules and shapes are no schedules."""
    for others in (
        [js.rex(0.5), js.tanh()],
        [js.reduce_on_plateau(0.1, mode=mode) for mode in ("min", "max")],
    ):
        with pytest.raises(ValueError, match="differ") as refused:
            js.stack(others)
        assert "choose" not in str(refused.value)
