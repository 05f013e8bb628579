"""The training runs that `explained.md` shows: `python docs/explained_runs.py`.

Trains a small classifier of handwritten digits (the data come with scikit-learn) at
constant rates, under each kind of schedule, and under each at its own best peak, from
eight seeds each. Writes what came of them to `explained_runs.json`, beside the versions
that were used; the site is drawn from that file. Takes three minutes on two cores.
"""

import json
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

import jaxsched as js

HERE = Path(__file__).parent
RESULTS = HERE / "explained_runs.json"
sys.path.insert(0, str(HERE.parent / "examples"))
import train_digits  # noqa: E402 - beside the other examples

SEEDS, STEPS, BATCH_SIZE = 8, 600, 32
CHUNK = 10  # updates between two looks at the held-out loss
CHUNKS_PER_EPOCH = 4  # 40 updates of 32 are about all 1,347 digits

RATES = (0.0003, 0.003, 0.05, 0.2, 0.6)
PEAK = 0.2
PEAKS = (0.025, 0.05, 0.1, 0.15, 0.2, 0.3)
# By what the page calls them; each over the whole run.
KINDS = {
    "constant": "constant({peak})",
    "time-based": "inverse_time_decay({peak}, rate=0.02)",
    "step": "step_decay({peak}, factor=0.3, every=150)",
    "exponential": "exponential_decay({peak}, factor=0.5, steps=100)",
    "linear": "linear({peak}, 0, steps=600)",
    "polynomial": "polynomial({peak}, 0, steps=600, power=2)",
    "cosine": "cosine({peak}, 0, steps=600)",
    "warm-up": "warmup_cosine({peak}, total_steps=600, warmup_steps=60)",
    "restarts": "cosine_restarts({peak}, 0, steps=200)",
    "cyclic": "triangular(0.005, {peak}, up_steps=100)",
    "one-cycle": "one_cycle({peak}, total_steps=600, warmup_steps=180)",
    "wsd": "wsd({peak}, total_steps=600, warmup_steps=30, decay_steps=150)",
    "plateau": "reduce_on_plateau({peak}, factor=0.3, patience=1)",
}
# Adam from six layers, where a warm-up is seen to matter.
DEEP_PEAK = 0.03
DEEP = {
    "no warm-up": "cosine(0.03, 0, steps=600)",
    "warm-up": "warmup_cosine(0.03, total_steps=600, warmup_steps=60)",
}

TRAIN, HELD_OUT = train_digits.load_data()
Make = Callable[[nnx.Rngs], Any]
Optimizer = Callable[..., optax.GradientTransformation]


class Deep(nnx.Module):
    """Six hidden layers of 64 units."""

    def __init__(self, rngs: nnx.Rngs):
        layers = (nnx.Linear(64, 64, rngs=rngs) for _ in range(6))
        self.layers = nnx.List(layers)
        self.out = nnx.Linear(64, 10, rngs=rngs)

    def __call__(self, hidden: jax.Array) -> jax.Array:
        """A logit for each digit."""
        for layer in self.layers:
            hidden = nnx.relu(layer(hidden))
        return self.out(hidden)


def batches() -> jax.Array:
    """The rows of each seed's batches, in chunks."""
    size = len(TRAIN.labels)
    rows = [
        np.stack([*train_digits.batches(size, BATCH_SIZE, STEPS, seed)])
        for seed in range(SEEDS)
    ]
    return jnp.asarray(np.stack(rows)).reshape(SEEDS, -1, CHUNK, BATCH_SIZE)


def trained(make: Make, optimizer: Optimizer, schedule: Any) -> dict[str, np.ndarray]:
    """Losses, accuracies and rates by seed, one for each chunk, the start first."""
    graph = nnx.split(make(nnx.Rngs(0)))[0]
    starts = [nnx.split(make(nnx.Rngs(seed)))[1] for seed in range(SEEDS)]
    made = js.with_schedule(optimizer, schedule)

    def look(params: Any, data: train_digits.Split) -> Any:
        return train_digits.loss_and_accuracy(nnx.merge(graph, params), data)

    @jax.jit
    @jax.vmap
    def run(params: Any, rows: jax.Array) -> Any:
        def update(carry: Any, batch: jax.Array) -> Any:
            params, state, metric, is_new = carry
            data = TRAIN.take(batch)
            grads, _ = jax.grad(look, has_aux=True)(params, data)
            updates, state = made.update(
                grads, state, params, value=metric, measured=is_new
            )
            params = optax.apply_updates(params, updates)
            return (params, state, metric, jnp.asarray(False)), js.learning_rate(state)

        def chunk(carry: Any, inputs: Any) -> Any:
            index, rows = inputs
            (params, state, _, _), rates = jax.lax.scan(update, carry, rows)
            loss, accuracy = look(params, HELD_OUT)
            is_new = index % CHUNKS_PER_EPOCH == CHUNKS_PER_EPOCH - 1
            return (params, state, loss, is_new), (loss, accuracy, rates[0])

        loss, accuracy = look(params, HELD_OUT)
        first = params, made.init(params), loss, jnp.asarray(False)
        _, found = jax.lax.scan(chunk, first, (jnp.arange(len(rows)), rows))
        return (*found, loss, accuracy)

    starts = jax.tree.map(lambda *leaves: jnp.stack(leaves), *starts)
    losses, accuracies, rates, first, first_accuracy = map(
        np.asarray, run(starts, batches())
    )
    return {
        "losses": np.column_stack([first, losses]),
        "accuracies": np.column_stack([first_accuracy, accuracies]),
        "rates": rates,
    }


def summary(found: dict[str, np.ndarray]) -> dict[str, Any]:
    """The middle of the seeds and their quarters; a loss that is not finite is infinite."""
    losses = np.where(np.isfinite(found["losses"]), found["losses"], np.inf)
    order = np.sort(losses, axis=0)
    quarter = len(order) // 4
    middle = (order[len(order) // 2 - 1] + order[len(order) // 2]) / 2
    curves = {"low": order[quarter], "middle": middle, "high": order[-1 - quarter]}
    rounded = {name: [float(f"{x:.4g}") for x in row] for name, row in curves.items()}
    return rounded | {
        "accuracy": float(f"{found['accuracies'][:, -1].mean():.4g}"),
        "rates": [float(f"{x:.4g}") for x in found["rates"][0]],
    }


def momentum(learning_rate: Any) -> optax.GradientTransformation:
    """What all runs but the deep ones are made with."""
    return optax.sgd(learning_rate, momentum=0.9)


def tuned(template: str) -> dict[str, Any]:
    """The peak that ends lowest, and what came of each."""
    ends = {}
    for peak in PEAKS:
        schedule = js.parse(template.format(peak=peak))
        found = summary(trained(train_digits.MLP, momentum, schedule))
        ends[peak] = {"loss": found["middle"][-1], "accuracy": found["accuracy"]}
    best = min(ends, key=lambda peak: ends[peak]["loss"])
    return {"peak": best, **ends[best]}


def main() -> None:
    """Makes all runs and writes the file."""
    results: dict[str, Any] = {
        "versions": {name: version(name) for name in ("jax", "flax", "optax")},
        "seeds": SEEDS,
    }
    results["rates"] = {
        str(rate): summary(trained(train_digits.MLP, momentum, js.constant(rate)))
        for rate in RATES
    }
    results["kinds"], results["tuned"] = {}, {}
    for name, template in KINDS.items():
        print(name, flush=True)
        schedule = js.parse(template.format(peak=PEAK))
        found = summary(trained(train_digits.MLP, momentum, schedule))
        results["kinds"][name] = found
        results["tuned"][name] = tuned(template)
    results["deep"] = {
        name: summary(trained(Deep, optax.adam, js.parse(call)))
        for name, call in DEEP.items()
    }
    RESULTS.write_text(json.dumps(results) + "\n", "utf-8")


if __name__ == "__main__":
    main()
