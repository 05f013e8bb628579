"""Schedules as text and as plain data, and back: what is read, and what is refused."""

import datetime
import json
import re
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import yaml
from cases import CASES, IDS, thorough

import jaxsched as js

SLOW = 30.0  # seconds of this thread: Python's own parser may need some
HUNGRY = 500  # MiB


@js.schedule
def text_hump(step, height: js.Value, steps: js.Steps, *, flat: js.Flag = False):
    """Up to a height and back down."""
    elapsed, remaining = js.progress(step, steps)
    return height * (1.0 if flat else 4 * elapsed * remaining)


@js.shape
def text_ease(elapsed, remaining, weight: js.Factor = 1.0):
    """A straight line, weighted."""
    whole = weight * remaining + elapsed
    return weight * remaining / whole, elapsed / whole


@js.shape
def text_snap(elapsed, remaining):
    """A parabola."""
    return remaining * remaining, elapsed * (1 + remaining)


@js.recipe
def text_ramp(peak_value: js.Value, steps: js.Steps):
    """A ramp and a way back of the same length."""
    return js.warmup(js.linear(peak_value, 0.0, steps), steps, init_value=0.0)


# ----- what is read -----

READ = """
linear(1.0, 0.0, 10)
linear( 1.0 ,0.0,  10 )
linear(1.0, 0.0, 10,)
linear(init_value=1, end_value=0, steps=10)
linear(1, end_value=-0.5, steps=10.5)
linear(steps=10, end_value=0.0, init_value=1.0)
linear(3e-4, 1E-5, 1_000)
linear(+1.0, --1.0, -(-10))
linear(3e-4 * 2, 1 / 3, 10 * 100 - 1)
linear(0.1 + 0.2, 2**-3, 10**6 // 7)
linear(2 ** 0.5, 7 % 4, (1 + 2) * 3)
linear(0x10, 0o10, 0b10)
linear(.5, 5., 1e3)
(linear(1.0, 0.0, 10))
cosine(1.0, 0.0, 10, power=2, time_power=0.5)
exponential_decay(0.1, 0.5, 10, staircase=True)
warmup(cosine(3e-4, 0.0, 1000), 100)
warmup(1.0, 10, None)
warmup(1.0, 10, init_value=None, shape='cosine', overlap=True)
warmup(1.0, 10, shape="one_minus_sqrt")
transition(1.0, 0.0, 10, shape=rex())
transition(1.0, 0.0, 10, shape=rex(beta=1 / 2))
transition(1.0, 0.0, 10, shape=tanh(lower=-6, upper=2))
piecewise_constant([10, 20], [1, 0.5, 0.25])
piecewise_constant((10,), (1.0, 0.5))
piecewise_constant([10 * 2], values=[2 * 0.5, 1 / 4,])
multistep(0.1, [30, 60], factors=[0.1, 0.5])
join([linear(0.0, 1.0, 4), constant(1.0), 0.5], [4, 8])
cycle(warmup(linear(1.0, 0.0, 8), 2), 10, length_factor=2, value_factor=0.5, limit=3)
noise(constant(1.0), 0.1, seed=3, distribution='uniform')
clip(step_decay(1.0, 0.5, 10), 1e-3)
2.0 * linear(1.0, 0.0, 4) / 10
-(1 - linear(1.0, 0.0, 4)) * cosine(1.0, 0.0, 9)
warmup(0.5 * linear(1.0, 0.0, 4) + 1e-5, 10)
array(0.5, 'float32') * linear(1.0, 0.0, 4)
+linear(1.0, 0.0, 4) - -linear(1.0, 0.0, 4)
constant(2.0) * 3
warmup_cosine(3e-4, total_steps=10 * 100, warmup_steps=100)
wsd(1.0, 100, 10, 20, shape="sqrt")
constant(array(0.1, dtype='float32'))
constant(array(0.1, 'bfloat16'))
piecewise_constant(array([5], dtype='int32'), array([0.1, 0.2], dtype='float16'))
""".strip().splitlines()


@pytest.mark.parametrize("text", READ)
def test_reads_what_python_would(text):
    """The text of a call gives what the call gives."""
    assert js.parse(text) == eval(text, dict(vars(js)))


@pytest.mark.parametrize(
    "text",
    [
        "  linear(1.0, 0.0, 10)  ",
        "\n\tlinear(1.0, 0.0, 10)\n\n",
        "linear(\n    1.0,\n    0.0,\n    steps=10,\n)",
        "linear(1.0,\r\n0.0,\r\n10)",
        "linear(\n1.0, 0.0, 10\n)\n",
    ],
)
def test_white_space_is_free(text):
    """Blanks and line ends between the parts mean nothing."""
    assert js.parse(text) == js.linear(1.0, 0.0, 10)


def test_numbers_stay_what_they_are():
    """Integers are read as integers, floats to the last digit."""
    assert js.parse("linear(0.1, 0.0, 10)").steps == 10
    assert isinstance(js.parse("linear(0.1, 0.0, 5 + 5)").steps, int)
    assert isinstance(js.parse("linear(0.1, 0.0, 10.0)").steps, float)
    assert js.parse("constant(0.1234567890123456789)").value == 0.1234567890123456789
    assert js.parse("linear(1, 0, 2147483647)").steps == 2**31 - 1


def test_own_schedules_are_found():
    """What the three decorators make is read by its name."""
    hump = js.parse("text_hump(0.5, steps=4, flat=True)")
    assert hump == text_hump(0.5, steps=4, flat=True)
    assert js.parse("text_ramp(0.5, 4)") == text_ramp(0.5, 4)
    eased = js.parse("warmup(text_hump(1.0, 4), 4, shape=text_ease(weight=2.0))")
    assert eased == js.warmup(text_hump(1.0, 4), 4, shape=text_ease(weight=2.0))
    snapped = js.parse("transition(1.0, 0.0, 4, shape='text_snap')")
    assert snapped == js.transition(1.0, 0.0, 4, shape=text_snap())
    for made in (hump, eased, snapped):
        assert_round_trips(made)


# ----- round trips -----


def assert_round_trips(schedule):
    """Text, plain data, JSON and YAML give the schedule back, and change nothing."""
    assert js.parse(repr(schedule)) == schedule
    assert repr(js.parse(repr(schedule))) == repr(schedule)
    data = js.to_dict(schedule)
    assert js.from_dict(data) == schedule
    assert js.from_dict(json.loads(json.dumps(data, allow_nan=False))) == schedule
    assert js.from_dict(yaml.safe_load(yaml.safe_dump(data))) == schedule
    assert js.to_dict(js.from_dict(data)) == data


def is_data(schedule):
    """Whether a schedule holds no plain callable, which text cannot hold."""
    return "<" not in repr(schedule)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_round_trips(case):
    """Every schedule comes back from its text and from its data."""
    if is_data(case.schedule):
        assert_round_trips(case.schedule)
    else:
        with pytest.raises(ValueError, match="parse: "):
            js.parse(repr(case.schedule))
        with pytest.raises(ValueError, match=r"to_dict: .* is not data"):
            js.to_dict(case.schedule)


# fmt: off
ARRAYS = [
    lambda: js.constant(jnp.float32(0.1)),
    lambda: js.constant(jnp.bfloat16(0.1)),
    lambda: js.constant(jnp.float16(0.1)),
    lambda: js.constant(jnp.array(5)),
    lambda: js.constant(jnp.array(1e-30, jnp.float32)),
    lambda: js.constant(jnp.array(-3, jnp.int8)),
    lambda: js.constant(np.float64(0.1)),
    lambda: js.constant(np.float32(0.1)),
    lambda: js.constant(np.array(0.1, np.float32)),
    lambda: js.constant(np.array(0.1)),
    lambda: js.constant(np.array(7)),
    lambda: js.linear(jnp.float32(1), 0.0, jnp.uint32(10)),
    lambda: js.linear(1.0, 0.0, np.array(2**31 - 1, np.uint32)),
    lambda: js.linear(1.0, 0.0, np.array(10, np.int64)),
    lambda: js.piecewise_constant(jnp.array([5]), jnp.array([0.1, 0.2])),
    lambda: js.piecewise_constant([5], jnp.array([0.1, 0.2], jnp.bfloat16)),
    lambda: js.piecewise_constant([jnp.array(5)], [jnp.float32(0.1), 0.2]),
    lambda: js.piecewise_linear(np.array([5, 9], np.int32), [0.1, 0.2]),
    lambda: js.piecewise_constant(np.array([5]), np.array([0.1, 0.2])),
    lambda: js.spline(np.arange(5), np.linspace(0.1, 1 / 3, 5)),
    lambda: js.multistep(0.1, [5, 9], factors=jnp.array([0.1, 0.5], jnp.float16)),
    lambda: js.piecewise_constant([], [0.1]),
    lambda: js.piecewise_constant(np.zeros(0, np.int32), np.ones(1, np.float32)),
    lambda: js.join([jnp.float32(0.1), 0.2], jnp.array([5], jnp.uint8)),
]
# fmt: on


@pytest.mark.parametrize("make", ARRAYS)
def test_round_trips_of_arrays(make):
    """Arrays keep their dtype and all of their digits."""
    assert_round_trips(make())


def test_round_trips_of_long_tables():
    """Tables of 10^4 numbers and arrays of 10^5 are read in seconds."""
    began = time.thread_time()
    values = np.random.default_rng(0).random(100_000)
    assert_round_trips(
        js.piecewise_linear(range(0, 70_000, 7), values[:10_000].tolist())
    )
    knots = np.arange(100_000, dtype=np.int32) * 7
    schedule = js.piecewise_linear(knots, values.astype(np.float32))
    assert js.parse(repr(schedule)) == schedule
    assert js.from_dict(json.loads(json.dumps(js.to_dict(schedule)))) == schedule
    assert time.thread_time() - began < 20


def test_only_what_is_not_a_default_is_printed_but_all_is_data():
    """A text is short; a config does not depend on defaults."""
    schedule = js.exponential_decay(0.1, 0.5)
    assert repr(schedule) == "exponential_decay(init_value=0.1, factor=0.5)"
    inner = {"init_value": 0.1, "factor": 0.5, "steps": 1, "staircase": False}
    assert js.to_dict(schedule) == {"exponential_decay": inner}
    assert js.from_dict({"exponential_decay": {"init_value": 0.1, "factor": 0.5}}) == (
        schedule
    )


def test_recipes_are_read_from_data():
    """A recipe is a name like any other."""
    data = {"warmup_cosine": {"peak_value": 1, "total_steps": 10, "warmup_steps": 2}}
    assert js.from_dict(data) == js.warmup_cosine(1.0, 10, 2)
    parts = {"schedules": [0.1, data], "boundaries": (5,)}
    assert js.from_dict({"join": parts}) == js.join(
        [0.1, js.warmup_cosine(1.0, 10, 2)], [5]
    )


# ----- what parse refuses -----


def refusal_of(text):
    """The message of a refusal: a ValueError, soon, that points at a place."""
    began = time.thread_time()
    with pytest.raises(ValueError, match=r"^parse: ") as caught:
        js.parse(text)
    assert time.thread_time() - began < SLOW
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    message = str(caught.value)
    assert len(message) < 4_000
    shown, caret = message.split("\n")[-2:]
    assert re.fullmatch(r"  +\^", caret)
    assert caret.index("^") <= len(shown)
    return message


def places_in(marked):
    """A text without its marks, and what is before and after each in its line."""
    parts = marked.split("¦")
    places = []
    for i in range(1, len(parts)):
        before, after = "".join(parts[:i]), "".join(parts[i:])
        lines = re.split(r"\r\n|\r|\n", before)
        places.append((len(lines), lines[-1], re.split(r"[\r\n]", after)[0]))
    return "".join(parts), places


def plain(text):
    """A text as it can be shown in one line."""
    return "".join(c if c.isprintable() else " " for c in text)


def assert_points(message, places, several_lines):
    """The caret of a message stands under one of the places."""
    reason, shown, caret = message.rsplit("\n", 2)
    column = caret.index("^")
    before, after = plain(shown[2:column]), plain(shown[column:])
    assert any(
        after
        and plain(rest).startswith(after)
        and plain(start).endswith(before)
        and (before or not start)
        and (not several_lines or f"line {line}" in reason)
        for line, start, rest in places
    ), message


# Where the place of an error is the same in all versions of Python, a ¦ marks it; of
# several marks any one will do.
HOSTILE = [
    # Attributes, imports, names.
    "¦().__class__",
    "¦().__class__.__bases__[0].__subclasses__()",
    "¦linear.__globals__",
    "¦linear.__wrapped__(1, 2, 3, 4)",
    "¦np.linear(1.0, 0.0, 10)",
    "warmup(¦js.js.linear(1.0, 0.0, 10), 5)",
    "¦js.os.system('true')",
    "¦js.schedule.operators.add.__class__(1.0, 2.0)",
    "¦constant(1.0).replace(value=2.0)",
    "¦constant(1.0).value",
    "constant(¦'a'.join)",
    "constant(¦'{0.__class__}'.format(1))",
    "¦__import__('os').system('true')",
    "¦__import__('os')",
    "¦eval('linear(1.0, 0.0, 10)')",
    "¦exec('import os')",
    "¦open('/etc/passwd')",
    "constant(¦globals())",
    "constant(¦getattr(1, 'real'))",
    "constant(¦float('nan'))",
    "¦Schedule(1, 2)",
    "¦schedule(1)",
    "¦parse('constant(1.0)')",
    "¦Clock(total_steps=5)",
    "¦__builtins__",
    "¦_",
    "import os",
    "from os import system",
    # Code.
    "constant(¦lambda: 1)",
    "retime(1.0, ¦lambda step: step)",
    "¦(lambda: constant(1.0))()",
    "constant(¦[x for x in (1, 2)])",
    "constant(¦{x for x in (1, 2)})",
    "constant(¦{x: x for x in (1, 2)})",
    "constant(¦(x for x in (1, 2)))",
    "constant((¦x := 1))",
    "constant(¦f'{1}')",
    "constant(¦f'')",
    "constant(¦*[1.0])",
    "linear(1.0, ¦*[0.0, 10])",
    "constant(¦**¦{'value': 1.0})",
    "linear(1.0, ¦**¦dict(end_value=0.0, steps=1))",
    "constant(¦[1.0, 2.0][0])",
    "constant(¦(1.0, 2.0)[0:1])",
    "constant(¦1 < 2)",
    "constant(¦1 == 1)",
    "constant(¦1 in [1])",
    "constant(¦1 is None)",
    "constant(¦1 and 2)",
    "constant(¦0 or 1)",
    "constant(¦not 1)",
    "constant(¦1 if True else 2)",
    "¦constant(1.0) if True else constant(2.0)",
    "¦await constant(1.0)",
    "constant(¦await 1)",
    "constant((¦yield))",
    "constant((¦yield 1))",
    "constant(¦{1: 2})",
    "constant(¦{1, 2})",
    "constant(¦{})",
    "x = 1",
    "del x",
    "s = linear(1.0, 0.0, 10)",
    "return linear(1.0, 0.0, 10)",
    "pass",
    "print 'a'",
    "def f(): pass",
    "@js.schedule",
    # Literals that are no numbers, or are no good.
    "constant(¦b'1')",
    "constant(¦1j)",
    "constant(1 + ¦1j)",
    "constant(¦...)",
    "constant(¦nan)",
    "constant(-¦inf)",
    "constant(¦1e999)",
    "constant(¦-1e999)",
    "constant(¦True)",
    "constant(¦'1.0')",
    "linear(0777, 0, 1)",
    "linear(1_, 0, 1)",
    "linear(0x, 0, 1)",
    "constant('\\N{nothing}')",
    "constant('\\x')",
    "constant(¦'\\d')",
    "constant(1if 1else 2)",
    "constant('unterminated)",
    '"""',
    # Arithmetic.
    "constant(¦9**9**9)",
    "constant(9**¦9**9**9)",
    "constant(¦10**400)",
    "constant(-¦10**400)",
    "constant(¦10**400 * 0)",
    "constant(¦2**64**2)",
    "constant(¦1e308 * 10)",
    "constant(¦1e308 + 1e308)",
    "constant(¦1 / 0)",
    "constant(¦1 // 0)",
    "constant(¦1 % 0)",
    "constant(¦0 ** -1)",
    "constant(¦0.0 ** -1)",
    "constant(¦(-8) ** 0.5)",
    "constant(¦2 << 10)",
    "constant(¦2 << 10**10)",
    "constant(¦1 @ 2)",
    "constant(¦~1)",
    "constant(¦1 | 2)",
    "constant(¦1 ^ 2)",
    "constant(¦True + 1)",
    "constant(1 + ¦True)",
    "constant(-¦True)",
    "constant(¦'a' * 10)",
    "constant(¦'a' * 10**10)",
    "constant(¦'%s' % 1)",
    "constant(¦[1] * 10**10)",
    "constant(1 + ¦'a')",
    "constant(1 + ¦None)",
    "constant(-¦'a')",
    "constant(¦1 + constant(1.0))",
    "¦linear(1.0, 0.0, 10) ** 2",
    "¦linear(1.0, 0.0, 10) // 2",
    "¦2 % linear(1.0, 0.0, 10)",
    "linear(1.0, 0.0, 10) + ¦'a'",
    "linear(1.0, 0.0, 10) * ¦None",
    "linear(1.0, 0.0, 10) - ¦True",
    "linear(1.0, 0.0, 10) / ¦[1.0]",
    "¦linear(1.0, 0.0, 10) / 0",
    "1 + ¦rex()",
    # Not a call of a schedule.
    "",
    " \t\n ",
    "\x0c",
    "# only a comment",
    "# coding: utf-7\n",
    "\\",
    "¦linear",
    "¦5",
    "¦-5",
    "¦1.5e3",
    "¦'linear(1.0, 0.0, 10)'",
    "¦None",
    "¦True",
    "¦[linear(1.0, 0.0, 10)]",
    "¦linear(1.0, 0.0, 10), linear(1.0, 0.0, 10)",
    "¦linear(1.0, 0.0, 10),",
    "¦rex(0.5)",
    "¦text_snap()",
    "¦array(0.5, 'float32')",
    "¦linear(1.0, 0.0, 10)(5)",
    "¦'linear'(1.0, 0.0, 10)",
    "constant(¦linear)",
    "transition(1.0, 0.0, 10, shape=¦rex)",
    "call('os.system')",
    "¦Linear(1.0, 0.0, 10)",
    "¦linear_(1.0, 0.0, 10)",
    # Not an expression.
    "(",
    ")",
    "[",
    "linear(",
    "linear)",
    "linear]",
    "linear(1.0, 0.0, 10",
    "linear(1.0, 0.0, 10))",
    "linear[1.0, 0.0, 10)",
    "linear(1.0 0.0 10)",
    "linear(1.0,, 10)",
    "linear 1.0 0.0 10",
    "linear(1.0, 0.0, 10);",
    "linear(1.0, 0.0, 10); linear(1.0, 0.0, 10)",
    "linear(1.0, 0.0, 10)\nlinear(1.0, 0.0, 10)",
    "linear(1.0, 0.0, 10) linear(1.0, 0.0, 10)",
    "linear(steps=10, 1.0, 0.0)",
    "linear(1.0, 0.0, ¦steps=5, ¦steps=¦6)",
    "linear(1.0, 0.0, 'steps'=5)",
    "linear(1.0, 0.0, steps:=5)",
    "linear(!1)",
    "linear($STEPS)",
    "${SCHEDULE}",
    "{{ config.schedule }}",
    "!!python/object/apply:os.system ['true']",
    "<script>alert(1)</script>",
    # Characters that look like others, or like nothing.
    "¦l\u0456near(1.0, 0.0, 10)",
    "¦lin\u0435ar(1.0, 0.0, 10)",
    "linear(1.0\uff0c 0.0, 10)",
    "linear(1.0, 0.0, \u22125)",
    "linear(\uff11.0, 0.0, 10)",
    "linear(\u0661, 0.0, 10)",
    "linear\u200b(1.0, 0.0, 10)",
    "\ufefflinear(1.0, 0.0, 10)",
    "\u202elinear(1.0, 0.0, 10)",
    "linear(1.0,\u00a00.0, 10)",
    "\u201clinear\u201d",
    "linear(1.0, 0.0, 10)\0",
    "linear(1.0\0, 0.0, 10)",
    "\0",
    "constant('\ud800')",
    "\ud800",
    "\x1b[31mlinear(1.0, 0.0, 10)",
    "\U0001f600(1.0)",
]


@pytest.mark.parametrize("marked", HOSTILE)
def test_refuses(marked):
    """Nothing but numbers, text, lists and calls of schedules is read."""
    text, places = places_in(marked)
    message = refusal_of(text)
    if places:
        assert_points(message, places, several_lines=False)


# The place of a bad argument, and what the message says.
BAD_ARGUMENTS = [
    ("linear(1.0, 0.0, ¦-5)", "linear: steps must be >= 0, got steps=-5"),
    ("linear(1.0, 0.0, steps=¦-5)", "linear: steps must be >= 0, got steps=-5"),
    ("linear(1.0, 0.0, (¦-5))", "got steps=-5"),
    ("linear(¦'one', 0.0, 10)", "init_value"),
    ("linear(1.0, end_value=¦None, steps=10)", "end_value"),
    ("linear(1.0, steps=10, end_value=¦1e999)", "end_value"),
    ("linear(1.0, 0.0, ¦2**31 * 2**40)", "steps"),
    ("linear(1.0, 0.0, ¦10**63)", "steps"),
    ("linear(1.0, 0.0, ¦stepz=5)", "did you mean 'steps'"),
    ("transition(1.0, 0.0, 9, shape=¦sqrt)", "a shape stands in quotes: 'sqrt'"),
    ("warmup(¦cosine, 9)", "needs its arguments, cosine(init_value, end_value"),
    ("linear(¦optimizer, 0.0, 9)", "a learning rate in the place of an optimizer"),
    ("linear(1.0, 0.0, 5, ¦alpha=0.5)", "'alpha'"),
    ("¦linear(1.0, 0.0)", "'steps'"),
    ("¦linear()", "'init_value'"),
    ("linear(1.0, 0.0, 5, ¦6)", "too many"),
    ("linear(1.0, 0.0, 5, ¦steps=6)", "'steps'"),
    ("warmup(cosine(1.0, 0.0, ¦-5), 10)", "cosine: steps"),
    ("warmup(cosine(1.0, 0.0, 100, power=¦0), 10)", "cosine: power"),
    ("warmup(cosine(1.0, 0.0, 100), ¦-1)", "warmup: steps"),
    ("warmup(cosine(1.0, 0.0, 100), ¦0.1)", "steps must be 0 or >= 1 (a fraction"),
    ("warmup(¦'cosine', 10)", "warmup: schedule"),
    ("warmup(schedule=¦[cosine(1.0, 0.0, 9)], steps=10)", "warmup: schedule"),
    ("warmup(¦rex(), 10)", "warmup: schedule"),
    ("warmup(1.0, 10, shape=¦cosine(1.0, 0.0, 9))", "warmup: shape"),
    ("warmup(warmup(warmup(1.0, ¦-1), 10), 10)", "warmup: steps"),
    ("warmup(warmup(1.0, 10), ¦-1)", "warmup: steps"),
    ("join([1.0, linear(1.0, 0.0, ¦True)], [10])", "linear: steps"),
    ("join(¦[1.0, ¦True], [10])", "schedules entry 1"),
    ("join([1.0, 0.5], ¦[10, 20])", "boundaries"),
    ("join([1.0, 0.5, 0.1], ¦[20, ¦10])", "strictly increasing"),
    ("multistep(0.1, ¦[20, ¦10], 0.5)", "strictly increasing"),
    ("multistep(0.1, [10], factors=¦[0.5, 0.5])", "factors"),
    ("¦multistep(0.1, [10])", "factor"),
    ("piecewise_constant([10], ¦[1.0, 0.5, 0.1])", "values"),
    ("piecewise_constant([10], ¦[1.0, ¦'a'])", "values entry 1"),
    ("piecewise_constant(¦[¦-1], values=[1.0, 0.5])", "boundaries entry 0"),
    ("warmup_cosine(1.0, total_steps=10, warmup_steps=¦20)", "warmup_steps"),
    ("warmup_cosine(1.0, 10, ¦20)", "<= total_steps"),
    ("wsd(1.0, 100, ¦60, 60)", "warmup_steps + decay_steps"),
    ("text_ramp(1.0, ¦-1)", "text_ramp: steps"),
    ("text_hump(1.0, 4, flat=¦1)", "text_hump: flat"),
    ("exponential(¦1.0, -1.0, 10)", "same sign"),
    ("clip(1.0, ¦0.5, 0.1)", "min_value"),
    ("divide(1.0, ¦0)", "second"),
    ("transition(1.0, 0.0, 10, shape=¦'zigzag')", "zigzag"),
    ("transition(1.0, 0.0, 10, shape=rex(beta=¦0))", "rex: beta"),
    ("transition(1.0, 0.0, 10, shape=rex(¦gamma=1))", "'gamma'"),
    ("cosine_restarts(1.0, 0.0, 10, limit=¦0)", "limit"),
    ("cycle(linear(1.0, 0.0, 10), ¦0)", "cycle: steps"),
    ("noise(1.0, 0.1, 0, distribution=¦'gauss')", "distribution"),
    ("noise(1.0, 0.1, ¦1.5)", "seed"),
    ("constant(¦array([0.1, 0.2], 'float32'))", "value"),
    ("constant(¦array(¦1e999, 'float32'))", "finite"),
    ("constant(¦array(¦1e39, 'float32'))", "array"),
    ("constant(¦array(¦'1', 'float32'))", "array"),
    ("constant(¦array(¦True, 'float32'))", "array"),
    ("constant(¦array(¦300, 'uint8'))", "array"),
    ("constant(¦array(¦[0.1, [0.2]], 'float32'))", "array"),
    ("constant(¦array(0.1, ¦'float33'))", "array"),
    ("constant(¦array(0.1, ¦'complex64'))", "array"),
    ("constant(¦array(0.1, dtype=¦'a'))", "array"),
    ("constant(¦array(0.1, dtype=¦None))", "array"),
    ("constant(¦array(0.1))", "array"),
    ("constant(array(0.1, 'float32', ¦copy=True))", "array"),
    # Names.
    ("¦lineer(1.0, 0.0, 10)", "linear"),
    ("warmup(¦cosin(1.0, 0.0, 10), 5)", "cosine"),
    ("¦warmup_cosine_decay(1.0, 10, 5)", "warmup_cosine"),
    ("¦text_humb(1.0, 4)", "text_hump"),
    ("¦cosine_annealing(1.0, 0.0, 10)", "cosine"),
    ("transition(1.0, 0.0, 10, shape=¦rexx())", "rex"),
    ("¦linear", "needs its arguments"),
    ("¦zzzzzzzz()", "zzzzzzzz"),
    # Lines and characters.
    ("linear(1.0,\n0.0, ¦bogus())", "bogus"),
    ("linear(1.0,\r\n0.0, ¦bogus())", "bogus"),
    ("join(\n  [\n    1.0,\n    linear(1, 0, ¦-5),\n  ],\n  [10],\n)", "steps"),
    ("  linear(1.0, 0.0, ¦-5)", "steps"),
    ("\n\nlinear(1.0,\n0.0, ¦bogus())", "bogus"),
    ("warmup('\u00e9\u00fc', ¦bogus())", "bogus"),
    ("join(['\u4e2d\u6587', ¦bogus()], [1])", "bogus"),
    ("join(['\U0001f600', ¦bogus()], [1])", "bogus"),
    ("join([1.0,\n'\u00e9', ¦bogus()], [1])", "bogus"),
    ("join([1.0, # \u00e9\n'\u00e9', ¦bogus()], [1])", "bogus"),
    ("join(['e\u0301', ¦bogus()], [1])", "bogus"),
    ("join(['\u2028', ¦bogus()], [1])", "bogus"),
    ("join(['\u2028\u00e9\u00e9',\n ¦bogus()], [1])", "bogus"),
    ("join(['\x85', ¦bogus()], [1])", "bogus"),
    ("join([1.0,\x0c ¦bogus()], [1])", "bogus"),
    ("join(['\\n', ¦bogus()], [1])", "bogus"),
    ("join(['''\n\n''', ¦bogus()], [1])", "bogus"),
    ("join([" + "1.0, " * 200 + "¦bogus()], [1])", "bogus"),
    ("join([" + "'\u00e9', " * 200 + "¦bogus()], [1])", "bogus"),
]


@pytest.mark.parametrize(("marked", "words"), BAD_ARGUMENTS)
def test_points_at_the_place(marked, words):
    """The caret stands under the argument that is refused, and the message says why."""
    text, places = places_in(marked)
    message = refusal_of(text)
    assert words in message.rsplit("\n", 2)[0]
    assert_points(message, places, several_lines="\n" in text.strip())


@pytest.mark.usefixtures("only_package_rules")
def test_an_unknown_name_lists_the_nearest():
    """A misspelt name is answered with names that exist."""
    message = refusal_of("warmup_cosin(1.0, 10, 5)")
    assert "'warmup_cosin'" in message
    assert "warmup_cosine" in message
    with pytest.raises(ValueError, match="warmup_cosine"):
        js.from_dict({"warmup_cosin": {}})


def test_what_is_no_text():
    """Anything but a string is refused by a ValueError as well."""
    for thing in (None, 5, b"linear(1.0, 0.0, 10)", ["linear"], js.constant(1.0), {}):
        with pytest.raises(ValueError, match=r"^parse: text must be a string"):
            js.parse(thing)


# Texts that ask for much time or memory, as the expressions that make them.
BIG_TEXTS = r"""
'(' * 99 + '[' * 99 + '{' * 99
'(' * 100_000
'{' * 99 + '1 1' + '}' * 99
'{1:' * 99 + '1 1' + '}' * 99
'f(' * 99 + '1 1' + ')' * 99
'f(a=' * 99 + '1 1' + ')' * 99
'(lambda x=(' * 49 + '1 1' + '):1)' * 49
'[1 for x in ' * 99 + '1 1' + ']' * 99
'join(["' + ')' * 300 + '", ' + '(' * 250 + '1' + ')' * 250
'constant(' + '-' * 100_000 + '1)'
'constant(' + '-' * 500 + '1)'
'~' * 100_000 + '1'
'not ' * 100_000 + '1'
'lambda: ' * 100_000 + '1'
'await ' * 100_000 + '1'
'*' * 100_000
'constant(1' + '+1' * 100_000 + ')'
'constant(1' + '+1' * 500 + ')'
'constant(1' + '**1' * 100_000 + ')'
'constant(1' + '<1' * 100_000 + ')'
'constant(' + '1 if 1 else ' * 100_000 + '1)'
'a' + '.b' * 100_000
'a' + '[0]' * 100_000
'constant(1.0)' + '()' * 100_000
'constant(' + '1' * 100_000 + ')'
'constant(1.' + '1' * 1_000_000 + 'e400)'
'constant(0x' + 'f' * 1_500_000 + ')'
'linear(1.0, 0.0, 0x' + 'f' * 1_500_000 + ')'
'linear(0x' + 'f' * 1_500_000 + ' + 1, 0.0, 10)'
'constant(0x' + 'f' * 1_500_000 + ' // 0x' + 'f' * 750_000 + ')'
'constant(0x' + 'f' * 1_500_000 + ' % 0x' + 'f' * 750_000 + ')'
'constant(0x' + 'f' * 1_900_000 + ' * 0x' + 'f' * 1_900_000 + ')'
'constant(0x' + 'f' * 1_500_000 + ' ** 64)'
'a' * 1_000_000
'a' * 1_000_000 + '()'
'constant(' + 'a' * 1_000_000 + '=1)'
'constant("' + 'a' * 3_000_000 + '")'
'constant(' + '"a" ' * 500_000 + ')'
'constant(' + '1,' * 100_000 + ')'
'constant([' + '1,' * 1_900_000 + '])'
'constant([' + '1+1,' * 900_000 + '])'
'constant([' + '[],' * 1_300_000 + '])'
'constant(' + ','.join(f'a{i}=1' for i in range(50_000)) + ')'
'join([' + 'constant(1),' * 300_000 + '], [])'
'constant(' + '\n' * 1_000_000 + 'bogus())'
'constant(' + '#\n' * 1_000_000 + 'bogus())'
'constant(' + ' ' * 3_000_000 + 'bogus())'
'constant(' + "f'{1}' " * 20_000 + ')'
"f'" + '{1:' * 1_000 + '}' * 1_000 + "'"
""".strip().splitlines()


def peak_memory():
    """The most memory that this process has held so far, in MiB."""
    resource = pytest.importorskip("resource")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


@pytest.mark.parametrize("source", BIG_TEXTS)
def test_is_never_slow_or_hungry(source):
    """What asks for much is refused soon, and without filling the memory."""
    text = eval(source)
    before = peak_memory()
    refusal_of(text)
    assert peak_memory() - before < HUNGRY


def test_a_text_has_a_largest_size():
    """Beyond it nothing is looked at."""
    with pytest.raises(ValueError, match=r"^parse: text must be <= 4000000 characters"):
        js.parse("linear(1.0, 0.0, 10)" + " " * 4_000_000)


def test_depth_is_bounded():
    """A hundred brackets deep is the limit; what is less deep is read."""
    nested = lambda n: "negative(" * n + "1.0" + ")" * n
    assert js.parse(nested(90)).at(0) == 1.0
    assert "less than 100 schedules deep" in refusal_of(nested(110))


# ----- what to_dict refuses -----


def test_only_data_becomes_data():
    """A callable or a traced value has no text; the message names its place."""
    held = js.warmup(js.clip(lambda step: 0.1, 0.0), 5)
    with pytest.raises(ValueError, match=r"^to_dict: warmup\.schedule\.clip\.schedule"):
        js.to_dict(held)
    timed = js.join([0.1, js.retime(0.1, abs)], [5])
    with pytest.raises(ValueError, match=r"^to_dict: join\.schedules\[1\]\.retime\.cl"):
        js.to_dict(timed)
    for thing in (None, 5, "linear", {"constant": {"value": 1}}, js.rex(), js.linear):
        with pytest.raises(TypeError, match=r"^to_dict: schedule must be a schedule"):
            js.to_dict(thing)

    @jax.jit
    def traced(value):
        with pytest.raises(ValueError, match=r"^to_dict: constant\.value is not data"):
            js.to_dict(js.constant(value))
        return value

    traced(0.1)


# ----- what from_dict refuses -----

LINE = {"init_value": 1.0, "end_value": 0.0, "steps": 10}


def warm(schedule):
    """Data of a warm-up of something."""
    return {"warmup": {"schedule": schedule, "steps": 10}}


BAD_DATA = [
    # Arguments: the path ends with the one that is refused.
    ({"linear": {**LINE, "steps": -5}}, "linear.steps", "got steps=-5"),
    ({"linear": {**LINE, "steps": "ten"}}, "linear.steps", "'ten'"),
    ({"linear": {**LINE, "steps": None}}, "linear.steps", "None"),
    ({"linear": {**LINE, "steps": True}}, "linear.steps", "True"),
    ({"linear": {**LINE, "steps": 2**63}}, "linear.steps", "steps"),
    ({"linear": {**LINE, "steps": 10**400}}, "linear.steps", "steps"),
    ({"linear": {**LINE, "steps": 10**5000}}, "linear.steps", "steps"),
    ({"linear": {**LINE, "end_value": float("nan")}}, "linear.end_value", "nan"),
    ({"linear": {**LINE, "end_value": float("inf")}}, "linear.end_value", "inf"),
    ({"linear": {**LINE, "end_value": [1.0]}}, "linear.end_value", "[1.0]"),
    ({"linear": {**LINE, "end_value": {"constant": {"value": 1}}}}, "linear.end_value"),
    (warm({"cosine": {**LINE, "steps": -5}}), "warmup.schedule.cosine.steps", "-5"),
    (warm({"cosine": {**LINE, "steps": "x"}}), "warmup.schedule.cosine.steps", "'x'"),
    (warm({"cosine": {**LINE, "power": 0}}), "warmup.schedule.cosine.power", "0"),
    (warm("cosine"), "warmup.schedule", "'cosine'"),
    (warm([1.0]), "warmup.schedule", "[1.0]"),
    (warm(warm(warm({"constant": {"value": "a"}}))), "schedule.constant.value", "'a'"),
    (
        {
            "join": {
                "schedules": [1, {"linear": {**LINE, "steps": -1}}],
                "boundaries": [5],
            }
        },
        "join.schedules[1].linear.steps",
        "steps=-1",
    ),
    ({"join": {"schedules": [1, "a"], "boundaries": [5]}}, "join.schedules", "'a'"),
    ({"join": {"schedules": [1, 2], "boundaries": [5, 9]}}, "join", "boundaries"),
    ({"piecewise_constant": {"boundaries": [5], "values": [1, "a"]}}, ".values", "'a'"),
    (
        {"multistep": {"init_value": 1, "boundaries": [9, 5], "factor": 1}},
        ".boundaries",
    ),
    ({"transition": {**LINE, "shape": "zigzag"}}, "transition.shape", "'zigzag'"),
    (
        {"transition": {**LINE, "shape": {"rex": {"beta": 0}}}},
        "transition.shape.rex.beta",
    ),
    ({"transition": {**LINE, "shape": {"rexx": {}}}}, "transition.shape", "rex"),
    ({"transition": {**LINE, "shape": ["rex"]}}, "transition.shape", "['rex']"),
    ({"text_hump": {"height": 1, "steps": 4, "flat": 1}}, "text_hump.flat", "1"),
    ({"text_ramp": {"peak_value": 1, "steps": -4}}, "text_ramp.steps", "-4"),
    # Names and argument lists.
    ({"linear": {**LINE, "stepz": 5}}, "linear", "'steps'"),
    (warm({"linear": {"init_value": 1.0}}), "warmup.schedule", "'end_value'"),
    (warm({"linear": {}}), "warmup.schedule", "'init_value'"),
    (warm({"cosin": LINE}), "warmup.schedule", "cosine"),
    ({"cosin": LINE}, "cosine"),
    ({"Schedule": {}}, "'Schedule'"),
    ({"__class__": {}}, "'__class__'"),
    ({"eval": {"source": "1"}}, "'eval'"),
    ({"linear.__globals__": {}}, "'linear.__globals__'"),
    ({"": {}}, "''"),
    ({"call": {"function": "os.system"}}, "call.function"),
    # The form.
    ({}, "one key"),
    ({"linear": LINE, "cosine": LINE}, "one key"),
    (warm({}), "warmup.schedule", "one key"),
    (warm({"linear": LINE, "cosine": LINE}), "warmup.schedule", "one key"),
    ({"linear": None}, "linear", "None"),
    ({"linear": 5}, "linear", "5"),
    ({"linear": [1.0, 0.0, 10]}, "linear", "[1.0, 0.0, 10]"),
    ({"linear": "1.0, 0.0, 10"}, "linear"),
    ({"linear": {1: 1.0}}, "linear"),
    ({1: {}}, "1"),
    ({None: {}}, "None"),
    ({("linear",): {}}, "linear"),
    # Values that no config file holds, or that are no schedule.
    ({"constant": {"value": b"1"}}, "constant.value", "b'1'"),
    ({"constant": {"value": 1j}}, "constant.value", "1j"),
    ({"constant": {"value": {1, 2}}}, "constant.value", "{1, 2}"),
    ({"constant": {"value": datetime.date(2026, 1, 1)}}, "constant.value", "date"),
    ({"constant": {"value": ...}}, "constant.value", "Ellipsis"),
    ({"constant": {"value": abs}}, "constant.value", "abs"),
    ({"constant": {"value": np.ones(2)}}, "constant.value"),
    ({"retime": {"schedule": 1.0, "clock": abs}}, "retime.clock", "abs"),
    (None, "None"),
    (5, "5"),
    (0.5, "0.5"),
    (True, "True"),
    ("constant(1.0", "constant(1.0"),
    (b"constant", "constant"),
    ([], "[]"),
    ([{"constant": {"value": 1.0}}], "constant"),
    (js.linear, "linear"),
    ({"rex": {"beta": 0.5}}, "rex"),
    ({"array": {"values": 1.0, "dtype": "float32"}}, "array"),
    # Arrays.
    ({"constant": {"value": {"array": {"values": 1.0}}}}, "constant.value", "dtype"),
    (
        {"constant": {"value": {"array": {"values": "1", "dtype": "float32"}}}},
        "constant.value",
    ),
    (
        {"constant": {"value": {"array": {"values": 1e39, "dtype": "float32"}}}},
        "constant.value",
    ),
    (
        {"constant": {"value": {"array": {"values": 1.0, "dtype": "a"}}}},
        "constant.value",
    ),
]


def from_dict_refusal(data):
    """The message of a refusal of data: a ValueError, soon."""
    began = time.thread_time()
    with pytest.raises(ValueError, match=r"^from_dict: ") as caught:
        js.from_dict(data)
    assert time.thread_time() - began < SLOW
    assert type(caught.value) is ValueError
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    message = str(caught.value)
    # A call that stands there as text is shown below, with a pointer.
    assert len(message.splitlines()) == (3 if message.endswith("^") else 1)
    assert len(message) < 4_000
    return message


@pytest.mark.parametrize("row", BAD_DATA, ids=lambda row: " ".join(row[1:]))
def test_from_dict_refuses(row):
    """Data that is not understood is refused, with the path of the place."""
    data, *words = row
    message = from_dict_refusal(data)
    for word in words:
        assert word in message


def test_a_float_that_yaml_reads_as_text():
    """YAML 1.1 takes 3e-4 for text; the message says how to write it."""
    data = yaml.safe_load("warmup: {schedule: {constant: {value: 3e-4}}, steps: 10}")
    message = from_dict_refusal(data)
    assert "warmup.schedule.constant.value" in message
    assert "'3e-4'" in message
    assert re.search(r"3\.0e-0?4|0\.0003|YAML", message)


def test_depth_of_data_is_bounded():
    """Neither depth nor a circle exhausts the stack."""
    deep = 1.0
    for _ in range(100_000):
        deep = [deep]
    assert "nested too deeply" in from_dict_refusal({"constant": {"value": deep}})
    circle = {"negative": {}}
    circle["negative"]["schedule"] = circle
    assert "nested too deeply" in from_dict_refusal(circle)
    ring = []
    ring.append(ring)
    assert "nested too deeply" in from_dict_refusal({"constant": {"value": ring}})


class Repeated(list):
    """One list in many places, as YAML's aliases make it; counts its readers."""

    reads = 0

    def count(self):
        """Fails when somebody reads it far more often than it is long."""
        Repeated.reads += 1
        assert Repeated.reads < 100_000, "reads everything that aliases repeat"

    def __iter__(self):
        self.count()
        return super().__iter__()

    def __repr__(self):
        self.count()
        return super().__repr__()


@pytest.mark.parametrize("place", thorough(["value", "arguments", "whole"], ["whole"]))
def test_size_of_data_is_bounded(place):
    """A few aliases that stand for 10^20 numbers do not fill the memory."""
    Repeated.reads = 0
    data = Repeated([1.0] * 10)
    for _ in range(19):
        data = Repeated([data] * 10)
    wholes = {
        "value": {"constant": {"value": data}},
        "arguments": {"constant": data},
        "whole": data,
    }
    from_dict_refusal(wholes[place])
