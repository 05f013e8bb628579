"""What other libraries write and read: jax.export, Flax, Orbax, Equinox, pickle.

Each of them is given every kind of schedule, fresh and as a program left it.
"""

import importlib
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import chex
import cloudpickle
import flax.serialization as flax_serialization
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import users
from cases import CASES, ONE_OF_EACH, float_dtype, thorough
from driven import DRIVEN, IDS
from flax import linen, nnx, struct
from flax.training.train_state import TrainState
from jax import export

import jaxsched as js
from jaxsched import serialization
from jaxsched.domains.tables import Numbers
from jaxsched.rule.saved import read_structure, write_structure
from jaxsched.schedule.stacking import leading_axes

TESTS = Path(__file__).parent
COSINE = js.warmup(js.cosine(0.1, 0.0, steps=90), 10)

try:  # which `Exported.serialize` needs
    import flatbuffers  # noqa: F401
except ImportError:
    needs_flatbuffers: Any = pytest.mark.skip("there is no flatbuffers")
else:
    needs_flatbuffers = lambda test: test

# Of every kind, and hyperparameters of every kind: arrays, tables of arrays, stacks.
EACH = [c.schedule for c in ONE_OF_EACH]
ARRAYS = [
    js.constant(jnp.float32(0.5)),
    js.constant(jnp.bfloat16(0.5)),
    js.constant(np.array(0.5, np.float16)),
    js.linear(0.5, 0.0, steps=jnp.int32(8)),
    js.piecewise_linear(np.array([0, 5, 12], np.int32), jnp.array([0.0, 0.5, 0.125])),
    js.multistep(jnp.float32(0.5), [2, 7], factors=np.array([0.5, 0.25], np.float32)),
]
STACKED = [
    js.stack([COSINE, COSINE.replace(steps=20)]),
    js.stack([js.linear(jnp.float32(x), 0.0, steps=4) for x in (0.5, 0.25)]),
    js.stack([js.spline([0, 5, 9], [0.0, 0.5, x]) for x in (0.25, 0.125)]),
]
LONG = js.join([0.5, js.linear(0.5, 0.0, steps=2**40)], boundaries=[2**33])
ALL = [*(c.schedule for c in CASES), *users.SCHEDULES, *ARRAYS, *STACKED, *DRIVEN]


@jax.jit
def lived(schedule: Any) -> Any:
    """A schedule as it comes out of a program."""
    return schedule


def kinds(tree: Any) -> list[Any]:
    """What decides the dtype of a result: of each leaf the dtype and the weak type."""
    return [
        (jnp.result_type(x), x.weak_type) for x in map(_leaf, jax.tree.leaves(tree))
    ]


def _leaf(x: Any) -> Any:
    return jax.eval_shape(lambda: jnp.asarray(x))


def assert_same(one: Any, two: Any) -> None:
    """The same value, text, kind and result."""
    assert one == two
    assert repr(one) == repr(two)
    assert hash(one) == hash(two)
    assert jax.tree.structure(one) == jax.tree.structure(two)
    if isinstance(one, js.Schedule) and leading_axes("test", one) == ():
        with jax.numpy_dtype_promotion("standard"):  # not all users' rules are strict
            a, b = jax.eval_shape(one, 3), jax.eval_shape(two, 3)
        assert (a.dtype, a.weak_type) == (b.dtype, b.weak_type)


def in_another_process(code: str, *arguments: object) -> str:
    """What a program prints in a fresh interpreter beside these tests."""
    paths = [str(TESTS), str(TESTS.parent), *sys.path]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


# jax.export


def exported(function: Callable[..., Any], *args: Any) -> Any:
    return export.export(jax.jit(function))(*args)


def read_back(function: Callable[..., Any], *args: Any) -> Any:
    return export.deserialize(exported(function, *args).serialize())


@needs_flatbuffers
@pytest.mark.parametrize("form", ["fresh", "lived"])
def test_export_keeps_every_structure(form: str):
    """All kinds at once, as argument and as result."""
    given = ALL if form == "fresh" else [lived(schedule) for schedule in ALL]
    program = read_back(lambda schedules: schedules, given)
    again, structure = program.in_tree, jax.tree.structure(((given,), {}))
    assert again == structure
    assert program.out_tree == jax.tree.structure(given)
    [made], _ = jax.tree.unflatten(again, jax.tree.leaves(given))
    for one, other in zip(made, given, strict=True):
        assert jax.tree.structure(one) == jax.tree.structure(other)
        assert one._rule == other._rule
    assert [type(one) for one in made] == [type(one) for one in given]


RUN = """
import pickle, sys
import jax
import numpy as np
from jax import export
import jaxsched, users
folder = sys.argv[1]
program = export.deserialize(bytearray(open(folder + "/program", "rb").read()))
args = pickle.load(open(folder + "/args", "rb"))
leaves = jax.tree.leaves(program.call(*args))
np.savez(folder + "/results", *[np.asarray(x, np.float64) for x in leaves])
"""


def assert_runs_elsewhere(folder: Path, function: Any, *args: Any) -> None:
    """Another process reads the program and computes the same."""
    (folder / "program").write_bytes(exported(function, *args).serialize())
    (folder / "args").write_bytes(pickle.dumps(args))
    in_another_process(RUN, folder)
    found = np.load(folder / "results.npz")
    expected = jax.tree.leaves(jax.jit(function)(*args))
    assert len(found.files) == len(expected)
    for name, value in zip(found.files, expected, strict=True):
        np.testing.assert_allclose(found[name], np.asarray(value, float), rtol=1e-6)


@needs_flatbuffers
@pytest.mark.parametrize(
    "which", ["a few", pytest.param("one of each", marks=pytest.mark.slow)]
)
def test_another_process_runs_exported_schedules(which: str, tmp_path: Path):
    """With the schedules as arguments, a user's among them."""
    few = [COSINE, *ARRAYS, lived(COSINE), users.SCHEDULES[-1], js.noise(0.5, 0.25, 1)]
    each = [*EACH, *users.SCHEDULES]
    values = lambda schedules, step: [schedule(step) for schedule in schedules]
    # An exported program has strong types only, which a user's rule may not mix.
    with jax.numpy_dtype_promotion("standard"):
        assert_runs_elsewhere(tmp_path, values, few if which == "a few" else each, 7)


@needs_flatbuffers
@pytest.mark.slow
def test_another_process_runs_exported_training(tmp_path: Path):
    """Metric-driven schedules, their states and those of optimizers come back."""

    def run(machines: Any, states: Any, params: Any, loss: Any) -> Any:
        after = []
        for driven, state in zip(machines, states, strict=True):
            optimizer = js.scale_by_learning_rate(driven)
            updates, state = optimizer.update(params, state, params, value=loss)
            after.append((updates, state, js.learning_rate(state)))
        return after

    params = jnp.ones(2, float_dtype())
    machines = [COSINE, *DRIVEN]
    states = [js.scale_by_learning_rate(driven).init(params) for driven in machines]
    assert_runs_elsewhere(tmp_path, run, machines, states, params, 3.0)


def tuples_in(tree: Any) -> set[type]:
    """The tuples with names in a tree."""
    found: set[type] = set()

    def look(node: Any) -> bool:
        if hasattr(node, "_fields"):
            found.add(type(node))
        return False

    jax.tree.leaves(tree, is_leaf=look)
    return found


@needs_flatbuffers
@pytest.mark.parametrize("driven", DRIVEN, ids=IDS)
def test_export_knows_every_state_of_ours(driven: js.MetricDriven):
    """Without types of Optax, which does not tell JAX of its own."""
    state = js.scale_by_learning_rate(driven).init(jnp.ones(2))
    assert {kind.__module__.split(".")[0] for kind in tuples_in(state)} == {"jaxsched"}
    assert read_back(lambda state: state, state).out_tree == jax.tree.structure(state)


@needs_flatbuffers
def test_export_takes_the_arguments_that_it_was_made_for():
    """New numbers run through it; another static argument is another structure."""
    program = read_back(lambda s, step: s(step), js.step_decay(0.5, 0.5, every=4), 0)
    assert float(program.call(js.step_decay(2.0, 0.5, every=2), 4)) == 0.5
    decay = js.exponential_decay(0.5, 0.5, 4, staircase=True)
    program = read_back(lambda s, step: s(step), decay, 0)
    with pytest.raises(ValueError, match="tree"):
        program.call(decay.replace(staircase=False), 4)


def captures(n: int) -> Any:
    @js.schedule
    def scaled(step, value: js.Value):
        return value * n

    return scaled(0.5)


class Pairs(js.OneOf):
    """Choices that JSON makes lists of."""


@js.schedule
def paired(step, value: js.Value, pair: Annotated[Any, Pairs((1, 2), "none")] = "none"):
    """Its static choice may be a tuple."""
    return value


@needs_flatbuffers
@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (
            js.as_schedule(lambda t: jnp.asarray(0.5)),
            "call .*: function is not data, got",
        ),
        (js.warmup(lambda t: jnp.asarray(0.5), 3), "call .* close over the schedule"),
        (js.retime(0.5, lambda t: t // 2), "the callable .*: it is not data, got"),
        (captures(3), "scaled .*: it uses variables of the function around it: n;"),
        (paired(0.5, (1, 2)), "paired .*: pair must be one of"),
    ],
    ids=["callable", "inside", "clock", "captured", "no data"],
)
def test_export_says_what_cannot_be_read_elsewhere(schedule: Any, message: str):
    """And what works instead."""
    with pytest.raises(ValueError, match=f"jax.export: {message}"):
        exported(lambda s, step: s(step), schedule, 3).serialize()
    program = read_back(lambda step: schedule(step), 3)
    np.testing.assert_allclose(program.call(3), schedule(3), rtol=1e-6)


@needs_flatbuffers
def test_static_choices_of_a_user_are_written():
    """As data, whatever domain they are of."""
    schedule = paired(0.5, "none")
    assert read_back(lambda s: s, schedule).out_tree == jax.tree.structure(schedule)


@needs_flatbuffers
def test_export_says_what_to_import(tmp_path: Path):
    """Where the rule of a user is not known, or was changed."""
    (tmp_path / "program").write_bytes(
        exported(lambda s, step: s(step), users.SCHEDULES[0], 3).serialize()
    )
    code = """
import sys
from jax import export
import jaxsched
try:
    export.deserialize(bytearray(open(sys.argv[1], "rb").read()))
except ValueError as error:
    print(error)
"""
    said = in_another_process(code, tmp_path / "program")
    assert "the schedule cubic of users" in said
    assert "import users before it is deserialized" in said
    structure = write_structure(jax.tree.structure(COSINE).node_data()[1])
    other = json.dumps({**json.loads(structure), "static": {"bend": True}})
    with pytest.raises(ValueError, match="another version"):
        read_structure(other.encode())


@needs_flatbuffers
def test_optax_states_are_exported_once_jax_is_told_of_them(tmp_path: Path):
    """As the page on training says; a state of ours holds them."""
    code = """
import jax, optax
import jax.numpy as jnp
import jaxsched as js
from jax import export
optimizer = js.with_schedule(optax.adamw, js.cosine(0.1, 0.0, 100))
params = jnp.ones(2)
state = optimizer.init(params)
for kind in (optax.ScaleByAdamState, optax.EmptyState):
    export.register_namedtuple_serialization(kind, serialized_name=kind.__name__)
step = jax.jit(optimizer.update)
program = export.deserialize(export.export(step)(params, state, params).serialize())
after = program.call(params, state, params)[1]
print(type(after).__name__, int(js.step_count(after)))
"""
    assert in_another_process(code).split() == ["ScheduledState", "1"]


# flax.serialization


@pytest.mark.parametrize("form", ["fresh", "lived"])
def test_flax_saves_every_schedule(form: str):
    """Into another of its kind: values, dtypes, weak types and equality."""
    for original in [*ALL, LONG]:
        if form == "lived" and original is LONG:
            continue  # without x64 it is another schedule
        schedule = original if form == "fresh" else lived(original)
        target = jax.tree.map(lambda x: x * 0, original)
        again = flax_serialization.from_bytes(
            target, flax_serialization.to_bytes(schedule)
        )
        assert_same(again, schedule if form == "fresh" else lived(original))
        state = flax_serialization.to_state_dict(schedule)
        assert_same(flax_serialization.from_state_dict(original, state), schedule)
        assert_same(flax_serialization.from_state_dict(schedule, state), schedule)


def test_a_state_of_flax_names_the_numbers():
    """Python numbers, nested; None and shapes keep their place."""
    schedule = js.join([COSINE, js.multistep(0.5, [2, 7], 0.5)], [100])
    state = flax_serialization.to_state_dict(lived(schedule))
    chex.assert_trees_all_equal(
        state,
        {
            "schedules": {
                "0": {
                    "schedule": {
                        "init_value": 0.1,
                        "end_value": 0.0,
                        "steps": 90,
                        "power": 1.0,
                        "time_power": 1.0,
                    },
                    "steps": 10,
                    "init_value": None,
                    "shape": {},
                },
                "1": {
                    "init_value": 0.5,
                    "boundaries": np.array([2, 7]),
                    "factor": 0.5,
                    "factors": None,
                },
            },
            "boundaries": np.array([100]),
        },
    )
    assert state["boundaries"].dtype == np.int64


def test_flax_restores_what_the_state_says():
    """Static arguments are the target's; other names are refused."""
    decay = js.exponential_decay(0.5, 0.25, 4, staircase=True)
    state = flax_serialization.to_state_dict(decay)
    again = flax_serialization.from_state_dict(
        js.exponential_decay(1.0, 1.0, 1, staircase=False), state
    )
    assert again == decay.replace(staircase=False)
    message = "linear: the state must hold .*'steps'.*, got .*'factor'"
    with pytest.raises(ValueError, match=message):
        flax_serialization.from_state_dict(js.linear(1.0, 0.0, 4), state)
    clock = js.retime(0.5, lambda t: t // 2)
    target = clock.replace(schedule=0.25)
    state = flax_serialization.to_bytes(clock)
    assert flax_serialization.from_bytes(target, state) == clock
    del (without := flax_serialization.to_state_dict(COSINE))["shape"]
    assert flax_serialization.from_state_dict(COSINE, without) == COSINE


def test_what_flax_restored_is_its_own():
    """A change of the state afterwards does not reach the schedule."""
    table = js.multistep(0.5, [2, 7], factors=np.array([0.5, 0.25], np.float32))
    state = flax_serialization.to_state_dict(table)
    own = lambda x: np.array(x) if isinstance(x, np.ndarray) else x
    state = jax.tree.map(own, state)
    again = flax_serialization.from_state_dict(table, state)
    state["boundaries"][0], state["factors"][0] = 5, 9.0
    assert again == table


class HoldsOne(TrainState):
    schedule: Any


@struct.dataclass
class Settings:
    schedule: Any
    weight: Any


def test_flax_saves_what_holds_a_schedule():
    """A Linen TrainState with our optimizer, and a struct."""
    model = linen.Dense(2)
    params = model.init(jax.random.key(0), jnp.ones((1, 2), "float32"))
    driven = js.reduce_on_plateau(COSINE, 0.5, 1)

    def state(schedule: Any, driven: Any) -> Any:
        optimizer = js.with_schedule(optax.adam, driven)
        return HoldsOne.create(
            apply_fn=model.apply, params=params, tx=optimizer, schedule=schedule
        )

    one, other = state(COSINE, driven), state(COSINE.replace(steps=3), driven)
    one = one.replace(opt_state=js.set_multiplier(one.opt_state, 0.25))
    again = flax_serialization.from_bytes(other, flax_serialization.to_bytes(one))
    assert again.schedule == COSINE
    chex.assert_trees_all_equal(again.opt_state, one.opt_state)
    settings = Settings(driven, js.constant(0.5))
    data = flax_serialization.to_bytes(settings)
    with pytest.raises(
        ValueError, match=r"must hold .* a schedule of the kind that was"
    ):
        flax_serialization.from_bytes(Settings(driven, 0.1 * COSINE), data)
    assert flax_serialization.from_bytes(settings, data) == settings


def test_flax_state_dicts_of_traced_schedules():
    """Inside a program too."""

    @jax.jit
    def twice(schedule: Any) -> Any:
        state = flax_serialization.to_state_dict(schedule)
        return flax_serialization.from_state_dict(schedule, state)

    for schedule in (COSINE, ARRAYS[-1], STACKED[0]):
        assert twice(schedule) == lived(schedule)


ORDERS = {
    "flax first": "import flax.serialization; import jaxsched as js",
    "jaxsched first": "import jaxsched as js; import flax.serialization",
    "all of flax later": "import jaxsched as js; from flax import linen, nnx",
    "looked for before": """
import importlib.util
import jaxsched as js
spec = importlib.util.find_spec("flax.serialization")
import flax.serialization
""",
    "a failed import before": """
import sys
import jaxsched as js
sys.modules["msgpack"] = None
try:
    import flax.serialization
except ImportError:
    del sys.modules["msgpack"]
""",
}


@pytest.mark.parametrize("order", thorough(ORDERS, [*ORDERS][::2]))
def test_flax_may_come_before_or_after(order: str):
    """Nobody sees how: the module is as if it had been imported without us."""
    code = f"""
{ORDERS[order]}
import sys
import flax.serialization as flax
schedule = js.cosine(0.1, 0.0, 100)
assert flax.from_bytes(2 * schedule, flax.to_bytes(2 * schedule)) == 2 * schedule
assert type(flax.__loader__).__module__ == "_frozen_importlib_external"
assert flax.__spec__.loader is flax.__loader__
from jaxsched import serialization
assert "flax.serialization" not in serialization._waiting
import importlib
importlib.reload(flax)
print("done")
"""
    assert in_another_process(code).split() == ["done"]


def test_waiting_for_a_module_leaves_imports_as_they_are(tmp_path, monkeypatch):
    """What is not there is not found; an error of a module is its own."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "broken_once.py").write_text("import sys\nsys.broken\nx = 1\n")
    seen: list[Any] = []
    serialization.when_imported("not_there_at_all", seen.append)
    serialization.when_imported("broken_once", seen.append)
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("not_there_at_all")
    with pytest.raises(AttributeError):
        importlib.import_module("broken_once")
    monkeypatch.setattr(sys, "broken", True, raising=False)
    assert seen == []
    module = importlib.import_module("broken_once")
    assert seen == [module]
    assert importlib.import_module("broken_once") is module
    serialization.when_imported("broken_once", seen.append)
    assert seen == [module, module]
    del sys.modules["broken_once"]
    serialization._waiting.pop("not_there_at_all")


# Orbax


def orbax_round_trip(folder: Path, tree: Any, template: Any) -> Any:
    import orbax.checkpoint as ocp

    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(folder / "checkpoint", tree)
        checkpointer.wait_until_finished()
        return checkpointer.restore(folder / "checkpoint", template)


SAVED = [*EACH, *users.SCHEDULES, *ARRAYS, *STACKED, *DRIVEN]


def test_orbax_saves_fresh_schedules(tmp_path: Path):
    """As part of a tree, and as template: they come back as they were."""
    # Orbax takes no array without entries, as the table of a single value has them.
    saved = [s for s in SAVED if all(np.size(x) for x in jax.tree.leaves(s))]
    tree = {"schedules": saved, "weight": jnp.ones(2)}
    again = orbax_round_trip(tmp_path, tree, tree)["schedules"]
    for one, other in zip(again, saved, strict=True):
        assert_same(one, other)


def test_orbax_forgets_weak_types_which_text_keeps(tmp_path: Path):
    """What a program made of Python numbers comes back as arrays that were chosen.

    As text, or as data, a schedule is saved as what it is.
    """
    schedule = lived(COSINE)
    again = orbax_round_trip(tmp_path, schedule, schedule)
    np.testing.assert_array_equal(again(7), schedule(7))
    assert schedule(7).weak_type
    assert not again(7).weak_type
    settled = js.from_dict(js.to_dict(schedule))
    assert_same(settled, COSINE)
    assert_same(orbax_round_trip(tmp_path / "settled", settled, settled), schedule)


# Equinox


def test_equinox_saves_leaves(tmp_path: Path):
    """As Orbax does: Python numbers stay, weak arrays become arrays that were chosen."""
    eqx = pytest.importorskip("equinox")
    path = tmp_path / "leaves.eqx"

    class Model(eqx.Module):
        weight: Any
        schedules: Any

    model = Model(jnp.ones(2), SAVED)
    eqx.tree_serialise_leaves(path, model)
    again = eqx.tree_deserialise_leaves(path, jax.tree.map(lambda x: x * 0, model))
    for one, other in zip(again.schedules, SAVED, strict=True):
        assert_same(one, other)
    schedule = lived(COSINE)
    eqx.tree_serialise_leaves(path, schedule)
    again = eqx.tree_deserialise_leaves(path, schedule)
    np.testing.assert_array_equal(again(7), schedule(7))
    assert not again(7).weak_type
    arrays, rest = eqx.partition((COSINE, schedule), eqx.is_array)
    assert eqx.combine(arrays, rest) == (COSINE, COSINE)


# Flax NNX


class Module(nnx.Module):
    """Holds a schedule as data: its numbers are part of the module's state."""

    def __init__(self, schedule: Any):
        self.weight = nnx.Param(jnp.ones(2))
        self.schedule = nnx.data(schedule) if hasattr(nnx, "data") else schedule


@pytest.mark.parametrize("form", ["fresh", "lived"])
def test_nnx_splits_and_merges_a_module_with_a_schedule(form: str):
    """And clones it."""
    for schedule in SAVED if form == "fresh" else map(lived, SAVED):
        structure, state = nnx.split(Module(schedule))
        assert_same(nnx.merge(structure, state).schedule, schedule)
        assert_same(nnx.clone(Module(schedule)).schedule, schedule)


@pytest.mark.parametrize("form", ["fresh", "lived"])
def test_nnx_updates_a_variable_with_a_schedule(form: str):
    """Flax changes numbers in place, so a schedule that changes is in a variable."""
    for schedule in SAVED if form == "fresh" else map(lived, SAVED):
        module = Module(nnx.Variable(schedule))
        other = Module(nnx.Variable(js.constant(0.25)))
        nnx.update(other, nnx.state(module))
        variable = other.schedule
        read = getattr(type(variable), "get_raw_value", lambda v: v.raw_value)
        assert_same(read(variable), schedule)


def test_nnx_runs_a_module_with_a_schedule():
    """As data and inside a variable."""
    run = nnx.jit(lambda module, step: module.schedule(step))
    value = run(Module(COSINE), 7)
    np.testing.assert_allclose(value, COSINE(7), rtol=1e-6)
    assert value.weak_type == COSINE(7).weak_type


# pickle


PICKLED = """
import pickle, sys
sys.path.insert(0, sys.argv[2])
loaded = pickle.load(open(sys.argv[1] + "/there", "rb"))
pickle.dump(loaded, open(sys.argv[1] + "/back", "wb"))
print(len(loaded))
"""


@pytest.mark.parametrize("library", [pickle, cloudpickle])
def test_pickles_go_to_another_process_and_back(library: Any, tmp_path: Path):
    """Fresh and lived ones, and the states of optimizers."""
    given = [*SAVED, *map(lived, SAVED), LONG]
    states = [js.scale_by_learning_rate(driven).init(None) for driven in DRIVEN]
    (tmp_path / "there").write_bytes(library.dumps([*given, *states]))
    count = in_another_process(PICKLED, tmp_path, TESTS)
    assert int(count) == len(given) + len(states)
    again = pickle.loads((tmp_path / "back").read_bytes())
    for one, other in zip(again, given, strict=False):
        assert_same(one, other)
        assert kinds(one) == kinds(other)
    chex.assert_trees_all_equal(again[len(given) :], states)


def test_tables_are_registered_as_such():
    """A table is a node of its own, also outside of a schedule."""
    table = Numbers(np.array([1.0, 2.0]))
    state = flax_serialization.to_bytes({"table": table})
    assert flax_serialization.from_bytes({"table": table}, state) == {"table": table}
