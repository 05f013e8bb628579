"""The command plot."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

import click

import jaxsched as js
from jaxsched.command_line.expressions import (
    Labelled,
    one_line,
    takes_schedules,
)
from jaxsched.command_line.options import Command

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@click.command(cls=Command, example='plot "cosine(0.1, 0, 900)" -o curve.svg')
@takes_schedules
@click.option(
    *("-o", "--output"),
    type=click.Path(dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="The picture, - for standard output; its ending says of which kind: .png, .svg, "
    ".pdf, ... [default: jaxsched.png in this folder, written anew each time]",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["png", "svg", "pdf"]),
    help="The kind of a picture whose name does not say it. [default: png]",
)
@click.option("--log", is_flag=True, help="Draw values on a logarithmic scale.")
def plot(
    schedules: Labelled,
    total_steps: int | None,
    output: str | None,
    kind: str | None,
    log: bool,
) -> None:
    """Draw schedules over the steps of a run (needs matplotlib)."""
    file = None if output == "-" else _file(output, kind)
    kind = kind or (file.suffix[1:] if file else "png")
    picture = io.BytesIO()
    with one_line():
        _figure(schedules, total_steps, log).savefig(picture, dpi=150, format=kind)
        if file is not None:
            file.write_bytes(picture.getvalue())
    if file is None:
        click.echo(picture.getvalue(), nl=False)
    elif str(file) != output:
        click.echo(f"wrote {file}")


def _file(output: str | None, kind: str | None) -> Path:
    """The file of the picture, with an ending that says of which kind it is."""
    file = Path(output or "jaxsched")
    if not file.parent.is_dir():
        raise click.UsageError(f"there is no folder {file.parent} for --output {file}")
    if not file.suffix:
        return file.with_suffix(f".{kind or 'png'}")
    if kind is not None and file.suffix.lower() != f".{kind}":
        raise click.UsageError(
            f"--format {kind} does not match the name of --output {file}"
        )
    return file


def _figure(schedules: Labelled, total_steps: int | None, log: bool) -> "Figure":
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError(
            "plot: matplotlib must be installed: pip install matplotlib"
        ) from None
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = js.plot(schedules, total_steps, figure.add_subplot(), log=log)
    if len(schedules) == 1:
        axes.set_title(next(iter(schedules)), fontsize="medium", wrap=True)
    elif legend := axes.get_legend():  # calls are too wide to stand beside the curves
        legend.remove()
        figure.legend(loc="outside upper left", fontsize="small")
    return figure
