"""Phases, descriptions and comparisons, against plain NumPy and what is known by hand."""

from xml.etree import ElementTree

import jax
import numpy as np
import optax
import pytest
from cases import CASES
from matplotlib.figure import Figure

import jaxsched as js

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
            js.reverse(js.warmup(js.linear(1.0, 0.0, 5), 3), 8),
            [("linear", 0, 5), ("warmup", 5, 8)],
        ),
        (
            js.cosine(1.0, 0.0, 10) * js.linear(1.0, 0.0, 20),
            [("cosine * linear", 0, 10), ("hold * linear", 10, 20)],
        ),
        (js.maximum(js.cosine(1.0, 0.0, 10), 0.1), [("cosine", 0, 10)]),
        (js.clip(js.cosine(1.0, 0.0, 10), 0.1), [("cosine", 0, 10)]),
        (js.retime(js.cosine(1.0, 0.0, 10), lambda t: 2 * t), [("retime", 0, None)]),
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


@pytest.mark.parametrize("case", CASES, ids=str)
def test_phases_follow_each_other_and_then_it_holds(case):
    """No gap, no overlap; from the horizon on nothing moves."""
    found = js.phases(case.schedule)
    end = js.horizon(case.schedule)
    assert [p.begin for p in found] == [0, *(p.end for p in found[:-1])][: len(found)]
    assert end == (found[-1].end if found else 0)
    if end is not None and case.name != "noise":
        held = case.schedule.at(end + np.array([0, 1, 2, 5, 100, 10_000]))
        assert np.all(held == held[0])


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
    warmup, cosine = found.phases
    assert (warmup.name, warmup.first, warmup.last) == ("warmup", 0, 99)
    assert (cosine.name, cosine.first, cosine.last) == ("cosine", 100, 599)
    assert warmup.share == pytest.approx(1 / 6)
    assert warmup.end_value == pytest.approx(0.099)
    assert cosine.init_value == pytest.approx(0.1)
    assert cosine.end_value == pytest.approx(values[-1], rel=CLOSE)


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


def test_sparkline_reaches_from_zero_to_the_peak():
    """One character for each step of a short run."""
    assert js.describe(js.linear(0.0, 7.0, 7), 8).sparkline == "▁▂▃▄▅▆▇█"
    assert js.describe(js.constant(0.0), 3).sparkline == "▁▁▁"
    assert js.describe(js.linear(1.0, -1.0, 4), 5).sparkline[-1] == "▁"
    assert len(js.describe(js.linear(0.0, 1.0, 10_000)).sparkline) == 60


def test_compare():
    """Where and by how much."""
    found = js.compare(js.linear(1.0, 0.0, 10), js.linear(1.0, 0.0, 5), total_steps=20)
    assert found.spans == ((1, 9),)
    assert found.largest == pytest.approx(-0.5)
    assert found.largest_step == 5
    assert found.values == (pytest.approx(0.5), 0.0)
    assert "they differ in steps 1 to 9" in str(found)
    alike = js.compare(0.1, js.constant(0.1), 1000)
    assert (alike.spans, alike.largest, alike.values) == ((), 0.0, None)
    assert str(alike) == "they are the same at all 1_000 steps"
    once = js.compare(
        js.multistep(1.0, [3], factor=0.5), js.multistep(1.0, [4], factor=0.5), 9
    )
    assert "they differ in steps 3\n" in str(once)


def test_compare_values_that_are_not_finite():
    """Infinity is not near to anything, but the same as itself."""

    def reciprocal(step):
        return 1.0 / jax.numpy.asarray(step, float)

    with jax.debug_nans(False):
        found = js.compare(reciprocal, 1.0, 3)
        assert found.spans == ((0, 0), (2, 2))
        assert (found.largest_step, found.values) == (0, (np.inf, 1.0))
        assert js.compare(reciprocal, reciprocal, 3).spans == ()


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
    assert "compared of 1_000_000_000" in str(js.compare(1.0, 1.0, 10**9))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: js.describe("cosine"), TypeError, "describe: schedule must be"),
        (lambda: js.describe(js.constant(1.0)), ValueError, "describe: total_steps"),
        (lambda: js.describe(js.linear(1, 0, 0)), ValueError, "describe: total_steps"),
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
        (
            lambda: js.describe(js.grid(js.linear, 1.0, 0.0, steps=[4, 5])),
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
    """Every step of a short run, its end included."""
    schedule = js.warmup_cosine(1.0, 100, 10)
    assert schedule.plot(ax=ax) is ax
    (points,) = drawn(ax).values()
    assert points[:, 0].tolist() == list(range(101))
    np.testing.assert_array_equal(points[:, 1], schedule.at(np.arange(101)))
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
    assert drawn(ax)["one"][-1].tolist() == [20, 0]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["one", "two"]
    both = js.plot([one, one], 5, ax=Figure().add_subplot())
    assert [label[:10] for label in drawn(both)] == ["0: linear(", "1: linear("]
    stacked = js.grid(js.linear, init_value=[1.0, 2.0], end_value=0.0, steps=[5, 9])
    family = js.plot(stacked, ax=Figure().add_subplot())
    assert list(drawn(family))[1] == "init_value=1, steps=9"
    ramps = js.grid(
        js.warmup_linear, peak_value=1.0, total_steps=9, warmup_steps=[1, 2]
    )
    family = js.plot(ramps, ax=Figure().add_subplot())
    assert list(drawn(family))[1] == "schedule.steps=7, steps=2"


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


def test_plot_of_zero_on_a_log_scale(ax):
    """Nothing to see, as Matplotlib says, and nothing to look for."""
    with pytest.warns(UserWarning, match="no positive values"):
        js.plot(0.0, 10**6, ax, log=True)
    assert len(ax.lines[0].get_xdata()) < 10_000


@pytest.mark.parametrize(
    ("schedules", "error", "message"),
    [
        ([], ValueError, "plot: schedules must hold at least one"),
        ({"a": "b"}, TypeError, "plot: schedules a must be a schedule"),
        (js.constant(1.0), ValueError, "plot: total_steps must be given"),
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


@pytest.mark.parametrize("case", CASES, ids=str)
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
    assert "steps 0 to 400," in picture(js.warmup_inverse_sqrt(1.0, 100))[1]
    assert "steps 0 to 1,000," in picture(js.constant(1.0))[1]


def test_notebook_shows_text_where_there_is_no_curve():
    """Stacked and traced schedules; text is text in HTML too."""
    stacked = js.grid(js.linear, init_value=[1.0, 2.0], end_value=0.0, steps=5)
    assert "<svg" not in stacked._repr_html_()
    seen = []
    jax.jit(lambda s: seen.append(s._repr_html_()) or 0)(js.linear(1.0, 0.0, 5))
    assert "<svg" not in seen[0]
    assert "&lt;traced" in seen[0]


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
