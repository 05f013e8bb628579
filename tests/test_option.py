"""Schedules as options of a program: argparse and click show what is wrong, and where."""

import argparse
import pickle
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

import jaxsched as js

TEXT = "warmup(cosin(0.1, 0.0, 90), 10)"
pytestmark = pytest.mark.usefixtures("only_package_rules")

REASON = "there is no schedule 'cosin'; the nearest is cosine"
POINTER = f"  {TEXT}\n         ^"


def shows_all(shown: str) -> bool:
    """Whether a program printed the whole message with its pointer."""
    return REASON in shown and POINTER in shown


def parser(**options) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="train", **options)
    made.add_argument("--schedule", type=js.parse)
    return made


def test_argparse_reads_a_schedule():
    given = parser().parse_args(["--schedule", "linear(1, 0, 10)"])
    assert given.schedule == js.linear(1.0, 0.0, 10)


@pytest.mark.parametrize("text", [TEXT, "linear(1, 0, steps=-5)", "linear(", "5", ""])
def test_argparse_shows_the_whole_message(text, capsys):
    with pytest.raises(ValueError, match="parse: ") as caught:
        js.parse(text)
    with pytest.raises(SystemExit):
        parser().parse_args(["--schedule", text])
    assert f"argument --schedule: {caught.value}" in capsys.readouterr().err


def test_argparse_shows_it_for_a_default_and_a_subcommand(capsys):
    made = argparse.ArgumentParser()
    made.add_argument("schedules", nargs="*", type=js.parse)
    with pytest.raises(SystemExit):
        made.parse_args(["constant(1)", TEXT])
    assert shows_all(capsys.readouterr().err)
    named = argparse.ArgumentParser(exit_on_error=False)
    named.add_argument("--rate", type=js.parse, default=TEXT)
    with pytest.raises(argparse.ArgumentError, match="there is no schedule 'cosin'"):
        named.parse_args([])


def fails(text: str) -> None:
    raise ValueError("the message")


def click_shows_messages() -> bool:
    """Whether click shows what a ValueError says; before 8.4 it showed the value."""
    with pytest.raises(click.BadParameter) as caught:
        click.types.convert_type(fails).convert("the value", None, None)
    return caught.value.message == "the message"


def test_click_shows_the_whole_message():
    @click.command()
    @click.option("--schedule", type=js.parse)
    def train(schedule):
        click.echo(repr(schedule))

    read = CliRunner().invoke(train, ["--schedule", "constant(1)"])
    assert read.output == "constant(value=1.0)\n"
    refused = CliRunner().invoke(train, ["--schedule", TEXT])
    assert refused.exit_code == 2
    assert "--schedule" in refused.output
    assert shows_all(refused.output) == click_shows_messages()


def test_the_error_is_a_value_error_anywhere():
    """Caught as one, and carried between processes."""
    with pytest.raises(ValueError, match="cosin") as caught:
        js.parse(TEXT)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (type(copy), str(copy)) == (type(caught.value), str(caught.value))


@pytest.mark.slow
def test_the_import_brings_no_library():
    """What it takes from the standard library JAX has imported before."""
    code = "import jax, optax, sys; assert 'argparse' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
