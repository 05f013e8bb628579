"""Tables of values as text, CSV and JSON."""

import csv
import io
import json
import math

Rows = list[tuple[str, ...]]


def as_text(names: list[str], rows: Rows) -> str:
    """Columns of a width, numbered where there are several."""
    several = len(names) > 2
    legend = [f"{i}: {name}" for i, name in enumerate(names[1:], 1)] if several else []
    short = map(str, range(1, len(names))) if several else ["value"]
    table = [("step", *short), *((step, *map(_digits, rest)) for step, *rest in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ("  ".join(map(str.rjust, row, widths)) for row in table)
    return "\n".join([*legend, *lines])


def _digits(value: str) -> str:
    return f"{float(value):.6g}"


def as_csv(names: list[str], rows: Rows) -> str:
    """Comma-separated values."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([names, *rows])
    return text.getvalue().rstrip("\n")


def as_json(names: list[str], rows: Rows) -> str:
    """Objects by column; JSON has no word for a number that is not finite."""
    numbers = (
        [int(step), *(v if math.isfinite(v) else None for v in map(float, rest))]
        for step, *rest in rows
    )
    lines = (json.dumps(dict(zip(names, row, strict=True))) for row in numbers)
    return "[\n" + ",\n".join(lines) + "\n]"
