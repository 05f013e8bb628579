"""A sweep: every schedule of a grid trains a network, all in one compiled program.

`js.grid` makes one stacked schedule of 8 peaks x 8 warm-ups and a table of them, and
`jax.vmap` maps the whole training run over it and over the seeds: 128 runs, compiled
once. The leaderboard shows the settings from the table. The digits come
with scikit-learn. The best schedule is chosen by its accuracy on validation images; the
test images only say how good it is.

With --shard the grid is divided among all devices, with --coordinator among all devices
of several processes; every process prints the same leaderboard.
"""

import argparse
import re
import resource
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax.experimental import multihost_utils
from jax.sharding import NamedSharding, PartitionSpec
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure, FigureBase
from tqdm import tqdm
from train_digits import (
    BATCH_SIZE,
    MLP,
    Split,
    batches,
    load_data,
    loss_and_accuracy,
    picture_path,
    smoothed,
    whole_number,
)

import jaxsched as js

STEPS = 200
PEAKS = 8
WARMUPS = 8
VALIDATION = 300  # images taken from the training images
TICKS = 20  # how often a program reports its progress
MIB = 2**20


class Start(NamedTuple):
    """What the seed of a training run decides."""

    weights: Any  # the initial ones
    rows: Any  # the images of each batch


class Run(NamedTuple):
    """What a training run leaves behind."""

    losses: Any  # of each batch, before its update
    validation_accuracy: Any
    test_accuracy: Any


def make_grid(
    peaks: int, warmups: int, steps: int
) -> tuple[dict[str, Any], js.Grid[js.Schedule]]:
    """The axes of the grid, and all their combinations."""
    axes = {
        "peak_value": [float(f"{x:.2g}") for x in np.geomspace(1e-4, 0.3, peaks)],
        "warmup_steps": [round(x) for x in np.linspace(0, steps * 7 // 8, warmups)],
    }
    return axes, js.grid(js.warmup_cosine, total_steps=steps, **axes)


def train(
    schedule: js.Schedule,
    start: Start,
    graph: Any,
    data: tuple[Split, Split, Split],
    report: Callable[[int], None],
) -> Run:
    """One run of the network in `graph`."""
    train_data, validation_data, test_data = data
    weights, rows = start
    optimizer = optax.adam(learning_rate=schedule)
    steps = len(rows)
    every = max(1, steps // TICKS)

    def loss(weights: Any, batch: Split) -> tuple[jax.Array, jax.Array]:
        return loss_and_accuracy(nnx.merge(graph, weights), batch)

    def update(carry: Any, batch: Any) -> Any:
        (weights, state), (step, rows) = carry, batch
        differentiated = jax.value_and_grad(loss, has_aux=True)
        (value, _), gradients = differentiated(weights, train_data.take(rows))
        changes, state = optimizer.update(gradients, state, weights)
        # The step is the same in all runs of a program: it reports once for all.
        due = (step + 1) % every == 0
        jax.lax.cond(due, lambda: jax.debug.callback(report, every), lambda: None)
        return (optax.apply_updates(weights, changes), state), value

    carry = (weights, optimizer.init(weights))
    (weights, _), losses = jax.lax.scan(update, carry, (jnp.arange(steps), rows))
    _, validation_accuracy = loss(weights, validation_data)
    _, test_accuracy = loss(weights, test_data)
    return Run(losses, validation_accuracy, test_accuracy)


def make_starts(size: int, steps: int, seeds: int) -> tuple[Any, Start]:
    """The graph of the network, and the starts of all seeds, stacked."""
    graphs, weights = zip(
        *(nnx.split(MLP(nnx.Rngs(seed))) for seed in range(seeds)), strict=True
    )
    rows = [list(batches(size, BATCH_SIZE, steps, seed)) for seed in range(seeds)]
    stacked = jax.tree.map(lambda *x: np.stack(x), *weights)
    return graphs[0], Start(stacked, np.array(rows))


class Sweep(NamedTuple):
    """A compiled sweep, and what it is given: the grid, and the start of each seed."""

    program: Any
    arguments: tuple[Any, Start]

    @property
    def buffers(self) -> int:
        """Bytes that the program takes on each device beside its arguments."""
        memory = self.program.memory_analysis()
        return memory.temp_size_in_bytes + memory.output_size_in_bytes


def compile_sweep(
    schedules: Any,
    *,
    steps: int,
    seeds: int,
    batch_size: int | None = None,
    devices: Sequence[Any] | None = None,
    progress: Any = None,
) -> Sweep:
    """The training under every schedule and seed as one program.

    Args:
      schedules: A stacked schedule.
      steps: Updates per run.
      seeds: Runs per schedule, of initial weights and batches.
      batch_size: How many schedules are trained at a time on a device; None for all.
      devices: What to divide the schedules among; None for one device.
      progress: A bar of tqdm to move while it runs, or None.
    """
    devices = list(devices or jax.local_devices()[:1])
    n = len(jax.tree.leaves(schedules)[0])
    if n % len(devices):
        raise ValueError(
            f"compile_sweep: schedules must be divisible among devices, "
            f"got {n} schedules and {len(devices)} devices"
        )
    each = n // len(devices)
    at_a_time = min(batch_size or each, each)

    def report(updates: int) -> None:
        if progress is not None:
            # JAX 0.6 also runs an empty last slice, which is no progress.
            progress.update(min(int(updates), progress.total - progress.n))

    if progress is not None:
        progress.reset(total=-(-each // at_a_time) * steps)
    train_data, test_data = load_data()
    size = len(train_data.labels) - VALIDATION
    data = (
        train_data.take(np.arange(size)),
        train_data.take(np.arange(size, size + VALIDATION)),
        test_data,
    )

    graph, starts = make_starts(size, steps, seeds)

    def all_runs(schedules: Any, starts: Start) -> Run:
        one = lambda schedule, start: train(schedule, start, graph, data, report)
        of = lambda schedule: jax.vmap(partial(one, schedule))(starts)
        on_a_device = lambda s: jax.lax.map(of, s, batch_size=at_a_time)
        return jax.vmap(on_a_device)(schedules)

    # The axis of the grid becomes (device, schedule): the first one lies on the devices
    # of a mesh, the second one is gone through in slices.
    mesh = jax.make_mesh((len(devices),), ("grid",), devices=devices)
    spread = NamedSharding(mesh, PartitionSpec("grid"))
    everywhere = NamedSharding(mesh, PartitionSpec())
    grid = jax.tree.map(
        lambda x: placed(np.reshape(x, (len(devices), each, *x.shape[1:])), spread),
        schedules,
    )
    arguments = grid, jax.tree.map(lambda x: placed(x, everywhere), starts)
    program = jax.jit(automatic(all_runs, mesh), out_shardings=spread)
    lowered = program.lower(*arguments)
    return Sweep(lowered.compile(), arguments)


def automatic(function: Callable[..., Any], mesh: jax.sharding.Mesh) -> Any:
    """The function, whose work JAX divides by itself on any kind of mesh.

    Where the axes of a mesh are explicit, which is the default of `jax.make_mesh` in some
    versions, JAX would ask for the sharding of each result inside.
    """
    kinds = getattr(jax.sharding, "AxisType", None)
    if kinds is None or kinds.Explicit not in mesh.axis_types:
        return function

    def divided(*arguments: Any) -> Any:
        spec = PartitionSpec("grid")
        with jax.sharding.use_abstract_mesh(mesh.abstract_mesh):
            return jax.sharding.auto_axes(function, out_sharding=spec)(*arguments)

    return divided


def run_sweep(sweep: Sweep) -> Run:
    """The results of all schedules and seeds, led by these two axes, in every process."""
    result = jax.block_until_ready(sweep.program(*sweep.arguments))
    jax.effects_barrier()  # the progress of the last updates
    if jax.process_count() > 1:
        result = multihost_utils.process_allgather(result, tiled=True)
    everything = jax.device_get(result)
    return jax.tree.map(lambda x: np.reshape(x, (-1, *x.shape[2:])), everything)


def placed(array: np.ndarray, sharding: NamedSharding) -> jax.Array:
    """An array that every process has, on the devices of all processes."""
    return jax.make_array_from_callback(array.shape, sharding, lambda i: array[i])


def peak_memory() -> str:
    """The most memory that was in use: of a device, or of this process on the CPU."""
    stats = jax.local_devices()[0].memory_stats() or {}
    if "peak_bytes_in_use" in stats:
        return f"{stats['peak_bytes_in_use'] / MIB:.0f} MiB on each device"
    unit = 1 if sys.platform == "darwin" else 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return f"{used / MIB:.0f} MiB in this process"


def leaderboard(grid: js.Grid[js.Schedule], runs: Run, best: int) -> str:
    """The best settings as text, by their validation accuracy: means over the seeds."""
    rows = ["rank  validation    test  settings"]
    for rank, i in enumerate(ranking(runs)[:best], 1):
        rows.append(
            f"{rank:4}  {runs.validation_accuracy[i].mean():10.2%}"
            f"  {runs.test_accuracy[i].mean():6.2%}  {grid.label(i)}"
        )
    return "\n".join(rows)


def ranking(runs: Run) -> list[int]:
    """The schedules from the best to the worst; of equals, the lower final loss."""
    accuracy = runs.validation_accuracy.mean(axis=1)
    last = runs.losses[..., -20:].mean(axis=(1, 2))
    return np.lexsort((np.nan_to_num(last, nan=np.inf), -accuracy)).tolist()


def draw(
    axes: dict[str, Any], grid: js.Grid[js.Schedule], runs: Run, path: Path
) -> None:
    """Writes a picture: a map of the errors, and the curves of the best schedules."""
    figure = Figure(figsize=(11, 5.5), layout="constrained")
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=[1.1, 1])[0]
    best = ranking(runs)[:4]
    draw_map(left, axes, runs.validation_accuracy.mean(axis=1), best)

    rates, losses = right.subplots(2, sharex=True)
    steps = np.arange(runs.losses.shape[-1])
    for place, i in enumerate(best, 1):
        label = f"{place}: {grid.label(i)}"
        rates.plot(steps, grid.schedules[i].at(steps), label=label)
        losses.plot(steps, smoothed(runs.losses[i].mean(axis=0), 10))
    rates.set(ylabel="learning rate")
    losses.set(ylabel="training loss (running mean)", xlabel="update", yscale="log")
    right.legend(loc="outside lower center", frameon=False)
    for curve in (rates, losses):
        curve.grid(alpha=0.3)
    figure.savefig(path, dpi=130)


def draw_map(
    figure: FigureBase, axes: dict[str, Any], accuracy: np.ndarray, best: list[int]
) -> None:
    """The errors over both axes, with the places of the best.

    On a logarithmic scale: the good ones differ by a percent, the bad ones by half.
    """
    (rows, row_values), (columns, column_values) = axes.items()
    error = 100 * (1 - accuracy.reshape(len(row_values), len(column_values)))
    error = np.maximum(error, 50 / VALIDATION)  # no error at all is less than one
    map_axes = figure.subplots()
    colors = {"cmap": "viridis_r", "norm": LogNorm(error.min(), error.max())}
    image = map_axes.imshow(error, origin="lower", aspect="auto", **colors)
    map_axes.set_xticks(range(len(column_values)), column_values)
    map_axes.set_yticks(range(len(row_values)), [f"{x:g}" for x in row_values])
    map_axes.set(xlabel=columns, ylabel=rows)
    for place, i in enumerate(best, 1):
        y, x = divmod(i, len(column_values))
        map_axes.text(x, y, str(place), ha="center", va="center", weight="bold")
    label = "validation error in % (mean over seeds)"
    ticks = [0.2, 0.5, 1, 2, 5, 10, 20, 50]
    figure.colorbar(image, label=label, ticks=ticks, format="%g").minorticks_off()


def arguments(argv: list[str] | None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        description="Train a network under every schedule of a grid, all in one "
        "program, print a leaderboard and draw a map."
    )
    numbers = {
        "--steps": (8, STEPS, "updates per run"),
        "--peaks": (1, PEAKS, "values on the axis of peak_value"),
        "--warmups": (1, WARMUPS, "values on the axis of warmup_steps"),
        "--seeds": (1, 2, "runs per schedule"),
        "--best": (1, 10, "rows of the leaderboard"),
        "--batch-size": (1, None, "schedules at a time on a device, to bound memory"),
        "--processes": (1, None, "with --coordinator: number of processes"),
        "--process": (0, None, "with --coordinator: number of this one, from 0"),
    }
    for name, (least, default, text) in numbers.items():
        shown = "all, or found by JAX" if default is None else default
        parser.add_argument(
            name,
            type=whole_number(least),
            default=default,
            metavar="N",
            help=f"{text} (default: {shown})",
        )
    parser.add_argument(
        "--shard", action="store_true", help="divide the grid among all devices"
    )
    parser.add_argument(
        "--coordinator",
        type=address,
        metavar="HOST:PORT",
        help="divide it among several processes, joined at this address of process 0; "
        "'auto' where a cluster's scheduler tells JAX (Slurm, MPI, TPU pods)",
    )
    parser.add_argument(
        "--output",
        type=picture_path,
        default=Path("sweep.png"),
        metavar="PATH",
        help="the picture (default: %(default)s)",
    )
    args = parser.parse_args(argv)
    if args.coordinator is None and (args.processes, args.process) != (None, None):
        parser.error("--processes needs --coordinator, and so does --process")
    if args.coordinator not in (None, "auto") and None in (
        args.processes,
        args.process,
    ):
        parser.error("--coordinator HOST:PORT needs --processes and --process")
    return args


def address(text: str) -> str:
    """The type of --coordinator."""
    if text != "auto" and not re.fullmatch(r".+:\d+", text):
        raise argparse.ArgumentTypeError(f"must be HOST:PORT or auto, got {text!r}")
    return text


def join_processes(
    coordinator: str, processes: int | None, process: int | None
) -> None:
    """Makes this one of several processes with one set of devices."""
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    if coordinator == "auto":
        jax.distributed.initialize()
    else:
        jax.distributed.initialize(coordinator, processes, process)


def main(argv: list[str] | None = None) -> None:
    """Trains, prints the leaderboard and writes the picture."""
    args = arguments(argv)
    if args.coordinator:
        join_processes(args.coordinator, args.processes, args.process)
    devices = jax.devices() if args.shard or args.coordinator else jax.devices()[:1]
    if args.peaks * args.warmups % len(devices):
        raise SystemExit(
            f"sweep_digits: {args.peaks} x {args.warmups} schedules cannot be divided "
            f"among {len(devices)} devices: change --peaks or --warmups"
        )
    axes, grid = make_grid(args.peaks, args.warmups, args.steps)

    begin = time.perf_counter()
    with tqdm(unit="update", disable=jax.process_index() > 0) as progress:
        sweep = compile_sweep(
            grid.schedules,
            steps=args.steps,
            seeds=args.seeds,
            batch_size=args.batch_size,
            devices=devices,
            progress=progress,
        )
        runs = run_sweep(sweep)
    seconds = time.perf_counter() - begin
    print(leaderboard(grid, runs, args.best))
    print(
        f"\n{args.peaks * args.warmups} schedules x {args.seeds} seeds on {len(devices)} "
        f"device{'s' * (len(devices) > 1)} in {seconds:.1f} s, compilation included\n"
        f"peak memory: {peak_memory()}; the program's own buffers: "
        f"{sweep.buffers / MIB:.0f} MiB on each device"
    )
    if jax.process_index() == 0:
        draw(axes, grid, runs, args.output)
        print(f"The map is in {args.output}.")


if __name__ == "__main__":
    main()
