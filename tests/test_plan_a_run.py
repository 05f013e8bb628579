"""The example that plans a run, in runs too short to show anything."""

import importlib
import re

import jax
import numpy as np
import pytest
from flax import nnx
from test_examples import EXAMPLES, is_png

import jaxsched as js


@pytest.fixture(autouse=True)
def standard_promotion():
    """Optax mixes float and int32 in Adam's bias correction."""
    with jax.numpy_dtype_promotion("standard"):
        yield


@pytest.fixture
def language_model(monkeypatch):
    """The model and its trainer, evaluated on few windows."""
    monkeypatch.syspath_prepend(EXAMPLES)
    module = importlib.import_module("language_model")
    monkeypatch.setattr(module, "HELD_OUT", 16)
    return module


@pytest.fixture
def plan_a_run(language_model, monkeypatch):
    """The example with five of its shapes at three peaks."""
    module = importlib.import_module("plan_a_run")
    all_of_them = module.shapes
    kept = {"wsd 20%", "wsd 40%", "constant", "cosine", "linear"}
    monkeypatch.setattr(
        module,
        "shapes",
        lambda steps: {n: s for n, s in all_of_them(steps).items() if n in kept},
    )
    monkeypatch.setattr(module, "PEAKS", [4e-3, 8e-3, 16e-3])
    return module


def test_the_text_is_split_by_files(language_model):
    """Windows follow each other by one character, and all of it is known characters."""
    text = language_model.load_text()
    assert len(text.train) > 5 * len(text.held_out) > 5000
    for part in text:
        assert part.dtype == np.uint8
        assert part.max() < language_model.CHARACTERS
        np.testing.assert_array_equal(part[:-1, -1], part[1:, 0])


def test_characters_have_numbers(language_model):
    """Printable ones in their order, the end of a line, and the rest as one."""
    found = language_model.numbers(" !~\n\té".encode())
    assert found.tolist() == [0, 1, 94, 95, 96, 96, 96]


def test_the_model_reads_sixteen_characters_back(language_model):
    """A logit depends on those and on none that follows."""
    model = language_model.LanguageModel(8, nnx.Rngs(0))
    read = np.arange(32)[None] % 97
    logits = np.asarray(model(read))
    for place in (3, 20):
        other = read.copy()
        other[0, place] = 50
        moved = np.abs(np.asarray(model(other)) - logits).max(axis=-1)[0] > 1e-9
        assert np.flatnonzero(moved).tolist() == [*range(place, min(32, place + 16))]


def test_runs_are_those_of_one_at_a_time(language_model):
    """However they are grouped and cut; a seed decides its batches."""
    trainer = language_model.Trainer(language_model.load_text(), 5, width=4)
    rates = np.stack([np.full(10, 3e-3), np.linspace(1e-2, 0, 10)])
    together, losses = trainer.train(trainer.begin([0, 1]), [0, 1], rates)
    [fresh] = trainer.begin([1])
    [half], first = trainer.train([fresh], [1], rates[1:, :5])
    [whole], second = trainer.train([half], [1], rates[1:, 5:], first=5)
    jax.tree.map(np.testing.assert_array_equal, whole, together[1])
    np.testing.assert_array_equal(np.concatenate([first, second], axis=1)[0], losses[1])
    assert np.all(np.isfinite(trainer.evaluate(together)))


def test_batches_are_all_windows_once_then_again(language_model):
    """And a run that goes on sees those that the whole run would have seen."""
    rows = language_model.order(3, 0, 6, 20).ravel()
    assert sorted(rows[:20]) == [*range(20)]
    assert rows.max() < 20
    np.testing.assert_array_equal(language_model.order(3, 4, 2, 20).ravel(), rows[32:])


def test_the_best_peak_is_the_vertex_of_a_parabola(plan_a_run):
    """In the logarithm, from losses that are one; at an edge it says so."""
    peaks = np.array(plan_a_run.PEAKS)[:, None]
    losses = 1.5 + np.log2(peaks / np.array([7e-3, 9e-3])) ** 2
    found = plan_a_run.best_of(losses)
    assert found.is_inside
    assert found.peak == pytest.approx((7e-3 * 9e-3) ** 0.5)
    at = np.log2(found.peak / np.array([7e-3, 9e-3])) ** 2
    np.testing.assert_allclose(found.losses, 1.5 + at)
    edge = plan_a_run.best_of(losses[::-1] * [[1], [2], [3]])
    assert (edge.peak, edge.is_inside) == (4e-3, False)


@pytest.mark.slow
def test_all_of_it_runs(plan_a_run, tmp_path, capsys):
    """All six parts, from tuning to the picture."""
    picture = tmp_path / "plan.png"
    options = ["--steps", "40", "--seeds", "2", "--width", "4"]
    plan_a_run.main([*options, "--output", str(picture)])
    out = capsys.readouterr().out
    assert [*map(int, re.findall(r"^(\d)\. ", out, re.M))] == [1, 2, 3, 4, 5, 6]
    for name in ("longer cool-down", "lower plateau", "same cool-down"):
        assert re.search(rf"^  \d\.\d+ +[+-]\S+ \+- \S+ +{name}$", out, re.M)
    assert is_png(picture)


def test_shapes_have_a_peak_of_one(plan_a_run):
    """So that what `transfer_factor` says of one is its best peak."""
    shapes = plan_a_run.shapes(1000)
    assert all(s.at(np.arange(1000)).max() == 1 for s in shapes.values())
    tuned = 0.01 * shapes["wsd 20%"]
    factor = js.planning.transfer_factor(tuned, shapes["cosine"], 1000)
    assert 0.015 < float(factor) < 0.02


def test_steps_must_divide(plan_a_run, capsys):
    """Refused before anything is trained."""
    with pytest.raises(SystemExit, match="2"):
        plan_a_run.main(["--steps", "50"])
    assert "--steps must be a multiple of 40, got 50" in capsys.readouterr().err
