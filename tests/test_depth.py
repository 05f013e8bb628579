"""Schedules that hold schedules, as deep as may be: all works, and no deeper is made."""

import copy
import json
import pickle
from threading import Thread

import cloudpickle
import jax
import numpy as np
import pytest
import users
from cases import thorough

import jaxsched as js
from jaxsched.rule import DEEPEST

LEAF = js.linear(1.0, 0.5, 8)

# One level around a schedule.
LEVELS = {
    "warmup": lambda s: js.warmup(s, 1),
    "cooldown": lambda s: js.cooldown(s, 5, 1),
    "cycle": lambda s: js.cycle(s, 9),
    "join": lambda s: js.join([s, 0.5], [9]),
    "join at the end": lambda s: js.join([0.5, s], [1]),
    "negative": lambda s: -s,
    "sum": lambda s: s + 0.5,
    "sum to the right": lambda s: 0.5 + s,
    "difference": lambda s: 1 - s,
    "product": lambda s: s * 0.5,
    "product of sums": lambda s: (s + 1) * 0.5,
    "quotient": lambda s: LEAF / s,
    "sum of schedules": lambda s: s + LEAF,
    "clip": lambda s: js.clip(s, 0.25),
    "maximum": lambda s: js.maximum(s, 0.25),
    "staircase": lambda s: js.staircase(s, 2),
    "per": lambda s: js.per(s, 2),
    "choose": lambda s: js.choose(1, [LEAF, s]),
    "shift": lambda s: js.shift(s, 1),
    "stretch": lambda s: js.stretch(s, 2.0),
    "reverse": lambda s: js.reverse(s, 8),
    "clock": lambda s: js.retime(LEAF, clock=s),
    "a user's": lambda s: users.damped(s, 0.5),
    "a user's, later": lambda s: users.late(s, 1),
}


# Others would take minutes to compile: a warm-up holds its schedule twice.
COMPUTED = ("sum", "sum to the right", "product", "negative", "clip", "a user's")


def nested(level):
    """The deepest schedule that can be made so, and why no deeper one."""
    made = LEAF
    while True:
        try:
            made = level(made)
        except ValueError as error:
            return made, str(error)


def walks(s):
    """All that walks through a schedule, but what makes a program of it."""
    text = repr(s)
    assert js.parse(text) == s
    assert eval(text, {**vars(js), **vars(users)}) == s
    assert pickle.loads(pickle.dumps(s)) == s
    assert cloudpickle.loads(cloudpickle.dumps(s)) == s
    assert copy.copy(s) == copy.deepcopy(s) == s
    assert hash(copy.deepcopy(s)) == hash(s)
    assert js.from_dict(json.loads(json.dumps(js.to_dict(s)))) == s
    assert jax.tree.map(lambda leaf: leaf, s) == s
    assert js.phases(s, 12) is not None
    assert js.horizon(s) is None or js.horizon(s) >= 0
    assert js.unstack(js.stack([s, s]))[1] == s
    assert s.replace() == s


def computes(s):
    """All that computes with a schedule."""
    values = s.at(np.arange(12))
    assert s.at(3) == values[3]
    np.testing.assert_allclose(jax.jit(s)(3), values[3], rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(s(3), values[3], rtol=1e-4, atol=1e-7)
    apply = jax.jit(lambda schedule, step: schedule(step))
    np.testing.assert_allclose(apply(s, 3), values[3], rtol=1e-4, atol=1e-7)
    assert js.describe(s, 12).total_steps == 12
    assert "<svg" in s._repr_html_()


@pytest.mark.parametrize("kind", thorough(LEVELS, [*LEVELS][::2]))
def test_everything_works_at_the_depth_that_is_stated(kind):
    """And one level more is refused at once, with what to do."""
    deepest, error = nested(LEVELS[kind])
    assert deepest._levels() in (DEEPEST, DEEPEST - 1)
    assert f"must be less than {DEEPEST} schedules deep" in error
    walks(deepest)
    if kind in COMPUTED:
        computes(deepest)


def test_everything_works_in_a_thread():
    """Which may have a smaller stack."""
    deepest, _ = nested(LEVELS["a user's"])
    failed = []

    def run():
        try:
            walks(deepest)
            computes(deepest)
        except BaseException as error:
            failed.append(error)

    thread = Thread(target=run)
    thread.start()
    thread.join()
    assert failed == []


def test_what_is_parsed_or_built_is_no_deeper():
    """One error, which names the depth."""
    deepest, _ = nested(LEVELS["warmup"])
    text, data = (
        f"warmup({deepest!r}, 1)",
        {"schedule": js.to_dict(deepest), "steps": 1},
    )
    for make in (lambda: js.parse(text), lambda: js.from_dict({"warmup": data})):
        with pytest.raises(ValueError, match=f"less than {DEEPEST} schedules deep"):
            make()
    with pytest.raises(ValueError, match="nested too deeply"):
        js.parse("warmup(" * 500)


def test_a_sum_of_sums_has_hundreds_of_terms():
    """In pairs it is as deep as its number of terms has digits."""
    terms = [js.linear(i / 256, 0.0, 8) for i in range(256)]
    while len(terms) > 1:
        terms = [a + b for a, b in zip(terms[::2], terms[1::2], strict=True)]
    assert js.parse(repr(terms[0])) == terms[0]
