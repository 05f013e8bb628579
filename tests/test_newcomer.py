"""A newcomer's path: a fresh environment, and only what the pages say."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jax
import pytest

ROOT = Path(__file__).parents[1]
# From the installation to a trained model, a logged rate, a run that is saved and goes
# on, and a sweep.
PATH = ["get_started", "log_the_rate", "checkpoints", "extend_and_resume", "grids"]


@pytest.mark.slow
@pytest.mark.skipif(jax.config.jax_enable_x64, reason="pages show float32")
def test_the_pages_are_all_one_needs(tmp_path):
    """Installs as Get started says, then types what the pages show, far from here."""
    copy = tmp_path / "jaxsched"
    parts = ["jaxsched", "examples", "pyproject.toml", "README.md", "LICENSE"]
    copy.mkdir()
    for part in parts:
        whole = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        whole(ROOT / part, copy / part)
    # What this process tells JAX is not what a newcomer does.
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("JAX", "PYTHON"))}

    def run(*command, cwd):
        done = subprocess.run(
            command, cwd=cwd, env=clean, capture_output=True, text=True
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]

    page = (ROOT / "docs" / "get_started.md").read_text("utf-8")
    (install,) = re.findall(r"^```sh\npip install (.+)\n```$", page, re.M)
    run(sys.executable, "-m", "venv", str(tmp_path / "fresh"), cwd=tmp_path)
    python = str(tmp_path / "fresh" / "bin" / "python")
    run(python, "-m", "pip", "install", "-q", install.strip('"'), cwd=copy)
    typed = [python, "-m", "doctest", "-o", "NORMALIZE_WHITESPACE", "-o", "ELLIPSIS"]
    for name in PATH:
        run(*typed, str(ROOT / "docs" / f"{name}.md"), cwd=tmp_path)
