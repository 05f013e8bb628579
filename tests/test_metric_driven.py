"""The laws of metric-driven schedules, and what each of them does."""

import copy
import inspect
import math
import pickle
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from cases import CASES, ONE_OF_EACH, Case, differences, float_dtype, thorough
from driven import COSINE, DRIVEN, IDS

import jaxsched as js

every_one = pytest.mark.parametrize("driven", DRIVEN, ids=IDS)
half = pytest.mark.parametrize("driven", thorough(DRIVEN, DRIVEN[::2]), ids=IDS)
some = pytest.mark.parametrize("driven", thorough(DRIVEN, DRIVEN[::3]), ids=IDS)

# Falls, rests, spikes, breaks, rises: 60 metrics that take every branch.
METRICS = np.concatenate(
    [
        np.linspace(4, 2, 12),
        np.full(8, 2.0),
        [9.0, 2.0, np.nan, np.inf, -np.inf, 2.0],
        np.linspace(2, 1, 10),
        np.full(14, 1.0),
        np.linspace(1, 3, 10),
    ]
).astype(np.float32)
TRIGGERS = np.arange(len(METRICS)) == 30


def test_every_kind_is_here():
    """What is not in the table obeys no law."""
    public = [getattr(js, name) for name in js.__all__]
    public += [getattr(js.planning, name) for name in js.planning.__all__]
    made = [thing for thing in public if hasattr(thing, "__rule__")]
    assert {d._rule.name for d in DRIVEN} == {
        thing.__name__
        for thing in made
        if inspect.signature(thing).return_annotation is js.MetricDriven
    }


def run(driven: js.MetricDriven, metrics: Any = METRICS) -> tuple[Any, Any]:
    """The last state, and the rate of each update, in a Python loop."""
    state, rates = driven.init(), []
    for value, trigger in zip(metrics, TRIGGERS, strict=False):
        rates.append(driven(state))
        state = driven.update(state, value=value, trigger=trigger)
    return state, np.array(rates)


def scanned(driven: js.MetricDriven, metrics: Any) -> tuple[Any, Any]:
    """The same in `lax.scan`."""

    def body(state: Any, inputs: Any) -> tuple[Any, Any]:
        value, trigger = inputs
        return driven.update(state, value=value, trigger=trigger), driven(state)

    return jax.lax.scan(body, driven.init(), (metrics, TRIGGERS[: len(metrics)]))


compiled_scan = jax.jit(scanned)


@half
def test_a_scan_is_a_loop(driven: js.MetricDriven):
    """The same decisions, the same rates, and the state keeps its types."""
    last, rates = run(driven)
    end, found = compiled_scan(driven, METRICS)
    chex.assert_trees_all_close(end, last, rtol=1e-6)
    # Ours agree within 4 ulp; that of a warm-up by the loss is also divided by a number of
    # nine operations, each of which either program may round the other way: half an ulp.
    bound = 4 + (9 / 2 if driven._rule.name == "loss_warmup" else 0)
    assert np.all(differences(found, rates) <= bound)
    chex.assert_trees_all_equal_shapes_and_dtypes(end, driven.init())
    for x in jax.tree.leaves((driven.init(), last, end)):
        assert not x.weak_type  # else the second update would be traced again
    chex.assert_tree_all_finite(rates)


@some
def test_vmap_over_each_hyperparameter_is_a_loop(driven: js.MetricDriven):
    """Everything numeric is data: one program, whatever the numbers."""
    leaves, tree = jax.tree.flatten(driven)
    variants = []
    for i, leaf in enumerate(leaves):
        whole = jnp.issubdtype(jnp.asarray(leaf).dtype, jnp.integer)
        changed = leaf + 2 if whole else leaf * 0.75
        variants.append(tree.unflatten([*leaves[:i], changed, *leaves[i + 1 :]]))
    stacked = jax.tree.map(lambda *x: jnp.stack([jnp.asarray(y) for y in x]), *variants)
    _, mapped = jax.jit(jax.vmap(scanned, in_axes=(0, None)))(stacked, METRICS)
    one = jax.jit(lambda driven: scanned(driven, METRICS)[1])
    for i, variant in enumerate(variants):
        assert np.all(differences(mapped[i], one(variant)) <= 4), variant
    assert one._cache_size() == 1


@every_one
def test_it_is_a_value(driven: js.MetricDriven):
    """repr, ==, hash, pickle, copy, flatten, parse and data all give it back."""
    names = {**vars(js.planning), **vars(js)}
    twins = [
        eval(repr(driven), names),
        pickle.loads(pickle.dumps(driven)),
        copy.deepcopy(driven),
        jax.tree.unflatten(*reversed(jax.tree.flatten(driven))),
        js.parse(repr(driven)),
        js.from_dict(js.to_dict(driven)),
    ]
    for twin in twins:
        assert twin == driven
        assert hash(twin) == hash(driven)
        assert repr(twin) == repr(driven)
    assert driven != driven.replace(schedule=0.125)


@every_one
def test_rates_are_typed_like_those_of_the_schedule_inside(driven: js.MetricDriven):
    """Scalars; weakly typed where the hyperparameters are Python numbers."""
    rate = driven(driven.init())
    chex.assert_shape(rate, ())
    assert rate.dtype == float_dtype() or not rate.weak_type
    strong = any(isinstance(x, jax.Array) for x in jax.tree.leaves(driven))
    assert rate.weak_type != strong


@every_one
def test_what_is_not_finite_never_poisons_the_state(driven: js.MetricDriven):
    """It counts as bad, and every later state is as finite as before."""
    state, _ = run(driven)
    for bad in (np.nan, np.inf, -np.inf):
        after = driven.update(state, value=bad)
        for x in jax.tree.leaves(after):
            assert np.isfinite(x)
        assert np.isfinite(driven(after))


@some
def test_updates_without_a_metric_change_only_the_clock(driven: js.MetricDriven):
    """None, or a stale value that is not measured, in a program too."""
    state, _ = run(driven, METRICS[:5])
    stale = jax.jit(lambda s, m: driven.update(s, value=0.5, measured=m))(state, False)
    for after in (stale, driven.update(state, value=None)):
        assert after.step == state.step + 1
        if "back_off" not in driven._rule.name and "held" not in repr(after):
            chex.assert_trees_all_equal(after.memory, state.memory)


@some
def test_it_goes_into_inject_hyperparams(driven: js.MetricDriven):
    """As it is; the rate in use is the one that Optax reports."""
    optimizer = optax.inject_hyperparams(optax.sgd)(learning_rate=driven)
    params = jnp.ones(2, driven(driven.init()).dtype)

    def body(state: Any, value: Any) -> tuple[Any, Any]:
        updates, state = optimizer.update(params, state, params, value=value)
        return state, (updates[0], js.learning_rate(state))

    _, (updates, read) = jax.jit(
        lambda: jax.lax.scan(body, optimizer.init(params), METRICS)
    )()
    _, rates = compiled_scan(driven, METRICS)
    until = 30 if "trigger" in repr(driven) else None  # the flag is not passed here
    np.testing.assert_allclose(-updates[:until], rates[:until], rtol=1e-6)
    chex.assert_trees_all_equal(-updates, read)


# What each of them does. The plateau and greedy rules have their peers as references,
# in `parity/`.


def test_a_plateau_of_a_negative_metric_needs_another_threshold_mode():
    """`rel` is PyTorch's, for which staying at -1 is an improvement."""
    rates = {}
    for mode in ("rel", "abs", "magnitude"):
        driven = js.reduce_on_plateau(1.0, 0.5, patience=1, threshold_mode=mode)
        rates[mode] = run(driven, [-1.0] * 4)[1][-1]
    assert rates == {"rel": 1.0, "abs": 0.5, "magnitude": 0.5}


def test_reductions_stop_at_the_floor_and_never_raise():
    """`min_value` bounds the reduced rate; a warm-up from below keeps its own value."""
    ramp = js.linear(0.0, 1.0, steps=8)
    driven = js.reduce_on_plateau(ramp, 0.125, patience=0, min_value=0.25)
    _, rates = run(driven, [1.0] * 12)
    expected = [
        min(t / 8, max(0.25, t / 8 * 0.125 ** max(t - 1, 0))) for t in range(12)
    ]
    np.testing.assert_allclose(rates, expected, rtol=1e-6)


def test_a_spike_cuts_holds_and_recovers():
    """Against the definition, in float64; then bit-equal to the schedule again."""
    window, hold, recover, factor, threshold = 8, 5, 10, 0.25, 4.0
    driven = js.back_off_on_spike(
        COSINE,
        factor,
        threshold=threshold,
        hold_steps=hold,
        recover_steps=recover,
        window=window,
    )
    rng = np.random.default_rng(0)
    losses = rng.normal(2.0, 0.125, 60).astype(np.float32)
    losses[[20, 45]] = 9.0, np.inf
    _, rates = run(driven, losses)
    mean = variance = count = 0.0
    since = math.inf
    for t, loss in enumerate(losses.astype(float)):
        part = min(max(since - hold, 0) / recover, 1)
        cut = factor + (1 - factor) * part if since < hold + recover else 1.0
        assert rates[t] == pytest.approx(COSINE.at(t) * cut, rel=1e-6), t
        if cut == 1.0:
            assert rates[t] == COSINE(t)
        bound = threshold * math.sqrt(variance) if count >= window else math.inf
        since = 0 if not loss - mean <= bound else since + 1
        if math.isfinite(loss):
            share = 1 / min(count + 1, window)
            usual = min(max(loss - mean, -bound), bound)
            mean += share * usual
            variance = (1 - share) * (variance + share * usual**2)
            count += 1
    assert rates[21] < COSINE.at(21) / 2
    assert rates[46] < COSINE.at(46) / 2


def test_a_spike_without_recovery_is_held_all_the_same():
    """For exactly `hold_steps` updates."""
    driven = js.back_off_on_spike(1.0, 0.25, hold_steps=3, recover_steps=0)
    _, rates = run(driven, [1.0, np.nan, 1.0, 1.0, 1.0, 1.0])
    assert rates.tolist() == [1.0, 1.0, 0.25, 0.25, 0.25, 1.0]


def test_greedy_stays_finite_where_the_schedule_is_0():
    """Improvements there raise nothing."""
    driven = js.greedy(js.linear(0.1, 0.0, steps=5), factor=0.5, patience=0)
    last, rates = jax.jit(lambda m: scanned_without_flag(driven, m))(
        np.arange(300.0, 0, -1)
    )
    chex.assert_tree_all_finite(rates)
    assert rates[-1] == driven(last) == 0


def test_arrays_of_another_precision_do_not_disturb_the_state():
    """Under strict promotion, whatever the schedule and the numbers are made of."""
    half = jnp.asarray(0.5, jnp.bfloat16)
    for driven in (
        js.reduce_on_plateau(half, half, threshold=half),
        js.greedy(half, half, 0, threshold=half, min_value=half / 4),
        js.back_off_on_spike(half, half, threshold=half * 8, window=2),
        js.cooldown_on_trigger(half, 3, half),
    ):
        state = driven.init()
        for value in (3.0, half, 2):
            state = driven.update(state, value=value)
            assert driven(state).dtype == jnp.bfloat16
        chex.assert_trees_all_equal_dtypes(state, driven.init())


def test_a_lasting_change_of_level_is_learned():
    """The rate comes back although the loss does not."""
    driven = js.back_off_on_spike(1.0, 0.5, hold_steps=4, recover_steps=4, window=10)
    losses = np.concatenate([np.tile([1.0, 1.25], 20), np.tile([9.0, 9.25], 60)])
    _, rates = jax.jit(lambda m: scanned_without_flag(driven, m))(losses)
    assert rates[41] == 0.5
    assert np.all(rates[-40:] == 1.0)


def scanned_without_flag(driven: js.MetricDriven, metrics: Any) -> tuple[Any, Any]:
    """A scan over more metrics than there are triggers."""
    body = lambda state, value: (driven.update(state, value=value), driven(state))
    return jax.lax.scan(body, driven.init(), metrics)


@pytest.mark.optimized
@pytest.mark.parametrize(
    ("shape", "cases"),
    [
        ("linear", ONE_OF_EACH[::4]),
        pytest.param("linear", ONE_OF_EACH[1::2], marks=pytest.mark.slow),
        pytest.param("cosine", CASES[1::8], marks=pytest.mark.slow),
        pytest.param("one_minus_sqrt", CASES[3::8], marks=pytest.mark.slow),
    ],
)
def test_a_triggered_cooldown_is_cooldown_to_the_bit(shape: str, cases: list[Case]):
    """Every schedule, decaying from where it is, in the same program."""
    begin = 5
    pairs = [
        (
            js.cooldown_on_trigger(c.schedule, 7, 0.001, shape=shape),
            js.cooldown(c.schedule, begin, 7, 0.001, shape=shape),
        )
        for c in cases
    ]

    def body(states: Any, step: Any) -> Any:
        both = [
            (driven(state), expected(step))
            for (driven, expected), state in zip(pairs, states, strict=True)
        ]
        after = [
            driven.update(state, trigger=step == begin)
            for (driven, _), state in zip(pairs, states, strict=True)
        ]
        return after, both

    start = [driven.init() for driven, _ in pairs]
    _, found = jax.lax.scan(body, start, jnp.arange(begin + 12))
    for c, both in zip(cases, found, strict=True):
        np.testing.assert_array_equal(*both, str(c.schedule))


@pytest.mark.parametrize("how", ["flag", "plateau", "host"])
def test_three_things_begin_a_cooldown(how: str):
    """A flag, a metric that stops improving, and the host; eagerly, to the bit."""
    driven = js.cooldown_on_trigger(
        COSINE, 6, 0.01, patience=2 if how == "plateau" else None
    )
    optimizer = js.scale_by_learning_rate(driven)
    state, rates = optimizer.init(None), []
    for step in range(30):
        extra = {"trigger": step == 12} if how == "flag" else {}
        if how == "plateau":  # judged better up to 9, then three times no better
            extra = {"value": max(20.0 - step, 11.0)}
        if how == "host" and step == 12:
            state = js.set_trigger(state)
        updates, state = optimizer.update(jnp.ones((), float_dtype()), state, **extra)
        rates.append(-updates)
    expected = js.cooldown(COSINE, 12, 6, 0.01)
    np.testing.assert_array_equal(rates, [expected(t) for t in range(30)])


def test_a_trigger_counts_once():
    """A second flag does not begin the decay again."""
    driven = js.cooldown_on_trigger(1.0, steps=4)
    state = driven.init()
    for _ in range(3):
        state = driven.update(state, trigger=True)
    assert driven(state) == 0.25
    assert driven(js.set_trigger(state)) == 0.25


S = js.constant(0.1)
P, G, B, C = (
    js.reduce_on_plateau,
    js.greedy,
    js.back_off_on_spike,
    js.cooldown_on_trigger,
)
BAD = [
    (lambda: P(S, factor=1.0), ValueError, "reduce_on_plateau: factor must be < 1"),
    (lambda: P(S, factor=0.0), ValueError, "factor must be > 0"),
    (lambda: P(S, factor=np.nan), ValueError, "factor must be finite"),
    (lambda: P(S, factor="0.1"), TypeError, "factor must be a number"),
    (lambda: P(S, patience=-1), ValueError, "patience must be >= 0, got patience=-1"),
    (lambda: P(S, patience=1.5), TypeError, "patience must be a whole number"),
    (lambda: P(S, threshold=-1.0), ValueError, "threshold must be >= 0"),
    (lambda: P(S, threshold=1.0), ValueError, 'threshold must be < 1 for "rel"'),
    (lambda: P(S, threshold_mode="x"), ValueError, "must be one of 'rel', 'abs'"),
    (lambda: P(S, mode="down"), ValueError, "mode must be one of 'min', 'max'"),
    (lambda: P(S, cooldown=-1), ValueError, "cooldown must be >= 0"),
    (lambda: P(S, min_value=np.inf), ValueError, "min_value must be finite"),
    (lambda: P(S, window=0), ValueError, "window must be >= 1"),
    (lambda: P("x"), TypeError, "schedule must be a schedule"),
    (lambda: P(S, factr=0.1), TypeError, r"unknown argument 'factr' \(did you mean"),
    (lambda: G(S, factor=2.0), ValueError, "greedy: factor must be < 1"),
    (lambda: G(S, min_value=2.0), ValueError, "min_value must be <= max_value"),
    (lambda: G(S, reset_after=0), ValueError, "reset_after must be >= 1"),
    (lambda: G(S, warmup=-1), ValueError, "warmup must be >= 0"),
    (lambda: B(S, factor=1.5), ValueError, "back_off_on_spike: factor must be < 1"),
    (lambda: B(S, threshold=0.0), ValueError, "threshold must be > 0"),
    (lambda: B(S, hold_steps=-1), ValueError, "hold_steps must be >= 0"),
    (lambda: B(S, window=0), ValueError, "window must be >= 1"),
    (lambda: B(S, shape="round"), ValueError, "shape must be one of"),
    (lambda: C(S, steps=-1), ValueError, "cooldown_on_trigger: steps must be >= 0"),
    (lambda: C(S), TypeError, "missing a required argument: 'steps'"),
    (
        lambda: P(S).update(P(S).init()),
        TypeError,
        "update needs the metric: value=loss",
    ),
    (lambda: C(S, 4, patience=1).update(C(S, 4).init()), TypeError, "needs the metric"),
    (lambda: P(S).update(P(S).init(), value="1"), TypeError, "value must be a number"),
    (
        lambda: P(S).update(P(S).init(), value=[1.0]),
        TypeError,
        "value must be a number",
    ),
    (
        lambda: P(S).update(P(S).init(), value=jnp.ones(2)),
        ValueError,
        r"value must be a scalar, got shape \(2,\)",
    ),
    (
        lambda: P(S).update(P(S).init(), value=1.0, measured=1),
        TypeError,
        "measured must be True or False, got measured=1",
    ),
    (lambda: C(S, 4).update(C(S, 4).init(), trigger=1.0), TypeError, "trigger must be"),
    (lambda: P(S)(3), TypeError, "is called with its state, got state=3"),
    (lambda: js.warmup(P(S), 5), TypeError, "warmup: schedule must be a schedule"),
    (lambda: js.metric_driven(lambda x: x), TypeError, "annotate x"),
]


@pytest.mark.parametrize(("call", "kind", "message"), BAD)
def test_bad_input_is_refused(call: Any, kind: type[Exception], message: str):
    """At once, naming the schedule, the argument and the value."""
    with pytest.raises(kind, match=message):
        call()


def test_metric_driven_schedules_do_not_go_where_a_step_is_given():
    """Optax would call it with a count: the error says where it goes."""
    optimizer = optax.sgd(P(S))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="inject_hyperparams"):
        optimizer.update(jnp.ones(2), optimizer.init(jnp.ones(2)))


@pytest.mark.parametrize("seed", range(20))
def test_kl_adaptive_is_that_of_rsl_rl(seed: int):
    """Its loop over a rate, in double precision, for divergences all over the band."""
    rng = np.random.default_rng(seed)
    sizes = np.exp(-4.6 + 1.5 * np.sin(np.arange(300) / 15) + rng.normal(0, 0.7, 300))
    divergences = np.where(rng.uniform(size=300) < 0.1, 0.0, sizes)
    rate, expected = 1e-3, []
    for divergence in divergences:
        if divergence > 0.01 * 2:
            rate = max(1e-5, rate / 1.5)
        elif 0 < divergence < 0.01 / 2:
            rate = min(1e-2, rate * 1.5)
        expected.append(rate)
    driven = js.kl_adaptive(1e-3, target=0.01)

    def body(state: Any, value: Any) -> Any:
        state = driven.update(state, value=value)
        return state, driven(state)

    inputs = divergences.astype(np.float32)
    _, found = jax.jit(lambda x: jax.lax.scan(body, driven.init(), x))(inputs)
    # Up to 300 products, each rounded once in single precision.
    np.testing.assert_allclose(found, expected, rtol=300 * 2.0**-23)
    assert min(expected) < 2e-4
    assert max(expected) > 5e-3


def test_a_divergence_that_is_not_finite_lowers_the_rate():
    """It is too large, whatever it is."""
    driven = js.kl_adaptive(1e-3, target=0.01, factor=2.0)
    for value in (np.nan, np.inf, 1.0):
        assert float(driven(driven.update(driven.init(), value=value))) == np.float32(
            5e-4
        )
    assert float(driven(driven.update(driven.init(), value=-1.0))) == np.float32(1e-3)
    assert float(driven(driven.update(driven.init(), value=None))) == np.float32(1e-3)
