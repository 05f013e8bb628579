"""The commands: describe, plot, table, export, rank, extend, list, explain."""

import importlib
import inspect
import os
import sys
import warnings
from collections.abc import Callable
from typing import Any

import click
import jax

import jaxsched as js
from jaxsched.command_line.expressions import (
    Labelled,
    length_of,
    one_line,
    parsed,
    takes_schedules,
)
from jaxsched.command_line.tables import as_csv, as_json, as_text, blocks
from jaxsched.rule import rule_of
from jaxsched.schedule import schedules
from jaxsched.shapes import shapes
from jaxsched.text.names import unknown


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


@cli.command()
@takes_schedules
def describe(schedules: Labelled, total_steps: int | None) -> None:
    """Phases, peak, mean, area, and what deserves attention."""
    for i, (text, schedule) in enumerate(schedules.items()):
        with one_line():
            found = js.describe(schedule, length_of({text: schedule}, total_steps))
        click.echo(f"\n{found}" if i else str(found))


@cli.command()
@takes_schedules
@click.option(
    *("-o", "--output"),
    required=True,
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="The picture; its ending says of which kind: .png, .svg, .pdf, ...",
)
@click.option("--log", is_flag=True, help="Draw values on a logarithmic scale.")
def plot(schedules: Labelled, total_steps: int | None, output: str, log: bool) -> None:
    """Draw schedules over the steps of a run (needs matplotlib)."""
    with one_line():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(8, 4.5), layout="constrained")
        total = length_of(schedules, total_steps)
        axes = js.plot(schedules, total, figure.add_subplot(), log=log)
        if legend := axes.get_legend():  # too wide to lie on the curves
            legend.remove()
            figure.legend(loc="outside upper left", fontsize="small")
        figure.savefig(output, dpi=150)


@cli.command()
@takes_schedules
@click.option(
    "--every",
    type=click.IntRange(min=1),
    metavar="N",
    help="The steps from one row to the next. [default: about 20 rows]",
)
@click.option("--csv", "form", flag_value="csv", help="Print comma-separated values.")
@click.option("--json", "form", flag_value="json", help="Print a list of objects.")
def table(
    schedules: Labelled, total_steps: int | None, every: int | None, form: str | None
) -> None:
    """The values at every so many steps, from 0 to the end of the run."""
    with one_line():
        total = length_of(schedules, total_steps)
        given = list(schedules.values())
        rows = blocks(given, total, min(every or max(1, total // 20), total))
        write = {"csv": as_csv, "json": as_json}.get(form or "", as_text)
        made = write(["step", *schedules], rows)
        text = next(made, None)
    while text is not None:
        click.echo(text)  # outside: where nobody reads on, this ends without a word
        with one_line():
            text = next(made, None)


@cli.command()
@click.argument("expr")
@click.option(
    "--name",
    default="schedule",
    show_default=True,
    metavar="NAME",
    help="The name of the function.",
)
def export(expr: str, name: str) -> None:
    """Print a function of the step in jax.numpy alone that does the same."""
    with one_line():
        text = js.to_source(parsed(expr), name=name)
    click.echo(text, nl=False)


@cli.command()
@takes_schedules
def rank(schedules: Labelled, total_steps: int | None) -> None:
    """Order schedules by how low a run ends, each at its own best height."""
    with one_line():
        ranking = js.planning.rank(schedules, length_of(schedules, total_steps))
    click.echo(ranking)


@cli.command()
@click.argument("expr")
@click.option(
    "--from",
    "old",
    required=True,
    type=click.IntRange(min=1),
    metavar="N",
    help="The length of the run that was tuned.",
)
@click.option(
    "--to",
    "new",
    required=True,
    type=click.IntRange(min=1),
    metavar="M",
    help="The length of the longer run.",
)
@click.option(
    "--at",
    required=True,
    type=click.IntRange(min=0),
    metavar="K",
    help="The step of the checkpoint to go on from.",
)
@click.option(
    "--decay-steps",
    type=click.IntRange(min=1),
    metavar="D",
    help="The length of its cool-down. [default: N - K]",
)
def extend(expr: str, old: int, new: int, at: int, decay_steps: int | None) -> None:
    """Three ways to make a tuned run longer, from a checkpoint on."""
    schedule = parsed(expr)
    with one_line(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ways = js.planning.extend(schedule, old, new, at=at, decay_steps=decay_steps)
    click.echo(ways)
    for way in ways:
        click.echo(f"{way.name}:\n  {way.schedule}")
    for warning in caught:
        click.echo(str(warning.message), err=True)


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


def _room(made: Callable[..., Any]) -> str:
    """Where a schedule lives, as a heading: Decays, Combinators, ..."""
    package, room, *_ = rule_of(made).path
    return room.replace("_", " ").capitalize() if package == "jaxsched" else package


def _call(name: str, made: Callable[..., Any]) -> str:
    """The signature without its annotations, under the name that an EXPR may use."""
    rule = rule_of(made)
    return name + rule.usage.removeprefix(rule.name)


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
