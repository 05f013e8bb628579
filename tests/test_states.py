"""States of schedules as programs treat them: zeroed, edited, donated, mapped over."""

from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from cases import float_dtype, thorough
from driven import DRIVEN, IDS
from test_metric_driven import METRICS, TRIGGERS

import jaxsched as js

S = js.warmup_cosine(0.1, total_steps=20, warmup_steps=4)
PARAMS = {"a": jnp.ones(2, float_dtype()), "b": jnp.array(2.0, float_dtype())}


@js.metric_driven
def user_machine(schedule: js.MetricDrivenLike, limit: js.Value):
    """One that starts at numbers of its own, and takes triggers."""

    def judge(memory: Any, report: Any) -> Any:
        times, multiplier = memory
        hit = (report.measured & (report.value < limit)) | report.trigger
        return times + jnp.where(hit, 1, 0), jnp.where(hit, multiplier / 2, multiplier)

    def rate(memory: Any, step: Any, base: Any) -> Any:
        return base * memory[1]

    start = lambda: (7, 4.0)
    return js.Machine(start, judge, rate, takes_trigger=True)


MACHINES = [*DRIVEN, user_machine(S, 1.5), user_machine(js.greedy(0.5, 0.5, 0), 1.5)]
MACHINE_IDS = [*IDS, "a user's", "a user's around ours"]
every_machine = pytest.mark.parametrize("driven", MACHINES, ids=MACHINE_IDS)
some = pytest.mark.parametrize(
    "driven", thorough(MACHINES, MACHINES[::3]), ids=MACHINE_IDS
)

OPTIMIZERS = {
    "scale": js.scale_by_learning_rate(S),
    "with_schedule": js.with_schedule(optax.sgd, S, momentum=0.9),
    "a number": js.with_schedule(optax.sgd, 0.25),
    "chain": optax.chain(optax.clip(1.0), js.scale_by_learning_rate(S)),
    "partition": optax.partition(
        {"x": js.with_schedule(optax.adam, S), "y": js.scale_by_learning_rate(0.5)},
        {"a": "x", "b": "y"},
    ),
    "multi-steps": optax.MultiSteps(js.with_schedule(optax.sgd, S), 2),
    "driven": js.with_schedule(optax.adamw, js.reduce_on_plateau(S, 0.5, 0)),
    "stock": optax.adamw(S),
    "injected": optax.inject_hyperparams(optax.sgd)(learning_rate=S),
}
every_optimizer = pytest.mark.parametrize("name", OPTIMIZERS)


def zeros(state: Any) -> list[Any]:
    """A state of zeros, made in all the ways in which programs make one."""
    shapes = jax.eval_shape(lambda: state)
    return [
        jax.tree.map(jnp.zeros_like, state),
        optax.tree.zeros_like(state),
        jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes),
        jax.tree.map(lambda x: np.zeros(x.shape, x.dtype), shapes),
    ]


def rates(driven: js.MetricDriven, state: Any) -> Any:
    """The rates of an optimizer's life from a state on, and the last state."""

    def body(state: Any, inputs: Any) -> Any:
        value, trigger = inputs
        return driven.update(state, value=value, trigger=trigger), driven(state)

    return jax.lax.scan(body, state, (METRICS, TRIGGERS))


@every_machine
def test_a_machine_of_zeros_is_a_new_one(driven: js.MetricDriven):
    """Whatever its memory starts with, for ever, and inside of others."""
    used, _ = jax.jit(rates)(driven, driven.init())
    expected = jax.jit(rates)(driven, driven.init())
    for state in zeros(used):
        chex.assert_trees_all_equal(driven(state), driven(driven.init()))
        state = jax.tree.map(jnp.asarray, state)
        chex.assert_trees_all_equal(jax.jit(rates)(driven, state), expected)


def after(optimizer: Any, state: Any, updates: int = 6) -> tuple[Any, list[Any]]:
    """The state after some updates with growing losses, and the updates."""
    optimizer = optax.with_extra_args_support(optimizer)
    made = []
    for i in range(updates):
        with jax.numpy_dtype_promotion("standard"):
            new, state = optimizer.update(PARAMS, state, PARAMS, value=float(i))
        made.append(new)
    return state, made


@every_optimizer
def test_an_optimizer_of_zeros_is_a_new_one(name: str):
    """As a stock one is: updates and rates are those of a new state."""
    optimizer = OPTIMIZERS[name]
    new = optimizer.init(PARAMS)
    used, expected = after(optimizer, new)
    for state in zeros(used)[:2]:
        end, found = after(optimizer, state)
        chex.assert_trees_all_equal(found, expected)
        chex.assert_trees_all_equal(end, used)


def test_a_state_of_zeros_is_steered():
    """Also to a rate of 0, which is what its multiplier looks like."""
    optimizer = js.with_schedule(optax.sgd, 0.5)
    state = jax.tree.map(jnp.zeros_like, optimizer.init(PARAMS))
    for multiplier in (0.5, 0.0):
        updates, _ = optimizer.update(PARAMS, js.set_multiplier(state, multiplier))
        np.testing.assert_array_equal(updates["a"], [-0.5 * multiplier] * 2)
    driven = js.cooldown_on_trigger(1.0, 4)
    state = js.set_trigger(jax.tree.map(jnp.zeros_like, driven.init()))
    assert float(driven(driven.update(state))) == 0.75
    driven = js.reduce_on_plateau(1.0, 0.5, 0)
    state = js.set_metric(jax.tree.map(jnp.zeros_like, driven.init()), 1.0)
    state = js.set_metric(driven.update(state, value=None), 1.0)
    assert float(driven(state)) == 0.5


@some
def test_python_numbers_are_leaves(driven: js.MetricDriven):
    """What went through `.item()` is the state that it was."""
    state, plain = driven.init(), driven.init()
    for value, trigger in zip(METRICS[:30:3], TRIGGERS[:30:3], strict=True):
        chex.assert_trees_all_equal(driven(plain), driven(state))
        state = driven.update(state, value=value, trigger=trigger)
        plain = driven.update(plain, value=value, trigger=trigger)
        chex.assert_trees_all_equal(plain, state)
        chex.assert_trees_all_equal_dtypes(plain, state)
        plain = jax.tree.map(lambda x: x.item(), state)


@every_optimizer
def test_python_numbers_are_leaves_of_an_optimizers_state(name: str):
    """Its scalars, as in `state._replace(count=4)`."""
    optimizer = OPTIMIZERS[name]
    used, _ = after(optimizer, optimizer.init(PARAMS), 3)
    plain = jax.tree.map(lambda x: x.item() if x.shape == () else x, used)
    if name in ("injected", "multi-steps"):  # Optax's own takes arrays only there
        return
    given = S if name == "stock" else None
    rate = js.learning_rate(used, given)
    chex.assert_trees_all_equal(js.learning_rate(plain, given), rate)
    chex.assert_trees_all_equal(js.step_count(plain), js.step_count(used))
    end, made = after(optimizer, plain)
    expected, updates = after(optimizer, used)
    chex.assert_trees_all_equal(made, updates)
    chex.assert_trees_all_equal(end, expected)
    chex.assert_trees_all_equal(js.set_step_count(plain, 2), js.set_step_count(used, 2))


def buffers(tree: Any) -> list[int]:
    return [x.unsafe_buffer_pointer() for x in jax.tree.leaves(tree)]


STEERED = {
    "multiplier": lambda state, x: js.set_multiplier(state, x),
    "step count": lambda state, x: js.set_step_count(state, x.astype(int)),
    "every count": lambda state, x: js.set_step_count(state, x.astype(int), every=True),
    "metric": lambda state, x: js.set_metric(state, x),
}


@pytest.mark.parametrize("way", ["eager", "jit"])
@pytest.mark.parametrize("what", STEERED)
def test_steering_makes_buffers_of_its_own(what: str, way: str):
    """Of two groups and of one: the next step may donate all of them."""
    driven = js.with_schedule(optax.adam, js.reduce_on_plateau(S, 0.5, 1))
    both = optax.partition({"x": driven, "y": driven}, {"a": "x", "b": "y"})
    steer = jax.jit(STEERED[what]) if way == "jit" else STEERED[what]
    for optimizer in (both, driven):
        mine = jnp.asarray(2, float_dtype())
        state = steer(optimizer.init(PARAMS), mine)
        assert len({*buffers((state, mine))}) == len(buffers((state, mine)))

        def step(state: Any, optimizer: Any = optimizer) -> Any:
            with jax.numpy_dtype_promotion("standard"):
                return optimizer.update(PARAMS, state, PARAMS, value=1.0)[1]

        state = jax.jit(step, donate_argnums=0)(state)
        assert float(mine) == 2.0
        chex.assert_tree_all_finite(jax.jit(step, donate_argnums=0)(state))


@every_optimizer
def test_new_states_alias_nothing(name: str):
    """From the first state on."""
    state = OPTIMIZERS[name].init(PARAMS)
    assert len({*buffers((state, PARAMS))}) == len(buffers((state, PARAMS)))


def test_members_of_a_map_are_steered_one_by_one():
    """A number for each, or one for all; another number of numbers is refused."""
    optimizer = js.with_schedule(optax.sgd, js.cooldown_on_trigger(S, 4, patience=0))
    peaks = jnp.arange(3)
    states = jax.vmap(lambda _: optimizer.init(PARAMS))(peaks)
    moved = js.set_multiplier(states, jnp.array([0.0, 0.5, 1.0]))
    moved = js.set_step_count(moved, np.array([0, 5, 9]))
    np.testing.assert_array_equal(moved.multiplier, [0.0, 0.5, 1.0])
    np.testing.assert_array_equal(js.step_count(moved), [0, 5, 9])
    chex.assert_trees_all_equal_shapes_and_dtypes(moved, states)
    step = jax.vmap(lambda state: optimizer.update(PARAMS, state, value=None)[1])
    expected = S.at(np.array([0, 5, 9])) * [0.0, 0.5, 1.0]
    np.testing.assert_allclose(js.learning_rate(step(moved)), expected, rtol=1e-6)
    np.testing.assert_array_equal(js.set_multiplier(states, 0.5).multiplier, [0.5] * 3)
    # The second loss is no better than the first in the last of them alone.
    told = step(
        js.set_metric(step(js.set_metric(states, 1.0)), np.array([0.5, 0.25, 1.0]))
    )
    begun = told.schedule_state.memory.begin >= 0
    np.testing.assert_array_equal(begun, [False, False, True])
    triggered = js.set_trigger(states).schedule_state.told.trigger
    np.testing.assert_array_equal(triggered, [True] * 3)
    message = r"one for each .* shape \(3,\), got shape \(2,\)"
    for steer in (js.set_multiplier, js.set_step_count, js.set_metric):
        with pytest.raises(ValueError, match=message):
            steer(states, np.array([1, 2]))


JUDGING = [
    d for d in DRIVEN if hasattr(d, "factor") and isinstance(d.schedule, js.Schedule)
]


@pytest.mark.parametrize("driven", JUDGING, ids=repr)
def test_a_metric_between_updates_acts_on_the_next_one(driven: js.MetricDriven):
    """As if it had come with the update before, as in PyTorch; NaN too."""
    driven = driven.replace(schedule=0.5)
    with_update, between = driven.init(), driven.init()
    used = []
    for loss in [4.0, 3.0, 3.0, np.nan, *[3.0] * 12, 9.0, np.inf, 2.0]:
        for i in range(3):
            with_update = driven.update(with_update, value=loss if i == 2 else None)
            between = driven.update(between, value=None)
        between = js.set_metric(between, loss)
        used.append(driven(between))
        chex.assert_trees_all_equal(used[-1], driven(with_update))
    assert len({*map(float, used)}) > 1


def test_a_metric_between_updates_begins_a_cooldown_there():
    """At the rate of the next update, which is the first of the decay."""
    driven = js.cooldown_on_trigger(1.0, 4, patience=0)
    state = driven.init()
    for loss in (1.0, 1.0):
        state = js.set_metric(driven.update(state, value=None), loss)
    used = []
    for _ in range(3):
        used.append(float(driven(state)))
        state = driven.update(state, value=None)
    assert used == [1.0, 0.75, 0.5]


def test_a_second_metric_takes_the_place_of_the_first():
    """The last word before the update counts."""
    driven = js.reduce_on_plateau(1.0, 0.5, 0)
    state = driven.update(driven.init(), value=1.0)
    assert float(driven(js.set_metric(js.set_metric(state, 2.0), 0.5))) == 1.0
    assert float(driven(js.set_metric(js.set_metric(state, 0.5), 2.0))) == 0.5
    assert float(driven(driven.update(js.set_metric(state, 2.0), value=None))) == 0.5
