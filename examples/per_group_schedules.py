"""A schedule for each group of parameters.

As one would fine-tune a network under a new head: the head learns at once and at a high
rate, the body rests until the head has settled, and biases are spared weight decay.

`optax.partition` gives each label an optimizer of its own. Where these are made by
`js.with_schedule`, `js.learning_rate` reads all their rates by label. An
`nnx.Optimizer` takes a partition from Flax 0.12 on.
"""

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


def group(path: tuple[Any, ...]) -> str:
    """The label of a parameter of the MLP, such as ("out", "kernel")."""
    layer, kind = path[0].key, path[1].key
    if kind == "bias":
        return "biases"
    return "head" if layer == "out" else "body"


def labels(params: Any) -> Any:
    """The label of each parameter, in a tree like theirs."""
    return jax.tree_util.tree_map_with_path(lambda path, _: group(path), params)


def make_optimizer(steps: int) -> optax.GradientTransformationExtraArgs:
    """AdamW under three schedules, all of them over at the end of the run."""
    tenth = steps // 10
    head = js.wsd(0.01, steps, warmup_steps=tenth, decay_steps=5 * tenth)
    awake = js.warmup_cosine(0.003, steps - 2 * tenth, warmup_steps=tenth)
    # The rate multiplies the weight decay too: while it is 0 the body does not move.
    body = js.join([0.0, awake], boundaries=[2 * tenth])
    biases = js.warmup_cosine(0.003, steps, warmup_steps=tenth)
    return optax.partition(
        {
            "head": js.with_schedule(optax.adamw, head, weight_decay=0.1),
            "body": js.with_schedule(optax.adamw, body, weight_decay=0.1),
            "biases": js.with_schedule(optax.adamw, biases, weight_decay=0.0),
        },
        labels,
    )


def train(steps: int = STEPS, seed: int = 0) -> float:
    """Trains a model, with a log of the rates used; returns the test accuracy."""
    train_data, test_data = load_data()
    model = MLP(nnx.Rngs(seed))
    optimizer = nnx.Optimizer(model, make_optimizer(steps), wrt=nnx.Param)

    print("update      head      body    biases    loss")
    rows_of_batches = batches(len(train_data.labels), BATCH_SIZE, steps, seed)
    for step, rows in enumerate(rows_of_batches):
        loss = train_step(model, optimizer, train_data, rows)
        if step % 30 == 0 or step == steps - 1:
            # Read after the update: these are the rates that it used.
            rates = js.learning_rate(optimizer)
            head, body, biases = rates["head"], rates["body"], rates["biases"]
            print(f"{step:6}  {head:.6f}  {body:.6f}  {biases:.6f}  {loss:.4f}")

    _, accuracy = evaluate(model, test_data)
    return float(accuracy)


def main(argv: list[str] | None = None) -> None:
    """Trains with a log and prints the test accuracy."""
    args = run_options(main.__doc__, STEPS, argv)
    print(f"test accuracy {train(args.steps, args.seed):.2%}")


if __name__ == "__main__":
    main()
