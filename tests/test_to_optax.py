"""to_optax gives what Optax has, and says what it has not."""

import importlib
import sys
import warnings
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from cases import CASES, thorough

import jaxsched as js
from jaxsched.compat import optax as compat

sys.path.append(str(Path(__file__).parent / "parity"))
TABLES = importlib.import_module("tables")
STEPS = np.arange(80)

# What Optax can write in at least one case.
WRITTEN = """
constant linear cosine polynomial exponential exponential_decay transition step_decay
natural_exponential_decay piecewise_constant multistep piecewise_linear join warmup
cooldown delay shift
"""


# The first of each constructor, its plainest.
SOME = [*{c.make: c for c in reversed(CASES)}.values()]


def made(schedule):
    """The Optax schedule, or what is said in its place."""
    try:
        return js.to_optax(schedule)
    except (NotImplementedError, ValueError) as error:
        return str(error)


def values(function, steps):
    with jax.numpy_dtype_promotion("standard"):  # which Optax relies on
        return np.asarray(function(jnp.asarray(steps)), float)


@pytest.mark.parametrize("cases", thorough([CASES, SOME], [SOME]), ids=["all", "some"])
def test_every_case_is_equal_or_refused(cases):
    written = set()
    for case in cases:
        schedule = case.schedule
        found = made(schedule)
        if isinstance(found, str):  # and never that the two differ
            assert found.startswith("to_optax: Optax has nothing for "), found
            continue
        assert found.__module__.startswith("optax") or schedule._rule.name == "call"
        written.add(schedule._rule.name)
        expected = schedule.at(STEPS)
        # Optax computes in float32, from the largest value down.
        atol = 2e-6 * np.abs(expected).max(initial=0.0)
        np.testing.assert_allclose(
            values(found, STEPS), expected, rtol=0, atol=atol, err_msg=repr(schedule)
        )
    assert set(WRITTEN.split()) <= written


SETTINGS = TABLES.peer("optax").SETTINGS
NAMES = sorted(set(map(TABLES.function_of, SETTINGS)))


@pytest.mark.parametrize("name", thorough(NAMES, NAMES[::2]))
@pytest.mark.parametrize("part", thorough(range(8), [0]))
def test_there_and_back(name, part):
    """What came from Optax goes back, with the values of the real one."""
    table, there = TABLES.load("optax"), 0
    rows = [
        (text, row)
        for text, row in zip(table.settings, table.values, strict=True)
        if TABLES.function_of(text) == name and not np.isnan(row).any()
    ]
    for text, row in rows[part::8]:
        found = made(eval(text, {**vars(np), **vars(compat)}))
        if isinstance(found, str):  # or Optax is wrong near the end of a long run
            assert "Optax has nothing for" in found or "2147483647" in text, (
                text,
                found,
            )
        else:
            there += 1
            atol = 2e-6 * np.abs(row).max()
            mine = values(found, TABLES.STEPS)
            np.testing.assert_allclose(mine, row, rtol=0, atol=atol, err_msg=text)
    assert there > 0 or not rows[part::8]


@pytest.mark.parametrize(
    "schedule",
    [
        js.cosine_restarts(1.0, 0.125, 5, length_factor=2, peak_factor=0.5, limit=3),
        js.cosine_restarts(1.0, 0.0, 7, limit=4),
        js.cycle(js.warmup_linear(1.0, total_steps=9, warmup_steps=3), 9, limit=3),
        js.clip(js.exponential_decay(1.0, 0.9), min_value=0.25),
        js.natural_exponential_decay(1.0, 1e-4),
        js.natural_exponential_decay(1.0, 0.0),
        js.exponential_decay(1.0, 0.9999),
        js.exponential_decay(1.0, 1.001, steps=2),
        js.wsd(1.0, 60, 10, 20, end_value=0.1, shape="cosine"),
        js.one_cycle(1.0, 60, 20, shape="linear"),
        js.cooldown(js.shift(js.step_decay(1.0, 0.5, every=10), 5), 30, 10),
    ],
)
def test_compositions(schedule):
    found = js.to_optax(schedule)
    np.testing.assert_allclose(
        values(found, STEPS), schedule.at(STEPS), rtol=0, atol=2e-6
    )


def test_a_users_shape_is_not_one_of_ours():
    """Whatever it is called."""

    @js.shape
    def cosine(elapsed, remaining):
        return remaining**3, 1 - remaining**3

    with pytest.raises(
        NotImplementedError, match="Optax has nothing for the shape cosine"
    ):
        js.to_optax(js.transition(1.0, 0.0, 10, shape=cosine()))


def test_it_drives_an_optimizer():
    schedule = js.to_optax(js.warmup_cosine(0.1, total_steps=100, warmup_steps=10))
    optimizer = optax.sgd(schedule)
    state = optimizer.init(jnp.ones(2))
    with jax.numpy_dtype_promotion("standard"):
        updates, _ = optimizer.update(jnp.ones(2), state)
    np.testing.assert_allclose(updates, -0.1 / 11, rtol=1e-6)


def test_schedules_of_optax_come_out_as_they_are():
    own = optax.cosine_decay_schedule(0.1, 100)
    assert js.to_optax(own) is own


@pytest.mark.parametrize(
    ("schedule", "lacks"),
    [
        (js.constant(0.5) * js.linear(1.0, 0.0, 9), "multiply"),
        (js.noise(js.linear(1.0, 0.0, 9), 0.1, seed=0), "noise"),
        (js.wsd(1.0, 100, 10, 20, shape="one_minus_sqrt"), "shape one_minus_sqrt"),
        (js.cosine_restarts(1.0, 0.0, 10), "cycle without a limit"),
        (js.warmup(js.linear(1.0, 0.0, 90), 10, overlap=True), "product of schedules"),
        (js.cosine(0.0, 1.0, 10), "cosine that rises from 0"),
        (js.inverse_sqrt_decay(0.1, 100), "inverse_sqrt_decay"),
        (js.rex, None),
    ],
)
def test_what_optax_lacks_is_said(schedule, lacks):
    error = TypeError if lacks is None else NotImplementedError
    with pytest.raises(error, match=f"to_optax: .*{lacks or 'must be a schedule'}"):
        js.to_optax(schedule)


@pytest.mark.skipif(jax.config.jax_enable_x64, reason="Optax is right in float64")
def test_what_differs_is_refused():
    """Optax's exponential is off by a percent where a factor is nearly 1."""
    schedule = js.step_decay(1.0, 1 - 1e-7, every=1)
    with pytest.raises(ValueError, match=r"Optax's schedule gives .* instead of"):
        js.to_optax(schedule, total_steps=10**7)


def test_stacked_schedules_are_refused():
    with warnings.catch_warnings(), pytest.raises(ValueError, match="stacked"):
        js.to_optax(js.stack([js.constant(0.1), js.constant(0.2)]))
