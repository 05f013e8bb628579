"""Measures what jaxsched promises about speed: prints a table, writes RESULTS.md.

The rows about training also run on an accelerator, with --gpu.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import jax

from benchmarks import (
    calls,
    compilation,
    curve,
    gpu,
    host,
    imports,
    reading,
    report,
    step,
    sweep,
    tables,
)
from benchmarks.timing import Row, run

SUBJECTS = sweep, step, curve, calls, compilation, tables, host, imports, reading
ROWS: list[Row] = [row for subject in SUBJECTS for row in subject.ROWS]
HERE = Path(__file__).parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; its exit status."""
    options = _parse(arguments)
    _configure(options.gpu)
    accelerator = gpu.describe() if options.gpu else None
    if options.gpu and accelerator is None:
        print("benchmarks: --gpu: JAX finds no accelerator here", file=sys.stderr)
        return 2

    print(report.heading(), flush=True)
    results = []
    for row in _rows(options):
        results.append(run(row))
        print(report.line(results[-1]), flush=True)
    # Only what holds all rows takes the place of the last full report.
    output = options.output or (None if options.only else _default_output(options))
    if output is not None:
        output.write_text(report.document(results, accelerator), encoding="utf-8")
    return 0


def _configure(on_accelerator: bool) -> None:
    # A cache on disk would make a second compilation a reading of a file.
    jax.config.update("jax_enable_compilation_cache", False)
    if not on_accelerator:
        jax.config.update("jax_platforms", "cpu")


def _rows(options: argparse.Namespace) -> list[Row]:
    rows = gpu.ROWS if options.gpu else ROWS
    return [row for row in rows if options.only is None or row.name in options.only]


def _default_output(options: argparse.Namespace) -> Path:
    return HERE / ("RESULTS-gpu.md" if options.gpu else "RESULTS.md")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument(
        "--gpu",
        action="store_true",
        help="the step and the sweep on the default accelerator, by device events",
    )
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="NAME",
        help="only these rows; nothing is written unless --output is given",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="PATH",
        help="the report (default: RESULTS.md, or RESULTS-gpu.md, beside the program)",
    )
    options = parser.parse_args(arguments)
    if options.output is not None and not options.output.parent.is_dir():
        parser.error(f"--output: there is no folder {options.output.parent}")
    known = [row.name for row in (gpu.ROWS if options.gpu else ROWS)]
    unknown = [name for name in options.only or () if name not in known]
    if unknown:
        parser.error(f"--only: no row {unknown[0]!r}; there are {', '.join(known)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
