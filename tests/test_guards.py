"""Reading and steering inside of `jax.transfer_guard("disallow")`, which people put
around a training loop: what goes to a device or comes from it there does so explicitly.
"""

import importlib
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from cases import ONE_OF_EACH, float_dtype
from matplotlib.figure import Figure

import jaxsched as js

S = js.warmup_cosine(0.1, total_steps=20, warmup_steps=4)
PARAMS = {"a": jnp.ones(2, float_dtype()), "b": jnp.array(2.0, float_dtype())}
DRIVEN = js.cooldown_on_trigger(S, 4, patience=0)
OPTIMIZER = js.with_schedule(optax.adamw, DRIVEN)
STATE = OPTIMIZER.init(PARAMS)
STOCK = optax.adamw(S).init(PARAMS)
STACKED = js.stack([S, S.replace(end_value=0.01)])
ON_DEVICE = jax.tree.map(jnp.asarray, STACKED)
HALF, STEP, STEPS = jnp.float32(0.5), jnp.int32(5), jnp.arange(20)
MANY = jax.vmap(lambda _: OPTIMIZER.init(PARAMS))(jnp.arange(2))

# Each a first time, and again where something was kept.
CALLS = {
    "at": lambda: (S.at(5), S.at(np.arange(5)), S.at(STEP), S.at(STEPS), S.at(2.5)),
    "at of arrays": lambda: (ON_DEVICE[0].at(3), ON_DEVICE[1].at(STEPS)),
    "a call with a step on the device": lambda: S(STEP),
    "describe": lambda: str(js.describe(S, 15)),
    "compare": lambda: str(js.compare(S, js.linear(0.1, 0.0, 20), 15, at=10)),
    "phases": lambda: (js.phases(S), js.horizon(S), repr(S), S.replace(steps=15) == S),
    "plot": lambda: js.plot([S, js.constant(0.1)], 15, Figure().add_subplot()),
    "a notebook": lambda: S._repr_html_(),
    "data": lambda: js.from_dict(js.to_dict(js.parse(repr(S)))),
    "stack": lambda: js.stack([S, S]),
    "unstack": lambda: (js.unstack(STACKED), js.unstack(ON_DEVICE), ON_DEVICE[1:]),
    "learning_rate": lambda: (js.learning_rate(STATE), js.learning_rate(STOCK, S)),
    "step_count": lambda: (js.step_count(STATE), js.step_count(STOCK)),
    "set_multiplier": lambda: (
        js.set_multiplier(STATE, 0.5),
        js.set_multiplier(STATE, HALF),
        js.set_multiplier(MANY, np.array([0.5, 1.0])),
    ),
    "set_step_count": lambda: (
        js.set_step_count(STATE, 3),
        js.set_step_count(STOCK, STEP, every=True),
        js.set_step_count(MANY, [3, 4][0]),
    ),
    "set_trigger": lambda: js.set_trigger(STATE),
    "set_metric": lambda: (js.set_metric(STATE, 0.5), js.set_metric(STATE, HALF)),
    "a driven schedule": lambda: DRIVEN(STATE.schedule_state),
    "an update": lambda: [
        driven.update(driven.init(), **report)
        for driven in (DRIVEN, js.reduce_on_plateau(S), js.greedy(0.1))
        for report in (
            {"value": HALF},
            {"value": None},
            {"value": 0.5, "measured": False},
        )
    ],
    "an optimizer": lambda: (
        js.with_schedule(optax.adamw, S),
        js.with_schedule(lambda learning_rate: optax.sgd(learning_rate), S),
        js.with_schedule(optax.sgd, DRIVEN).init(PARAMS),
        js.scale_by_learning_rate(S).init(PARAMS),
    ),
    "evaluate": lambda: (js.evaluate(S, np.arange(4)), js.evaluate(STACKED, 3)),
    "exports": lambda: (js.to_torch_lambda(S)(3), js.to_source(S), js.to_optax(S)),
}


@pytest.mark.parametrize("name", CALLS)
def test_nothing_is_transferred_by_the_way(name: str):
    """The same as without a guard."""
    with jax.transfer_guard("disallow"):
        CALLS[name]()
        CALLS[name]()


@pytest.mark.parametrize("c", ONE_OF_EACH, ids=str)
def test_every_schedule_is_read_under_a_guard(c: Any):
    """Fresh, of numbers and of arrays."""
    schedules = [c.make(**c.kwargs), jax.tree.map(jnp.asarray, c.schedule)]
    expected = c.schedule.at(3)
    with jax.transfer_guard("disallow"):
        for s in schedules:
            assert s.at(3) == pytest.approx(expected, rel=1e-5, abs=1e-9)


def test_training_runs_under_a_guard():
    """A compiled step, and what happens between two of them on the host."""

    @jax.jit
    def step(params: Any, state: Any) -> Any:
        with jax.numpy_dtype_promotion("standard"):
            updates, state = OPTIMIZER.update(params, state, params, value=None)
        return optax.apply_updates(params, updates), state, js.learning_rate(state)

    params, state = PARAMS, STATE
    with jax.transfer_guard("disallow"):
        for i in range(6):
            params, state, rate = step(params, state)
            assert float(rate) == pytest.approx(S.at(i) / (2 if i > 3 else 1), rel=1e-6)
            if i == 3:
                state = js.set_multiplier(js.set_metric(state, 1.0), 0.5)
        state = js.set_trigger(state)
    assert int(js.step_count(state)) == 6


@pytest.mark.slow
def test_the_example_of_resuming_runs_under_a_guard(monkeypatch, tmp_path):
    """Training, reading and saving; only what comes before it transfers by the way."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "examples")
    resume = importlib.import_module("resume")
    begin, guard = resume.begin, "jax_transfer_guard"

    def guarded(*args: Any) -> Any:
        begun = begin(*args)
        jax.config.update(guard, "disallow")
        return begun

    monkeypatch.setattr(resume, "begin", guarded)
    data, _ = resume.load_data()
    schedule = js.warmup_cosine(0.01, 20, 2)
    try:
        with jax.numpy_dtype_promotion("standard"):
            _, optimizer = resume.train(
                data, schedule, steps=20, every=10, folder=tmp_path, seed=0
            )
    finally:
        jax.config.update(guard, "allow")
    assert int(js.step_count(optimizer)) == 20
