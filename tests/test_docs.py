"""The documentation: complete, in one form, and true."""

import collections
import doctest
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
import typing
from pathlib import Path
from typing import Annotated, Any

import jax
import numpy as np
import pytest
from cases import CASES

import jaxsched as js
from jaxsched import transitions

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"

# The parts of a schedule's docstring, in their order.
PARTS = [
    "Use it when ",
    "Formula",
    "Args:",
    "Returns:",
    "Raises:",
    "Example:",
    "Reference:",
]
# Where there is more to say than holds for all.
RARE_PARTS = ["Returns:", "Raises:"]

# Their examples show the operator instead of the name.
OPERATORS = {"add", "subtract", "multiply", "divide", "negative"}

# One word, one meaning: every hyperparameter there is. A schedule that needs another
# word adds it here; one that needs another meaning takes another word.
GLOSSARY = {
    # values
    "value": "the value",
    "values": "the values at or between boundaries",
    "init_value": "the value at step 0",
    "peak_value": "the value that is highest, after a ramp or at the start of a cycle",
    "end_value": "the value at the end of a bounded move",
    "min_value": "a bound from below",
    "max_value": "a bound from above",
    # time
    "steps": "the length of this part, or the period of a rate or of a cycle",
    "warmup_steps": "the length of the ramp",
    "decay_steps": "the length of the decay, or the period of its factor",
    "up_steps": "the length of the way up",
    "down_steps": "the length of the way down",
    "total_steps": "the length of the whole run",
    "boundaries": "the steps at which something else begins",
    "begin": "the first step of a part",
    "every": "the length of a stair, or of an epoch",
    "timescale": "steps in which a decay falls by its first characteristic factor",
    "limit": "the number of cycles after which it holds",
    "phases": "the number of parts of a one-cycle run",
    "clock": "a map from steps to another time",
    # factors, exponents, curves
    "factor": "multiplies a value, a length or a height, once per period",
    "factors": "one factor for each boundary",
    "step_factor": "a factor once per step",
    "length_factor": "a factor on the length, once per cycle",
    "peak_factor": "a factor on the peak, once per cycle",
    "value_factor": "a factor on all values, once per cycle",
    "rate": "the constant of a decay, per step or per `steps`",
    "scale": "the size of a multiplier that is not a value",
    "power": "an exponent of the curve",
    "time_power": "an exponent of time, the k of k-decay",
    "shape": "the curve of a bounded move",
    "model_size": "the width of a Transformer",
    # schedules
    "schedule": "the schedule inside",
    "schedules": "the schedules inside",
    "index": "which of the schedules inside",
    "first": "the left operand",
    "second": "the right operand",
    # switches
    "staircase": "whether to move in jumps",
    "overlap": "whether the schedule's clock runs during the ramp",
    "freeze": "whether the schedule stops where the cool-down begins",
    # metrics
    "mode": "whether a metric is to fall or to rise",
    "threshold": "how much better is better, or how far off is a spike",
    "threshold_mode": "what the threshold is a part of",
    "patience": "how many judgements in a row change nothing",
    "window": "how many metrics a judgement looks at",
    "cooldown": "judgements without effect after a reduction",
    "warmup": "judgements without effect after a rise",
    "target": "the metric to keep near to",
    "band": "how many times the target is too much, and which part of it too little",
    "reset_after": "judgements at the floor after which everything begins anew",
    "hold_steps": "the length of the part at a lower rate",
    "recover_steps": "the length of the way back",
    # noise
    "seed": "what the random numbers are made from",
    "distribution": "what the random numbers are drawn from",
    "bound": "the largest random number",
}

# Rarely given: by name, everywhere.
BY_NAME = """
power time_power shape factors step_factor length_factor value_factor peak_factor limit
phases staircase overlap freeze distribution bound threshold threshold_mode mode window
reset_after band hold_steps recover_steps
"""

FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS

needs_float32 = pytest.mark.skipif(
    jax.config.jax_enable_x64, reason="examples show numbers in float32"
)


def is_alias(name: str) -> bool:
    """Whether a public name is a type alias, which cannot have a docstring."""
    return typing.get_origin(getattr(js, name)) is Annotated


def is_schedule(name: str) -> bool:
    """Whether a public name is a constructor of schedules or a recipe."""
    return makes(name) is js.Schedule


def makes(name: str) -> type | None:
    """What a public constructor makes."""
    made = getattr(js, name)
    is_constructor = hasattr(made, "__rule__")
    return inspect.signature(made).return_annotation if is_constructor else None


DOCUMENTED = [name for name in js.__all__ if not is_alias(name)]
SCHEDULES = [name for name in js.__all__ if is_schedule(name)]
DRIVEN = [name for name in js.__all__ if makes(name) is js.MetricDriven]
CONSTRUCTORS = [*SCHEDULES, *DRIVEN]


def parameters(name: str) -> list[str]:
    """The hyperparameters of a public constructor."""
    return list(inspect.signature(getattr(js, name)).parameters)


def sections(name: str) -> dict[str, str]:
    """The docstring of a public name, cut at the first word of each of its parts."""
    heads = "|".join(PARTS)
    text = inspect.getdoc(getattr(js, name)) or ""
    _, *cut = re.split(rf"^({heads})", text, flags=re.M)
    return dict(zip(cut[::2], cut[1::2], strict=True))


@pytest.mark.parametrize("name", DOCUMENTED)
def test_public_names_have_a_docstring(name):
    """One of its own, which begins with a line that says it all."""
    thing = getattr(js, name)
    doc = vars(thing)["__doc__"] if inspect.isclass(thing) else thing.__doc__
    assert re.match(r"\S.*\.\n", f"{doc}\n")


@pytest.mark.parametrize("name", CONSTRUCTORS)
def test_docstrings_have_all_parts_in_order(name):
    """A reader finds the same thing in the same place."""
    found = sections(name)
    assert list(found) == [p for p in PARTS if p in found or p not in RARE_PARTS]
    assert all(len(part.strip()) > 10 for part in sections(name).values())
    assert f"js.{name}(" in sections(name)["Example:"]


@pytest.mark.parametrize("name", CONSTRUCTORS)
def test_docstrings_explain_exactly_the_parameters(name):
    """An argument that is renamed is renamed everywhere."""
    explained = re.findall(r"^  (\w+): ", sections(name)["Args:"], re.M)
    assert explained == parameters(name)


def test_docstrings_do_not_repeat_what_all_could_say():
    """A line that stands in many tells nobody anything. Arguments may be alike."""
    lines = [
        {
            line.strip()
            for line in (inspect.getdoc(getattr(js, name)) or "").splitlines()
        }
        for name in DOCUMENTED
    ]
    counts = collections.Counter(line for found in lines for line in found)
    heads = {"", *PARTS, "Attributes:"}
    argument = re.compile(r"\w+: |>>> |\.\.\. |[\w.()\[\], -]+$")
    often = {x: n for x, n in counts.items() if n > 5 and x not in heads}
    assert {x: n for x, n in often.items() if not argument.match(x)} == {}
    assert [x for x in often if re.match(r"\w+Error: ", x)] == []


def test_every_parameter_is_in_the_glossary():
    """A new word is a decision."""
    used = {word for name in CONSTRUCTORS for word in parameters(name)}
    assert used == GLOSSARY.keys()


@pytest.mark.parametrize("name", CONSTRUCTORS)
def test_what_is_rarely_given_is_given_by_name(name):
    """A call is read without a look at the signature."""
    signature = inspect.signature(getattr(js, name))
    positional = {
        p.name for p in signature.parameters.values() if p.kind is not p.KEYWORD_ONLY
    }
    assert positional.isdisjoint(BY_NAME.split())


def test_every_constructor_has_a_case():
    """What has no case obeys no law."""
    assert {c.name for c in CASES} == {*SCHEDULES, *OPERATORS}


def found_doctests() -> dict[str, doctest.DocTest]:
    """Doctests by name, of all modules and of all public names.

    The finder takes constructors for functions of the module of their decorator, so
    they are named here.
    """
    finder = doctest.DocTestFinder(exclude_empty=True)
    found: list[doctest.DocTest] = []
    modules = [m.name for m in pkgutil.walk_packages(js.__path__, "jaxsched.")]
    for module in map(importlib.import_module, ["jaxsched", *modules]):
        found += finder.find(module, extraglobs={"js": js})
    for name in DOCUMENTED:
        thing = getattr(js, name)
        globs = {"js": js, "__name__": "__main__"}
        found += finder.find(thing, f"{thing.__module__}.{name}", globs=globs)
    for room in (js.planning, js.published):
        for name in room.__all__:
            thing = getattr(room, name)
            if hasattr(thing, "__rule__"):
                found += finder.find(thing, f"{name} of a room", globs={"js": js})
    return {test.name: test for test in found if test.examples}


DOCTESTS = found_doctests()


def run_doctest(test: doctest.DocTest) -> None:
    """Runs one doctest and fails with its report."""
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    # As users run them: Optax needs JAX's ordinary promotion.
    with jax.numpy_dtype_promotion("standard"):
        runner.run(test, out=report.append, clear_globs=False)
    assert not runner.failures, "".join(report)


@needs_float32
@pytest.mark.usefixtures("only_package_rules")
@pytest.mark.parametrize("name", DOCTESTS)
def test_docstring_examples_are_true(name):
    """Every number that a docstring shows."""
    run_doctest(DOCTESTS[name])


@pytest.mark.parametrize(
    "name",
    [
        *CONSTRUCTORS,
        "rex",
        "tanh",
        "inverse_proportional",
        "one_minus_power",
        "exponential_to_zero",
    ],
)
def test_docstring_examples_are_found(name):
    """The finder looks past what it does not know."""
    assert f"{getattr(js, name).__module__}.{name}" in DOCTESTS


def python_blocks(markdown: str) -> str:
    """The Python of a page with its line numbers: all else as empty lines."""
    kept, inside = [], False
    for line in markdown.splitlines():
        inside = inside and line != "```"
        kept.append(line if inside else "")
        inside = inside or line == "```python"
    return "\n".join(kept) + "\n"


PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]
WITH_EXAMPLES = [page for page in PAGES if ">>> " in page.read_text("utf-8")]


@needs_float32
@pytest.mark.usefixtures("only_package_rules")
@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=lambda page: page.stem)
def test_examples_of_pages_are_true(page):
    """All blocks of a page are one session, as a reader would type them."""
    text = python_blocks(page.read_text("utf-8"))
    globs: dict[str, Any] = {"__name__": "__main__"}
    test = doctest.DocTestParser().get_doctest(text, globs, page.name, str(page), 0)
    assert len(test.examples) == page.read_text("utf-8").count("\n>>> ")
    run_doctest(test)


@pytest.mark.usefixtures("only_package_rules")
def test_how_to_add_a_schedule():
    """What CONTRIBUTING shows is a schedule."""
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    (source,) = re.findall(r"```python\n(.*?)```", page, re.S)
    names = dict(vars(transitions))
    exec(source, names)
    u = np.array([0.0, 0.25, 1.0])
    made = names["cubic"](1.0, 0.5, steps=8).at(np.array([0, 2, 9]))
    np.testing.assert_allclose(made, 0.5 + 0.5 * (1 - u) ** 3, rtol=1e-6)


def test_every_public_name_is_in_the_api():
    """Once, in one of the pages."""
    pages = (ROOT / "docs" / "api").glob("*.rst")
    text = "\n".join(page.read_text("utf-8") for page in pages)
    shown = re.findall(r"^\.\. (?:auto\w+|py:data):: (\w+)$", text, re.M)
    assert sorted(shown) == sorted(
        [*js.__all__, *js.planning.__all__, *js.published.__all__]
    )


@pytest.mark.slow
def test_pictures_are_current():
    """The table in README.md and its pictures are those of the library as it is."""
    command = [sys.executable, str(ROOT / "docs" / "pictures.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
