"""The commands that print what a schedule does: describe, compare, table, export."""

import click

import jaxsched as js
from jaxsched.command_line.expressions import (
    Labelled,
    is_label,
    one_line,
    takes_schedule,
    takes_schedules,
)
from jaxsched.command_line.options import Command, Whole
from jaxsched.command_line.tables import as_csv, as_json, as_text, blocks
from jaxsched.inspection.window import known_length


@click.command(cls=Command, example='describe "cosine(0.1, 0, 900)" --total-steps 1000')
@takes_schedules
def describe(schedules: Labelled, total_steps: int | None) -> None:
    """Print the phases, peak, mean, area, and what deserves attention."""
    for i, (name, schedule) in enumerate(schedules.items()):
        with one_line():
            found = js.describe(schedule, total_steps)
        heading = f"{name}:\n" if is_label(name) else ""
        click.echo(f"{chr(10) if i else ''}{heading}{found}")


@click.command(
    cls=Command, example='compare "cosine(0.1, 0, 900)" "linear(0.1, 0, 900)"'
)
@takes_schedules
@click.option(
    "--at",
    type=Whole(0, 2**62),
    metavar="K",
    help="The step at which a run goes on with the second schedule.",
)
def compare(schedules: Labelled, total_steps: int | None, at: int | None) -> None:
    """How two schedules differ, in what they are and over a run."""
    if len(schedules) != 2:
        raise click.UsageError(f"give two EXPRs, got {len(schedules)}")
    first, second = schedules.values()
    with one_line():
        found = js.compare(first, second, total_steps, at=at)
    for which, name in zip(("first", "second"), schedules, strict=True):
        click.echo(f"{which}: {name}")
    click.echo(found)


@click.command(cls=Command, example='table "cosine(0.1, 0, 900)" --every 100 --csv')
@takes_schedules
@click.option(
    "--every",
    type=Whole(1),
    metavar="N",
    help="The steps from one row to the next. [default: about 20 rows]",
)
@click.option("--csv", is_flag=True, help="Print comma-separated values.")
@click.option("--json", is_flag=True, help="Print a list of objects.")
def table(
    schedules: Labelled,
    total_steps: int | None,
    every: int | None,
    csv: bool,
    json: bool,
) -> None:
    """Print the values every few steps, from 0 to the end of the run."""
    if csv and json:
        raise click.UsageError("give --csv or --json, not both")
    with one_line():
        given = list(schedules.values())
        total = known_length("table", given, total_steps)
        rows = blocks(given, total, min(every or max(1, total // 20), total))
        write = as_csv if csv else as_json if json else as_text
        made = write(["step", *schedules], rows)
        text = next(made, None)
    while text is not None:
        click.echo(text)  # outside: where nobody reads on, this ends without a word
        with one_line():
            text = next(made, None)


@click.command(cls=Command, example='export "cosine(0.1, 0, 900)" --name rate')
@takes_schedule
@click.option(
    "--name",
    default="schedule",
    show_default=True,
    metavar="NAME",
    help="The name of the function.",
)
def export(schedule: js.Schedule, name: str) -> None:
    """Print a schedule as a function of the step that needs only jax.numpy."""
    with one_line():
        text = js.to_source(schedule, name=name)
    click.echo(text, nl=False)
