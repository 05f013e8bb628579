"""Grids: one stacked schedule is as good as each of its schedules."""

import math
from functools import cache
from itertools import product
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from cases import CASES, IDS, ONE_OF_EACH, Case, float_dtype
from test_accuracy import REFERENCED
from test_transforms import amplified, numeric_arguments
from twins import twin

import jaxsched as js

every_case = pytest.mark.parametrize("c", CASES, ids=IDS)

# What has a formula in float64, which under x64 is good to 1e-10.
EXACT = {c for c, _ in REFERENCED}
UNIT = 1e-10 if jax.config.jax_enable_x64 else 2.0**-23

UPDATES = 6
START = np.array([1.0, -2.0], float_dtype())
GRADIENTS = np.sin(np.arange(2 * UPDATES) + 1.0).astype(float_dtype()).reshape(-1, 2)


class Twice:
    """A distribution that always draws two."""

    def sample(self, key: Any, n: int) -> list[float]:
        return [0.5, 0.25]

    def __repr__(self) -> str:
        return "twice"


@cache
def points(c: Case) -> list[js.Schedule]:
    """The case with each setting of each of its numbers, lengths among them."""
    settings = [
        {**c.kwargs, name: value.tolist()}
        for name, values in numeric_arguments(c)
        for value in values
    ]
    return [c.make(**kwargs) for kwargs in settings or [c.kwargs]]


def train(schedule: js.Schedule) -> jax.Array:
    """A few updates of AdamW, as a user writes them: the weights after each."""
    # With decays of 1/2 Adam's correction of its bias, 1 - b^t, is exact in float32.
    optimizer = optax.adamw(schedule, b1=0.5, b2=0.5)
    weights = jnp.asarray(START)

    def update(carry: Any, gradients: jax.Array) -> Any:
        weights, state = carry
        changes, state = optimizer.update(gradients, state, weights)
        weights = optax.apply_updates(weights, changes)
        return (weights, state), weights

    start = (weights, optimizer.init(weights))
    _, trajectory = jax.lax.scan(update, start, jnp.asarray(GRADIENTS))
    return trajectory


def adamw(rates: np.ndarray) -> np.ndarray:
    """The same in float64: Loshchilov and Hutter, arXiv:1711.05101, algorithm 2."""
    weights, m, v, trajectory = np.array(START, float), 0.0, 0.0, []
    for t, (rate, g) in enumerate(zip(rates, GRADIENTS.astype(float), strict=True), 1):
        m, v = (m + g) / 2, (v + g**2) / 2
        direction = m / (1 - 0.5**t) / (np.sqrt(v / (1 - 0.5**t)) + 1e-8)
        weights = weights - rate * (direction + 1e-4 * weights)
        trajectory.append(weights)
    return np.array(trajectory)


@pytest.fixture
def standard_promotion():
    """Optax mixes float and int32 in Adam's bias correction."""
    with jax.numpy_dtype_promotion("standard"):
        yield


@pytest.mark.usefixtures("standard_promotion")
@pytest.mark.parametrize("c", ONE_OF_EACH[::2], ids=str)
def test_training_maps_over_a_stacked_schedule(c: Case):
    """Every run is that under its schedule alone, computed in float64."""
    trained = jax.jit(jax.vmap(train))
    trajectories = np.asarray(trained(js.stack(points(c))), float)
    chex.assert_shape(trajectories, (len(points(c)), UPDATES, 2))
    for schedule, trajectory in zip(points(c), trajectories, strict=True):
        exact = twin(schedule) if c in EXACT else schedule.at
        rates = np.asarray(exact(np.arange(UPDATES)), float)
        expected = adamw(rates)
        # The rates are good to 10 ulp of the largest and more, Adam's direction to about
        # 8, and each update rounds the weights once.
        moved = np.abs(rates).max() * (18 + amplified(c, rates) * np.ones(UPDATES))
        allowed = np.cumsum(moved)[:, None] + UPDATES * np.abs(expected).max()
        error = np.abs(trajectory - expected) / UNIT
        assert np.all(error <= allowed)


@every_case
def test_stack_and_unstack_give_the_same_back(c: Case):
    schedules = points(c)
    stacked = js.stack(schedules)
    back = js.unstack(stacked)
    assert back == schedules
    assert [repr(s) for s in back] == [repr(s) for s in schedules]
    twice = js.stack([stacked, stacked])
    assert js.unstack(js.unstack(twice)[1]) == schedules


@every_case
def test_a_stacked_schedule_is_never_called_by_mistake(c: Case):
    stacked = js.stack([c.schedule, c.schedule, c.schedule])
    wrong = [
        lambda: stacked(1),
        lambda: stacked.at(np.arange(3)),
        lambda: jax.jit(lambda s: s(jnp.arange(3)))(stacked),
        lambda: js.warmup(stacked, 2)(5),
    ]
    for call in wrong:
        with pytest.raises(ValueError, match=r"holds stacked .* jax\.vmap"):
            call()


def test_evaluate_is_a_table_of_all_curves():
    peaks, warmups, steps = [0.5, 0.25, 1.0], [0, 5, 20], np.arange(-1, 45)
    stacked, _ = js.grid(
        js.warmup_cosine, peak_value=peaks, total_steps=40, warmup_steps=warmups
    )
    values = js.evaluate(stacked, steps)
    chex.assert_shape(values, (9, len(steps)))
    for row, (peak, w) in zip(values, product(peaks, warmups), strict=True):
        t = np.maximum(steps, 0)
        u = np.clip((t - w) / (40 - w), 0, 1)
        falling = peak * (1 + np.cos(np.pi * u)) / 2
        expected = np.where(t < w, peak * (t + 1) / (w + 1), falling)
        chex.assert_trees_all_close(np.asarray(row, float), expected, atol=1e-6)


def test_evaluate_takes_one_schedule_and_any_shape():
    s = js.cosine(0.5, 0.0, steps=10)
    steps = np.arange(6).reshape(2, 3)
    chex.assert_trees_all_equal(js.evaluate(s, steps), s(steps))
    chex.assert_trees_all_equal(js.evaluate(0.25, 3), jnp.asarray(0.25, float_dtype()))
    once = js.stack([s, 2 * s.replace(steps=5)][:1] * 2)
    chex.assert_shape(js.evaluate(once, 3), (2,))
    chex.assert_shape(js.evaluate(once, steps), (2, 2, 3))
    chex.assert_shape(js.evaluate(js.stack([once] * 5), steps), (5, 2, 2, 3))
    far = js.evaluate(once, np.array([-(2**40), 2**40]))
    chex.assert_trees_all_equal(far[0], np.asarray(s(np.array([0, 2**31 - 1]))))


def test_evaluate_compiles_once_for_many_grids():
    """New numbers are arguments of the program, and so are those under vmap."""
    from jaxsched.grids.evaluation import _mapped

    make = lambda peak: js.grid(js.linear, peak, 0.0, steps=[7, 9, 11]).schedules
    js.evaluate(make(1.0), np.arange(13))
    programs = _mapped._cache_size()
    for peak in (2.0, 3.0, 4.0):
        js.evaluate(make(peak), np.arange(13))
    assert _mapped._cache_size() == programs
    values = jax.jit(jax.vmap(lambda s: js.evaluate(s, 7)))(make(1.0))
    chex.assert_trees_all_close(
        np.asarray(values, float), np.array([0, 2 / 9, 4 / 11]), rtol=1e-6
    )


def test_grid_is_the_product_in_order():
    grid = js.grid(js.linear, 0.5, end_value=[0.0, 0.25], steps=range(10, 40, 10))
    assert js.unstack(grid.schedules) == [
        js.linear(0.5, end, steps) for end in (0.0, 0.25) for steps in (10, 20, 30)
    ]
    assert grid.settings == {
        "end_value": [0.0, 0.0, 0.0, 0.25, 0.25, 0.25],
        "steps": [10, 20, 30, 10, 20, 30],
    }
    assert [grid.label(i) for i in (0, -1)] == [
        "end_value=0.0, steps=10",
        "end_value=0.25, steps=30",
    ]


def test_zipped_grid_pairs_entries():
    stacked, settings = js.grid(
        js.linear, product=False, init_value=[1.0, 2.0], end_value=0.0, steps=[5, 7]
    )
    assert settings == {"init_value": [1.0, 2.0], "steps": [5, 7]}
    assert js.unstack(stacked) == [js.linear(1.0, 0.0, 5), js.linear(2.0, 0.0, 7)]


@pytest.mark.parametrize("product", [True, False])
def test_grid_without_an_axis_is_one_point(product: bool):
    grid = js.grid(js.constant, 0.5, product=product)
    assert js.unstack(grid.schedules) == [js.constant(0.5)]
    assert grid.settings == {}
    assert grid.label(0) == ""


@pytest.mark.parametrize(
    "peaks",
    [
        np.array([0.001, 0.01]),
        np.array([0.001, 0.01], np.float32),
        jnp.array([0.001, 0.01]),
        [np.float64(0.001), 0.01],
    ],
    ids=["float64", "float32", "jax", "list"],
)
def test_arrays_are_axes_of_plain_numbers(peaks: Any):
    """They print as they were written."""
    stacked, settings = js.grid(js.cosine, init_value=peaks, end_value=0.0, steps=9)
    assert js.unstack(stacked) == [js.cosine(p, 0.0, 9) for p in (0.001, 0.01)]
    assert settings == {"init_value": [0.001, 0.01]}


def test_axes_of_tables_schedules_and_float_lengths():
    for values in ((0.5, 0.25, 0.125), [0.5, 0.25, 0.125]):
        tables = js.grid(
            js.piecewise_constant, values=values, boundaries=[[2, 4], [3, 9]]
        )
        expected = [[0.5, 0.25, 0.125, 0.125], [0.5, 0.5, 0.25, 0.125]]
        chex.assert_trees_all_equal(
            js.evaluate(tables.schedules, np.array([1, 2, 4, 9])),
            np.array(expected, float_dtype()),
        )
        assert tables.settings == {"boundaries": [[2, 4], [3, 9]]}
    inner = [js.linear(1.0, 0.0, 8), js.linear(2.0, 0.0, 8)]
    warm = js.grid(js.warmup, schedule=inner, steps=[2.0, 4.5])
    assert js.unstack(warm.schedules) == [
        js.warmup(s, w) for s in inner for w in (2.0, 4.5)
    ]


def test_a_function_of_the_user_is_a_factory():
    def decayed(peak: float, share: float) -> js.Schedule:
        tail = js.cooldown(js.constant(peak), begin=round(80 * share), steps=20)
        return js.warmup(tail, 10)

    grid = js.grid(decayed, peak=[0.5, 1.0], share=[0.25, 0.5])
    values = js.evaluate(grid.schedules, np.array([40, 60]))
    expected = np.array(
        [[0.25, 0.0], [0.5, 0.25], [0.5, 0.0], [1.0, 0.5]], float_dtype()
    )
    chex.assert_trees_all_equal(values, expected)


def test_metric_driven_schedules_and_shapes_stack():
    driven = [js.reduce_on_plateau(0.1, factor=f, patience=1) for f in (0.5, 0.25)]
    assert js.unstack(js.stack(driven)) == driven

    def rate(schedule: js.MetricDriven) -> jax.Array:
        state = schedule.init()
        for loss in (1.0, 1.0, 1.0):
            state = schedule.update(state, value=loss)
        return schedule(state)

    rates = jax.vmap(rate)(js.stack(driven))
    chex.assert_trees_all_close(np.asarray(rates), np.array([0.05, 0.025]), rtol=1e-6)
    shapes = [js.rex(0.25), js.rex(0.5)]
    assert js.unstack(js.stack(shapes)) == shapes


def test_stacking_inside_a_program():
    def values(peaks: jax.Array) -> jax.Array:
        grid = js.grid(js.linear, init_value=peaks, end_value=0.0, steps=10)
        return js.evaluate(grid.schedules, jnp.arange(3))

    peaks = jnp.array([1.0, 2.0])
    chex.assert_trees_all_close(jax.jit(values)(peaks), values(peaks), rtol=3e-7)


line = js.linear(1.0, 0.0, 10)

REFUSED = {
    "no list": (lambda: js.stack(line), TypeError, "schedules must be a list"),
    "none": (lambda: js.stack([]), ValueError, "at least one schedule"),
    "a number": (
        lambda: js.stack([line, 0.1]),
        TypeError,
        "entry 1 must be a schedule",
    ),
    "rules": (
        lambda: js.stack([js.warmup(line, 5), js.warmup(js.cosine(1.0, 0.0, 10), 5)]),
        ValueError,
        "0 and 1 differ at schedule: one is linear, the other is cosine",
    ),
    "static": (
        lambda: js.stack(
            [js.transition(1.0, 0.0, 9, shape=s) for s in ("linear", "square", "sqrt")]
        ),
        ValueError,
        "differ at shape: one is linear, the other is square",
    ),
    "a flag": (
        lambda: js.stack([js.cooldown(line, 5, 5, freeze=f) for f in (True, False)]),
        ValueError,
        "differ at freeze: one is True, the other is False",
    ),
    "integers and floats": (
        lambda: js.grid(js.linear, 1.0, 0.0, steps=[10, 12.5]),
        ValueError,
        r"grid: schedules 0 \(steps=10\) and 1 \(steps=12.5\) differ at steps: "
        "one is an integer, the other is a float",
    ),
    "lengths of tables": (
        lambda: js.stack([js.spline([0, 1], [1, 2]), js.spline([0, 1, 2], [1, 2, 3])]),
        ValueError,
        "differ at boundaries: one is a table of 2 integers, .* of 3 integers",
    ),
    "counts of parts": (
        lambda: js.stack([js.join([line], []), js.join([line, line], [5])]),
        ValueError,
        "differ at schedules: one is 1 long, the other is 2 long",
    ),
    "given and not": (
        lambda: js.stack([js.warmup(line, 5), js.warmup(line, 5, init_value=0.0)]),
        ValueError,
        "differ at init_value: one is None, the other is a float",
    ),
    "dtypes": (
        lambda: js.stack([js.constant(jnp.bfloat16(1)), js.constant(jnp.float16(1))]),
        ValueError,
        r"at value: one is an array of bfloat16\[\], the other is .* float16\[\]",
    ),
    "functions": (
        lambda: js.stack([js.as_schedule(math.sin), js.as_schedule(math.cos)]),
        ValueError,
        "differ at function: one is <built-in function sin>",
    ),
    "nothing to stack": (
        lambda: js.stack([js.as_schedule(abs)] * 2),
        ValueError,
        "must hold numbers",
    ),
    "unstack one": (lambda: js.unstack(line), ValueError, "must be a stacked schedule"),
    "unstack a number": (
        lambda: js.unstack(3),
        TypeError,
        "must be a stacked schedule",
    ),
    "half stacked": (
        lambda: js.evaluate(js.warmup(js.stack([line, line]), 5), 3),
        ValueError,
        r"leading axes \(2,\) at schedule.init_value and \(\) at steps",
    ),
    "evaluate nothing": (lambda: js.evaluate("x", 3), TypeError, "schedule must be"),
    "evaluate nowhere": (
        lambda: js.evaluate(js.stack([line]), "x"),
        TypeError,
        "evaluate: step must be a real number",
    ),
    "empty axis": (
        lambda: js.grid(js.constant, value=[]),
        ValueError,
        r"grid: value must have entries, got value=\[\]",
    ),
    "unequal axes": (
        lambda: js.grid(
            js.linear, 1.0, product=False, end_value=[0.0], steps=range(1, 4)
        ),
        ValueError,
        "the same length, got 1 for end_value, 3 for steps",
    ),
    "a bad point": (
        lambda: js.grid(
            js.warmup_cosine, peak_value=[1.0, 2.0], total_steps=9, warmup_steps=[5, 20]
        ),
        ValueError,
        r"grid: point 1 \(peak_value=1.0, warmup_steps=20\): warmup_cosine: "
        "warmup_steps must be <= total_steps",
    ),
    "a bad kind": (
        lambda: js.grid(js.constant, value=["high"]),
        TypeError,
        r"grid: point 0 \(value='high'\): constant: value must be a number",
    ),
    "no schedule": (
        lambda: js.grid(lambda x: x, x=[1, 2]),
        TypeError,
        r"entry 0 \(x=1\) must be a schedule, got 1",
    ),
    "unknown argument": (
        lambda: js.grid(js.cosine, 1.0, 0.0, stepz=[1]),
        TypeError,
        r"unknown argument 'stepz' \(did you mean 'steps'",
    ),
    "a list in a random grid": (
        lambda: js.random_grid(js.constant, jax.random.key(0), 2, value=[1, 2]),
        TypeError,
        "value must be a distribution such as js.Choice",
    ),
    "no key": (
        lambda: js.random_grid(js.constant, 0, 2, value=1.0),
        TypeError,
        "key must be one random key",
    ),
    "many keys": (
        lambda: js.random_grid(
            js.constant, jax.random.split(jax.random.key(0)), 2, 1.0
        ),
        TypeError,
        "key must be one random key",
    ),
    "no points": (
        lambda: js.random_grid(js.constant, jax.random.key(0), 0, value=1.0),
        ValueError,
        "n must be >= 1, got n=0",
    ),
    "a bad draw": (
        lambda: js.random_grid(
            js.warmup_cosine,
            jax.random.key(0),
            3,
            1.0,
            total_steps=9,
            warmup_steps=js.Integer(20, 30),
        ),
        ValueError,
        r"random_grid: point 0 \(warmup_steps=2\d\): .* <= total_steps",
    ),
    "too few draws": (
        lambda: js.random_grid(js.constant, jax.random.key(0), 3, value=Twice()),
        ValueError,
        "value must give n=3 values, got 2 from value=twice",
    ),
    "a class": (
        lambda: js.random_grid(js.constant, jax.random.key(0), 3, value=js.Uniform),
        TypeError,
        r"value must be a distribution such as js.Choice.*got value=<class",
    ),
    "a traced key": (
        lambda: jax.jit(lambda key: js.random_grid(js.constant, key, 3, 1.0))(
            jax.random.key(0)
        ),
        TypeError,
        "random_grid: key must be known",
    ),
    "a traced bound": (
        lambda: jax.jit(lambda high: js.Uniform(0.0, high))(1.0),
        TypeError,
        "Uniform: high must be known",
    ),
    "data of a stacked schedule": (
        lambda: js.to_dict(js.stack([line, line])),
        ValueError,
        "to_dict: schedule must not be stacked; write each of those that unstack gives",
    ),
    "order": (lambda: js.Uniform(2, 1), ValueError, "low must be <= high, got low=2"),
    "log of 0": (lambda: js.LogUniform(0.0, 1), ValueError, "low must be > 0"),
    "infinite": (lambda: js.Uniform(0, math.inf), ValueError, "high must be finite"),
    "fractions": (lambda: js.Integer(0, 1.5), TypeError, "high must be a whole number"),
    "too large": (
        lambda: js.Integer(0, 2**31),
        ValueError,
        "high must be <= 2147",
    ),
    "no choice": (lambda: js.Choice([]), ValueError, "at least one"),
    "text as choice": (lambda: js.Choice("ab"), TypeError, "values must be a list"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_name_the_place(name: str):
    call, error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        call()


def test_numbers_of_numpy_keep_their_dtype():
    """Where stacking could not tell them from Python's, they become Python's."""
    for number in (np.array(0.5, np.float32), np.array(1.0, np.float16)):
        s = js.linear(number, 0.0, 3)
        (back,) = js.unstack(js.stack([s]))
        assert back == s
        assert back(0).dtype == s(0).dtype == number.dtype
    (back,) = js.unstack(js.stack([js.linear(np.array(0.5), 0.0, np.array(3))]))
    assert repr(back) == repr(js.linear(0.5, 0.0, 3))


def test_what_varies_may_be_a_random_key_or_have_any_name():
    """Keys of every kind; `factory`, which is an argument of `grid` itself."""
    keys = jax.random.split(jax.random.key(0), 2)
    value = lambda key: js.constant(jax.random.uniform(key))
    found = js.evaluate(js.grid(value, key=keys).schedules, 0)
    np.testing.assert_array_equal(found, [jax.random.uniform(key) for key in keys])
    named = lambda factory: js.constant(factory)
    by_name = js.grid(named, factory=[1.0, 2.0])
    assert by_name.schedules == js.grid(js.constant, value=[1.0, 2.0]).schedules
    assert by_name.settings == {"factory": [1.0, 2.0]}
    for key in (jax.random.PRNGKey(0), jax.random.key(0, impl="rbg")):
        drawn = js.random_grid(named, key, 2, factory=js.Uniform(0.0, 1.0))
        assert len(js.unstack(drawn.schedules)) == 2


def test_bounds_become_python_numbers():
    assert repr(js.Integer(np.int8(1), np.array(3))) == "Integer(low=1, high=3)"
    hash(js.Integer(1, jnp.array(3)))


def draw(n: int, seed: int = 0, **distributions: Any) -> dict[str, np.ndarray]:
    """What a random grid draws, by argument."""
    made: list[dict[str, Any]] = []

    def factory(**kwargs: Any) -> js.Schedule:
        made.append(kwargs)
        return js.constant(1.0)

    js.random_grid(factory, jax.random.key(seed), n, **distributions)
    return {name: np.array([point[name] for point in made]) for name in distributions}


def assert_uniform(u: np.ndarray) -> None:
    """By the test of Kolmogorov and Smirnov, at a level of 1 in 10^4."""
    n = len(u)
    rank = np.arange(1, n + 1) / n
    distance = np.max(np.maximum(rank - np.sort(u), np.sort(u) - rank + 1 / n))
    assert distance < 2.23 / np.sqrt(n)


def test_distributions_draw_what_they_say():
    n = 2000
    drawn = draw(
        n,
        log=js.LogUniform(1e-5, 1e-1),
        flat=js.Uniform(-1.0, 3.0),
        whole=js.Integer(-2, 5),
        any=js.Choice(["a", "b", "c"]),
        fixed=7,
    )
    assert_uniform((np.log10(drawn["log"]) + 5) / 4)
    assert_uniform((drawn["flat"] + 1) / 4)
    numbers, counts = np.unique(drawn["whole"], return_counts=True)
    assert numbers.tolist() == list(range(-2, 6))
    assert drawn["whole"].dtype.kind == "i"
    # Five standard deviations of a count among n.
    assert np.all(np.abs(counts - n / 8) < 5 * np.sqrt(n / 8))
    values, counts = np.unique(drawn["any"], return_counts=True)
    assert values.tolist() == ["a", "b", "c"]
    assert np.all(np.abs(counts - n / 3) < 5 * np.sqrt(n / 3))
    assert set(drawn["fixed"]) == {7}


def test_draws_depend_on_the_key_and_the_name_alone():
    first = draw(50, a=js.Uniform(0, 1), b=js.Uniform(0, 1))
    again = draw(50, b=js.Uniform(0, 1))
    other = draw(50, seed=1, b=js.Uniform(0, 1))
    assert np.array_equal(first["b"], again["b"])
    assert not np.array_equal(first["a"], first["b"])
    assert not np.array_equal(first["b"], other["b"])
    assert draw(3, a=js.Uniform(2, 2))["a"].tolist() == [2, 2, 2]


def test_random_grid_is_a_grid():
    make = lambda key: js.random_grid(
        js.warmup_cosine,
        key,
        5,
        js.LogUniform(1e-3, 1e-1).low,
        total_steps=100,
        warmup_steps=js.Integer(0, 50),
    )
    grid = make(jax.random.key(3))
    schedules = js.unstack(grid.schedules)
    assert len(schedules) == 5
    assert all(
        0 <= s.begin <= 50 and s.schedule.steps == s.begin == 100 - s.steps
        for s in schedules
    )
    assert grid.settings == {"warmup_steps": [s.begin for s in schedules]}
    assert grid.label(2) == f"warmup_steps={schedules[2].begin}"
    assert make(jax.random.PRNGKey(3)) == grid


def test_settings_make_the_schedules_again():
    """They are what the factory was given, in the order of the stack."""
    fixed = {"total_steps": 100, "init_value": 0.0}
    axes = {"peak_value": [1e-3, 1e-2], "warmup_steps": [0, 20, 50]}
    drawn = {"peak_value": js.LogUniform(1e-4, 1.0), "warmup_steps": js.Integer(0, 99)}
    for grid in (
        js.grid(js.warmup_cosine, **axes, **fixed),
        js.random_grid(js.warmup_cosine, jax.random.key(1), 7, **drawn, **fixed),
    ):
        schedules = js.unstack(grid.schedules)
        assert all(len(column) == len(schedules) for column in grid.settings.values())
        for i, schedule in enumerate(schedules):
            row = {name: column[i] for name, column in grid.settings.items()}
            assert schedule == js.warmup_cosine(**row, **fixed)
            text = f"warmup_cosine({grid.label(i)}, total_steps=100, init_value=0.0)"
            assert js.parse(text) == schedule


def test_a_choice_of_anything_is_in_the_table():
    """Texts, tables, and what a metric drives, as they were given."""
    parts = [((5,), (1.0, 0.5)), ((9,), (1.0, 0.25))]
    made = lambda table: js.piecewise_constant(*table)
    _, settings = js.random_grid(made, jax.random.key(0), 4, table=js.Choice(parts))
    assert all(entry in parts for entry in settings["table"])
    driven = js.grid(js.reduce_on_plateau, 0.1, factor=[0.5, 0.25], mode="max")
    assert driven.settings == {"factor": [0.5, 0.25]}
    assert isinstance(driven.schedules, js.MetricDriven)


def test_a_list_that_a_schedule_takes_is_no_axis():
    """For ours and for a user's; an axis of it is a list of lists, or of rows."""

    @js.schedule
    def averaged(step, schedules: js.ScheduleLikes, weights: js.Values):
        return sum(w * s(step) for w, s in zip(weights, schedules, strict=True))

    parts = [line, js.cosine(1.0, 0.0, 10)]
    mixed = js.grid(averaged, schedules=parts, weights=[[1.0, 0.0], [0.5, 0.5]])
    assert js.unstack(mixed.schedules) == [
        averaged(parts, weights) for weights in ([1.0, 0.0], [0.5, 0.5])
    ]
    joined = js.grid(js.join, schedules=[parts], boundaries=[5])
    assert js.unstack(joined.schedules) == [js.join(parts, [5])]
    factors = np.array([[1.0, 0.5], [0.5, 0.25]])
    rows = js.grid(js.multistep, 1.0, boundaries=[3, 5], factors=factors)
    assert js.unstack(rows.schedules) == [
        js.multistep(1.0, [3, 5], factors=row.tolist()) for row in factors
    ]
    drop = js.Uniform(0.1, 0.5)
    drawn = js.random_grid(
        js.multistep, jax.random.key(0), 3, 1.0, boundaries=[3, 5], factor=drop
    )
    assert list(drawn.settings) == ["factor"]
