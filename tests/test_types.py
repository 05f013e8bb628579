"""Types, as a type checker and an editor see them."""

import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import jaxsched as js

# Each line with a comment is one that the checker has something to say about: "error", or
# the type that it reveals. (For a checker True is an integer; a call refuses it.)
MODULE = '''
import jax
import jax.numpy as jnp
import numpy as np
import optax

import jaxsched as js
from jaxsched.compat import torch


@js.schedule
def damped(step: jax.Array, schedule: js.ScheduleLike, share: js.Value):
    """A part of a schedule."""
    return share * schedule(step)


@js.schedule
def tail(step, value: js.Value, steps: js.Steps, boundaries: js.Boundaries):
    elapsed, remaining = js.progress(step, steps)
    return value * remaining / (1 + len(boundaries) * elapsed)


s = js.linear(1.0, 0.0, steps=10)
js.linear(jnp.float32(1.0), np.float32(0.0), steps=np.int64(10))
damped(s, 0.5)
damped(lambda step: 1.0 / (1 + step), share=0.5)
tail(1.0, 10, boundaries=[1, 2])
tail(1.0, 10, np.arange(3))
js.multistep(0.1, boundaries=range(10, 100, 10), factor=0.5)
optax.adamw(s)
torch.CyclicLR.momentum(0.1, 0.1, max_lr=1.0)
optax.sgd(learning_rate=0.5 * damped(s, 0.5))

js.linear(1j, 0.0, steps=10)  # error
js.linear(np.complex64(1), 0.0, steps=10)  # error
js.linear("1.0", 0.0, steps=10)  # error
js.linear(np.bool_(True), 0.0, steps=10)  # error
torch.StepLR(1j, step_size=30)  # error
torch.CyclicLR(0.1, 0.1, max_lr="1.0")  # error
js.linear(1.0, 0.0, steps=None)  # error
js.linear(1.0, 0.0, length=10)  # error
js.multistep(0.1, boundaries=10, factor=0.5)  # error
damped(s, "half")  # error
s("5")  # error
s.at(1j)  # error

reveal_type(s)  # Schedule
reveal_type(damped(s, 0.5))  # Schedule
reveal_type(s(5))  # Array
reveal_type(s.at(5))  # float
reveal_type(s.at(2.5))  # float
reveal_type(s.at(np.int32(3)))  # float
reveal_type(s.at(np.float32(3)))  # float
reveal_type(s.at(np.arange(3)))  # ndarray
reveal_type(s.at(jnp.arange(3)))  # ndarray
reveal_type(2 * s + s / 3)  # Schedule
reveal_type(s.replace(steps=5))  # Schedule
reveal_type(js.wsd(1.0, 100, 10, 20))  # Schedule
reveal_type(js.parse("linear(1, 0, 10)"))  # Schedule | MetricDriven
reveal_type(js.from_dict(js.to_dict(s)))  # Schedule | MetricDriven
reveal_type(js.grid(js.linear, [1.0, 2.0], 0.0, steps=10))  # Grid[Schedule]
reveal_type(js.grid(js.linear, [1.0, 2.0], 0.0, steps=10).schedules)  # Schedule
reveal_type(js.grid(js.reduce_on_plateau, factor=[0.1, 0.5]))  # Grid[MetricDriven]
reveal_type(js.random_grid(js.linear, jax.random.key(0), 4))  # Grid[Schedule]
reveal_type(js.stack([s, s]))  # Schedule
reveal_type(js.unstack(js.stack([s, s])))  # list[Schedule]
'''


def test_a_user_is_told_of_mistakes_and_of_nothing_else(tmp_path):
    """Numbers are numbers, and what comes out has a type."""
    checker = Path(sys.executable).with_name("pyright")
    if not checker.exists():
        pytest.skip("pyright is not installed")
    file = tmp_path / "module.py"
    file.write_text(MODULE, "utf-8")
    (tmp_path / "pyrightconfig.json").write_text(
        json.dumps({"extraPaths": [str(Path(js.__file__).parents[1])]}), "utf-8"
    )
    command = [str(checker), "--outputjson", "--pythonpath", sys.executable, str(file)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout, done.stderr
    said = {}
    for found in json.loads(done.stdout)["generalDiagnostics"]:
        revealed = re.search('^Type of ".*" is "(.*)"$', found["message"], re.S)
        line = found["range"]["start"]["line"]
        kind = revealed.group(1) if revealed else found["severity"]
        said[line] = re.sub(
            r"^ndarray\[.*\]$", "ndarray", kind
        )  # NumPy's versions differ
    expected = {
        i: line.partition("  # ")[2]
        for i, line in enumerate(MODULE.splitlines())
        if "  # " in line
    }
    assert said == expected, done.stdout


PUBLIC = [name for name in js.__all__ if hasattr(getattr(js, name), "__rule__")]


@pytest.mark.parametrize("name", PUBLIC)
def test_signatures_can_be_read(name):
    """They say in a word what each argument is, and what comes out."""
    signature = inspect.signature(getattr(js, name))
    assert signature.return_annotation in (js.Schedule, js.MetricDriven, js.Shape)
    assert not re.search("Annotated|object at 0x|jaxsched\\.domains", str(signature))


def test_signature_of_wsd():
    """What `help` shows."""
    assert inspect.signature(js.cosine).return_annotation is js.Schedule
    shown = str(inspect.signature(js.wsd))
    assert shown.startswith("(peak_value: number, total_steps: steps, warmup_steps: ")
