"""The laws of phases and ends: of our schedules, of users', of random compositions."""

import math
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest
import users
from cases import CASES, IDS, thorough
from hypothesis import HealthCheck, given, settings, strategies as st
from matplotlib.figure import Figure
from test_composition import trees

import jaxsched as js

TOTALS = (None, 1, 7, 50, 1000)


def assert_lawful(s: js.Schedule) -> None:
    """Phases without a gap from step 0, an end from which on it holds, nothing raises."""
    for total in TOTALS:
        found = js.phases(s, total)
        edges = [0, *(phase.end for phase in found)]
        assert [phase.begin for phase in found] == edges[: len(found)]
        assert all(p.end is None or p.begin < p.end for p in found)
        assert None not in edges[:-1]
    end = js.horizon(s)
    last = js.phases(s)[-1].end if js.phases(s) else 0
    assert end == last
    if end is not None:
        after = end + np.array([0, 1, 2, 5, 100, 10_000, 2**40])
        held = s.at(np.append(after, 2**62))
        np.testing.assert_array_equal(held, held[0])


def assert_described(s: js.Schedule) -> None:
    """Everything that looks at a schedule works, with and without a length."""
    looks: list[Callable[[int | None], Any]] = [
        lambda total: str(js.describe(s, total)),
        lambda total: str(js.compare(s, 2 * s, total)),
    ]
    for look in looks:
        assert look(40)
        assert look(None)
    assert "<svg" in s._repr_html_()


@pytest.mark.parametrize("s", [c.schedule for c in CASES], ids=IDS)
def test_of_ours(s):
    assert_lawful(s)


@pytest.mark.parametrize("s", users.SCHEDULES, ids=str)
def test_of_users(s):
    assert_lawful(s)
    assert_described(s)


mixed = st.builds(
    lambda own, tree, wrap: wrap(own, tree.schedule),
    st.sampled_from(users.SCHEDULES),
    trees,
    st.sampled_from(
        [
            lambda own, s: js.join([s, own], [9]),
            lambda own, s: js.join([own, s], [9]),
            lambda own, s: users.damped(s, 0.5),
            lambda own, s: users.late(s, 7),
            lambda own, s: js.warmup(own, 5) * s,
            lambda own, s: js.cooldown(js.maximum(own, s), 11, 6),
            lambda own, s: js.cycle(own, 8, length_factor=2, limit=3) - s,
            lambda own, s: js.staircase(js.shift(own, 3) + s, 4),
            lambda own, s: js.reverse(js.stretch(own, 1.5), 10) / (1 + s * s),
        ]
    ),
)
hunted = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@hunted
@given(s=mixed)
def test_of_random_compositions(s):
    assert_lawful(s)


@settings(hunted, max_examples=4)
@given(s=mixed)
def test_random_compositions_are_described(s):
    assert_described(s)


def test_known_by_hand():
    """Ends that were wrong, and what a user's rule has without a word."""
    assert js.horizon(users.cubic(1.0, 0.0, 30)) == 30
    assert js.horizon(js.warmup(users.cubic(1.0, 0.0, 30), 10)) == 40
    assert js.horizon(users.fading(1.0, 3)) is None
    assert js.horizon(users.hill(1.0, 20)) == 40
    assert [p.name for p in js.phases(users.tent(1.0, 3, 4))] == ["up", "down"]
    moving = js.cooldown(js.linear(1.0, 0.0, 1000), 0, 10, shape="tanh", freeze=False)
    assert js.horizon(moving) == 1000
    saw = js.cycle(js.linear(1.0, 0.0, 4), 4)
    assert js.describe(js.cooldown(saw, begin=0, steps=5), 50).horizon == 5
    assert js.horizon(js.noise(js.cosine(1.0, 0.5, 9), 0.1, seed=0)) is None


def test_cycles_that_go_on_are_not_held():
    """What is listed up to the end of a run does not end there."""
    saw = js.cycle(js.linear(1.0, 0.0, 4), 4)
    found = js.phases(js.join([saw, 0.5], [100]), 10)
    assert [p.name for p in found if p.begin < 10] == ["cycle 1", "cycle 2", "cycle 3"]
    assert "hold" not in [p.name for p in found]
    assert found[-1][:3] == ("constant", 100, None)


def test_an_optional_length():
    """None is no length, and no end."""

    @js.schedule
    def optional(step, value: js.Value, steps: js.Steps | None = None):
        return value + 0 * step

    assert js.horizon(optional(1.0)) is None
    assert js.horizon(optional(1.0, 5)) == 5
    assert_described(optional(1.0))


@pytest.mark.parametrize("n", [5, 15, 57])
@pytest.mark.parametrize("factor", [1.7, 2.2, 3.4, 0.3])
def test_a_stretched_end_is_where_it_holds(n, factor):
    """To the step: both are told by the same division."""
    s = js.stretch(js.cooldown(1.0, begin=n, steps=0), factor)
    end = js.horizon(s)
    assert s.at(end) == 0.0
    assert s.at(end - 1) == 1.0


VERY_LONG = [
    js.linear(1.0, 0.0, 2**31 - 1),
    js.wsd(1.0, 2**31 - 1, 10, 10),
    js.warmup(js.linear(1.0, 0.0, 2**31 - 1), 2**31 - 1),
    js.cycle(js.linear(1.0, 0.0, 4), 7, limit=2**31 - 1),
    js.linear(1.0, 0.0, 1e30),
    js.stretch(js.linear(1.0, 0.0, 2**31 - 1), 1e30),
    js.constant(0.5),
]


@pytest.mark.parametrize("s", thorough(VERY_LONG, VERY_LONG[::3]), ids=str)
def test_very_long_ones_are_looked_at(s):
    """The longest that can be counted; what ends after all steps asks for the run's."""
    assert "<svg" in s._repr_html_()
    assert str(js.describe(s, 2**40))
    assert js.plot(s, 2**31, Figure().add_subplot())
    end = js.horizon(s)
    if end is None or end < 2**62:
        assert js.describe(s).total_steps == end or end is None
        assert js.plot(s, ax=Figure().add_subplot())
    else:
        with pytest.raises(ValueError, match="total_steps must be given"):
            js.describe(s)


EVERY = [*(c.schedule for c in CASES), *users.SCHEDULES]
ENDLESS = [s for s in EVERY if js.horizon(s) is None]


@pytest.mark.parametrize("s", thorough(ENDLESS, ENDLESS[::2]), ids=str)
def test_what_never_ends_is_looked_at_for_long_enough(s):
    """Most of what it ever does is seen, and not in a corner of the picture."""
    total = js.describe(s).total_steps
    values = s.at(np.arange(total))
    later = s.at(np.unique(np.geomspace(1, 50 * total, 2000).astype(np.int64)))
    ever = np.concatenate([values, later])
    if np.ptp(ever) == 0:
        return
    assert np.ptp(values) >= 0.6 * np.ptp(ever)
    # A picture of which a twentieth shows all that moves is squashed.
    apart = np.abs(values - values[-1]) > 0.02 * np.ptp(values)
    assert np.flatnonzero(apart).max(initial=0) >= 0.05 * total


def test_some_lengths():
    """Whole cycles, stairs and decays, and of given values a little after the last."""
    lengths = {
        js.step_decay(1.0, 0.5, every=30_000): 120_000,
        js.triangular(0.1, 1.0, up_steps=5000): 40_000,
        js.cosine_restarts(1.0, 0.0, steps=100): 400,
        js.cosine_restarts(1.0, 0.0, steps=18, length_factor=2): 270,
        js.piecewise_constant([40, 80], [1.0, 0.5, 0.1]): 120,
        js.noam(512, 4000): 67_000,
        js.warmup_constant(1.0, 100): 400,
        js.join([js.warmup(1.0, 100), js.triangular(0.1, 1.0, 50)], [100]): 500,
        users.fading(0.5, every=400): 1600,
        js.constant(1.0): 100,
    }
    assert {s: js.describe(s).total_steps for s in lengths} == lengths
    for s, total in lengths.items():
        said = f"it has no end: these are its first {total:_} steps"
        assert js.describe(s).attention[0] == said
        assert (
            js.plot(s, ax=Figure().add_subplot()).lines[0].get_xdata()[-1] == total - 1
        )
    both = [js.noam(512, 4000), js.linear(1.0, 0.0, 10)]
    assert js.plot(both, ax=Figure().add_subplot()).lines[0].get_xdata()[-1] == 9


def test_whole_numbers_of_every_kind():
    """Phases are Python's integers, whatever the hyperparameters are."""
    lived = jax.jit(lambda s: s)(js.warmup(users.tent(1.0, 3, 4), 5))
    assert js.phases(lived) == js.phases(js.warmup(users.tent(1.0, 3, 4), 5))
    assert {type(p.begin) for p in js.phases(lived)} == {int}
    assert js.horizon(js.linear(1.0, 0.0, np.float32(2.5))) == 3


@pytest.mark.parametrize(
    "declared",
    [
        [],
        [js.Phase("late", 1, 5)],
        [js.Phase("one", 0, 5), js.Phase("two", 6, 9)],
        [js.Phase("one", 0, 5), js.Phase("two", 5, 3)],
        [js.Phase("one", 0, None), js.Phase("two", 5, None)],
        [js.Phase("one", 0, math.nan)],
    ],
)
def test_a_wrong_declaration_is_named(declared):
    """At once, by the name of the rule."""

    @js.schedule(phases=lambda s, until: declared)
    def crooked(step, value: js.Value):
        return value

    for look in (js.phases, js.horizon):
        with pytest.raises(ValueError, match=r"crooked: .*phase"):
            look(crooked(1.0))
