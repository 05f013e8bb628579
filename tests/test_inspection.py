"""Phases, descriptions and comparisons, against plain NumPy and what is known by hand."""

import math
from itertools import pairwise
from xml.etree import ElementTree

import jax
import numpy as np
import optax
import pytest
from cases import ONE_OF_EACH
from matplotlib.figure import Figure

import jaxsched as js
from jaxsched.compat.torch import StepLR
from jaxsched.inspection.window import window

LONG = 10**7

# Sums of float32 values: each is right to some 1e-6.
CLOSE = 1e-5


def spans(schedule, total_steps=None):
    """The phases in plain tuples."""
    return [(p.name, p.begin, p.end) for p in js.phases(schedule, total_steps)]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (js.constant(1.0), [("constant", 0, None)]),
        (js.linear(1.0, 0.0, 8), [("linear", 0, 8)]),
        (js.linear(1.0, 0.0, 0), []),
        (js.linear(1.0, 0.0, 7.5), [("linear", 0, 8)]),
        (
            js.wsd(1.0, total_steps=100, warmup_steps=10, decay_steps=20),
            [("warmup", 0, 10), ("constant", 10, 80), ("cooldown", 80, 100)],
        ),
        (
            js.warmup(js.cosine(1.0, 0.0, 10), 4, overlap=True) * 0.5,
            [("warmup", 0, 4), ("cosine", 4, 10)],
        ),
        (
            js.join([js.linear(1.0, 0.0, 5), js.cosine(1.0, 0.0, 50), 0.5], [20, 30]),
            [
                ("linear", 0, 5),
                ("hold", 5, 20),
                ("cosine", 20, 30),
                ("constant", 30, None),
            ],
        ),
        (js.noam(512, 10), [("warmup", 0, 10), ("inverse_sqrt", 10, None)]),
        (
            js.multistep(1.0, [3, 6], factor=0.1),
            [("value 1", 0, 3), ("value 2", 3, 6), ("value 3", 6, None)],
        ),
        (js.spline([0, 3, 9], [0, 1, 2]), [("spline", 0, 9)]),
        (
            js.cosine_restarts(1.0, 0.0, 10, length_factor=1.5, limit=3),
            [("cycle 1", 0, 10), ("cycle 2", 10, 25), ("cycle 3", 25, 48)],
        ),
        (js.triangular(0.0, 1.0, 3, 4), [("cycles", 0, None)]),
        (js.cycle(js.linear(1.0, 0.0, 4), 4, limit=99), [("cycles", 0, 396)]),
        (
            js.delay(js.linear(1.0, 0.0, 5), 3),
            [("delay", 0, 3), ("linear", 3, 8)],
        ),
        (js.shift(js.warmup(1.0, 10), 4), [("warmup", 0, 6), ("constant", 6, None)]),
        (js.shift(js.cosine(1.0, 0.0, 10), 40), []),
        (js.stretch(js.linear(1.0, 0.0, 5), 2.5), [("linear", 0, 13)]),
        (js.staircase(js.linear(1.0, 0.0, 10), 4), [("linear", 0, 12)]),
        (
            js.per(js.warmup(js.linear(1.0, 0.0, 10), 3), 40),
            [("warmup", 0, 120), ("linear", 120, 520)],
        ),
        (js.per(js.linear(1.0, 0.0, 10), 2.25), [("linear", 0, 23)]),
        (
            js.choose(1, [0.1, js.warmup(js.linear(1.0, 0.0, 10), 3)]),
            [("warmup", 0, 3), ("linear", 3, 13)],
        ),
        (js.choose(0, [0.1, js.linear(1.0, 0.0, 10)]), [("constant", 0, None)]),
        (
            js.reverse(js.warmup(js.linear(1.0, 0.0, 5), 3), 8),
            [("linear", 0, 5), ("warmup", 5, 8)],
        ),
        (
            js.cosine(1.0, 0.0, 10) * js.linear(1.0, 0.0, 20),
            [("cosine * linear", 0, 10), ("hold * linear", 10, 20)],
        ),
        (js.maximum(js.cosine(1.0, 0.0, 10), 0.1), [("cosine", 0, 10)]),
        (js.minimum(0.5, js.cosine(1.0, 0.0, 10)), [("cosine", 0, 10)]),
        (js.clip(js.cosine(1.0, 0.0, 10), 0.1), [("cosine", 0, 10)]),
        (js.retime(js.cosine(1.0, 0.0, 10), lambda t: 2.0 * t), [("retime", 0, None)]),
        (optax.constant_schedule(0.1), [("call", 0, None)]),
        (0.1, [("constant", 0, None)]),
    ],
)
def test_phases_and_horizon(schedule, expected):
    """Known by hand."""
    assert spans(schedule) == expected
    assert js.horizon(schedule) == (expected[-1][2] if expected else 0)


def test_endless_cycles_are_listed_for_a_run():
    """Up to the one in which the run ends, unless there are too many to read."""
    saw = js.cycle(js.linear(1.0, 0.0, 4), 4)
    assert spans(saw, 9) == [("cycle 1", 0, 4), ("cycle 2", 4, 8), ("cycle 3", 8, 12)]
    assert len(spans(saw, 128)) == 32
    assert spans(saw, 129) == [("cycles", 0, None)]
    ramp = js.warmup(saw, 3)
    assert spans(ramp, 8) == [("warmup", 0, 3), ("cycle 1", 3, 7), ("cycle 2", 7, 11)]


@pytest.mark.parametrize(
    "schedule",
    [
        js.linear(1.0, 0.0, 100),
        js.warmup_cosine(1.0, 100, 10),
        js.wsd(1.0, 100, 10, 30),
        js.cosine_restarts(1.0, 0.0, 10, limit=10),
        js.piecewise_linear([0, 30, 100], [0, 1, 0]),
        js.join([js.linear(0.0, 1.0, 30), js.cosine(1.0, 0.0, 70)], [30]),
    ],
)
def test_horizon_is_the_first_such_step(schedule):
    """One step before it, it still moves."""
    assert js.horizon(schedule) == 100
    assert schedule.at(99) != schedule.at(100)


def test_describe_numbers():
    """Against the formula in float64."""
    found = js.describe(js.warmup_cosine(0.1, 1000, 100, init_value=0.0), 600)
    t = np.arange(600)
    decay = 0.05 * (1 + np.cos(np.pi * (t - 100) / 900))
    values = np.where(t < 100, 0.1 * t / 100, decay)
    assert found.area == pytest.approx(values.sum(), rel=CLOSE)
    assert found.mean == pytest.approx(values.mean(), rel=CLOSE)
    assert found.last_value == pytest.approx(values[-1], rel=CLOSE)
    assert (found.peak_value, found.peak_step) == (pytest.approx(0.1), 100)
    assert (found.horizon, found.total_steps, found.is_exact) == (1000, 600, True)
    warmup, decay = found.phases
    assert (warmup.name, warmup.first, warmup.last) == ("warmup", 0, 99)
    assert (decay.name, decay.first, decay.last) == ("cooldown", 100, 599)
    assert warmup.share == pytest.approx(1 / 6)
    assert warmup.end_value == pytest.approx(0.099)
    assert decay.init_value == pytest.approx(0.1)
    assert decay.end_value == pytest.approx(values[-1], rel=CLOSE)


def test_describe_a_very_long_run():
    """The numbers of 10^9 steps in a moment; the area is that of the trapezoid."""
    found = js.describe(js.wsd(1.0, 10**9, 10_000, 2 * 10**8))
    assert not found.is_exact
    assert "about" in str(found)
    # Samples stand for the steps around them: between two, the curve is a line.
    assert found.area == pytest.approx(10**9 - 5_000 - 10**8, rel=1e-6)
    assert found.peak_step == 10_000
    assert found.attention == ()


# What is also true of a schedule above.
ALLOWED = {
    "3 steps are negative, the first at step 5": ["spent at 0"],
    "constant is never reached: it begins at 3": ["rises"],
}


def attention(schedule, total_steps=None):
    """What deserves attention, as one text."""
    return "\n".join(js.describe(schedule, total_steps).attention)


def test_nothing_to_say_about_a_good_schedule():
    """A warning that is always there is not read."""
    assert attention(js.warmup_cosine(0.1, 1000, 100)) == ""
    assert attention(js.warmup_constant(0.1, 100), 1000) == ""
    assert attention(js.warmup_inverse_sqrt(0.1, 100), 1000) == ""
    assert attention(js.wsd(0.1, 100, 1, 1)) == ""
    assert attention(js.multistep(0.1, [30, 60], factor=0.1), 90) == ""
    assert attention(js.one_cycle(0.1, 100, 30, phases=3)) == ""
    assert attention(js.cosine_restarts(0.1, 0.01, 10, limit=3)) == ""


@pytest.mark.parametrize(
    ("schedule", "total", "expected"),
    [
        (js.linear(0.0, 1.0, 9), 9, "the first update is spent at 0"),
        (
            js.linear(1.0, 0.0, 9),
            12,
            "3 steps are spent at 0, the first at step 9\n"
            "the run is longer than the schedule, which holds 0 for the last 3 steps",
        ),
        (
            js.linear(1.0, 0.0, 8),
            6,
            "the run is shorter than the schedule, which ends at step 8: it stops at "
            "0.375",
        ),
        (js.linear(1.0, -1.0, 8), 8, "3 steps are negative, the first at step 5"),
        (
            js.join([js.linear(1.0, 0.0, 100), js.linear(0.75, 0.0, 50)], [50]),
            100,
            "it jumps from 0.51 to 0.75 at step 50, where linear begins",
        ),
        (
            js.delay(js.warmup(1.0, 3), 0),
            2,
            "constant is never reached: it begins at 3",
        ),
        (
            js.cycle(js.linear(1.0, 0.5, 8), 8),
            8,
            "after the run it rises again, from 0.5625 to 1",
        ),
    ],
)
def test_what_deserves_attention(schedule, total, expected):
    """Each of them, and nothing that is not so."""
    found = attention(schedule, total)
    assert expected in found
    others = {"spent at 0", "longer", "shorter", "negative", "jumps", "never", "rises"}
    for word in others:
        if word not in expected and word not in ALLOWED.get(expected, ()):
            assert word not in found


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("slopes", [(0.01, 0.01), (0.01, 0.0), (0.0, 0.01)])
@pytest.mark.parametrize(("step", "jumps"), [(0.0291, False), (0.0309, True)])
def test_a_jump_is_three_times_as_steep_as_what_is_beside_it(step, jumps, slopes, sign):
    """On either side: a steep ramp that ends is no jump."""
    left, right = slopes
    before = js.linear(1.0, 1.0 - 10 * left, 10)
    first = 1.0 - 9 * left + sign * step
    schedule = js.join([before, js.linear(first, first - 10 * right, 10)], [10])
    assert ("it jumps" in attention(schedule)) is jumps


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("step", "jumps"), [(0.0097, False), (0.0103, True)])
def test_a_jump_is_a_hundredth_of_the_peak(step, jumps, sign):
    """Between two constants, beside which nothing is steep; of any size."""
    for peak in (1.0, 1e-5):
        low = peak - step * peak
        pair = [low, peak] if sign > 0 else [peak, low]
        assert ("it jumps" in attention(js.join(pair, [10]), 20)) is jumps


def test_sparkline_reaches_from_zero_to_the_peak():
    """One character for each step of a short run."""
    assert js.describe(js.linear(0.0, 7.0, 7), 8).sparkline == "▁▂▃▄▅▆▇█"
    assert js.describe(js.constant(0.0), 3).sparkline == "▁▁▁"
    assert js.describe(js.linear(1.0, -1.0, 4), 5).sparkline[-1] == "▁"
    assert len(js.describe(js.linear(0.0, 1.0, 10_000)).sparkline) == 60


def test_compare_over_a_run():
    """Where and by how much: both lines are known by hand."""
    found = js.compare(js.linear(1.0, 0.0, 10), js.linear(1.0, 0.0, 5), total_steps=20)
    assert (found.total_steps, found.spans) == (20, ((1, 9),))
    assert found.largest == (5, pytest.approx(0.5), 0.0)
    assert found.largest.difference == pytest.approx(-0.5)
    assert (found.at, found.jumps, found.is_exact) == (None, False, True)
    assert str(found) == (
        "steps: 10 -> 5\n"
        "their values differ in steps 1 to 9\n"
        "most at step 5: 0.5 by the first schedule, 0 by the second (-0.5)"
    )
    once = js.compare(
        js.multistep(1.0, [3], factor=0.5), js.multistep(1.0, [4], factor=0.5), 9
    )
    assert "their values differ in steps 3\n" in str(once)


def test_compare_of_what_is_the_same():
    """The same schedule, or the same values of another one."""
    alike = js.compare(0.1, js.constant(0.1), 1000)
    assert (alike.changes, alike.spans, alike.largest) == ((), (), None)
    assert str(alike) == "they are the same schedule"
    halves = js.compare(js.constant(1.0), js.constant(0.5) * 2, 1000, at=7)
    assert (halves.spans, halves.largest, halves.jumps) == ((), None, False)
    assert str(halves).splitlines()[1:] == [
        "their values are the same at all 1_000 steps",
        "at step 7 it goes on without a jump, at 1",
    ]


def changed(a, b):
    """The changes in plain tuples."""
    return [(c.path, c.first, c.second) for c in js.compare(a, b, at=0).changes]


def test_compare_says_what_was_changed():
    """By path, with both values; of other rules the schedules themselves."""
    fall, rise = js.cosine(0.5, 0.0, 20), js.linear(0.0, 0.5, 20)
    old = js.warmup(js.join([fall, 0.25], [20]), 5, shape="cosine")
    longer = js.join([fall.replace(steps=30), 0.25], [30])
    new = js.warmup(longer, 5, init_value=0.0, shape="cosine")
    assert [(path, *map(str, pair)) for path, *pair in changed(old, new)] == [
        ("schedule.schedules[0].steps", "20", "30"),
        ("schedule.boundaries", "[20]", "[30]"),
        ("init_value", "None", "0.0"),
    ]
    assert changed(fall, rise) == [("", fall, rise)]
    assert changed(0.5 * fall, 0.5 * rise) == [("second", fall, rise)]
    assert changed(fall, 0.25) == [("", fall, js.constant(0.25))]
    # A length of another kind is another kind of time.
    assert changed(fall, fall.replace(steps=20.0)) == [("steps", 20, 20.0)]
    assert [c[0] for c in changed(jax.numpy.sqrt, jax.numpy.exp)] == ["function"]


@pytest.mark.parametrize(
    ("a", "b", "line"),
    [
        (
            js.warmup(0.5, 3),
            js.warmup(0.5, 3, shape="square"),
            "shape: 'linear' -> 'square'",
        ),
        (
            js.transition(1.0, 0.0, 9, shape=js.rex(beta=0.75)),
            js.transition(1.0, 0.0, 9, shape=js.rex(beta=0.25)),
            "shape.beta: 0.75 -> 0.25",
        ),
        (
            js.join([0.5, 0.25], [3]),
            js.join([0.5, js.linear(0.5, 0.0, 9), 0.25], [3, 12]),
            "schedules: 2 schedules (constant, constant) -> "
            "3 schedules (constant, linear, constant)",
        ),
        (0.5, js.constant(0.5) / 2, "the schedule: constant(value=0.5) -> "),
    ],
)
def test_compare_writes_each_change_in_a_line(a, b, line):
    """With its path, so that it is found in the call."""
    assert line in str(js.compare(a, b, at=0))


def constants(first, count):
    """Constants that follow each other, one step each."""
    values = [float(first + i) for i in range(count)]
    return js.join(values, list(range(1, count)))


def test_compare_stays_short():
    """However much was changed."""
    tables = [js.piecewise_linear(range(n), [0.5] * n) for n in (500, 501)]
    for pair in (tables, [constants(0, 99), constants(0, 98)]):
        assert max(map(len, str(js.compare(*pair, 99)).splitlines())) < 250
    saw = js.cycle(js.linear(1.0, 0.0, 2), 2)
    text = "their values differ in steps 1, 3, 5, 7, 9 and 5 more stretches\n"
    assert text in str(js.compare(1.0, saw, 20))
    found = js.compare(constants(0, 99), constants(1, 99), 99)
    assert len(found.changes) == 99
    assert "schedules[7].value: 7.0 -> 8.0\n... 91 more changes\n" in str(found)


# From and to, and the ratio in words and as a number.
RATIOS = [
    (1e-5, 5.5e-4, ", 55 times as much", 55.0),
    (5.5e-4, 1e-5, ", 1/55 of it", 1 / 55),
    (0.25, 0.5, ", 2 times as much", 2.0),
    (0.5, 0.25, ", 1/2 of it", 0.5),
    (1e-6, 0.02, ", 20_000 times as much", 2e4),
    (0.02, 1e-9, ", 1/2e+07 of it", 5e-8),
    (0.5, 0.75, ", 50 % more", 1.5),
    (0.5, 0.375, ", 25 % less", 0.75),
    (-0.5, -2.0, ", 4 times as much", 4.0),
    (-0.5, 0.25, "", -0.5),
    (0.5, 0.0, "", 0.0),
    (0.0, 0.5, "", None),
]


@pytest.mark.parametrize(("first", "second", "words", "ratio"), RATIOS)
def test_compare_says_how_far_a_run_jumps(first, second, words, ratio):
    """Both values and their ratio, where the run goes on."""
    found = js.compare(js.constant(first), js.constant(second), at=1000)
    assert (found.jumps, found.at.step) == (True, 1000)
    assert found.at[1:] == (pytest.approx(first), pytest.approx(second))
    assert found.at.ratio == (ratio if ratio is None else pytest.approx(ratio))
    last = f"at step 1_000 it jumps from {first:.6g} to {second:.6g}{words}"
    assert str(found).splitlines()[-1] == last


def test_compare_where_a_run_goes_on():
    """At its step, whether the run is known to last until then or not."""
    old = js.wsd(0.1, total_steps=2000, warmup_steps=100, decay_steps=400)
    new = js.wsd(0.1, total_steps=3000, warmup_steps=100, decay_steps=400)
    found = js.compare(old, new, at=1800)  # half of the old decay
    assert found.at == (1800, pytest.approx(0.05), pytest.approx(0.1))
    assert (found.total_steps, found.spans) == (3000, ((1601, 2999),))
    assert js.compare(old, new, at=1600).jumps is False
    for at, total in ((5000, None), (5000, 10), (0, None)):
        found = js.compare(old, 0.5, total, at=at)
        assert (found.total_steps, found.at.step) == (total or 2000, at)
        assert found.at.second == 0.5
    late = js.join([0.1, 0.2], [1_000_000])
    assert js.compare(0.1, late, at=1_000_000).jumps
    assert not js.compare(0.1, late, at=999_999).jumps
    assert js.compare(0.1, late, at=5).total_steps is None  # neither has an end


def test_compare_tells_apart_what_differs_by_more_than_rtol():
    """Relative to the larger of both."""
    assert js.compare(1.0, 1.009, 1, rtol=0.01).spans == ()
    assert js.compare(1.0, 1.011, 1, rtol=0.01).spans == ((0, 0),)
    assert not js.compare(1.0, 1.009, at=0, rtol=0.01).jumps
    assert js.compare(1.0, 1.011, at=0, rtol=0.01).jumps
    assert js.compare(1.0, 1.00001, 1).spans == ((0, 0),)


def test_compare_of_what_a_metric_drives():
    """It has no values before a run: what it is made of is compared."""
    old = js.reduce_on_plateau(js.cosine(0.5, 0.0, 20), factor=0.5, patience=3)
    new = old.replace(patience=4, schedule=old.schedule.replace(steps=30))
    found = js.compare(old, new, 20, at=5)
    assert [c.path for c in found.changes] == ["schedule.steps", "patience"]
    assert (found.total_steps, found.at, found.spans) == (None, None, ())
    assert str(found) == (
        "schedule.steps: 20 -> 30\npatience: 3 -> 4\n"
        "a metric decides about their values, which are not compared"
    )
    assert js.compare(old, old).changes == ()
    assert changed(0.5, old) == [("", js.constant(0.5), old)]


@pytest.mark.parametrize(("one", "other"), list(pairwise(ONE_OF_EACH)), ids=str)
def test_compare_agrees_with_the_values(one, other):
    """At every step of a run, and at one beyond it; and all are the same as themselves."""
    a, b, total = one.schedule, other.schedule, 25
    steps = [*range(total), 1000]
    both = np.stack([a.at(np.array(steps)), b.at(np.array(steps))], axis=1)
    values = dict(zip(steps, both.tolist(), strict=True))
    apart = [k for k in steps[:-1] if not math.isclose(*values[k], rel_tol=1e-6)]
    found = js.compare(a, b, total, at=1000)
    inside = [range(first, last + 1) for first, last in found.spans]
    assert [step for span in inside for step in span] == apart
    assert found.at[1:] == pytest.approx(values[1000], rel=1e-6)
    gaps = {k: abs(values[k][0] - values[k][1]) for k in apart}
    if apart:
        step, *pair = found.largest
        assert pair == pytest.approx(values[step], rel=1e-5)
        assert gaps[step] == pytest.approx(max(gaps.values()), rel=1e-5)
    same = js.compare(a, one.make(**one.kwargs), total, at=3)
    assert (same.changes, same.spans, same.jumps) == ((), (), False)


def test_compare_values_that_are_not_finite():
    """Infinity is not near to anything, but the same as itself."""

    def reciprocal(step):
        return 1.0 / jax.numpy.asarray(step, float)

    with jax.debug_nans(False):
        found = js.compare(reciprocal, 1.0, 3, at=0)
        assert found.spans == ((0, 0), (2, 2))
        assert found.largest == found.at == (0, np.inf, 1.0)
        assert (found.jumps, found.at.ratio) == (True, None)
        assert "at step 0 it jumps from inf to 1" in str(found)
        assert js.compare(1.0, reciprocal, at=0).at.ratio is None
        one = js.constant(1.0) * reciprocal
        assert js.compare(reciprocal, one, 3, at=0).spans == ()
        assert not js.compare(reciprocal, one, 3, at=0).jumps
        broken = js.compare(
            1.0, lambda t: jax.numpy.where(t < 7, 1.0, np.nan), 20, at=3
        )
        assert (broken.spans, broken.jumps) == (((7, 19),), False)


def test_descriptions_of_long_schedules_stay_short():
    """Nobody reads a thousand lines."""
    stairs = js.join([float(i % 7) for i in range(500)], list(range(10, 5000, 10)))
    text = str(js.describe(stairs, 5000))
    assert len(text) < 5000
    assert "... 475 more phases" in text
    assert "it jumps at 494 more joints" in text


def test_compare_a_very_long_run():
    """A difference of a few steps at a boundary is found among 10^9."""
    found = js.compare(js.warmup(1.0, 8), 1.0, 10**9)
    assert not found.is_exact
    assert found.spans == ((0, 7),)
    halves = js.compare(1.0, js.constant(0.5) * 2, 10**9)
    assert "compared of 1_000_000_000" in str(halves)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: js.describe("cosine"), TypeError, "describe: schedule must be"),
        (lambda: js.describe(1.0, 0), ValueError, "describe: total_steps must be >= 1"),
        (lambda: js.describe(1.0, 2.5), TypeError, "describe: total_steps must be"),
        (lambda: js.phases(None), TypeError, "phases: schedule must be"),
        (lambda: js.phases(1.0, -1), ValueError, "phases: total_steps must be >= 1"),
        (lambda: js.horizon([1]), TypeError, "horizon: schedule must be"),
        (lambda: js.compare("a", 1.0, 5), TypeError, "compare: a must be"),
        (lambda: js.compare(1.0, "b", 5), TypeError, "compare: b must be"),
        (lambda: js.compare(1.0, 1.0, 0), ValueError, "compare: total_steps must be"),
        (
            lambda: js.compare(1.0, 1.0, 5, rtol=-1.0),
            ValueError,
            "compare: rtol must be >= 0",
        ),
        (lambda: js.compare(1.0, 1.0, at=-1), ValueError, "compare: at must be >= 0"),
        (lambda: js.compare(1.0, 1.0, at=1.5), TypeError, "compare: at must be a whol"),
        (lambda: js.compare(js.tanh(), 1.0), TypeError, "compare: a must be"),
        (
            lambda: js.compare(1.0, js.stack([js.linear(1.0, 0.0, n) for n in (4, 5)])),
            ValueError,
            "compare: b must be a single schedule",
        ),
        (
            lambda: js.compare(js.reduce_on_plateau(0.1), 1.0, 0),
            ValueError,
            "compare: total_steps must be >= 1",
        ),
        (
            lambda: js.describe(js.stack([js.linear(1.0, 0.0, n) for n in (4, 5)])),
            ValueError,
            "describe: schedule must be a single schedule",
        ),
        (
            lambda: js.describe(js.reduce_on_plateau(0.1)),
            TypeError,
            "describe: schedule must be",
        ),
    ],
)
def test_bad_input_is_refused(call, error, message):
    """At once, with the name of the function and of the argument."""
    with pytest.raises(error, match=message):
        call()


def test_traced_schedules_are_refused():
    """Their phases are not known yet."""
    with pytest.raises(TypeError, match="horizon: schedule must have known numbers"):
        jax.jit(lambda n: js.horizon(js.linear(1.0, 0.0, n)) or 0)(5)


def test_arrays_are_numbers_too():
    """Hyperparameters of NumPy and JAX, tables of arrays included."""
    one, steps = np.float32(1.0), jax.numpy.asarray(8)
    assert spans(js.linear(one, 0.0, steps)) == [("linear", 0, 8)]
    table = js.piecewise_linear(np.array([0, 5]), jax.numpy.asarray([0.0, 1.0]))
    assert spans(table) == [("piecewise_linear", 0, 5)]
    assert js.describe(js.linear(one, 0.0, steps)).total_steps == 8
    found = js.describe(js.warmup(one, np.int64(4)), 8)
    assert found.mean == pytest.approx((0.2 + 0.4 + 0.6 + 0.8 + 4) / 8, rel=CLOSE)


@pytest.fixture
def ax():
    """Axes of a figure that no window shows."""
    return Figure().add_subplot()


def drawn(ax):
    """The curves by label."""
    return {
        line.get_label(): line.get_xydata()
        for line in ax.lines
        if len(line.get_xydata()) > 2
    }


def test_plot_draws_the_values(ax):
    """Every step of a short run, and not the one after it."""
    schedule = js.warmup_cosine(1.0, 100, 10)
    assert js.plot(schedule, ax=ax) is ax
    (points,) = drawn(ax).values()
    assert points[:, 0].tolist() == list(range(100))
    k = np.arange(100)
    fall = 0.5 * (1 + np.cos(np.pi * (k - 10) / 90))
    values = np.where(k < 10, (k + 1) / 11, fall)
    np.testing.assert_allclose(points[:, 1], values, rtol=CLOSE, atol=1e-7)
    boundaries = [line.get_xdata()[0] for line in ax.lines[1:]]
    assert boundaries == [10]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("step", "learning rate")
    assert ax.get_legend() is None


@pytest.mark.parametrize(
    "schedule",
    [
        js.wsd(1.0, LONG, 1_234, 1_999_999),
        js.staircase(js.cosine(1.0, 0.0, LONG), 777_777),
        js.piecewise_constant([3_333_333, 3_333_337], [1.0, 0.2, 0.9]),
        js.cosine_restarts(1.0, 0.0, 1_000_001, length_factor=1.5),
        js.spline([0, 1_000, 12_345, LONG], [0.0, 1.0, 0.3, 0.0]),
        js.as_schedule(lambda t: jax.numpy.where(t < 4_321_000, 1.0, 0.5)),
    ],
    ids=lambda schedule: schedule._rule.name,
)
def test_plot_of_a_long_run(ax, schedule):
    """A few thousand points, and the line through them is the curve."""
    js.plot(schedule, LONG, ax=ax)
    points = next(iter(drawn(ax).values()))
    assert len(points) < 6_000
    random = np.random.default_rng(0).integers(0, LONG, 20_000)
    jumps = points[:-1][np.abs(np.diff(points[:, 1])) > 0.05, 0]
    steps = np.concatenate([random, jumps, jumps + 1]).astype(int)
    line = np.interp(steps, *points.T)
    # A bend of a thousandth of the height is left; between two that may be twice.
    np.testing.assert_allclose(line, schedule.at(steps), atol=2e-3)


def test_plot_of_several(ax):
    """Labels say which is which."""
    one, two = js.linear(1.0, 0.0, 10), js.linear(0.5, 0.0, 20)
    js.plot({"one": one, "two": two}, ax=ax)
    assert list(drawn(ax)) == ["one", "two"]
    assert drawn(ax)["one"][-1].tolist() == [19, 0]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["one", "two"]
    both = js.plot([one, one], 5, ax=Figure().add_subplot())
    assert [label[:10] for label in drawn(both)] == ["0: linear(", "1: linear("]
    grid = js.grid(js.linear, init_value=[1.0, 2.0], end_value=0.0, steps=[5, 9])
    stacked = grid.schedules
    family = js.plot(stacked, ax=Figure().add_subplot())
    assert list(drawn(family))[1] == "init_value=1, steps=9"
    ramps = js.grid(
        js.warmup_linear, peak_value=1.0, total_steps=9, warmup_steps=[1, 2]
    )
    family = js.plot(ramps.schedules, ax=Figure().add_subplot())
    assert list(drawn(family))[1] == "schedule.steps=2, begin=2, steps=7"


def test_plot_says_what_tells_schedules_apart():
    """Of one kind what differs, of what `grid` returns the settings, else the calls."""

    def labels(schedules):
        return list(drawn(js.plot(schedules, 9, Figure().add_subplot())))

    lines = [js.linear(1.0, 0.0, 5), js.linear(1.0, 0.0, 9), js.linear(1.0, 0.5, 9)]
    assert labels(lines) == [
        "steps=5, end_value=0.0",
        "steps=9, end_value=0.0",
        "steps=9, end_value=0.5",
    ]
    moves = [js.transition(1.0, 0.0, 5, shape=x) for x in ("cosine", "sqrt")]
    assert labels(moves) == ["shape='cosine'", "shape='sqrt'"]
    warm = [js.warmup(js.warmup(1.0, 2), 3), js.warmup(js.warmup(1.0, 4), 3)]
    assert labels(warm) == ["steps=2", "steps=4"]
    both = [js.warmup(js.warmup(1.0, 2), 3), js.warmup(js.warmup(1.0, 4), 5)]
    assert labels(both)[0] == "schedule.steps=2, steps=3"
    kinds = [js.linear(1.0, 0.0, 5), js.cosine(1.0, 0.0, 5)]
    assert [label.partition("(")[0] for label in labels(kinds)] == ["linear", "cosine"]
    grid = js.grid(js.warmup_linear, 1.0, total_steps=9, warmup_steps=[1, 2])
    assert labels(grid) == ["warmup_steps=1", "warmup_steps=2"]
    # A recipe by its arguments, also inside; of several kinds of it the calls.
    recipes = [js.warmup_linear(1.0, 9, warmup_steps=n) for n in (1, 2)]
    assert labels(recipes) == ["warmup_steps=1", "warmup_steps=2"]
    assert labels([js.cycle(s, 9) for s in recipes]) == labels(recipes)
    peers = [StepLR(0.1, step_size=n) for n in (3, 4)]
    assert labels(peers) == ["step_size=3", "step_size=4"]
    several = labels([*recipes, js.warmup_cosine(1.0, 9, 2)])
    assert [label.partition("(")[0] for label in several] == [
        "warmup_linear",
        "warmup_linear",
        "warmup_cosine",
    ]
    assert labels([*lines[:2], js.cycle(lines[0], 5)])[0].startswith("linear(")
    held = [js.cycle(s, 9) for s in (*lines[:2], kinds[1])]
    assert all("cycle(schedule=" in label for label in labels(held))
    # What is made of a recipe is no longer its call.
    changed = recipes[0].replace(begin=3, steps=6)
    assert labels([recipes[0], changed])[1].startswith("cooldown(")


@pytest.mark.parametrize("given", [False, True])
def test_steps_on_the_axis_are_whole_and_short(given):
    for steps, expected in ((3, {"1", "2"}), (10**6, {"200k", "1M"})):
        ax = Figure().add_subplot() if given else None
        ax = js.plot(js.linear(0.1, 0.0, steps), ax=ax)
        ax.figure.canvas.draw()
        assert expected <= {label.get_text() for label in ax.get_xticklabels()}
        assert all(tick == round(tick) for tick in ax.get_xticks())


def test_a_logarithmic_picture_of_nothing_is_refused():
    """Before anything is drawn; beside what can be seen it is left out."""
    ax = Figure().add_subplot()
    with pytest.raises(ValueError, match="log must be False, for no value is above 0"):
        js.plot(0.0, 10**6, ax, log=True)
    assert not ax.lines
    js.plot([0.0, 0.5], 10**6, ax, log=True)
    assert len(ax.lines[0].get_xdata()) < 10_000


@pytest.mark.parametrize(
    "look", [js.plot, js.describe, js.horizon, js.phases, js.to_optax, js.to_source]
)
def test_what_follows_a_metric_has_no_curve(look):
    reason = r"one that follows a metric .* schedule inside it, constant\(value=0\.1\)"
    with pytest.raises(TypeError, match=reason):
        look(js.reduce_on_plateau(0.1))


def test_what_ends_inside_an_endless_one_is_seen_to_its_end_and_not_far_beyond():
    assert 1000 < window([js.noise(js.cosine(0.1, 0.0, 1000), 0.1, seed=3)]) <= 1300
    on_a_clock = js.retime(js.cosine(1.0, 0.0, 100), js.polynomial(0.0, 100.0, 80))
    assert js.horizon(on_a_clock) == 80
    assert js.horizon(js.retime(js.cosine(1.0, 0.0, 100), lambda t: 2.0 * t)) is None


def test_a_schedule_that_a_recipe_hands_on_stays_what_it_is():
    """Only what the recipe returns is labelled by it, and equal to what it was."""
    held = js.linear(1.0, 0.0, 5)

    @js.recipe
    def handed_on(schedule: js.ScheduleLike):
        return schedule

    ax = js.plot(handed_on(held), 9, Figure().add_subplot())
    assert next(iter(drawn(ax))).startswith("handed_on(")
    assert next(iter(drawn(js.plot(held, 9, Figure().add_subplot())))).startswith(
        "linear"
    )
    assert handed_on(held) == held


def test_plot_of_one_has_a_title_and_of_several_a_legend_beside_them():
    """Nothing lies on the curves."""
    from matplotlib import pyplot

    one = js.plot(js.linear(3e-4, 0.0, 10))
    assert one.get_title() == "linear(init_value=0.0003, end_value=0.0, steps=10)"
    one.figure.canvas.draw()
    ticks = [label.get_text() for label in one.get_yticklabels()]
    assert {"1e-4", "3e-4"} <= set(ticks)
    thirteen = js.plot([js.linear(1.0, 0.0, n) for n in range(2, 15)])
    thirteen.figure.canvas.draw()
    legend = thirteen.get_legend().get_window_extent()
    assert legend.x0 > thirteen.get_window_extent().x1
    curves = [line for line in thirteen.lines if not line.get_label().startswith("_")]
    wide = js.plot(js.grid(js.warmup_linear, 1.0, 90, warmup_steps=[1, 2]).schedules)
    wide.figure.canvas.draw()
    below = wide.get_legend().get_window_extent()
    assert below.y1 < wide.get_window_extent().y0
    colors = [line.get_color() for line in curves]
    assert len(set(colors[:12])) == 12
    assert colors[12] == colors[0]
    assert curves[12].get_linestyle() != curves[0].get_linestyle()
    pyplot.close("all")


def test_plot_of_many_cycles_is_a_band(ax):
    """Between its lowest and its highest values; of few it is the curve."""
    js.plot(js.triangular(0.25, 1.0, up_steps=50, factor=0.999), 10**5, ax)
    assert len(ax.collections) == 1
    high, low = ax.lines[:2]
    x, y = high.get_data()
    np.testing.assert_allclose(y, 0.25 + 0.75 * 0.999 ** (x // 100), atol=0.02)
    np.testing.assert_allclose(low.get_ydata(), 0.25, atol=0.01)
    few = js.plot(js.triangular(0.25, 1.0, 50), 1000, Figure().add_subplot())
    assert not few.collections


def test_plot_style_and_scale(ax):
    """What matplotlib takes goes to the curves; values <= 0 are left out of a log scale."""
    js.plot(
        js.linear(1.0, 0.0, 10),
        ax=ax,
        log=True,
        boundaries=False,
        color="red",
        label="x",
    )
    assert ax.get_yscale() == "log"
    assert [(line.get_color(), line.get_label()) for line in ax.lines] == [("red", "x")]


@pytest.mark.parametrize("last", [0.0, 1e-9])
def test_plot_bends_on_a_log_scale_too(last, ax):
    """On the scale that is seen, the line is nowhere off by a hundredth of the height."""
    n = 10**7
    js.plot(js.cosine(1.0, last, n), ax=ax, log=True)
    x, y = ax.lines[0].get_data()
    assert len(x) < 10_000
    steps = np.arange(0, n - 1000, 997)
    exact = last + (1 - last) * np.sin(np.pi / 2 * (n - steps) / n) ** 2
    drawn = np.interp(steps, x[y > 0], np.log(y[y > 0]))
    height = np.log(1.0 / y[y > 0].min())
    assert np.abs(drawn - np.log(exact)).max() < 0.01 * height


@pytest.mark.parametrize(
    ("schedules", "error", "message"),
    [
        ([], ValueError, "plot: schedules must hold at least one"),
        ({"a": "b"}, TypeError, "plot: schedules a must be a schedule"),
        (None, TypeError, "plot: schedules must be a schedule"),
    ],
)
def test_plot_refuses(schedules, error, message):
    """Before a figure is opened."""
    with pytest.raises(error, match=message):
        js.plot(schedules)


def picture(schedule):
    """The points of the curve that a notebook shows, and what stands below it."""
    shown = schedule._repr_html_()
    svg = shown[shown.index("<svg") : shown.index("</svg>") + len("</svg>")]
    root = ElementTree.fromstring(svg)
    (line,) = root.iter("{http://www.w3.org/2000/svg}polyline")
    points = [tuple(map(float, pair.split(","))) for pair in line.get("points").split()]
    return np.array(points), shown[shown.index("<small>") :]


@pytest.mark.parametrize("case", ONE_OF_EACH, ids=str)
def test_every_schedule_shows_itself_in_a_notebook(case):
    """Its repr, and a curve within the picture."""
    points, _ = picture(case.schedule)
    assert repr(case.schedule)[:10] in case.schedule._repr_html_()
    assert np.all((points >= 4) & (points <= [316, 76]))


def test_notebook_curve():
    """From the top left to the bottom right; a beginning of what never ends."""
    points, text = picture(js.linear(0.5, 0.0, 10**6))
    assert points[[0, -1]].tolist() == [[4, 4], [316, 76]]
    np.testing.assert_allclose(
        points[:, 1], 4 + 72 * (points[:, 0] - 4) / 312, atol=0.1
    )
    assert text == "<small>steps 0 to 1,000,000, values 0 to 0.5</small>"
    assert "steps 0 to 1,699," in picture(js.warmup_inverse_sqrt(1.0, 100))[1]
    assert "steps 0 to 99," in picture(js.constant(1.0))[1]


def test_notebook_shows_some_of_a_stack_and_what_a_metric_drives():
    """In one picture; of many schedules twelve, from the first to the last."""
    few = js.stack([js.linear(value, 0.0, steps=5) for value in (1.0, 2.0)])
    assert few._repr_html_().count("<polyline") == 2
    assert "values 0 to 2, 2 of 2 schedules" in few._repr_html_()
    many = js.stack([js.linear(float(i), 0.0, steps=5) for i in range(1, 21)])
    assert many._repr_html_().count("<polyline") == 12
    assert "values 0 to 20, 12 of 20 schedules" in many._repr_html_()
    driven = js.reduce_on_plateau(js.greedy(js.linear(1.0, 0.0, 5)))
    assert "values 0 to 1, before any metric" in driven._repr_html_()
    both = js.stack([driven, driven.replace(factor=0.5)])
    assert "2 of 2 schedules, before any metric" in both._repr_html_()


def test_notebook_shows_text_where_there_is_no_curve():
    """Traced schedules, stacks of stacks and of none, shapes; text is text in HTML too."""
    seen = []
    jax.jit(lambda s: seen.append(s._repr_html_()) or 0)(js.linear(1.0, 0.0, 5))
    assert "<svg" not in seen[0]
    assert "&lt;traced" in seen[0]
    stacked = js.stack([js.linear(value, 0.0, steps=5) for value in (1.0, 2.0)])
    assert "<svg" not in js.stack([stacked, stacked])._repr_html_()
    assert "<svg" not in js.rex(beta=0.5)._repr_html_()


def test_explore_follows_its_sliders():
    """The call that it shows makes the schedule that it draws."""
    widget = js.explore(
        js.wsd,
        js.LogUniform(1e-4, 1e-2).low,
        total_steps=js.Choice([100, 200]),
        warmup_steps=js.Integer(0, 60),
        decay_steps=20,
        end_value=js.Uniform(0.0, 1.0),
    )
    total, ramp, end, shown = widget.children
    first = (
        "wsd(0.0001, total_steps=100, warmup_steps=30, decay_steps=20, end_value=0.5)"
    )
    assert first in shown.value
    assert "steps 0 to 100, values 0 to 0.5" in shown.value
    total.value, ramp.value, end.value = 200, 7, 0.12345
    assert (
        "total_steps=200, warmup_steps=7, decay_steps=20, end_value=0.1235"
        in shown.value
    )
    # The scale stays, so that the curve is seen to move.
    assert "steps 0 to 200, values 0 to 0.5" in shown.value
    total.value, ramp.value = 100, 60
    assert "steps 0 to 200, values 0 to 0.5" in shown.value


def test_explore_says_what_does_not_fit():
    """The widget lives on."""
    widget = js.explore(
        js.warmup_cosine, peak_value=js.LogUniform(1e-3, 1e-1), total_steps=9,
        warmup_steps=js.Integer(0, 10)
    )  # fmt: skip
    peak, ramp, shown = widget.children
    assert peak.value == pytest.approx(0.01)
    ramp.value = 10
    assert "warmup_steps must be &lt;= total_steps" in shown.value
    assert "<svg" not in shown.value
    ramp.value = 9
    assert "<svg" in shown.value


def test_explore_refuses_what_cannot_be_called():
    """A schedule already made, say a number."""
    with pytest.raises(TypeError, match="explore: factory must be callable"):
        js.explore(0.1)  # type: ignore[arg-type]
