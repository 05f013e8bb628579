"""Momentum and weight decay on schedules of their own, beside the learning rate.

The rate makes one cycle, up and down. The momentum, AdamW's `b1`, goes the other way:
lowest where the rate is highest, as in Smith, "A disciplined approach to neural network
hyper-parameters" (2018), arXiv:1803.09820. The weight decay rises throughout, as in
DINO, Caron et al. (2021), arXiv:2104.14294.

`optax.inject_hyperparams` lets any number that an optimizer takes be a schedule, and
keeps the values that the last update used in its state.
"""

import jax.numpy as jnp
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


def momentum_cycle(
    high: float, low: float, total_steps: int, warmup_steps: int
) -> js.Schedule:
    """Down while the rate of a `one_cycle` with these lengths goes up, then up again."""
    down = js.cosine(high, low, steps=warmup_steps)
    up = js.cosine(low, high, steps=total_steps - warmup_steps)
    return js.join([down, up], boundaries=[warmup_steps])


def hyperparameters(steps: int) -> dict[str, js.Schedule]:
    """The arguments of AdamW that are scheduled, under the names they have there."""
    warmup_steps = 3 * steps // 10
    return {
        "learning_rate": js.one_cycle(0.01, steps, warmup_steps),
        "b1": momentum_cycle(0.95, 0.85, steps, warmup_steps),
        "weight_decay": js.cosine(0.04, 0.4, steps),
    }


def make_optimizer(steps: int) -> optax.GradientTransformationExtraArgs:
    """AdamW whose rate, momentum and weight decay are scheduled."""
    # Without hyperparam_dtype the numbers take the dtype of the parameters: with weights
    # in bfloat16 the b2 of 0.999 would be 1, and the first update 0 / 0.
    adamw = optax.inject_hyperparams(optax.adamw, hyperparam_dtype=jnp.dtype("float32"))
    return adamw(**hyperparameters(steps))


def train(steps: int = STEPS, seed: int = 0) -> float:
    """Trains a model, with a log of what its updates used; returns the test accuracy."""
    train_data, test_data = load_data()
    model = MLP(nnx.Rngs(seed))
    optimizer = nnx.Optimizer(model, make_optimizer(steps), wrt=nnx.Param)

    print("update      rate  momentum  weight decay    loss")
    rows_of_batches = batches(len(train_data.labels), BATCH_SIZE, steps, seed)
    for step, rows in enumerate(rows_of_batches):
        loss = train_step(model, optimizer, train_data, rows)
        if step % 30 == 0 or step == steps - 1:
            # Read after the update: these are the values that it used.
            rate = js.learning_rate(optimizer)
            used = optimizer.opt_state.hyperparams
            momentum, decay = used["b1"][...], used["weight_decay"][...]
            print(f"{step:6}  {rate:.6f}  {momentum:8.4f}  {decay:12.4f}  {loss:.4f}")

    _, accuracy = evaluate(model, test_data)
    return float(accuracy)


def main(argv: list[str] | None = None) -> None:
    """Prints the schedules, trains under them and prints the test accuracy."""
    args = run_options(main.__doc__, STEPS, argv)
    for name, schedule in hyperparameters(args.steps).items():
        print(f"{name} = {schedule}")
    print(f"test accuracy {train(args.steps, args.seed):.2%}")


if __name__ == "__main__":
    main()
