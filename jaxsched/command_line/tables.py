"""Tables of values as text, CSV and JSON.

A table may have two thousand million rows: it is made and printed in blocks of rows.
"""

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np

import jaxsched as js

# A table of so many rows is measured before it is printed.
BLOCK = 2**14

# As wide as any number is as text: -1.23457e-300.
_WIDEST = 13

Rows = Sequence[tuple[str, ...]]


def blocks(
    schedules: Sequence[js.Schedule], total_steps: int, every: int
) -> Iterator[Rows]:
    """The rows at every so many steps and at the last one, a block at a time."""
    count = -(-total_steps // every) + 1
    for begin in range(0, count, BLOCK):
        rows = np.arange(begin, min(begin + BLOCK, count))
        steps = np.minimum(rows * every, total_steps)
        # As text a float32 has the digits it needs: 0.1, not 0.10000000149011612.
        columns = [[str(v) for v in s.at(steps)] for s in schedules]
        yield list(zip(map(str, steps), *columns, strict=True))


def as_text(names: list[str], table: Iterator[Rows]) -> Iterator[str]:
    """Columns of a width, numbered where their names are long.

    They are as wide as they need, or in a table of several blocks as numbers can be.
    """
    legend, heads = _heads(names[1:])
    first, second = next(table), next(table, None)
    shown = [("step", *heads), *map(_rounded, first)]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    if second is not None:
        widths = [_WIDEST] * len(names)
    yield "\n".join([*legend, *_lines(shown, widths)])
    while second is not None:
        yield "\n".join(_lines(map(_rounded, second), widths))
        second = next(table, None)


def _heads(names: list[str]) -> tuple[list[str], list[str]]:
    """What stands above a table of these columns, and above each of them."""
    if max(map(len, names)) <= _WIDEST:
        return [], names
    if len(names) == 1:
        return [], ["value"]
    numbers = [str(i) for i, _ in enumerate(names, 1)]
    return [f"{i}: {name}" for i, name in zip(numbers, names, strict=True)], numbers


def _rounded(row: tuple[str, ...]) -> tuple[str, ...]:
    return (row[0], *(f"{float(value):.6g}" for value in row[1:]))


def _lines(rows: Iterable[tuple[str, ...]], widths: list[int]) -> Iterator[str]:
    return ("  ".join(map(str.rjust, row, widths)) for row in rows)


def as_csv(names: list[str], table: Iterator[Rows]) -> Iterator[str]:
    """Comma-separated values."""
    yield _separated([tuple(names)])
    yield from map(_separated, table)


def _separated(rows: Rows) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().rstrip("\n")


def as_json(names: list[str], table: Iterator[Rows]) -> Iterator[str]:
    """Objects by column; JSON has no word for a number that is not finite."""
    numbers = (
        [int(step), *(v if math.isfinite(v) else None for v in map(float, rest))]
        for rows in table
        for step, *rest in rows
    )
    yield "["
    objects = (json.dumps(dict(zip(names, row, strict=True))) for row in numbers)
    # No comma follows the last one, so that each block begins with that before it.
    last = next(objects)
    while block := list(islice(objects, BLOCK)):
        yield ",\n".join([last, *block[:-1]]) + ","
        last = block[-1]
    yield last
    yield "]"
