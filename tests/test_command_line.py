"""The command `jaxsched`: what it prints, draws and refuses."""

import csv
import json
import os
import re
import shlex
import subprocess
import sys
from inspect import getdoc
from pathlib import Path

import jax
import numpy as np
import pytest
from matplotlib import image
from reference import warmup_cosine as reference

import jaxsched as js
from jaxsched import command_line
from jaxsched.command_line import tables

ROOT = Path(__file__).parents[1]
SCRIPT = str(Path(sys.executable).with_name("jaxsched"))
EXPR = "warmup_cosine(3e-4, total_steps=10_000, warmup_steps=500)"


@pytest.fixture
def command(capsys):
    """Runs the command in this process; gives its status, output and errors."""

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            command_line.main(list(arguments))
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    platforms = jax.config.jax_platforms
    yield run
    jax.config.update("jax_platforms", platforms)


def in_shell(*arguments: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(arguments, capture_output=True, text=True, **options)


needs_float32 = pytest.mark.skipif(
    jax.config.jax_enable_x64, reason="pages show numbers in float32"
)


@pytest.mark.parametrize("start", [[SCRIPT], [sys.executable, "-m", "jaxsched"]])
def test_it_is_installed_under_both_names(start):
    """The script and the module are the same command."""
    done = in_shell(*start, "describe", EXPR)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{js.describe(js.parse(EXPR))}\n"
    wrong = in_shell(*start, "describe", "cosin(1)")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.splitlines()[1:] == ["  cosin(1)", "  ^"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_can_complete_it(shell):
    """Click's own completion is reached under the name of the command."""
    wanted = os.environ | {"_JAXSCHED_COMPLETE": f"{shell}_source"}
    done = in_shell(SCRIPT, env=wanted)
    assert f"_JAXSCHED_COMPLETE={shell}_complete" in done.stdout, done.stderr


def test_names_are_completed():
    """`jaxsched explain cos<TAB>`."""
    asked = {"COMP_WORDS": "jaxsched explain cos", "COMP_CWORD": "2"}
    asked |= {"_JAXSCHED_COMPLETE": "bash_complete"}
    done = in_shell(SCRIPT, env=os.environ | asked)
    names = [line.partition(",")[2] for line in done.stdout.splitlines()]
    assert names == ["cosine", "cosine_restarts"]


def test_describe_takes_several(command):
    """One description after another, all for a run of one length."""
    code, out, _ = command("describe", EXPR, "constant(0.1)", "--total-steps", "100")
    wanted = [js.describe(js.parse(EXPR), 100), js.describe(0.1, 100)]
    first, second = out.split("\n\n")
    assert (code, first) == (0, str(wanted[0]))
    assert second.splitlines()[1:] == str(wanted[1]).splitlines()[1:]


def test_export(command):
    """The text of `to_source`, to the letter."""
    code, out, err = command("export", EXPR, "--name", "rate")
    assert (code, out, err) == (0, js.to_source(js.parse(EXPR), name="rate"), "")
    assert "def rate(step):" in out


def test_rank(command):
    """The text of `planning.rank`; the length is that of the longest."""
    texts = ["linear(1, 0, 100)", "cosine(1, 0, 100)"]
    code, out, err = command("rank", *texts)
    schedules = {text: js.parse(text) for text in texts}
    assert (code, out, err) == (0, f"{js.planning.rank(schedules, 100)}\n", "")


def test_extend(command):
    """The text of `planning.extend`, and how to write each way."""
    tuned = "wsd(1.0, 400, 0, 80)"
    asked = ["extend", tuned, "--from", "400", "--to", "800", "--at", "320"]
    code, out, err = command(*asked)
    ways = js.planning.extend(js.parse(tuned), 400, 800, at=320)
    assert (code, err) == (0, "")
    assert out.startswith(f"{ways}\n")
    for way in ways:
        assert f"{way.name}:\n  {way.schedule}\n" in out
    _, out, err = command(*asked, "--decay-steps", "40")
    assert (
        str(js.planning.extend(js.parse(tuned), 400, 800, at=320, decay_steps=40))
        in out
    )
    finished = "cosine(1, 0, 400)"
    _, _, err = command("extend", finished, *asked[2:6], "--at", "390")
    assert "go on from a checkpoint before the decay" in err


def test_table_as_data(command):
    """CSV and JSON hold the same numbers, those of the formula."""
    asked = ["table", EXPR, "linear(1, 0, 7)", "--every", "3000"]
    code, out, _ = command(*asked, "--csv")
    header, *rows = csv.reader(out.splitlines())
    assert (code, header) == (0, ["step", EXPR, "linear(1, 0, 7)"])
    steps = np.array([0, 3000, 6000, 9000, 10_000])
    assert [int(row[0]) for row in rows] == steps.tolist()
    wanted = reference(3e-4, 10_000, 500)(steps)
    np.testing.assert_allclose([float(row[1]) for row in rows], wanted, rtol=1e-6)
    _, out, _ = command(*asked, "--json")
    numbers = [{k: float(v) for k, v in zip(header, row, strict=True)} for row in rows]
    assert json.loads(out) == numbers


def test_table_as_text(command):
    """As wide as needed; several columns are numbered."""
    _, out, _ = command("table", "linear(1, 0, 2)", "constant(0.1)")
    assert out.splitlines() == [
        "1: linear(1, 0, 2)",
        "2: constant(0.1)",
        "step    1    2",
        "   0    1  0.1",
        "   1  0.5  0.1",
        "   2    0  0.1",
    ]


def test_table_has_about_twenty_rows(command):
    """And always the end of the run."""
    _, out, _ = command("table", EXPR, "--total-steps", "999")
    steps = [int(line.split()[0]) for line in out.splitlines()[1:]]
    assert steps == [*range(0, 999, 49), 999]


def test_table_shows_as_few_digits_as_tell_a_float_apart(command):
    """0.1 and not 0.10000000149011612."""
    _, out, _ = command("table", "constant(0.1)", "--total-steps", "1", "--csv")
    assert out.splitlines()[1:] == ["0,0.1", "1,0.1"]


FORMS = {"text": [], "csv": ["--csv"], "json": ["--json"]}


@pytest.mark.parametrize("more", FORMS.values(), ids=FORMS)
def test_the_longest_table_is_printed_as_it_is_made(more):
    """What reads its beginning and goes away ends it, without a word."""
    asked = ["linear(1, 0, 9)", "--total-steps", str(2**31 - 1), "--every", "1", *more]
    start = [sys.executable, "-m", "jaxsched", "table", *asked]
    with subprocess.Popen(
        start, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        lines = [running.stdout.readline() for _ in range(100_000)]
        running.stdout.close()
        assert running.wait(60) == 1
        assert running.stderr.read() == b""
    assert re.search(rb"\b9999[89]\b", lines[-1])


@pytest.mark.parametrize("total", [*range(1, 14), 40])
@pytest.mark.parametrize("every", [1, 2, 3, 5, 10**40])
def test_a_table_in_blocks_is_the_same_table(total, every, command, monkeypatch):
    """Wherever a block ends: every row once, in each form, and nothing else."""
    monkeypatch.setattr(tables, "BLOCK", 4)
    exprs = ["linear(1, -1e-5, 30)", "constant(1e30)"]
    asked = ["table", *exprs, "--total-steps", str(total), "--every", str(every)]
    steps = [*range(0, total, every), total]
    wanted = [[k, js.linear(1, -1e-5, 30).at(k), 1e30] for k in steps]
    _, out, _ = command(*asked, "--csv")
    header, *rows = csv.reader(out.splitlines())
    assert header == ["step", *exprs]
    assert [[int(k), *map(float, rest)] for k, *rest in rows] == wanted
    _, out, _ = command(*asked, "--json")
    assert json.loads(out) == [dict(zip(header, row, strict=True)) for row in wanted]
    assert len(out.splitlines()) == len(wanted) + 2
    _, out, _ = command(*asked)
    lines = out.splitlines()[2:]
    shown = [[line.split()[0], *map(float, line.split()[1:])] for line in lines[1:]]
    rounded = [[str(k), *(float(f"{v:.6g}") for v in rest)] for k, *rest in wanted]
    assert shown == rounded
    assert len({len(line) for line in lines}) == 1  # columns


def test_files_hold_expressions(command, tmp_path):
    """One in each line, besides those of the command line."""
    file = tmp_path / "schedules.txt"
    text = "# baseline\r\nlinear(1, 0, 4)  # down\r\n\r\ncosine(1, 0, 4)"
    file.write_bytes(text.encode("utf-8-sig"))  # as some editors write it
    _, out, _ = command("table", "constant(1)", "-f", str(file), "--csv")
    wanted = ["step", "constant(1)", "linear(1, 0, 4)", "cosine(1, 0, 4)"]
    assert next(csv.reader(out.splitlines())) == wanted


def test_standard_input_is_a_file():
    """In a pipe."""
    asked = [sys.executable, "-m", "jaxsched", "table", "-f", "-", "--csv"]
    done = in_shell(*asked, input="linear(1, 0, 1)\n")
    assert done.stdout == 'step,"linear(1, 0, 1)"\n0,1.0\n1,0.0\n'


@pytest.mark.parametrize("more", [[], ["--log"]])
def test_plot_writes_a_picture(command, tmp_path, more):
    """It is not empty: the curves have their colours in it."""
    file = tmp_path / "curve.png"
    asked = ["plot", EXPR, "inverse_sqrt_decay(3e-4, 500)", "-o", str(file), *more]
    assert command(*asked)[0] == 0
    pixels = np.round(255 * image.imread(file)[..., :3]).astype(int)
    for colour in [(31, 119, 180), (255, 127, 14)]:  # matplotlib's first two
        assert np.all(pixels == colour, axis=-1).sum() > 200


def test_list_shows_every_public_schedule(command):
    """With the signature and the first line of the documentation."""
    _, out, _ = command("list")
    assert "\nDecays\n" in out
    for line in [
        "  warmup(schedule, steps, init_value=None, *, shape='linear', overlap=False)",
        "      A ramp to the start of a schedule, then the schedule from its step 0.",
    ]:
        assert line in out.splitlines()
    listed = {line.strip().partition("(")[0] for line in out.splitlines()}
    assert {"cosine", "wsd", "reduce_on_plateau", "rex"} <= listed


def test_explain_prints_the_documentation(command):
    """What `help` shows in Python, under the call."""
    _, out, _ = command("explain", "linear")
    assert out == f"linear(init_value, end_value, steps)\n\n{getdoc(js.linear)}\n"
    assert "Formula" in out


def test_schedules_of_ones_own(tmp_path):
    """A module beside the shell is imported, and its schedules are known by name."""
    source = (
        "import jaxsched as js\n\n\n@js.schedule\n"
        "def flat(step, value: js.Value):\n    '''Flat.'''\n    return value\n"
    )
    (tmp_path / "mine.py").write_text(source, "utf-8")
    start = [sys.executable, "-m", "jaxsched", "--import", "mine"]
    done = in_shell(
        *start, "table", "flat(2.0)", "--total-steps", "1", "--csv", cwd=tmp_path
    )
    assert done.stdout.splitlines()[1:] == ["0,2.0", "1,2.0"], done.stderr
    assert (
        "mine\n  flat(value)\n      Flat.\n"
        in in_shell(*start, "list", cwd=tmp_path).stdout
    )


WRONG = {
    "an unknown schedule": (
        ["describe", "warmup(cosin(1, 0, 10), 5)"],
        "jaxsched: there is no schedule 'cosin'; the nearest are cosine",
        "warmup(cosin(1, 0, 10), 5)",
        7,
    ),
    "a bad value": (
        ["table", "cosine(1, 0, steps=-3)"],
        "jaxsched: cosine: steps must be >= 0, got steps=-3",
        "cosine(1, 0, steps=-3)",
        19,
    ),
    "not an expression": (
        ["plot", "cosine(1, 0", "-o", "never.png"],
        "jaxsched: not an expression",
        "cosine(1, 0",
        6,
    ),
    "driven by a metric": (
        ["describe", "greedy(constant(1))", "--total-steps", "9"],
        "jaxsched: what is driven by a metric has no curve of its own",
        "greedy(constant(1))",
        0,
    ),
    "no schedule": (
        ["describe", "0.1"],
        "jaxsched: a schedule is a call such as linear(1, 0, 10)",
        "0.1",
        0,
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_errors_point_at_the_place(case, command):
    """One line, the text, and the place in it."""
    arguments, message, text, column = WRONG[case]
    code, out, err = command(*arguments)
    line, shown, pointer = err.splitlines()
    assert (code, out) == (2, "")
    assert line.startswith(message)
    assert (shown, pointer) == (f"  {text}", " " * (2 + column) + "^")


REFUSED = {
    "a last rate of 0": (
        ("rank", "linear(1, 0, 9)", "--total-steps", "10"),
        "schedules['linear(1, 0, 9)'] must be > 0 at the last step, 9",
    ),
    "no checkpoint": (
        ("extend", "constant(1)", "--from", "9", "--to", "20", "--at", "9"),
        "at must be < total_steps, got at=9",
    ),
    "no source": (
        ("export", "compounding_time_decay(0.1, 1e-12)"),
        "jaxsched: to_source: compounding_time_decay needs a table of over 100000",
    ),
    "no name": (("export", "constant(1)", "--name", "a b"), "name must be free"),
    "no expression": (["describe"], "give an EXPR"),
    "no end": (["plot", "constant(1)", "-o", "no.png"], "not known from constant(1)"),
    "no end of one": (["describe", EXPR, "constant(1)"], "not known from constant(1)"),
    "no length": (["describe", "linear(1, 0, 0)"], "not known from linear(1, 0, 0)"),
    "too long": (["table", EXPR, "--total-steps", str(2**31)], "not in the range"),
    "a folder": (["plot", EXPR, "-o", "."], "is a directory"),
    "no picture": (["plot", EXPR], "'--output'"),
    "no such kind": (["plot", EXPR, "-o", "no.foo"], "Format 'foo' is not supported"),
    "no such folder": (["plot", EXPR, "-o", "no/such/a.png"], "No such file"),
    "no such file": (["table", "-f", "no.txt"], "no.txt"),
    "no steps": (["table", EXPR, "--every", "0"], "0 is not in the range"),
    "no number": (["table", EXPR, "--total-steps", "x"], "'x' is not a valid"),
    "no such name": (["explain", "cosin"], "the nearest are cosine"),
    "no such command": (["draw"], "No such command 'draw'"),
    "no such module": (["--import", "no_such", "list"], "no_such"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_other_errors_are_one_line(case, command):
    """On standard error, naming the command; exit status 2."""
    arguments, message = REFUSED[case]
    code, _, err = command(*arguments)
    (line,) = err.splitlines()
    assert code == 2
    assert line.startswith("jaxsched")
    assert message in line


def test_errors_in_files_name_the_line(command, tmp_path):
    """Of the file, not of the expression."""
    file = tmp_path / "schedules.txt"
    file.write_text("constant(1)\n\n  linear(1, 0)\n", "utf-8")
    code, _, err = command("describe", "-f", str(file))
    line, shown, _ = err.splitlines()
    assert code == 2
    assert line.startswith(f"jaxsched: {file}, line 3: linear: ")
    assert shown == "  linear(1, 0)"
    file.write_bytes(b"\xff\xfe")
    assert command("describe", "-f", str(file))[0] == 2


def shown(page: Path) -> list[tuple[str, str]]:
    """The commands of a page's console blocks, each with what it is said to print."""
    blocks = re.findall(r"^```console\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)
    lines = [part for block in blocks for part in block.split("$ jaxsched ")[1:]]
    return [(first, rest) for first, _, rest in (x.partition("\n") for x in lines)]


PAGES = [ROOT / "README.md", ROOT / "docs" / "command_line.md"]
SHOWN = [example for page in PAGES for example in shown(page)]


@needs_float32
@pytest.mark.parametrize(("line", "printed"), SHOWN)
def test_pages_show_what_is_printed(line, printed, command, tmp_path, monkeypatch):
    """Every command of a page, to the letter."""
    monkeypatch.chdir(tmp_path)
    _, out, err = command(*shlex.split(line))
    assert out + err == printed


@pytest.mark.parametrize(
    "name",
    ["", "describe", "plot", "table", "export", "rank", "extend", "list", "explain"],
)
def test_help_is_everywhere(name, command):
    """Also without any argument at all."""
    asked = [name] if name else []
    for flag in ("-h", "--help"):
        code, out, _ = command(*asked, flag)
        assert (code, out.split()[:2]) == (0, ["Usage:", "jaxsched"])
    assert command()[1].startswith("Usage: jaxsched")
