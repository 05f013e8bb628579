"""Gradients through every float argument and the step: finite, and right."""

from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import CASES, Case, case, float_dtype, thorough
from hypothesis import HealthCheck, assume, given, settings
from test_composition import Tree, trees

import jaxsched as js
from jaxsched.arrays import enable_x64

up, on = js.linear(0.0, 1.0, 10), js.linear(1.0, 2.0, 10)
slow_float = js.linear(1.0, 2.0, 10.0)
# Where one curve goes on from another without a kink: there half of a gradient is wrong.
SMOOTH = [
    case(js.join, schedules=[up, on], boundaries=[10]),
    case(js.join, schedules=[up, on], boundaries=[10.0]),
    case(js.join, schedules=[up, slow_float, 2.0], boundaries=[10.0, 20.0]),
    case(js.warmup, schedule=on, steps=10, init_value=0.0),
    case(js.warmup, schedule=slow_float, steps=10.0, init_value=0.0),
    case(js.warmup, schedule=js.constant(1.0), steps=10, init_value=1.0, overlap=True),
    case(js.delay, schedule=js.cosine(1.0, 0.0, 10), steps=5.0),
    case(js.shift, schedule=js.join([up, on], [10]), steps=5),
    case(js.shift, schedule=js.join([up, on], [10]), steps=5.0),
    case(js.stretch, schedule=js.join([up, on], [10]), factor=0.5),
    case(js.retime, schedule=js.cosine(1.0, 0.0, 10), clock=js.linear(0.0, 20.0, 20)),
    case(js.retime, schedule=js.join([up, on], [10]), clock=js.linear(5.0, 15.0, 10)),
    case(js.reverse, schedule=js.join([up, on], [10]), steps=20.0),
    case(js.reverse, schedule=up, steps=0.0),
    case(js.cooldown, schedule=up, begin=5, steps=10, end_value=0.0),
    case(js.cooldown, schedule=up, begin=5.0, steps=10.0, end_value=1.5),
    case(js.cooldown, schedule=up, begin=5.0, steps=5.0, end_value=1.0, freeze=False),
    case(js.piecewise_linear, boundaries=[0, 5, 10, 15], values=[0.0, 1.0, 2.0, 3.0]),
    case(js.piecewise_linear, boundaries=[0.0, 5.0, 15.0], values=[0.0, 1.0, 3.0]),
    case(js.spline, boundaries=[0.0, 5.0, 10.0, 15.0], values=[0.0, 1.0, 2.5, 3.0]),
    case(js.transition, init_value=1.0, end_value=0.0, steps=10, shape="mirror_cosine"),
    case(js.cosine, init_value=1.0, end_value=0.0, steps=10.0, power=2.0),
    case(js.polynomial, init_value=1.0, end_value=0.0, steps=10.0, time_power=2.0),
    case(js.cosine_restarts, peak_value=1.0, end_value=0.0, steps=10.0),
    case(js.cycle, schedule=js.cosine(1.0, 0.0, 5), steps=10.0, value_factor=0.5),
    case(js.triangular, min_value=0.0, max_value=1.0, up_steps=4.0, down_steps=8.0),
    case(js.clip, schedule=js.join([up, on], [10]), max_value=5.0),
    case(js.maximum, first=js.join([up, on], [10]), second=-1.0),
]
# The whole table takes minutes.
ALL = [*SMOOTH, *CASES]
some_cases = pytest.mark.parametrize("c", thorough(ALL, ALL[::16]), ids=str)
fewer_cases = pytest.mark.parametrize("c", thorough(ALL, ALL[::24]), ids=str)


def near(c: Case) -> float:
    """How far a difference looks, relative to what is changed.

    In double precision values are good to 10^-13; but noise is drawn in single precision.
    """
    return 2.0**-8 if c.make is js.noise else 2.0**-20


def floats_of(c: Case) -> dict[int, Any]:
    """The leaves that one may differentiate by, by their place."""
    leaves = enumerate(jax.tree.leaves(c.schedule))
    return {i: x for i, x in leaves if np.asarray(x).dtype.kind == "f"}


def changed(c: Case, values: dict[int, Any]) -> js.Schedule:
    """The schedule with other numbers at some places."""
    leaves, tree = jax.tree.flatten(c.schedule)
    return jax.tree.unflatten(tree, [values.get(i, x) for i, x in enumerate(leaves)])


def filled(steps: Any) -> np.ndarray:
    """As many as a multiple of 32: operations are compiled for few shapes."""
    return np.resize(steps, len(steps) + -len(steps) % 32)


def steps_of(c: Case) -> np.ndarray:
    """All of a run and a little more: ends, middles, knots, joints and what is beside."""
    lengths = [t for v in c.kwargs.values() if isinstance(v, int) for t in (v, v + 1)]
    return filled(np.array([*range(c.total + 3), *lengths], np.int32))


def times_of(c: Case) -> np.ndarray:
    """Those steps as floats, halves, and times close to a whole step."""
    t = np.arange(c.total + 3)
    times = np.concatenate([t, t + 0.5, t + 0.03125, t[1:] - 0.03125])
    return filled(times.astype(float_dtype()))


def directions_of(c: Case) -> dict[int, np.ndarray]:
    """The direction in which each leaf is changed, as long as the leaf."""
    rng = np.random.default_rng(c.total)
    return {
        i: rng.uniform(0.5, 1.5, np.shape(x)) * np.maximum(np.abs(x), 1.0)
        for i, x in floats_of(c).items()
    }


def slopes(c: Case, steps: np.ndarray) -> list[np.ndarray]:
    """The derivative along each leaf's direction, as `jax.grad` finds it."""
    values = jax.tree.map(jnp.asarray, floats_of(c))
    by_value = jax.vmap(jax.grad(lambda v, t: changed(c, v)(t)), in_axes=(None, 0))
    found = by_value(values, steps)
    chex.assert_tree_all_finite(found)
    return [
        np.asarray(found[i], np.float64).reshape(len(steps), -1) @ v.ravel()
        for i, v in directions_of(c).items()
    ]


def values_along(c: Case, steps: np.ndarray) -> np.ndarray:
    """Values in double precision: as they are, then before and after along each leaf."""
    base = {i: np.asarray(x, np.float64) for i, x in floats_of(c).items()}
    rows = [base]
    for i, v in directions_of(c).items():
        rows += [{**base, i: base[i] + h * v} for h in (-near(c), near(c))]
    padded = rows + rows[:1] * (-len(rows) % 16)
    stacked = jax.tree.map(lambda *x: np.stack(x), *padded)
    found = jax.vmap(lambda values: changed(c, values)(steps))(stacked)
    return np.asarray(found)[: len(rows)]


def is_between(
    found: Any, before: np.ndarray, after: np.ndarray, here: np.ndarray, h: Any
) -> np.ndarray:
    """Whether derivatives lie between the differences on both sides.

    A difference over 10^-6 is that near to the slope, relative to how the slope changes,
    and single precision is good to some 10^-6 of the values: together a part in 10^3 of
    the slope and 10^-5 of the largest value. Half of a gradient is neither.
    """
    left, right = (here - before) / h, (after - here) / h
    # Outside a domain there is no value: then the other side decides.
    left, right = (
        np.where(np.isfinite(left), left, right),
        np.where(np.isfinite(right), right, left),
    )
    low, high = np.minimum(left, right), np.maximum(left, right)
    size = np.max(np.abs(here), initial=0.0, where=np.isfinite(here))
    slack = 1e-3 * np.maximum(np.abs(low), np.abs(high)) + 1e-5 * size
    return (low - slack <= found) & (found <= high + slack)


def wrong_by_value(c: Case, steps: np.ndarray) -> dict[int, list[float]]:
    """The steps at which a derivative by a leaf is not that of the curve."""
    with enable_x64(True), jax.debug_nans(False):
        wide = steps.astype(np.int64 if steps.dtype.kind == "i" else np.float64)
        here, *beside = values_along(c, wide)
    wrong = {}
    for k, (i, slope) in enumerate(zip(floats_of(c), slopes(c, steps), strict=True)):
        right = is_between(slope, *beside[2 * k : 2 * k + 2], here, near(c))
        if not np.all(right):
            wrong[i] = sorted(set(steps[~right].tolist()))
    return wrong


@some_cases
def test_gradients_by_numbers_are_those_of_the_curve(c: Case):
    """By every float leaf, at integer steps and at those in between."""
    with jax.disable_jit():  # operation by operation: nothing more to compile
        assert wrong_by_value(c, steps_of(c)) == {}
        assert wrong_by_value(c, times_of(c)) == {}


@some_cases
def test_gradients_by_the_step_are_those_of_the_curve(c: Case):
    """At kinks between both sides', in the first step that of what follows."""
    times = times_of(c)
    with jax.disable_jit():
        found = jax.vmap(jax.grad(c.schedule))(times)
        chex.assert_tree_all_finite(found)
        with enable_x64(True):
            wide = times.astype(np.float64)
            h = 2.0**-20 * np.maximum(wide, 1.0)
            before, after, here = (
                np.asarray(c.schedule(t)) for t in (wide - h, wide + h, wide)
            )
    right = is_between(np.asarray(found, np.float64), before, after, here, h)
    assert sorted(set(times[~right].tolist())) == []


@fewer_cases
def test_gradients_far_away_are_finite(c: Case):
    """At the ends, in inactive parts, and at the last step."""
    values = jax.tree.map(jnp.asarray, floats_of(c))
    far = np.resize(np.array([0, c.total, 2**24 + 1, 2**31 - 1], np.int32), 32)
    with jax.disable_jit():
        by_value = jax.vmap(jax.grad(lambda v, t: changed(c, v)(t)), in_axes=(None, 0))
        chex.assert_tree_all_finite(by_value(values, far))
        chex.assert_tree_all_finite(jax.vmap(jax.grad(c.schedule))(far.astype(float)))


@fewer_cases
def test_second_derivatives_are_finite(c: Case):
    """By the step, everywhere."""
    twice = jax.grad(jax.grad(c.schedule))
    with jax.disable_jit():
        chex.assert_tree_all_finite(jax.vmap(twice)(times_of(c)))


@pytest.mark.slow
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(tree=trees)
def test_gradients_of_random_compositions_are_those_of_the_curve(tree: Tree):
    """By every number in them, at integer steps and at those in between."""
    # Where three values are equal, no choice in one maximum is right for a minimum of it.
    assume(not ("minimum" in repr(tree) and "maximum" in repr(tree)))
    c = Case(lambda schedule: schedule, {"schedule": tree.schedule}, 24)
    with jax.disable_jit():
        assert wrong_by_value(c, steps_of(c)) == {}
        assert wrong_by_value(c, times_of(c)) == {}
