"""The sweep over the digits: on one device, on eight, and over two processes."""

import importlib
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import jax
import numpy as np
import optax
import pytest
from flax import nnx

import jaxsched as js

EXAMPLES = Path(__file__).parents[1] / "examples"
SMALL = ["--steps", "8", "--peaks", "2", "--warmups", "2"]

# A child has one device if it asks for no more.
ENVIRONMENT = {**os.environ, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": ""}


@pytest.fixture
def sweep_digits(monkeypatch) -> ModuleType:
    monkeypatch.syspath_prepend(EXAMPLES)
    return importlib.import_module("sweep_digits")


@pytest.fixture(autouse=True)
def standard_promotion():
    """Optax mixes float and int32 in Adam's bias correction."""
    with jax.numpy_dtype_promotion("standard"):
        yield


def leaderboard(out: str) -> list[str]:
    """The rows of the leaderboard in what the example has printed."""
    row = r"^ +\d+ +\d+\.\d\d% +\d+\.\d\d%  peak_value=\S+, warmup_steps=\d+$"
    return re.findall(row, out, re.M)


def test_each_run_is_a_run_of_its_own(sweep_digits):
    """As Flax and Optax train it alone, under Optax's own schedule."""
    steps, peak, warmup = 12, 0.03, 4
    grid = js.grid(
        js.warmup_cosine, [peak][0], init_value=0.0, total_steps=12, warmup_steps=[2, 4]
    )
    sweep = sweep_digits.compile_sweep(grid.schedules, steps=steps, seeds=2)
    runs = sweep_digits.run_sweep(sweep)
    assert runs.losses.shape == (2, 2, steps)

    seed = 1
    train_data, test_data = sweep_digits.load_data()
    rates = optax.warmup_cosine_decay_schedule(0.0, peak, warmup, steps)
    model = sweep_digits.MLP(nnx.Rngs(seed))
    optimizer = nnx.Optimizer(model, optax.adam(rates), wrt=nnx.Param)
    size = len(train_data.labels) - sweep_digits.VALIDATION
    rows = sweep_digits.batches(size, sweep_digits.BATCH_SIZE, steps, seed)

    @nnx.jit
    def train_step(model: Any, optimizer: Any, data: Any) -> jax.Array:
        loss_and_accuracy = nnx.value_and_grad(
            sweep_digits.loss_and_accuracy, has_aux=True
        )
        (loss, _), gradients = loss_and_accuracy(model, data)
        optimizer.update(model, gradients)
        return loss

    for loss, some in zip(runs.losses[1, seed], rows, strict=True):
        alone = train_step(model, optimizer, train_data.take(some))
        assert float(alone) == pytest.approx(float(loss), rel=1e-3)
    rest = train_data.take(np.arange(size, len(train_data.labels)))
    for data, accuracy in (
        (rest, runs.validation_accuracy),
        (test_data, runs.test_accuracy),
    ):
        _, alone = sweep_digits.loss_and_accuracy(model, data)
        # One image near the border between two digits may fall on either side.
        assert float(alone) == pytest.approx(
            float(accuracy[1, seed]), abs=1.01 / len(data.labels)
        )


def test_slices_need_less_memory_and_find_the_same(sweep_digits):
    _, grid = sweep_digits.make_grid(4, 3, steps=8)
    whole, slices = (
        sweep_digits.compile_sweep(grid.schedules, steps=8, seeds=1, batch_size=size)
        for size in (None, 5)
    )
    assert slices.buffers < 0.6 * whole.buffers
    for one, other in zip(*map(sweep_digits.run_sweep, (whole, slices)), strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=0.007)


def test_ranking_is_by_accuracy_then_loss(sweep_digits):
    losses = np.full((4, 1, 30), 1.0)
    losses[1], losses[2], losses[3] = 0.5, np.nan, 2.0
    accuracy = np.array([[0.8], [0.8], [0.8], [0.9]])
    runs = sweep_digits.Run(losses, accuracy, accuracy)
    assert sweep_digits.ranking(runs) == [3, 1, 0, 2]
    _, grid = sweep_digits.make_grid(1, 4, steps=8)
    rows = leaderboard(sweep_digits.leaderboard(grid, runs, best=3))
    assert [row.split()[-1] for row in rows] == [
        f"warmup_steps={grid.settings['warmup_steps'][i]}" for i in (3, 1, 0)
    ]


def test_progress_and_picture(sweep_digits, tmp_path, capfd):
    picture = tmp_path / "map.png"
    sweep_digits.main([*SMALL, "--batch-size", "2", "--output", str(picture)])
    out, err = capfd.readouterr()
    assert len(leaderboard(out)) == 4
    assert "4 schedules x 2 seeds on 1 device in" in out
    assert re.search(r"peak memory: [1-9]\d* MiB", out)
    # Two slices of eight updates.
    assert "16/16" in err
    assert picture.stat().st_size > 10_000


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--batch-size", "0"], "must be a whole number from 1"),
        (["--steps", "many"], "must be a whole number from 8"),
        (["--output", "map.txt"], "must end in one of"),
        (["--processes", "2"], "--processes needs --coordinator"),
        (["--coordinator", "localhost"], "must be HOST:PORT or auto"),
        (["--coordinator", "localhost:1"], "needs --processes and --process"),
    ],
)
def test_bad_arguments_are_refused(sweep_digits, argv, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        sweep_digits.main(argv)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_a_grid_that_does_not_divide_is_refused(sweep_digits):
    _, grid = sweep_digits.make_grid(3, 1, steps=8)
    with pytest.raises(ValueError, match="got 3 schedules and 2 devices"):
        sweep_digits.compile_sweep(
            grid.schedules, steps=8, seeds=1, devices=jax.devices() * 2
        )


def test_a_grid_that_does_not_divide_is_refused_before_it_is_made(
    sweep_digits, monkeypatch
):
    monkeypatch.setattr(jax, "devices", lambda: [None, None])
    with pytest.raises(SystemExit, match="3 x 1 schedules cannot be divided among 2"):
        sweep_digits.main(["--shard", "--peaks", "3", "--warmups", "1"])


def finished(process: subprocess.Popen[str]) -> str:
    """What a process prints, once it has ended well."""
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return out


def start(*command: Any, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *map(str, command)],
        env=ENVIRONMENT | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_eight_devices():
    flags = "--xla_force_host_platform_device_count=8"
    process = start(Path(__file__).with_name("devices.py"), XLA_FLAGS=flags)
    assert finished(process).endswith("checked on 8 devices\n")


@pytest.mark.slow
def test_two_processes_print_the_same_leaderboard(tmp_path):
    """Joined on the loopback address, each with a device of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    script, pictures = (
        EXAMPLES / "sweep_digits.py",
        [tmp_path / f"{i}.png" for i in range(2)],
    )
    joined = ["--coordinator", address, "--processes", 2]
    processes = [
        start(script, *SMALL, *joined, "--process", i, "--output", pictures[i])
        for i in range(2)
    ]
    first, second = [finished(process) for process in processes]
    assert "on 2 devices" in first
    assert len(leaderboard(first)) == 4
    assert leaderboard(first) == leaderboard(second)
    assert [picture.exists() for picture in pictures] == [True, False]
