"""The benchmarks as a program: what is measured is itself right, and so is the report."""

import math
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import (
    __main__ as program,
    compilation,
    gpu,
    host,
    imports,
    report,
    step,
    sweep,
    tables,
)
from benchmarks.network import problem
from benchmarks.timing import (
    Measurement,
    Result,
    Row,
    Skipped,
    Spread,
    Target,
    Times,
    alternate,
    number,
    readable,
    run,
    spread,
    timed,
)

ALL_ROWS = [*program.ROWS, *gpu.ROWS]


def row(measure: Callable[[], Measurement], **changes: Any) -> Row:
    """A row that asks for at least twice as fast."""
    fields: dict[str, Any] = {
        "name": "quick",
        "what": "our side",
        "against": "their side",
        "target": Target("at least", 2),
        "measure": measure,
        **changes,
    }
    return Row(**fields)


def value(median: float) -> Callable[[], Measurement]:
    return lambda: Measurement(Spread(median, 0.5, 9.5), 7, "3 ms against 6 ms")


class Work:
    """A clock, and two sides that take the seconds that they are told to."""

    def __init__(self, ours: list[float], theirs: list[float]):
        self.now = 0.0
        self.order = ""
        self.sides = {"o": iter(ours), "t": iter(theirs)}

    def clock(self) -> float:
        return self.now

    def side(self, name: str) -> Callable[[], None]:
        def call() -> None:
            self.order += name
            self.now += next(self.sides[name])

        return call

    def measure(self, **options: Any) -> Times:
        seconds = partial(timed, clock=self.clock)
        return alternate(self.side("o"), self.side("t"), seconds=seconds, **options)


@pytest.fixture
def promotion():
    """JAX's own settings: Optax's schedules do not work under stricter ones."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


# Timing.


def test_sides_take_turns_and_neither_is_always_first():
    work = Work([9.0, 1.0, 2.0, 3.0], [9.0, 4.0, 6.0, 9.0])
    times = work.measure(repeats=3)
    assert work.order == "ot" + "ot" + "to" + "ot"
    assert times == ([1.0, 2.0, 3.0], [4.0, 6.0, 9.0])  # the warm-up is not in it


def test_ratios_are_of_pairs_not_of_medians():
    times = Times([1.0, 2.0, 8.0], [4.0, 4.0, 4.0])
    assert times.times_as_fast().value.median == 2.0  # of 4, 2 and 1/2
    assert times.times_as_long().value.median == 0.5  # of 1/4, 1/2 and 2
    assert times.times_as_fast().repeats == 3
    assert times.times_as_fast().note == "2 s against 4 s"


def test_inner_calls_are_averaged_and_preparation_is_not_timed():
    work = Work([1.0, 3.0], [5.0])

    def prepare() -> None:
        work.now += 100.0

    times = work.measure(repeats=1, inner=(2, 1), warm=False, prepare=prepare)
    assert work.order == "oot"
    assert times == ([2.0], [5.0])


def test_spread_is_the_median_and_the_outer_tenths():
    assert spread([10, 0, 1, 9, 2, 8, 3, 7, 4, 6, 5]) == (5.0, 1.0, 9.0)
    assert spread([4.0]) == (4.0, 4.0, 4.0)


@pytest.mark.parametrize(
    ("kind", "below", "equal", "above"),
    [
        ("at least", False, True, True),
        ("at most", True, True, False),
        ("exactly", False, True, False),
    ],
)
def test_a_target_has_a_direction(kind, below, equal, above):
    target = Target(kind, 3.0)
    assert [target.reached(x) for x in (2.9, 3.0, 3.1)] == [below, equal, above]


def test_figures_are_written_with_their_unit():
    assert str(Target("at most", 1.10)) == "at most 1.1x"
    assert str(Target("exactly", 0, "")) == "exactly 0"
    assert str(Target("exactly", 1, "trace")) == "exactly 1 trace"
    assert [number(x, "x") for x in (1.0186, 23.96, 999.6)] == [
        "1.019x",
        "24x",
        "1000x",
    ]
    assert [readable(s) for s in (32.08, 1.35e-3, 5.5e-6, 4e-9)] == [
        *("32.1 s", "1.35 ms", "5.5 µs", "4 ns")
    ]


# Rows.


@pytest.mark.parametrize("rows", [program.ROWS, gpu.ROWS])
def test_rows_are_found_by_name(rows):
    names = [r.name for r in rows]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("r", ALL_ROWS, ids=lambda r: r.name)
def test_rows_are_well_formed(r: Row):
    assert r.name
    assert r.what
    assert " " not in r.name
    assert not {"|", "\n"} & {*r.what, *r.against}  # would break the table
    assert r.against or r.target.unit != "x"  # a ratio is to something
    assert r.target.kind in ("at least", "at most", "exactly")
    assert math.isfinite(r.target.bound)


def test_settings_passed_as_an_argument_are_traced_once():
    assert compilation.traces(100).value == (1, 1, 1)


@pytest.mark.usefixtures("promotion")
def test_both_sides_of_the_sweep_train_alike():
    task = problem([4, 8, 3], batch_size=5, batches=2)
    small = sweep.Sweep([1e-3, 1e-2], [2, 3], steps=6, task=task)
    theirs = small.one_by_one()
    chex.assert_shape(theirs, (4, 6))
    chex.assert_trees_all_close(small.in_one()(small.grid()), theirs, rtol=1e-5)
    rates = [[schedule(i) for i in range(6)] for schedule in small.optax()]
    limit = small.precomputed()(jnp.asarray(rates, jnp.float32))
    chex.assert_trees_all_close(limit, theirs, rtol=1e-5)


def test_the_sweep_is_of_64_schedules():
    assert len(sweep.full().optax()) == 64


@pytest.mark.usefixtures("promotion")
def test_both_steps_train():
    task = problem([4, 8, 3], batch_size=5, batches=1)
    for make in (step.scheduled, step.constant):
        call = make(task)
        losses = [float(call()) for _ in range(20)]
        assert losses[-1] < losses[0]


@pytest.mark.parametrize("n", [3, 20])
def test_joined_phases_are_those_of_optax(n):
    steps = np.arange(10 * n + 3)
    expected = [compilation.optax_phases(n)(i) for i in steps]
    np.testing.assert_allclose(compilation.phases(n).at(steps), expected, rtol=1e-5)


@pytest.mark.usefixtures("promotion")
def test_the_table_is_that_of_optax():
    n = tables.FEW
    steps = np.array([0, 9_999, 10_000, 10_001, 55_555, 99_999, 10**6])
    expected = [tables.optax_table(n)(i) for i in steps]
    np.testing.assert_allclose(tables.table(n).at(steps), expected, rtol=1e-5)


@pytest.mark.parametrize("n", [tables.FEW, tables.PEER, tables.MANY])
def test_tables_have_the_boundaries_that_the_rows_say(n):
    edges = np.asarray(tables.edges(n))
    assert edges.shape == (n,)
    assert edges[-1] == tables.RUN
    assert np.all(np.diff(edges, prepend=0) > 0)


def test_without_torch_its_row_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(host, "find_spec", lambda name: None)
    result = run(row(lambda: host.host(10, 1)))
    assert result.reached is None
    assert "torch is not installed" in report.line(result)


def test_an_import_is_timed_in_a_new_process():
    jax_seconds, seconds = imports.fresh()
    assert jax_seconds > 0
    assert seconds > 0


# Devices.


def event(name: str, microseconds: float) -> SimpleNamespace:
    return SimpleNamespace(name=name, duration_ns=1e3 * microseconds)


def plane(name: str, **lines: list[SimpleNamespace]) -> SimpleNamespace:
    named = [
        SimpleNamespace(name=line.replace("_", " "), events=events)
        for line, events in lines.items()
    ]
    return SimpleNamespace(name=name, lines=named)


def test_events_of_a_gpu_are_those_of_its_streams():
    twice = [event("fusion_1", 2.0), event("gemm", 5.0)]
    profile = SimpleNamespace(
        planes=[
            plane("/host:CPU", python=[event("call", 100.0)]),
            plane(
                "/device:GPU:0",
                Stream_13=twice,
                Stream_14=[event("gemm", 4.0)],
                XLA_Ops=twice,
                XLA_Modules=[event("jit_step", 12.0)],
            ),
        ]
    )
    events = gpu.device_events(profile)
    assert events.names == {"fusion_1": 1, "gemm": 2}
    assert events.seconds == pytest.approx(11e-6)


def test_events_of_a_tpu_are_its_operations():
    profile = SimpleNamespace(
        planes=[
            plane(
                "/device:TPU:0",
                XLA_Modules=[event("jit_step", 9.0)],
                XLA_Ops=[event("fusion.1", 3.0)],
            ),
        ]
    )
    assert gpu.device_events(profile) == ({"fusion.1": 1}, pytest.approx(3e-6))


# jaxlib names no module for its type `event_stats`, against which Python 3.13 warns; as
# an error that warning aborts the process.
@pytest.mark.filterwarnings("ignore:builtin type event_stats:DeprecationWarning")
def test_a_profile_of_this_machine_is_read():
    """The CPU's operations under the names that a GPU's have in a profile."""
    double = jax.jit(lambda x: 2 * x)
    x = jnp.ones((300, 300))
    jax.block_until_ready(double(x))
    try:
        recorded = gpu.profiled(lambda: double(x), calls=3)
    except Skipped:
        pytest.skip("this JAX cannot read profiles")
    operations = [
        e
        for p in recorded.planes
        for line in p.lines
        for e in line.events
        if "hlo_op" in dict(e.stats)
    ]
    events = gpu.device_events(
        SimpleNamespace(planes=[plane("/device:GPU:0", Stream_1=operations)])
    )
    assert events.names.total() >= 3
    assert 0 < events.seconds < 60


def test_a_report_in_no_folder_is_refused_before_anything_is_measured(
    quick: Path, capsys
):
    with pytest.raises(SystemExit) as refused:
        program.main(["--output", str(quick.with_name("none") / "some.md")])
    assert refused.value.code == 2
    printed = capsys.readouterr()
    assert "--output: there is no folder" in printed.err
    assert not printed.out


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="has device events")
def test_a_processor_has_no_device_events():
    x = jnp.ones(3)
    with pytest.raises(Skipped, match=r"no events|ProfileData"):
        gpu.device_seconds(lambda: x + 1, calls=1)


# The report.


def test_what_is_reached_is_said_so():
    result = run(row(value(2.5), why="It is slow.", profile=lambda: "slow parts"))
    assert report.line(result).split() == [
        *("quick", "2.5x", "0.5x", "-", "9.5x", "at", "least", "2x", "yes")
    ]
    text = report.document([result])
    assert (
        "| `quick` | our side | their side | at least 2x | 2.5x | 0.5x - 9.5x | yes | 7 "
        "| 3 ms against 6 ms |" in text
    )
    assert "Not reached" not in text
    assert "It is slow." not in text


def test_what_is_missed_is_explained():
    result = run(row(value(1.9), why="It is slow.", profile=lambda: "slow parts"))
    assert report.line(result).endswith("**no**")
    text = report.document([result])
    assert "| 1.9x | 0.5x - 9.5x | **no** |" in text
    assert "## Not reached\n\n**`quick`** It is slow. Profile: slow parts." in text


def test_what_is_not_measured_has_a_reason():
    def measure() -> Measurement:
        raise Skipped("nothing to measure it with")

    text = report.document([run(row(measure))])
    assert "| - | - | not measured | - | - |" in text
    assert "## Not measured\n\n**`quick`** nothing to measure it with." in text


def test_the_report_names_versions_and_processor():
    text = report.document([run(row(value(3.0)))], accelerator="1 x H100 (gpu)")
    assert f"- jax: {jax.__version__}" in text
    assert "- Processor: " in text
    assert "- Accelerator: 1 x H100 (gpu)" in text
    assert "python -m benchmarks --gpu" in text


def test_every_line_of_the_table_has_all_its_cells():
    results = [run(row(value(3.0))), Result(row(value(3.0)), None, skipped="no")]
    lines = [ln for ln in report.document(results).splitlines() if ln.startswith("|")]
    assert len(lines) == 4
    assert {ln.count("|") for ln in lines} == {10}


# The command line.


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The program with two rows that take no time, and where it writes."""
    rows = [row(value(3.0)), row(value(1.0), name="other")]
    monkeypatch.setattr(program, "ROWS", rows)
    monkeypatch.setattr(program, "HERE", tmp_path)
    monkeypatch.setattr(program, "_configure", lambda on_accelerator: None)
    return tmp_path / "RESULTS.md"


def test_the_program_prints_one_table_and_writes_it(quick: Path, capsys):
    assert program.main([]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [ln.split()[0] for ln in printed] == ["row", "quick", "other"]
    assert [ln.split()[-1] for ln in printed] == ["reached", "yes", "**no**"]
    assert quick.read_text(encoding="utf-8").startswith("# Results\n")


def test_some_rows_do_not_replace_the_report_of_all(quick: Path, capsys):
    assert program.main(["--only", "other"]) == 0
    assert "quick" not in capsys.readouterr().out
    assert not quick.exists()
    other = quick.with_name("some.md")
    assert program.main(["--only", "other", "--output", str(other)]) == 0
    assert "`other`" in other.read_text(encoding="utf-8")
    assert not quick.exists()


def test_an_unknown_row_is_refused(quick: Path, capsys):
    with pytest.raises(SystemExit) as refused:
        program.main(["--only", "quick", "swep"])
    assert refused.value.code == 2
    message = "--only: no row 'swep'; there are quick, other"
    assert message in capsys.readouterr().err
    assert not quick.exists()


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="there is an accelerator")
def test_without_an_accelerator_the_program_says_so(quick: Path, capsys):
    assert program.main(["--gpu"]) == 2
    assert "no accelerator" in capsys.readouterr().err
    assert not quick.exists()
