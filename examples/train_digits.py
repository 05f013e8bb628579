"""One classifier of handwritten digits, trained under several learning-rate schedules.

The same Flax NNX network, from the same initial weights, sees the same batches for the
same number of updates; only the schedule differs. The digits are real scans that come
with scikit-learn, so nothing is downloaded.

The 450 test digits make one of them worth 0.2 points of accuracy: read the table as an
example of use, and repeat it with other seeds before preferring one schedule.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax.typing import ArrayLike
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tqdm import tqdm

import jaxsched as js

STEPS = 600
BATCH_SIZE = 32
# High enough that a run which stays there ends on noise: that is what decay is for.
PEAK = 0.01

EXAMPLES = """\
examples:
  python train_digits.py
      compare constant, step_decay, warmup_cosine, one_cycle and wsd
  python train_digits.py \\
      --schedule "warmup_cosine(3e-3, total_steps=600, warmup_steps=60)"
      train one schedule, written as its constructor call
"""


class Split(NamedTuple):
    """Images as rows of 64 grey values in [0, 1], and the digit that each one shows."""

    images: jax.Array
    labels: jax.Array

    def take(self, rows: ArrayLike) -> "Split":
        """The images and labels of some rows."""
        return Split(self.images[rows], self.labels[rows])


class Result(NamedTuple):
    """What one training run has to show."""

    schedule: js.Schedule
    losses: np.ndarray  # of each batch, before its update
    train_loss: float  # mean over the training set, with the final weights
    test_accuracy: float
    seconds: float  # of the updates, their compilation included


def load_data() -> tuple[Split, Split]:
    """The training and the test digits, three to one; the same split every time."""
    images, labels = load_digits(return_X_y=True)
    indices = train_test_split(np.arange(len(labels)), stratify=labels, random_state=0)
    train, test = (
        Split(
            jnp.asarray(images[rows] / 16, jnp.float32),
            jnp.asarray(labels[rows], jnp.int32),
        )
        for rows in indices
    )
    return train, test


def batches(size: int, batch_size: int, steps: int, seed: int) -> Iterator[np.ndarray]:
    """The rows of `steps` batches: all in random order, shuffled anew when used up."""
    rng = np.random.default_rng(seed)
    order = np.empty(0, np.int32)
    for _ in range(steps):
        while len(order) < batch_size:
            order = np.append(order, rng.permutation(size).astype(np.int32))
        rows, order = np.split(order, [batch_size])
        yield rows


class MLP(nnx.Module):
    """Two hidden layers of 128 units."""

    def __init__(self, rngs: nnx.Rngs):
        self.first = nnx.Linear(64, 128, rngs=rngs)
        self.second = nnx.Linear(128, 128, rngs=rngs)
        self.out = nnx.Linear(128, 10, rngs=rngs)

    def __call__(self, images: jax.Array) -> jax.Array:
        """A logit for each digit."""
        hidden = nnx.relu(self.second(nnx.relu(self.first(images))))
        return self.out(hidden)


def loss_and_accuracy(model: MLP, data: Split) -> tuple[jax.Array, jax.Array]:
    """The mean cross-entropy, and the share of images that are recognised."""
    logits = model(data.images)
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, data.labels)
    return losses.mean(), (logits.argmax(axis=-1) == data.labels).mean()


evaluate = nnx.jit(loss_and_accuracy)


@nnx.jit
def train_step(
    model: MLP, optimizer: nnx.Optimizer, data: Split, rows: ArrayLike
) -> jax.Array:
    """Updates the model in place with a batch of the data; returns the loss before."""
    differentiated = nnx.value_and_grad(loss_and_accuracy, has_aux=True)
    (loss, _), gradients = differentiated(model, data.take(rows))
    optimizer.update(model, gradients)
    return loss


def train(
    schedule: js.Schedule,
    *,
    steps: int = STEPS,
    batch_size: int = BATCH_SIZE,
    seed: int = 0,
    name: str = "training",
) -> Result:
    """Trains a fresh model under `schedule`; `name` labels the progress bar."""
    train_data, test_data = load_data()
    model = MLP(nnx.Rngs(seed))
    optimizer = nnx.Optimizer(model, optax.adamw(learning_rate=schedule), wrt=nnx.Param)

    begin = time.perf_counter()
    losses = []
    rows_of_batches = batches(len(train_data.labels), batch_size, steps, seed)
    progress = tqdm(rows_of_batches, name, steps, unit="update")
    for step, rows in enumerate(progress):
        losses.append(train_step(model, optimizer, train_data, rows))
        # Reading a loss waits for it, so it is not done at every step.
        if step % 20 == 0 or step == steps - 1:
            progress.set_postfix(
                loss=f"{losses[-1]:.4f}", rate=f"{schedule.at(step):.1e}", refresh=False
            )
    losses = np.array(jax.device_get(losses))
    seconds = time.perf_counter() - begin

    train_loss, _ = evaluate(model, train_data)
    _, test_accuracy = evaluate(model, test_data)
    return Result(schedule, losses, float(train_loss), float(test_accuracy), seconds)


def default_schedules(steps: int) -> dict[str, js.Schedule]:
    """Five schedules with the same peak, each laid out over the whole run."""
    tenth = steps // 10
    return {
        "constant": js.constant(PEAK),
        "step_decay": js.step_decay(PEAK, factor=0.5, every=max(1, steps // 4)),
        "warmup_cosine": js.warmup_cosine(PEAK, steps, warmup_steps=tenth),
        "one_cycle": js.one_cycle(PEAK, steps, warmup_steps=3 * tenth),
        "wsd": js.wsd(PEAK, steps, warmup_steps=tenth, decay_steps=2 * tenth),
    }


def table(results: Mapping[str, Result]) -> str:
    """The results as text, one row per run. The schedule comes last: it may be long."""
    width = max(map(len, results))
    rows = [f"{'':{width}}  train loss  test accuracy  seconds  schedule"]
    for name, result in results.items():
        rows.append(
            f"{name:{width}}  {result.train_loss:10.5f}  {result.test_accuracy:13.2%}"
            f"  {result.seconds:7.1f}  {result.schedule!r}"
        )
    return "\n".join(rows)


def smoothed(losses: np.ndarray, window: int) -> np.ndarray:
    """The mean of the last `window` losses, or of all of them where there are fewer."""
    sums = np.cumsum(np.insert(losses.astype(float), 0, 0.0))
    last = np.arange(1, len(sums))
    first = np.maximum(last - window, 0)
    return (sums[last] - sums[first]) / (last - first)


def draw(results: Mapping[str, Result]) -> Figure:
    """A picture of the learning rates above the training losses."""
    # A figure made without pyplot needs no display.
    figure = Figure(figsize=(9, 7), layout="constrained")
    rates, losses = figure.subplots(2, sharex=True)
    # Schedules often run at the same rate for a while: wider lines below still show.
    widths = np.linspace(1.5 + 0.6 * (len(results) - 1), 1.5, len(results))
    for (name, result), width in zip(results.items(), widths, strict=True):
        steps = np.arange(len(result.losses))
        rates.plot(steps, result.schedule.at(steps), linewidth=width)
        window = max(1, len(steps) // 20)
        losses.plot(steps, smoothed(result.losses, window), label=name)
    rates.set_ylabel("learning rate")
    losses.set(ylabel="training loss (running mean)", xlabel="update", yscale="log")
    for axes in (rates, losses):
        axes.grid(alpha=0.3)
        axes.margins(x=0.01)
    figure.legend(loc="outside upper center", ncols=5, frameon=False)
    return figure


def whole_number(least: int) -> Callable[[str], int]:
    """The type of an argument that is a whole number of at least `least`."""

    def read(text: str) -> int:
        most = 2**31 - 1
        try:
            number = int(text)
        except ValueError:
            number = None
        if number is None or not least <= number <= most:
            raise argparse.ArgumentTypeError(
                f"must be a whole number from {least} to {most}, got {text!r}"
            )
        return number

    return read


def add_whole(
    parser: argparse.ArgumentParser, name: str, least: int, default: int, text: str
) -> None:
    """An option that is a whole number of at least `least`."""
    parser.add_argument(
        name,
        type=whole_number(least),
        default=default,
        metavar="N",
        help=f"{text} (default: %(default)s)",
    )


def add_seed(parser: argparse.ArgumentParser) -> None:
    """The option --seed, 0 if it is not given."""
    text = "of the initial weights and the batches"
    add_whole(parser, "--seed", 0, 0, text)


def run_options(
    description: str | None, steps: int, argv: list[str] | None
) -> argparse.Namespace:
    """The options of an example that makes one run: `--steps` and `--seed`."""
    parser = argparse.ArgumentParser(description=description)
    add_whole(parser, "--steps", 10, steps, "updates")
    add_seed(parser)
    return parser.parse_args(argv)


def picture_path(text: str) -> Path:
    """The type of --output: refused now rather than after the training."""
    path = Path(text)
    kinds = FigureCanvasBase.get_supported_filetypes()
    if path.suffix[1:].lower() not in kinds:
        endings = ", ".join(f".{kind}" for kind in sorted(kinds))
        raise argparse.ArgumentTypeError(f"must end in one of {endings}, got {text!r}")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {str(path.parent)!r}")
    return path


def named_schedule(text: str) -> dict[str, js.Schedule]:
    """The type of --schedule: a constructor call, and its name for the table."""
    schedule = js.parse(text)  # argparse shows the place of an error
    if not isinstance(schedule, js.Schedule):
        raise argparse.ArgumentTypeError("needs a metric, which is not passed on here")
    return {text.partition("(")[0].strip(): schedule}


def arguments(argv: list[str] | None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        description="Train a classifier of handwritten digits under several\n"
        "learning-rate schedules, print a table and draw the curves.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--schedule",
        type=named_schedule,
        metavar="TEXT",
        help="train only this schedule, a call such as 'cosine(0.01, 0.0, steps=600)'",
    )
    add_whole(parser, "--steps", 1, STEPS, "updates per run")
    add_whole(parser, "--batch-size", 1, BATCH_SIZE, "images per update")
    add_seed(parser)
    parser.add_argument(
        "--output",
        type=picture_path,
        default=Path("digits.png"),
        metavar="PATH",
        help="the picture (default: %(default)s)",
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Trains, prints the table and writes the picture."""
    args = arguments(argv)
    results = {
        name: train(
            schedule,
            steps=args.steps,
            batch_size=args.batch_size,
            seed=args.seed,
            name=name,
        )
        for name, schedule in (args.schedule or default_schedules(args.steps)).items()
    }
    print(table(results))
    draw(results).savefig(args.output, dpi=150)
    print(f"\nThe curves are in {args.output}.")


if __name__ == "__main__":
    main()
