"""The command `jaxsched` and its parts."""

import sys

import click
import jax

import jaxsched as js
from jaxsched.command_line.drawing import plot
from jaxsched.command_line.finding import explain, list_all
from jaxsched.command_line.looking import compare, describe, export, table
from jaxsched.command_line.options import Group
from jaxsched.command_line.planning import extend, rank


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


@click.group(
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
    commands=[describe, compare, plot, table, export, rank, extend, list_all, explain],
    example='describe "warmup_cosine(3e-4, total_steps=10_000, warmup_steps=500)"',
)
@click.version_option(js.__version__, prog_name="jaxsched")
@click.pass_context
def cli(context: click.Context) -> None:
    """Look at learning-rate schedules before a run."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
