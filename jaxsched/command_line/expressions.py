"""The schedules that a command is given: expressions, and files of them."""

import functools
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any, NamedTuple

import click

import jaxsched as js
from jaxsched.command_line.completion import complete
from jaxsched.command_line.options import Whole
from jaxsched.command_line.reader import read
from jaxsched.inspection.phases import latest_end

Labelled = dict[str, js.Schedule]

# What stands before a colon, and no bracket or quotation mark before that.
_LABEL = re.compile(r"""([^(){}\[\]'":]+):(.+)""", re.S)

_TEXT = click.File(encoding="utf-8-sig")  # some editors leave a mark


class Line(NamedTuple):
    """An expression, and in what file it stands.

    Attributes:
      text: The expression, with a label or without.
      place: What an error has in front: the file and the line.
    """

    text: str
    place: str = ""


@contextmanager
def one_line() -> Iterator[None]:
    """What the library refuses, without a traceback."""
    try:
        yield
    except (
        *(ImportError, NotImplementedError, OSError, TypeError, ValueError),
    ) as error:
        raise click.ClickException(str(error).removeprefix("parse: ")) from error


def takes_schedules(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command any number of schedules by label, and the length of the run."""

    @functools.wraps(command)
    def run(expr: tuple[str, ...], file: tuple[IO[str], ...], **options: Any) -> Any:
        found = labelled([*_expressions(expr), *_lines(file)])
        if not found:
            empty = "there is none in what was given; " if expr or file else ""
            raise click.UsageError(
                f"{empty}give an EXPR, or -f and a file of EXPRs (- for standard input)",
                click.get_current_context(),
            )
        return command(found, **options)

    for decorate in (
        click.argument("expr", metavar="[EXPR]...", nargs=-1, shell_complete=complete),
        click.option(
            *("-f", "--file"),
            type=_TEXT,
            multiple=True,
            help="A file with an EXPR in each line, - for standard input.",
        ),
        click.option(
            "--total-steps",
            type=Whole(1, 2**31 - 1),
            metavar="N",
            help="The length of the run. [default: as long as the schedule, or of one "
            "that never ends as long as it takes to see what it does]",
        ),
    ):
        run = decorate(run)
    return run


def takes_schedule(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command one schedule."""

    @functools.wraps(command)
    def run(expr: str, **options: Any) -> Any:
        lines = list(_expressions([expr]))
        if len(lines) != 1:
            raise click.UsageError(
                f"give one EXPR, got {len(lines)} from standard input",
                click.get_current_context(),
            )
        return command(*labelled(lines).values(), **options)

    return click.argument("expr", metavar="EXPR", shell_complete=complete)(run)


def _expressions(given: Iterable[str]) -> Iterator[Line]:
    """Those of the command line; - are the lines of standard input."""
    for text in given:
        if text == "-":
            yield from _lines([_TEXT.convert(text, None, None)])
        else:
            yield Line(text)


def _lines(files: Iterable[IO[str]]) -> Iterator[Line]:
    """Those of files, one in a line; blank lines and comments are skipped."""
    with one_line():
        for file in files:
            name = getattr(file, "name", "<stdin>").replace("<stdin>", "standard input")
            for i, line in enumerate(file, 1):
                if text := line.partition("#")[0].strip():
                    yield Line(text, f"{name}, line {i}: ")


def labelled(lines: Iterable[Line]) -> Labelled:
    """Schedules by their label, or else by their text; of two alike one is numbered."""
    found: Labelled = {}
    for text, place in lines:
        has_label = _LABEL.fullmatch(text.strip())
        label, call = has_label.groups() if has_label else (text, text)
        label, number = label.strip(), 2
        name = label
        while name in found:
            name, number = f"{label} #{number}", number + 1
        found[name] = _parsed(call.strip(), place)
    return found


def is_label(name: str) -> bool:
    """Whether a schedule was given this name: the text of one has brackets."""
    return "(" not in name


def _parsed(text: str, place: str) -> js.Schedule:
    """The schedule that an expression makes."""
    try:
        made = read(text)
    except ValueError as error:
        reason = str(error).removeprefix("parse: ")
        raise click.ClickException(place + reason) from error
    if isinstance(made, js.Schedule):
        return made
    raise click.ClickException(
        f"{place}a metric-driven schedule has no curve: give the schedule inside it\n"
        f"  {text}\n  ^"
    )


def length_of(schedules: Labelled, total_steps: int | None) -> int:
    """The length of the run, or else that of the schedule which ends last."""
    total = latest_end(schedules.values()) if total_steps is None else total_steps
    if not total:
        names = ", ".join(schedules)
        raise click.UsageError(
            f"give --total-steps N: {names} does not say how long a run is"
        )
    return total
