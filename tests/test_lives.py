"""Schedules that have lived: what went through programs is written as what it is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import orbax.checkpoint as ocp
import pytest
from cases import CASES, IDS, thorough
from driven import DRIVEN, IDS as DRIVEN_IDS
from users import SCHEDULES

import jaxsched as js

ALL = {
    **{name: c.schedule for name, c in zip(IDS, CASES, strict=True)},
    **{f"{i}-user's {s._rule.name}": s for i, s in enumerate(SCHEDULES)},
    **dict(zip(DRIVEN_IDS, DRIVEN, strict=True)),
}
# One of each kind, and of few lives; the slow run takes all of them.
USUAL = list({(type(s), s._rule): name for name, s in ALL.items()}.values())
USUAL_LIVES = ["jit", "got again", "gradient in jit", "bfloat16"]


def own(s: Any) -> Any:
    """A copy whose arrays may be donated."""
    return jax.tree.map(lambda x: x.copy() if isinstance(x, jax.Array) else x, s)


def is_float(x: Any) -> bool:
    return jnp.issubdtype(jnp.result_type(x), jnp.floating)


def stepped(s: Any) -> Any:
    """After an update by gradients, so small that all stay in their domains."""
    grads = jax.tree.map(lambda x: 1e-9 * x if is_float(x) else 0 * x, s)
    return jax.tree.map(lambda x, g: x - 0.125 * g if is_float(x) else x, s, grads)


def optimized(s: Any) -> Any:
    """After an update by Optax, which makes arrays of their own dtype of all leaves."""
    updates = jax.tree.map(jnp.zeros_like, s)
    return optax.apply_updates(s, updates)


LIVES: dict[str, Callable[[Any], Any]] = {
    "new": lambda s: s,
    "jit": lambda s: jax.jit(lambda s: s)(s),
    "donated": lambda s: jax.jit(lambda s: s, donate_argnums=0)(own(s)),
    "put": lambda s: jax.device_put(own(s)),
    "got": lambda s: jax.device_get(jax.device_put(own(s))),
    "got again": lambda s: jax.device_get(jax.jit(lambda s: s)(s)),
    "gradient": stepped,
    "gradient in jit": lambda s: jax.jit(stepped)(s),
    "scan": lambda s: jax.lax.scan(lambda s, _: (s, None), s, length=1)[0],
    "optax": optimized,
    "unstacked": lambda s: js.unstack(js.stack([s, s]))[1],
    "vmap": lambda s: js.unstack(jax.jit(jax.vmap(lambda s: s))(js.stack([s, s])))[0],
    "bfloat16": lambda s: jax.tree.map(
        lambda x: jnp.asarray(x, jnp.bfloat16) if is_float(x) else x, s
    ),
}
# Those after which numbers are what they were: they leave the dtype of a result open.
OPEN = [
    "new",
    "jit",
    "donated",
    "put",
    "gradient",
    "gradient in jit",
    "scan",
    "unstacked",
]


def is_data(s: Any) -> bool:
    return "<" not in repr(s)


def is_open(s: Any) -> bool:
    """Whether a result takes the dtype of what it is multiplied with."""
    with jax.numpy_dtype_promotion("standard"):  # as users run their own rules
        return jax.eval_shape(lambda: s(3)).weak_type


def read_back(s: Any) -> list[Any]:
    """From its text, from its data, and from JSON."""
    data = js.to_dict(s)
    return [
        js.parse(repr(s)),
        js.from_dict(data),
        js.from_dict(json.loads(json.dumps(data))),
    ]


def test_the_tables_hold_what_could_differ():
    """Both kinds of schedules; tables, arrays and numbers in them."""
    leaves = [x for s in ALL.values() for x in jax.tree.leaves(s)]
    assert {int, float, np.ndarray} < set(map(type, leaves))
    assert any(isinstance(x, jax.Array) for x in leaves)
    assert {type(s) for s in ALL.values()} == {js.Schedule, js.MetricDriven}
    assert {*OPEN, *USUAL_LIVES} < set(LIVES)


@pytest.mark.parametrize("life", thorough(LIVES, USUAL_LIVES))
@pytest.mark.parametrize("name", thorough(ALL, USUAL))
def test_what_has_lived_is_written_as_what_it_is(name, life):
    """Its text and its data are equal to it; numbers are still numbers."""
    s = ALL[name]
    if not is_data(s):
        pytest.skip("holds a callable, which has no text")
    lived = LIVES[life](s)
    read = read_back(lived)
    for again in read:
        assert again == lived
        assert lived == again
        assert hash(again) == hash(lived)
        assert repr(again) == repr(lived)
    if life in OPEN:
        assert repr(lived).count("array(") == repr(s).count("array(")
        numbers = [x for x in jax.tree.leaves(s) if type(x) in (int, float)]
        found = [x for x in jax.tree.leaves(read[0]) if type(x) in (int, float)]
        assert list(map(type, found)) == list(map(type, numbers))
    if isinstance(s, js.Schedule):
        assert {is_open(again) for again in read} == {is_open(lived)}
        assert life not in OPEN or is_open(lived) == is_open(s)


TEXTS = [
    "cosine(0.1, 0.0, 10)",
    "warmup_cosine(0.1, total_steps=10, warmup_steps=2)",
    "multistep(0.1, [3, 6], factors=[0.5, 0.25])",
    "spline([0, 5, 9], [0.0, 0.1, 0.05])",
    "join([0.1, linear(0.1, 0.0, 5)], [3])",
]


def by_hand(s: Any) -> Callable[[Any], Any]:
    """One update as people write it."""
    return lambda weights: weights - s(3) * weights


def by_optax(s: Any) -> Callable[[Any], Any]:
    """Updates of SGD in a loop, which has no room for other dtypes."""
    optimizer = optax.sgd(s)

    def update(carry, _):
        weights, state = carry
        updates, state = optimizer.update(weights, state, weights)
        return (optax.apply_updates(weights, updates), state), None

    def train(weights):
        carry = (weights, optimizer.init(weights))
        return jax.lax.scan(update, carry, length=2)[0][0]

    return train


@pytest.mark.parametrize("life", OPEN)
@pytest.mark.parametrize("text", TEXTS)
def test_weights_of_few_bits_stay_so(text, life):
    """In an update of one's own and in Optax's, before and after it is read back."""
    lived = LIVES[life](js.parse(text))
    weights = jax.ShapeDtypeStruct((3,), jnp.bfloat16)
    for s in (lived, *read_back(lived)):
        for update in (by_hand(s), by_optax(s)):
            assert jax.eval_shape(update, weights).dtype == jnp.bfloat16


# ----- checkpoints -----


def saved(s: Any, folder: Path, template: Any) -> Any:
    """What Orbax restores of a schedule."""
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(folder / "checkpoint", s)
        checkpointer.wait_until_finished()
        return checkpointer.restore(folder / "checkpoint", template)


@pytest.mark.parametrize("text", TEXTS)
def test_a_checkpoint_of_numbers_holds_numbers(text, tmp_path):
    """Orbax gives back the kinds of the template: a new schedule has Python numbers."""
    s = js.parse(text)
    template = jax.tree.map(lambda x: 0 * x, s)
    assert saved(s, tmp_path, template) == s


@pytest.mark.parametrize("text", TEXTS)
def test_a_checkpoint_of_arrays_reads_back(text, tmp_path):
    """With numbers as a template they are numbers again, to the digits that arrays had."""
    s = js.parse(text)
    lived = LIVES["jit"](s)
    restored = saved(lived, tmp_path, s)
    assert is_open(restored)
    for x, y in zip(jax.tree.leaves(restored), jax.tree.leaves(s), strict=True):
        np.testing.assert_allclose(np.asarray(x), np.asarray(y), rtol=1e-7)
    assert {again == restored for again in read_back(restored)} == {True}


@pytest.mark.parametrize("text", TEXTS)
def test_a_checkpoint_without_numbers_is_written_as_arrays(text, tmp_path):
    """Orbax forgets that arrays were weak: what it restores is what is written."""
    lived = LIVES["jit"](js.parse(text))
    restored = saved(lived, tmp_path, lived)
    for again in read_back(restored):
        assert again == restored
        assert is_open(again) == is_open(restored)


@pytest.mark.parametrize("life", ["new", "jit", "gradient"])
@pytest.mark.parametrize("text", TEXTS)
def test_data_beside_a_checkpoint_keeps_all(text, life, tmp_path):
    """As JSON: whatever it has been through, it is the schedule that was saved."""
    lived = LIVES[life](js.parse(text))
    with ocp.CheckpointManager(tmp_path) as manager:
        args = ocp.args.Composite(schedule=ocp.args.JsonSave(js.to_dict(lived)))
        manager.save(0, args=args)
        manager.wait_until_finished()
        args = ocp.args.Composite(schedule=ocp.args.JsonRestore())
        assert js.from_dict(manager.restore(0, args=args).schedule) == lived
