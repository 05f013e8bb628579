"""The package as it is installed and imported."""

import importlib
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

# Not public: `as_schedule` makes the one from a callable, `compat.torch` the next,
# operators the others.
INTERNAL = {"call", "compounded", *js.Schedule.operators}

LOOK = """
import json, sys
import jaxsched
from jax._src import xla_bridge
started = getattr(xla_bridge, "backends_are_initialized", lambda: False)()
print(json.dumps({"modules": list(sys.modules), "started": started}))
"""


def package_constructors() -> dict[str, Callable[..., Any]]:
    """The constructors and recipes of the package, without those that tests made."""
    return {rule.name: rule.constructor for rule in schedules.rules() if rule.is_own}


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


UNKNOWN = {
    "warmup_cosine_decay_schedule": "there is jaxsched.compat.optax."
    "warmup_cosine_decay_schedule; the nearest are warmup_cosine, cosine, warmup",
    "cosine_decay": "the nearest are cosine, step_decay, cosine_restarts",
    "StepLR": "there is jaxsched.compat.torch.StepLR; ",
    "CosineDecayRestarts": "there is jaxsched.compat.keras.CosineDecayRestarts; the "
    "nearest are cosine_restarts, cosine",
    "get_scheduler": "there is jaxsched.compat.transformers.get_scheduler",
    "TanhLRScheduler": "there is jaxsched.compat.timm.TanhLRScheduler; ",
    "linear_warmup": "the nearest are warmup_linear, ",
    "Linear": "the nearest is linear",
    "exponential_decy": "exponential_decay",
}


@pytest.mark.parametrize(("name", "hint"), UNKNOWN.items())
@pytest.mark.usefixtures("only_package_rules")
def test_unknown_names_lead_to_known_ones(name, hint):
    """The nearest of ours, and peers' names to where they are."""
    assert not hasattr(js, name)
    with pytest.raises(AttributeError) as caught:
        getattr(js, name)
    text = str(caught.value)
    assert text.startswith(f"module 'jaxsched' has no attribute '{name}'; ")
    assert hint in text


def test_hints_are_names_that_exist():
    """Every peer's name is found in its module, and nothing far-fetched is named."""
    for peer in ("optax", "torch", "transformers", "keras", "timm"):
        module = importlib.import_module(f"jaxsched.compat.{peer}")
        for name in set(module.__all__) - set(js.__all__):
            with pytest.raises(AttributeError, match=rf"compat\.{peer}\.{name}\b"):
                getattr(js, name)
    for name in ("zzz", "__wrapped__", "_values"):
        with pytest.raises(AttributeError, match=f"no attribute '{name}'$"):
            getattr(js, name)


ASK = """
import sys
import jaxsched as js
before = set(sys.modules)
assert not hasattr(js, "StepLR")
assert set(sys.modules) - before == {"jaxsched.unknown"}, set(sys.modules) - before
try:
    js.compat
except AttributeError as error:
    assert "it is a module: import jaxsched.compat" in str(error), error
import jaxsched.compat.optax
js.compat.optax.linear_schedule
"""


def test_asking_for_a_name_has_no_effect():
    """No module is imported for it, and each can be imported afterwards."""
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_importing_an_unknown_name_fails_as_usual():
    """With the error of Python."""
    with pytest.raises(ImportError, match="cannot import name 'nothing'"):
        from jaxsched import nothing  # type: ignore[attr-defined]  # noqa: F401


def test_every_constructor_is_public():
    """What `parse` reads, `from jaxsched import *` gives."""
    made = package_constructors()
    rooms = {
        name: room for room in (js.published, js.planning, js) for name in room.__all__
    }
    assert made.keys() - INTERNAL <= rooms.keys()
    assert not INTERNAL & rooms.keys()
    for name in made.keys() - INTERNAL:
        assert getattr(rooms[name], name) is made[name]


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
