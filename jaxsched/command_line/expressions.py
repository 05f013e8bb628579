"""The schedules that a command is given: expressions, and files of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

import click

import jaxsched as js
from jaxsched.inspection.phases import latest_end

Labelled = dict[str, js.Schedule]


@contextmanager
def one_line() -> Iterator[None]:
    """What the library refuses, without a traceback."""
    try:
        yield
    except (
        *(ImportError, NotImplementedError, OSError, TypeError, ValueError),
    ) as error:
        raise click.ClickException(str(error).removeprefix("parse: ")) from error


def _read(
    context: click.Context, option: click.Parameter, files: tuple[IO[str], ...]
) -> None:
    """The schedules of files, one in a line; blank lines and comments are skipped."""
    lines = []
    with one_line():
        for file in files:
            with file:
                lines += [(file.name, *numbered) for numbered in enumerate(file, 1)]
    context.meta["jaxsched.files"] = {
        text: parsed(text, f"{name}, line {i}: ")
        for name, i, line in lines
        if (text := line.partition("#")[0].strip())
    }


def _expressions(
    context: click.Context, argument: click.Parameter, given: tuple[str, ...]
) -> Labelled:
    """The schedules of the command line and of the files, by their text."""
    found = {text: parsed(text) for text in given} | context.meta["jaxsched.files"]
    if not found:
        raise click.UsageError("give an EXPR, or a file of them with -f", context)
    return found


def parsed(text: str, place: str = "") -> js.Schedule:
    """The schedule that an expression makes."""
    try:
        made = js.parse(text)
    except ValueError as error:
        reason = str(error).removeprefix("parse: ")
        raise click.ClickException(place + reason) from error
    if isinstance(made, js.Schedule):
        return made
    raise click.ClickException(
        f"{place}what is driven by a metric has no curve of its own\n  {text}\n  ^"
    )


def takes_schedules(command: Callable[..., Any]) -> Callable[..., Any]:
    """The arguments that describe, plot and table have in common."""
    for decorate in (
        click.argument(
            "schedules", metavar="[EXPR]...", nargs=-1, callback=_expressions
        ),
        click.option(
            *("-f", "--file"),
            type=click.File(encoding="utf-8-sig"),  # some editors leave a mark
            multiple=True,
            is_eager=True,  # read before the expressions are put together
            callback=_read,
            expose_value=False,
            help="A file with an EXPR in each line, - for standard input.",
        ),
        click.option(
            "--total-steps",
            type=click.IntRange(1, 2**31 - 1),
            metavar="N",
            help="The length of the run. [default: as long as the schedule]",
        ),
    ):
        command = decorate(command)
    return command


def length_of(schedules: Labelled, total_steps: int | None) -> int:
    """The length of the run, or else that of the schedule which ends last."""
    total = latest_end(schedules.values()) if total_steps is None else total_steps
    if not total:
        names = ", ".join(schedules)
        raise click.UsageError(f"give --total-steps N: it is not known from {names}")
    return total
