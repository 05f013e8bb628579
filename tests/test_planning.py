"""Planning: against the authors' numbers, brute force, and double sums."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from cases import float_dtype, thorough

import jaxsched as js
from jaxsched import planning

EPS = float(np.finfo(float_dtype()).eps)
ROUNDING = 30 * EPS  # of sums, quotients and roots, one after another

# Equal to those of the authors' code: best bound and best factor at distance 1, norms 1.
WORKED = {
    (60, "constant"): (0.3072242326, 0.0542491929),
    (60, "1/sqrt"): (0.2816850421, 0.2518483576),
    (60, "cosine"): (0.2726997366, 0.1202307184),
    (60, "wsd"): (0.2910300140, 0.0630471875),
    (60, "wsd, 1-sqrt"): (0.2862603965, 0.0664679016),
    (60, "linear"): (0.2648088366, 0.1238134107),
    (100, "constant"): (0.2485433064, 0.0402344370),
    (100, "1/sqrt"): (0.2253135895, 0.2387495047),
    (100, "cosine"): (0.2091143516, 0.0946945059),
    (100, "wsd"): (0.2230275791, 0.0495442035),
    (100, "wsd, 1-sqrt"): (0.2187131995, 0.0524268060),
    (100, "linear"): (0.2036084162, 0.0972552145),
}


def shapes(n, height=1.0):
    return {
        "constant": js.constant(height),
        "1/sqrt": js.inverse_sqrt_decay(height, timescale=1),
        "cosine": js.cosine(height, 0.0, n),
        "wsd": js.wsd(height, n, 0, n // 5),
        "wsd, 1-sqrt": js.wsd(height, n, 0, n // 5, shape="one_minus_sqrt"),
        "linear": js.linear(height, 0.0, n),
    }


def double_sum(rates, distance=1.0, norms=1.0):
    """The bound as its theorem has it, in O(T^2) and in float64."""
    e = np.asarray(rates, np.float64)
    g = np.broadcast_to(np.asarray(norms, np.float64), e.shape)
    whole = (distance**2 + np.sum(e**2 * g**2)) / (2 * np.sum(e))
    for k in range(len(e) - 1):
        tail, after = np.sum(e[k:]), np.sum(e[k + 1 :])
        whole += 0.5 * e[k] / after * np.sum(e[k:] ** 2 * g[k:] ** 2) / tail
    return whole


@pytest.mark.parametrize(("n", "name"), WORKED)
def test_the_worked_values(n, name):
    bound, factor = WORKED[n, name]
    s = shapes(n)[name]
    np.testing.assert_allclose(planning.best_bound(s, n), bound, rtol=ROUNDING + 1e-9)
    np.testing.assert_allclose(planning.best_factor(s, n), factor, rtol=ROUNDING + 1e-8)


@pytest.mark.parametrize("name", shapes(10))
@pytest.mark.parametrize("distance", [1.0, 3.0])
def test_the_bound_is_the_theorems(name, distance):
    """Its double sum, with a norm for each step, and for one number."""
    rng = np.random.default_rng(0)
    n, s = 50, 0.3 * shapes(50)[name]
    for norms in (None, 2.0, rng.uniform(0.5, 2.0, n)):
        found = planning.last_iterate_bound(s, n, distance=distance, grad_norms=norms)
        used = 1.0 if norms is None else norms
        expected = double_sum(s.at(np.arange(n)), distance, used)
        np.testing.assert_allclose(found, expected, rtol=ROUNDING)


@pytest.mark.parametrize("name", shapes(10))
def test_best_is_best(name):
    """By the double sum: at the best factor, and (c + 1/c) / 2 away from it."""
    n, s = 40, shapes(40)[name]
    rates = s.at(np.arange(n))
    factor = float(planning.best_factor(s, n, distance=2.0))
    bound = float(planning.best_bound(s, n, distance=2.0))
    for c in (0.5, 1.0, 3.0):
        expected = bound * (c + 1 / c) / 2
        found = double_sum(c * factor * rates, 2.0)
        np.testing.assert_allclose(found, expected, rtol=ROUNDING)
    distance = planning.implied_distance(s, n)
    again = planning.best_factor(s, n, distance=distance)
    np.testing.assert_allclose(again, 1.0, rtol=ROUNDING)


def test_closed_forms():
    """Of a constant and of a line to 0."""
    n = 1000
    harmonic = np.sum(1 / np.arange(1.0, n))
    constant = np.sqrt((1 + harmonic) / n)
    linear = np.sqrt(2 / (n + 1) * (2 + (2 * harmonic - 1) / n))
    np.testing.assert_allclose(planning.best_bound(1.0, n), constant, rtol=ROUNDING)
    found = planning.best_bound(js.linear(1.0, 0.0, n), n)
    np.testing.assert_allclose(found, linear, rtol=ROUNDING)


@pytest.mark.parametrize(("n", "bound"), [(44_000, 0.0095357), (10**6, 0.0020000)])
def test_long_runs_keep_their_digits(n, bound):
    """Where differences of running sums are noise."""
    for height in (1.0, 1e-25):
        found = planning.best_bound(js.linear(height, 0.0, n), n)
        np.testing.assert_allclose(found, bound, rtol=1e-5)  # as the number is printed
    wsd = planning.best_bound(js.wsd(1.0, n, 0, n // 5), n)
    if n == 44_000:
        np.testing.assert_allclose(wsd, 0.0102977, rtol=1e-5)


def test_transfer():
    wsd = js.wsd(1.0, 4000, 0, 800)
    cosine = js.cosine(1.0, 0.0, 4000)
    found = planning.transfer_factor(wsd, cosine, 4000)
    np.testing.assert_allclose(found, 1.8896, rtol=3e-5)  # as the number is printed
    longer = js.wsd(1.0, 8000, 0, 1600)
    found = planning.transfer_factor(wsd, longer, 4000, 8000)
    np.testing.assert_allclose(found, 0.7078, rtol=7e-5)
    half = planning.transfer_factor(0.5 * wsd, cosine, 4000)  # heights count
    np.testing.assert_allclose(half, 0.5 * 1.8896, rtol=3e-5)


def test_gradients_choose_a_cooldown():
    """By the length of the cool-down, against differences of the double sum."""
    n = 60

    def bound(steps):
        return planning.best_bound(js.wsd(1.0, n, 0, steps), n)

    def reference(steps):
        rates = js.wsd(1.0, n, 0, steps).at(np.arange(n))
        factor = 1 / np.sqrt(2 * double_sum(rates, 0.0) * np.sum(rates))
        return double_sum(factor * rates)

    slope = (reference(20.501) - reference(20.499)) / 0.002
    np.testing.assert_allclose(jax.grad(bound)(20.5), slope, rtol=2e-3)
    by_height = jax.grad(lambda v: planning.best_bound(js.linear(v, 0.0, n), n))(2.0)
    np.testing.assert_allclose(by_height, 0.0, atol=1e-6)  # it does not depend on it


def test_one_program_scores_a_grid():
    grid = js.grid(js.wsd, 1.0, 60, warmup_steps=0, decay_steps=[6, 12, 30])
    found = jax.jit(jax.vmap(lambda s: planning.best_bound(s, 60)))(grid.schedules)
    expected = [planning.best_bound(js.wsd(1.0, 60, 0, n), 60) for n in (6, 12, 30)]
    np.testing.assert_allclose(found, expected, rtol=ROUNDING)


@pytest.mark.parametrize("steps", [0, 5, 8, 9])
def test_traced_the_bound_may_be_infinite_but_not_nan(steps):
    def all_of_them(value, steps):
        s = js.linear(value, 0.0, steps)
        return (
            planning.last_iterate_bound(s, 10),
            planning.best_bound(s, 10),
            planning.best_factor(s, 10),
            planning.implied_distance(s, 10),
            planning.transfer_factor(s, 1.0, 10),
            planning.transfer_factor(1.0, s, 10),
        )

    for value in (1.0, 0.0):
        bound, best, factor, distance, there, back = jax.jit(all_of_them)(value, steps)
        assert bound == best == distance == there == jnp.inf
        assert factor == back == 0
    slope = jax.jit(jax.grad(lambda v: all_of_them(v, steps)[1]))(1.0)
    assert not jnp.isnan(slope)


# ----- ranking -----


def test_rank():
    """Each at its own height; factors relative to the first given."""
    n = 100
    ranking = planning.rank(shapes(n, height=7.0), n)
    by_bound = sorted(shapes(n), key=lambda name: WORKED[n, name][0])
    assert [row.name for row in ranking] == by_bound
    for row in ranking:
        np.testing.assert_allclose(row.bound, WORKED[n, row.name][0], rtol=1e-9)
        relative = WORKED[n, row.name][1] / WORKED[n, "constant"][1]
        np.testing.assert_allclose(row.factor, relative, rtol=1e-7)
    assert len(ranking) == 6
    assert ranking.best == ranking[0] == ranking["linear"]
    assert ranking[1:3] == ranking.rows[1:3]
    assert len(str(ranking).splitlines()) == 7
    with pytest.raises(KeyError, match="there is no 'sine'; there are 'linear'"):
        ranking["sine"]


def test_equal_bounds_keep_their_order_and_lists_have_their_texts():
    one, two = js.linear(1.0, 0.0, 10), js.linear(3.0, 0.0, 10)
    assert [row.schedule for row in planning.rank([two, one], 10)] == [two, one]
    assert planning.rank([two, one], 10)[1].name == repr(one)


def test_norms_change_the_order():
    """Late gradients that are large make a late decay better."""
    n = 100
    two = {"constant": js.constant(1.0), "linear": js.linear(1.0, 0.0, n)}
    assert planning.rank(two, n).best.name == "linear"
    falling = np.geomspace(1.0, 1e-3, n)
    assert planning.rank(two, n, grad_norms=falling).best.name == "constant"


# ----- cool-downs and extensions -----


def test_best_cooldown_is_the_best_of_all():
    n = 60
    for s, distance in (
        (js.constant(1.0), 10.0),
        (js.constant(1.0), 3.0),
        (js.inverse_sqrt_decay(1.0, 1), 2.0),
        (js.cycle(js.linear(1.0, 0.25, 15), 15), 5.0),
    ):
        found = planning.best_cooldown(s, n, distance=distance)
        all_of_them = [
            double_sum(js.cooldown(s, b, n - b).at(np.arange(n)), distance)
            for b in range(n)
        ]
        assert (found.begin, found.steps) == (
            int(np.argmin(all_of_them)),
            n - int(np.argmin(all_of_them)),
        )


@pytest.mark.parametrize(
    ("height", "share"), [(0.25, 0.05), (0.5, 0.15), (1.0, 0.4), (2.0, 1.0), (4.0, 1.0)]
)
def test_the_hotter_the_longer(height, share):
    """The published shares are of a grid of 0.05."""
    n = 4000
    tuned = js.wsd(1.0, n, 0, 800)
    distance = planning.implied_distance(tuned, n)
    found = planning.best_cooldown(height, n, distance=distance)
    assert abs(found.steps / n - share) <= 0.026


def test_long_cooldowns_are_found_too():
    """From coarse to fine: no neighbour is better."""
    n = 3000
    found = planning.best_cooldown(
        1.0, n, distance=300.0, shape="one_minus_sqrt", end_value=0.01
    )
    assert found.end_value == 0.01

    def bound(b):
        made = js.cooldown(1.0, b, n - b, 0.01, shape="one_minus_sqrt")
        return double_sum(made.at(np.arange(n)), 300.0)

    assert found.begin > 0
    assert bound(found.begin) <= min(bound(found.begin - 1), bound(found.begin + 1))


EXTENDED = {
    6000: (0.446, 1.0, 0.637),
    8000: (0.6, 0.975, 0.533),
    16_000: (0.8, None, 0.375),
}


@pytest.mark.parametrize("new", EXTENDED)
def test_extend(new):
    """The worked shares, factors and heights; all are the tuned run before `at`."""
    tuned = js.wsd(2.0, 4000, 0, 800)
    ways = planning.extend(tuned, 4000, new, at=3200)
    share, factor, lower = EXTENDED[new]
    longer = ways["longer cool-down"]
    assert longer.schedule.steps / new == pytest.approx(share, abs=6e-4)
    if factor is not None:
        assert longer.factor == pytest.approx(factor, abs=6e-4)
    plateau = ways["lower plateau"]
    assert plateau.schedule.at(3300) / 2.0 == pytest.approx(lower, abs=6e-4)
    assert plateau.factor == pytest.approx(1.0, abs=1e-9)
    assert ways["same cool-down"].schedule.steps == new // 5
    steps, distance = np.arange(new), float(planning.implied_distance(tuned, 4000))
    for way in ways:
        now = np.arange(3200)
        np.testing.assert_array_equal(way.schedule.at(now), tuned.at(now))
        assert way.schedule.at(new) == 0
        # O(T^2) once; the tail sums stand for the rest
        if new == 6000:
            expected = double_sum(way.schedule.at(steps), distance)
            assert way.bound == pytest.approx(expected, rel=20 * EPS + 1e-9)
    assert [way.bound for way in ways] == sorted(way.bound for way in ways)
    assert any("jumps at step 3200 from 2 to" in note for note in ways.notes)
    assert any("earlier checkpoint" in note for note in ways.notes) == (new > 6000)


def test_extend_a_fresh_run():
    tuned = js.wsd(1.0, 4000, 0, 800)
    ways = planning.extend(tuned, 4000, 8000, at=0, decay_steps=800)
    longer = ways["longer cool-down"].schedule.steps
    assert longer / 8000 == pytest.approx(0.633, abs=6e-4)
    assert not ways.notes


def test_a_finished_cosine_warns():
    with pytest.warns(UserWarning, match=r"at=3900 .* fallen to 0% of its peak"):
        planning.extend(js.cosine(1.0, 0.0, 4000), 4000, 8000, at=3900)


# ----- refinement -----


def test_refine():
    """Equal norms, the worked ones, and norms of any size."""
    assert planning.refine(np.ones(50)) == js.linear(1.0, 0.0, 50)
    expected = [0.073661, 0.285714, 1, 0.857143, 0.714286, 0.571429]
    expected += [0.428571, 0.285714, 0.142857, 0]
    for scale in (1.0, 1e-15, 1e30):
        s = planning.refine(np.array([4, 2, 1, 1, 1, 1, 1, 1, 1]) * scale)
        np.testing.assert_allclose(s.at(np.arange(10)), expected, atol=6e-7)
    assert s.at(20) == 0


def test_refined_schedules_have_the_least_bound_of_their_kind():
    """(D^2 + sum w^2 G^2) / (2 sum w) is least for w = G^-2; the rank agrees."""
    norms = np.concatenate([np.geomspace(10.0, 1.0, 30), np.ones(90)])
    candidates = {
        "refined": planning.refine(norms, smoothing=0.0),
        "linear": js.linear(1.0, 0.0, 120),
        "power 1": planning.refine(norms, power=1.0, smoothing=0.0),
    }
    assert planning.rank(candidates, 120, grad_norms=norms).best.name == "refined"


def test_smoothing_is_a_running_median():
    norms = np.ones(40)
    norms[[5, 20]] = 100.0
    assert planning.refine(norms) == js.linear(1.0, 0.0, 40)
    assert planning.refine(norms, smoothing=0.0) != js.linear(1.0, 0.0, 40)


@pytest.mark.parametrize("order", [1, 2])
def test_norms_are_recorded_in_a_run(order):
    """In jit and scan, in blocks, from a state of zeros, and no more than asked."""
    total, slots = 21, 6
    optimizer = optax.chain(
        planning.record_grad_norms(total, slots=slots), optax.sgd(0.1)
    )
    params = {"w": jnp.ones((2, 3)), "b": jnp.zeros(2)}
    state = jax.tree.map(jnp.zeros_like, optimizer.init(params))

    def update(state, scale):
        grads = jax.tree.map(lambda x: scale * jnp.ones_like(x), params)
        return optimizer.update(grads, state, params)[1], None

    scales = jnp.arange(1.0, total + 6)
    state, _ = jax.jit(lambda state: jax.lax.scan(update, state, scales))(state)
    found = planning.recorded_grad_norms(state, total, slots=slots, order=order)
    size = 8.0 if order == 1 else 8**0.5
    blocks = [np.arange(1.0, total + 1)[k : k + 4] for k in range(0, total, 4)]
    expected = np.concatenate([np.full(len(b), b.mean()) for b in blocks]) * size
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert planning.refine(found).at(total) == 0


def test_half_a_run_is_recorded_too():
    recorder = planning.record_grad_norms(100)
    state = recorder.init(jnp.ones(2))
    for scale in (1.0, 1e30, 3.0):
        _, state = recorder.update(jnp.array([3.0, 4.0]) * scale, state)
    found = planning.recorded_grad_norms(state, 100)
    np.testing.assert_allclose(found, [5, 5e30, 15], rtol=1e-6)


# ----- laws -----

PUBLISHED = planning.MultiPowerLaw(
    2.37474466, 0.65421216, 0.42878731, 523.42464371, 2.02462735, 0.59350493, 0.63472457
)
RAMP = js.linear(0.0, 3e-4, 2159)


def test_the_published_law():
    """400M parameters: a cosine and a constant, as their code computes them."""
    cosine = js.join([RAMP, js.cosine(3e-4, 3e-5, 24_000 - 2160)], [2160])
    constant = js.join([RAMP, 3e-4], [2160])
    # Of seven digits; a gain of a third is a sum of thousands in single precision.
    np.testing.assert_allclose(PUBLISHED.predict(cosine, 23_921), 2.757200, rtol=1e-6)
    np.testing.assert_allclose(PUBLISHED.predict(constant, 71_937), 2.707595, rtol=1e-6)


def multi_power(law, rates, n, ramp=0):
    """The law term by term."""
    e = np.asarray(rates, np.float64)
    loss = law.L0 + law.A * np.sum(e[:n]) ** -law.alpha
    for k in range(1, n):
        if k > ramp:
            if e[k] > 0:
                grown = 1 + law.C * e[k] ** -law.gamma * np.sum(e[k:n])
            else:
                grown = np.inf if np.sum(e[k:n]) > 0 else 1.0
            loss -= law.B * (e[k - 1] - e[k]) * (1 - grown**-law.beta)
    return loss


MPL = planning.MultiPowerLaw(2.0, 0.5, 0.5, 0.3, 2.0, 0.6, 0.5)
ANNEALING = planning.AnnealingLaw(2.0, 0.5, 0.5, 0.02, momentum=0.9)
CURVES = [
    js.wsd(1.0, 40, 5, 20),
    js.cosine_restarts(1.0, 0.125, 10),
    js.join([1.0, 0.0, 0.5], [10, 20]),
    js.constant(0.5),
]


@pytest.mark.parametrize("ramp", [0, 12])
@pytest.mark.parametrize("s", CURVES, ids=lambda s: s._rule.name)
def test_laws_are_their_sums(s, ramp):
    steps = np.array([[40, 3], [1, 25]])
    rates = s.at(np.arange(40))
    expected = [[multi_power(MPL, rates, n, ramp) for n in row] for row in steps]
    found = MPL.predict(s, steps, ramp)
    np.testing.assert_allclose(found, expected, rtol=ROUNDING)

    def annealed(n):
        gained = sum(
            (rates[k - 1] - rates[k]) * (1 - 0.9 ** (n - k)) / (1 - 0.9)
            for k in range(ramp + 1, n)
        )
        return 2.0 + 0.5 * np.sum(rates[:n]) ** -0.5 - 0.02 * gained

    expected = [[annealed(n) for n in row] for row in steps]
    found = ANNEALING.predict(s, steps, warmup_steps=ramp)
    np.testing.assert_allclose(found, expected, rtol=ROUNDING)


def test_the_worked_annealing():
    """S1 = 5.5, S2 = 5.483532953846 to its last digit, each fall by itself."""
    law = planning.AnnealingLaw(1.0, 1.0, 1.0, 1.0)
    found = law.predict(js.linear(1.0, 0.0, 10), 11)
    summed = math.fsum(0.1 * 0.999**j for k in range(1, 11) for j in range(11 - k))
    assert round(summed, 12) == 5.483532953846
    np.testing.assert_allclose(found, 1 + 1 / 5.5 - summed, rtol=ROUNDING)


@pytest.mark.parametrize(
    "law", thorough([MPL, ANNEALING], [MPL]), ids=["MultiPowerLaw", "AnnealingLaw"]
)
def test_laws_are_traced(law):
    """In jit, mapped, and differentiated by a cool-down and by the law."""

    def loss(law, steps):
        return law.predict(js.wsd(1.0, 40, 5, steps), 40)

    plain = loss(law, 15.5)
    np.testing.assert_allclose(jax.jit(loss)(law, 15.5), plain, rtol=ROUNDING)
    many = jax.vmap(loss, (None, 0))(law, jnp.array([5.5, 15.5]))
    np.testing.assert_allclose(many[1], plain, rtol=ROUNDING)
    by_law, by_steps = jax.grad(loss, (0, 1))(law, 15.5)
    assert all(np.all(np.isfinite(x)) for x in jax.tree.leaves((by_law, by_steps)))
    assert by_law.L0 == 1


@pytest.mark.parametrize(
    "law",
    thorough([MPL, ANNEALING], [MPL]),
    ids=["MultiPowerLaw", "AnnealingLaw"],
)
def test_a_noise_free_law_is_found_again(law):
    """Judged by a run that the fit was not given."""
    steps = np.arange(10, 201, 10)
    curves = [
        js.warmup_cosine(1.0, 200, 10, end_value=0.1),
        js.warmup_constant(1.0, 10),
        js.join([js.warmup_constant(1.0, 10), 0.25], [100]),
    ]
    unseen = js.wsd(1.0, 200, 10, 60)

    def runs(curves):
        rates = {s: s.at(np.arange(200)) for s in curves}
        if law is MPL:
            losses = [[multi_power(law, rates[s], n) for n in steps] for s in curves]
        else:
            losses = [np.asarray(law.predict(s, steps)) for s in curves]
        return [(s, steps, y) for s, y in zip(curves, losses, strict=True)]

    start = planning.AnnealingLaw(1.0, 1.0, 1.0, 0.1, momentum=0.9)
    if law is MPL:
        start = planning.MultiPowerLaw(1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5)
    fit = planning.fit_law(start, runs(curves), progress=False)
    [residuals] = planning.law_residuals(fit, runs([unseen]))
    assert np.abs(residuals).max() < (1e-6 if law is MPL else 2e-6)


def test_plots_of_laws():
    runs = {"wsd": (CURVES[0], [10, 5, 40], [2.5, 2.75, 2.25])}
    ax = planning.plot_law(MPL, runs)
    assert [line.get_label() for line in ax.lines] == ["wsd", "wsd, predicted"]
    ax.figure.draw_without_rendering()  # places all
    legend, axes = ax.get_legend().get_window_extent(), ax.get_window_extent()
    assert legend.x0 > axes.x1 or legend.y1 < axes.y0  # hides nothing
    assert len(planning.plot_law(MPL, list(runs.values()), ax).lines) == 4
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), [5, 10, 40])


# ----- what follows the loss, or the rate -----


def test_loss_warmup_is_the_papers():
    """D / (K0 + K1 D + K2 D^2), with the constants as the paper gives them."""
    peak, least, top, d = 0.3, 0.5, 2.0, 8.0
    driven = planning.loss_warmup(peak, top, least_loss=least, first_factor=d)
    state = driven.init()
    np.testing.assert_allclose(driven(state), peak / d, rtol=ROUNDING)
    losses = [9.0, 7.0, 7.5, float("nan"), 4.0, 2.0, 1.0]
    first, last = losses[0] - least, top - least
    k2 = first * (d - 1) / (peak * (first - last) ** 2)
    k0, k1 = k2 * last**2, 1 / peak - 2 * k2 * last
    for loss in losses:
        before = driven(state)
        state = driven.update(state, value=loss)
        gap = loss - least
        expected = gap / (k0 + k1 * gap + k2 * gap**2)
        expected = before if np.isnan(loss) else expected
        np.testing.assert_allclose(driven(state), expected, rtol=10 * ROUNDING)
    state = driven.update(driven.init(), value=1.5)  # there is no warm-up to make
    np.testing.assert_allclose(driven(state), peak, rtol=ROUNDING)


@pytest.mark.parametrize(
    ("follows", "power"), [("nothing", 0), ("rate", 1), ("square", 2)]
)
def test_weight_decay_follows_the_rate(follows, power):
    """What AdamW takes of the weights at each update, by Optax itself."""
    rate = js.linear(0.5, 0.0, 4)
    decay = planning.following_weight_decay(rate, 0.25, 0.5, follows=follows)
    optimizer = optax.adamw(rate, weight_decay=decay)
    params = jnp.ones(1)
    state = optimizer.init(params)
    with jax.numpy_dtype_promotion("standard"):
        for step in range(5):
            updates, state = optimizer.update(jnp.zeros(1), state, params)
            now = float(rate.at(step))
            expected = 0.25 * 0.5 * (now / 0.5) ** power if now else 0.0
            np.testing.assert_allclose(-updates[0], expected, rtol=1e-5, atol=1e-12)


# ----- exact maps -----


@pytest.mark.parametrize(
    "decay", [[0.8, 0.6, 0.4, 0.2], [1.0, 0.5, 0.5, 0.0], [0.3], np.linspace(1, 0, 9)]
)
def test_merging_is_a_decay(decay):
    """Checkpoints of a constant run averaged, against the updates multiplied."""
    rng = np.random.default_rng(1)
    start, stretches = rng.normal(size=3), rng.normal(size=(len(decay), 3))
    checkpoints = np.cumsum([start, *stretches], axis=0)
    weights = planning.merge_weights(decay)
    decayed = start + np.asarray(decay) @ stretches
    np.testing.assert_allclose(weights @ checkpoints, decayed, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.sum(weights), 1.0, rtol=ROUNDING)
    np.testing.assert_allclose(planning.decay_of_merge(weights), decay, atol=ROUNDING)


def test_the_plain_mean_is_a_linear_decay():
    np.testing.assert_allclose(
        planning.merge_weights([0.8, 0.6, 0.4, 0.2]), [0.2] * 5, rtol=2 * ROUNDING
    )


@pytest.mark.parametrize("s", [js.constant(0.05), js.linear(0.05, 0.0, 1000)])
def test_update_weights_are_those_of_the_recursion(s):
    """X <- (1 - a) x + a u, run for each update alone."""
    rates = s.at(np.arange(1000)) * 0.1
    shares = np.zeros(1000)
    for k in range(1000):
        shares *= 1 - rates[k]
        shares[k] = rates[k]
    found = planning.update_weights(s, 1000, 0.1)
    np.testing.assert_allclose(found, shares, rtol=3e-4 if EPS > 1e-10 else 1e-10)
    window = np.sum(shares) ** 2 / np.sum(shares**2)
    found = planning.effective_window(s, 1000, 0.1)
    np.testing.assert_allclose(found, window, rtol=1e-4 if EPS > 1e-10 else 1e-10)


def test_worked_windows():
    for s, window, initial in (
        (js.constant(0.05), 393.7, 0.006654),
        (js.linear(0.05, 0.0, 1000), 866.6, 0.081538),
    ):
        shares = planning.update_weights(s, 1000, 0.1)
        assert 1 - float(shares.sum()) == pytest.approx(initial, abs=2e-6)
        found = planning.effective_window(s, 1000, 0.1)
        assert float(found) == pytest.approx(window, abs=0.06)
    assert int(jnp.argmax(shares)) == 553


def test_a_run_without_updates_remembers_none():
    assert planning.effective_window(0.0, 5, 0.1) == 0


def test_a_share_of_1_forgets_all_before():
    s = js.join([0.5, 1.0, 0.5], [2, 3])
    np.testing.assert_allclose(
        planning.update_weights(s, 5, 1.0), [0, 0, 0.25, 0.25, 0.5]
    )


# ----- seesaw -----


@pytest.mark.parametrize("cap", [None, 256])
def test_seesaw_does_what_the_decay_does(cap):
    """Rate / sqrt(batch) is the reference's at every step; nothing before `begin`."""
    reference = js.warmup_cosine(1.0, 1000, 100)
    rate, batch = planning.seesaw(reference, 64, begin=100, max_batch_size=cap)
    steps = np.arange(1000)
    expected = reference.at(steps)
    got = rate.at(steps) / np.sqrt(batch.at(steps) / 64)
    np.testing.assert_allclose(got, expected, rtol=1e-12)
    np.testing.assert_array_equal(rate.at(steps[:101]), expected[:101])
    np.testing.assert_array_equal(batch.at(steps[:101]), np.full(101, 64.0))
    assert rate.at(1000) == 0
    assert batch.at(1000) == (np.inf if cap is None else cap)
    if cap is None:
        np.testing.assert_allclose(rate.at(steps[100:]), np.sqrt(expected[100:]))
        updates = np.sum(64 / batch.at(steps[100:]))
        assert updates / 900 == pytest.approx(0.5, abs=1e-3)
    else:
        assert np.max(batch.at(steps)) == cap
    assert js.parse(repr(rate)) == rate
    assert js.to_source(rate)


def test_seesaw_is_traced():
    def rate(value, batch_size):
        made, batch = planning.seesaw(js.linear(value, 0.0, 8), batch_size)
        return made(6), batch(6)

    np.testing.assert_allclose(jax.jit(rate)(1.0, 64.0), (0.5, 256.0), rtol=1e-6)


@pytest.mark.parametrize(
    ("s", "b", "kind", "power", "factor"),
    [
        (1.0, 2.0, "polynomial", 3.0, 8 ** -(0.5 / 1.5)),
        (0.5, 2.0, "polynomial", 3.0, 1.0),
        (0.4, 2.0, "wsd", None, 1.0),
        (2.0, 1.5, "polynomial", 2.0, 8 ** -((1 + 2 / 3) / (2 + 2 / 3))),
    ],
)
def test_best_shape(s, b, kind, power, factor):
    found = planning.best_shape(s, b, length_factor=8)
    assert found[:2] == (kind, power)
    assert found.peak_factor == pytest.approx(factor)


# ----- bad input -----

LINE = js.linear(1.0, 0.0, 10)
BAD = {
    "ends in 0": (lambda: planning.best_bound(LINE, 11), ValueError, "step, 10"),
    "negative": (
        lambda: planning.best_bound(js.linear(1.0, -1.0, 10), 10),
        ValueError,
        "at step 6",
    ),
    "no steps": (lambda: planning.best_bound(LINE, 0), ValueError, "total_steps must"),
    "true": (lambda: planning.best_bound(LINE, True), TypeError, "total_steps must"),
    "half": (lambda: planning.best_bound(LINE, 2.5), TypeError, "total_steps must"),
    "distance": (
        lambda: planning.last_iterate_bound(LINE, 10, distance=0.0),
        ValueError,
        "last_iterate_bound: distance must be > 0, got distance=0.0",
    ),
    "norms of another length": (
        lambda: planning.best_factor(LINE, 10, grad_norms=[1.0] * 9),
        ValueError,
        "one for each of 10 steps",
    ),
    "negative norms": (
        lambda: planning.best_factor(LINE, 10, grad_norms=-1.0),
        ValueError,
        "grad_norms must be finite and >= 0",
    ),
    "stacked": (
        lambda: planning.best_bound(js.stack([LINE, LINE]), 10),
        ValueError,
        "best_bound: schedule must not be stacked",
    ),
    "traced": (
        lambda: jax.jit(lambda v: planning.rank([js.constant(v)], 5))(1.0),
        TypeError,
        r"rank: schedules\[0\] must be known, not traced",
    ),
    "no schedule": (lambda: planning.rank([], 10), ValueError, "at least one"),
    "one schedule": (
        lambda: planning.rank(LINE, 10),
        TypeError,
        "a mapping from names",
    ),
    "which one": (
        lambda: planning.rank({"a": LINE, "b": js.linear(1.0, 0.0, 5)}, 10),
        ValueError,
        r"schedules\['b'\] must be > 0",
    ),
    "at": (
        lambda: planning.extend(LINE, 10, 20, at=10),
        ValueError,
        "at must be < total_steps, got at=10",
    ),
    "decay": (
        lambda: planning.extend(LINE, 10, 20, at=5, decay_steps=6),
        ValueError,
        "decay_steps must be <= total_steps - at",
    ),
    "shorter": (
        lambda: planning.extend(LINE, 10, 10, at=5),
        ValueError,
        "new_total_steps must be > total_steps",
    ),
    "shape": (
        lambda: planning.best_cooldown(1.0, 10, distance=1.0, shape="round"),
        ValueError,
        "shape must be one of",
    ),
    "zero": (
        lambda: planning.best_cooldown(0.0, 10, distance=1.0),
        ValueError,
        "must be > 0 at some step",
    ),
    "zero norm": (lambda: planning.refine([1.0, 0.0]), ValueError, "got 0.0 at step 1"),
    "no norms": (lambda: planning.refine([]), ValueError, "one number for each update"),
    "text norms": (lambda: planning.refine(["a"]), TypeError, "must be numbers"),
    "rising": (lambda: planning.merge_weights([0.2, 0.4]), ValueError, "must not rise"),
    "outside": (lambda: planning.merge_weights([1.2]), ValueError, "between 0 and 1"),
    "sum": (lambda: planning.decay_of_merge([0.5, 0.4]), ValueError, "must sum to 1"),
    "weight": (
        lambda: planning.decay_of_merge([1.5, -0.5]),
        ValueError,
        "finite and >= 0",
    ),
    "too much decay": (
        lambda: planning.update_weights(1.0, 10, 1.5),
        ValueError,
        "schedule . weight_decay must be <= 1, got 1.5 at step 0",
    ),
    "cap": (
        lambda: planning.seesaw(LINE, 64, max_batch_size=32),
        ValueError,
        "seesaw: max_batch_size must be >= batch_size",
    ),
    "batch size": (
        lambda: planning.seesaw(LINE, 0),
        ValueError,
        "seesaw: batch_size must be > 0",
    ),
    "exponent": (
        lambda: planning.best_shape(1.0, 1.0),
        ValueError,
        "capacity_exponent must be > 1",
    ),
    "law": (lambda: planning.AnnealingLaw(1, 1, 1, 0), ValueError, "C must be > 0"),
    "momentum": (
        lambda: planning.AnnealingLaw(1, 1, 1, 1, 1.0),
        ValueError,
        "momentum must be < 1",
    ),
    "no updates": (lambda: MPL.predict(1.0, 0), ValueError, "updates >= 1, got 0"),
    "half an update": (lambda: MPL.predict(1.0, 1.5), TypeError, "whole numbers"),
    "no runs": (lambda: planning.fit_law(MPL, []), ValueError, "at least one run"),
    "no law": (lambda: planning.fit_law(1, []), TypeError, "law must be a loss law"),
    "no run": (
        lambda: planning.fit_law(MPL, [1.0]),
        TypeError,
        r"runs\[0\] must be \(schedule, steps, losses\)",
    ),
    "losses": (
        lambda: planning.fit_law(MPL, [(1.0, [1, 2], [1.0])]),
        ValueError,
        "equally many",
    ),
    "a negative loss": (
        lambda: planning.fit_law(MPL, [(1.0, [1], [-1.0])]),
        ValueError,
        "finite and > 0",
    ),
    "a low peak loss": (
        lambda: planning.loss_warmup(0.1, 0.0),
        ValueError,
        "loss_warmup: peak_loss must be > least_loss",
    ),
    "follows": (
        lambda: planning.following_weight_decay(0.1, 0.1, 0.1, follows="me"),
        ValueError,
        "follows must be one of",
    ),
    "order": (
        lambda: planning.recorded_grad_norms((), 10, order=3),
        ValueError,
        "order must be 1 or 2",
    ),
}


@pytest.mark.parametrize(("call", "error", "message"), BAD.values(), ids=list(BAD))
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_traced_length_is_refused():
    with pytest.raises(TypeError, match="total_steps must be"):
        jax.jit(lambda n: planning.best_bound(1.0, n))(10)
