"""Runs of examples/resume.py that are killed go on exactly.

Most of them run in forks of one process that has imported the example but not yet started
JAX: processes of their own, killed as such, but quick to start.
"""

import gc
import importlib
import itertools
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from tqdm import tqdm

import jaxsched as js

TESTS = Path(__file__).parent
EXAMPLES = TESTS.parent / "examples"
STEPS = 120
EVERY = 10
KILLS = 10
PATIENCE = 120  # seconds until a process that says nothing counts as stuck
PLAIN = f"warmup_cosine(0.01, total_steps={STEPS}, warmup_steps=8)"
SCHEDULES = {
    "plain": PLAIN,
    # Windows that do not fit between checkpoints: these find one half full.
    "metric-driven": f"reduce_on_plateau({PLAIN}, factor=0.5, patience=1, window=3)",
}
SETTINGS = ("--steps", str(STEPS), "--every", str(EVERY))


Arrays = dict[str, tuple[np.dtype, tuple[int, ...], bytes]]


class Whole(NamedTuple):
    """A run that nothing disturbed."""

    checkpoints: Path
    final: Arrays


class Run(NamedTuple):
    """A process that runs the example."""

    process: multiprocessing.process.BaseProcess
    updates: Connection  # gives the count of updates after each one, then ends
    log: Path

    def finish(self, status: int = 0) -> str:
        """What it printed, when it has ended by itself."""
        self.process.join(PATIENCE)
        printed = self.log.read_text()
        assert self.process.exitcode == status, printed
        return printed


Launch = Callable[..., Run]


def run_example(argv: list[str], log: Path, updates: Connection, pause: float) -> None:
    """What the new process does; a warning there is an error, as here."""
    gc.freeze()  # what was imported before the fork need not be looked at again
    example = importlib.import_module("resume")
    warnings.simplefilter("error")
    # The lock that it makes for processes would be left behind by one that is killed.
    tqdm.set_lock(threading.RLock())
    train_step = example.train_step

    def told(model, optimizer, data, rows):
        loss = train_step(model, optimizer, data, rows)
        updates.send(int(js.step_count(optimizer)))
        time.sleep(pause)
        return loss

    example.train_step = told
    with log.open("w") as output:
        for inherited in (sys.stdout, sys.stderr):
            os.dup2(output.fileno(), inherited.fileno())
    example.main(argv)


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> Iterator[None]:
    """What new processes find: compiled programs of those before, above all."""
    path = [str(TESTS), str(EXAMPLES), os.environ.get("PYTHONPATH", "")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, path)))
        patch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
        patch.setenv("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
        yield


@pytest.fixture(scope="module")
def launch(environment, tmp_path_factory) -> Launch:
    """Starts the example with a folder and options, and a pause after each update."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["resume", "test_resume"])
    logs = map(tmp_path_factory.mktemp("logs").joinpath, map(str, itertools.count()))

    def launch(folder: Path, *options: str, pause: float = 0.0) -> Run:
        updates, end = context.Pipe(duplex=False)
        argv = ["--folder", str(folder), *options]
        log = next(logs)
        process = context.Process(target=run_example, args=(argv, log, end, pause))
        process.start()
        end.close()
        return Run(process, updates, log)

    return launch


def arrays(path: Path) -> Arrays:
    """All that --final wrote, to the bit."""
    with np.load(path) as final:
        return {k: (x.dtype, x.shape, x.tobytes()) for k, x in final.items()}


@pytest.fixture(scope="module")
def whole(launch, tmp_path_factory) -> dict[str, Whole]:
    """Runs by the kind of schedule, without checkpoints but that at the end."""
    runs = {}
    for kind, schedule in SCHEDULES.items():
        folder = tmp_path_factory.mktemp("whole")
        final = folder / "final.npz"
        options = ("--steps", str(STEPS), "--every", str(STEPS), "--final", str(final))
        launch(folder / "checkpoints", "--schedule", schedule, *options).finish()
        runs[kind] = Whole(folder / "checkpoints", arrays(final))
    return runs


def unfinished(folder: Path) -> list[Path]:
    """Checkpoints that are being written, or never will be."""
    return list(folder.glob("*.orbax-checkpoint-tmp*"))


def next_update(run: Run) -> int | None:
    """The count of updates after the next one; None where the run ended before."""
    assert run.updates.poll(PATIENCE), "the run is stuck"
    try:
        return run.updates.recv()
    except EOFError:
        return None


def wait_for_save(run: Run, folder: Path, *, begin: bool) -> None:
    """Returns when a checkpoint begins to be written, or ends, or the run does."""
    while run.process.is_alive() and bool(unfinished(folder)) is not begin:
        time.sleep(0.002)


def kill_somewhere(run: Run, folder: Path, random: np.random.Generator) -> int | None:
    """Kills in the training; the count of updates there, None if the run had ended."""
    made = None
    # Not before the first update: a program in JAX's cache may be left half written.
    for _ in range(random.integers(1, 25)):
        made = next_update(run)
        if made is None:
            return None
    wait_for_save(run, folder, begin=random.random() < 0.6)
    time.sleep(random.uniform(0, 0.02))
    run.process.kill()
    run.process.join(PATIENCE)
    if run.process.exitcode == 0:
        return None
    assert run.process.exitcode == -9, run.log.read_text()
    while (later := next_update(run)) is not None:
        made = later
    return made


@pytest.mark.slow
@pytest.mark.parametrize("kind", SCHEDULES)
def test_a_run_killed_again_and_again_ends_on_the_same_bits(
    kind, launch, whole, tmp_path
):
    """Killed between checkpoints and during them, then left to end."""
    random = np.random.default_rng(list(kind.encode()))
    options = ("--schedule", SCHEDULES[kind], *SETTINGS)
    final = tmp_path / "final.npz"
    killed_at, cut_off = [], 0
    # A run may end before it could be killed often enough; then comes another.
    for attempt in itertools.count():
        folder = tmp_path / f"checkpoints{attempt}"
        while True:
            # Without a pause there would hardly be a moment without a save.
            run = launch(folder, *options, "--final", str(final), pause=0.005)
            made = None
            if len(killed_at) < KILLS:
                made = kill_somewhere(run, folder, random)
            if made is None:
                run.finish()
                break
            killed_at.append(made)
            cut_off += bool(unfinished(folder))
        assert arrays(final) == whole[kind].final
        final.unlink()
        if len(killed_at) >= KILLS:
            break
    assert len(set(killed_at)) > KILLS / 3, killed_at
    assert cut_off >= 1


def test_there_is_a_metric_driven_state_to_save(whole):
    """Its schedule has reacted to the loss."""
    name = "optimizer/opt_state/schedule_state/memory/multiplier/value"
    dtype, _, multiplier = whole["metric-driven"].final[name]
    assert np.frombuffer(multiplier, dtype) < 1


@pytest.mark.slow
def test_the_command_line_goes_on_after_a_kill(environment, whole, tmp_path):
    """As a user does it: killed, started again with the same command."""
    command = [sys.executable, str(EXAMPLES / "resume.py"), *SETTINGS]
    command += ["--schedule", PLAIN, "--final", "final.npz"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as first:
        while (
            first.poll() is None
            and not (tmp_path / "checkpoints" / str(EVERY)).exists()
        ):
            time.sleep(0.005)
        first.kill()
    assert first.returncode == -9
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    [made] = re.findall(rf"^resumes after update (\d+) of {STEPS}", done.stdout, re.M)
    assert 0 < int(made) < STEPS
    assert "test accuracy" in done.stdout
    assert "training: 100%" in done.stderr
    assert arrays(tmp_path / "final.npz") == whole["plain"].final


@pytest.mark.slow
def test_a_half_written_checkpoint_is_never_loaded(launch, whole, tmp_path):
    """What killed saves leave, however much they wrote, and killed deletions too."""
    folder, final = tmp_path / "checkpoints", tmp_path / "final.npz"
    launch(folder, "--schedule", PLAIN, "--every", "5", "--steps", "10").finish()
    suffix = ".orbax-checkpoint-tmp"
    # Of one save only the new name is missing, of others more.
    shutil.copytree(folder / "10", folder / f"15{suffix}")
    shutil.copytree(folder / "10", folder / f"20{suffix}")
    shutil.rmtree(folder / f"20{suffix}" / "default" / "d")
    (folder / f"25{suffix}").mkdir()
    # The older checkpoint was being deleted.
    shutil.rmtree(folder / "5" / "default")
    (folder / "5" / "_CHECKPOINT_METADATA").unlink()

    options = ("--schedule", PLAIN, "--steps", str(STEPS), "--final", str(final))
    run = launch(folder, *options)
    assert f"resumes after update 10 of {STEPS}" in run.finish()
    assert not unfinished(folder)
    assert arrays(final) == whole["plain"].final


@pytest.fixture(scope="module")
def ten_updates(launch, tmp_path_factory) -> Path:
    """The checkpoints of a run of ten updates at a constant rate."""
    folder = tmp_path_factory.mktemp("ten")
    launch(folder, "--schedule", "constant(0.01)", "--steps", "10").finish()
    return folder


@pytest.mark.slow
def test_a_changed_schedule_is_shown_and_goes_on(launch, ten_updates, tmp_path):
    """From the old one's checkpoint, at the new one's rate; and a finished run stays."""
    folder = shutil.copytree(ten_updates, tmp_path / "checkpoints")
    final = tmp_path / "final.npz"
    new = "cosine(0.01, 0.0, steps=20)"
    options = ("--schedule", new, "--steps", "15", "--final", str(final))
    printed = launch(folder, *options).finish()
    assert "the schedule was constant(value=0.01)" in printed
    assert "and is now cosine(init_value=0.01, end_value=0.0, steps=20)" in printed
    assert "their values differ in steps 1 to 19\n" in printed
    assert "at step 10 it jumps from 0.01 to 0.005, 1/2 of it\n" in printed
    with np.load(final) as state:
        rate = state["optimizer/opt_state/last_learning_rate/value"]
        np.testing.assert_allclose(rate, js.parse(new).at(14), rtol=1e-6)
        assert state["optimizer/step/value"] == 15

    before = arrays(final)
    again = launch(folder, *options).finish()
    assert "the schedule was" not in again
    assert "resumes after update 15 of 15" in again
    assert arrays(final) == before


def test_a_changed_metric_driven_schedule_keeps_its_state(launch, whole, tmp_path):
    """What it drives is compared, and its own numbers may change too."""
    final = tmp_path / "final.npz"
    new = "reduce_on_plateau(constant(0.02), factor=0.3, patience=3)"
    options = ("--schedule", new, "--steps", str(STEPS), "--final", str(final))
    printed = launch(whole["metric-driven"].checkpoints, *options).finish()
    assert (
        "is now reduce_on_plateau(schedule=constant(value=0.02), factor=0.3" in printed
    )
    assert "of what they drive:\nthe schedule: " in printed
    assert f"at step {STEPS} it jumps from 0 to 0.02\n" in printed
    assert arrays(final) == whole["metric-driven"].final


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--seed", "1"), "these checkpoints are of a run with --seed 0"),
        (("--steps", "9"), "the last checkpoint is after update 10, beyond --steps 9"),
        (
            ("--schedule", "greedy(0.01)"),
            "another kind of schedule, constant(value=0.01)",
        ),
    ],
)
def test_checkpoints_of_another_run_are_refused(options, message, launch, ten_updates):
    """Rather than gone on from, or overwritten."""
    schedule = "constant(0.01)"
    command = ("--schedule", schedule, "--steps", "20", *options)
    log = launch(ten_updates, *command).finish(status=1)
    assert message in log
    assert "Traceback" not in log


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--schedule", "cosine(1, 0, steps=-5)", "steps must be >= 0, got steps=-5"),
        ("--schedule", "0.01", "a schedule is a call"),
        ("--steps", "0", "must be a whole number from 1"),
        ("--every", "0", "must be a whole number from 1"),
        ("--seed", "-1", "must be a whole number from 0"),
        ("--folder", __file__, "is not a folder"),
        ("--final", "final.txt", "must end in .npz"),
        ("--final", "nowhere/final.npz", "there is no folder 'nowhere'"),
    ],
)
def test_bad_values_are_refused(option, value, message, launch, tmp_path):
    """Before any training, and before a folder is made."""
    log = launch(tmp_path / "checkpoints", option, value).finish(status=2)
    assert f"argument {option}: " in log
    assert message in log
    assert not (tmp_path / "checkpoints").exists()
