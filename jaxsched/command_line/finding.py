"""The commands that say what there is: list, explain."""

import click

from jaxsched.command_line.catalogue import (
    Entry,
    entries,
    foreign_entries,
    functions,
    named_shapes,
)
from jaxsched.command_line.completion import complete
from jaxsched.command_line.expressions import one_line
from jaxsched.command_line.options import Command
from jaxsched.command_line.peers import LIBRARIES
from jaxsched.command_line.reader import constructor


@click.command("list", cls=Command, example="list\nlist plateau\nlist torch")
@click.argument("words", metavar="[WORD]...", nargs=-1)
def list_all(words: tuple[str, ...]) -> None:
    """Every schedule and shape, with its signature.

    With words, only those whose name or summary has all of them, those of other
    libraries too.
    """
    found = [*entries(), *named_shapes()]
    rooms = list(dict.fromkeys(entry.room for entry in found))
    found.sort(key=lambda entry: rooms.index(entry.room))
    if words:
        found = [e for e in [*found, *foreign_entries()] if e.has(words)]
    if not found:
        others = [f"js.{e.name}" for e in functions() if e.has(words, 2)]
        raise click.UsageError(
            f"no schedule has {' and '.join(map(repr, words))} in its name or summary; "
            + (f"in Python there is {' and '.join(others)}; " if others else "")
            + "jaxsched list shows all"
        )
    room = ""
    for entry in found:
        if entry.room != room:
            click.echo(f"{chr(10) if room else ''}{entry.room}")
            room = entry.room
        click.echo(f"  {entry.call}\n      {entry.summary}")
    if not words:
        click.echo(f"\nOf other libraries: jaxsched list {' | '.join(LIBRARIES)}")


@click.command(cls=Command, example="explain cosine\nexplain torch.StepLR")
@click.argument("name", shell_complete=complete)
def explain(name: str) -> None:
    """Formula, arguments, example and paper of a schedule."""
    with one_line():
        entry = Entry(name, constructor(name), "")
    click.echo(f"{entry.call}\n\n{entry.documentation}")
