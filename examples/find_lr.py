"""A learning-rate range test, and training with what it suggests.

One short run over rising rates shows where the loss of a classifier of digits begins to
fall, where it is lowest and where it explodes. The network is then trained from the same
initial weights with the suggested rate as the peak of a warm-up and a cosine, and with a
tenth of it and ten times it.

The suggestion is a tenth of the rate at which the loss was lowest. It beats both of its
neighbours on nearly every seed, but the best peak is two or three times as high: the test
finds the order of magnitude, and a sweep (`sweep_digits.py`) the rest. The other rules
are for comparison. `valley` gives a twentieth of the best peak here, `slide` anything. All
depend on the length of the test: in a longer one more is learned at low rates.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import optax
from flax import nnx
from matplotlib.figure import Figure
from train_digits import (
    MLP,
    Split,
    add_seed,
    add_whole,
    batches,
    load_data,
    loss_and_accuracy,
    picture_path,
    table,
    train,
)

import jaxsched as js

SWEEP_STEPS = 200
STEPS = 300
BATCH_SIZE = 32
RULES = ["minimum", "steep", "valley", "slide"]
FACTOR = 10  # between the rates that are compared

State = tuple[Any, optax.OptState]  # the parameters as a tree, and the optimizer's


def make_train_step(
    graph: nnx.GraphDef,
) -> Callable[[State, Split, jax.Array], tuple[State, jax.Array]]:
    """An update of AdamW as a pure function, also of the learning rate."""

    def train_step(
        state: State, batch: Split, learning_rate: jax.Array
    ) -> tuple[State, jax.Array]:
        params, opt_state = state
        loss_of = lambda params: loss_and_accuracy(nnx.merge(graph, params), batch)[0]
        loss, gradients = jax.value_and_grad(loss_of)(params)
        # Made anew at each step: its state is the same for any constant rate.
        optimizer = optax.adamw(learning_rate)
        updates, opt_state = optimizer.update(gradients, opt_state, params)
        return (optax.apply_updates(params, updates), opt_state), loss

    return train_step


def find(steps: int, batch_size: int, seed: int) -> js.RangeTest:
    """The range test of a fresh model."""
    train_data, _ = load_data()
    graph, params = nnx.split(MLP(nnx.Rngs(seed)))
    state = params, optax.adamw(0.0).init(params)
    rows = [*batches(len(train_data.labels), batch_size, steps, seed)]
    return js.lr_range_test(
        make_train_step(graph),
        state,
        batches=train_data.take(np.stack(rows)),
        steps=steps,
    )


def neighbours(rate: float) -> dict[str, float]:
    """The suggested rate, one far below and one far above it, to two digits."""
    exponents = {"a tenth": -1, "suggested": 0, "ten times": 1}
    return {name: float(f"{rate * FACTOR**e:.2g}") for name, e in exponents.items()}


def schedule(peak: float | jax.Array, steps: int) -> js.Schedule:
    """What the rates are compared as: the peak of a warm-up and a cosine."""
    return js.warmup_cosine(peak, steps, warmup_steps=steps // 10)


def draw(found: js.RangeTest, path: Path) -> None:
    """Writes a picture of the losses over the rates."""
    # A figure made without pyplot needs no display.
    figure = Figure(figsize=(8, 5), layout="constrained")
    found.plot(figure.subplots())
    figure.savefig(path, dpi=150)


def arguments(argv: list[str] | None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        description="Find a learning rate for a classifier of handwritten digits by a "
        "range test, then train with it and with rates far from it."
    )
    parser.add_argument(
        "--rule",
        choices=RULES,
        default=RULES[0],
        help="the suggestion to train with (default: %(default)s)",
    )
    add_whole(parser, "--sweep-steps", 2, SWEEP_STEPS, "steps of the range test")
    add_whole(parser, "--steps", 1, STEPS, "updates of each training run")
    add_whole(parser, "--batch-size", 1, BATCH_SIZE, "images per update")
    add_seed(parser)
    parser.add_argument(
        "--output",
        type=picture_path,
        default=Path("range_test.png"),
        metavar="PATH",
        help="the picture (default: %(default)s)",
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Finds a rate, draws the test and compares three runs."""
    args = arguments(argv)
    found = find(args.sweep_steps, args.batch_size, args.seed)
    print(found)
    draw(found, args.output)
    print(f"The curve is in {args.output}.\n")

    rate = found.suggestions[args.rule]
    if rate is None:
        raise SystemExit(f"There are too few points for the rule {args.rule}.")
    results = {
        name: train(
            schedule(peak, args.steps),
            steps=args.steps,
            batch_size=args.batch_size,
            seed=args.seed,
            name=name,
        )
        for name, peak in neighbours(rate).items()
    }
    print(table(results))


if __name__ == "__main__":
    main()
