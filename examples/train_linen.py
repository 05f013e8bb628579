"""The digits again, with Flax Linen and its `TrainState`.

A schedule goes straight into the Optax optimizer; for the log it is read with
`schedule.at`, which gives plain numbers.
"""

import jax
import jax.numpy as jnp
import optax
from flax import linen as nn
from flax.training.train_state import TrainState
from jax.typing import ArrayLike
from train_digits import BATCH_SIZE, STEPS, Split, batches, load_data, run_options

import jaxsched as js


class MLP(nn.Module):
    """Two hidden layers of 128 units."""

    @nn.compact
    def __call__(self, images: jax.Array) -> jax.Array:
        """A logit for each digit."""
        hidden = nn.relu(nn.Dense(128)(images))
        hidden = nn.relu(nn.Dense(128)(hidden))
        return nn.Dense(10)(hidden)


def make_state(schedule: js.Schedule, seed: int) -> TrainState:
    """Fresh weights, and AdamW under `schedule`."""
    model = MLP()
    variables = model.init(jax.random.key(seed), jnp.zeros((1, 64)))
    optimizer = optax.adamw(learning_rate=schedule)
    return TrainState.create(
        apply_fn=model.apply, params=variables["params"], tx=optimizer
    )


@jax.jit
def train_step(
    state: TrainState, data: Split, rows: ArrayLike
) -> tuple[TrainState, jax.Array]:
    """The state after one update with a batch of the data, and the loss before it."""
    batch = data.take(rows)

    def mean_loss(params):
        logits = state.apply_fn({"params": params}, batch.images)
        losses = optax.softmax_cross_entropy_with_integer_labels(logits, batch.labels)
        return losses.mean()

    loss, gradients = jax.value_and_grad(mean_loss)(state.params)
    return state.apply_gradients(grads=gradients), loss


@jax.jit
def accuracy(state: TrainState, data: Split) -> jax.Array:
    """The share of images that are recognised."""
    logits = state.apply_fn({"params": state.params}, data.images)
    return (logits.argmax(axis=-1) == data.labels).mean()


def train(schedule: js.Schedule, *, steps: int = STEPS, seed: int = 0) -> float:
    """Trains a fresh model under `schedule`, with a log; returns its test accuracy."""
    train_data, test_data = load_data()
    state = make_state(schedule, seed)
    rows_of_batches = batches(len(train_data.labels), BATCH_SIZE, steps, seed)
    for step, rows in enumerate(rows_of_batches):
        # The state counts the updates made: read before one, it tells that one's rate.
        rate = schedule.at(state.step) if step % 100 == 0 else None
        state, loss = train_step(state, train_data, rows)
        if rate is not None:
            print(f"update {step:4}  rate {rate:.6f}  loss {loss:.4f}")
    return float(accuracy(state, test_data))


def main(argv: list[str] | None = None) -> None:
    """Trains under a warm-up and a cosine, and prints the test accuracy."""
    args = run_options(main.__doc__, STEPS, argv)
    schedule = js.warmup_cosine(0.01, args.steps, warmup_steps=args.steps // 10)
    print(schedule)
    print(f"test accuracy {train(schedule, steps=args.steps, seed=args.seed):.2%}")


if __name__ == "__main__":
    main()
