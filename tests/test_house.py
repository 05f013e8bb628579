"""The structure: who may import whom, and how long a file may be."""

import ast
import importlib
import re
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

import jaxsched as js
from jaxsched import arrays

PACKAGE = Path(js.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))


def module_of(file: Path) -> str:
    """The dotted name of a file of the package."""
    parts = ["jaxsched", *file.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(file): file for file in FILES}


def imported(file: Path) -> set[str]:
    """The modules of the package that a file imports, in functions too."""
    tree = ast.parse(file.read_text("utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if not isinstance(node.test, ast.UnaryOp)  # `if not TYPE_CHECKING` is run
        for part in node.body
        for inner in ast.walk(part)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative imports hide where a name lives"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in MODULES else str(node.module))
    return found & MODULES.keys()


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The strongly connected components of more than one, by Tarjan's algorithm."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    path: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        path.append(node)
        for other in graph[node]:
            if other not in index:
                visit(other)
            if other in path:
                low[node] = min(low[node], low[other])
        if low[node] == index[node]:
            component = path[path.index(node) :]
            del path[path.index(node) :]
            if len(component) > 1 or node in graph[node]:
                found.append(component)

    for node in graph:
        if node not in index:
            visit(node)
    return found


def test_circles_are_found():
    """The search knows one when it sees it."""
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"d"}, "e": set()}
    assert sorted(map(sorted, circles(graph))) == [["b", "c"], ["d"]]


def test_nothing_imports_in_a_circle():
    """A value flows one way through the house, imports inside functions counted."""
    assert circles({name: imported(file) for name, file in MODULES.items()}) == []


# What a room may know: those before it, in the order of the design.
ROOMS = [
    *("serialization", "arrays", "numerics", "restarts", "progress", "search"),
    *("rule", "domains"),
    *("schedule", "shapes", "transitions", "decays", "piecewise", "cycles"),
    *("combinators", "recipes", "text", "metric_driven", "training", "grids"),
    *(
        "inspection",
        "range_test",
        "clock",
        "export",
        "planning",
        "published",
        "compat",
        "command_line",
    ),
]


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def test_each_room_knows_only_those_before_it():
    """The list above, and no other way round."""
    beside = {"", "__main__", "unknown"}
    upwards = [
        (name, other)
        for name, file in MODULES.items()
        for other in imported(file)
        if not {room_of(name), room_of(other)} & beside
        and ROOMS.index(room_of(other)) > ROOMS.index(room_of(name))
    ]
    assert upwards == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: module_of(file))
def test_files_can_be_read_in_one_sitting(file):
    assert len(file.read_text("utf-8").splitlines()) <= 300


def test_types_are_rarely_ignored():
    found = [
        file for file in FILES for _ in re.findall("type: ignore", file.read_text())
    ]
    assert len(found) <= 8, found


def test_what_is_private_to_jax_is_not_needed(monkeypatch):
    """Without it a count decides the dtype of a result, and nothing else is lost."""
    private = {
        (module_of(file), line.strip())
        for file in FILES
        for line in file.read_text("utf-8").splitlines()
        if "jax._src" in line
    }
    assert {name for name, _ in private} == {"jaxsched.arrays"}
    steps = np.arange(12)
    schedule = js.warmup_cosine(0.5, total_steps=10, warmup_steps=4)
    expected = np.asarray(schedule(steps))
    assert schedule(5).weak_type
    monkeypatch.setattr(arrays, "_converted", None)
    again = js.warmup_cosine(0.5, total_steps=10, warmup_steps=4)
    np.testing.assert_array_equal(np.asarray(again(steps)), expected)
    assert again(5).dtype == expected.dtype
    assert not arrays.as_real(jnp.int32(5)).weak_type


def test_jax_without_the_private_function_is_enough(monkeypatch):
    """The import itself is guarded."""
    from jax._src.lax import lax

    monkeypatch.delattr(lax, "_convert_element_type")
    try:
        assert importlib.reload(arrays)._converted is None
    finally:
        monkeypatch.undo()
        importlib.reload(arrays)
    assert arrays._converted is not None
