"""Reading a schedule on the host: exact, shared, wherever it is called."""

import gc
import subprocess
import sys
import tracemalloc
import types
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from cases import CASES, IDS, ONE_OF_EACH, Case, amplified, float_dtype, scale_of
from test_accuracy import REFERENCED
from twins import recipe_twin
from users import saw

import jaxsched as js
from jaxsched.schedule import host, programs

FAR = [100, 10**6 + 7, 2**24 + 1, 2**31 - 1, 2**31, 2**40 + 3, 2**53 + 1, 2**62]


def steps_of(c: Case) -> np.ndarray:
    return np.array([*range(c.total + 3), *FAR], np.int64)


@pytest.mark.parametrize(
    "c", [c for c, _ in REFERENCED], ids=[i for _, i in REFERENCED]
)
def test_at_is_the_value_of_the_formula(c: Case):
    """To 1e-13 at any step up to 2^62; where an exponent amplifies, to its part more."""
    steps = steps_of(c)
    expected = np.asarray(recipe_twin(c.make, c.kwargs)(steps), np.float64)
    bound = 1e-13 + 2.0**-52 * amplified(c, expected)
    size = np.maximum(np.abs(expected), scale_of(c) if c.crosses else 1e-300)
    np.testing.assert_array_less(np.abs(c.schedule.at(steps) - expected), bound * size)


def test_the_numbers_are_the_decimals_that_one_expects():
    """No noise of single precision, and Python's own numbers."""
    assert js.linear(0.1, 0.0, steps=10).at(5) == 0.05
    assert js.constant(0.1).at(0) == 0.1
    assert js.warmup(0.3, steps=2, init_value=0.0).at(1) == 0.15
    assert type(js.constant(0.1).at(np.int32(3))) is float


@pytest.mark.parametrize("c", CASES, ids=IDS)
def test_a_call_is_what_is_read_in_the_default_float(c: Case):
    """The two differ by no more than single precision allows a schedule to be off."""
    steps = np.array([0, 1, 7, c.total], np.int32)
    read = c.schedule.at(steps)
    unit = np.finfo(float_dtype()).eps
    size = np.maximum(np.abs(read), scale_of(c))
    bound = (10 + amplified(c, read)) * unit * size + 1e-37
    with jax.disable_jit():  # operation by operation: nothing to compile
        called = np.asarray(c.schedule(np.resize(steps, 32)))[:4]
    np.testing.assert_array_less(np.abs(called - read), bound)


@pytest.mark.parametrize("c", ONE_OF_EACH[::2], ids=str)
def test_one_step_is_read_as_many_are(c: Case):
    """Alone, in an array of any shape, as an integer or a float of any kind."""
    s = c.schedule
    many = s.at(np.array([[0, 1, 7], [c.total, 2**31 - 1, -4]]))
    assert (type(many), many.shape, many.dtype) == (np.ndarray, (2, 3), np.float64)
    assert type(s.at(7)) is float
    for step, value in ((7, many[0, 2]), (2**31 - 1, many[1, 1]), (-4, many[0, 0])):
        np.testing.assert_allclose(s.at(step), value, rtol=1e-13)
    for kind in (np.uint8, np.int8, np.uint64, jnp.int32, jnp.uint32):
        np.testing.assert_allclose(s.at(kind(7)), many[0, 2], rtol=1e-13)
    np.testing.assert_allclose(s.at(7.0), many[0, 2], rtol=1e-12)


def test_many_steps_are_read_in_blocks(monkeypatch):
    """As many as there are, a few programs for all numbers of them."""
    s = js.cosine(0.5, 0.0, steps=70)
    steps = np.arange(150)
    whole = s.at(steps)
    monkeypatch.setattr(host, "_SIZES", (4, 64))
    for n in (0, 1, 3, 4, 5, 64, 65, 150):
        np.testing.assert_array_equal(s.at(steps[:n]), whole[:n])


def test_many_steps_are_few_runs(monkeypatch):
    """A long run is read in large blocks: a thousand steps are one of them."""
    runs, run = [], host._run
    monkeypatch.setattr(host, "_run", lambda *a: runs.append(a) or run(*a))
    js.constant(0.5).at(np.arange(1000))
    assert len(runs) == 1


# ----- shared -----


def test_programs_are_shared_by_structure(monkeypatch):
    """Other numbers, and none is compiled again."""
    made = []
    compiled = programs.compiled
    monkeypatch.setattr(host, "compiled", lambda *a: made.append(a) or compiled(*a))

    def build(peak: float, n: int) -> js.Schedule:
        return js.warmup(js.cosine(peak, 0.25 * peak, n), n // 3, 0.01)

    for i in range(2, 30):
        assert build(0.1 * i, 100 + i).at((100 + i) // 3) == pytest.approx(0.1 * i)
    assert len(made) <= 1
    before = len(made)
    lived = jax.jit(lambda s: s)(build(0.7, 200))
    assert lived.at(66) == build(0.7, 200).at(66)
    assert len(made) == before


def test_what_differs_in_structure_has_its_own_program():
    """Static arguments, tables of other lengths, and numbers at their defaults."""
    steps, line = np.arange(12), js.linear(1.0, 0.0, 9)
    pairs = [
        (js.exponential_decay(1.0, 0.5, 4), js.exponential_decay(1.0, 0.5, 1)),
        (
            js.exponential_decay(1.0, 0.5, 4, staircase=True),
            js.exponential_decay(1.0, 0.5, 4),
        ),
        (js.spline([0, 4, 9], [1.0, 0.5, 0.0]), js.spline([0, 4], [1.0, 0.5])),
        (js.as_schedule(jnp.sqrt), js.as_schedule(jnp.exp)),
        (js.cosine(1.0, 0.0, 9, power=2), js.cosine(1.0, 0.0, 9)),
        (js.clip(line, min_value=0.5), js.clip(line, max_value=0.5)),
        (js.join([line, 0.5], [4]), js.join([line, 0.5, 0.25], [4, 8])),
    ]
    for one, other in pairs:
        np.testing.assert_allclose(one.at(steps), np.asarray(one(steps)), rtol=1e-5)
        assert not np.array_equal(one.at(steps), other.at(steps))


def test_fresh_schedules_leave_nothing_behind():
    """Two thousand of them are read, and the memory is what it was."""

    def read_many(begin: int) -> None:
        for i in range(begin, begin + 2000):
            js.warmup_cosine(1e-6 * (i + 1), total_steps=100 + i, warmup_steps=10).at(5)

    read_many(0)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.take_snapshot()
        read_many(5000)
        gc.collect()
        after = tracemalloc.take_snapshot()
    finally:
        tracemalloc.stop()
    growth = sum(entry.size_diff for entry in after.compare_to(before, "filename"))
    assert growth < 100_000
    assert len(host._structures) <= host._MOST


def test_old_programs_are_dropped(monkeypatch):
    """A process that makes structures for ever does not keep them all."""
    monkeypatch.setattr(host, "_structures", {})
    monkeypatch.setattr(host, "_MOST", 3)
    for n in range(1, 8):
        js.piecewise_linear(list(range(n)), [0.5] * n).at(0)
        assert len(host._structures) <= 3


# ----- wherever it is called -----


def test_in_a_trace():
    """A known step of a known schedule is a number there too."""
    s = js.warmup_cosine(0.5, total_steps=12, warmup_steps=4)
    found = []

    def traced(x):
        found.append(js.linear(0.1, 0.0, steps=10).at(5))
        found.append(s.at(np.arange(3)).tolist())
        return x

    jax.jit(traced)(1.0)
    jax.vmap(jax.grad(lambda x: traced(x) * 1.0))(jnp.ones(2))
    jax.lax.scan(lambda carry, x: (traced(carry), x), 0.0, jnp.ones(3))
    assert found[::2] == [0.05] * (len(found) // 2)
    assert len(found) >= 6


@pytest.mark.parametrize("x64", [False, True])
def test_with_and_without_64_bit_floats(x64):
    """The number does not depend on what JAX computes with."""
    s = js.warmup(js.exponential_decay(0.3, 0.7, 9), 7)
    expected = s.at(np.arange(40))
    with programs.enable_x64(x64):
        fresh = js.warmup(js.exponential_decay(0.3, 0.7, 9), 7)
        np.testing.assert_array_equal(fresh.at(np.arange(40)), expected)
        np.testing.assert_array_equal(s.at(np.arange(40)), expected)


def test_under_a_transfer_guard():
    """What goes to the CPU is meant to: no transfer is implicit."""
    fresh = [js.cosine(0.25, 0.0, steps=n) for n in (20, 40)]
    lived = jax.jit(lambda s: s)(js.cosine(0.25, 0.0, steps=20))
    steps = jnp.arange(3)
    jax.block_until_ready((lived, steps))
    with jax.transfer_guard("disallow"):
        assert fresh[0].at(10) == 0.125
        assert lived.at(10) == 0.125
        assert fresh[1].at(steps).shape == (3,)
        assert js.horizon(lived) == 20
        assert js.describe(lived).total_steps == 20
        assert js.parse(repr(lived)) == lived
        # Steps that JAX does not count to; windows of endless schedules have some.
        for s in (js.noam(64, 10), js.cycle(fresh[0], 40), saw(0.5, every=4)):
            assert s.at(np.array([2**40, 3])).shape == (2,)
            assert s.at(np.int64(2**40)) == s.at(2**40)
            assert js.describe(s).total_steps > 0
            assert js.compare(s, 2 * s).largest is not None


SCALE = 1.0


@js.schedule
def of_a_global(step, value: js.Value):
    """Uses what its module says."""
    return value * helper(SCALE)


def helper(x):
    return x * OFFSET


OFFSET = 1.0


def test_what_a_rule_finds_in_its_module(monkeypatch):
    """A fresh schedule is computed with what is there now, as when it is called."""
    assert of_a_global(1.0).at(3) == 1.0
    monkeypatch.setitem(globals(), "SCALE", 2.0)
    assert of_a_global(1.0).at(3) == float(of_a_global(1.0)(3)) == 2.0
    monkeypatch.setitem(globals(), "OFFSET", 3.0)
    assert of_a_global(1.0).at(3) == float(of_a_global(1.0)(3)) == 6.0
    monkeypatch.setitem(globals(), "helper", lambda x: x + 1)
    assert of_a_global(1.0).at(3) == 3.0


class Settings:
    """What a program's settings are kept in."""

    scale = 1.0

    def __init__(self):
        self.scale = 1.0

    def scaled(self):
        return self.scale


NESTED = types.SimpleNamespace(inner=Settings())
MODULE = types.ModuleType("settings")
exec("scale = 1.0\ndef scaled(): return scale", vars(MODULE))
OBJECT, TABLE, LIST, ARRAY = Settings(), {"scale": [1.0]}, [1.0], np.array([1.0])


def deep():
    return MODULE.scaled()


# How a rule finds a number, and how that is changed to 5.
FOUND = {
    "class": (lambda: Settings.scale, lambda: setattr(Settings, "scale", 5.0)),
    "object": (lambda: OBJECT.scale, lambda: setattr(OBJECT, "scale", 5.0)),
    "method": (lambda: OBJECT.scaled(), lambda: setattr(OBJECT, "scale", 5.0)),
    "dict": (lambda: TABLE["scale"][0], lambda: TABLE["scale"].__setitem__(0, 5.0)),
    "list": (lambda: LIST[0], lambda: LIST.__setitem__(0, 5.0)),
    "array": (lambda: ARRAY[0], lambda: ARRAY.fill(5.0)),
    "attributes": (
        lambda: NESTED.inner.scale,
        lambda: setattr(NESTED.inner, "scale", 5.0),
    ),
    "module": (lambda: MODULE.scale, lambda: setattr(MODULE, "scale", 5.0)),
    "function of a module": (
        lambda: MODULE.scaled(),
        lambda: setattr(MODULE, "scale", 5.0),
    ),
    "function that calls it": (lambda: deep(), lambda: setattr(MODULE, "scale", 5.0)),
    "another function": (
        lambda: MODULE.scaled(),
        lambda: setattr(MODULE, "scaled", lambda: 5.0),
    ),
}


@pytest.mark.parametrize("how", FOUND)
@pytest.mark.parametrize("is_captured", [False, True])
def test_what_a_rule_finds_anywhere(how, is_captured, monkeypatch):
    """Wherever a rule looks, a fresh schedule is what a call of it is."""
    for name, value in {"scale": 1.0, "scaled": MODULE.scaled}.items():
        monkeypatch.setattr(MODULE, name, value)
        monkeypatch.setattr(Settings, "scale", 1.0)
    monkeypatch.setattr(OBJECT, "scale", 1.0)
    monkeypatch.setattr(NESTED.inner, "scale", 1.0)
    monkeypatch.setitem(TABLE, "scale", [1.0])
    LIST[0] = ARRAY[0] = 1.0
    find, change = FOUND[how]
    if is_captured:

        @js.schedule
        def finding(step, value: js.Value):
            return value * find()

    else:
        monkeypatch.setitem(globals(), "find_now", find)

        @js.schedule
        def finding(step, value: js.Value):
            return value * find_now()

    assert finding(1.0).at(3) == finding(1.0)(3) == 1.0
    kept = len(host._structures)
    assert finding(2.0).at(3) == 2.0
    assert len(host._structures) == kept  # it has not changed: no other program
    change()
    assert finding(1.0).at(3) == finding(1.0)(3) == 5.0


find_now = None


def test_names_of_attributes_are_no_globals(monkeypatch):
    """What a rule calls of a library is not what its module has under that name."""

    @js.schedule
    def averaged(step, value: js.Value):
        return value * jnp.mean(jnp.ones(2))

    averaged(1.0).at(3)
    kept = len(host._structures)
    monkeypatch.setitem(globals(), "mean", object())
    averaged(1.0).at(3)
    assert len(host._structures) == kept


# Bodies that are written for one step: they branch on it, or reduce an axis of their own.
BODIES = {
    "min": lambda k: jnp.min(jnp.stack([(k + 1) / 8, jnp.sqrt(8 / (k + 1))])),
    "sum": lambda k: jnp.sum(jnp.where(jnp.arange(4) < k, 0.25, 0.0)),
    "cond": lambda k: jax.lax.cond(k > 8, lambda: 0.5, lambda: 1.0),
    "switch": lambda k: jax.lax.switch(jnp.int32(k) % 2, [lambda: 0.5, lambda: 1.0]),
    "loop": lambda k: jax.lax.fori_loop(0, jnp.int32(k), lambda _, x: x / 2, 1.0),
    "grad": lambda k: jax.grad(lambda x: x**2 / 64)(k * 1.0),
    "index": lambda k: jax.lax.dynamic_index_in_dim(
        jnp.arange(32.0) / 32, jnp.int32(k), keepdims=False
    ),
    "constant": lambda k: 0.5,
}


@pytest.mark.parametrize("kind", BODIES)
def test_a_rule_for_one_step_is_read_for_many(kind):
    """By each way of looking at it."""
    body = BODIES[kind]

    @js.schedule
    def single(step, value: js.Value):
        return value * body(step)

    s, steps = single(0.5), np.arange(24).reshape(4, 6)
    with jax.numpy_dtype_promotion("standard"):
        expected = [[0.5 * float(body(jnp.int32(k))) for k in row] for row in steps]
        np.testing.assert_allclose(s.at(steps), expected, rtol=1e-6)
        np.testing.assert_allclose(s(steps), expected, rtol=1e-6)
        np.testing.assert_allclose(js.evaluate(s, steps), expected, rtol=1e-6)
        assert s(jnp.zeros((0, 3), int)).shape == (0, 3)
        assert js.describe(s, 24).peak_value == pytest.approx(np.max(expected))
        assert js.warmup(s, 4).at(steps + 4)[2, 3] == pytest.approx(expected[2][3])


@js.schedule
def drawn(step, value: js.Value):
    """Uses JAX's default generator, as a user's rule may."""
    return value * jax.random.uniform(jax.random.key(0))


def test_a_program_does_not_know_who_read_first():
    """It serves all who come later, so settings around the first must not enter it."""
    expected = drawn(1.0).at(3)
    host._structures.clear()
    with jax.default_prng_impl("rbg"):
        assert drawn(1.0).at(3) == expected
    assert drawn(2.0).at(3) == 2 * expected


def test_callables_are_not_kept_alive():
    """A fresh closure is gone with its schedule."""
    kept = len(host._structures)

    def read() -> weakref.ref:
        decay = optax.cosine_decay_schedule(0.1, 900)
        js.warmup(decay, 5).at(3)
        return weakref.ref(decay)

    found = read()
    gc.collect()
    assert found() is None
    assert len(host._structures) == kept


def test_cycles_that_grow_share_what_they_can(monkeypatch):
    """Their heights are data; where they begin is exact for known lengths only."""
    made = []
    compiled = programs.compiled
    monkeypatch.setattr(host, "compiled", lambda *a: made.append(a) or compiled(*a))
    for peak in (0.1, 0.2, 0.3):
        s = js.cosine_restarts(peak, 0.0, 10, length_factor=1.1)
        assert s.at(10) == peak
        # A call has the digits of single precision, within a cycle of a million steps.
        assert s.at(12_339_477) == pytest.approx(
            float(s(12_339_477)), rel=1e-4, abs=1e-9
        )
    assert len(made) <= 1


@pytest.mark.parametrize("when", ["after_main", "atexit"])
def test_when_the_interpreter_ends(when):
    """A thread that outlives the main one, and a last line of a log."""
    source = f"""
import atexit, threading, time
import jaxsched as js
def last():
    time.sleep(0.2)
    print(js.linear(0.1, 0.0, 10).at(5))
atexit.register(last) if {when!r} == "atexit" else threading.Thread(target=last).start()
"""
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True
    )
    assert done.stdout.split() == ["0.05"], done.stderr


def test_without_jit():
    """Whoever debugs with `jax_disable_jit` reads the same numbers."""
    jax.config.update("jax_disable_jit", True)
    try:
        s = js.join([js.linear(0.1, 0.0, 10), js.cosine(0.3, 0.0, 7)], [6])
        assert s.at(5) == 0.05
        assert js.describe(s).horizon == 13
    finally:
        jax.config.update("jax_disable_jit", False)


def test_rules_that_branch_are_told():
    """The error leads on, and names the schedule."""

    @js.schedule
    def branching(step, value: js.Value):
        return value if value > 0 else -value

    with pytest.raises(TypeError, match=r"branching: .* must not branch on a number"):
        branching(0.5).at(3)


def test_steps_of_any_size():
    s = js.linear(0.5, 0.25, 10)
    assert s.at(10**400) == 0.25
    assert s.at(-(10**400)) == 0.5
    assert js.linear(1.0, 0.0, 1e300).at(10**299) == pytest.approx(0.9)


def test_from_many_threads_at_once():
    """The same numbers, whoever comes first."""
    host._structures.clear()

    def read(i: int) -> list[float]:
        s = js.warmup(js.cosine(0.1 * (i % 4 + 1), 0.0, 50), 5 + i % 3)
        return [s.at(t) for t in (0, 5, 30, 2**40)] + s.at(np.arange(100)).tolist()

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(read, range(64)))
    for i, values in enumerate(found):
        assert values == read(i)


def test_optax_schedules_are_read_in_double_precision():
    """A callable is computed with 64 bits as well."""
    s = js.warmup(optax.cosine_decay_schedule(0.1, 900), 100)
    exact = 0.1 * np.cos(np.pi / 2 * 300 / 900) ** 2
    np.testing.assert_allclose(s.at(400), exact, rtol=1e-13)


DEVICES = Path(__file__).parent / "on_a_mesh.py"


@pytest.mark.slow
def test_on_meshes_and_other_devices():
    """Hyperparameters on any device, sharded or not, under a mesh or not."""
    done = subprocess.run(
        [sys.executable, str(DEVICES)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["passed"]
