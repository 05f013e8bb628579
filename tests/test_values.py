"""A schedule is a value: a pytree, printed, compared, copied, written and read."""

import copy
import inspect
import json
import math
import operator
import pickle

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import yaml
from cases import CASES, IDS, Case

import jaxsched as js

every_case = pytest.mark.parametrize("c", CASES, ids=IDS)


@every_case
def test_flatten_and_unflatten(c: Case):
    s = c.schedule
    leaves, tree = jax.tree.flatten(s)
    assert jax.tree.unflatten(tree, leaves) == s
    assert all(isinstance(x, (int, float, np.ndarray)) for x in leaves)
    # Unflattening never checks, whatever JAX or a user puts in the place of a leaf.
    sentinel = object()
    marked = jax.tree.map(lambda _: sentinel, s)
    assert all(x is sentinel for x in jax.tree.leaves(marked))
    assert jax.tree.structure(marked) == tree
    paths = [jax.tree_util.keystr(p) for p, _ in jax.tree_util.tree_leaves_with_path(s)]
    assert len(set(paths)) == len(leaves)


@every_case
def test_what_was_unflattened_is_computed_without_a_check(c: Case):
    """A gradient step may leave a domain: that gives numbers, or NaN, and no error."""
    negative = lambda x: jnp.asarray(-1 - abs(x)) if np.ndim(x) == 0 else x
    jax.make_jaxpr(jax.tree.map(negative, c.schedule))(3)


@every_case
def test_equal_hash_copy_pickle(c: Case):
    s, twin = c.schedule, c.make(**c.kwargs)
    for other in (twin, copy.copy(s), copy.deepcopy(s), pickle.loads(pickle.dumps(s))):
        assert other == s
        assert hash(other) == hash(s)
        assert jax.tree.structure(other) == jax.tree.structure(s)
    assert s != js.constant(123.0)
    assert s != 0.5


@every_case
def test_text_and_data_round_trips(c: Case):
    s = c.schedule
    assert eval(repr(s), vars(js).copy()) == s
    assert js.parse(repr(s)) == s
    assert js.from_dict(js.to_dict(s)) == s
    assert js.from_dict(json.loads(json.dumps(js.to_dict(s)))) == s
    assert js.from_dict(yaml.safe_load(yaml.safe_dump(js.to_dict(s)))) == s


def test_repr_is_the_constructor_call():
    assert repr(js.cosine(3e-4, 0.0, steps=10_000)) == (
        "cosine(init_value=0.0003, end_value=0.0, steps=10000)"
    )
    s = js.warmup(js.polynomial(1, 0, 9, power=2), 5, shape="cosine", overlap=True)
    assert repr(s) == (
        "warmup(schedule=polynomial(init_value=1.0, end_value=0.0, steps=9, power=2.0), "
        "steps=5, shape='cosine', overlap=True)"
    )


def test_different_hyperparameters_are_unequal():
    assert js.constant(0.1) != js.constant(0.2)
    assert js.linear(0.1, 0.0, 10) != js.cosine(0.1, 0.0, 10)
    # A float length is another kind of time, and another program.
    assert js.linear(0.1, 0.0, 10) != js.linear(0.1, 0.0, 10.0)
    assert js.warmup(0.1, 5) != js.warmup(0.1, 5, overlap=True)
    assert js.constant(1) == js.constant(1.0)
    # Zeros of two signs are equal numbers, but divide into two infinities.
    for kind in (float, jnp.float32):
        assert js.constant(kind(0.0)) != js.constant(kind(-0.0))
        assert js.constant(kind(-0.0)) == js.constant(kind(-0.0))


def test_arrays_are_hyperparameters_too():
    s = js.constant(jnp.float32(0.1))
    assert repr(s) == "constant(value=array(0.1, dtype='float32'))"
    assert js.parse(repr(s)) == s
    assert js.from_dict(js.to_dict(s)) == s
    assert s != js.constant(0.1)
    assert hash(s) == hash(js.constant(jnp.float32(0.1)))
    chex.assert_type(s(3), jnp.float32)
    assert not s(3).weak_type
    chex.assert_trees_all_equal(jax.jit(s)(3), s(3))
    assert js.constant(jnp.bfloat16(0.5))(3).dtype == jnp.bfloat16


def test_weakly_typed_arrays_are_python_numbers():
    """They leave the dtype open, so they are another program than strong ones."""
    strong, weak = js.constant(jnp.float32(1)), js.constant(jnp.asarray(1.0))
    assert strong != weak == js.constant(1.0)
    assert not jax.jit(strong)(0).weak_type
    assert jax.jit(weak)(0).weak_type


def test_narrow_integer_arrays_do_not_wrap():
    values = np.array([200, 100, 0], np.uint8)
    assert js.spline([0, 10, 20], values).at(5) == 150.0
    assert (
        js.multistep(1.0, [1, 2], factors=np.array([16, 16], np.uint8)).at(5) == 256.0
    )
    parts = [np.array(n, np.uint8) for n in (250, 100, 200)]
    with pytest.raises(
        ValueError, match=r"wsd: warmup_steps \+ decay_steps must be <="
    ):
        js.wsd(1.0, *parts)
    with pytest.raises(ValueError, match="warmup_cosine: warmup_steps must be <="):
        js.warmup_cosine(1.0, np.array(100, np.uint32), np.array(200, np.uint32))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_pickle_protocol(protocol: int):
    s = js.join([js.piecewise_constant([3], [1.0, 0.5]), math.sqrt], [10])
    assert pickle.loads(pickle.dumps(s, protocol)) == s


def test_at_inside_a_trace_is_still_a_number():
    s = js.cosine(1.0, 0.0, steps=10)
    seen = []
    jax.jit(lambda x: seen.append(s.at(5)) or x)(1.0)
    assert [type(value) for value in seen] == [float]
    assert seen == [pytest.approx(0.5)]


def test_annotations_as_text():
    """As `from __future__ import annotations` leaves them; others need not resolve."""

    def textual_rule(step, value):
        return value

    textual_rule.__annotations__ = {"step": "Missing", "value": "js.Value"}
    assert js.schedule(textual_rule)(0.5).at(3) == 0.5


def test_arrays_cannot_be_changed_from_outside():
    values = np.array([1.0, 0.5])
    s = js.piecewise_constant([10], values)
    values[:] = 7.0
    assert s.at(0) == 1.0
    with pytest.raises(ValueError, match="read-only"):
        s.values[0] = 7.0


def test_immutable():
    s = js.constant(0.1)
    with pytest.raises(AttributeError, match=r"use replace\(value="):
        s.value = 0.2
    with pytest.raises(AttributeError):
        del s.value
    with pytest.raises(AttributeError, match="no attribute 'steps'"):
        _ = s.steps


def test_replace_is_checked():
    s = js.linear(0.1, 0.0, steps=10)
    assert s.replace(steps=20) == js.linear(0.1, 0.0, steps=20)
    with pytest.raises(ValueError, match="linear: steps must be >= 0, got steps=-1"):
        s.replace(steps=-1)


@pytest.mark.parametrize(
    ("build", "function"),
    [
        (lambda s: s + 2, lambda v: v + 2),
        (lambda s: 2 + s, lambda v: 2 + v),
        (lambda s: s - 2, lambda v: v - 2),
        (lambda s: 2 - s, lambda v: 2 - v),
        (lambda s: s * 2, lambda v: v * 2),
        (lambda s: 2 * s, lambda v: 2 * v),
        (lambda s: s / 10, lambda v: v / 10),
        (lambda s: 10 / s, lambda v: 10 / v),
        (lambda s: -s, lambda v: -v),
        (lambda s: s * s, lambda v: v * v),
        (lambda s: np.float32(2) * s, lambda v: 2 * v),
        (lambda s: jnp.float32(2) * s, lambda v: 2 * v),
        (lambda s: s + jnp.sqrt, lambda v: v + np.sqrt(4)),
        (lambda s: sum([s, s]), lambda v: 2 * v),
    ],
)
def test_operators(build, function):
    """Ordinary schedules with a repr, whatever stands on the other side."""
    s = js.linear(1.0, 0.5, steps=8)
    made = build(s)
    assert isinstance(made, js.Schedule)
    assert made.at(4) == pytest.approx(function(0.75), rel=1e-6)
    if "<" not in repr(made):  # a callable has no text
        assert eval(repr(made), vars(js)) == js.parse(repr(made)) == made


@pytest.mark.parametrize("operation", [operator.add, operator.mul, operator.truediv])
def test_operators_refuse_other_things(operation):
    with pytest.raises(TypeError, match="must be a schedule, a number or a callable"):
        operation(js.constant(1.0), "x")


def test_constructors_look_like_their_rules():
    signature = inspect.signature(js.cosine)
    assert list(signature.parameters) == [
        "init_value",
        "end_value",
        "steps",
        "power",
        "time_power",
    ]
    assert js.cosine.__name__ == "cosine"
    assert js.cosine.__module__ == "jaxsched.transitions"
    assert "cosine wave" in (js.cosine.__doc__ or "")


def test_no_schedule_looks_stateful_to_optax():
    for c in CASES:
        assert not (hasattr(c.schedule, "init") and hasattr(c.schedule, "update"))
    with pytest.raises(TypeError, match="stateful"):

        @js.schedule
        def stateful_lookalike(step, init: js.Value, update: js.Value):
            return init + update


def test_an_unannotated_hyperparameter_is_refused():
    with pytest.raises(TypeError, match="annotate value with what it may be"):

        @js.schedule
        def unannotated(step, value):
            return value


def test_callables_are_schedules_too():
    s = js.warmup(lambda step: 1.0 / (1.0 + step.astype(float)), 4)
    assert s.at(4) == 1.0
    assert s.at(np.array([5, 6])).tolist() == [0.5, pytest.approx(1 / 3)]
    named = js.as_schedule(jnp.sqrt)
    assert named == js.as_schedule(jnp.sqrt)
    with pytest.raises(ValueError, match="is not data"):
        js.to_dict(s)

    def branching(step):
        return 1.0 if step < 10 else 0.1

    with pytest.raises(TypeError, match="must not branch on the step"):
        js.as_schedule(branching)(3)
