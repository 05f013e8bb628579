"""Hyperparameters of a schedule, learned by gradient through the training they steer.

A run on digits, from initial weights to validation loss, is one pure function of the
schedule. So `jax.grad` says how that loss moves with the peak, with the length of the
warm-up (a float while it is learned) or with each value of a spline, and Adam follows.
Runs can be differentiated since Maclaurin et al., "Gradient-based Hyperparameter
Optimization through Reversible Learning" (2015), arXiv:1502.03492.

What is learned is compared with where learning began on digits, initial weights and
batches that learning never saw.
"""

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from matplotlib.figure import Figure
from tqdm import tqdm
from train_digits import Split, load_data, picture_path, whole_number

import jaxsched as js

OUTER_STEPS = 80
INNER_STEPS = 80
BATCH_SIZE = 32
RUNS = 8  # behind each gradient; every outer step draws others
TEST_RUNS = 16
VALIDATION_SIZE = 347  # leaves 1000 digits to train on

Params = dict[str, dict[str, Any]]
Numbers = Any  # arguments of a constructor by name: numbers, or lists of them


class Digits(NamedTuple):
    """What runs train on, what schedules are learned from, and what neither sees."""

    train: Split
    validation: Split
    test: Split


class Runs(NamedTuple):
    """What is random about some runs, each array with an axis of runs in front."""

    params: Params  # the initial ones
    rows: Any  # of the batch of each update


class Learnable(NamedTuple):
    """A constructor of schedules, and those of its arguments that are learned.

    Attributes:
      make: The constructor, with the arguments that are not learned.
      start: Where learning begins, all positive. A whole number is a length: a float
        while it is learned, and rounded when learned.
      most: What each may be at most; it is held there.
    """

    make: Callable[..., js.Schedule]
    start: Numbers
    most: Numbers


class Result(NamedTuple):
    """The schedules on the way, and the losses of each in some runs.

    Attributes:
      schedules: The first is where learning began, the last what it learned.
      validation: A row for each schedule, a column for each run.
      test: The same on the test digits.
    """

    schedules: list[js.Schedule]
    validation: np.ndarray
    test: np.ndarray


def learnables(steps: int) -> dict[str, Learnable]:
    """Two kinds of schedule, each from a guess that is too low to learn much with."""
    boundaries = np.linspace(0, steps, 6).round().astype(int).tolist()
    low = 0.02
    return {
        "warmup_cosine": Learnable(
            partial(js.warmup_cosine, total_steps=steps),
            start={"peak_value": low, "warmup_steps": steps // 10},
            most={"peak_value": math.inf, "warmup_steps": steps},
        ),
        "spline": Learnable(
            partial(js.spline, boundaries),
            start={"values": [low] * len(boundaries)},
            most={"values": [math.inf] * len(boundaries)},
        ),
    }


def split_digits() -> Digits:
    """The test digits of `train_digits`, and its training digits in two parts."""
    train, test = load_data()
    rows = np.split(np.arange(len(train.labels)), [-VALIDATION_SIZE])
    return Digits(train.take(rows[0]), train.take(rows[1]), test)


def draw_runs(rng: np.random.Generator, count: int, steps: int, size: int) -> Runs:
    """Initial weights of a network with 32 hidden units, and rows out of `size`."""

    def layer(inputs: int, outputs: int) -> dict[str, np.ndarray]:
        kernels = rng.normal(0, inputs**-0.5, (count, inputs, outputs))
        return {"kernel": kernels, "bias": np.zeros((count, outputs))}

    rows = rng.integers(size, size=(count, steps, BATCH_SIZE))
    return Runs({"hidden": layer(64, 32), "out": layer(32, 10)}, rows)


def loss(params: Params, data: Split) -> jax.Array:
    """The mean cross-entropy."""
    hidden, out = params["hidden"], params["out"]
    # Smooth, unlike relu, because the gradient itself will be differentiated.
    units = jnp.tanh(data.images @ hidden["kernel"] + hidden["bias"])
    logits = units @ out["kernel"] + out["bias"]
    return optax.softmax_cross_entropy_with_integer_labels(logits, data.labels).mean()


def train(schedule: js.Schedule, run: Runs, data: Split) -> Params:
    """The final weights of one run: a pure function of the schedule."""
    optimizer = optax.sgd(learning_rate=schedule, momentum=0.9)

    # The gradient keeps every step of the scan. For runs of many more steps, or of larger
    # networks, jax.checkpoint(update) trades that memory for time.
    def update(carry: Any, rows: jax.Array) -> tuple[Any, None]:
        params, state = carry
        gradients = jax.grad(loss)(params, data.take(rows))
        updates, state = optimizer.update(gradients, state)
        return (optax.apply_updates(params, updates), state), None

    carry = run.params, optimizer.init(run.params)
    (params, _), _ = jax.lax.scan(update, carry, run.rows)
    return params


def run_losses(schedule: js.Schedule, runs: Runs, data: Split, *judges: Split) -> Any:
    """For each of the `judges`, the loss of every run that was trained on `data`."""

    def one(run: Runs) -> list[jax.Array]:
        params = train(schedule, run, data)
        return [loss(params, judge) for judge in judges]

    return jax.vmap(one)(runs)


def objective(
    logs: Numbers, make: Callable[..., js.Schedule], runs: Runs, digits: Digits
) -> jax.Array:
    """The mean validation loss, by the logarithms of what is learned.

    Rates and lengths are positive. As logarithms they stay so, and one size of outer step,
    which is a factor then, suits both.
    """
    schedule = make(**jax.tree.map(jnp.exp, logs))
    [losses] = run_losses(schedule, runs, digits.train, digits.validation)
    return losses.mean()


def learn(
    learnable: Learnable,
    digits: Digits,
    rng: np.random.Generator,
    *,
    outer_steps: int,
    inner_steps: int,
    name: str = "learning",
) -> list[js.Schedule]:
    """The schedules before the first and after each of the `outer_steps`."""
    # The schedule of learning a schedule. It ends at 0, so that noise averages out.
    optimizer = optax.adam(js.cosine(0.1, 0.0, outer_steps))
    logs = jax.tree.map(lambda x: jnp.asarray(np.log(x)), learnable.start)
    state = optimizer.init(logs)

    @jax.jit
    def update(logs: Numbers, state: Any, runs: Runs, digits: Digits) -> Any:
        differentiated = jax.value_and_grad(objective)
        value, gradients = differentiated(logs, learnable.make, runs, digits)
        updates, state = optimizer.update(gradients, state)
        logs = optax.apply_updates(logs, updates)
        capped = lambda log, most: jnp.minimum(log, jnp.log(most))
        return jax.tree.map(capped, logs, learnable.most), state, value

    schedules = [read(learnable, logs)]
    for _ in (progress := tqdm(range(outer_steps), name, unit="update")):
        runs = draw_runs(rng, RUNS, inner_steps, len(digits.train.labels))
        logs, state, value = update(logs, state, runs, digits)
        schedules.append(read(learnable, logs))
        progress.set_postfix(loss=f"{value:.4f}", refresh=False)
    return schedules


def read(learnable: Learnable, logs: Numbers) -> js.Schedule:
    """The schedule of these logarithms, rounded, and checked by its constructor."""

    def number(log: jax.Array, start: float) -> float:
        value = math.exp(log)
        return round(value) if isinstance(start, int) else float(f"{value:.4g}")

    return learnable.make(**jax.tree.map(number, logs, learnable.start))


# The schedule is an argument: one program for all of a kind, not one for each.
held_out = jax.jit(run_losses)
curve = jax.jit(lambda schedule, steps: schedule(steps))


def measure(schedules: Sequence[js.Schedule], runs: Runs, digits: Digits) -> Result:
    """Every schedule in the same runs."""
    judges = digits.validation, digits.test
    losses = [held_out(schedule, runs, digits.train, *judges) for schedule in schedules]
    validation, test = zip(*jax.device_get(losses), strict=True)
    return Result(list(schedules), np.array(validation), np.array(test))


def table(results: Mapping[str, Result]) -> str:
    """The first and the last schedule of each kind, as text."""
    width = max(map(len, results))
    lines = [f"{'':{width}}           validation loss  test loss  schedule"]
    for name, (schedules, validation, test) in results.items():
        for row, label in ((0, "start"), (-1, "learned")):
            lines.append(
                f"{name:{width}}  {label:7}  {validation[row].mean():15.4f}"
                f"  {test[row].mean():9.4f}  {schedules[row]!r}"
            )
    lines.append("")
    for name, result in results.items():
        first, *_, last = result.test
        lines.append(
            f"{name}: the learned schedule has the lower test loss "
            f"in {np.sum(last < first)} of {len(last)} runs"
        )
    return "\n".join(lines)


def draw(results: Mapping[str, Result], inner_steps: int, path: Path) -> None:
    """Writes a picture of the schedules above their held-out losses."""
    figure = Figure(figsize=(9, 7), layout="constrained")
    axes = figure.subplot_mosaic([[*results], ["losses"] * len(results)])
    steps = np.arange(inner_steps)
    for (name, (schedules, _, test)), color in zip(
        results.items(), ("C0", "C1"), strict=True
    ):
        rates = axes[name]
        curves = np.array([curve(schedule, steps) for schedule in schedules])
        rates.plot(steps, curves.T, color=color, alpha=0.1, linewidth=1)
        rates.plot(steps, curves[0], "--", color=color, label="start")
        rates.plot(steps, curves[-1], color=color, label="learned")
        rates.set(title=name, xlabel="update", ylabel="learning rate")
        rates.legend(loc="upper left", ncols=2, frameon=False)
        axes["losses"].plot(test.mean(axis=1), color=color, label=name)
    axes["losses"].set(
        xlabel="outer step", ylabel=f"test loss (mean of {TEST_RUNS} runs)"
    )
    axes["losses"].legend(frameon=False)
    for each in axes.values():
        each.grid(alpha=0.3)
        each.margins(x=0.01, y=0.15)  # room for a legend
        each.set_ylim(bottom=0)
    figure.savefig(path, dpi=150)


def arguments(argv: list[str] | None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        description="Learn the hyperparameters of two schedules by gradient through "
        "short training runs, and compare both with where they began."
    )
    numbers = {
        "--outer-steps": (1, OUTER_STEPS, "updates of a schedule"),
        # Fewer would leave no room for the knots of the spline.
        "--inner-steps": (10, INNER_STEPS, "updates per training run"),
        "--seed": (0, 0, "of the initial weights and the batches"),
    }
    for option, (least, default, text) in numbers.items():
        parser.add_argument(
            option,
            type=whole_number(least),
            default=default,
            metavar="N",
            help=f"{text} (default: %(default)s)",
        )
    parser.add_argument(
        "--output",
        type=picture_path,
        default=Path("learn_schedule.png"),
        metavar="PATH",
        help="the picture (default: %(default)s)",
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Learns, measures, prints the table and writes the picture."""
    args = arguments(argv)
    digits, kinds = split_digits(), learnables(args.inner_steps)
    testing, *learning = np.random.default_rng(args.seed).spawn(1 + len(kinds))
    runs = draw_runs(testing, TEST_RUNS, args.inner_steps, len(digits.train.labels))
    results = {}
    for (name, learnable), rng in zip(kinds.items(), learning, strict=True):
        schedules = learn(
            learnable,
            digits,
            rng,
            outer_steps=args.outer_steps,
            inner_steps=args.inner_steps,
            name=name,
        )
        results[name] = measure(schedules, runs, digits)
    print(table(results))
    draw(results, args.inner_steps, args.output)
    print(f"\nThe curves are in {args.output}.")


if __name__ == "__main__":
    main()
