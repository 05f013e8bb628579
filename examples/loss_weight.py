"""Schedules inside a loss: the weight of one of its terms, and a temperature.

A variational autoencoder of digits whose code is eight variables of eight classes each.
The weight of the KL divergence in its loss rises from 0 to 1 again and again: Fu et al.,
"Cyclical Annealing Schedule" (2019), arXiv:1903.10145. The temperature of the
Gumbel-softmax that draws the codes falls from 1 to 0.5: Jang et al. (2017),
arXiv:1611.01144.

Both are evaluated inside the compiled step, at the count of updates that the optimizer
keeps anyway: there is no second counter that could go out of step with it.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jax.typing import ArrayLike
from train_digits import batches, load_data, run_options

import jaxsched as js

STEPS = 400
BATCH_SIZE = 128
VARIABLES, CLASSES = 8, 8


class Annealing(NamedTuple):
    """The schedules in the loss."""

    kl_weight: js.Schedule
    temperature: js.Schedule


def make_annealing(steps: int) -> Annealing:
    """Four cycles of the weight; the temperature falls in the first half."""
    cycle = steps // 4
    # The line holds its end, 1, for the rest of each cycle.
    rise = js.linear(0.0, 1.0, steps=cycle // 2)
    return Annealing(
        kl_weight=js.cycle(rise, steps=cycle),
        temperature=js.exponential(1.0, 0.5, steps=steps // 2),
    )


class Log(NamedTuple):
    """What one loss was made of."""

    kl_weight: jax.Array
    temperature: jax.Array
    reconstruction: jax.Array
    kl: jax.Array
    loss: jax.Array


class VAE(nnx.Module):
    """An encoder and a decoder with one hidden layer each."""

    def __init__(self, rngs: nnx.Rngs):
        codes = VARIABLES * CLASSES
        self.encoder = nnx.Sequential(
            nnx.Linear(64, 128, rngs=rngs), nnx.relu, nnx.Linear(128, codes, rngs=rngs)
        )
        self.decoder = nnx.Sequential(
            nnx.Linear(codes, 128, rngs=rngs), nnx.relu, nnx.Linear(128, 64, rngs=rngs)
        )

    def encode(self, images: jax.Array) -> jax.Array:
        """A logit for each class of each variable."""
        return self.encoder(images).reshape(-1, VARIABLES, CLASSES)

    def decode(self, codes: jax.Array) -> jax.Array:
        """A logit for each pixel."""
        return self.decoder(codes.reshape(-1, VARIABLES * CLASSES))


def loss_terms(
    model: VAE, images: jax.Array, temperature: ArrayLike, key: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """The cross-entropy of an image and the KL divergence of its code, on average."""
    logits = model.encode(images)
    noise = jax.random.gumbel(key, logits.shape, logits.dtype)
    codes = nnx.softmax((logits + noise) / temperature)
    errors = optax.sigmoid_binary_cross_entropy(model.decode(codes), images)

    log_posterior = nnx.log_softmax(logits)
    divergences = jnp.exp(log_posterior) * (log_posterior + jnp.log(CLASSES))
    return errors.sum(axis=1).mean(), divergences.sum(axis=(1, 2)).mean()


@nnx.jit
def train_step(
    model: VAE,
    optimizer: nnx.Optimizer,
    annealing: Annealing,
    images: jax.Array,
    key: jax.Array,
) -> Log:
    """Updates the model in place; returns what the loss before was made of.

    The schedules are arguments: others of the same form need no new compilation.
    """
    step = js.step_count(optimizer)
    kl_weight, temperature = annealing.kl_weight(step), annealing.temperature(step)

    def weighted(model: VAE):
        noise = jax.random.fold_in(key, step)
        reconstruction, kl = loss_terms(model, images, temperature, noise)
        loss = reconstruction + kl_weight * kl
        return loss, Log(kl_weight, temperature, reconstruction, kl, loss)

    gradients, log = nnx.grad(weighted, has_aux=True)(model)
    optimizer.update(model, gradients)
    return log


@nnx.jit
def explained_variance(model: VAE, images: jax.Array) -> jax.Array:
    """How much nearer to the images their most likely codes are than the mean image."""
    codes = nnx.one_hot(model.encode(images).argmax(axis=-1), CLASSES)
    errors = (nnx.sigmoid(model.decode(codes)) - images) ** 2
    return 1 - errors.mean() / images.var(axis=0).mean()


def make_optimizer(model: VAE, steps: int) -> nnx.Optimizer:
    """Adam under a warm-up and a cosine."""
    schedule = js.warmup_cosine(0.01, steps, warmup_steps=steps // 10)
    return nnx.Optimizer(model, optax.adam(schedule), wrt=nnx.Param)


def train(steps: int = STEPS, seed: int = 0) -> float:
    """Trains a model, with a log; returns the explained variance of the test digits."""
    train_data, test_data = load_data()
    model = VAE(nnx.Rngs(seed))
    optimizer = make_optimizer(model, steps)
    annealing = make_annealing(steps)
    key = jax.random.key(seed)

    print("update  " + "  ".join(Log._fields))
    rows_of_batches = batches(len(train_data.images), BATCH_SIZE, steps, seed)
    for step, rows in enumerate(rows_of_batches):
        images = train_data.images[rows]
        log = train_step(model, optimizer, annealing, images, key)
        if step % 25 == 0 or step == steps - 1:
            columns = zip(Log._fields, log, strict=True)
            print(
                f"{step:6}  " + "  ".join(f"{x:{len(name)}.4f}" for name, x in columns)
            )

    return float(explained_variance(model, test_data.images))


def main(argv: list[str] | None = None) -> None:
    """Prints the schedules, trains under them and prints how good the codes are."""
    args = run_options(main.__doc__, STEPS, argv)
    for name, schedule in make_annealing(args.steps)._asdict().items():
        print(f"{name} = {schedule}")
    print(f"explained variance {train(args.steps, args.seed):.2%}")


if __name__ == "__main__":
    main()
