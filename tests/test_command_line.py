"""The command `jaxsched`: what it prints, draws and refuses."""

import csv
import difflib
import importlib.util
import io
import json
import os
import re
import shlex
import subprocess
import sys
from inspect import getdoc
from pathlib import Path

import click
import jax
import numpy as np
import pytest
from cases import ONE_OF_EACH, thorough
from matplotlib import image
from reference import warmup_cosine as reference

import jaxsched as js
from jaxsched import command_line
from jaxsched.command_line import tables
from jaxsched.command_line.commands import cli
from jaxsched.command_line.options import Whole
from jaxsched.command_line.peers import LIBRARIES, PEERS, schedules_of
from jaxsched.command_line.reader import read
from jaxsched.shapes import shapes

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


def commands(metavar: str) -> list[str]:
    """The commands that have an argument of this kind."""
    return [
        name
        for name, command in cli.commands.items()
        if any(metavar in (param.metavar or "") for param in command.params)
    ]


TAKE_ONE = ["export", "extend"]
TAKE_ANY = [name for name in commands("EXPR") if name not in TAKE_ONE]


@pytest.mark.parametrize("name", [*commands("EXPR"), "explain"])
def test_names_are_completed(name, command, capsys):
    """`jaxsched explain cos<TAB>`, and inside of an EXPR of every command."""
    param = next(p for p in cli.commands[name].params if p.name in ("expr", "name"))
    context = click.Context(cli.commands[name])

    def offered(begun: str) -> list[str]:
        return [item.value for item in param.shell_complete(context, begun)]

    assert offered("cos") == ["cosine", "cosine_restarts"]
    assert offered("0.5 * warmup(slan") == ["0.5 * warmup(slanted_triangular"]
    assert offered("cosine(0.1, 0, 10) + step_d") == ["cosine(0.1, 0, 10) + step_decay"]
    assert offered("base: js.slan") == ["base: js.slanted_triangular"]
    assert offered("base: wavve") == []
    assert offered("swi") == ["swin"]
    assert offered("torch.St") == ["torch.StepLR"]
    assert {"tanh", "torch.StepLR", "timm.StepLRScheduler"} <= set(offered("t"))
    assert {f"warmup({name}" for name in js.Schedule.operators} & set(
        offered("warmup(")
    ) == set()
    assert "warmup(cosine" in offered("warmup(")
    assert offered("cosine(0.1, 10") == []


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["explain", "cos"], ["cosine", "cosine_restarts"]),
        (
            ["table", "--every", "5", "'warmup(cos"],
            ["warmup(cosine", "warmup(cosine_re"],
        ),
        (["describe", "-", "swi"], ["swin"]),  # and nothing is read
        (["describe", "-f", "-", '"swi'], ["swin"]),
    ],
)
def test_bash_is_offered_names(words, offered):
    """What the shell itself asks, quotation marks included."""
    asked = {
        "COMP_WORDS": "\n".join(["jaxsched", *words]),
        "COMP_CWORD": str(len(words)),
    }
    asked |= {"_JAXSCHED_COMPLETE": "bash_complete"}
    done = in_shell(SCRIPT, env=os.environ | asked, timeout=60)
    lines = done.stdout.splitlines()
    assert len(lines) == len(offered), done.stderr
    for line, begin in zip(lines, offered, strict=True):
        assert line.startswith(f"plain,{begin}")


def test_describe_takes_several(command):
    """One description after another, all for a run of one length."""
    code, out, _ = command("describe", EXPR, "constant(0.1)", "--total-steps", "100")
    wanted = [js.describe(js.parse(EXPR), 100), js.describe(0.1, 100)]
    first, second = out.split("\n\n")
    assert (code, first) == (0, str(wanted[0]))
    assert second.splitlines()[1:] == str(wanted[1]).splitlines()[1:]


def calls_of_peers() -> list[str]:
    """A call of every function of every library, as one types it here."""
    spec = importlib.util.spec_from_file_location(
        "migration", ROOT / "docs" / "migration.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules["migration"] = module  # its classes look for it
    spec.loader.exec_module(module)
    found = []
    for library, page in module.PAGES.items():
        names = "|".join(schedules_of(library))
        for call in page.calls:
            found.append(re.sub(rf"\b({names})\(", rf"{library}.\1(", call))
    return found


# What is no expression: live objects, the momentum, code, any number of arguments.
NO_TEXT = ("from_", ".momentum(", " for p in ", "lambda", "get_reduce_on_plateau")
NO_CURVE = ("Plateau", "plateau", "greedy")
CALLS = [call for call in calls_of_peers() if not any(w in call for w in NO_TEXT)]


def test_every_schedule_of_a_library_is_tried():
    """Each function that makes a schedule of the step stands in a call."""
    for library in LIBRARIES:
        for name in schedules_of(library):
            if name != "sgdr_schedule":
                assert any(f"{library}.{name}(" in call for call in CALLS), name


@pytest.mark.parametrize("call", thorough(CALLS, CALLS[::3]))
def test_names_of_other_libraries_are_read(call, command):
    """What is printed is the schedule in our own words."""
    code, out, err = command("table", call, "--total-steps", "9", "--csv")
    if any(word in call for word in NO_CURVE):
        assert code == 2
        assert "a metric-driven schedule has no curve" in err
        return
    assert (code, err) == (0, "")
    assert len(out.splitlines()) == 11


@pytest.mark.parametrize(
    "text",
    [
        "torch.StepLR(0.1, step_size=30)",
        "torch.optim.lr_scheduler.StepLR(0.1, 30)",
        "jaxsched.compat.torch.StepLR(0.1, step_size=30)",
        "timm.scheduler.StepLRScheduler(0.1, decay_t=30, decay_rate=0.1)",
        "tf.keras.optimizers.schedules.ExponentialDecay(0.1, 30, 0.1, staircase=True)",
        "0.1 * js.step_decay(1, 0.1, 30)",
        "-step_decay(-0.1, 0.1, every=30)",
        "-0.5 * step_decay(-0.2, 0.1, every=30) + 0",
        "(step_decay(0.1, 0.1, 30) + 0.5) - 0.5",
        "warmup(torch.StepLR(0.1, 30), 0)",
    ],
)
@pytest.mark.parametrize("name", TAKE_ANY)
def test_every_command_reads_the_same_expressions(name, text, command, tmp_path):
    """Operators and other libraries' names, from wherever an expression comes."""
    more = ["-o", str(tmp_path / "a.svg")] if name == "plot" else []
    code, _, err = command(name, text, text, "--total-steps", "40", *more)
    if name == "rank" and code == 2:
        assert "must be > 0" in err
    else:
        assert (code, err) == (0, "")


@pytest.mark.parametrize("name", TAKE_ONE)
def test_commands_of_one_schedule_read_the_same(name, command):
    """The same expressions, with a label or without."""
    more = ["--from", "4e1", "--to", "6_0", "--at", "30"] if name == "extend" else []
    for text in ["torch.LinearLR(0.1, 0.5, total_iters=9)", "it: 2 * constant(0.5)"]:
        code, out, _ = command(name, text, *more)
        assert code == 0
        assert out


def test_sgdr_is_read_from_dicts(command):
    """A list of dicts, as Optax takes it."""
    part = "{'init_value': 0.0, 'peak_value': 0.1, 'warmup_steps': 2, 'decay_steps': 9}"
    code, out, _ = command("describe", f"optax.sgdr_schedule([{part}, {part}])")
    assert code == 0
    assert "run of 18 steps" in out


def test_compare(command):
    """The text of `js.compare`, under both names."""
    one, two = "cosine(1, 0, 9)", "linear(1, 0, 9)"
    code, out, _ = command("compare", one, f"straight: {two}", "--at", "5")
    found = js.compare(js.parse(one), js.parse(two), at=5)
    assert (code, out) == (0, f"first: {one}\nsecond: straight\n{found}\n")
    _, out, _ = command("compare", one, one, "--total-steps", "1e1")
    assert "they are the same schedule" in out
    for given in ([one], [one, two, one]):
        code, _, err = command("compare", *given)
        assert code == 2
        assert f"give two EXPRs, got {len(given)}" in err


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


WHOLE = [
    (name, param)
    for name, command in cli.commands.items()
    for param in command.params
    if isinstance(param.type, Whole)
]


def test_every_number_is_a_whole_one():
    """No option reads numbers in another way."""
    numbers = ("integer", "integer range", "float", "float range")
    params = [p for command in cli.commands.values() for p in command.params]
    assert not [param for param in params if param.type.name in numbers]
    assert len(WHOLE) > 8


@pytest.mark.parametrize(("name", "param"), WHOLE, ids=lambda x: getattr(x, "name", x))
def test_whole_numbers_are_read_as_they_are_written(name, param, command):
    """1e4 and 10_000; what is none is refused in a sentence."""
    for text in ["10000", "10_000", "1e4", "1E4", "1.0e4", "10000.0", " 10000"]:
        assert param.type.convert(text, param, None) == 10_000
    for text in [
        "1.5",
        "1e-3",
        "x",
        "nan",
        "inf",
        "",
        "1e",
        "10,000",
        "-1",
        "1e999999999",
    ]:
        code, _, err = command(name, param.opts[0], text)
        assert code == 2
        (line,) = err.splitlines()
        assert f"got {text}" in line
        assert param.opts[0] in line


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


LABELS = """
base: linear(1, 0, 4)
half: 0.5 * torch.StepLR(1, 2)  # of PyTorch
two words 3e-4: transition(1, 0, 4, shape="cosine")
optax.piecewise_constant_schedule(1, {2: 0.5})
"""
NAMED = [
    "base",
    "half",
    "two words 3e-4",
    "optax.piecewise_constant_schedule(1, {2: 0.5})",
]


def test_files_have_labels(command, tmp_path, monkeypatch):
    """Tables, plots, comparisons, descriptions and rankings use them."""
    file = tmp_path / "schedules.txt"
    file.write_text(LABELS, "utf-8")
    asked = ["-f", str(file), "--total-steps", "4"]
    _, out, _ = command("table", *asked, "--csv")
    assert next(csv.reader(out.splitlines())) == ["step", *NAMED]
    _, out, _ = command("table", *asked, "--json")
    assert list(json.loads(out)[0]) == ["step", *NAMED]
    _, out, _ = command("table", *asked)
    assert out.splitlines()[:4] == [f"{i}: {name}" for i, name in enumerate(NAMED, 1)]
    _, out, _ = command("describe", *asked)
    assert [part.splitlines()[0] for part in out.split("\n\n")][:2] == [
        "base:",
        "half:",
    ]
    drawn, plot = [], js.plot

    def watched(schedules, *rest, **more):
        drawn.append(schedules)
        return plot(schedules, *rest, **more)

    monkeypatch.setattr(js, "plot", watched)
    command("plot", *asked, "-o", str(tmp_path / "a.svg"))
    assert list(drawn[0]) == NAMED
    file.write_text("a: linear(1, 0.5, 4)\nb: linear(1, 0.2, 4)\n", "utf-8")
    _, out, _ = command("compare", "-f", str(file))
    assert out.startswith("first: a\nsecond: b\n")
    _, out, _ = command("rank", "-f", str(file))
    assert {line.split()[-1] for line in out.splitlines()[1:]} == {"a", "b"}
    _, out, _ = command("table", "-f", str(file), "a: constant(1)")
    assert out.splitlines()[0].split() == ["step", "a", "a", "#2", "b"]


@pytest.mark.parametrize("name", TAKE_ANY)
@pytest.mark.parametrize("asked", [["-"], ["-f", "-"]])
def test_standard_input_is_read(name, asked, command, monkeypatch, tmp_path):
    """By every command, labels and comments and all."""
    monkeypatch.chdir(tmp_path)
    text = b"# two\n\nbase: linear(1, 0.5, 4)\ncosine(1, 0.5, 4)\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text), "utf-8"))
    code, _, err = command(name, *asked)
    assert (code, err) == (0, "")
    monkeypatch.setattr(
        sys, "stdin", io.TextIOWrapper(io.BytesIO(b"linear(1"), "utf-8")
    )
    code, _, err = command(name, *asked)
    assert code == 2
    assert "standard input, line 1: not an expression" in err
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\n"), "utf-8"))
    code, _, err = command(name, *asked)
    assert (code, "give an EXPR" in err) == (2, True)


@pytest.mark.parametrize("name", TAKE_ONE)
def test_one_schedule_is_read_from_standard_input(name, command, monkeypatch):
    """One, and no more."""
    more = ["--from", "40", "--to", "60", "--at", "30"] if name == "extend" else []
    for text, wanted in [(b"constant(1)\n", 0), (b"constant(1)\nconstant(2)\n", 2)]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text), "utf-8"))
        assert command(name, "-", *more)[0] == wanted


def test_standard_input_is_a_file():
    """In a pipe."""
    asked = [sys.executable, "-m", "jaxsched", "table", "-", "--csv"]
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


KINDS = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


@pytest.mark.parametrize("kind", [None, *KINDS])
def test_plot_without_a_file_says_what_it_writes(kind, command, tmp_path, monkeypatch):
    """A picture in this folder."""
    monkeypatch.chdir(tmp_path)
    more = ["--format", kind] if kind else []
    code, out, _ = command("plot", EXPR, *more)
    name = f"jaxsched.{kind or 'png'}"
    assert (code, out) == (0, f"wrote {name}\n")
    assert (tmp_path / name).read_bytes().startswith(KINDS[kind or "png"])
    code, out, _ = command("plot", EXPR, "-o", "curve", *more)
    assert (code, out) == (0, f"wrote curve.{kind or 'png'}\n")
    code, out, _ = command("plot", EXPR, "-o", name, *more)
    assert (code, out) == (0, "")


@pytest.mark.parametrize("kind", thorough([None, *KINDS], [None, "svg"]))
def test_plot_draws_to_standard_output(kind):
    """The picture and nothing else."""
    asked = [sys.executable, "-m", "jaxsched", "plot", EXPR, "-o", "-"]
    asked += ["--format", kind] if kind else []
    done = subprocess.run(asked, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(KINDS[kind or "png"])


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


def listed(out: str) -> set[str]:
    """The names that a list shows."""
    return set(re.findall(r"^  ([\w.]+)\(", out, re.M))


def test_list_finds_by_name_and_by_summary(command):
    """In any case; several words must all be there; other libraries' names as well."""
    everything = listed(command("list")[1])
    assert everything >= {"cosine", "swin", "rex", "loss_warmup"}
    found = listed(command("list", "plateau")[1])
    assert "reduce_on_plateau" in found
    assert "torch.ReduceLROnPlateau" in found
    assert found & everything == {"reduce_on_plateau"}
    assert listed(command("list", "METRIC", "improving")[1]) >= {"reduce_on_plateau"}
    assert "cosine_restarts" in listed(command("list", "cosine")[1])
    assert "triangular" in listed(command("list", "angular", "rates")[1])
    assert "triangular" not in listed(command("list", "own")[1])  # "down" is another
    for library in LIBRARIES:
        shown = {f"{library}.{name}" for name in schedules_of(library)}
        assert shown <= listed(command("list", library)[1])
        assert library in command("list")[1].splitlines()[-1]
    code, _, err = command("list", "zzz", "plateau")
    assert (code, err) == (
        2,
        "jaxsched list: no schedule has 'zzz' and 'plateau' in its name or summary; "
        "jaxsched list shows all\n",
    )


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["list", "lr", "finder"], "in Python there is js.lr_range_test; "),
        (
            ["explain", "lr_range_test"],
            "a function, not a schedule: see help(jaxsched.",
        ),
        (
            ["describe", "js.plot(1)"],
            "js.plot is a function, not a schedule: see help(",
        ),
        *((["explain", x], f"{x} is a library, not a schedule") for x in LIBRARIES),
        (
            ["describe", "torch(1)"],
            "torch is a library, not a schedule: see jaxsched list",
        ),
        (
            ["describe", "-f", os.devnull],
            "there is none in what was given; give an EXPR",
        ),
        (["compare"], "give an EXPR, or -f and a file of EXPRs"),
    ],
)
def test_what_is_no_schedule_is_pointed_to(command, argv, said):
    code, _, err = command(*argv)
    assert code in (1, 2)
    assert said in err


def test_what_is_listed_is_explained(command):
    """Every name, those of other libraries too."""
    for library in [None, *LIBRARIES]:
        for name in listed(command("list", *([library] if library else []))[1]):
            code, out, _ = command("explain", name)
            assert code == 0
            assert out.startswith(f"{name}(")


def test_explain_prints_the_documentation(command):
    """What `help` shows in Python, under the call."""
    _, out, _ = command("explain", "linear")
    assert out == f"linear(init_value, end_value, steps)\n\n{getdoc(js.linear)}\n"
    assert "Formula" in out


def test_schedules_of_ones_own(tmp_path):
    """A module beside the shell is imported, and its schedules are known by name."""
    source = (
        "import jaxsched as js\n\n\n@js.schedule\n"
        "def flat(step, value: js.Value):\n    '''Flat.'''\n    return value\n\n\n"
        "@js.schedule\ndef half(step):\n    '''Half.'''\n    return 0.5\n"
    )
    (tmp_path / "mine.py").write_text(source, "utf-8")
    start = [sys.executable, "-m", "jaxsched", "--import", "mine"]
    done = in_shell(
        *start, "table", "flat(2.0)", "--total-steps", "1", "--csv", cwd=tmp_path
    )
    assert done.stdout.splitlines()[1:] == ["0,2.0", "1,2.0"], done.stderr
    for asked in (["describe", "--import", "mine"], ["--import", "mine", "describe"]):
        after = in_shell(
            *start[:3], *asked, "x: flat(2.0)", "--total-steps", "9", cwd=tmp_path
        )
        assert after.stdout.startswith("x:\nflat(value=2.0)\n"), after.stderr
    listed = in_shell(*start, "list", cwd=tmp_path).stdout
    assert "mine\n  flat(value)\n      Flat.\n  half()\n      Half.\n" in listed
    assert "\n  'sqrt'\n" in listed  # a shape, which a call names in quotes


@pytest.mark.parametrize("name", list(cli.commands))
def test_modules_are_imported_before_and_after_the_command(name, command, monkeypatch):
    """Wherever --import stands, the expression knows what the module made."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    for where in range(2):
        words = [name, "--import", "no_such_module"]
        code, _, err = command(*(words if where else [*words[1:], name]))
        assert code == 2
        assert "no_such_module" in err


@pytest.mark.parametrize("name", [*commands("EXPR"), "explain"])
@pytest.mark.usefixtures("only_package_rules")
def test_an_unknown_name_points_to_import(name, command):
    """And to where another library has it, but not to what is nothing like it."""
    more = ["--from", "40", "--to", "60", "--at", "30"] if name == "extend" else []
    _, _, err = command(name, "sawtoth" if name == "explain" else "sawtoth(1)", *more)
    assert "--import MODULE makes your own known" in err.splitlines()[0]
    _, _, err = command(name, "StepLR" if name == "explain" else "StepLR(1)", *more)
    assert "there is torch.StepLR" in err.splitlines()[0]
    _, _, err = command(
        name, "torch.StepL" if name == "explain" else "torch.StepL(1)", *more
    )
    assert "the nearest is torch.StepLR" in err.splitlines()[0]


CORE = [name for name in js.__all__ if hasattr(getattr(js, name), "__rule__")]
SHAPES = {rule.name for rule in shapes.rules() if rule.is_own}


@pytest.mark.parametrize("name", sorted(set(CORE) - SHAPES))
@pytest.mark.usefixtures("only_package_rules")
def test_a_misspelt_schedule_is_named_first(name):
    """Whichever letter is missing, doubled or in the place of the next."""
    misspelt = {name[:i] + name[i + 1 :] for i in range(len(name))}
    misspelt |= {name[:i] + name[i] + name[i:] for i in range(len(name))}
    misspelt |= {
        name[:i] + name[i + 1] + name[i] + name[i + 2 :] for i in range(len(name) - 1)
    }
    for wrong in sorted(misspelt - {name}):
        with pytest.raises(ValueError, match="there is no schedule") as caught:
            js.parse(f"{wrong}(1)")
        assert re.search(rf"; the nearest (is|are) {name}\b", str(caught.value)), wrong


@pytest.mark.usefixtures("only_package_rules")
def test_published_schedules_do_not_crowd_the_others(command):
    """Cosin is cosine and nothing else."""
    _, _, err = command("describe", "cosin(1, 0, 9)")
    assert "; the nearest is cosine; " in err
    _, _, err = command("describe", "deepsek_v3()")
    assert "the nearest are deepseek_v3" in err


FOREIGN = """
cosine: lr=init_value learning_rate=init_value base_lr=init_value max_lr=init_value
  initial_lr=init_value start=init_value end=end_value min_lr=end_value eta_min=end_value
  final_lr=end_value lr_min=end_value T_max=steps total_iters=steps num_steps=steps
  epochs=steps decay_steps=steps t_initial=steps transition_steps=steps exponent=power
  k_decay=time_power stepz=steps warmup=None gamma=None zzz=None
warmup_cosine: lr=peak_value max_lr=peak_value peak_lr=peak_value base_lr=peak_value
  warmup=warmup_steps num_warmup_steps=warmup_steps warmup_epochs=warmup_steps
  warmup_t=warmup_steps num_training_steps=total_steps T_max=total_steps
  max_steps=total_steps min_lr=end_value end=end_value init_lr=init_value
  warmup_start_lr=init_value warmup_lr_init=init_value initial_learning_rate=init_value
warmup: lr=schedule scheduler=schedule warmup=steps num_warmup_steps=steps
  warmup_steps=steps warmup_iters=steps start_lr=init_value
cooldown: cooldown_steps=steps decay_steps=steps start=schedule min_lr=end_value
  decay_start=begin
wsd: num_decay_steps=decay_steps decay_type=shape lr=peak_value min_lr=end_value
step_decay: lr=init_value gamma=factor decay_rate=factor step_size=every period=every
multistep: lr=init_value milestones=boundaries gamma=factor
exponential_decay: gamma=factor decay_rate=factor decay_steps=steps lr=init_value
natural_exponential_decay: gamma=rate decay_rate=rate
cosine_restarts: T_0=steps T_mult=length_factor eta_min=end_value lr=peak_value
  first_decay_steps=steps t_mul=length_factor m_mul=peak_factor num_cycles=limit
triangular: base_lr=min_value max_lr=max_value step_size_up=up_steps
  step_size_down=down_steps gamma=factor
polynomial: power_=power lr_end=end_value
clip: min_lr=min_value max_lr=max_value floor=min_value
noam: d_model=model_size warmup=warmup_steps
join: schedulers=schedules milestones=boundaries
constant: lr=value
reduce_on_plateau: min_lr=min_value scheduler=schedule gamma=factor
torch.StepLR: stepsize=step_size period=step_size learning_rate=lr decay_rate=gamma
"""


def foreign() -> list[tuple[str, str, str]]:
    """Schedule, argument and what is meant by it."""
    texts = re.findall(r"^([\w.]+): ((?:.+\n(?:  .*\n)*))", FOREIGN, re.M)
    pairs = [(name, pair.split("=")) for name, text in texts for pair in text.split()]
    return [(name, wrong, meant) for name, (wrong, meant) in pairs]


@pytest.mark.parametrize(("name", "wrong", "meant"), foreign())
def test_foreign_arguments_lead_to_ours(name, wrong, meant, command):
    """The caret stands under the name, and the hint is an argument of the schedule."""
    text = f"{name}({wrong}=0.1)"
    code, _, err = command("describe", text)
    line, shown, caret = err.splitlines()
    assert code == 2
    assert (shown, caret) == (f"  {text}", " " * (3 + len(name)) + "^")
    if meant == "None":
        assert "did you mean" not in line
        assert f"; use {name}(" in line
    else:
        assert f"unknown argument '{wrong}' (did you mean '{meant}'?)" in line


def test_whatever_is_meant_is_an_argument_that_is_not_given():
    """For the arguments of all libraries and all our schedules."""
    rules = [made.__rule__ for lib in LIBRARIES for made in schedules_of(lib).values()]
    for name in CORE:
        rule = getattr(js, name).__rule__
        for wrong in {argument for other in rules for argument in other.domains}:
            if wrong in rule.domains:
                continue
            first = next(iter(rule.domains))
            with pytest.raises(TypeError) as caught:
                rule.constructor(**{first: 0.1, wrong: 0.1})
            for meant in re.findall(r"did you mean '(\w+)'", str(caught.value)):
                slip = difflib.SequenceMatcher(None, meant, wrong).ratio() >= 0.8
                assert meant in rule.domains
                assert meant != first or slip, (name, wrong)


def test_a_part_of_something_is_told_from_the_thing():
    """Alpha is a factor, end_value is none."""
    for text, words in {
        "cosine(0.1, alpha=0.1)": "'end_value', which is a value and no factor?",
        "wsd(0.1, warmup_ratio=0.1)": "'warmup_steps', which are steps and no fraction?",
    }.items():
        with pytest.raises(ValueError, match=re.escape(words)):
            js.parse(text)


def caret(text: str) -> str:
    """What stands at the caret of an error, and after it."""
    with pytest.raises(ValueError, match="parse: ") as caught:
        read(text)
    _, shown, pointer = str(caught.value).rsplit("\n", 2)
    return shown[pointer.index("^") :]


ALL = {name: getattr(js, name) for name in CORE} | dict(PEERS)


@pytest.mark.parametrize("name", ALL)
def test_carets_stand_under_wrong_names(name):
    """For every argument of every schedule; and under one too many, or given twice."""
    rule = ALL[name].__rule__
    arguments = [f"{argument}='x'" for argument in rule.domains]
    call = f"transition(1, 0, 9, shape={name}(%s))" if name in SHAPES else f"{name}(%s)"
    for i, argument in enumerate(arguments):
        misspelt = [*arguments[:i], f"x{argument}", *arguments[i + 1 :]]
        assert caret(call % ", ".join(misspelt)).startswith(f"x{argument}")
        assert caret(call % f"{argument}, {argument}, zzz=1").startswith(argument)
    assert caret(call % f"1, 2, {arguments[0]}").startswith(arguments[0])
    params = rule.signature.parameters.values()
    ordered = [p for p in params if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert caret(call % f"{'1, ' * len(ordered)}77, 8").startswith("77, 8")


@pytest.mark.parametrize("case", ONE_OF_EACH, ids=str)
def test_carets_stand_under_bad_values(case):
    """For every argument of every schedule, in its place and by its name."""
    shown = {
        k: v for k, v in case.kwargs.items() if not callable(v) or hasattr(v, "at")
    }
    for bad in shown:
        values = {k: "'¦'" if k == bad else repr(v) for k, v in shown.items()}
        text = f"{case.name}({', '.join(f'{k}={v}' for k, v in values.items())})"
        if "array(" in text:  # as NumPy writes one, not as it is read
            continue
        assert caret(text).startswith("'¦'"), text


WRONG = {
    "an unknown schedule": (
        ["describe", "warmup(cosin(1, 0, 10), 5)"],
        "jaxsched: there is no schedule 'cosin'; the nearest is cosine; --import",
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
        "jaxsched: a metric-driven schedule has no curve: give the schedule inside it",
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
@pytest.mark.usefixtures("only_package_rules")
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
        "jaxsched: to_source: compounding_time_decay would need a table of more than "
        "100000 values",
    ),
    "no name": (("export", "constant(1)", "--name", "a b"), "name must be free"),
    "no command": (
        ("cosine(0.1, 0, 9)",),
        'as in jaxsched describe "cosine(0.1, 0, 9)"',
    ),
    "no expression": (["describe"], "give an EXPR"),
    "no end": (["rank", "constant(1)"], "constant(1) does not say how long a run is"),
    "no length": (
        ["rank", "linear(1, 0, 0)"],
        "linear(1, 0, 0) does not say how long a run is",
    ),
    "too long": (["table", EXPR, "--total-steps", str(2**31)], "must be <= 2147483647"),
    "a folder": (["plot", EXPR, "-o", "."], "is a directory"),
    "no such kind": (["plot", EXPR, "-o", "no.foo"], "Format 'foo' is not supported"),
    "no such folder": (["plot", EXPR, "-o", "no/such/a.png"], "no folder no/such"),
    "no such file": (["table", "-f", "no.txt"], "no.txt"),
    "no steps": (["table", EXPR, "--every", "0"], "must be >= 1, got 0"),
    "no number": (
        ["table", EXPR, "--total-steps", "x"],
        "must be a whole number, got x",
    ),
    "no such name": (["explain", "cosin"], "the nearest is cosine; --import"),
    "a kind and another": (
        ["plot", EXPR, "-o", "a.svg", "--format", "png"],
        "--format png does not match the name of --output a.svg",
    ),
    "two forms": (["table", EXPR, "--csv", "--json"], "--csv or --json, not both"),
    "two forms, twice": (["table", "--json", "--csv", EXPR], "--csv or --json"),
    "no such command": (["draw"], "No such command 'draw'"),
    "no such module": (["--import", "no_such", "list"], "no_such"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.usefixtures("only_package_rules")
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
@pytest.mark.usefixtures("only_package_rules")
def test_pages_show_what_is_printed(line, printed, command, tmp_path, monkeypatch):
    """Every command of a page, to the letter."""
    monkeypatch.chdir(tmp_path)
    _, out, err = command(*shlex.split(line))
    assert out + err == printed


@pytest.mark.parametrize("name", ["", *cli.commands])
def test_help_is_everywhere(name, command):
    """Also without any argument at all."""
    asked = [name] if name else []
    for flag in ("-h", "--help"):
        code, out, _ = command(*asked, flag)
        assert (code, out.split()[:2]) == (0, ["Usage:", "jaxsched"])
    assert command()[1].startswith("Usage: jaxsched")


@pytest.mark.parametrize("name", ["", *cli.commands])
def test_help_has_examples_that_work(name, command, monkeypatch, tmp_path):
    """One at least, and where an EXPR is taken it says what that is."""
    monkeypatch.chdir(tmp_path)
    _, out, _ = command(*([name] if name else []), "--help")
    examples = re.findall(r"^ +jaxsched (.*)$", out.partition("Example:")[2], re.M)
    assert examples
    for example in examples:
        code, _, err = command(*shlex.split(example))
        assert (code, err) == (0, ""), example
        assert example.startswith(name)
    if name in ["", *commands("EXPR")]:
        assert "An EXPR is the call that makes a schedule" in " ".join(out.split())


def test_help_names_expressions_that_are_read(command):
    """What stands between quotation marks in the explanation."""
    _, out, _ = command("describe", "--help")
    explanation = " ".join(out.partition("An EXPR is")[2].split())
    texts = re.findall(r'"([^"]*\([^"]*)"', explanation)
    assert len(texts) > 4
    for text in texts:
        assert command("describe", text, "--total-steps", "9")[0] == 0


def test_what_never_ends_is_shown_for_a_while(command, tmp_path, monkeypatch):
    """As in Python: the length is chosen, and said."""
    monkeypatch.chdir(tmp_path)
    out = command("describe", "noam(512, 4000)")[1]
    assert "! it has no end: these are its first 67_000 steps" in out
    rows = command("table", "step_decay(1, 0.5, every=30000)", "--every", "30000")[1]
    steps = [line.split()[0] for line in rows.splitlines()]
    assert steps == ["step", "0", "30000", "60000", "90000", "120000"]
    assert command("plot", "noam(512, 4000)")[0] == 0
    assert "most at step" in command("compare", "noam(512, 4000)", "noam(512, 400)")[1]
