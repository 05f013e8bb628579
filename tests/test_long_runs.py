"""Runs that are too long to be looked at step by step: what is told of them is true.

With the limits set low a run is sampled that can be read to the last step, too.
"""

import jax.numpy as jnp
import numpy as np
import pytest
import users
from cases import thorough
from matplotlib.figure import Figure
from test_inspection import picture

import jaxsched as js
from jaxsched.inspection import samples

TOTAL = 200_000


@pytest.fixture
def sparse(monkeypatch):
    """As many samples of a run of 200,000 steps as else of one of 13,000,000."""
    monkeypatch.setattr(samples, "_EVERY", 1000)
    monkeypatch.setattr(samples, "_SAMPLES", 2**13)


def spike(at, length=1):
    """One value, and for some steps another."""
    return js.join([0.25, 1.0, 0.25], [at, at + length])


@js.schedule
def wave(step, period: js.Factor):
    """A user's rule that goes round, of whose cycles nothing is known."""
    return jnp.sin(step * (2 * jnp.pi / period)) + 1.5


def table(n):
    """More knots than phases, at random."""
    random = np.random.default_rng(n)
    knots = np.unique(random.integers(1, TOTAL, 40 + n // 50))
    return knots.tolist(), random.uniform(0.5, 1, len(knots) + 1).tolist()


def parts(n):
    """A long join, of cycles."""
    saws = [js.cycle(js.linear(1.0 + i / 99, 0.5, n), n + i) for i in range(12)]
    return js.join(saws, [1 + i * TOTAL // 13 for i in range(1, 12)])


# By a period of n steps; all are bounded, none is known to be the same in each cycle.
CURVES = {
    "triangular": lambda n: js.triangular(0.25, 1.0, n // 2, n - n // 2),
    "falling": lambda n: js.triangular(0.0, 1.0, n, factor=0.75),
    "rising": lambda n: js.triangular(0.5, 1.0, n, step_factor=1.00001),
    "restarts": lambda n: js.cosine_restarts(1.0, 0.0, n),
    "growing": lambda n: js.cosine_restarts(1.0, 0.1, n, length_factor=1.25),
    "limited": lambda n: js.cosine_restarts(1.0, 0.1, n, limit=40, peak_factor=1.1),
    "cycle": lambda n: js.cycle(js.warmup(js.cosine(1.0, 0.1, n), n // 7 + 1), n),
    "of a spike": lambda n: js.cycle(spike(n // 3), n),
    "of cycles": lambda n: js.cycle(js.triangular(0.0, 1.0, n // 9 + 1), n),
    "of floats": lambda n: js.cycle(js.linear(1.0, 0.0, n), n + 0.5, value_factor=0.9),
    "sum": lambda n: js.triangular(0.0, 1.0, n) + js.cycle(js.linear(1.0, 0.5, 7), 7),
    "product": lambda n: js.cosine(1.0, 0.5, TOTAL) * js.cycle(spike(n // 2), n),
    "stretched": lambda n: js.stretch(js.cycle(spike(n // 3), n), 1.5),
    "stairs": lambda n: js.staircase(js.cosine_restarts(1.0, 0.0, n), n // 5 + 1),
    "by epoch": lambda n: js.per(js.triangular(0.0, 1.0, 5), n),
    "chosen": lambda n: js.choose(1, [0.5, js.cycle(spike(n // 3), n)]),
    "retimed": lambda n: js.retime(js.triangular(0.0, 1.0, 3 * n), lambda t: 3.0 * t),
    "moved": lambda n: js.shift(js.delay(js.triangular(0.0, 1.0, n), 99), n // 3),
    "backwards": lambda n: js.reverse(js.cycle(spike(n // 3), n), TOTAL),
    "cooled": lambda n: js.cooldown(js.cycle(spike(n - 1), n), TOTAL - 99, 99),
    "noise": lambda n: js.noise(1.0, 0.1, seed=0, every=n + 30),
    "a user's": lambda n: users.damped(js.cycle(spike(n // 3), n), 0.5),
    "a user's, later": lambda n: users.late(js.cycle(spike(n // 3), n, limit=99), n),
    "a user's wave": lambda n: wave(float(n) + 0.25),
    "a callable's": lambda n: js.as_schedule(lambda t: jnp.abs(t % n - n // 2)),
    "clipped": lambda n: js.clip(js.triangular(0.0, 1.0, n), 0.125, 0.875),
    "values": lambda n: js.piecewise_constant(*table(n)),
    "lines": lambda n: js.piecewise_linear(table(n)[0], table(n)[1][1:]),
    "spline": lambda n: js.spline(table(n)[0], table(n)[1][1:]),
    "parts": parts,
}
PERIODS = (2, 50, 640, 65_536, 100_000)


@pytest.mark.parametrize("kind", thorough(CURVES, [*CURVES][::8]))
def test_a_sampled_run_has_the_peak_of_the_curve(kind, sparse):
    """The same as that of all steps: in descriptions, pictures and comparisons."""
    place = list(CURVES).index(kind)
    for n in (PERIODS[place % 5], PERIODS[(place + 2) % 5]):
        schedule = CURVES[kind](n)
        values = schedule.at(np.arange(TOTAL + 1))
        peak, low, height = values[:-1].max(), values[:-1].min(), np.ptp(values)
        near = {"rel": 1e-12, "abs": 1e-6 * height if kind == "a user's wave" else 0}
        found = js.describe(schedule, TOTAL)
        assert not found.is_exact
        assert found.peak_value == pytest.approx(peak, **near), n
        assert values[found.peak_step] == found.peak_value
        assert "█" in found.sparkline
        run = samples.samples(schedule, TOTAL)
        assert run.values.min() == pytest.approx(low, **near), n
        assert run.weights.sum() == TOTAL
        assert found.mean == pytest.approx(values[:-1].mean(), abs=0.05 * height)
        ax = js.plot(schedule, TOTAL, ax=Figure().add_subplot())
        curves = [line.get_ydata() for line in ax.lines if len(line.get_ydata()) > 2]
        points = np.concatenate(curves)  # one, or both edges of a band
        assert points.max() == pytest.approx(peak, **near), n
        assert points.min() == pytest.approx(low, **near), n
        most = js.compare(schedule, low - 1.0, TOTAL).largest
        assert most.first == pytest.approx(peak, **near), n


LONG = [
    (13_107_101, 50),
    (2**24, 64),
    (2 * 10**7, 2),
    (10**12, 100_000),
    (10**7, 65_536),
]


@pytest.mark.parametrize("run", thorough(LONG, []), ids=str)
def test_a_long_run_has_the_peak_that_is_known(run):
    """Of runs too long for anyone to look at."""
    total, n = run
    for schedule, peak, low in (
        (js.triangular(0.0, 1.0, n), 1.0, 0.0),
        (js.cycle(spike(n // 2), n), 1.0, 0.25),
        (js.cosine_restarts(1.0, 0.5, n, length_factor=1.5), 1.0, None),
        (js.triangular(0.0, 1.0, n) + js.cycle(spike(n // 2), n), None, None),
    ):
        found = js.describe(schedule, total)
        values = samples.samples(schedule, total).values
        assert peak in (None, found.peak_value)
        assert low in (None, values.min())
        assert found.peak_value == values.max() >= found.last_value


def test_what_deserves_attention_of_a_long_run_is_true():
    """The first step of its kind to the step, and how many about."""
    found = js.describe(js.linear(1.0, -1.0, 2 * 10**7)).attention
    (sentence,) = found
    assert sentence.startswith(("about 9_999_9", "about 10_000_0"))
    assert sentence.endswith("steps are negative, the first at step 10_000_001")
    found = js.describe(js.triangular(0.0, 1.0, 50), 10**7)
    assert "the first update is spent at 0" in found.attention
    assert any("the first at step 100" in sentence for sentence in found.attention)
    rises = js.describe(js.triangular(0.0, 1.0, 50) + 0.5, 10**7 + 1).attention
    assert rises == ("after the run it rises again, from 0.5 to 1.5",)


def test_compare_tells_stretches_of_a_long_run_to_the_step():
    """Where they begin and end; and a difference of one step in each cycle is seen."""
    one = js.join([0.5, 0.75, 0.5], [1_234_567, 7_654_321])
    found = js.compare(one, 0.5, 10**7)
    assert found.spans == ((1_234_567, 7_654_320),)
    curve = js.linear(1.0, 0.0, 10**7)
    found = js.compare(curve, js.maximum(curve, 0.5), 10**7, rtol=0.0)
    assert found.spans == ((5_000_001, 10**7 - 1),)
    saw = js.cycle(spike(77), 1000)
    found = js.compare(saw, 0.25, 10**8)
    assert (found.largest.first, len(found.spans) > 100) == (1.0, True)


@pytest.mark.parametrize("total", thorough([2**62 - 1, 2**62], [2**62]))
def test_the_longest_run_is_described(total):
    """To the last step there is."""
    for schedule in (js.triangular(0.0, 1.0, 50), js.noise(0.5, 0.1, seed=0)):
        found = js.describe(schedule, total)
        assert found.peak_value > 0.5
        assert "<svg" in schedule._repr_html_()
        most = js.compare(schedule, 0.1, total).largest.first
        assert most == pytest.approx(found.peak_value, rel=1e-4)


def test_a_notebook_shows_cycles():
    """Some of them, however long they are."""
    points, text = picture(js.triangular(0.0, 1.0, 50_000))
    assert "values 0 to 1<" in text
    assert len(points) > 8
