"""What JAX takes for an array because it has `__jax_array__`: a number like any other.

And training with Flax NNX, which keeps states in such variables, as it is to come.
"""

import warnings
from collections.abc import Iterator
from typing import Any

import chex
import flax
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from cases import ONE_OF_EACH, Case, each_constructor, float_dtype, thorough
from driven import DRIVEN, IDS
from flax import nnx

import jaxsched as js

COSINE = js.warmup(js.cosine(0.1, 0.0, steps=90), 10)


class Box:
    """What a variable of Keras is to JAX: no array, but one inside."""

    def __init__(self, value: Any):
        self.inside = value

    def __jax_array__(self) -> Any:
        return self.inside


def array(value: Any) -> Any:
    return jnp.asarray(value)


BOXES = {
    "like Keras": lambda x: Box(array(x)),
    "NumPy inside": lambda x: Box(np.asarray(x)),
    "NNX": lambda x: nnx.Variable(array(x)),
    "NumPy's numbers inside": lambda x: Box(np.asarray(x)[()]),
    "NNX, a number": nnx.Variable,
    "NNX, a parameter": lambda x: nnx.Param(array(x)),
}
every_box = pytest.mark.parametrize("box", BOXES.values(), ids=BOXES)


@each_constructor
def test_a_variable_is_a_step_of_every_schedule(c: Case):
    """In calls and on the host."""
    for step in (3, 7.5) if c in ONE_OF_EACH else (3,):
        expected = c.schedule(step)
        for made in (BOXES["like Keras"], BOXES["NNX"]):
            value = c.schedule(made(step))
            chex.assert_trees_all_equal(value, c.schedule(array(step)))
            assert (value.dtype, value.weak_type) == (
                expected.dtype,
                expected.weak_type,
            )


@every_box
def test_steps_in_boxes(box: Any):
    """One or many, of any kind, wherever a step is given."""
    for step in (5, np.uint32(5), np.int64(5), -3, 7.5):
        assert COSINE.at(box(step)) == COSINE.at(step)
    assert isinstance(COSINE.at(box(5)), float)
    chex.assert_trees_all_equal(js.evaluate(COSINE, box(5)), COSINE(5))
    stacked = js.stack([COSINE, COSINE.replace(steps=20)])
    chex.assert_trees_all_equal(js.evaluate(stacked, box(5)), js.evaluate(stacked, 5))
    assert js.compare(COSINE, 0.5, at=box(5)).at.first == COSINE.at(5)
    assert js.phases(COSINE, box(20)) == js.phases(COSINE, 20)


@pytest.mark.parametrize("name", ["like Keras", "NumPy inside", "NNX"])
def test_many_steps_in_boxes(name: str):
    """An array of them."""
    steps, box = np.arange(12, dtype=np.int32), BOXES[name]
    np.testing.assert_array_equal(COSINE(box(steps)), COSINE(steps))
    np.testing.assert_array_equal(COSINE.at(box(steps)), COSINE.at(steps))


def test_variables_in_programs():
    """As arguments, closed over, counted up, and differentiated."""
    variable = nnx.Variable(jnp.int32(5))
    expected = jax.jit(COSINE)(5)
    chex.assert_trees_all_equal(jax.jit(lambda s, v: s(v))(COSINE, variable), expected)
    chex.assert_trees_all_equal(nnx.jit(lambda v: COSINE(v))(variable), expected)
    chex.assert_trees_all_equal(jax.jit(lambda x: COSINE(Box(x)))(5), expected)

    @nnx.jit
    def count(variable: Any) -> Any:
        rate = COSINE(variable)
        variable[...] = variable[...] + 1
        return rate

    for step in (5, 6):
        np.testing.assert_allclose(count(variable), COSINE(step), rtol=1e-6)
    slope = jax.grad(lambda x: COSINE(Box(x)))(7.5)
    np.testing.assert_allclose(slope, jax.grad(COSINE)(7.5), rtol=1e-6)


@every_box
def test_hyperparameters_in_boxes(box: Any):
    """They are read when the schedule is made."""
    half = js.constant(box(0.5))
    assert float(half(0)) == 0.5
    assert js.as_schedule(box(0.5)) == half
    assert not callable(js.warmup(box(0.5), box(3)).steps)
    assert js.warmup(box(0.5), box(3)).at(3) == 0.5
    assert (COSINE * box(0.5)).at(5) == COSINE.at(5) * 0.5
    assert js.cosine(0.5, 0.0, steps=10).replace(steps=box(20)).at(10) == 0.25
    for wrong in (Box("five"), Box(True), Box(None), Box(Box(5.0)), Box):
        with pytest.raises(TypeError, match="value must be a number"):
            js.constant(wrong)


@pytest.mark.parametrize("name", ["like Keras", "NumPy inside", "NNX"])
def test_tables_in_boxes(name: str):
    """Whole ones, and entries."""
    box = BOXES[name]
    plain = js.piecewise_constant(np.array([5, 12]), np.array([0.5, 0.25, 0.125]))
    boxed = js.piecewise_constant(box(plain.boundaries), box(plain.values))
    np.testing.assert_array_equal(boxed.at(np.arange(20)), plain.at(np.arange(20)))
    mixed = js.piecewise_constant([5, box(12)], [0.5, 0.25, box(0.125)])
    np.testing.assert_array_equal(mixed.at(np.arange(20)), plain.at(np.arange(20)))


@pytest.mark.parametrize(
    "wrong",
    [Box("five"), Box(True), Box(1j), Box(jnp.array([True])), Box, nnx.Variable],
)
def test_boxes_of_something_else_are_refused(wrong: Any):
    """In the words for what is in no box."""
    for call in (COSINE, COSINE.at, lambda step: js.evaluate(COSINE, step)):
        with pytest.raises(TypeError, match="step must be a real number"):
            call(wrong)


@every_box
@pytest.mark.parametrize("driven", thorough(DRIVEN, DRIVEN[::3]), ids=IDS)
def test_metrics_in_boxes(driven: js.MetricDriven, box: Any):
    """Also whether they are measured, and triggers."""
    state = driven.update(driven.init(), value=2.0)
    expected = driven.update(state, value=3.0, measured=True, trigger=True)
    flag = Box(jnp.bool_(True))
    found = driven.update(state, value=box(3.0), measured=flag, trigger=flag)
    chex.assert_trees_all_equal(found, expected)
    between = js.set_metric(state, box(3.0))
    chex.assert_trees_all_equal(between, js.set_metric(state, 3.0))


@every_box
def test_steering_with_boxes(box: Any):
    """Multipliers and counts."""
    state = js.with_schedule(optax.adam, COSINE).init(jnp.ones(2, float_dtype()))
    chex.assert_trees_all_equal(
        js.set_multiplier(state, box(0.5)), js.set_multiplier(state, 0.5)
    )
    chex.assert_trees_all_equal(
        js.set_step_count(state, box(5), every=True),
        js.set_step_count(state, 5, every=True),
    )


# Training with NNX, as it is and as it is to come.

TO_COME = {
    "as it is": {},
    "trees": {"nnx_graph_mode": False},
    "simple updates": {"nnx_graph_updates": False},
    "hijax": {"flax_hijax_variable": True},
    "all of it": {
        "nnx_graph_mode": False,
        "nnx_graph_updates": False,
        "flax_hijax_variable": True,
    },
}


@pytest.fixture(params=TO_COME)
def to_come(request: pytest.FixtureRequest) -> Iterator[dict[str, bool]]:
    """Some of Flax's settings as they are to be."""
    settings = TO_COME[request.param]
    if not all(hasattr(flax.config, name) for name in settings):
        pytest.skip("this Flax has no such setting")
    before = {name: getattr(flax.config, name) for name in settings}
    for name, value in settings.items():
        flax.config.update(name, value)
    try:
        yield settings
    finally:
        for name, value in before.items():
            flax.config.update(name, value)


def skip_without_gradients() -> None:
    """Some releases of JAX do not differentiate the variables to come."""
    try:
        nnx.grad(lambda linear: linear(jnp.ones(1, jnp.float32)).sum())(
            nnx.Linear(1, 1, rngs=nnx.Rngs(0))
        )
    except NotImplementedError:
        pytest.skip("this JAX does not differentiate such variables")


# The count at each update, and the multiplier.
COUNTS, MULTIPLIERS = [0, 1, 20, 21, 22], [1.0, 0.5, 0.5, 0.5, 2.0]


def train(way: Any, schedule: Any, **metric: Any) -> list[float]:
    """The rates that an optimizer of NNX used, steered between two updates."""
    model = nnx.Linear(2, 2, rngs=nnx.Rngs(0))
    optimizer = js.with_schedule(optax.adam, schedule)
    optimizer = nnx.Optimizer(model, optimizer, wrt=nnx.Param)
    inputs = jnp.ones((1, 2), jnp.float32)

    def step(model: Any, optimizer: Any) -> Any:
        grads = nnx.grad(lambda model: (model(inputs) ** 2).sum())(model)
        with jax.numpy_dtype_promotion("standard"):  # Optax mixes dtypes
            optimizer.update(model, grads, **metric)
        return js.learning_rate(optimizer), COSINE(optimizer.step)

    step = way(step)
    used = []
    for act in (
        lambda: None,
        lambda: js.set_multiplier(optimizer, 0.5),
        lambda: js.set_step_count(optimizer, 20),
        lambda: js.set_metric(optimizer, 9.0) if metric else None,
        lambda: js.set_multiplier(optimizer, nnx.Variable(jnp.float32(2.0))),
    ):
        act()
        rate, by_count = step(model, optimizer)
        used.append(float(rate))
        for state in (optimizer, nnx.state(optimizer), optimizer.opt_state):
            assert float(js.learning_rate(state)) == used[-1]
            assert int(js.step_count(state)) == COUNTS[len(used) - 1] + 1
        np.testing.assert_allclose(by_count, COSINE(len(used)), rtol=1e-6)
    return used


def test_training_with_nnx_as_it_is_to_come(to_come: dict[str, bool]):
    """Read and steered, eagerly and in programs."""
    skip_without_gradients()
    ways: list[Any] = [lambda step: step]
    if "flax_hijax_variable" not in to_come:  # where Flax's own optimizer fails in one
        ways.append(nnx.jit)
    expected = [COSINE.at(k) * x for k, x in zip(COUNTS, MULTIPLIERS, strict=True)]
    for way in ways:
        np.testing.assert_allclose(train(way, COSINE), expected, rtol=1e-6)
        driven = js.reduce_on_plateau(COSINE, factor=0.5, patience=0)
        used = train(way, driven, value=2.0)
        cuts = [1.0, 1.0, 0.5, 0.125, 0.0625]
        np.testing.assert_allclose(used, np.multiply(expected, cuts), rtol=1e-6)


def test_states_are_read_in_programs_as_they_are_to_come(to_come: dict[str, bool]):
    """Rates, counts and schedules, with variables of every kind as arguments."""
    model = nnx.Linear(2, 2, rngs=nnx.Rngs(0))
    optimizer = js.with_schedule(optax.sgd, COSINE)
    optimizer = nnx.Optimizer(model, optimizer, wrt=nnx.Param)
    read = lambda state: (js.learning_rate(state), js.step_count(state))
    ways = [jax.jit, nnx.jit]
    if to_come == TO_COME["hijax"]:  # where `nnx.jit` takes none of these variables
        ways = [jax.jit]
    for way in ways:
        rate, count = way(read)(js.set_step_count(optimizer, 7))
        assert (float(rate), int(count)) == (float(COSINE(0)), 7)
        value = way(lambda schedule, step: schedule(step))(COSINE, nnx.Variable(7))
        np.testing.assert_allclose(value, COSINE(7), rtol=1e-6)
    held = nnx.Variable(COSINE)
    assert held[...] == COSINE
    assert repr(held[...]) == repr(COSINE)
    assert js.as_schedule(held) == COSINE
    assert COSINE.at(nnx.Variable(7)) == COSINE.at(7)


def test_what_flax_gives_up_is_not_used():
    """`variable.value` warns, and warnings are errors here."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(nnx.jit, COSINE)
        train(lambda step: step, js.cooldown_on_trigger(COSINE, 4), value=None)
        structure, state = nnx.split(nnx.Variable(COSINE))
        assert nnx.merge(structure, state)[...] == COSINE
