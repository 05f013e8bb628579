"""Layer-wise decay of the learning rate: the lower a layer, the slower it learns.

The top layer has the rate of the schedule, each layer below that of the layer above it
times a factor. For fine-tuning, where the lowest layers are the most general: ELECTRA,
Clark et al. (2020), arXiv:2003.10555; at first in ULMFiT, Howard, Ruder (2018),
arXiv:1801.06146, section 3.2.

A number times a schedule is a schedule, so the rate of a layer is one product. An
`nnx.Optimizer` takes the `optax.partition` used here from Flax 0.12 on.
"""

from collections.abc import Sequence
from typing import Any

import jax
import optax
from flax import nnx
from train_digits import (
    BATCH_SIZE,
    MLP,
    batches,
    evaluate,
    load_data,
    run_options,
    train_step,
)

import jaxsched as js

STEPS = 300
LAYERS = ("first", "second", "out")


def layer_of(params: Any) -> Any:
    """The name of the layer of each parameter, in a tree like theirs."""
    return jax.tree_util.tree_map_with_path(lambda path, _: path[0].key, params)


def layerwise(
    schedule: js.Schedule,
    decay: float,
    layers: Sequence[str],
    scale: optax.GradientTransformation,
) -> optax.GradientTransformationExtraArgs:
    """An optimizer whose rate is multiplied by `decay` with each layer from the top.

    `layers` are named from the bottom to the top; `scale` is the optimizer without its
    learning rate, such as `optax.scale_by_adam()`.
    """
    return optax.partition(
        {
            layer: optax.chain(
                scale, js.scale_by_learning_rate(decay**depth * schedule)
            )
            for depth, layer in enumerate(reversed(layers))
        },
        layer_of,
    )


def make_optimizer(steps: int) -> optax.GradientTransformationExtraArgs:
    """Adam under a warm-up and a cosine, at 0.8 of the rate with each layer down."""
    schedule = js.warmup_cosine(0.01, steps, warmup_steps=steps // 10)
    return layerwise(schedule, 0.8, LAYERS, optax.scale_by_adam())


def train(steps: int = STEPS, seed: int = 0) -> float:
    """Trains a model, with a log of the rates used; returns the test accuracy."""
    train_data, test_data = load_data()
    model = MLP(nnx.Rngs(seed))
    optimizer = nnx.Optimizer(model, make_optimizer(steps), wrt=nnx.Param)

    print("update  " + "  ".join(f"{layer:>8}" for layer in LAYERS) + "    loss")
    rows_of_batches = batches(len(train_data.labels), BATCH_SIZE, steps, seed)
    for step, rows in enumerate(rows_of_batches):
        loss = train_step(model, optimizer, train_data, rows)
        if step % 30 == 0 or step == steps - 1:
            # Read after the update: these are the rates that it used.
            rates = js.learning_rate(optimizer)
            columns = "  ".join(f"{rates[layer]:.6f}" for layer in LAYERS)
            print(f"{step:6}  {columns}  {loss:.4f}")

    _, accuracy = evaluate(model, test_data)
    return float(accuracy)


def main(argv: list[str] | None = None) -> None:
    """Trains with a log and prints the test accuracy."""
    args = run_options(main.__doc__, STEPS, argv)
    print(f"test accuracy {train(args.steps, args.seed):.2%}")


if __name__ == "__main__":
    main()
