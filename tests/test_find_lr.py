"""The example of a range test."""

import importlib
import re
from pathlib import Path

import jax
import numpy as np
import optax
import pytest

import jaxsched as js

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture
def find_lr(monkeypatch):
    """The example as a module, with the promotion that Optax's Adam needs."""
    monkeypatch.syspath_prepend(EXAMPLES)
    with jax.numpy_dtype_promotion("standard"):
        yield importlib.import_module("find_lr")


def test_find_lr_suggests_a_rate_and_trains_with_it(find_lr, tmp_path, capsys):
    """A shorter run: a tenth of the suggestion is too low for it."""
    picture = tmp_path / "test.png"
    find_lr.main(["--steps", "100", "--output", str(picture)])
    out = capsys.readouterr().out
    found = dict(re.findall(r"^(\w+) +(\d\S*)$", out, re.M))
    assert list(found) == ["valley", "slide", "minimum", "steep"]
    assert picture.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")

    schedule = r"cooldown\(schedule=warmup\(schedule=constant\(value=([^)]+)"
    row = rf"^([a-z ]+?) +\S+ +(\S+)% +\S+ +{schedule}"
    rows = {name: (float(a), float(p)) for name, a, p in re.findall(row, out, re.M)}
    (low, low_peak), (middle, peak), (high, high_peak) = (
        rows[name] for name in ("a tenth", "suggested", "ten times")
    )
    # Two digits of the rate are used.
    peaks = [10 * low_peak, peak, high_peak / 10]
    assert peaks == pytest.approx([float(found["minimum"])] * 3, rel=0.05)
    assert middle > max(low, high)


@pytest.mark.slow
def test_what_is_suggested_beats_its_neighbours_on_most_seeds(find_lr):
    """A tenth of it and ten times it, after training with each: what the example says."""
    from benchmarks import range_test

    wins = 0
    for seed in range(10):
        params, losses = range_test.tuned(optax.adamw, seed)
        test = range_test.test(optax.adamw, params, find_lr.SWEEP_STEPS, seed)
        wins += range_test.judged(test.suggestions[find_lr.RULES[0]], losses).wins
    assert wins >= 8


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--steps", "0", "must be a whole number from 1"),
        ("--sweep-steps", "1", "must be a whole number from 2"),
        ("--batch-size", "x", "must be a whole number from 1"),
        ("--seed", "-1", "must be a whole number from 0"),
        ("--rule", "deep", "invalid choice: 'deep'"),
        ("--output", "test.txt", "must end in one of"),
    ],
)
def test_find_lr_refuses_bad_values(option, value, message, find_lr, capsys):
    """Before any training, not after it."""
    with pytest.raises(SystemExit, match="2"):
        find_lr.main([option, value])
    assert f"argument {option}: {message}" in capsys.readouterr().err


def test_find_lr_says_so_where_nothing_is_suggested(find_lr, tmp_path, monkeypatch):
    """Of twelve steps six are looked at, fewer than the rule needs."""
    ones = np.ones(12)
    found = js.RangeTest(np.arange(1, 13) / 100, ones, ones, steps=12, stopped=False)
    monkeypatch.setattr(find_lr, "find", lambda *_: found)
    arguments = ["--rule", "slide", "--output", str(tmp_path / "test.png")]
    with pytest.raises(SystemExit, match="too few points for the rule slide"):
        find_lr.main(arguments)
