"""The table of results, as it is printed and as it is written."""

import os
import platform
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.timing import Result, number

PACKAGES = ("jaxsched", "jax", "jaxlib", "optax", "torch")
HEADINGS = ("row", "measured", "10 % - 90 %", "target", "reached")
WIDTHS = (18, 12, 22, 16, 8)

# One paragraph: Markdown is not wrapped.
HOW = (
    "Each ratio is the median over pairs measured in one process, the two sides in turns; "
    "the spread is that of the pairs, n their number, and the times are medians. Each "
    "side is timed until its result is there. Before each compilation everything compiled "
    "is forgotten (`jax.clear_caches`). Schedules are constructed beforehand on both "
    "sides, except in `sweep`, which counts all from settings to losses."
)


def heading() -> str:
    """The first line of what is printed."""
    return _aligned(HEADINGS)


def line(result: Result) -> str:
    """A row of what is printed."""
    name, target = result.row.name, str(result.row.target)
    if result.measured is None:
        return _aligned((name, "-", "", target, f"not measured: {result.skipped}"))
    return _aligned((name, *_figures(result), target, verdict(result)))


def verdict(result: Result) -> str:
    """Whether the target is reached, in a word or two."""
    if result.reached is None:
        return "not measured"
    return "yes" if result.reached else "**no**"


def document(results: Sequence[Result], accelerator: str | None = None) -> str:
    """RESULTS.md."""
    command = "python -m benchmarks" + (" --gpu" if accelerator else "")
    parts = [
        "# Results",
        f"Written by `{command}`. {HOW}",
        "\n".join(f"- {name}: {value}" for name, value in _machine(accelerator)),
        "\n".join(_table(results)),
        *_explanations(results),
    ]
    return "\n\n".join(parts) + "\n"


def _table(results: Sequence[Result]) -> Iterator[str]:
    headings = ("row", "what", "against", "target", "measured", "10 % - 90 %")
    yield _cells(*headings, "reached", "n", "times")
    yield _cells(*["---"] * 9)
    for result in results:
        row = result.row
        cells = f"`{row.name}`", row.what, row.against or "-", str(row.target)
        if result.measured is None:
            yield _cells(*cells, "-", "-", verdict(result), "-", "-")
        else:
            n, note = str(result.measured.repeats), result.measured.note or "-"
            yield _cells(*cells, *_figures(result), verdict(result), n, note)


def _explanations(results: Sequence[Result]) -> Iterator[str]:
    missed = [result for result in results if result.reached is False]
    if missed:
        yield "## Not reached"
    for result in missed:
        reason = result.row.why or "Not explained yet."
        profile = f" Profile: {result.profile}." if result.profile else ""
        yield f"**`{result.row.name}`** {reason}{profile}"
    skipped = [result for result in results if result.reached is None]
    if skipped:
        yield "## Not measured"
    for result in skipped:
        yield f"**`{result.row.name}`** {result.skipped}."


def _figures(result: Result) -> tuple[str, str]:
    assert result.measured is not None
    (median, low, high), unit = result.measured.value, result.row.target.unit
    between = f"{number(low, unit)} - {number(high, unit)}" if low < high else "-"
    return number(median, unit), between


def _aligned(cells: Sequence[str]) -> str:
    pairs = zip(cells, WIDTHS, strict=True)
    return "".join(f"{cell:<{width}}" for cell, width in pairs).rstrip()


def _cells(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _machine(accelerator: str | None) -> Iterator[tuple[str, str]]:
    if accelerator:
        yield "Accelerator", accelerator
    yield "Processor", f"{processor()}, {os.cpu_count()} cores"
    yield "Python", platform.python_version()
    for package in PACKAGES:
        yield package, _version(package)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def processor() -> str:
    """The model of the processor."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        text = ""
    models = [ln.split(":", 1)[1] for ln in text.splitlines() if "model name" in ln]
    return models[0].strip() if models else platform.processor() or platform.machine()
