"""The examples beyond the learning rate, against formulas in float64."""

import importlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import chex
import flax
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import jaxsched as js

EXAMPLES = Path(__file__).parents[1] / "examples"
STEPS = 40  # of the optimizers that are not run on the digits


@pytest.fixture
def example(monkeypatch) -> Callable[[str], ModuleType]:
    """Imports an example by name: quicker than a process for each."""
    monkeypatch.syspath_prepend(EXAMPLES)
    return importlib.import_module


@pytest.fixture(autouse=True)
def standard_promotion():
    """Optax mixes float and int32 in Adam's bias correction."""
    with jax.numpy_dtype_promotion("standard"):
        yield


def move(init: float, end: float, u: Any) -> Any:
    """Half a cosine wave from `init` at u = 0 to `end` at u = 1."""
    return end + (init - end) * (1 + np.cos(np.pi * np.clip(u, 0, 1))) / 2


def warmup_cosine(peak: float, total: int, warmup: int, k: Any) -> Any:
    """(k + 1) / (warmup + 1) of the peak, then half a cosine wave to 0."""
    ramp = peak * (k + 1) / (warmup + 1)
    return np.where(k < warmup, ramp, move(peak, 0, (k - warmup) / (total - warmup)))


def one_cycle(edge: float, middle: float, last: float, total: int, k: Any) -> Any:
    """Both phases of a cycle, of which the first is 30 %."""
    first = 3 * total // 10
    second = move(middle, last, (k - first) / (total - first))
    return np.where(k < first, move(edge, middle, k / first), second)


def logged(out: str) -> tuple[np.ndarray, np.ndarray]:
    """The steps and the columns of the log that an example has printed."""
    rows = [line.split() for line in re.findall(r"^ +\d+  .*$", out, re.M)]
    steps, *columns = np.array(rows, float).T
    return steps, np.array(columns)


def percentage(out: str) -> float:
    """What the last line says, in per cent."""
    [percent] = re.findall(r" (\S+)%$", out.splitlines()[-1])
    return float(percent)


def parameters(dtype: Any = jnp.float32) -> dict[str, Any]:
    """Parameters with the names of those of the digits' MLP, but few of them."""
    rng = np.random.default_rng(0)
    return {
        layer: {
            kind: jnp.asarray(rng.normal(size=3), dtype) for kind in ("kernel", "bias")
        }
        for layer in ("first", "second", "out")
    }


def gradients(params: Any) -> Any:
    """Random gradients for each step of a run, stacked."""
    rng = np.random.default_rng(1)
    draw = lambda x: jnp.asarray(rng.normal(size=(STEPS, *x.shape)), x.dtype)
    return jax.tree.map(draw, params)


def updates_of(optimizer: Any, params: Any) -> tuple[Any, Any]:
    """The updates of a run and its optimizer states, stacked; parameters stay."""

    def step(state: Any, grads: Any):
        updates, state = optimizer.update(grads, state, params)
        return state, (updates, state)

    run = jax.jit(lambda state, grads: jax.lax.scan(step, state, grads)[1])
    return run(optimizer.init(params), gradients(params))


@cache
def unscaled() -> Any:
    """The updates of Adam before they are multiplied by a rate."""
    return updates_of(optax.scale_by_adam(), parameters())[0]


# Momentum and weight decay


def scheduled(total: int, k: Any) -> dict[str, Any]:
    """What the example gives AdamW at step k of a run."""
    return {
        "learning_rate": one_cycle(0.01 / 25, 0.01, 0.01 / 250_000, total, k),
        "b1": one_cycle(0.95, 0.85, 0.95, total, k),
        "weight_decay": move(0.04, 0.4, k / total),
    }


def test_adamw_uses_the_momentum_and_weight_decay_of_each_step(example):
    """Its updates are those of AdamW written in NumPy, with numbers from formulas."""
    params = parameters()
    optimizer = example("momentum_and_weight_decay").make_optimizer(STEPS)
    updates, states = updates_of(optimizer, params)

    numbers = scheduled(STEPS, np.arange(STEPS))
    used = {name: states.hyperparams[name] for name in numbers}
    chex.assert_trees_all_close(used, numbers, rtol=1e-6)
    assert np.argmax(used["learning_rate"]) == np.argmin(used["b1"]) == 3 * STEPS // 10

    p, g, update = (
        np.asarray(tree["out"]["kernel"], float)
        for tree in (params, gradients(params), updates)
    )
    m = v = 0
    for k in range(STEPS):
        rate, b1, weight_decay = (x[k] for x in numbers.values())
        m, v = b1 * m + (1 - b1) * g[k], 0.999 * v + 0.001 * g[k] ** 2
        m_hat, v_hat = m / (1 - b1 ** (k + 1)), v / (1 - 0.999 ** (k + 1))
        expected = -rate * (m_hat / (np.sqrt(v_hat) + 1e-8) + weight_decay * p)
        # Optax computes 1 - b2^t in float32, where it loses four digits at first.
        np.testing.assert_allclose(update[k], expected, rtol=1e-4, atol=1e-4 * rate)


def test_hyperparameters_of_bfloat16_weights_stay_float32(example):
    """In bfloat16 b2 would be 1, and the update not finite."""
    optimizer = example("momentum_and_weight_decay").make_optimizer(STEPS)
    params = parameters(jnp.bfloat16)
    updates, state = optimizer.update(params, optimizer.init(params), params)
    chex.assert_tree_all_finite(updates)
    assert state.hyperparams["b2"] == np.float32(0.999)
    assert state.hyperparams["b1"] == np.float32(0.95)


def test_momentum_example_logs_what_it_used_and_learns(example, capsys):
    """A row is about the update that was just made."""
    module = example("momentum_and_weight_decay")
    module.main([])
    out = capsys.readouterr().out
    steps, (*columns, _) = logged(out)
    assert steps.tolist() == [*range(0, 300, 30), 299]
    expected = [*scheduled(300, steps).values()]
    np.testing.assert_allclose(columns, expected, rtol=0, atol=6e-5)
    np.testing.assert_allclose(columns[0], expected[0], rtol=0, atol=6e-7)
    assert percentage(out) >= 96


# Groups

OLD_FLAX = tuple(map(int, flax.__version__.split(".")[:2])) < (0, 12)
trains_partitions = pytest.mark.skipif(
    OLD_FLAX, reason="nnx.Optimizer takes no optax.partition before Flax 0.12"
)


def group_rates(total: int, k: Any) -> dict[str, Any]:
    """The rates of the three groups at step k of a run."""
    tenth = total // 10
    begin = total - 5 * tenth
    trapezoid = np.minimum((k + 1) / (tenth + 1), (total - k) / (total - begin))
    awake = warmup_cosine(0.003, total - 2 * tenth, tenth, k - 2 * tenth)
    return {
        "head": 0.01 * np.minimum(trapezoid, 1),
        "body": np.where(k < 2 * tenth, 0, awake),
        "biases": warmup_cosine(0.003, total, tenth, k),
    }


GROUP_OF = {
    ("out", "kernel"): "head",
    ("first", "kernel"): "body",
    ("second", "kernel"): "body",
    ("out", "bias"): "biases",
    ("first", "bias"): "biases",
    ("second", "bias"): "biases",
}


def test_each_group_moves_by_its_own_rate_and_decay(example):
    """An update is the unscaled one of Adam, and the decay, times the group's rate."""
    params = parameters()
    optimizer = example("per_group_schedules").make_optimizer(STEPS)
    updates, _ = updates_of(optimizer, params)
    rates = group_rates(STEPS, np.arange(STEPS))
    for (layer, kind), group in GROUP_OF.items():
        decay = 0.0 if group == "biases" else 0.1
        whole = np.asarray(unscaled()[layer][kind]) + decay * params[layer][kind][None]
        expected = -rates[group][:, None] * whole
        np.testing.assert_allclose(updates[layer][kind], expected, 1e-5, 1e-9)
    asleep = np.asarray(updates["first"]["kernel"])[: STEPS // 5]
    np.testing.assert_array_equal(asleep, 0)


@trains_partitions
def test_groups_example_logs_what_it_used_and_learns(example, capsys):
    """The rates are read by label, in the log and from the state."""
    module = example("per_group_schedules")
    module.main([])
    out = capsys.readouterr().out
    steps, (*columns, _) = logged(out)
    expected = [*group_rates(300, steps).values()]
    np.testing.assert_allclose(columns, expected, rtol=0, atol=6e-7)
    assert percentage(out) >= 96


# Layers


def test_a_layer_moves_by_the_rate_times_the_decay_to_the_power_of_its_depth(example):
    """Compared with the same optimizer without a rate."""
    optimizer = example("layerwise_decay").make_optimizer(STEPS)
    updates, _ = updates_of(optimizer, parameters())
    rate = warmup_cosine(0.01, STEPS, STEPS // 10, np.arange(STEPS))[:, None]
    for depth, layer in enumerate(["out", "second", "first"]):
        for kind in ("kernel", "bias"):
            expected = -rate * 0.8**depth * np.asarray(unscaled()[layer][kind], float)
            np.testing.assert_allclose(updates[layer][kind], expected, 1e-5, 1e-9)


def test_layerwise_takes_any_layers_and_optimizer(example):
    """Gradient descent in four layers: the update is known from the gradient."""
    layers = ["a", "b", "c", "d"]
    params = {layer: {"w": jnp.ones(2, jnp.float32)} for layer in layers}
    layerwise = example("layerwise_decay").layerwise
    schedule = js.linear(0.5, 0.0, steps=STEPS)
    optimizer = layerwise(schedule, 0.25, layers, optax.identity())
    updates, states = updates_of(optimizer, params)
    grads = gradients(params)
    rates = 0.5 * (1 - np.arange(STEPS) / STEPS)
    used = js.learning_rate(states)
    for layer, factor in zip(layers, [1 / 64, 1 / 16, 1 / 4, 1], strict=True):
        expected = -factor * rates[:, None] * np.asarray(grads[layer]["w"], float)
        np.testing.assert_allclose(updates[layer]["w"], expected, rtol=1e-6)
        np.testing.assert_allclose(used[layer], factor * rates, rtol=1e-6)


@trains_partitions
def test_layers_example_logs_what_it_used_and_learns(example, capsys):
    """One column of rates for each layer, the lowest first."""
    module = example("layerwise_decay")
    module.main([])
    out = capsys.readouterr().out
    steps, (*columns, _) = logged(out)
    rate = warmup_cosine(0.01, 300, 30, steps)
    expected = [0.64 * rate, 0.8 * rate, rate]
    np.testing.assert_allclose(columns, expected, rtol=0, atol=6e-7)
    assert percentage(out) >= 96


# Loss


def annealed(total: int, k: Any) -> tuple[Any, Any]:
    """The weight of the KL divergence and the temperature at step k of a run."""
    cycle = total // 4
    weight = np.minimum(k % cycle / (cycle // 2), 1)
    return weight, np.maximum(0.5 ** (k / (total // 2)), 0.5)


def vae_terms(params: Any, images: Any, noise: Any, temperature: float) -> Any:
    """The two terms of the loss, in float64."""
    images, noise = np.asarray(images, float), np.asarray(noise, float)

    def layers(name: str, x: np.ndarray) -> np.ndarray:
        first, second = params[name]["layers"][0], params[name]["layers"][2]
        hidden = np.maximum(x @ first["kernel"] + first["bias"], 0)
        return hidden @ second["kernel"] + second["bias"]

    def softmax(x: np.ndarray) -> np.ndarray:
        powers = np.exp(x - x.max(axis=-1, keepdims=True))
        return powers / powers.sum(axis=-1, keepdims=True)

    logits = layers("encoder", images).reshape(noise.shape)
    codes = softmax((logits + noise) / temperature)
    pixels = layers("decoder", codes.reshape(len(images), -1))
    entropies = np.logaddexp(0, pixels) - images * pixels
    posterior = softmax(logits)
    divergences = posterior * np.log(posterior * noise.shape[-1])
    return entropies.sum() / len(images), divergences.sum() / len(images)


def numpy_params(model: nnx.Module) -> Any:
    """The parameters as they are now, in float64."""
    pure = nnx.to_pure_dict(nnx.state(model, nnx.Param))
    return jax.tree.map(lambda x: np.asarray(x, float), pure)


def test_the_loss_uses_weight_and_temperature_of_each_step(
    example, capsys, monkeypatch
):
    """In the run that a reader sees, every 19th loss is computed again in NumPy."""
    module = example("loss_weight")
    train_step, losses = module.train_step, []

    def checked_step(model: nnx.Module, *args: Any) -> Any:
        step = len(losses)
        params = numpy_params(model) if step % 19 == 0 else None
        losses.append(log := train_step(model, *args))
        if params is not None:
            _, _, images, key = args
            noise_key = jax.random.fold_in(key, step)
            noise = jax.random.gumbel(noise_key, (len(images), 8, 8), jnp.float32)
            weight, temperature = annealed(400, step)
            reconstruction, kl = vae_terms(params, images, noise, temperature)
            loss = reconstruction + weight * kl
            expected = (weight, temperature, reconstruction, kl, loss)
            np.testing.assert_allclose(log, expected, rtol=2e-5)
        return log

    monkeypatch.setattr(module, "train_step", checked_step)
    module.main([])
    assert len(losses) == 400
    out = capsys.readouterr().out
    steps, columns = logged(out)
    assert steps.tolist() == [*range(0, 400, 25), 399]
    np.testing.assert_allclose(columns[:2], annealed(400, steps), rtol=0, atol=6e-5)
    assert percentage(out) >= 45


RUNNABLE = sorted(
    path.stem for path in EXAMPLES.glob("*.py") if "__main__" in path.read_text("utf-8")
)


@pytest.mark.parametrize("name", RUNNABLE)
def test_help_is_everywhere(name, example, capsys):
    """Said instead of training, and with the length of the run among the options."""
    module = example(name)
    with pytest.raises(SystemExit, match="0"):
        module.main(["--help"])
    out = capsys.readouterr().out
    assert out.startswith("usage: ")
    assert re.search(r"--\w*-?(steps|iterations)\b", out)
