"""The package as it is installed and imported."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml

import jaxsched as js
from jaxsched.schedule import schedules

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"

# Not public: `as_schedule` makes the one from a callable, `compat.torch` the other.
INTERNAL = {"call", "compounded"}

LOOK = """
import json, sys
import jaxsched
from jax._src import xla_bridge
started = getattr(xla_bridge, "backends_are_initialized", lambda: False)()
print(json.dumps({"modules": list(sys.modules), "started": started}))
"""


def package_constructors() -> dict[str, Callable[..., Any]]:
    """The constructors and recipes of the package, without those that tests made."""
    rules = {name: schedules.get(name) for name in schedules}
    return {
        name: rule.constructor
        for name, rule in rules.items()
        if rule is not None and str(rule.function.__module__).startswith("jaxsched.")
    }


@pytest.fixture(scope="module")
def fresh_import() -> dict[str, Any]:
    """What a new interpreter holds after `import jaxsched`."""
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", ["optax", "flax", "chex", "click", "matplotlib"])
def test_import_leaves_other_packages_alone(name, fresh_import):
    """Schedules work with these, but do not need them."""
    assert "jaxsched" in fresh_import["modules"]
    assert name not in fresh_import["modules"]


def test_import_does_not_start_a_backend(fresh_import):
    """Whoever imports must still be able to choose a platform."""
    assert not fresh_import["started"]


def test_package_is_marked_as_typed():
    """Without the marker, type checkers ignore the annotations."""
    assert (resources.files("jaxsched") / "py.typed").is_file()


def test_version_is_that_of_pyproject():
    """The version is written down twice."""
    project = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]
    assert js.__version__ == project["version"]


def test_public_names_exist_once():
    """The public list has no typing errors."""
    assert len(set(js.__all__)) == len(js.__all__)
    assert [name for name in js.__all__ if not hasattr(js, name)] == []


def test_every_constructor_is_public():
    """What `parse` reads, `from jaxsched import *` gives."""
    made = package_constructors()
    assert made.keys() - INTERNAL <= set(js.__all__)
    assert not INTERNAL & set(js.__all__)
    for name in made.keys() - INTERNAL:
        assert getattr(js, name) is made[name]


def test_workflows_cover_what_is_supported():
    """Every Python version that the package claims, on the oldest and the newest JAX."""
    workflow = PYPROJECT.parent / ".github" / "workflows" / "tests.yml"
    matrix = yaml.safe_load(workflow.read_text("utf-8"))["jobs"]["suite"]["strategy"]
    project = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]
    claimed = [c.split(" :: ")[-1] for c in project["classifiers"] if ":: 3." in c]
    assert matrix["matrix"] == {"python": claimed, "jax": ["oldest", "newest"]}


def test_readme_says_what_is_run():
    """The Python versions that pyproject.toml claims, and the oldest JAX."""
    project = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]
    claimed = [c.split(" :: ")[-1] for c in project["classifiers"] if ":: 3." in c]
    floors = dict(need.split(">=") for need in project["dependencies"])
    said = f"on Python {claimed[-1]} with the newest JAX .* on Python {claimed[0]} "
    said += f"with JAX {floors['jax']}."
    assert re.search(said, PYPROJECT.with_name("README.md").read_text("utf-8"))


def test_oldest_releases_are_the_floors():
    """What `.ci/oldest.txt` pins is what pyproject.toml says is enough."""
    pins = (PYPROJECT.parent / ".ci" / "oldest.txt").read_text("utf-8")
    pinned = set(re.findall(r"^([\w-]+)==([\w.]+)$", pins, re.M))
    project = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]
    needs = " ".join(project["dependencies"])
    floors = set(re.findall(r"([\w-]+)>=([\w.]+)", needs))
    assert floors <= pinned
