"""The command `jaxsched`: looks at schedules without a line of Python."""

from jaxsched.command_line.commands import main

__all__ = ["main"]
