"""to_source writes functions that need nothing of this library, and do the same."""

import functools
import linecache
import math
import re
import subprocess
import sys
import types
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import reference
import users
from cases import (
    CASES,
    IDS,
    ONE_OF_EACH,
    float_dtype,
    interesting_steps,
    scale_of,
    thorough,
    ulps,
)
from hypothesis import HealthCheck, given, settings
from test_composition import LAST_FLOAT_STEP, Tree, steps, trees

import jaxsched as js
from jaxsched.compat import torch

# 0.5 / prod(1 + rate k) as an exponential of a sum is off by many ulp, where the source
# multiplies one by one; it is compared with the formula in double precision.
IN_DOUBLE = {"compounding_time_decay"}


def run(schedule, name="schedule"):
    """The function that the text defines, and the text."""
    text = js.to_source(schedule, name=name)
    scope = {}
    exec(compile(text, "<source>", "exec"), scope)
    return scope[name], text


@pytest.mark.parametrize("c", thorough(CASES, ONE_OF_EACH[::2]), ids=IDS)
def test_every_case_is_within_10_ulp(c):
    """In its own precision, at all of its steps, at far ones, and outside of jit."""
    function, text = run(c.schedule)
    assert set(re.findall(r"^(?:import|from) .*$", text, re.M)) <= {
        "import jax.numpy as jnp",
        "import jax",
    }
    assert ("import jax\n" in text) == (c.schedule._rule.name == "noise")
    now = interesting_steps(c)
    expected = c.schedule(now)
    if c.schedule._rule.name in IN_DOUBLE:
        formula = getattr(reference, c.schedule._rule.name)(**c.kwargs)
        expected = np.asarray(formula(now), np.float64)
    found = function(now)
    assert found.dtype == float_dtype()
    assert found.shape == now.shape
    assert ulps(found, expected, scale=scale_of(c)) <= 10
    compiled = jax.jit(function)(now)
    assert ulps(compiled, expected, scale=scale_of(c)) <= 10
    assert function(3).shape == ()
    assert ulps(function(3), expected[3], scale=scale_of(c)) <= 10
    halves = np.arange(32) + 0.5
    if c.schedule._rule.name not in IN_DOUBLE:
        at_halves = c.schedule(halves)
        assert ulps(function(halves), at_halves, scale=scale_of(c)) <= 10


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(tree=trees, steps=steps)
def test_random_trees(tree: Tree, steps: list[int]):
    """As near to double precision as the schedule itself must be."""
    now = np.array(steps, np.int32)
    if tree.divides:
        now = now % (LAST_FLOAT_STEP + 1)
    found = run(tree.schedule)[0](now)
    info = np.finfo(float_dtype())
    ulp = float(info.eps) * tree.size(now) + float(info.tiny)
    error = np.abs(np.asarray(found, np.float64) - tree.expected(now)) / ulp
    assert np.max(error) <= 10 + 2 * tree.parts, (tree, now[np.argmax(error)])


@pytest.mark.parametrize(
    "cases", thorough([CASES, ONE_OF_EACH], [ONE_OF_EACH]), ids=["all", "one of each"]
)
def test_it_passes_a_linter(cases, tmp_path):
    for i, c in enumerate(cases):
        (tmp_path / f"schedule_{i}.py").write_text(js.to_source(c.schedule))
    text = js.to_source(
        users.cubic(0.5, 0.0, 9) + js.join(users_own(), [5, 9, 20, 30, 35])
    )
    (tmp_path / "users_own.py").write_text(text)
    assert_linted(tmp_path)


def test_what_nothing_uses_is_not_written(tmp_path):
    """Clocks of constants, and what two parts of one kind are called."""
    restarts = js.cosine_restarts(
        0.1, 0.0, 7, length_factor=1.5, peak_factor=0.5, limit=3
    )
    unused = js.retime(js.constant(0.1), js.noise(js.cosine(0.0, 9.0, 9), 0.1, seed=0))
    for i, s in enumerate(
        [
            unused,
            js.retime(0.1, js.compounding_time_decay(1.0, 0.1)),
            js.retime(0.1, wave) + js.retime(0.2, js.shift(js.linear(0.0, 9.0, 9), 3)),
            restarts * js.warmup(restarts, 7),
            js.compounding_time_decay(1.0, 0.1) + js.compounding_time_decay(1.0, 0.2),
        ]
    ):
        (tmp_path / f"schedule_{i}.py").write_text(js.to_source(s))
    assert_linted(tmp_path)
    lines = js.to_source(unused).splitlines()
    body = [
        line for line in lines[lines.index("    step = jnp.maximum(step, 0)") :] if line
    ]
    assert body[1].startswith("    # retime: ")
    assert body[2:] == [
        "    retime_constant = 0.1",
        "    return jnp.full(jnp.shape(step), retime_constant)",
    ]


def test_random_trees_pass_a_linter(tmp_path):
    texts = []

    @settings(max_examples=60, deadline=None, derandomize=True, database=None)
    @given(tree=trees)
    def write(tree: Tree):
        texts.append(js.to_source(tree.schedule))

    write()
    assert len(texts) >= 60
    for i, text in enumerate(texts):
        (tmp_path / f"schedule_{i}.py").write_text(text)
    assert_linted(tmp_path)


def assert_linted(folder):
    """By Ruff's own rules, and more; no line is longer than 88."""
    rules = "E,F,W,I,B,UP,SIM,RUF,C4,PL,ARG"
    ignored = "PLR0915,PLR2004"  # many statements; 0.5 as a number in a formula
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache"]
    command += ["--select", rules, "--ignore", ignored, "--line-length", "88"]
    finished = subprocess.run([*command, str(folder)], capture_output=True, text=True)
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_it_needs_nothing_of_this_library(tmp_path):
    (tmp_path / "mine.py").write_text(js.to_source(js.wsd(0.5, 100, 10, 20)))
    script = "import sys; sys.modules['jaxsched'] = None; import mine; "
    script += "print(mine.schedule(10))"
    finished = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True
    )
    assert finished.stdout == "0.5\n", finished.stderr


def test_the_text_is_readable():
    """One comment for each part, and each number under its name."""
    text = js.to_source(js.join([js.linear(0.0, 0.3, 7), js.cosine(0.3, 0.1, 50)], [7]))
    for line in (
        "join_boundary_1 = 7",
        "linear_end_value = 0.3",
        "cosine_steps = 50",
        "# cosine: half a cosine wave from init_value to end_value.",
    ):
        assert text.count(f"\n    {line}\n") == 1


HALF = 0.5


def doubled(x):
    return 2 * x


def halved(step):
    return step / 2


def wave(step):
    return jnp.sin(jnp.asarray(doubled(step), float) * HALF) + math.pi


@js.schedule
def marked(step, value: js.Value):
    """Its texts have the sign in them with which comments begin."""
    sizes = len("# " * int(NUMBER)), len(f"#{NUMBER}")  # NUMBER stands behind it
    return value * (sizes[0] + sizes[1]) * jnp.ones_like(step, float)


NUMBER = 3.5


@js.schedule
def powers(step, schedule: js.ScheduleLike, exponent: js.Value = 2.0):
    """A power of another schedule."""
    return schedule(step) ** exponent


@js.shape
def cubic_shape(elapsed, remaining, power: js.Factor = 3.0):
    """A cube."""
    return remaining**power, elapsed * 0 + 1 - remaining**power


def users_own():
    return [
        users.tent(0.5, 4, 5),
        users.damped(js.linear(0.0, 1.0, 10), 0.5),
        js.as_schedule(wave),
        marked(0.5),
        powers(users.damped(js.cosine(1.0, 0.5, 10), 0.5)),
        js.transition(1.0, 0.5, 10, shape=cubic_shape(power=2.0)),
    ]


@pytest.mark.parametrize("schedule", users_own(), ids=lambda s: s._rule.name)
def test_what_users_wrote_comes_along(schedule):
    function, text = run(schedule)
    now = np.arange(40)
    assert ulps(function(now), schedule(now)) <= 10
    assert "js." not in text
    assert "@" not in text


def test_retimed_by_a_function():
    schedule = js.retime(js.linear(1.0, 0.0, 10), halved)
    now = np.arange(12)
    np.testing.assert_allclose(run(schedule)[0](now), schedule(now), rtol=1e-6)


def test_compounded():
    """What comes from PyTorch's MultiplicativeLR."""
    made = torch.MultiplicativeLR(0.5, js.linear(1.0, 0.5, 10))
    now = np.arange(20)
    np.testing.assert_allclose(run(made)[0](now), made(now), rtol=2e-6)


def test_dtypes_are_kept():
    schedule = js.cosine(jnp.bfloat16(0.5), jnp.bfloat16(0.0), 10)
    function, _ = run(schedule)
    assert function(3).dtype == jnp.bfloat16 == schedule(3).dtype
    assert js.to_source(js.cosine(jnp.float32(0.5), 0.0, jnp.int32(10)))


def test_steps_of_all_kinds():
    function, _ = run(js.linear(1.0, 0.0, 1000))
    for kind in (np.int8, np.uint8, np.int16, np.uint32, np.int32):
        assert function(kind(100)) == pytest.approx(0.9)
    for step in (100, 100.0, np.float32(100), jnp.array([[100, 100]])):
        np.testing.assert_allclose(function(step), np.full(jnp.shape(step), 0.9))
    assert function(-5) == 1
    assert jax.vmap(function)(jnp.arange(3)).shape == (3,)
    optax.sgd(function).init(jnp.ones(2))


# ----- what users may write -----

SIZE = np.int64(2)
TABLE = np.array([1, 2, 3])
BOUND = float("inf")
size = 3


@jax.jit
def compiled(x):
    return x * HALF


def by_attribute(step):
    x = jnp.ones(7)
    return x.size * 0.1 + 0.0 * step


def with_numbers(step, k=HALF):
    value: jax.Array = TABLE[SIZE] * jnp.minimum(jnp.asarray(step, float), BOUND)
    return value * k + compiled(jnp.asarray(step, float))


def with_inner(step):
    def inner(x: float) -> float:
        return x * math.e

    return inner(jnp.asarray(step, float)) + size


def with_an_import(step):
    import math

    return jnp.asarray(step, float) * math.tau


@js.schedule
def earlier(step, schedule: js.ScheduleLike, k: js.Value = HALF):
    return schedule(step - 5) + k


@js.schedule
def relative(step, schedule: js.ScheduleLike):
    return schedule(step) / schedule(2)


@js.schedule
def flat(step, value: js.Value):
    return value


def progress_of_step(step):
    return js.progress(step, 10)[0]


INNER = [
    js.linear(1.0, 0.5, 10),
    js.noam(64, 5),
    js.cosine_restarts(1.0, 0.1, 7),
    js.shift(js.linear(1.0, 0.5, 10), 3),
    js.exponential_decay(1.0, 0.5, 3),
]
WRITTEN = [
    *map(js.as_schedule, (by_attribute, with_numbers, with_inner, with_an_import)),
    js.as_schedule(progress_of_step),
    *map(earlier, INNER),
    *map(relative, INNER),
    flat(0.5),
    js.warmup(flat(0.5), 5),
]


@pytest.mark.parametrize("s", WRITTEN, ids=lambda s: s._rule.name)
def test_the_corners_of_what_users_write(s):
    """With promotion as most users have it, which their functions may rely on."""
    with jax.numpy_dtype_promotion("standard"):
        function, text = run(s)
        now = np.arange(40)
        expected = np.asarray(s(now))
        found = function(now)
        assert found.shape == expected.shape
        assert ulps(found, expected) <= 10
    assert "jaxsched" not in text
    assert " at 0x" not in text


def twice(function):
    @functools.wraps(function)
    def doubled(step):
        return 2 * function(step)

    return doubled


@twice
def decorated(step):
    return jnp.asarray(step, float)


def shadowing(step):
    return sum(HALF for HALF in (1.0, 2.0)) + 0.0 * step + HALF


class Constants:
    factor = 2.0


def of_a_class(step):
    return Constants.factor * step


WORD = np.str_("word")


def of_a_word(step):
    return step * len(WORD)


def test_modules_of_one_name():
    """Two of a user's modules call two modules alike."""
    one, two = types.ModuleType("one"), types.ModuleType("two")
    made = []
    for module, line in ((one, "import numpy as np"), (two, "import jax.numpy as np")):
        code = f"{line}\ndef of_{module.__name__}(step):\n"
        code += "    return np.sqrt(4.0) + 0.0 * step\n"
        file = f"<{module.__name__}>"
        linecache.cache[file] = (len(code), None, code.splitlines(True), file)
        exec(compile(code, file, "exec"), vars(module))
        made.append(js.as_schedule(vars(module)[f"of_{module.__name__}"]))
    with jax.numpy_dtype_promotion("standard"):
        function, _ = run(made[0] + made[1])
        assert function(3) == 4


CAPTURED = 3


def holding(scale):
    @js.schedule
    def scaled(step, value: js.Value):
        return value * scale

    return scaled(1.0)


def needs_a_list(step):
    return jnp.asarray(IN_A_LIST)[jnp.minimum(step, 1)]


IN_A_LIST = [1.0, 2.0]


def clocked(step):
    return js.Clock(steps_per_epoch=10).epochs(1) + step


NOTHING = None


def with_nothing(step):
    held = HALF if NOTHING is None and HALF is not None else 2.0
    return held * jnp.ones_like(step, float)


def looping(step):
    both = [2.0 * HALF for HALF in (1.0, 2.0)]
    return 0.0 * step + sum(both) + HALF


REFUSED = {
    "lambda": (js.as_schedule(lambda step: 0.1 * step), "<lambda> is not a function"),
    "closure": (holding(2.0), "scaled uses variables of the function around it: scale"),
    "list": (js.as_schedule(needs_a_list), "needs_a_list uses IN_A_LIST"),
    "decorated": (js.as_schedule(decorated), "decorated is decorated"),
    "shadowing": (
        js.as_schedule(shadowing),
        "the name HALF both for a variable of its own and for one of its module",
    ),
    "a loop": (js.as_schedule(looping), "looping uses the name HALF both"),
    "a class": (js.as_schedule(of_a_class), "of_a_class uses Constants"),
    "a word": (js.as_schedule(of_a_word), "of_a_word uses WORD"),
    "of ours": (js.as_schedule(clocked), "clocked uses js.Clock"),
    "partial": (js.as_schedule(functools.partial(wave)), "partial is not a function"),
    "of optax": (
        js.as_schedule(optax.cosine_decay_schedule(1.0, 10)),
        "uses variables of the function around it",
    ),
    "too long": (js.compounding_time_decay(0.1, 1e-12), "more than 100000 values"),
}


def test_names_of_a_module_stand_before_the_function():
    """Under their names: what is None, or compared by identity, stays so."""
    text = js.to_source(js.as_schedule(with_nothing))
    assert "\n\nNOTHING = None\nHALF = 0.5\n\n\n" in text
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = run(js.as_schedule(with_nothing))[0](np.arange(3))
    np.testing.assert_array_equal(found, 0.5)


@pytest.mark.parametrize(("schedule", "reason"), REFUSED.values(), ids=list(REFUSED))
def test_what_has_no_source_is_refused(schedule, reason):
    with pytest.raises(NotImplementedError) as caught:
        js.to_source(schedule)
    assert str(caught.value).startswith("to_source: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((js.reduce_on_plateau(0.1),), TypeError, "one that follows a metric has no"),
        (("cosine",), TypeError, "schedule must be"),
        (
            (js.stack([js.constant(0.1)] * 2),),
            ValueError,
            "to_source: schedule must be a single",
        ),
        ((0.1, "a b"), ValueError, "name must be free"),
        ((0.1, "def"), ValueError, "name must be free"),
        ((0.1, "step"), ValueError, "name must be free"),
        ((0.1, "float"), ValueError, "name must be free"),
        ((0.1, "range"), ValueError, "name must be free"),
        ((0.1, "__debug__"), ValueError, "name must be free"),
        ((0.1, 5), TypeError, "name must be text"),
    ],
)
def test_bad_input(arguments, error, message):
    schedule, *name = arguments
    with pytest.raises(error, match=message):
        js.to_source(schedule, **({"name": name[0]} if name else {}))


def test_traced_numbers_are_refused():
    with pytest.raises(TypeError, match="must have known numbers"):
        jax.jit(lambda v: js.to_source(js.constant(v)))(0.5)
