"""The example of a range test."""

import importlib
import re
from pathlib import Path

import jax
import numpy as np
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
    """A shorter run: far below the suggestion is too low to learn."""
    picture = tmp_path / "test.png"
    find_lr.main(["--steps", "60", "--output", str(picture)])
    out = capsys.readouterr().out
    found = dict(re.findall(r"^(\w+) +(\d\S*)$", out, re.M))
    assert list(found) == ["valley", "slide", "minimum", "steep"]
    assert all(1e-4 < float(rate) < 0.5 for rate in found.values())
    assert picture.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")

    schedule = r"cooldown\(schedule=warmup\(schedule=constant\(value=([^)]+)"
    row = rf"^([a-z ]+?) +\S+ +(\S+)% +\S+ +{schedule}"
    rows = {name: (float(a), float(p)) for name, a, p in re.findall(row, out, re.M)}
    (low, low_peak), (middle, peak), (_, high_peak) = (
        rows[name] for name in ("far below", "suggested", "far above")
    )
    valley = float(found["valley"])
    # Two digits of the rate are used.
    peaks = [30 * low_peak, peak, high_peak / 30]
    assert peaks == pytest.approx([valley] * 3, rel=0.05)
    assert middle >= 85 > 50 > low


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
