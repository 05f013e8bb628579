"""The schedules of published runs: their constants, their proportions, their codes."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import thorough

import jaxsched as js
from jaxsched import published

NAMES = published.__all__
some = pytest.mark.parametrize("name", thorough(NAMES, NAMES[::4]))

# Where each is known: the start, the peak, the joints and the end, as published.
POINTS = {
    "bert": {0: 0.0, 9_999: 0.9999e-4, 10_000: 0.99e-4, 500_000: 5e-5, 1_000_000: 0.0},
    "roberta_base": {0: 0.0, 5_000: 2.5e-4, 10_000: 5e-4, 67_500: 2.5e-4, 125_000: 0.0},
    "t5": {0: 0.01, 10_000: 0.01, 250_000: 0.002, 524_288: 524_288**-0.5},
    "gpt2_124m": {0: 6e-4 / 2001, 2_000: 6e-4, 301_000: 3.3e-4, 600_000: 6e-5},
    "gpt_neox_20b": {0: 0.0, 1_500: 9.7e-5, 76_500: 4.85e-5, 150_000: 9.7e-6},
    "pythia_12b": {0: 0.0, 1_430: 1.2e-4, 72_930: 6e-5, 143_000: 1.2e-5},
    "tinyllama": {0: 0.0, 2_000: 4e-4, 716_256: 2.2e-4, 1_430_512: 4e-5},
    "llama3_405b": {0: 8e-5 / 8001, 8_000: 8e-5, 604_000: 4.04e-5, 1_200_000: 8e-7},
    "smollm3": {2_000: 2e-4, 4_198_000: 2e-4, 4_459_000: 1e-4, 4_720_000: 0.0},
    "minicpm": {0: 0.01, 263_000: 0.01, 268_000: 5e-3, 278_000: 1.25e-3},
    "gpt3": {375e6: 6e-5, 130.1875e9: 3.3e-5, 260e9: 6e-6, 300e9: 6e-6},
    "bloom_176b": {0: 0.0, 374_999_040: 6e-5, 409.6e9: 6e-6, 450e9: 6e-6},
    "chinchilla": {0: 1e-4, 0.7e12: 5.5e-5, 1.4e12: 1e-5},
    "llama_65b": {8e9: 1.5e-4, 0.704e12: 8.25e-5, 1.4e12: 1.5e-5},
    "deepseek_llm": {
        **{0: 0.0, 37_748_736_000: 3.2e-4, 1.599e12: 3.2e-4},
        **{1.6e12: 1.0112e-4, 1.799e12: 1.0112e-4, 1.8e12: 3.2e-5, 2e12: 3.2e-5},
    },
    "deepseek_v2": {
        **{0: 0.0, 18_874_368_000: 2.4e-4, 4.859e12: 2.4e-4},
        **{4.86e12: 7.584e-5, 7.29e12: 2.396544e-5, 8.1e12: 2.396544e-5},
    },
    "deepseek_v2_lite": {
        **{0: 0.0, 37_748_736_000: 4.2e-4, 4.559e12: 4.2e-4},
        **{4.56e12: 1.3272e-4, 5.13e12: 4.193952e-5, 5.7e12: 4.193952e-5},
    },
    "deepseek_v3": {
        **{0: 0.0, 25_165_824_000: 2.2e-4, 10e12: 2.2e-4, 12.15e12: 1.21e-4},
        **{14.3e12: 2.2e-5, 14.632e12: 2.2e-5, 14.633e12: 7.3e-6, 14.8e12: 7.3e-6},
    },
    "kimi_k2": {
        **{33.5e9: 2e-4, 10e12: 2e-4, 12.75e12: 1.1e-4},
        **{15.5e12: 2e-5, 15.73e12: 1.35e-5, 15.96e12: 7e-6},
    },
    "nemotron_nano_v2": {
        **{8e9: 4.5e-4, 16.4e12: 4.5e-4},
        **{18.2e12: 2.2725e-4, 20e12: 4.5e-6},
    },
    "power_lm": {
        **{0: 0.0, 0.5e9: 0.01, 1e9: 0.02, 2e10: 0.02},
        **{1e11: 4096 * 1e11**-0.51, 1e12: 4096 * 1e12**-0.51, 1.25e12: 0.0},
    },
    "olmo2_7b": {0: 0.0, 8_388_608_000: 3e-4, 3_945_023_632_384: 0.0},
    "olmo2_13b": {0: 0.0, 8_388_608_000: 9e-4, 5e12: 9e-5, 5_100_088_524_800: 0.0},
    "olmo2_32b": {0: 0.0, 16_777_216_000: 6e-4, 6.156e12: 0.0},
    "whisper": {0: 0.0, 2_048: 1.75e-4, 525_312: 8.75e-5, 1_048_576: 0.0},
    "wav2vec2_base": {0: 0.0, 32_000: 5e-4, 216_000: 2.5e-4, 400_000: 0.0},
    "resnet50": {
        **{0: 0.1, 2.5: 1.65, 5: 3.2, 29.9: 3.2, 30: 0.32},
        **{59.9: 0.32, 60: 0.032, 79.9: 0.032, 80: 0.0032, 90: 0.0032},
    },
    "vit": {0: 0.0, 16: 1.5e-3, 32: 3e-3, 166: 1.5e-3, 300: 0.0},
    "deit": {0: 1e-6, 2.5: 5.005e-4, 150: 5.05e-4, 300: 1e-5},
    "swin": {0: 1e-6, 10: 5.005e-4, 20: 1e-3, 160: 5.05e-4, 300: 1e-5},
    "convnext": {0: 0.0, 10: 2e-3, 20: 4e-3, 160: 2.0005e-3, 300: 1e-6},
    "mae": {0: 0.0, 20: 1.2e-3, 40: 2.4e-3, 420: 1.2e-3, 800: 0.0},
    "dinov2": {0: 0.0, 80: 2e-4 * 3**0.5, 290: 1e-4 * 3**0.5 + 5e-7, 500: 1e-6},
}


# Of those with several levels: the shortest run in which all of them are.
STAIRS = {"deepseek_llm": 3, "deepseek_v2": 2, "deepseek_v2_lite": 3, "resnet50": 3}


def length_of(name: str) -> str:
    """The argument that says how long the run is."""
    arguments = inspect.signature(getattr(published, name)).parameters
    [found] = [n for n in arguments if n.startswith(("total_", "stable_"))]
    return found


def test_all_have_their_points():
    """And nothing else has."""
    assert sorted(POINTS) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_published_constants(name):
    """As their sources have them."""
    s = getattr(published, name)()
    for step, value in POINTS[name].items():
        # Between joints the numbers above are rounded to their last digit.
        assert s.at(step) == pytest.approx(value, rel=1e-9, abs=1e-15), step


@pytest.mark.parametrize("name", NAMES)
def test_text_is_read_back(name):
    """That of the call, as it is written in Python too, and that of the schedule."""
    s = getattr(published, name)()
    assert js.parse(repr(s)) == s
    for text in (f"{name}()", f"published.{name}()", f"js.published.{name}()"):
        assert js.parse(text) == s
    assert js.from_dict(js.to_dict(s)) == s


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("length", [20_000, 300_007])
def test_proportions_are_kept(name, length):
    """For another length and peak: the same curve, up to a step at each joint."""
    function, argument = getattr(published, name), length_of(name)
    whole = inspect.signature(function).parameters[argument].default
    if name == "power_lm":  # by design it does not depend on the length
        return
    s, other = function(), function(peak_value=1.0, **{argument: length})
    peak = inspect.signature(function).parameters["peak_value"].default
    u = np.random.default_rng(0).uniform(0.05, 1.2, 93)
    expected = s.at(u * float(whole)) / peak
    found = other.at(u * length)
    # A joint moves by half a step at most: by that of the steepest part, 1e-3 here.
    assert np.mean(np.abs(found - expected)) < 2e-3
    assert np.quantile(np.abs(found - expected), 0.95) < 2e-3


@pytest.mark.parametrize("name", NAMES)
def test_each_argument_may_be_changed(name):
    """Numbers of the user are taken as they are, and change the schedule."""
    function = getattr(published, name)
    arguments = inspect.signature(function).parameters
    s = function()
    for argument, parameter in arguments.items():
        given = parameter.default
        if given is None or given == 0:  # a part of the run, or a value
            length = argument.endswith(("_steps", "_tokens", "_epochs", "half_life"))
            whole = arguments[length_of(name)].default
            given = round(whole / 16) if length else arguments["peak_value"].default / 3
        changed = function(**{argument: given * 0.9})
        assert changed != s, argument


@some
@pytest.mark.parametrize("length", [1, 2, 3, 9, 40])
def test_short_runs_are_schedules_or_refused_by_name(name, length):
    """Nobody trains for one step, but tests do."""
    function, argument = getattr(published, name), length_of(name)
    if length < STAIRS.get(name, 1):
        with pytest.raises(ValueError, match=f"^{name}: {argument} must be longer"):
            function(**{argument: length})
    else:
        s = function(**{argument: length})
        assert np.all(np.isfinite(s.at(np.arange(2 * length))))


@pytest.mark.parametrize("name", NAMES)
def test_bad_numbers_are_refused_by_name(name):
    """The function, the argument and the value."""
    function, argument = getattr(published, name), length_of(name)
    for wrong, value in (("peak_value", float("nan")), (argument, -1)):
        with pytest.raises(ValueError, match=rf"^{name}: {wrong} .*{wrong}="):
            function(**{wrong: value})
    ramps = [n for n in inspect.signature(function).parameters if "warmup" in n]
    for ramp in ramps:
        with pytest.raises(ValueError, match=rf"^{name}: {ramp}"):
            function(**{argument: 1000, ramp: 2000})


@some
def test_peaks_and_lengths_may_be_traced(name):
    """In a compiled program, with gradients, as those of any schedule."""
    function, argument = getattr(published, name), length_of(name)
    peak = inspect.signature(function).parameters["peak_value"].default

    @jax.jit
    def value(factor, length):
        return function(peak_value=factor * peak, **{argument: length})(500.0)

    expected = function(peak_value=2 * peak, **{argument: 1000}).at(500)
    # A length that is traced has no whole steps: a joint may lie half a step away.
    found = value(2.0, 1000.0)
    np.testing.assert_allclose(found, expected, rtol=5e-3)
    gradient = jax.grad(value)(2.0, 1000.0)
    if name == "power_lm":  # its ceiling does not hold any more, or holds
        assert jnp.isfinite(gradient)
    else:
        np.testing.assert_allclose(gradient, expected / 2, rtol=5e-3)


def cosine(k, begin, end, peak, low):
    """Half a wave between two steps, in float64."""
    u = np.clip((k - begin) / (end - begin), 0, 1)
    return low + (peak - low) * (1 + np.cos(np.pi * u)) / 2


def bert_code(k):
    """`optimization.py`: a line from step 0, whose place a ramp takes."""
    return np.where(k < 10_000, 1e-4 * k / 10_000, 1e-4 * (1 - k / 1_000_000))


def olmo2_7b_code(tokens):
    """`CosWithWarmup` with t_max 5e12, then a line over 50e9 from where it is."""
    ramp, first = 8_388_608_000, 928_646 * 1024 * 4096
    body = cosine(np.minimum(tokens, first), ramp, 5e12, 3e-4, 3e-5)
    left = np.clip((first + 50e9 - tokens) / 50e9, 0, 1)
    return np.where(tokens < ramp, 3e-4 * tokens / ramp, body * left)


def nanogpt_code(k):
    """`get_lr` of `train.py`."""
    ramp = 6e-4 * (k + 1) / 2001
    return np.where(k < 2000, ramp, cosine(k, 2000, 600_000, 6e-4, 6e-5))


def mae_code(epoch):
    """`adjust_learning_rate` of `util/lr_sched.py`."""
    body = cosine(epoch, 40, 800, 2.4e-3, 0.0)
    return np.where(epoch < 40, 2.4e-3 * epoch / 40, body)


def deit_code(epoch):
    """Timm's cosine without a prefix: the ramp takes the place of its beginning."""
    ramp = 1e-6 + (1e-3 - 1e-6) * epoch / 5
    return np.where(epoch < 5, ramp, cosine(epoch, 0, 300, 1e-3, 1e-5))


def pythia_code(k):
    """`learning_rates.py` of GPT-NeoX before August 2023."""
    wave = 1.2e-4 / 2 * (1 + np.cos(np.pi * (k - 1430) / 143_000))
    return np.where(k <= 1430, 1.2e-4 * k / 1430, np.maximum(wave, 1.2e-5))


@pytest.mark.parametrize(
    ("name", "code", "last"),
    [
        ("pythia_12b", pythia_code, 143_000),
        ("bert", bert_code, 1_000_000),
        ("gpt2_124m", nanogpt_code, 600_000),
        ("olmo2_7b", olmo2_7b_code, 3_945_023_632_384),
        ("mae", mae_code, 800),
        ("deit", deit_code, 300),
    ],
)
def test_whole_curves_are_those_of_the_codes(name, code, last):
    """At random steps and at all of the first."""
    steps = np.unique(np.random.default_rng(0).integers(0, last, 2000))
    steps = np.concatenate([np.arange(0, min(last, 300)), steps]).astype(float)
    found = getattr(published, name)().at(steps)
    np.testing.assert_allclose(found, code(steps), rtol=1e-9, atol=1e-15)


def test_second_stages_begin_where_they_were_configured():
    """`learning_rate` of the second stages, which the cosines nearly reach."""
    cut = 928_646 * 1024 * 4096
    assert published.olmo2_7b().at(cut) == pytest.approx(6.1499e-5, rel=3e-3)
    assert published.olmo2_13b().at(596_057 * 2048 * 4096) == pytest.approx(9e-5)


def test_tokens_and_epochs_become_updates():
    """By `stretch`, as the documentation says."""
    s = js.stretch(published.gpt3(), 1 / 3_200_000)
    assert s.at(260_000_000_000 // 3_200_000) == pytest.approx(6e-6)
    s = js.stretch(published.vit(), 312)
    assert s.at(312 * 32) == pytest.approx(3e-3)
    s = js.per(published.deit(), 1251)
    assert s.at(1251 * 7 + 1000) == s.at(1251 * 7)


@pytest.mark.parametrize("name", ["resnet50", "vit", "deit", "swin", "mae", "dinov2"])
@pytest.mark.parametrize("length", [9, 10, 14, 30])
def test_few_epochs_have_their_ramp(name, length):
    """An epoch is many updates: a ramp of half of one is not lost."""
    function = getattr(published, name)
    s = function(total_epochs=length)
    assert s.at(0) == pytest.approx(function().at(0))
    traced = jax.jit(lambda n: function(total_epochs=n)(0.0))(float(length))
    np.testing.assert_allclose(traced, s.at(0), rtol=1e-5, atol=1e-9)


def test_the_ramp_of_a_power_law_is_a_line():
    """Also where it ends below the ceiling."""
    s = published.power_lm(warmup_tokens=1e11)
    end = 4096 * 1e11**-0.51
    assert s.at(2e10) == pytest.approx(0.2 * end)
    assert s.at(2e11) == pytest.approx(4096 * 2e11**-0.51)


@some
def test_lengths_may_be_arrays_and_very_large(name):
    """Known ones of JAX and NumPy, floats beyond all integers, narrow integers."""
    function, argument = getattr(published, name), length_of(name)
    for length in (np.float32(1.4e12), jnp.float32(1.4e12), 1e30):
        assert np.isfinite(function(**{argument: length}).at(0))
    narrow = function(**{argument: jnp.uint8(200)}).at(150)
    np.testing.assert_allclose(narrow, function(**{argument: 200}).at(150), rtol=1e-6)
    for ramp in inspect.signature(function).parameters:
        if "warmup" in ramp:
            with pytest.raises(ValueError, match=f"^{name}: {ramp}"):
                function(**{argument: jnp.uint8(200), ramp: jnp.uint8(250)})
