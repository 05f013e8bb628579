"""How near the suggestions of a range test are to the best peak: ten seeds, digits.

`python -m benchmarks.range_test > benchmarks/RANGE_TEST.md` takes three minutes.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array

import jaxsched as js

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
import find_lr
import train_digits

SEEDS = range(10)
LENGTHS = (100, 200, 400)
PEAKS = np.geomspace(1e-4, 1.0, 25)
OPTIMIZERS: dict[str, Callable[[Any], optax.GradientTransformation]] = {
    "AdamW": optax.adamw,
    "SGD with momentum 0.9": lambda rate: optax.sgd(rate, momentum=0.9),
}
HEAD = """\
# How near the suggestions of a range test come

Made by `python -m benchmarks.range_test`, with JAX {jax} and Optax {optax}. A classifier of digits, as in `examples/find_lr.py`, is trained for 300 updates of 32 images under a warm-up and a cosine, at 25 peaks from 1e-4 to 1, from ten seeds. Range tests begin at the same weights and see batches of the same size. For each rule and length of the range test the table gives the suggestion as a factor of the best of the 25 peaks; the held-out loss after training with the suggestion, as a factor of that after training at the best peak (both as the median and the extremes of the ten seeds); and on how many seeds the suggestion beat both a tenth of it and ten times it.
"""  # noqa: E501 - one paragraph: Markdown is not wrapped
GRAPH, _ = nnx.split(train_digits.MLP(nnx.Rngs(0)))
TRAIN, TEST = train_digits.load_data()


class Judged(NamedTuple):
    """What became of a suggestion as the peak of a warm-up and a cosine."""

    of_best: float  # the suggestion, as a factor of the best peak
    loss: float  # its test loss, as a factor of that of the best peak
    wins: bool  # whether it beats both a tenth of it and ten times it


def loss_of(params: Any, data: train_digits.Split) -> Array:
    """The mean cross-entropy."""
    return train_digits.loss_and_accuracy(nnx.merge(GRAPH, params), data)[0]


def tuned(optimizer: Any, seed: int) -> tuple[Any, np.ndarray]:
    """Fresh parameters, and the test loss after training from them at each peak."""
    params = nnx.split(train_digits.MLP(nnx.Rngs(seed)))[1]
    steps, size = find_lr.STEPS, find_lr.BATCH_SIZE
    rows = jnp.stack([*train_digits.batches(len(TRAIN.labels), size, steps, seed)])

    @jax.jit
    @jax.vmap
    def final_losses(peak: Array) -> Array:
        made = optimizer(find_lr.schedule(peak, steps))

        def update(carry: Any, batch: Array) -> tuple[Any, None]:
            params, state = carry
            grads = jax.grad(loss_of)(params, TRAIN.take(batch))
            updates, state = made.update(grads, state, params)
            return (optax.apply_updates(params, updates), state), None

        (end, _), _ = jax.lax.scan(update, (params, made.init(params)), rows)
        return loss_of(end, TEST)

    return params, np.asarray(final_losses(jnp.asarray(PEAKS, jnp.float32)))


def test(optimizer: Any, params: Any, steps: int, seed: int) -> js.RangeTest:
    """The range test from these parameters."""

    def train_step(state: Any, batch: Any, rate: Array) -> tuple[Any, Array]:
        params, opt_state = state
        loss, grads = jax.value_and_grad(loss_of)(params, batch)
        updates, opt_state = optimizer(rate).update(grads, opt_state, params)
        return (optax.apply_updates(params, updates), opt_state), loss

    size = find_lr.BATCH_SIZE
    rows = np.stack([*train_digits.batches(len(TRAIN.labels), size, steps, seed)])
    state = params, optimizer(0.0).init(params)
    return js.lr_range_test(train_step, state, batches=TRAIN.take(rows), steps=steps)


def judged(rate: float, losses: np.ndarray) -> Judged:
    """A suggestion beside what training shows, between the peaks that were trained."""

    def loss_at(peak: float) -> float:
        where = np.log(np.clip(peak, PEAKS[0], PEAKS[-1]))
        return float(np.exp(np.interp(where, np.log(PEAKS), np.log(losses))))

    loss = loss_at(rate)
    return Judged(
        rate / PEAKS[losses.argmin()],
        loss / losses.min(),
        loss < min(loss_at(rate / find_lr.FACTOR), loss_at(rate * find_lr.FACTOR)),
    )


def measured(optimizer: Any) -> dict[tuple[str, int], list[Judged]]:
    """Of each rule and length of the test, one entry a seed."""
    found: dict[tuple[str, int], list[Judged]] = {}
    for seed in SEEDS:
        params, losses = tuned(optimizer, seed)
        for steps in LENGTHS:
            suggestions = test(optimizer, params, steps, seed).suggestions
            for rule in find_lr.RULES:
                rate = suggestions[rule]
                assert rate is not None
                found.setdefault((rule, steps), []).append(judged(rate, losses))
    return found


def short(number: float) -> str:
    """Two digits, and no exponent."""
    return f"{float(f'{number:.2g}'):g}"


def table(found: dict[tuple[str, int], list[Judged]]) -> Iterator[str]:
    """The rows of one optimizer, as Markdown."""
    yield "| rule | steps of the test | suggestion / best peak | loss / best loss | wins |"
    yield "| --- | --- | --- | --- | --- |"
    for (rule, steps), entries in sorted(found.items()):
        of_best, loss, wins = np.array(entries).T
        yield (
            f"| {rule} | {steps} | {short(np.median(of_best))} "
            f"({short(of_best.min())} to {short(of_best.max())}) | {np.median(loss):.2f} "
            f"(at most {loss.max():.3g}) | {wins.sum():.0f} of {len(wins)} |"
        )


def main() -> None:
    """Prints the page."""
    print(HEAD.format(jax=jax.__version__, optax=optax.__version__))
    for name, optimizer in OPTIMIZERS.items():
        print(f"## {name}\n")
        print("\n".join(table(measured(optimizer))) + "\n")


if __name__ == "__main__":
    main()
