"""The range test: its sweep against float64 references, its suggestions against fastai."""

import builtins
import itertools
import json
import pickle
import re
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import matplotlib as mpl
import numpy as np
import optax
import pytest
from cases import float_dtype
from flax import nnx
from matplotlib import pyplot
from matplotlib.figure import Figure

import jaxsched as js

FASTAI = json.loads(
    Path(__file__).with_name("golden").joinpath("suggestions.json").read_text()
)
SUGGEST: dict[str, Callable[..., float]] = {
    "valley": js.suggest_valley,
    "slide": js.suggest_slide,
    "minimum": js.suggest_minimum,
    "steep": js.suggest_steep,
}
every_rule = pytest.mark.parametrize("rule", SUGGEST)

needs_standard_promotion = pytest.mark.usefixtures("standard_promotion")


@pytest.fixture
def standard_promotion():
    """Optax mixes float and int32 in Adam's bias correction."""
    with jax.numpy_dtype_promotion("standard"):
        yield


@pytest.fixture
def nans_allowed():
    """A loss that diverges may be NaN."""
    with jax.debug_nans(False):
        yield


# Suggestions


@every_rule
def test_suggestions_are_those_of_fastai(rule: str):
    """Of curves of nine families, from 16 to 64 points long."""
    assert len(FASTAI["curves"]) == 200
    for curve in FASTAI["curves"]:
        rates = np.geomspace(*curve["rates"], len(curve["losses"]))
        found = SUGGEST[rule](rates, curve["losses"])
        # NumPy's powers may differ in their last bits between machines.
        assert found == pytest.approx(curve[rule], rel=1e-13, abs=0), curve["family"]


def reference(rule: str, rates: list[float], losses: list[float]) -> float:
    """The rules as a loop over Python floats."""
    n = len(losses)
    if rule == "minimum":
        return rates[losses.index(min(losses))] / 10
    if rule == "steep":
        slopes = [
            (losses[i + 1] - losses[i]) / np.log(rates[i + 1] / rates[i])
            for i in range(n - 1)
        ]
        return rates[slopes.index(min(slopes))]
    if rule == "slide":
        ends = [losses[1] - losses[0], losses[-1] - losses[-2]]
        inner = [(losses[i + 1] - losses[i - 1]) / 2 for i in range(1, n - 1)]
        slopes = [ends[0], *inner, ends[1]]
        left = n - 16
        found = rates[left]
        while left >= 0 and abs(slopes[left + 15] - slopes[left]) > 0.005:
            found = rates[left]
            left -= 1
        return found
    # Valley, by patience sorting: tails[k] is minus the highest end of a descent of
    # k + 1 points.
    tails, longest, last = [], 1, 0
    for i, loss in enumerate(losses):
        place = bisect_left(tails, -loss)
        tails[place : place + 1] = [-loss]
        if place + 1 > longest:
            longest, last = place + 1, i
    if longest == 1:
        return rates[0]
    return rates[max(0, last - longest + longest // 3 + longest // 6)]


@every_rule
def test_suggestions_are_those_of_a_loop(rule: str):
    """Short curves too, and points that are not finite anywhere between."""
    rng = np.random.default_rng(0)
    least = {"valley": 2, "slide": 16, "minimum": 1, "steep": 2}[rule]
    for length in [*range(least, least + 20)] * 5:
        rates = np.cumprod(rng.uniform(1.1, 2, length)) * 1e-6
        losses = rng.choice([1, 0.02]) * rng.normal(size=length).cumsum()
        expected = reference(rule, rates.tolist(), losses.tolist())
        assert SUGGEST[rule](rates, losses) == pytest.approx(expected, rel=1e-15)
        assert SUGGEST[rule](rates.tolist(), losses.tolist()) == SUGGEST[rule](
            jnp.asarray(rates) if jax.config.jax_enable_x64 else rates, losses
        )

        places = np.sort(rng.integers(0, length + 1, 4))
        odd = rng.choice([np.nan, np.inf, -np.inf], 4)
        with_odd = np.insert(losses, places, odd)
        wider = np.cumprod(rng.uniform(1.1, 2, length + 4))
        kept = wider[np.isfinite(with_odd)]
        expected = reference(rule, kept.tolist(), losses.tolist())
        assert SUGGEST[rule](wider, with_odd) == pytest.approx(expected, rel=1e-15)


def test_valley_does_not_wrap_around():
    """In fastai the index is -1 here: the highest rate of a curve that only rises."""
    assert js.suggest_valley([0.1, 0.2, 0.3, 0.4], [1.0, 0.9, 2.0, 3.0]) == 0.1
    assert js.suggest_valley([0.1, 0.2, 0.3, 0.4], [1.0, 2.0, 3.0, 4.0]) == 0.1


def test_slide_takes_an_interval_and_a_threshold():
    """On a curve whose slopes are 2 i, whatever the interval: 2 i + 2 interval apart."""
    rates, losses = np.arange(1, 22) / 100, np.arange(21.0) ** 2
    # Inside, g[i] = 2 i; at the ends g[0] = 1 and g[20] = 39, each 1 off.
    assert js.suggest_slide(rates, losses, interval=4, threshold=7.5) == 0.17
    assert js.suggest_slide(rates, losses, interval=4, threshold=6.9) == 0.01
    assert js.suggest_slide(rates, losses, interval=4, threshold=7.0) == 0.17
    assert js.suggest_slide(rates, losses, interval=20, threshold=0) == 0.01


RATES = [0.1, 0.2, 0.4]


@every_rule
@pytest.mark.parametrize(
    ("rates", "losses", "error", "message"),
    [
        (RATES, [1.0, 2.0], ValueError, "the same length, got 3 rates and 2 losses"),
        (
            [0.1, 0.1, 0.2],
            [1.0] * 3,
            ValueError,
            "finite, > 0 and increasing, got rates",
        ),
        ([0.0, 0.1, 0.2], [1.0] * 3, ValueError, "finite, > 0 and increasing"),
        ([0.1, 0.2, np.inf], [1.0] * 3, ValueError, "finite, > 0 and increasing"),
        ([0.1, np.nan, 0.2], [1.0] * 3, ValueError, "finite, > 0 and increasing"),
        (
            RATES,
            [np.nan] * 3,
            ValueError,
            "losses must hold at least .* finite .* got 0",
        ),
        ([], [], ValueError, "losses must hold at least .* finite .* got 0"),
        (0.1, [1.0], ValueError, r"rates must be a row of numbers, not .* shape \(\)"),
        (RATES, [[1.0]] * 3, ValueError, "losses must be a row of numbers, not"),
        (RATES, [[1.0], [], []], ValueError, "losses must be a row of numbers, got"),
        (RATES, ["a"] * 3, TypeError, "losses must be a row of numbers, got"),
        (RATES, [True] * 3, TypeError, "losses must be a row of numbers, got"),
        (RATES, None, TypeError, "losses must be a row of numbers, got losses=None"),
    ],
)
def test_suggestions_refuse_what_is_no_curve(rule, rates, losses, error, message):
    """The message names the function and the argument."""
    with pytest.raises(error, match=rf"suggest_{rule}: .*{message}"):
        SUGGEST[rule](rates, losses)


def test_suggestions_say_how_many_points_they_need():
    """One less is refused."""
    for rule, least in {"valley": 2, "slide": 16, "steep": 2}.items():
        with pytest.raises(ValueError, match=f"at least {least} .* got {least - 1}$"):
            SUGGEST[rule](np.arange(1, least), np.ones(least - 1))
    with pytest.raises(ValueError, match="interval must be >= 1, got interval=0"):
        js.suggest_slide(RATES, RATES, interval=0)
    with pytest.raises(ValueError, match="threshold must be >= 0, got threshold=-1"):
        js.suggest_slide(RATES, RATES, threshold=-1)
    with pytest.raises(TypeError, match="are known, not traced"):
        jax.jit(lambda x: js.suggest_valley(x, x))(jnp.ones(3))


# Sweeps


def parabola(state: jax.Array, batch: jax.Array, learning_rate: jax.Array) -> Any:
    """Gradient descent on (state - batch)^2 / 2."""
    error = state - batch
    return state - learning_rate * error, error**2 / 2


def given_losses(state: Any, batch: jax.Array, learning_rate: jax.Array) -> Any:
    """The batch is the loss."""
    return state, batch


TARGETS = np.random.default_rng(1).normal(3.0, 0.2, 7).astype(float_dtype())


def rates_of(low: float, high: float, steps: int) -> np.ndarray:
    """A geometric sequence with both ends."""
    return low * (high / low) ** (np.arange(steps) / (steps - 1))


def averages(losses: Any, smoothing: float) -> np.ndarray:
    """Weighted means of all losses so far."""
    losses = np.asarray(losses, float)
    means = []
    for k in range(len(losses)):
        weights = smoothing ** np.arange(k, -1, -1.0)
        means.append((weights * losses[: k + 1]).sum() / weights.sum())
    return np.array(means)


def stop_of(smoothed: np.ndarray, factor: float) -> int | None:
    """The first step whose average is too far above the best one."""
    best = np.minimum.accumulate(smoothed)
    over = np.flatnonzero(smoothed > best + (factor - 1) * np.abs(best))
    return int(over[0]) if len(over) else None


@pytest.mark.parametrize("smoothing", [0.98, 0.5, 0.0])
def test_the_sweep_is_a_training_run_at_rising_rates(smoothing: float):
    """The same run in a NumPy loop, and where it ends."""
    found = js.lr_range_test(
        parabola, 0.0, TARGETS, 1e-3, 100.0, steps=60, smoothing=smoothing
    )
    rates = rates_of(1e-3, 100.0, 60)
    x, losses = 0.0, []
    for k in range(60):
        error = x - float(TARGETS[k % 7])
        losses.append(error**2 / 2)
        x -= rates[k] * error
    smoothed = averages(losses, smoothing)
    stop = stop_of(smoothed, 4.0)
    assert stop is not None
    made = stop + 1
    assert 20 < made < 60
    assert found.stopped
    assert found.steps == 60
    # Ten ulp of float32 in a rate; a loss has made up to sixty steps.
    np.testing.assert_allclose(found.rates, rates[:made], rtol=1e-6)
    np.testing.assert_allclose(found.losses, losses[:made], rtol=1e-4, atol=1e-6)
    expected = averages(found.losses, smoothing)
    np.testing.assert_allclose(found.smoothed_losses, expected, rtol=1e-5)
    for array in (found.rates, found.losses, found.smoothed_losses):
        assert isinstance(array, np.ndarray)
        assert array.dtype == float_dtype()


@pytest.mark.parametrize("sweep", range(3))
def test_the_sweep_is_that_of_fastai(sweep: int):
    """`Learner.lr_find` on a line: rates, averages, the end and all suggestions."""
    golden = FASTAI["sweeps"][sweep]
    batches = [np.reshape(golden[k], (-1, 8)).astype(float_dtype()) for k in "xy"]

    def train_step(slope: jax.Array, batch: Any, learning_rate: jax.Array):
        x, y = batch
        loss_of = lambda slope: jnp.mean((slope * x - y) ** 2)
        loss, gradient = jax.value_and_grad(loss_of)(slope)
        return slope - learning_rate * gradient, loss

    steps = golden["steps"]
    last = 1e-7 * 1e8 ** ((steps - 1) / steps)  # fastai stops one step before 10
    found = js.lr_range_test(train_step, 0.0, tuple(batches), 1e-7, last, steps)
    assert found.stopped == (len(golden["rates"]) < steps)
    np.testing.assert_allclose(found.rates, golden["rates"], rtol=1e-6)
    # fastai averages in float32, with 1 - 0.98 rounded there.
    np.testing.assert_allclose(
        found.smoothed_losses, golden["smoothed_losses"], rtol=2e-5
    )
    expected = {rule: golden[rule] for rule in SUGGEST}
    assert found.suggestions == pytest.approx(expected, rel=1e-6)


def test_first_and_last_rates_are_exact():
    """They are those that were asked for, to the bit."""
    found = js.lr_range_test(given_losses, 0.0, jnp.ones(2), 3e-5, 0.7, steps=5)
    ends = np.array([3e-5, 0.7], float_dtype())
    np.testing.assert_array_equal(found.rates[[0, -1]], ends)
    assert not found.stopped


def test_defaults_are_those_of_fastai():
    """1e-7 to 10 in 100 steps."""
    found = js.lr_range_test(given_losses, 0.0, jnp.ones(2))
    assert (found.steps, len(found.rates)) == (100, 100)
    np.testing.assert_array_equal(
        found.rates[[0, -1]], np.array([1e-7, 10], float_dtype())
    )


def ends_after(losses: Any, **options: Any) -> tuple[int, bool]:
    """The number of steps made on given losses, and whether they diverged."""
    losses = jnp.asarray(losses, float)
    options = {"smoothing": 0.0} | options
    found = js.lr_range_test(given_losses, 0.0, losses, steps=len(losses), **options)
    return len(found.losses), found.stopped


def test_the_sweep_ends_where_the_loss_diverges():
    """More than the factor times the best so far, itself included in the result."""
    losses = [2.0, 1.0, 4.0, 3.0, 4.125, 1.0, 1.0]
    assert ends_after(losses) == (5, True)
    assert ends_after(losses, stop_factor=2.5) == (3, True)
    assert ends_after(losses, stop_factor=5) == (7, False)
    assert ends_after(losses, stop_factor=None) == (7, False)
    assert ends_after([1.0, 1.0, 5.0]) == (3, True)


def test_a_loss_below_zero_may_rise_as_far():
    """4 times a best of -1 would be below every loss; here it is 3 above it."""
    assert ends_after([-1.0, -1.0, 1.875, 2.125, 0.0]) == (4, True)
    assert ends_after([1.0, -1.0, -2.0, 3.875, -1.0]) == (5, False)


@pytest.mark.usefixtures("nans_allowed")
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("stop_factor", [4.0, None])
def test_a_loss_that_is_not_finite_ends_the_sweep(bad: float, stop_factor: Any):
    """Also where no rise does; the suggestions are of the points before it."""
    losses = [*np.linspace(3.0, 1.0, 60), bad, 1.0, 1.0]
    assert ends_after(losses, stop_factor=stop_factor) == (61, True)
    found = js.lr_range_test(given_losses, 0.0, np.array(losses), steps=63)
    assert np.isfinite(found.smoothed_losses[:-1]).all()
    middle = slice(6, -5)
    kept = found.rates[middle], found.smoothed_losses[middle]
    assert found.suggestions == {rule: f(*kept) for rule, f in SUGGEST.items()}


def test_steps_after_the_end_are_not_made():
    """Each call of the step is counted."""
    calls = []

    def train_step(state: Any, batch: jax.Array, learning_rate: jax.Array):
        jax.debug.callback(lambda rate: calls.append(float(rate)), learning_rate)
        return state, batch

    losses = jnp.asarray([1.0, 1.0, 9.0, 1.0, 1.0, 1.0])
    found = js.lr_range_test(train_step, 0.0, losses, steps=6, smoothing=0.0)
    jax.effects_barrier()
    assert sorted(calls) == found.rates.tolist()
    assert len(calls) == 3


# Batches


class Pair(NamedTuple):
    x: Any
    y: Any


def product(state: jax.Array, batch: Pair, learning_rate: jax.Array) -> Any:
    """A loss that tells batches apart."""
    return state, (batch.x * batch.y).sum() + 0 * learning_rate


X = np.arange(12, dtype=float_dtype()).reshape(4, 3)
PAIRS = Pair(X + 1, X / 8)
PRODUCTS = [(one * two).sum() for one, two in zip(*PAIRS, strict=True)]


class Loader:
    """What PyTorch and Grain call a data loader."""

    def __iter__(self):
        return iter(LIST)


LIST = [Pair(x, y) for x, y in zip(*PAIRS, strict=True)]
FORMS: dict[str, Callable[[], Any]] = {
    "stacked": lambda: PAIRS,
    "stacked on the device": lambda: jax.tree.map(jnp.asarray, PAIRS),
    "list": lambda: LIST,
    "list on the device": lambda: jax.tree.map(jnp.asarray, LIST),
    "loader": Loader,
    "generator": lambda: (pair for pair in LIST),
    "lists inside": lambda: [Pair(x, y.tolist()) for x, y in LIST],
}


@pytest.mark.parametrize("form", FORMS)
def test_batches_come_in_many_forms(form: str):
    """Fewer than steps are used again; the lists inside a batch are a pytree."""

    def train_step(state: Any, batch: Pair, learning_rate: jax.Array):
        y = jnp.stack(batch.y) if isinstance(batch.y, list) else batch.y
        return product(state, Pair(batch.x, y), learning_rate)

    found = js.lr_range_test(train_step, 0.0, FORMS[form](), steps=6, stop_factor=None)
    np.testing.assert_allclose(found.losses, [*PRODUCTS, *PRODUCTS[:2]], rtol=1e-6)


def test_only_so_many_batches_are_taken():
    """An endless loader is fine, and what it holds next is not touched."""
    endless = itertools.count(1)
    found = js.lr_range_test(
        lambda s, batch, rate: (s, batch.astype(float)), 0.0, endless, steps=5
    )
    assert found.losses.tolist() == [1, 2, 3, 4, 5][: len(found.losses)]
    assert next(endless) == 6


def test_batches_may_be_dicts_arrays_and_random_keys():
    """Keys are no arrays of NumPy."""
    keys = jax.random.split(jax.random.key(0), 3)
    expected = [float(jax.random.uniform(key)) for key in keys]
    draw = lambda s, batch, rate: (s, jax.random.uniform(batch["key"]))
    for batches in ({"key": keys}, [{"key": key} for key in keys]):
        found = js.lr_range_test(draw, 0.0, batches, steps=3, stop_factor=None)
        np.testing.assert_array_equal(found.losses, np.array(expected, float_dtype()))


# States


def adamw_step(optimizer: Any = optax.adamw) -> Any:
    """A step that makes its optimizer, on the mean squared error of a line."""

    def train_step(state: Any, batch: Any, learning_rate: Any):
        params, opt_state = state
        loss_of = lambda p: jnp.mean((batch @ p["w"] + p["b"] - batch.sum(1)) ** 2)
        loss, gradients = jax.value_and_grad(loss_of)(params)
        updates, opt_state = optimizer(learning_rate).update(
            gradients, opt_state, params
        )
        return (optax.apply_updates(params, updates), opt_state), loss

    return train_step


def line_params() -> Any:
    return {"w": jnp.zeros(3, float), "b": jnp.zeros((), float)}


def line_batches() -> Any:
    return jnp.asarray(np.random.default_rng(2).normal(size=(5, 8, 3)), float)


def own_adam(learning_rate: Any) -> Any:
    return optax.chain(optax.scale_by_adam(), js.scale_by_learning_rate(learning_rate))


@needs_standard_promotion
@pytest.mark.parametrize("optimizer", [optax.adamw, own_adam])
def test_an_optax_optimizer_may_be_made_in_the_step(optimizer: Any):
    """Its run is the one under the sweep as a schedule."""
    steps, batches = 30, line_batches()
    state = line_params(), optimizer(0.0).init(line_params())
    found = js.lr_range_test(
        adamw_step(optimizer), state, batches, 1e-4, 0.1, steps, stop_factor=None
    )

    scheduled = optimizer(js.exponential(1e-4, 0.1, steps - 1))
    step = jax.jit(adamw_step(lambda _: scheduled))
    state, losses = (line_params(), scheduled.init(line_params())), []
    for k in range(steps):
        state, loss = step(state, batches[k % 5], None)
        losses.append(loss)
    np.testing.assert_allclose(found.losses, losses, rtol=1e-5)


@needs_standard_promotion
def test_an_injected_rate_may_be_set_in_the_step():
    """The other way of Optax gives the same run."""
    params, batches = line_params(), line_batches()
    optimizer = optax.inject_hyperparams(optax.adamw)(learning_rate=0.0)

    def train_step(state: Any, batch: Any, learning_rate: Any):
        params, opt_state = state
        rates = {"learning_rate": jnp.asarray(learning_rate, float)}
        hyperparams = opt_state.hyperparams | rates
        opt_state = opt_state._replace(hyperparams=hyperparams)
        return adamw_step(lambda _: optimizer)((params, opt_state), batch, None)

    found, other = (
        js.lr_range_test(step, (params, init(params)), batches, 1e-4, 0.1, steps=20)
        for step, init in [
            (train_step, optimizer.init),
            (adamw_step(), optax.adamw(0.0).init),
        ]
    )
    np.testing.assert_allclose(found.losses, other.losses, rtol=1e-5)


class Net(nnx.Module):
    """Parameters, statistics that a call changes, and random numbers."""

    def __init__(self, rngs: nnx.Rngs):
        self.linear = nnx.Linear(3, 4, rngs=rngs)
        self.norm = nnx.BatchNorm(4, rngs=rngs)
        self.dropout = nnx.Dropout(0.25, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.dropout(self.norm(self.linear(x))).sum(axis=1)


def values_of(state: Any) -> list[np.ndarray]:
    """Copies of all numbers, those inside random keys too."""
    is_key = lambda x: jnp.issubdtype(x.dtype, jax.dtypes.prng_key)
    return [
        np.array(jax.random.key_data(x) if is_key(x) else x)
        for x in jax.tree.leaves(state)
    ]


def train_net(model: Net, optimizer: nnx.Optimizer, batch: jax.Array) -> jax.Array:
    """One update in place."""
    loss_of = lambda model: jnp.mean((model(batch) - batch.sum(axis=1)) ** 2)
    loss, gradients = nnx.value_and_grad(loss_of)(model)
    optimizer.update(model, gradients)
    return loss


def set_rate(optimizer: nnx.Optimizer, learning_rate: Any) -> None:
    """By the multiplier of a rate of 1."""
    js.set_multiplier(optimizer, learning_rate)


def split_step(graph: Any) -> Any:
    def train_step(state: Any, batch: jax.Array, learning_rate: jax.Array):
        model, optimizer = nnx.merge(graph, state)
        set_rate(optimizer, learning_rate)
        loss = train_net(model, optimizer, batch)
        return nnx.state((model, optimizer)), loss

    return train_step


def direct_step(state: Any, batch: jax.Array, learning_rate: jax.Array) -> Any:
    model, optimizer = state
    set_rate(optimizer, learning_rate)
    loss = train_net(model, optimizer, batch)
    return (model, optimizer), loss


@needs_standard_promotion
@pytest.mark.parametrize("form", ["split", "direct"])
def test_a_flax_model_is_left_as_it_was(form: str):
    """Parameters, momentum, counts, statistics and random keys; training goes on alike."""
    model = Net(nnx.Rngs(0))
    momentum = optax.chain(optax.trace(0.9), js.scale_by_learning_rate(1.0))
    optimizer = nnx.Optimizer(model, momentum, wrt=nnx.Param)
    graph, state = nnx.split((model, optimizer))
    twin, twin_optimizer = nnx.clone((model, optimizer))
    before = values_of((model, optimizer))

    step = split_step(graph) if form == "split" else direct_step
    start = state if form == "split" else (model, optimizer)
    batches = line_batches().astype(jnp.float32)
    compiled = nnx.jit(train_net)
    found = js.lr_range_test(step, start, batches, 1e-4, 0.1, steps=8)
    assert len(np.unique(found.losses)) == 8
    chex.assert_trees_all_equal(values_of((model, optimizer)), before)
    chex.assert_trees_all_equal(values_of(state), before)

    # By another copy of the step that was never in a sweep.
    set_rate(twin_optimizer, 1e-4)
    expected = compiled(twin, twin_optimizer, batches[0])
    set_rate(optimizer, 1e-4)
    loss = compiled(model, optimizer, batches[0])
    np.testing.assert_array_equal(loss, expected)
    np.testing.assert_allclose(loss, found.losses[0], rtol=1e-5)
    chex.assert_trees_all_equal(
        values_of((model, optimizer)), values_of((twin, twin_optimizer))
    )


def test_a_state_may_be_numpy_and_is_not_donated():
    """Not even by a step that is compiled to donate it."""
    donating = jax.jit(parabola, donate_argnums=0)
    arrays = [np.full(2, 0.5, float_dtype()), jnp.full(2, 0.5, float)]
    for state in arrays:
        step = lambda s, b, rate: (donating(s, b, rate)[0], s.sum())
        js.lr_range_test(step, state, TARGETS[:, None], steps=5)
        np.testing.assert_array_equal(state, [0.5, 0.5])


def test_the_rate_does_not_widen_parameters_of_few_bits():
    """bfloat16 stays what it is; its losses are recorded in more bits."""

    def train_step(w: jax.Array, batch: Any, learning_rate: jax.Array):
        assert w.dtype == jnp.bfloat16
        assert learning_rate.shape == ()
        return w - learning_rate * w, (w * w).sum()

    state = jnp.ones(3, jnp.bfloat16)
    found = js.lr_range_test(train_step, state, range(3), 0.25, 0.5, steps=2)
    # 1 - 0.25 is exact in bfloat16, its square 0.5625 too, and three of these are not.
    assert found.losses.dtype == float_dtype()
    np.testing.assert_array_equal(found.losses, [3.0, jnp.bfloat16(3 * 0.5625)])


def test_losses_may_be_whole_numbers_and_states_anything_numeric():
    """A Python number as a state; None inside it; an integer as a loss."""
    step = lambda s, b, rate: ({"n": s["n"] + 1, "none": None, "x": s["x"]}, s["n"])
    state = {"n": 3, "none": None, "x": np.array(True)}
    found = js.lr_range_test(step, state, [1], steps=3)
    assert found.losses.tolist() == [3.0, 4.0, 5.0]


# Refusals


def call(**changes: Any) -> Any:
    """A range test with some arguments changed."""
    good = {"train_step": parabola, "state": 0.0, "batches": TARGETS, "steps": 3}
    return js.lr_range_test(**(good | changes))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"train_step": 3}, TypeError, "train_step must be a function .* train_step=3"),
        ({"state": "x"}, TypeError, "state must be a pytree of arrays, got str"),
        (
            {"state": {"f": len}},
            TypeError,
            r"got builtin.* at \['f'\]; keep what is no",
        ),
        ({"min_value": 0}, ValueError, "min_value must be >= .*, got min_value=0"),
        (
            {"min_value": -0.1},
            ValueError,
            "min_value must be >= .*, got min_value=-0.1",
        ),
        ({"min_value": 1e-320}, ValueError, "min_value must be >= .*, got min_value="),
        (
            {"min_value": "a"},
            TypeError,
            "min_value must be a number, got min_value='a'",
        ),
        ({"min_value": np.nan}, ValueError, "min_value must be finite"),
        (
            {"max_value": 1e-7},
            ValueError,
            "max_value must be > .*, got min_value=1e-07",
        ),
        ({"max_value": 1e-8}, ValueError, "max_value must be > .* max_value=1e-08"),
        ({"max_value": np.inf}, ValueError, "max_value must be finite"),
        ({"steps": 1}, ValueError, "steps must be >= 2, got steps=1"),
        ({"steps": 2.5}, TypeError, "steps must be a whole number, got steps=2.5"),
        ({"smoothing": 1.0}, ValueError, "smoothing must be < 1, got smoothing=1.0"),
        ({"smoothing": -0.1}, ValueError, "smoothing must be >= 0, got smoothing=-0.1"),
        ({"stop_factor": 1}, ValueError, "stop_factor must be > 1, got stop_factor=1"),
        ({"stop_factor": "4"}, TypeError, "stop_factor must be a number"),
        ({"batches": []}, ValueError, "batches must hold at least one batch, got none"),
        ({"batches": iter([])}, ValueError, "must hold at least one batch, got none"),
        ({"batches": np.ones((0, 2))}, ValueError, "must hold at least one batch"),
        ({"batches": None}, ValueError, "batches must hold at least one batch"),
        ({"batches": [None]}, ValueError, "batches must hold at least one batch"),
        ({"batches": 3}, ValueError, "lie along the first axis .* got a scalar$"),
        ({"batches": {"x": TARGETS, "y": 1.0}}, ValueError, r"a scalar at \['y'\]"),
        ({"batches": len}, TypeError, "a list or a loader of batches, or a pytree"),
        ({"batches": "abc"}, TypeError, "batches must be .* got str"),
        ({"batches": [{"x": object()}]}, TypeError, r"got object at \['x'\]"),
        (
            {"batches": {"x": np.ones((3, 2)), "y": np.ones(2)}},
            ValueError,
            r"the same number of batches .* got 3 at \['x'\] and 2 at \['y'\]",
        ),
        (
            {"batches": [Pair(np.ones(3), 1.0), Pair(np.ones(2), 1.0)]},
            ValueError,
            r"float64\[2\] as batch 1 and float64\[3\] as batch 0 at \.x; drop a last",
        ),
        (
            {"batches": [np.float32(1), np.int32(1)]},
            ValueError,
            r"got int32\[\] as batch 1 and float32\[\] as batch 0$",
        ),
        (
            {"batches": [{"x": 1.0}, {"y": 1.0}]},
            ValueError,
            r"the same structure, got .*'y'.* as batch 1 and .*'x'.* as batch 0",
        ),
        (
            {"train_step": lambda s, b, rate: s},
            TypeError,
            r"train_step must return \(state, loss\), got",
        ),
        (
            {"train_step": lambda s, b, rate: ("done", b)},
            TypeError,
            "train_step must return a state of arrays, got 'done'",
        ),
        (
            {"train_step": lambda s, b, rate: (s, jnp.ones(3))},
            TypeError,
            r"must return the loss as a real scalar, got float\d\d\[3\]",
        ),
        (
            {"train_step": lambda s, b, rate: (s, (s, s))},
            TypeError,
            "must return the loss as a real scalar, got",
        ),
        (
            {"train_step": lambda s, b, rate: (s, s > 0)},
            TypeError,
            r"must return the loss as a real scalar, got bool\[\]",
        ),
        (
            {"train_step": lambda s, b, rate: ((s, s), s)},
            ValueError,
            r"the same structure as it gets, got PyTreeDef\(\(\*, \*\)\) for",
        ),
        (
            {
                "train_step": lambda s, b, rate: ({"w": s["w"] + jnp.float32(0)}, b),
                "state": {"w": np.float16(1)},
            },
            ValueError,
            r"dtypes as it gets, got float32\[\] for float16\[\] at \['w'\]",
        ),
    ],
)
@needs_standard_promotion
def test_bad_input_is_refused(changes, error, message):
    """Before anything is trained, with the argument's name and value."""
    with pytest.raises(error, match=f"^lr_range_test: .*{message}"):
        call(**changes)


def test_it_is_not_for_the_inside_of_jit():
    """It reads its own result."""
    with pytest.raises(TypeError, match=r"lr_range_test: .* outside jax\.jit"):
        jax.jit(lambda state: call(state=state).losses)(0.0)


# Results


def result(steps: int = 40, made: int = 40, stopped: bool = False) -> js.RangeTest:
    """A test with a curve that falls, with a little noise, and rises."""
    rates = rates_of(1e-5, 1.0, steps)[:made]
    t = np.arange(made) / made
    losses = 2 - 1.5 * t**2 + (t > 0.8) * (t - 0.8) * 12
    noisy = losses + 0.1 * np.sin(37 * np.arange(made))
    return js.RangeTest(rates, noisy, losses, steps, stopped)


@pytest.mark.parametrize(("steps", "made"), [(40, 40), (45, 40), (100, 60)])
def test_suggestions_leave_out_the_first_tenth_and_the_last_five(steps, made):
    """The tenth of the steps that were asked for."""
    found = result(steps, made)
    middle = slice(steps // 10, made - 5)
    expected = {
        rule: reference(
            rule,
            found.rates[middle].tolist(),
            found.smoothed_losses[middle].tolist(),
        )
        for rule in SUGGEST
    }
    assert found.suggestions == pytest.approx(expected, rel=1e-15)
    assert list(found.suggestions) == list(SUGGEST)


@pytest.mark.parametrize(
    ("made", "rules"),
    [
        (1, []),
        (9, []),
        (10, ["minimum"]),
        (11, ["valley", "minimum", "steep"]),
        (24, ["valley", "minimum", "steep"]),
        (25, [*SUGGEST]),
    ],
)
def test_suggestions_are_none_where_there_are_too_few_points(made, rules):
    """Nine are left out of a sweep of 40."""
    found = result(40, made).suggestions
    assert [rule for rule in SUGGEST if found[rule] is not None] == rules


def test_a_result_says_what_matters():
    """In a few lines, or in one."""
    found = js.RangeTest(
        np.array([0.001, 0.01, 0.1]), np.ones(3), np.ones(3), steps=9, stopped=True
    )
    text = "3 of 9 steps, at rates from 0.001 to 0.1, where the loss diverged"
    lines = [text, *(f"{rule:8} too few points" for rule in SUGGEST)]
    assert str(found).splitlines() == lines
    assert repr(found) == f"<RangeTest: {'; '.join(lines)}>"
    numbers = re.findall(r"^(\w+) +(\S+)$", str(result()), re.M)
    expected = {rule: f"{rate:.3g}" for rule, rate in result().suggestions.items()}
    assert dict(numbers) == expected
    assert "diverged" not in str(result())


def test_a_result_is_a_value():
    """It cannot be changed, and can be saved."""
    found = result()
    with pytest.raises(FrozenInstanceError):
        found.rates = 0  # type: ignore[misc]
    again = pickle.loads(pickle.dumps(found))
    assert str(again) == str(found)


# Pictures


def test_a_plot_shows_the_curve_and_the_suggestions():
    """In axes of the user's, with logarithmic rates."""
    found = result()
    axes = Figure().subplots()
    assert found.plot(axes) is axes
    assert axes.get_xscale() == "log"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("learning rate", "loss")
    lines = {str(line.get_label()): line.get_xydata() for line in axes.lines}
    raw, smoothed = lines.pop("loss"), lines.pop("smoothed loss")
    np.testing.assert_array_equal(raw, np.stack([found.rates, found.losses], 1))
    expected = np.stack([found.rates, found.smoothed_losses], 1)
    np.testing.assert_array_equal(smoothed, expected)
    labels = [f"{rule}: {rate:.2g}" for rule, rate in found.suggestions.items()]
    assert list(lines) == labels
    beside = axes.get_legend().get_window_extent()
    assert beside.x0 > axes.get_window_extent().x1  # hides nothing
    texts = axes.get_legend().get_texts()
    assert [t.get_text() for t in texts] == ["loss", "smoothed loss", *labels]
    for rule in ("valley", "slide", "steep"):  # which are points of the curve
        [mark] = lines[f"{rule}: {found.suggestions[rule]:.2g}"]
        place = np.argmin(np.abs(found.rates - mark[0]))
        np.testing.assert_allclose(mark, expected[place], rtol=1e-12)


def test_a_plot_is_not_flattened_by_the_explosion():
    """The last five points may leave the picture, the others may not."""
    found = result()
    losses, smoothed = found.losses.copy(), found.smoothed_losses.copy()
    losses[-3:], smoothed[-3:] = [1e6, 1e9, np.inf], [1e4, 1e7, np.inf]
    found = js.RangeTest(found.rates, losses, smoothed, 40, True)
    low, high = found.plot(Figure().subplots()).get_ylim()
    assert low < losses[:-5].min()
    assert smoothed[:-5].max() < high < 4


def test_a_plot_of_few_points_is_drawn():
    """Without suggestions, and without anything to choose a height by."""
    nothing = np.array([np.nan])
    for found in (result(40, 3), js.RangeTest(np.ones(1), nothing, nothing, 40, True)):
        figure = Figure()
        axes = found.plot(figure.subplots())
        assert len(axes.lines) == 2
        figure.draw_without_rendering()


def test_a_plot_makes_its_own_axes():
    """Of a new figure of pyplot, as a notebook shows it."""
    backend = mpl.get_backend()
    pyplot.switch_backend("agg")
    try:
        axes = result().plot()
        assert pyplot.gcf() is axes.figure
        pyplot.close(axes.figure)
    finally:
        pyplot.switch_backend(backend)


def test_a_plot_without_matplotlib_says_what_is_missing(monkeypatch):
    """It is no dependency."""
    importing = builtins.__import__

    def without(name: str, *args: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ModuleNotFoundError(f"No module named {name!r}")
        return importing(name, *args)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(
        ImportError, match=r"RangeTest\.plot: matplotlib must be installed"
    ):
        result().plot()
