"""Schedules on meshes with explicit axes, as on those with automatic ones."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import pytest

FILE = Path(__file__).with_name("on_explicit_axes.py")
able = hasattr(jax.sharding, "auto_axes") and hasattr(jax, "shard_map")


@pytest.mark.slow
@pytest.mark.skipif(not able, reason="this JAX evaluates nothing with explicit axes")
@pytest.mark.parametrize(("devices", "every"), [(4, 2), (8, 9)])
def test_explicit_axes_are_as_good_as_automatic_ones(devices: int, every: int):
    """Of half the kinds and users' rules, with and without a mesh that is set."""
    command = [sys.executable, str(FILE), str(devices), str(every)]
    environment = {**os.environ, "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.stdout == "passed\n", done.stdout + done.stderr
