"""The digits under one schedule, with checkpoints: a killed run goes on where it was.

Start it again with the same command and it goes on from its last whole checkpoint. Its
final weights are, to the bit, those of a run that was never killed. For that, all that
decides what comes next is in the checkpoint: the weights, the state of the optimizer
(that of a metric-driven schedule is part of it) and the count of updates. The batches
follow from the seed and that count.

Orbax writes a checkpoint under a temporary name and renames it when it is whole, so one
that was cut off is never read.
"""

import argparse
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

import jax
import numpy as np
import optax
import orbax.checkpoint as ocp
from flax import nnx
from jax.typing import ArrayLike
from orbax.checkpoint.checkpoint_managers import LatestN
from tqdm import tqdm
from train_digits import (
    BATCH_SIZE,
    MLP,
    PEAK,
    STEPS,
    Split,
    add_seed,
    add_whole,
    batches,
    evaluate,
    load_data,
    loss_and_accuracy,
)

import jaxsched as js

EXAMPLES = """\
examples:
  python resume.py
      train, or go on with the run that was killed
  python resume.py --schedule "wsd(0.01, total_steps=600, warmup_steps=60, decay_steps=90)"
      go on under another schedule; what that changes is printed
  python resume.py --folder plateau \\
      --schedule "reduce_on_plateau(constant(0.01), factor=0.5, patience=5, window=20)"
      train under a schedule that follows the loss
"""

Schedule = js.Schedule | js.MetricDriven
Settings = dict[str, Any]  # what a run was asked for, kept beside its state


def make_optimizer(model: MLP, schedule: Schedule) -> nnx.Optimizer:
    """AdamW, in a state that has one layout for all plain schedules.

    So a checkpoint made under one of them can be read under another.
    """
    transformation = js.with_schedule(optax.adamw, schedule, weight_decay=1e-4)
    return nnx.Optimizer(model, transformation, wrt=nnx.Param)


@nnx.jit
def train_step(
    model: MLP, optimizer: nnx.Optimizer, data: Split, rows: ArrayLike
) -> jax.Array:
    """Updates the model in place with a batch of the data; returns the loss before."""
    differentiated = nnx.value_and_grad(loss_and_accuracy, has_aux=True)
    (loss, _), gradients = differentiated(model, data.take(rows))
    # The loss is for metric-driven schedules; plain ones ignore it.
    optimizer.update(model, gradients, value=loss)
    return loss


def open_checkpoints(folder: Path) -> ocp.CheckpointManager:
    """The checkpoints in a folder; what is left of a save that was cut off is removed."""
    options = ocp.CheckpointManagerOptions(
        preservation_policy=LatestN(2), cleanup_tmp_directories=True
    )
    return ocp.CheckpointManager(
        folder.resolve(), options=options, item_handlers=ocp.StandardCheckpointHandler()
    )


def save(
    checkpoints: ocp.CheckpointManager,
    model: MLP,
    optimizer: nnx.Optimizer,
    settings: Settings,
) -> None:
    """Begins a checkpoint, which is written while the training goes on."""
    step = int(js.step_count(optimizer))
    state = ocp.args.StandardSave(nnx.state((model, optimizer)))
    checkpoints.save(step, args=state, custom_metadata=settings)


def restore(
    checkpoints: ocp.CheckpointManager, model: MLP, optimizer: nnx.Optimizer
) -> None:
    """Loads the last checkpoint into a model and its optimizer."""
    like = ocp.args.StandardRestore(nnx.state((model, optimizer)))
    state = checkpoints.restore(checkpoints.latest_step(), args=like)
    nnx.update((model, optimizer), state)


def check(
    saved: Settings, settings: Settings, schedule: Schedule, last: int, steps: int
) -> None:
    """Refuses checkpoints that this run cannot go on from; tells of a new schedule."""
    if saved["seed"] != settings["seed"]:
        refuse(f"these checkpoints are of a run with --seed {saved['seed']}")
    if last > steps:
        refuse(f"the last checkpoint is after update {last}, beyond --steps {steps}")
    old = js.parse(saved["schedule"])
    if layout(old) != layout(schedule):
        refuse(f"these checkpoints hold the state of another kind of schedule, {old}")
    if old != schedule:
        print(f"the schedule was {old}\nand is now {schedule}")
        if not isinstance(old, js.Schedule):
            print("of what they drive:")
        print(js.compare(driven(old), driven(schedule), at=last))


def refuse(reason: str) -> NoReturn:
    """Ends the program."""
    raise SystemExit(f"resume.py: {reason}; start afresh in another --folder")


def layout(schedule: Schedule) -> Any:
    """How the state of a schedule is laid out, in the optimizer and in a checkpoint."""
    return jax.eval_shape(js.scale_by_learning_rate(schedule).init, {})


def driven(schedule: Schedule) -> js.Schedule:
    """The plain schedule inside metric-driven ones."""
    return schedule if isinstance(schedule, js.Schedule) else driven(schedule.schedule)


def begin(
    checkpoints: ocp.CheckpointManager, schedule: Schedule, steps: int, seed: int
) -> tuple[MLP, nnx.Optimizer]:
    """A model and its optimizer, fresh or as the last checkpoint has them; says which."""
    # As one program: a run that is started often should start quickly.
    model = nnx.jit(MLP)(nnx.Rngs(seed))
    optimizer = make_optimizer(model, schedule)
    last = checkpoints.latest_step()
    if last is None:
        start = f"starts, {steps} updates to make, the first"
    else:
        restore(checkpoints, model, optimizer)
        start = f"resumes after update {last} of {steps}, which was made"
    rate = js.learning_rate(optimizer)
    print(f"{start} at learning rate {rate:.6g}", flush=True)
    return model, optimizer


def train(
    data: Split, schedule: Schedule, *, steps: int, every: int, folder: Path, seed: int
) -> tuple[MLP, nnx.Optimizer]:
    """The model and its optimizer after `steps` updates, those of earlier runs included."""
    settings = {"schedule": repr(schedule), "seed": seed}
    with open_checkpoints(folder) as checkpoints:
        last = checkpoints.latest_step()
        if last is not None:
            saved = checkpoints.metadata(last).custom_metadata
            check(saved, settings, schedule, last, steps)
        model, optimizer = begin(checkpoints, schedule, steps, seed)
        done = int(js.step_count(optimizer))
        rows_of_batches = batches(len(data.labels), BATCH_SIZE, steps, seed)
        # Those of the updates made are drawn again and dropped, which takes no time.
        left = islice(rows_of_batches, done, None)
        progress = tqdm(left, "training", steps, initial=done, unit="update")
        for step, rows in enumerate(progress, done + 1):
            # Put there explicitly: it also runs under jax.transfer_guard("disallow").
            loss = train_step(model, optimizer, data, jax.device_put(rows))
            if step % every == 0 or step == steps:
                save(checkpoints, model, optimizer, settings)
                rate = js.learning_rate(optimizer)
                progress.set_postfix(
                    loss=f"{loss:.4f}", rate=f"{rate:.1e}", refresh=False
                )
    return model, optimizer


def write(path: Path, model: MLP, optimizer: nnx.Optimizer) -> None:
    """Writes the weights and the whole state of the optimizer, each array by its path."""
    state = nnx.state({"model": model, "optimizer": optimizer})
    leaves = jax.tree_util.tree_leaves_with_path(state)
    keystr = jax.tree_util.keystr
    arrays = {keystr(at, simple=True, separator="/"): leaf for at, leaf in leaves}
    np.savez(path, **arrays)


def folder_path(text: str) -> Path:
    """The type of --folder: one that is there or can be made."""
    path = Path(text)
    if path.exists() and not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is not a folder")
    return path


def npz_path(text: str) -> Path:
    """The type of --final: refused now rather than after the training."""
    path = Path(text)
    if path.suffix != ".npz":
        raise argparse.ArgumentTypeError(f"must end in .npz, got {text!r}")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {str(path.parent)!r}")
    return path


def arguments(argv: list[str] | None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        description="Train a classifier of handwritten digits with checkpoints,\n"
        "or go on with the run that was killed.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--schedule",
        type=js.parse,
        metavar="TEXT",
        help="a call such as 'cosine(0.01, 0.0, steps=600)', metric-driven ones included "
        "(default: a warm-up and a cosine over all updates)",
    )
    add_whole(parser, "--steps", 1, STEPS, "updates of the whole run")
    add_whole(parser, "--every", 1, 50, "updates between checkpoints")
    parser.add_argument(
        "--folder",
        type=folder_path,
        default=Path("checkpoints"),
        metavar="PATH",
        help="of the checkpoints, two of which are kept (default: %(default)s)",
    )
    add_seed(parser)
    parser.add_argument(
        "--final",
        type=npz_path,
        metavar="PATH",
        help="write the final weights and optimizer state, as .npz",
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Trains what is left, and prints the test accuracy."""
    args = arguments(argv)
    schedule = args.schedule or js.warmup_cosine(
        PEAK, args.steps, warmup_steps=args.steps // 10
    )
    train_data, test_data = load_data()
    model, optimizer = train(
        train_data,
        schedule,
        steps=args.steps,
        every=args.every,
        folder=args.folder,
        seed=args.seed,
    )
    if args.final is not None:
        write(args.final, model, optimizer)
    _, accuracy = evaluate(model, test_data)
    print(f"test accuracy {accuracy:.2%}")


if __name__ == "__main__":
    main()
