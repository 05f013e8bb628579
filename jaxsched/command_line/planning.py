"""The commands that plan a run: rank, extend."""

import warnings

import click

import jaxsched as js
from jaxsched.command_line.expressions import (
    Labelled,
    length_of,
    one_line,
    takes_schedule,
    takes_schedules,
)
from jaxsched.command_line.options import Command, Whole


@click.command(cls=Command, example='rank "linear(1, 0, 900)" "cosine(1, 0, 900)"')
@takes_schedules
def rank(schedules: Labelled, total_steps: int | None) -> None:
    """Order schedules by how low a run ends, each at its own best height."""
    with one_line():
        ranking = js.planning.rank(schedules, length_of(schedules, total_steps))
    click.echo(ranking)


@click.command(
    cls=Command,
    example='extend "wsd(1e-3, 4000, 100, 800)" --from 4000 --to 6000 --at 3200',
)
@takes_schedule
@click.option(
    "--from",
    "old",
    required=True,
    type=Whole(1),
    metavar="N",
    help="The length of the run that was tuned.",
)
@click.option(
    "--to",
    "new",
    required=True,
    type=Whole(1),
    metavar="M",
    help="The length of the longer run.",
)
@click.option(
    "--at",
    required=True,
    type=Whole(0),
    metavar="K",
    help="The step of the checkpoint to go on from.",
)
@click.option(
    "--decay-steps",
    type=Whole(1),
    metavar="D",
    help="The length of its cool-down. [default: N - K]",
)
def extend(
    schedule: js.Schedule, old: int, new: int, at: int, decay_steps: int | None
) -> None:
    """Three ways to make a tuned run longer, from a checkpoint on."""
    with one_line(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ways = js.planning.extend(schedule, old, new, at=at, decay_steps=decay_steps)
    click.echo(ways)
    for way in ways:
        click.echo(f"{way.name}:\n  {way.schedule}")
    for warning in caught:
        click.echo(str(warning.message), err=True)
