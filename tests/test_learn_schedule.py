"""The example that learns schedules: its gradients, its claim, its command line."""

import importlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from scipy.special import log_softmax, softmax

import jaxsched as js

EXAMPLES = Path(__file__).parents[1] / "examples"
# Between whole steps and with no two equal neighbours: there a schedule is smooth in them.
POINTS = {
    "warmup_cosine": {"peak_value": 0.1, "warmup_steps": 3.4},
    "spline": {"values": [0.05, 0.1, 0.2, 0.15, 0.1, 0.04]},
}


@pytest.fixture
def example(monkeypatch):
    """The example as a module."""
    monkeypatch.syspath_prepend(EXAMPLES)
    return importlib.import_module("learn_schedule")


@pytest.fixture(autouse=True)
def standard_promotion():
    """As users have it: Optax mixes dtypes in Adam, and a network adds its biases."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


def central_differences(f: Callable[[Any], Any], x: np.ndarray) -> np.ndarray:
    """Of a function of a vector, with the step that suits float64."""
    # Errors of h^2 / 6 third derivatives and of 1e-16 / h: both about 1e-11.
    h = 1e-5
    return np.array([f(x + e) - f(x - e) for e in h * np.eye(len(x))]) / (2 * h)


def test_gradients_through_training_are_central_differences(example):
    """By a peak, the length of a warm-up and the values of a spline: of both's sum."""
    # Older versions of JAX have it elsewhere.
    home = jax if hasattr(jax, "enable_x64") else jax.experimental
    with home.enable_x64(True):
        digits, kinds = example.split_digits(), example.learnables(10)
        runs = example.draw_runs(np.random.default_rng(0), 2, 10, 1000)
        logs, structured = ravel_pytree(jax.tree.map(np.log, POINTS))

        def make(**points: Any) -> js.Schedule:
            first, second = (kinds[kind].make(**points[kind]) for kind in kinds)
            return first + second

        @jax.jit
        def value_and_gradient(logs: Any) -> Any:
            f = lambda logs: example.objective(structured(logs), make, runs, digits)
            return jax.value_and_grad(f)(logs)

        gradient = np.asarray(value_and_gradient(logs)[1])
        f = lambda logs: value_and_gradient(logs)[0]
        expected = central_differences(f, np.asarray(logs))
    assert gradient.dtype == np.float64
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-10)
    assert np.all(np.abs(gradient) > 1e-4)  # so six digits of each are right


def numpy_losses(schedule: js.Schedule, runs: Any, train: Any, test: Any) -> np.ndarray:
    """The test loss of each run, by gradients written out and in float64."""
    hidden, out = runs.params["hidden"], runs.params["out"]
    arrays = hidden["kernel"], hidden["bias"], out["kernel"], out["bias"]
    w, b, v, c = (np.asarray(x, float) for x in arrays)
    params = [w, b[:, None], v, c[:, None]]
    momenta = [np.zeros_like(x) for x in params]
    train, test = (jax.tree.map(np.asarray, data) for data in (train, test))
    for k, rows in enumerate(np.swapaxes(runs.rows, 0, 1)):
        w, b, v, c = params
        x = train.images[rows].astype(float)
        units = np.tanh(x @ w + b)
        errors = softmax(units @ v + c, axis=-1) - np.eye(10)[train.labels[rows]]
        errors /= rows.shape[-1]
        inner = errors @ v.mT * (1 - units**2)
        gradients = [x.mT @ inner, inner.sum(1, keepdims=True)]
        gradients += [units.mT @ errors, errors.sum(1, keepdims=True)]
        momenta = [0.9 * m + g for m, g in zip(momenta, gradients, strict=True)]
        rate = schedule.at(k)
        params = [p - rate * m for p, m in zip(params, momenta, strict=True)]
    w, b, v, c = params
    logs = log_softmax(np.tanh(test.images @ w + b) @ v + c, axis=-1)
    return -logs[:, np.arange(len(test.labels)), test.labels].mean(axis=-1)


@pytest.mark.slow
def test_learned_schedules_have_a_lower_loss_where_learning_never_looked(
    example, tmp_path, capsys, monkeypatch
):
    """A short run: what it prints is what NumPy finds with the printed schedules."""
    drawn, measured = [], []
    draw_runs, measure = example.draw_runs, example.measure
    spy = lambda *args: drawn.append(draw_runs(*args)) or drawn[-1]
    monkeypatch.setattr(example, "draw_runs", spy)
    spy = lambda *args: measured.append(args) or measure(*args)
    monkeypatch.setattr(example, "measure", spy)
    picture = tmp_path / "learned.png"
    options = ["--outer-steps", "6", "--inner-steps", "12", "--seed", "1"]
    example.main([*options, "--output", str(picture)])

    printed = capsys.readouterr().out
    rows = re.findall(r"^(\w+) +(start|learned) +(\S+) +(\S+)  (.*)$", printed, re.M)
    assert [row[:2] for row in rows] == [
        (kind, label) for kind in POINTS for label in ("start", "learned")
    ]
    losses = np.array([row[2:4] for row in rows], float).reshape(2, 2, 2)
    assert np.all(losses[:, 1] < losses[:, 0])

    _, runs, digits = measured[0]
    assert [len(part.labels) for part in digits] == [1000, 347, 450]
    for *_, loss, text in rows:
        schedule = js.parse(text)
        assert repr(schedule) == text
        expected = numpy_losses(schedule, runs, digits.train, digits.test).mean()
        assert float(loss) == pytest.approx(expected, abs=6e-5)  # four digits
    starts = [
        start.tobytes() for each in drawn for start in each.params["out"]["kernel"]
    ]
    assert len(set(starts)) == len(starts) == 16 + 2 * 6 * 8
    assert picture.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_what_is_learned_is_rounded_and_checked(example):
    """Rates to four digits, lengths to whole steps, the warm-up no longer than the run."""
    learnable = example.learnables(40)["warmup_cosine"]
    logs = {"peak_value": jnp.log(0.123456), "warmup_steps": jnp.log(7.6)}
    assert example.read(learnable, logs) == js.warmup_cosine(0.1235, 40, 8)
    with pytest.raises(ValueError, match="warmup_steps must be <= total_steps"):
        example.read(learnable, {**logs, "warmup_steps": jnp.log(41.0)})


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--outer-steps", "0", "must be a whole number from 1"),
        ("--inner-steps", "9", "must be a whole number from 10"),
        ("--seed", "-1", "must be a whole number from 0"),
        ("--output", "learned.txt", "must end in one of"),
    ],
)
def test_bad_arguments_are_refused(option, value, message, example, capsys):
    """Before any learning, not after it."""
    with pytest.raises(SystemExit, match="2"):
        example.main([option, value])
    assert f"argument {option}: {message}" in capsys.readouterr().err
