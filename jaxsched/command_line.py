"""The command `jaxsched`: looks at schedules without a line of Python."""

import csv
import importlib
import inspect
import io
import json
import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

import click
import jax
import numpy as np

import jaxsched as js
from jaxsched.inspection.phases import latest_end
from jaxsched.schedule import schedules
from jaxsched.shapes import shapes
from jaxsched.text.names import unknown

_Labelled = dict[str, js.Schedule]


def main(arguments: list[str] | None = None) -> None:
    """Runs the command; an error is one line, with a pointer, and exit status 2."""
    # Whatever is asked here, it is not worth taking an accelerator from a training run.
    jax.config.update("jax_platforms", "cpu")
    try:
        sys.exit(cli.main(arguments, prog_name="jaxsched", standalone_mode=False))
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        where = context.command_path if context else "jaxsched"
        click.echo(f"{where}: {error.format_message()}", err=True)
        sys.exit(2)
    except click.Abort:
        sys.exit(130)


def _load(context: click.Context, option: click.Parameter, names: tuple[str]) -> None:
    """Imports modules, which register their schedules."""
    if names:  # as `python -m` does
        sys.path.insert(0, os.getcwd())
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:
            raise click.BadParameter(f"{name}: {error}") from error


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
)
@click.version_option(js.__version__, prog_name="jaxsched")
@click.option(
    "--import",
    multiple=True,
    callback=_load,
    expose_value=False,
    metavar="MODULE",
    help="A module that makes schedules of your own, to be known by name.",
)
@click.pass_context
def cli(context: click.Context) -> None:
    """Learning-rate schedules: looked at before a run.

    An EXPR is the call that makes a schedule, as Python would write it, in quotes:
    "warmup_cosine(3e-4, total_steps=10_000, warmup_steps=500)". `jaxsched list` shows
    what there is. Nothing in it is ever evaluated as code.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@contextmanager
def _one_line() -> Iterator[None]:
    """What the library refuses, without a traceback."""
    try:
        yield
    except (ImportError, OSError, TypeError, ValueError) as error:
        raise click.ClickException(str(error).removeprefix("parse: ")) from error


def _read(
    context: click.Context, option: click.Parameter, files: tuple[IO[str], ...]
) -> None:
    """The schedules of files, one in a line; blank lines and comments are skipped."""
    lines = []
    with _one_line():
        for file in files:
            with file:
                lines += [(file.name, *numbered) for numbered in enumerate(file, 1)]
    context.meta["jaxsched.files"] = {
        text: _parsed(text, f"{name}, line {i}: ")
        for name, i, line in lines
        if (text := line.partition("#")[0].strip())
    }


def _expressions(
    context: click.Context, argument: click.Parameter, given: tuple[str, ...]
) -> _Labelled:
    """The schedules of the command line and of the files, by their text."""
    found = {text: _parsed(text) for text in given} | context.meta["jaxsched.files"]
    if not found:
        raise click.UsageError("give an EXPR, or a file of them with -f", context)
    return found


def _parsed(text: str, place: str = "") -> js.Schedule:
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


def _takes_schedules(command: Callable[..., Any]) -> Callable[..., Any]:
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


def _length(schedules: _Labelled, total_steps: int | None) -> int:
    """The length of the run, or else that of the schedule which ends last."""
    total = latest_end(schedules.values()) if total_steps is None else total_steps
    if not total:
        names = ", ".join(schedules)
        raise click.UsageError(f"give --total-steps N: it is not known from {names}")
    return total


@cli.command()
@_takes_schedules
def describe(schedules: _Labelled, total_steps: int | None) -> None:
    """Phases, peak, mean, area, and what deserves attention."""
    for i, (text, schedule) in enumerate(schedules.items()):
        with _one_line():
            found = js.describe(schedule, _length({text: schedule}, total_steps))
        click.echo(f"\n{found}" if i else str(found))


@cli.command()
@_takes_schedules
@click.option(
    *("-o", "--output"),
    required=True,
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="The picture; its ending says of which kind: .png, .svg, .pdf, ...",
)
@click.option("--log", is_flag=True, help="Draw values on a logarithmic scale.")
def plot(schedules: _Labelled, total_steps: int | None, output: str, log: bool) -> None:
    """Draw schedules over the steps of a run (needs matplotlib)."""
    with _one_line():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(8, 4.5), layout="constrained")
        total = _length(schedules, total_steps)
        axes = js.plot(schedules, total, figure.add_subplot(), log=log)
        if legend := axes.get_legend():  # too wide to lie on the curves
            legend.remove()
            figure.legend(loc="outside upper left", fontsize="small")
        figure.savefig(output, dpi=150)


@cli.command()
@_takes_schedules
@click.option(
    "--every",
    type=click.IntRange(min=1),
    metavar="N",
    help="The steps from one row to the next. [default: about 20 rows]",
)
@click.option("--csv", "form", flag_value="csv", help="Print comma-separated values.")
@click.option("--json", "form", flag_value="json", help="Print a list of objects.")
def table(
    schedules: _Labelled, total_steps: int | None, every: int | None, form: str | None
) -> None:
    """The values at every so many steps, from 0 to the end of the run."""
    with _one_line():
        total = _length(schedules, total_steps)
        steps = np.arange(0, total + 1, every or max(1, total // 20))
        if steps[-1] != total:
            steps = np.append(steps, total)
        # As text a float32 has the digits it needs: 0.1, not 0.10000000149011612.
        columns = [[str(v) for v in s.at(steps)] for s in schedules.values()]
    rows = list(zip(map(str, steps), *columns, strict=True))
    write = {"csv": _csv, "json": _json}.get(form or "", _text)
    click.echo(write(["step", *schedules], rows))


def _text(names: list[str], rows: list[tuple[str, ...]]) -> str:
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


def _csv(names: list[str], rows: list[tuple[str, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([names, *rows])
    return text.getvalue().rstrip("\n")


def _json(names: list[str], rows: list[tuple[str, ...]]) -> str:
    """Objects by column; JSON has no word for a number that is not finite."""
    numbers = (
        [int(step), *(v if math.isfinite(v) else None for v in map(float, rest))]
        for step, *rest in rows
    )
    lines = (json.dumps(dict(zip(names, row, strict=True))) for row in numbers)
    return "[\n" + ",\n".join(lines) + "\n]"


@cli.command("list")
def list_all() -> None:
    """Every schedule and shape, with its signature."""
    room = ""
    for name, made in _constructors().items():
        if (found := _room(made)) != room:
            click.echo(f"{'' if not room else chr(10)}{found}")
            room = found
        click.echo(f"  {_call(name, made)}\n      {_summary(made)}")


def _constructors() -> dict[str, Callable[..., Any]]:
    """What an EXPR may call: the public ones in their order, then those imported."""
    public = {name: getattr(js, name) for name in js.__all__}
    found = {n: made for n, made in public.items() if hasattr(made, "__rule__")}
    for names in (schedules, shapes):
        own = [rule for rule in names.rules() if not rule.is_own]
        found |= {names.shortest(rule): rule.constructor for rule in own}
    return found


def _module(made: Callable[..., Any]) -> str:
    return inspect.unwrap(made).__module__


def _room(made: Callable[..., Any]) -> str:
    """Where a schedule lives, as a heading: Decays, Combinators, ..."""
    first, _, rest = _module(made).partition(".")
    room = rest.split(".")[0].replace("_", " ").capitalize()
    return room if first == "jaxsched" else first


def _call(name: str, made: Callable[..., Any]) -> str:
    """The signature without its annotations."""
    signature = inspect.signature(made)
    bare = [
        p.replace(annotation=inspect.Parameter.empty)
        for p in signature.parameters.values()
    ]
    empty = inspect.Signature.empty
    return f"{name}{signature.replace(parameters=bare, return_annotation=empty)}"


def _summary(made: Callable[..., Any]) -> str:
    return (inspect.getdoc(made) or "").partition("\n")[0]


def _names(context: click.Context, argument: click.Parameter, begun: str) -> list[str]:
    """What the shell completes."""
    return [name for name in _constructors() if name.startswith(begun)]


@cli.command()
@click.argument("name", shell_complete=_names)
def explain(name: str) -> None:
    """Formula, arguments, example and paper of a schedule."""
    made = _constructors().get(name)
    if made is None:
        raise click.UsageError(unknown(name, schedules))
    click.echo(f"{_call(name, made)}\n\n{inspect.getdoc(made) or ''}")
