"""The examples, run as a user runs them."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import jax
import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
NAMES = ["constant", "step_decay", "warmup_cosine", "one_cycle", "wsd"]


def run(
    folder: Path, script: str, *args: str, status: int = 0
) -> subprocess.CompletedProcess[str]:
    """Runs an example in `folder` and checks its exit status."""
    command = [sys.executable, str(EXAMPLES / script), *args]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    return done


def is_png(path: Path) -> bool:
    """Whether a file begins as a PNG picture does."""
    return path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


@pytest.fixture
def train_digits(monkeypatch):
    """The example as a module: quicker than a process where nothing is trained."""
    monkeypatch.syspath_prepend(EXAMPLES)
    return importlib.import_module("train_digits")


@pytest.mark.slow
def test_digits_compares_five_schedules_and_learns(tmp_path):
    """The whole run without arguments: bars, table, picture and accuracy."""
    done = run(tmp_path, "train_digits.py")
    rows = re.findall(r"^(\w+) +\S+ +(\S+)% +\S+  \w+\(.*\)$", done.stdout, re.M)
    assert [name for name, _ in rows] == NAMES
    assert max(float(accuracy) for _, accuracy in rows) >= 97
    assert is_png(tmp_path / "digits.png")
    assert all(f"{name}: 100%" in done.stderr for name in NAMES)


def test_digits_trains_one_schedule_given_as_text(train_digits, tmp_path, capsys):
    """Every option, in a run too short to learn."""
    text, picture = "cosine(0.01, 0.0, steps=10)", tmp_path / "one.png"
    options = {"--schedule": text, "--steps": "10", "--batch-size": "8", "--seed": "1"}
    options["--output"] = str(picture)
    with jax.numpy_dtype_promotion("standard"):  # for Optax's Adam
        train_digits.main([word for option in options.items() for word in option])
    _, row, *_ = capsys.readouterr().out.splitlines()
    assert row.endswith("  cosine(init_value=0.01, end_value=0.0, steps=10)")
    assert is_png(picture)


def test_digits_points_at_a_mistake_in_the_text(tmp_path):
    """A bad schedule is a mistake of usage, not a crash."""
    done = run(
        tmp_path, "train_digits.py", "--schedule", "cosine(1, 0, steps=-5)", status=2
    )
    assert "steps must be >= 0, got steps=-5" in done.stderr
    *_, text, caret = done.stderr.splitlines()
    assert caret.index("^") == text.index("-5")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--steps", "0", "must be a whole number from 1"),
        ("--batch-size", "-3", "must be a whole number from 1"),
        ("--seed", "1.5", "must be a whole number from 0"),
        ("--output", "digits.txt", "must end in one of"),
        ("--output", "nowhere/digits.png", "there is no folder 'nowhere'"),
    ],
)
def test_digits_refuses_bad_values(option, value, message, train_digits, capsys):
    """Before any training, not after it."""
    with pytest.raises(SystemExit, match="2"):
        train_digits.main([option, value])
    assert f"argument {option}: {message}" in capsys.readouterr().err


def test_digits_help_shows_an_example(train_digits, capsys):
    """What --schedule takes is easier shown than told."""
    with pytest.raises(SystemExit, match="0"):
        train_digits.main(["--help"])
    assert '--schedule "warmup_cosine(3e-3' in capsys.readouterr().out


def test_linen_learns_and_logs_the_rate_of_each_update(tmp_path):
    """The rate is read before an update, so the log begins with that of step 0."""
    out = run(tmp_path, "train_linen.py").stdout
    rates = dict(re.findall(r"^update +(\d+)  rate (\S+)", out, re.M))
    assert list(rates) == ["0", "100", "200", "300", "400", "500"]
    # Update 1 of 60 of the warm-up; half the peak is in the middle of the cosine, 330.
    assert float(rates["0"]) == pytest.approx(0.01 / 61, abs=1e-6)
    assert float(rates["300"]) > 0.005 > float(rates["400"])
    [accuracy] = re.findall(r"^test accuracy (\S+)%$", out, re.M)
    assert float(accuracy) >= 97
