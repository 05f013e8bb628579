"""What the shell completes: names of schedules, also in the middle of an expression."""

import re

import click

from jaxsched.command_line.catalogue import entries
from jaxsched.command_line.peers import LIBRARIES, schedules_of


def complete(
    context: click.Context, argument: click.Parameter, begun: str
) -> list[str]:
    """What is begun, with each name in the place of that at its end."""
    found = re.search(r"(?<![\w.])(?:js\.)?((?:[a-zA-Z_][\w.]*)?)$", begun)
    if found is None:
        return []  # the end is a number
    before, name = begun[: found.start(1)], found.group(1)
    return [before + known for known in _names(name) if known.startswith(name)]


def _names(begun: str) -> list[str]:
    """What may be meant; a library is imported only where its name is begun."""
    libraries = [
        library
        for library in LIBRARIES
        if begun and f"{library}.".startswith(begun[: len(library) + 1])
    ]
    return [
        *(entry.name for entry in entries()),
        *(
            f"{library}.{name}"
            for library in libraries
            for name in schedules_of(library)
        ),
    ]
