"""Plan a run, then make it: what `jaxsched.planning` predicts, and what training shows.

A small language model (`language_model.py`) is trained under eight schedules at five
peaks, from several seeds. One schedule is tuned; the theory says from it how high the
others should be and in which order they end, and their runs say whether it is right. Then
the tuned run is made twice as long in three ways, a constant run is cooled down or merged
instead, and a loss law that is fitted to two runs predicts the others.

Differences are between runs of one seed, which see the same batches: their noise is that
of the differences, given as the standard error over the seeds. Where it is as large as
the difference, nothing was seen.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import orbax.checkpoint as ocp
from language_model import State, Text, Trainer, load_text
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import pearsonr, spearmanr
from train_digits import picture_path, whole_number

import jaxsched as js
from jaxsched import planning

PARTS = 20  # of a run: lengths are so many parts
PEAKS = [2e-3 * 2**i for i in range(5)]
TUNED = "wsd 20%"


def shapes(steps: int) -> dict[str, js.Schedule]:
    """What is compared: schedules with a peak of 1, fixed before anything was trained."""
    ramp = steps // 10
    return {
        TUNED: js.wsd(1.0, steps, ramp, 2 * steps // 10),
        "constant": js.warmup_constant(1.0, ramp),
        "1/sqrt": js.warmup_inverse_sqrt(1.0, ramp),
        "wsd 40%": js.wsd(1.0, steps, ramp, 4 * steps // 10),
        "cosine to 10%": js.warmup_cosine(1.0, steps, ramp, 0.1),
        "cosine": js.warmup_cosine(1.0, steps, ramp),
        "one-cycle": js.one_cycle(1.0, steps, 3 * steps // 10),
        "linear": js.warmup_linear(1.0, steps, ramp),
    }


class Plan(NamedTuple):
    """What is trained with, and how much."""

    trainer: Trainer
    steps: int
    seeds: list[int]

    def train(
        self,
        states: list[State],
        schedules: Sequence[js.Schedule],
        first: int,
        last: int,
        name: str,
    ) -> tuple[list[State], np.ndarray]:
        """Trains from one update to another, under each schedule from each seed.

        Args:
          states: The runs as they are: all seeds under the first schedule, all under the
            second, and so on.
          schedules: The learning rates.
          first: The number of updates that were made.
          last: The number of updates to have been made.
          name: The label of the progress bar.

        Returns:
          The runs as they are then, and their held-out losses, (schedules, seeds).
        """
        rates = [s.at(np.arange(first, last)) for s in schedules for _ in self.seeds]
        seeds = self.seeds * len(schedules)
        ended, _ = self.trainer.train(
            states, seeds, np.stack(rates), first=first, name=name
        )
        return ended, self.trainer.evaluate(ended).reshape(len(schedules), -1)


class Measured(NamedTuple):
    """A shape at all peaks: where it is best, and how low it ends there."""

    peak: float
    losses: np.ndarray  # at that peak, of each seed
    is_inside: bool  # whether the peaks enclose it

    @property
    def loss(self) -> float:
        """The mean over the seeds."""
        return float(self.losses.mean())


def best_of(losses: np.ndarray) -> Measured:
    """The vertex of a parabola in log(peak) through the best three, (peaks, seeds)."""
    finite = np.where(np.isfinite(losses), losses, np.inf)
    best = int(np.argmin(finite.mean(axis=1)))
    if not 0 < best < len(PEAKS) - 1:
        return Measured(PEAKS[best], losses[best], False)
    below, here, above = losses[best - 1 : best + 2]
    slope, bend = (above - below) / 2, above - 2 * here + below
    at = np.clip(-slope.mean() / bend.mean(), -1.0, 1.0)
    return Measured(PEAKS[best] * 2.0**at, here + slope * at + bend * at**2 / 2, True)


def difference(losses: np.ndarray, others: np.ndarray) -> str:
    """How much lower or higher runs end than others of the same seeds, and the noise."""
    return with_noise(np.asarray(losses) - np.asarray(others))


def with_noise(values: np.ndarray) -> str:
    """The mean over the seeds and its standard error."""
    if len(values) == 1:
        return f"{values[0]:+.4f}"
    error = values.std(ddof=1) / len(values) ** 0.5
    return f"{values.mean():+.4f} +- {error:.4f}"


def heading(text: str) -> None:
    """Begins a part of the report."""
    print(f"\n{text}\n{'-' * len(text)}", flush=True)


class Comparison(NamedTuple):
    """The first three questions: what was predicted, and what was measured."""

    ranking: planning.Ranking
    predicted: dict[str, float]  # the best peak of each shape
    measured: dict[str, Measured]
    losses: dict[str, np.ndarray]  # (peaks, seeds)

    @property
    def tuned_peak(self) -> float:
        """Where the shape that is tuned is best."""
        return self.measured[TUNED].peak


def compare(plan: Plan) -> Comparison:
    """Tunes one shape, predicts the others from it, and trains them."""
    compared = shapes(plan.steps)
    fresh = plan.trainer.begin(plan.seeds)
    losses = {}

    def train(name: str) -> Measured:
        schedules = [peak * compared[name] for peak in PEAKS]
        starts = fresh * len(schedules)
        _, losses[name] = plan.train(starts, schedules, 0, plan.steps, name)
        return best_of(losses[name])

    heading(f"1. Tune one schedule: {TUNED}")
    measured = {TUNED: train(TUNED)}
    for peak, row in zip(PEAKS, losses[TUNED], strict=True):
        print(f"peak {peak:.1e}: held-out loss {row.mean():.4f}")
    tuned = measured[TUNED].peak * compared[TUNED]
    print(f"best peak {measured[TUNED].peak:.2e}")

    heading("2. Predict: rank, and transfer_factor from the tuned one")
    predicted = {
        name: planning.transfer_factor(tuned, shape, plan.steps)
        for name, shape in compared.items()
    }
    predicted = {name: float(factor) for name, factor in predicted.items()}
    ranking = planning.rank(compared, plan.steps)
    print(ranking)

    heading("3. Train them all: predicted beside measured")
    measured |= {name: train(name) for name in compared if name != TUNED}
    found = Comparison(ranking, predicted, measured, losses)
    report(found)
    return found


def report(found: Comparison) -> None:
    """The table of the shapes, and how well the predictions order them."""
    measured = found.measured
    order = sorted(measured, key=lambda name: measured[name].loss)
    print(f"\n{'order':>10} {'best peak':>21} {'held-out loss':>14}")
    print(f"{'pred. seen':>10} {'predicted':>10} {'measured':>10} {'':>14}", end="")
    print(f"  {'less that of ' + TUNED:24}  shape")
    for place, row in enumerate(found.ranking, 1):
        name, seen = row.name, measured[row.name]
        flag = " " if seen.is_inside else "*"
        print(
            f"{place:>5}{order.index(name) + 1:>5} {found.predicted[name]:>10.2e} "
            f"{seen.peak:>9.2e}{flag} {seen.loss:>14.4f}  "
            f"{difference(seen.losses, measured[TUNED].losses):24}  {name}"
        )
    if not all(seen.is_inside for seen in measured.values()):
        print("* at the edge of the peaks that were tried")
    names = [row.name for row in found.ranking]
    bounds = [row.bound for row in found.ranking]
    losses = [measured[name].loss for name in names]
    print(f"\nloss against bound: {agreement(bounds, losses)}")
    peaks = [
        np.log([of[n] for n in names]) for of in (found.predicted, seen_peaks(found))
    ]
    print(f"measured against predicted peaks (logarithms): {agreement(*peaks)}")
    print("\nat one common peak for all:")
    for i, peak in enumerate(PEAKS):
        at_it = [found.losses[name][i].mean() for name in names]
        best = names[int(np.argmin(at_it))]
        print(f"  {peak:.1e}: best is {best}; {agreement(bounds, at_it)}")


def seen_peaks(found: Comparison) -> dict[str, float]:
    """The best peak of each shape."""
    return {name: seen.peak for name, seen in found.measured.items()}


def agreement(expected: Any, seen: Any) -> str:
    """How well numbers go together, and their orders."""
    if min(np.ptp(expected), np.ptp(seen)) == 0:
        return "nothing to compare, for all are equal"
    by_size, by_order = pearsonr(expected, seen)[0], spearmanr(expected, seen)[0]
    return f"Pearson {by_size:.2f}, Spearman {by_order:.2f}"


def make_longer(plan: Plan, peak: float) -> tuple[planning.Ranking, np.ndarray]:
    """Makes the tuned run twice as long, in three ways from one checkpoint."""
    heading("4. Twice the length after all: extend")
    steps, at = plan.steps, 8 * plan.steps // 10
    tuned = peak * shapes(steps)[TUNED]
    ways = planning.extend(tuned, steps, 2 * steps, at=at)
    print(ways)
    fresh = plan.trainer.begin(plan.seeds)
    checkpoint, _ = plan.train(fresh, [tuned], 0, at, "to the checkpoint")
    schedules = [way.schedule for way in ways]
    starts = checkpoint * len(schedules)
    _, losses = plan.train(starts, schedules, at, 2 * steps, "three ways on")
    usual = losses[[way.name for way in ways].index("same cool-down")]
    print("\nheld-out loss, and less that of the same cool-down:")
    for way, found in zip(ways, losses, strict=True):
        print(f"  {found.mean():.4f}  {difference(found, usual):20}  {way.name}")
    return ways, losses


def cool_or_merge(plan: Plan, peak: float, folder: Path) -> None:
    """Cools a constant run down from three checkpoints, or merges them instead."""
    heading("5. Cool down, or merge checkpoints: merge_weights")
    steps, part = plan.steps, plan.steps // PARTS
    constant = peak * shapes(steps)["constant"]
    places = [*range(12 * part, steps + 1, part)]
    states = plan.trainer.begin(plan.seeds)
    with ocp.CheckpointManager(
        folder, item_handlers=ocp.StandardCheckpointHandler()
    ) as checkpoints:
        done = 0
        for place in places:
            name = f"constant, to update {place}"
            states, _ = plan.train(states, [constant], done, place, name)
            checkpoints.save(place, args=ocp.args.StandardSave(states))
            done = place
        checkpoints.wait_until_finished()
        restored = {
            place: checkpoints.restore(place, args=ocp.args.StandardRestore(states))
            for place in places
        }
    end = plan.trainer.evaluate(restored[steps])
    print(f"\n{'held-out loss, less that of the constant run':>46} ({end.mean():.4f})")
    print(f"{'share':>8}  {'cooled down':20}  {'merged':20}")
    for parts in (2, 4, 8):
        begin = steps - parts * part
        cooled = js.cooldown(constant, begin, parts * part)
        name = f"cool-down over {parts * part}"
        _, [trained] = plan.train(restored[begin], [cooled], begin, steps, name)
        merged = [restored[place] for place in places[-parts - 1 :]]
        # The mean factor of a straight line over each stretch between checkpoints.
        decay = 1 - (np.arange(parts) + 0.5) / parts
        weights = [mean_of(runs, decay) for runs in zip(*merged, strict=True)]
        averaged = plan.trainer.evaluate(weights)
        print(
            f"{parts / PARTS:>8.0%}  {difference(trained, end):20}  "
            f"{difference(averaged, end):20}"
        )


def mean_of(checkpoints: Sequence[State], decay: np.ndarray) -> State:
    """The checkpoints of a run merged, with the weights that stand for a decay."""
    shares = np.asarray(planning.merge_weights(decay))
    merged = jax.tree.map(
        lambda *x: np.tensordot(shares, np.stack(x), 1),
        *(checkpoint.weights for checkpoint in checkpoints),
    )
    return State(merged, checkpoints[-1].optimizer)


class Fit(NamedTuple):
    """A law, and the runs that it was fitted to and that it predicts."""

    law: planning.MultiPowerLaw
    fitted: dict[str, Any]
    predicted: dict[str, Any]


def predict_losses(plan: Plan, peak: float) -> Fit:
    """Fits a loss law to two runs, and predicts two others of the same peak."""
    heading("6. Predict a loss curve: fit_law")
    ramp, part = plan.steps // 10, plan.steps // PARTS
    names = ["constant", "cosine", TUNED, "linear"]
    schedules = [peak * shapes(plan.steps)[name] for name in names]
    states = plan.trainer.begin(plan.seeds) * len(names)
    places, losses = np.arange(part, plan.steps + 1, part), []
    for place in places.tolist():
        name = f"held-out losses, to update {place}"
        states, found = plan.train(states, schedules, place - part, place, name)
        losses.append(found.mean(axis=1))
    # The laws say nothing of a warm-up and of the time just after it.
    known = places >= 2 * ramp
    curves = np.stack(losses, axis=1)[:, known]
    runs = {
        name: planning.Run(schedule, places[known], curve)
        for name, schedule, curve in zip(names, schedules, curves, strict=True)
    }
    fitted = {name: runs.pop(name) for name in names[:2]}
    start = planning.MultiPowerLaw(1.2, 0.5, 0.5, 5.0, 1.0, 0.5, 0.5)
    law = planning.fit_law(start, list(fitted.values()), warmup_steps=ramp)
    print(f"{law}\n\n{'mean error':>10} {'at the end':>10}")
    for name, run in (fitted | runs).items():
        [errors] = planning.law_residuals(law, [run], warmup_steps=ramp)
        kind = "fitted" if name in fitted else "predicted"
        print(f"{np.abs(errors).mean():>10.2%} {errors[-1]:>+10.2%}  {name} ({kind})")
    return Fit(law, fitted, runs)


def draw(
    plan: Plan,
    found: Comparison,
    longer: tuple[planning.Ranking, np.ndarray],
    fit: Fit,
    path: Path,
) -> None:
    """Writes a picture of the predictions and of what was seen."""
    figure = Figure(figsize=(12, 9), layout="constrained")
    (peaks, bounds), (ways, law) = figure.subplots(2, 2)
    draw_peaks(peaks, found)
    draw_bounds(bounds, found)
    handles, labels = peaks.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    draw_ways(ways, plan, *longer)
    ramp = plan.steps // 10
    planning.plot_law(fit.law, fit.fitted | fit.predicted, law, warmup_steps=ramp)
    law.set_title(f"a law fitted to {' and '.join(fit.fitted)}")
    figure.savefig(path, dpi=110)


def draw_peaks(axes: Axes, found: Comparison) -> None:
    """The loss of each shape by its peak, and where the best one was predicted."""
    least = min(seen.loss for seen in found.measured.values())
    for name, losses in found.losses.items():
        means = losses.mean(axis=1)
        [line] = axes.plot(PEAKS, means, marker=".", label=name)
        at = found.predicted[name]
        level = np.interp(np.log(at), np.log(PEAKS), means)
        axes.plot(at, level, "v", ms=9, color=line.get_color(), mec="black")
    axes.set(xscale="log", ylim=(least - 0.01, least + 0.25))
    axes.set_xticks(PEAKS, [f"{peak:.1e}" for peak in PEAKS])
    axes.minorticks_off()
    axes.set(xlabel="peak", ylabel="held-out loss")
    axes.set_title("the best peak of each shape as predicted (triangles)")


def draw_bounds(axes: Axes, found: Comparison) -> None:
    """The loss of each shape at its best peak by its bound."""
    common = np.mean([seen.losses for seen in found.measured.values()], axis=0)
    for name in found.losses:  # in the order of the other picture, for its colours
        seen, bound = found.measured[name], found.ranking[name].bound
        # What all shapes have in common in a seed is no noise between them.
        apart = np.std(seen.losses - common) / max(1, len(common) - 1) ** 0.5
        axes.errorbar(bound, seen.loss, apart, fmt="o", capsize=3)
    axes.set(xlabel="best_bound", ylabel="held-out loss")
    axes.set_title("each at its own best peak: predicted and measured")


def draw_ways(
    axes: Axes, plan: Plan, ways: planning.Ranking, losses: np.ndarray
) -> None:
    """The rates of a run that is made longer, with the losses they end at."""
    drawn = {
        f"{way.name}: loss {loss.mean():.4f}": way.schedule
        for way, loss in zip(ways, losses, strict=True)
    }
    js.plot(drawn, 2 * plan.steps, axes, boundaries=False)
    axes.set_title(f"{TUNED}, made twice as long from update {8 * plan.steps // 10}")


def arguments(argv: list[str] | None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        description="Compare what jaxsched.planning predicts with training: which "
        "schedule, how high, made longer how, cooled down or merged, how low."
    )
    numbers = {
        "--steps": (PARTS, 1000, f"updates of a run, a multiple of {2 * PARTS}"),
        "--seeds": (1, 3, "runs of each kind"),
        "--width": (1, 32, "of the model"),
        "--at-a-time": (1, 1, "runs side by side on a device; tens on a GPU"),
    }
    for name, (least, default, text) in numbers.items():
        kind = whole_number(least)
        text = f"{text} (default: {default})"
        parser.add_argument(name, type=kind, default=default, metavar="N", help=text)
    parser.add_argument(
        "--large",
        action="store_true",
        help="for a GPU: --steps 8000 --seeds 4 --width 128 --at-a-time 32",
    )
    parser.add_argument(
        "--output",
        type=picture_path,
        default=Path("plan.png"),
        metavar="PATH",
        help="the picture (default: %(default)s)",
    )
    args = parser.parse_args(argv)
    if args.large:
        args.steps, args.seeds, args.width, args.at_a_time = 8000, 4, 128, 32
    if args.steps % (2 * PARTS):
        parser.error(f"--steps must be a multiple of {2 * PARTS}, got {args.steps}")
    return args


def main(argv: list[str] | None = None) -> None:
    """Predicts, trains, prints what agrees, and writes a picture."""
    args = arguments(argv)
    begin = time.perf_counter()
    text: Text = load_text()
    trainer = Trainer(text, args.steps // PARTS, args.width, args.at_a_time)
    plan = Plan(trainer, args.steps, [*range(args.seeds)])
    found = compare(plan)
    longer = make_longer(plan, found.tuned_peak)
    with tempfile.TemporaryDirectory() as folder:
        cool_or_merge(plan, found.tuned_peak, Path(folder).resolve())
    fit = predict_losses(plan, found.tuned_peak)
    draw(plan, found, longer, fit, args.output)
    print(f"\n{time.perf_counter() - begin:.0f} s; the picture is in {args.output}.")


if __name__ == "__main__":
    if jax.config.jax_platforms in (None, "", "cpu"):
        # A CPU as several devices: each core trains runs of its own.
        jax.config.update("jax_num_cpu_devices", min(8, os.cpu_count() or 1))
    main()
