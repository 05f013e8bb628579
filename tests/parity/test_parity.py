"""Every schedule of `jaxsched.compat` equals the real one, setting by setting."""

import importlib
import inspect
import warnings
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tables import PEERS, STEPS, ask, function_of, load, peer

import jaxsched as js

GROUPS = [
    pytest.param(name, function, id=f"{name}-{function}")
    for name in PEERS
    for function in dict.fromkeys(map(function_of, peer(name).SETTINGS))
]

each_peer = pytest.mark.parametrize("name", PEERS)
each_group = pytest.mark.parametrize(("name", "function"), GROUPS)


def module(name):
    return importlib.import_module(f"jaxsched.compat.{name}")


def require(name: str) -> None:
    """Skips the test where the peer is not installed."""
    if hasattr(peer(name), "require"):
        peer(name).require()
    else:
        pytest.importorskip(name, reason="see the extra parity")


@cache
def ours(name: str, setting: str) -> np.ndarray | None:
    """Our values at all steps, operation by operation, or None for a refusal."""
    # A setting with a function of the user's own follows JAX's ordinary promotion.
    promotion = "standard" if "lambda" in setting else "strict"
    try:
        with jax.disable_jit(), jax.numpy_dtype_promotion(promotion):
            schedule = eval(setting, {**vars(np), **vars(module(name))})
            return np.asarray(schedule(jnp.asarray(STEPS)), np.float64)
    except (ValueError, TypeError):
        return None


def assert_equal(name: str, setting: str, expected: np.ndarray) -> None:
    """Within 1e-6 of the peak: float32, in which most peers compute; or of 1e-12."""
    values = ours(name, setting)
    raised = np.isnan(expected)
    if raised.all():
        assert values is None, f"{setting} is refused by the peer"
        return
    assert values is not None, f"{setting} is not refused by the peer"
    double = jax.config.jax_enable_x64 and peer(name).DOUBLE
    peak = np.max(np.abs(expected[~raised]))
    np.testing.assert_allclose(
        values[~raised],
        expected[~raised],
        rtol=0,
        atol=(1e-12 if double else 1e-6) * max(peak, np.finfo(np.float32).tiny),
        err_msg=setting,
    )


@each_group
@pytest.mark.parametrize("every", [8, pytest.param(1, marks=pytest.mark.slow)])
def test_equal_to_the_golden_table(name, function, every):
    """What the peer of the recorded version returned, for one setting in `every`."""
    table = load(name)
    rows = zip(table.settings, table.values, strict=True)
    mine = [(text, row) for text, row in rows if function_of(text) == function][::every]
    assert mine
    for setting, row in mine:
        assert_equal(name, setting, row)


@each_group
def test_equal_to_the_installed_peer(name, function):
    """What the peer returns here and now."""
    require(name)
    for setting in peer(name).SETTINGS:
        if function_of(setting) == function:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the peer, about its own use
                expected = ask(peer(name).real, setting)
            assert_equal(name, setting, expected)


@each_group
def test_the_text_of_every_schedule_is_read_back(name, function):
    """Also where a peer's lengths are parts of a step, which are no lengths here."""
    for setting in load(name).settings:
        if function_of(setting) == function:
            try:
                schedule = eval(setting, {**vars(np), **vars(module(name))})
            except (ValueError, TypeError):
                continue
            text = repr(schedule)
            assert "<" in text or js.parse(text) == schedule, setting


@each_peer
def test_the_golden_table_is_of_this_grid(name):
    """A grid that changes needs a new table."""
    table = load(name)
    assert table.settings == peer(name).SETTINGS
    assert len(table.settings) >= 200
    assert table.version.split()[0] == peer(name).PACKAGE


@each_peer
def test_every_argument_is_moved(name):
    """Each argument of each function has two values at least."""
    for function in set(module(name).__all__) - getattr(peer(name), "OTHERS", set()):
        texts = [s for s in peer(name).SETTINGS if function_of(s) == function]
        assert len(set(texts)) > 1, function
        for argument in inspect.signature(getattr(module(name), function)).parameters:
            given = {t.rpartition(f"{argument}=")[2][:9] for t in texts}
            position = {t.partition(",")[0] for t in texts}
            assert len(given) > 1 or len(position) > 1, f"{function}: {argument}"


@each_peer
def test_signatures_are_those_of_the_peer(name):
    """The same arguments in the same order with the same defaults."""
    require(name)
    for function in module(name).__all__:
        original = peer(name).original(function)
        if original is None:
            continue
        own = inspect.signature(getattr(module(name), function)).parameters.values()
        theirs = inspect.signature(original).parameters.values()
        # Where the peer takes the optimizer, ours takes its rate.
        lr = "optimizer" if function == "ChainedScheduler" else "lr"
        expected = [
            (lr if p.name == "optimizer" else p.name, repr(p.default)) for p in theirs
        ]
        assert [(p.name, repr(p.default)) for p in own] == expected, function
