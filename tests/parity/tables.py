"""Grids of settings, and golden tables of what the real peers return for them.

A setting is a call in the peer's own words, `StepLR(0.1, step_size=3)`. It is read twice:
with the names of `jaxsched.compat` and with those of the real peer. Each peer has a module
`peer_NAME.py` with the grid and the way to ask the peer; `make_golden.py` writes the
tables.
"""

import importlib
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

STEPS = np.arange(64)
HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
PEERS = sorted(path.stem.removeprefix("peer_") for path in HERE.glob("peer_*.py"))


def settings(name: str, count: int, /, **axes: Sequence[Any]) -> list[str]:
    """Calls of a function: every argument moved alone, then all of them at random.

    Args:
      name: The function.
      count: How many calls there are in the end.
      axes: For each argument its values, the first of them the usual one. Texts are
        taken as expressions.
    """
    usual = {argument: values[0] for argument, values in axes.items()}
    rows = [usual]
    rows += [{**usual, key: v} for key, values in axes.items() for v in values[1:]]
    rng = random.Random(name)
    texts = dict.fromkeys(call(name, row) for row in rows)
    for _ in range(100 * count):
        if len(texts) >= count:
            break
        row = {argument: rng.choice(values) for argument, values in axes.items()}
        texts.setdefault(call(name, row))
    return list(texts)


def call(name: str, arguments: dict[str, Any]) -> str:
    """A call as text. An argument that begins with an underscore is given by position;
    one that is `...` is left out.
    """
    given = [
        str(value) if key.startswith("_") else f"{key}={value}"
        for key, value in arguments.items()
        if value is not ...
    ]
    return f"{name}({', '.join(given)})"


def function_of(setting: str) -> str:
    """The name that a setting calls."""
    return setting.partition("(")[0]


class Table(NamedTuple):
    """What a peer returned: one row for each setting, NaN where it raised."""

    version: str
    settings: list[str]
    values: np.ndarray


def peer(name: str) -> Any:
    """The module of a peer: `SETTINGS`, `PACKAGE`, `DOUBLE`, `real`."""
    return importlib.import_module(f"peer_{name}")


def ask(real: Callable[[str], Any], setting: str) -> np.ndarray:
    """The peer's values at all steps; NaN from the step on at which it raises."""
    values = np.full(len(STEPS), np.nan)
    try:
        for i, value in enumerate(real(setting)):
            values[i] = value
    except (ValueError, TypeError, ArithmeticError, AssertionError):
        pass  # a refusal, of the call or of a step after the end
    return values


def save(name: str, version: str, rows: dict[str, np.ndarray]) -> None:
    """Writes a golden table."""
    GOLDEN.mkdir(exist_ok=True)
    np.savez_compressed(
        GOLDEN / f"{name}.npz",
        version=np.array(version),
        settings=np.array(list(rows)),
        values=np.array(list(rows.values())),
    )


def load(name: str) -> Table:
    """Reads a golden table."""
    with np.load(GOLDEN / f"{name}.npz") as file:
        texts = [str(text) for text in file["settings"]]
        return Table(str(file["version"]), texts, file["values"])
