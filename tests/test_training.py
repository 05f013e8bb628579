"""Reading and steering the learning rate, in whatever holds it."""

import inspect
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import chex
import flax.serialization
import flax.traverse_util
import jax
import jax.numpy as jnp
import numpy as np
import optax
import optax.contrib
import orbax.checkpoint as ocp
import pytest
from cases import CASES, ONE_OF_EACH, float_dtype, thorough
from flax import linen, nnx
from flax.training.train_state import TrainState
from test_optimizers import NEEDS, OPTIMIZERS, loss, params_for

import jaxsched as js

S = js.warmup_cosine(0.1, total_steps=20, warmup_steps=4)
HALF = js.constant(0.5)
DRIVEN = js.reduce_on_plateau(S, factor=0.5, patience=0)
PARAMS = {"a": jnp.ones(2, float_dtype()), "b": jnp.array(2.0, float_dtype())}
LABELS = {"a": "x", "b": "y"}


@cache  # one program for all tests of an optimizer
def update_of(optimizer: Any) -> Callable[[Any], Any]:
    """One update with gradients equal to the parameters, from state to state."""
    optimizer = optax.with_extra_args_support(optimizer)

    @jax.jit
    def update(state: Any) -> Any:
        # Adam's bias correction mixes a float and a count.
        with jax.numpy_dtype_promotion("standard"):
            return optimizer.update(PARAMS, state, PARAMS, value=1.0)[1]

    return update


def after(optimizer: Any, updates: int = 3, state: Any = None) -> Any:
    """The state after some updates, from a new or a given one."""
    state = optimizer.init(PARAMS) if state is None else state
    for _ in range(updates):
        state = update_of(optimizer)(state)
    return state


def partitioned(x: Any, y: Any) -> Any:
    """One optimizer for each parameter."""
    return optax.partition({"x": x, "y": y}, LABELS)


ours, scheduled = js.scale_by_learning_rate, js.with_schedule
inject = optax.inject_hyperparams

# An optimizer, the rate that its third update used, and the number of its updates.
HOLDERS: dict[str, tuple[Any, Any, Any]] = {
    "alone": (ours(S), S.at(2), 3),
    "a constant": (ours(0.5), 0.5, 3),
    "whole": (scheduled(optax.adamw, S, weight_decay=0.1), S.at(2), 3),
    "whole in a chain": (
        optax.chain(optax.clip(1.0), scheduled(optax.lion, S)),
        S.at(2),
        3,
    ),
    "whole, with a clock of its own": (
        scheduled(optax.adamw, S, weight_decay=js.linear(0.5, 0.9, 9)),
        S.at(2),
        3,
    ),
    "whole, driven": (scheduled(optax.adamw, DRIVEN), S.at(2) / 2, 3),
    "a callable": (ours(optax.linear_schedule(1.0, 0.0, 4)), 0.5, 3),
    "chain": (optax.chain(optax.scale_by_adam(), ours(S)), S.at(2), 3),
    "chain of chains": (optax.chain(optax.chain(optax.chain(ours(S)))), S.at(2), 3),
    "masked": (optax.masked(ours(S), {"a": True, "b": False}), S.at(2), 3),
    "multi-steps": (optax.MultiSteps(ours(S), 2), S.at(0), 1),
    "apply_if_finite": (optax.apply_if_finite(ours(S), 2), S.at(2), 3),
    "partition": (
        partitioned(ours(S), optax.chain(optax.clip(1.0), ours(0.5))),
        {"x": S.at(2), "y": 0.5},
        {"x": 3, "y": 3},
    ),
    "partition of a partition": (
        partitioned(partitioned(ours(S), ours(0.5)), optax.sgd(1.0)),
        {"x": {"x": S.at(2), "y": 0.5}},
        {"x": {"x": 3, "y": 3}},
    ),
    "frozen group": (
        partitioned(ours(S), optax.set_to_zero()),
        {"x": S.at(2)},
        {"x": 3},
    ),
    "injected": (inject(optax.adamw)(learning_rate=S), S.at(2), 3),
    "injected number": (inject(optax.sgd)(learning_rate=0.5), 0.5, 3),
    "injected, nested": (
        optax.chain(optax.clip(1.0), inject(optax.sgd)(learning_rate=S)),
        S.at(2),
        3,
    ),
    "driven": (ours(DRIVEN), S.at(2) / 2, 3),
    "driven, injected": (inject(optax.adamw)(learning_rate=DRIVEN), S.at(2) / 2, 3),
    "stock": (optax.adamw(S), S.at(2), 3),
    "stock in MultiSteps": (optax.MultiSteps(optax.adam(S), 2), S.at(0), 1),
    "stock in a partition": (
        partitioned(optax.adam(S), optax.sgd(S)),
        {"x": S.at(2), "y": S.at(2)},
        {"x": 3, "y": 3},
    ),
}
every_holder = pytest.mark.parametrize("name", HOLDERS)


@every_holder
def test_the_rate_is_found_wherever_it_is(name: str):
    """With the schedule at hand for those that keep only a count."""
    optimizer, rate, count = HOLDERS[name]
    state = after(optimizer)
    given = S if "stock" in name else None
    read = js.learning_rate(state, given)
    chex.assert_trees_all_close(read, jax.tree.map(float_dtype().type, rate), rtol=1e-6)
    chex.assert_trees_all_equal(js.step_count(state), jax.tree.map(np.int32, count))
    inside = jax.jit(lambda state: js.learning_rate(state, given))(state)
    chex.assert_trees_all_equal(inside, read)


@every_holder
def test_what_was_taken_apart_is_read_too(name: str, tmp_path: Any):
    """By Flax, and by a checkpoint that is restored without a template."""
    optimizer, rate, count = HOLDERS[name]
    state = after(optimizer)
    given = S if "stock" in name else None
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(tmp_path / "state", state)
        checkpointer.wait_until_finished()
        restored = checkpointer.restore(tmp_path / "state")
    for apart in (restored, flax.serialization.to_state_dict(state)):
        read = js.learning_rate({"opt_state": apart}, given)
        chex.assert_trees_all_close(
            read, jax.tree.map(float_dtype().type, rate), rtol=1e-6
        )
        chex.assert_trees_all_equal(js.step_count(apart), jax.tree.map(np.int32, count))
        moved = js.step_count(js.set_step_count(apart, 9))
        chex.assert_trees_all_equal(moved, jax.tree.map(lambda _: np.int32(9), count))
        chex.assert_trees_all_equal(js.step_count(apart), jax.tree.map(np.int32, count))


@every_holder
def test_the_variables_of_nnx_are_read_from_a_checkpoint_without_a_template(
    name: str, tmp_path: Any
):
    """Each is restored as a dict of its value."""
    optimizer, rate, count = HOLDERS[name]
    state = jax.tree.map(nnx.OptState, after(optimizer))
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(
            tmp_path / "state", nnx.State({"opt_state": state, "step": 0})
        )
        checkpointer.wait_until_finished()
        restored = checkpointer.restore(tmp_path / "state")
    read = js.learning_rate(restored, S if "stock" in name else None)
    chex.assert_trees_all_close(read, jax.tree.map(float_dtype().type, rate), rtol=1e-6)
    moved = js.step_count(js.set_step_count(restored, 9))
    chex.assert_trees_all_equal(moved, jax.tree.map(lambda _: np.int32(9), count))


# The clocks of states, and of the averages in them.
CLOCKS = {
    "stock": (optax.adamw(S), ["2/count"], ["0/count"]),
    "whole": (scheduled(optax.adamw, S), ["count"], ["inner_state/0/count"]),
    "driven": (
        scheduled(optax.adamw, js.reduce_on_plateau(S, window=4)),
        ["count", "schedule_state/step"],
        ["inner_state/0/count"],
    ),
}


@pytest.mark.parametrize("every", [False, True])
@pytest.mark.parametrize("name", CLOCKS)
def test_what_is_called_a_count_and_is_none_is_left_alone(name: str, every: bool):
    """Parameters, their averages, statistics, and the window of a metric."""
    optimizer, clocks, averages = CLOCKS[name]
    halves = jnp.full(3, 0.5, float_dtype())
    params = {"vq": {"count": halves}, "count": halves, "n": {"count": jnp.array(3)}}
    live = {
        "train": TrainState(0, None, params, None, optimizer.init(params)),
        "batch_stats": {"norm": {"count": jnp.array(100)}},
    }
    for whole in (live, flax.serialization.to_state_dict(live)):
        assert js.learning_rate(whole, S) == pytest.approx(S.at(0), rel=1e-6)
        moved = js.set_step_count(whole, 9, every=every)
        both = zip(
            jax.tree_util.tree_leaves_with_path(whole),
            jax.tree_util.tree_leaves_with_path(moved),
            strict=True,
        )
        changed = {path_text(path) for (path, old), (_, new) in both if old is not new}
        expected = clocks + averages * every
        assert changed == {f"train/opt_state/{path}" for path in expected}


def path_text(path: Any) -> str:
    """A path of a tree, whose indices are those of lists or the names of dicts."""
    return "/".join(
        str(getattr(k, "name", getattr(k, "key", getattr(k, "idx", "")))) for k in path
    )


@pytest.mark.parametrize(
    "names",
    [("params", "batch_stats"), ("mu", "nu"), ("opt_state", "x"), ("count", "mu")],
)
def test_groups_may_have_the_names_of_fields(names: tuple[str, str]):
    """A label is a name that the user chose."""
    groups = {names[0]: ours(S), names[1]: scheduled(optax.adam, 0.5)}
    labels = dict(zip(PARAMS, names, strict=True))
    live = optax.partition(groups, labels).init(PARAMS)
    for state in (live, flax.serialization.to_state_dict(live)):
        assert js.learning_rate(state) == {names[0]: S.at(0), names[1]: 0.5}
        assert js.step_count(js.set_step_count(state, 9)) == dict.fromkeys(names, 9)


@pytest.mark.parametrize("kind", [int, np.int32, np.int64, np.array, jnp.int32])
def test_a_count_may_be_any_whole_number(kind: Callable[[int], Any]):
    """Of Python, of NumPy, or an array, as surgery on states leaves it."""
    for optimizer, place in ((ours(S), 0), (optax.adam(S), 1)):
        state = optimizer.init(PARAMS)
        alone = state[place] if place else state
        changed = alone._replace(count=kind(4))
        state = (state[0], changed) if place else changed
        assert js.step_count(state) == 4
        assert js.step_count(js.set_step_count(state, 7)) == 7


def test_both_optimizers_of_sam_are_moved():
    """Of an outer and an adversarial one, each with a schedule."""
    both = optax.contrib.sam(optax.sgd(S), optax.sgd(HALF))
    state = js.set_step_count(both.init(PARAMS), 9)
    assert js.step_count(state.opt_state) == js.step_count(state.adv_state) == 9


def test_a_schedule_of_the_weight_decay_is_no_second_rate():
    """Taken apart, its state is a count as that of the rate is."""
    decay = js.linear(1e-4, 0.0, 20)
    own = optax.chain(
        optax.scale_by_adam(),
        optax.add_decayed_weights(decay),
        js.scale_by_learning_rate(S),
    )
    for optimizer in (own, optax.adamw(S, weight_decay=decay)):
        state = after(optimizer)
        for one in (state, flax.serialization.to_state_dict(state)):
            assert js.learning_rate(one, S) == pytest.approx(S.at(2), rel=1e-6)
            assert js.step_count(one) == 3
            moved = js.set_step_count(one, 9)
            assert js.step_count(moved) == 9
    apart = flax.serialization.to_state_dict(after(optax.adamw(S, weight_decay=decay)))
    apart["2"]["count"] = apart["2"]["count"] + 1
    with pytest.raises(ValueError, match="pass the part of the state that you mean"):
        js.step_count(apart)


@every_holder
def test_the_step_count_can_be_set(name: str):
    """The next update uses the rate of that step; the tree keeps its types."""
    optimizer, _, count = HOLDERS[name]
    state = after(optimizer)
    moved = jax.jit(js.set_step_count)(state, 9)
    chex.assert_trees_all_equal(
        js.step_count(moved), jax.tree.map(lambda _: np.int32(9), count)
    )
    chex.assert_trees_all_equal_shapes_and_dtypes(moved, state)
    last = after(optimizer, 2 if "ulti" in name else 1, moved)
    reads = jax.tree.leaves(js.learning_rate(last, S if "stock" in name else None))
    # A constant stays what it is, and the line has come down to 0.
    others = {"a constant": 0.5, "injected number": 0.5, "a callable": 0.0}
    expected = others.get(name, S.at(9) / (4 if "driven" in name else 1))
    assert float(reads[0]) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    "name", [n for n in HOLDERS if "stock" not in n and "inj" not in n]
)
def test_the_multiplier_always_takes_effect(name: str):
    """On the update and on the rate that is read; setting it again does not add up."""
    optimizer, _, _ = HOLDERS[name]
    state = after(optimizer, 4)
    more = 2 if "ulti" in name else 1
    plain = js.learning_rate(after(optimizer, more, state))
    halved = js.set_multiplier(js.set_multiplier(state, 0.25), 0.5)
    read = js.learning_rate(after(optimizer, more, halved))
    chex.assert_trees_all_close(read, jax.tree.map(lambda x: x / 2, plain), rtol=1e-6)
    chex.assert_trees_all_equal_shapes_and_dtypes(halved, state)


def test_the_multiplier_of_one_group():
    """By label; the others keep theirs."""
    state = js.set_multiplier(after(HOLDERS["partition"][0]), {"y": 0.5})
    read = js.learning_rate(after(HOLDERS["partition"][0], 1, state))
    np.testing.assert_allclose([read["x"], read["y"]], [S.at(3), 0.25], rtol=1e-6)


# Every optimizer of Optax. Where the update is not the rate times something (momentum or
# weight decay after the rate), the rate is that of the schedule at the count.
NOT_PROPORTIONAL = {"lars", "fromage", "lbfgs"}


@pytest.mark.parametrize("name", thorough(OPTIMIZERS, [*OPTIMIZERS][::2]))
def test_the_rate_read_is_the_rate_used(name: str):
    """Update / unscaled update, in a scan and after it, stock and injected."""
    # Momentum after an injected rate is float32, whatever the parameters are.
    params = {"matrix": params_for(name)["matrix"].astype(float_dtype())}

    def make(learning_rate: Any) -> Any:
        made = OPTIMIZERS[name](learning_rate=learning_rate, **NEEDS.get(name, {}))
        return optax.with_extra_args_support(made)

    optimizer, unit = make(S), make(lambda count: 1.0)
    whole = scheduled(OPTIMIZERS[name], S, **NEEDS.get(name, {}))
    injected = inject(make, hyperparam_dtype=float_dtype())(learning_rate=S)

    def step(carry: Any, _: Any) -> Any:
        params, state, other, third = carry
        value, grad = jax.value_and_grad(loss)(params)
        extra = {"value": value, "grad": grad, "value_fn": loss}
        unscaled, _ = unit.update(grad, state, params, **extra)
        updates, state = optimizer.update(grad, state, params, **extra)
        _, other = injected.update(grad, other, params, **extra)
        same, third = whole.update(grad, third, params, **extra)
        reads = js.learning_rate(state, S), js.learning_rate(other)
        reads += (third.hyperparams["learning_rate"],)
        ratio = updates["matrix"] / unscaled["matrix"]
        params = optax.apply_updates(params, updates)
        return (params, state, other, third), (reads, ratio, (updates, same))

    with jax.numpy_dtype_promotion("standard"):
        states = (o.init(params) for o in (optimizer, injected, whole))
        run = jax.jit(lambda carry: jax.lax.scan(step, carry, None, 3))
        (_, state, other, _), (reads, ratios, both) = run((params, *states))
    chex.assert_trees_all_equal(*both)
    for read in reads:
        np.testing.assert_allclose(read, S.at(np.arange(3)), rtol=1e-6)
        if name not in NOT_PROPORTIONAL:
            rates = np.broadcast_to(np.reshape(read, (3, 1, 1)), ratios.shape)
            np.testing.assert_allclose(ratios, rates, rtol=2e-6)
    np.testing.assert_allclose(js.learning_rate(state, S), reads[0][-1], rtol=1e-6)
    np.testing.assert_allclose(js.learning_rate(other), reads[1][-1], rtol=1e-6)


CONTRIB = [
    name
    for name, function in inspect.getmembers(optax.contrib, inspect.isfunction)
    if "learning_rate" in inspect.signature(function).parameters
    and name not in {"dpsgd", "schedule_free", "sophia"}  # which need much more
]


@pytest.mark.parametrize("name", thorough(CONTRIB, [*CONTRIB][::2]))
def test_optimizers_of_contrib_are_themselves_or_refused(name: str):
    """The updates of the same optimizer that is given the schedule, in bfloat16 too."""
    make = getattr(optax.contrib, name)
    if name.startswith("schedule_free"):
        with pytest.raises(ValueError, match="at later steps too"):
            scheduled(make, S)
        return
    params = {"m": jnp.array([[0.5, -0.25], [1.0, 2.0]]), "v": jnp.ones(3, "bfloat16")}

    def run(optimizer: Any, params: Any) -> Any:
        optimizer = optax.with_extra_args_support(optimizer)

        def step(carry: Any, _: Any) -> Any:
            params, state = carry
            value, grad = jax.value_and_grad(loss)(params)
            updates, state = optimizer.update(grad, state, params, value=value)
            return (optax.apply_updates(params, updates), state), updates

        return jax.lax.scan(step, (params, optimizer.init(params)), None, 3)[1]

    with jax.numpy_dtype_promotion("standard"):
        try:
            expected = run(make(learning_rate=S), params)
        except TypeError:  # it does not keep the dtypes of its own state
            del params["v"]
            expected = run(make(learning_rate=S), params)
        chex.assert_trees_all_equal(run(scheduled(make, S), params), expected)


def test_reading_is_part_of_the_compiled_step():
    """Ten steps and ten settings of a multiplier, one trace."""
    optimizer = optax.chain(optax.scale_by_adam(), ours(S))

    @jax.jit
    def step(state: Any) -> Any:
        with jax.numpy_dtype_promotion("standard"):
            _, state = optimizer.update(PARAMS, state, PARAMS)
        return state, js.learning_rate(state)

    state = optimizer.init(PARAMS)
    for i in range(10):
        state, rate = step(js.set_multiplier(state, i / 10))
        assert float(rate) == pytest.approx(S.at(i) * i / 10, rel=1e-6)
        assert rate == js.learning_rate(state)
    assert step._cache_size() == 1


# The transformation itself.


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_it_scales_as_optax_does(dtype: str):
    """Bit for bit, updates keeping their dtype."""
    grads = {"w": jnp.linspace(-1, 2, 7).astype(dtype)}
    for flip in (True, False):
        taken, expected = (
            ours(S, flip_sign=flip),
            optax.scale_by_learning_rate(S, flip_sign=flip),
        )
        states = taken.init(grads), expected.init(grads)
        for _ in range(4):
            a, mine = taken.update(grads, states[0])
            b, theirs = expected.update(grads, states[1])
            states = mine, theirs
            chex.assert_trees_all_equal(a, b)
            chex.assert_trees_all_equal_dtypes(a, grads)


def test_one_layout_for_every_schedule():
    """So that a checkpoint survives a change of schedule, to and from a constant."""
    states = [jax.eval_shape(ours(c.schedule).init, PARAMS) for c in CASES]
    for state in [*states, jax.eval_shape(ours(0.1).init, PARAMS)]:
        chex.assert_trees_all_equal_structs(state, states[0])
        chex.assert_trees_all_equal_shapes_and_dtypes(state, states[0])
    moved = after(ours(S), 1, after(ours(0.5), 3))
    assert float(js.learning_rate(moved)) == pytest.approx(S.at(3), rel=1e-6)


def test_before_the_first_update_the_first_rate_is_read():
    """There is no other to tell."""
    first = pytest.approx(0.02, rel=1e-6)  # a fifth of the peak
    for optimizer in (ours(S), inject(optax.sgd)(learning_rate=S)):
        assert float(js.learning_rate(optimizer.init(PARAMS))) == first
    assert float(js.learning_rate(optax.sgd(S).init(PARAMS), S)) == first


def test_schedules_advance_per_applied_update():
    """`optax.MultiSteps(k)` with every schedule: the mean gradient, once per k."""
    optimizers = [optax.MultiSteps(optax.sgd(c.schedule), 3) for c in ONE_OF_EACH]
    zero = jnp.zeros((), float_dtype())

    def step(states: Any, k: Any) -> Any:
        grad = 1.0 + (k % 3).astype(float_dtype())
        both = [
            o.update(grad, s, zero) for o, s in zip(optimizers, states, strict=True)
        ]
        return [state for _, state in both], [updates for updates, _ in both]

    states = [o.init(zero) for o in optimizers]
    with jax.numpy_dtype_promotion("standard"):  # MultiSteps divides by its count
        run = jax.jit(lambda: jax.lax.scan(step, states, jnp.arange(12))[1])
        found = run()
    for c, updates in zip(ONE_OF_EACH, found, strict=True):
        rates = c.schedule.at(np.arange(4))
        applied, waiting = updates[2::3], np.delete(updates, np.s_[2::3])
        np.testing.assert_allclose(applied, -2.0 * rates, rtol=1e-5, err_msg=c.name)
        assert not np.any(waiting)


def test_groups_of_a_partition_that_are_named_are_never_left_out():
    """Whatever their optimizers keep: a rate, a count or nothing."""
    optimizer = partitioned(optax.adam(S), optax.sgd(0.25))
    read = js.learning_rate(after(optimizer), {"x": S, "y": 0.25})
    np.testing.assert_allclose([read["x"], read["y"]], [S.at(2), 0.25], rtol=1e-6)


def test_any_pytree_that_holds_a_state_is_steered():
    """A training state of one's own comes back changed."""

    class Training(NamedTuple):
        params: Any
        opt_state: Any

    moved = js.set_step_count(Training(PARAMS, ours(S).init(PARAMS)), 7)
    assert js.step_count(moved.opt_state) == js.step_count(moved) == 7
    halved = js.set_multiplier(moved, 0.5)
    assert halved.opt_state.multiplier == 0.5


# Flax.


def nnx_optimizer(transformation: Any) -> tuple[nnx.Optimizer, Callable[[], None]]:
    """An optimizer of a small model, and its update."""
    model = nnx.Linear(2, 2, rngs=nnx.Rngs(0))
    optimizer = nnx.Optimizer(model, transformation, wrt=nnx.Param)
    grads = nnx.grad(lambda m: jnp.sum(m(jnp.ones((1, 2), "float32"))))(model)

    def update() -> None:
        with jax.numpy_dtype_promotion("standard"):
            optimizer.update(model, grads, value=1.0)

    return optimizer, update


@pytest.mark.parametrize("name", ["chain", "whole", "driven", "injected", "stock"])
def test_nnx_optimizers_are_read_and_steered_in_place(name: str):
    """The optimizer itself is given, and comes back changed."""
    transformation, rate, _ = HOLDERS[name]
    transformation = optax.with_extra_args_support(transformation)
    optimizer, update = nnx_optimizer(transformation)
    for _ in range(3):
        update()
    given = S if name == "stock" else None
    state = nnx.state(optimizer)
    for holder in (optimizer, optimizer.opt_state, state, nnx.to_pure_dict(state)):
        assert float(js.learning_rate(holder, given)) == pytest.approx(rate, rel=1e-6)
        assert js.step_count(holder) == 3
    assert js.step_count(js.set_step_count(nnx.state(optimizer), 2)) == 2
    assert js.set_step_count(optimizer, 1) is optimizer
    assert js.step_count(optimizer) == 1
    if name in ("chain", "whole", "driven"):
        assert js.set_multiplier(optimizer, 0.25) is optimizer
        update()
        cuts = 4 if name == "driven" else 1
        expected = S.at(1) / 4 / cuts
        assert float(js.learning_rate(optimizer)) == pytest.approx(expected, rel=1e-6)


def test_linen_train_states_are_read_and_steered():
    """A new `TrainState` comes back; its own step is left alone."""
    model = linen.Dense(2)
    params = model.init(jax.random.key(0), jnp.ones((1, 2), "float32"))
    state = TrainState.create(apply_fn=model.apply, params=params, tx=ours(S))
    for _ in range(3):
        state = state.apply_gradients(grads=params)
    assert float(js.learning_rate(state)) == pytest.approx(S.at(2), rel=1e-6)
    moved = js.set_multiplier(js.set_step_count(state, 9), 0.5)
    assert isinstance(moved, TrainState)
    assert (moved.step, js.step_count(moved)) == (3, 9)
    moved = moved.apply_gradients(grads=params)
    assert float(js.learning_rate(moved)) == pytest.approx(S.at(9) / 2, rel=1e-6)


REFUSED = [
    (lambda: js.learning_rate(optax.sgd(0.1).init(PARAMS)), "can use in the tuple"),
    (lambda: js.learning_rate(optax.sgd(0.1).init(PARAMS), S), "can use in the"),
    (lambda: js.learning_rate(optax.sgd(S).init(PARAMS), DRIVEN), "schedule must be a"),
    (
        lambda: js.learning_rate(HOLDERS["partition"][0].init(PARAMS), {"z": S}),
        r"no label 'z', only \['x', 'y'\]",
    ),
    (
        lambda: ours(DRIVEN).update(PARAMS, ours(S).init(PARAMS), value=1.0),
        "the state is that of another kind of schedule",
    ),
    (
        lambda: js.learning_rate(optax.adam(S).init(PARAMS)),
        r"found ScaleByScheduleState at opt_state\[1\]; .*learning_rate\(opt_state, sch",
    ),
    (
        lambda: js.learning_rate(optax.chain(ours(S), ours(S)).init(PARAMS)),
        r"State at opt_state\[0\], .*State at opt_state\[1\]; pass the part",
    ),
    (
        lambda: js.learning_rate(
            partitioned(optax.sgd(S), optax.sgd(S)).init(PARAMS), {"x": S}
        ),
        r"the schedule of the label 'y' is missing, got those of \['x'\]",
    ),
    (lambda: js.step_count(optax.sgd(0.1).init(PARAMS)), "nothing in it counts"),
    (
        lambda: js.learning_rate(
            flax.traverse_util.flatten_dict(
                flax.serialization.to_state_dict({"opt_state": ours(S).init(PARAMS)})
            )
        ),
        "in the dict; its keys are whole paths: turn it back",
    ),
    (
        lambda: js.step_count({"opt_state/count": 3, "opt_state/multiplier": 1.0}),
        "its keys are whole paths",
    ),
    (
        lambda: js.step_count(nnx.to_flat_state(nnx.State({"a": {"count": 3}}))),
        "in the FlatState; its keys are whole paths",
    ),
    (lambda: js.set_step_count(optax.adam(0.1).init(PARAMS), 3), "given a number"),
    (lambda: js.set_step_count(ours(S).init(PARAMS), -1), "count must be >= 0"),
    (lambda: js.set_step_count(ours(S).init(PARAMS), 1.5), "must be a whole number"),
    (
        lambda: js.set_multiplier(optax.adam(S).init(PARAMS), 0.5),
        "scale_by_learning_rate",
    ),
    (lambda: js.set_multiplier(ours(S).init(PARAMS), -0.5), "multiplier must be >= 0"),
    (lambda: js.set_multiplier(ours(S).init(PARAMS), "x"), "must be a number"),
    (
        lambda: js.set_multiplier(optax.chain(ours(S), ours(S)).init(PARAMS), 0.5),
        "pass the part of the state that you mean",
    ),
    (
        lambda: js.set_multiplier(HOLDERS["partition"][0].init(PARAMS), {"z": 0.5}),
        r"no label 'z', only \['x', 'y'\]",
    ),
    (lambda: js.set_trigger(ours(S).init(PARAMS)), "only js.cooldown_on_trigger"),
    (lambda: js.set_metric(ours(S).init(PARAMS), 1.0), "no schedule in it is driven"),
    (lambda: js.set_metric(ours(DRIVEN).init(PARAMS), "x"), "value must be a number"),
    (lambda: js.set_metric(ours(DRIVEN).init(PARAMS), True), "value must be a number"),
    (
        lambda: ours(S).update(PARAMS, optax.sgd(S).init(PARAMS)[1]),
        r"but a ScaleByScheduleState; .*set_step_count\(state, count, every=True\)",
    ),
    (
        lambda: scheduled(optax.adamw(1.0), S),
        "must be a function that makes one, .* got optimizer=",
    ),
    (lambda: scheduled(0.1, S), "optimizer must be a function, got optimizer=0.1"),
    (
        lambda: scheduled(optax.scale_by_adam, S),
        "learning_rate must be an argument of optimizer",
    ),
    (
        lambda: scheduled(optax.sgd, S, learning_rate=1.0),
        "learning_rate is given twice",
    ),
    (
        lambda: scheduled(optax.sgd, "x"),
        "schedule must be a schedule, .* got schedule='x'",
    ),
    (lambda: scheduled(optax.sgd, S, nestero=True), "unexpected keyword .*nestero"),
    (lambda: scheduled(optax.rprop, S), "reads its rate only once"),
    (
        lambda: scheduled(optax.inject_hyperparams(optax.sgd), S),
        "reads its rate only once",
    ),
    (
        lambda: scheduled(
            lambda learning_rate: optax.MultiSteps(
                optax.sgd(learning_rate), 2
            ).gradient_transformation(),
            S,
        ),
        "makes other updates with a schedule",
    ),
    (
        lambda: scheduled(
            lambda learning_rate: optax.transforms.conditionally_transform(
                optax.sgd(learning_rate), lambda step: step % 2 == 0
            ),
            S,
        ),
        "makes other updates with a schedule",
    ),
    (
        lambda: scheduled(optax.contrib.schedule_free_sgd, S),
        "evaluates its schedule at later steps too",
    ),
    (lambda: ours("x"), "learning_rate must be a schedule, .* got learning_rate='x'"),
    (lambda: ours(np.nan), "learning_rate must be finite"),
    (
        lambda: ours(DRIVEN).update(PARAMS, ours(DRIVEN).init(PARAMS)),
        "needs the metric",
    ),
]


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_errors_say_what_was_found_and_how_to_choose(call: Any, message: str):
    """Never a guess."""
    with pytest.raises((ValueError, TypeError), match=message):
        call()


CLIMBING = [
    lambda learning_rate: optax.chain(
        optax.adamw(1.0), optax.scale_by_learning_rate(learning_rate)
    ),
    lambda learning_rate: optax.chain(
        optax.sgd(learning_rate), ours(learning_rate, flip_sign=True)
    ),
]


@pytest.mark.parametrize("made", CLIMBING)
def test_a_chain_that_is_scaled_already_is_warned_of(made):
    """Two signs make none: nobody means to climb the loss."""
    with pytest.warns(UserWarning, match="go up the gradient, so the loss will rise"):
        scheduled(made, S)


@pytest.mark.parametrize("rate", [1.0, S])
def test_a_chain_that_is_scaled_once_is_not(rate):
    def made(learning_rate: Any) -> optax.GradientTransformation:
        parts = [optax.clip(1.0), optax.adamw(rate), optax.scale(learning_rate)]
        return optax.chain(*parts)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scheduled(made, S)
