"""What commands have in common: whole numbers, --import, and how they are shown."""

import importlib
import os
import re
import sys
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import click

EXPR = """
An EXPR is the call that makes a schedule, as Python would write it, in quotes:
"warmup_cosine(3e-4, total_steps=10_000, warmup_steps=500)", or several with + - * / and
numbers: "0.5 * cosine(0.1, 0, 900) + 1e-5". Names of other libraries have that before
them: "torch.StepLR(0.1, step_size=30)". A name and a colon in front are its label:
"base: cosine(0.1, 0, 900)". - reads EXPRs from standard input, one in each line.
`jaxsched list` shows what there is. Nothing in an EXPR is ever evaluated as code.
"""


if TYPE_CHECKING:  # generic from click 8.3 on
    _OfInt = click.ParamType[int]
else:
    _OfInt = click.ParamType


class Whole(_OfInt):
    """A whole number in any spelling: 10000, 10_000, 1e4."""

    name = "whole number"

    def __init__(self, least: int, most: int = 10**100):
        self.least = least
        self.most = most

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """The number, or a refusal that says what it must be."""
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal("nan")
        if not number.is_finite() or number != number.to_integral_value():
            self.fail(f"must be a whole number, got {value}", param, ctx)
        if not self.least <= number <= self.most:
            bound = f">= {self.least}" if number < self.least else f"<= {self.most}"
            self.fail(f"must be {bound}, got {value}", param, ctx)
        return int(number)


def _load(context: click.Context, option: click.Parameter, names: tuple[str]) -> None:
    """Imports modules, which register their schedules."""
    if names:  # as `python -m` does
        sys.path.insert(0, os.getcwd())
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:
            raise click.BadParameter(f"{name}: {error}") from error


def importing() -> click.Option:
    """The option --import, before a command and after it."""
    return click.Option(
        ["--import"],
        multiple=True,
        is_eager=True,
        callback=_load,
        expose_value=False,
        metavar="MODULE",
        help="A module that makes schedules of your own, to be known by name.",
    )


# -cosine(1, 0, 10) and -0.5 * cosine(1, 0, 10) are no options.
_NEGATIVE = re.compile(r"-\s*[\w.(][^(]*\(.*", re.S)


class Command(click.Command):
    """A command with --import, whose last words are an example of it.

    Args:
      example: Its arguments, a line for each call.
      **settings: Those of `click.Command`.
    """

    def __init__(self, *args: Any, example: str, **settings: Any):
        super().__init__(*args, **settings)
        self.example = example
        self.params.append(importing())

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Takes a negative schedule for an argument."""
        if any(isinstance(param, click.Argument) for param in self.params):
            args = [f" {arg}" if _NEGATIVE.fullmatch(arg) else arg for arg in args]
        return super().parse_args(ctx, args)

    def explains_expressions(self) -> bool:
        """Whether its help says what an EXPR is."""
        return any("EXPR" in (param.metavar or "") for param in self.params)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Shows what an EXPR is, and the example."""
        if self.explains_expressions():
            formatter.write_paragraph()
            formatter.write_text(EXPR)
        with formatter.section("Example"):
            for line in self.example.strip().splitlines():
                # Not wrapped: it is to be copied.
                formatter.write(f"  jaxsched {line}\n")


class Group(Command, click.Group):
    """The command of which the others are parts."""

    def explains_expressions(self) -> bool:
        """They take them."""
        return True

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """The command, or a hint where an expression stands in its place."""
        if self.get_command(ctx, args[0]) is None and "(" in args[0]:
            hint = f'jaxsched describe "{args[0]}"'
            raise click.UsageError(
                f"an expression follows a command, as in {hint}", ctx
            )
        return super().resolve_command(ctx, args)
