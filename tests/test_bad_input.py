"""Every constructor refuses bad input at construction, in one wording."""

import ast
import builtins
import inspect
import itertools
import os
import re
import traceback
import warnings
from decimal import Decimal
from fractions import Fraction
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import users
from cases import constructor

import jaxsched as js
from jaxsched.schedule import operators

LONGEST = 2**62

# What the calls and values below, which are written as text, are evaluated with.
SCOPE = {
    "jax": jax,
    "jnp": jnp,
    "js": js,
    "operators": operators,
    "np": np,
    "Decimal": Decimal,
    "Fraction": Fraction,
    "nan": float("nan"),
    "inf": float("inf"),
    "line": js.linear(1.0, 0.0, steps=10),
    "clock": js.Clock(steps_per_epoch=390, total_steps=1000, tokens_per_step=2**19),
}

FOREIGN = tuple(os.path.dirname(package.__file__) + os.sep for package in (jax, np))


@pytest.fixture(autouse=True)
def _nan_is_allowed():
    """NaN is made on purpose here."""
    with jax.debug_nans(False):
        yield


@cache
def value_of(source):
    """A value that is written as text."""
    return eval(source, dict(SCOPE))


def shown(value):
    """The beginning of how a message shows a value; nothing where it has no text."""
    try:
        return repr(value)[:12]
    except ValueError:  # an integer of too many digits
        return ""


def files_of(error):
    """The files that a user sees in the traceback of an error."""
    seen = traceback.TracebackException.from_exception(error)
    while seen is not None:
        yield from (frame.filename for frame in seen.stack)
        context = None if seen.__suppress_context__ else seen.__context__
        seen = seen.__cause__ or context


def complaint(call, kind, pattern):
    """What is wrong with how a bad call is refused, or None."""
    try:
        made = call()
    except Exception as raised:
        error = raised
    else:
        return f"accepted: {made!r}"
    message = str(error)
    if type(error) is not kind:
        return f"{type(error).__name__} instead of {kind.__name__}: {message}"
    if len(message.splitlines()) != 1:
        return f"has several lines: {message}"
    if not re.match(pattern, message):
        return f"does not match {pattern!r}: {message}"
    if any(file.startswith(FOREIGN) for file in files_of(error)):
        return f"shows frames of JAX or NumPy: {message}"
    return None


def worded(*parts):
    """The pattern of a message that has these parts, in this order."""
    return ".*?".join(map(re.escape, parts))


# ----- every argument of every constructor, given every bad value of its kind -----


def bad(kinds=(), values=()):
    """Bad values of an argument: of a wrong kind, and out of bounds."""
    return [(TypeError, s) for s in kinds] + [(ValueError, s) for s in values]


# fmt: off
ANYTHING_ELSE = [
    "'fast'", "{'a': 1}", "{1}", "object()", "...", "np.array('a')", "b'1'", "''",
    "np.str_('a')", "float", "js", "Exception()",
]
BOOLEANS = ["True", "np.True_", "np.array(True)", "jnp.array(False)"]
COMPLEX = ["1j", "np.complex64(1)", "np.array(1j)", "jnp.array(1j)"]
LISTS = ["[0.1]", "(0.1,)", "[]", "range(3)"]
NOT_NUMBERS = [
    *ANYTHING_ELSE, "None", *BOOLEANS, *COMPLEX, *LISTS, "'0.1'", "Decimal('0.1')",
    "Fraction(1, 10)", "js.rex()", "js.linear", "line", "lambda step: 0.1",
    "np.datetime64('2026-01-01')", "np.timedelta64(1, 'ns')", "np.array(None)",
    "np.array(['a', 'b'])", "np.array([1j, 2])", "np.array([True, False])",
    "jax.random.key(0)",
]
NOT_FINITE = [
    "nan", "inf", "-inf", "np.float64('nan')", "np.float32('inf')", "np.array(np.nan)",
    "np.array(-np.inf, np.float16)", "jnp.array(jnp.inf)",
    "jnp.array(jnp.nan, jnp.bfloat16)",
]
HUGE = ["10**400", "-(10**400)", "10**5000"]
RANKS = ["np.ones(2)", "np.zeros(0)", "np.ones((2, 2))", "jnp.ones(3)"]
TOO_LONG = [
    str(LONGEST + 1), "2**64", "10**400", "10**5000", f"np.uint64({LONGEST + 1})",
    f"np.array({LONGEST + 1}, np.uint64)",
]
NEGATIVE = ["-1", "-0.5", "np.int8(-1)", "np.array(-3)", "jnp.array(-3)", "-(2**70)"]
ZERO = ["0", "0.0", "-0.0", "np.int32(0)", "np.array(0.0)", "jnp.array(0)"]
FRACTIONS = ["1.5", "2.0", "nan", "inf", "np.array(2.0)", "jnp.array(2.5)"]
PARTS_OF_A_STEP = [
    "0.1", "0.999", "1e-9", "np.float32(0.5)", "np.array(0.25)", "jnp.array(0.1)",
    "jnp.array(0.5, jnp.bfloat16)", "float.fromhex('0x1.fffffffffffffp-1')",
]
NOT_FLAGS = [*ANYTHING_ELSE, "None", "0", "1", "1.0", "[]", "'True'", "jnp.array(True)"]
NOT_SHAPES = [
    *ANYTHING_ELSE[1:7], "None", "1", "0.5", "True", "['linear']", "line", "js.rex",
    "{'rex': {}}", "js.cosine", "lambda u, r: (r, u)", "jnp.ones(2)",
]
UNKNOWN_SHAPES = ["'zigzag'", "'cosin'", "''", "'join'", "'rex(beta=0.5)'", "'Linear'"]
NOT_SCHEDULES = [
    *ANYTHING_ELSE, "None", *BOOLEANS, *COMPLEX, *LISTS, "Decimal('0.1')", "js.rex()",
    "js.rex", "js.linear", "js.warmup_cosine",
]
NOT_LISTS = [
    *ANYTHING_ELSE, "None", "0.1", "True", "line", "np.ones(2)", "{0.1: 0.2}",
    "[0.1, None]", "['cosine', 0.1]", "[0.1, True]", "[0.1, 1j]", "[[0.1], 0.2]",
    "(x for x in [0.1, 0.2])", "[js.linear, 0.1]", "[js.rex(), 0.1]",
]
BAD_LISTS = ["[]", "()", "[0.1, nan]", "[inf, 0.1]", "[0.1, 10**400]", "[np.ones(2)]"]
NOT_TABLES = [
    *ANYTHING_ELSE, "None", "0.1", "5", "True", "1j", "line", "{0.1: 0.2}",
    "[1.5, None]", "[1.5, 'a']", "[True, False]", "[np.True_, 1]", "[1.5, 1j]",
    "[[1.5], 0.2]", "[1.5, np.array('a')]", "(x for x in [1.5])",
    "np.array(['a', 'b'])", "np.array([1j, 2])", "np.array([True, False])",
    "jnp.array([True, False])", "np.array([None, 1])",
]
BAD_TABLES = [
    "[1.5, nan]", "[inf, 1.5]", "[1.5, np.float64('nan')]", "(-inf,)", "[10**400]",
    "[10**5000]", "[1.5, np.array(np.nan)]", "np.array([1.5, np.nan])",
    "jnp.array([1.5, jnp.inf])", "jnp.array([jnp.nan], jnp.bfloat16)", "np.array(5)",
    "np.ones((2, 2))", "jnp.ones((1, 2))", "jnp.ones(())", "[np.ones(2), 1.5]",
]
BAD_FACTORS = [
    "[0.0]", "[0.5, -0.5]", "[0]", "np.array([0.5, 0.0])", "jnp.array([-1.0])",
]
UNSORTED = [
    "[20, 10]", "[10, 10]", "[0, 0]", "[1.5, 1.5]", "[1, 2, 2]", "[3.0, 2]",
    "[jnp.array(3), 2]", "range(3, 0, -1)", "np.array([3, 2])", "jnp.array([3, 3])",
    "np.array([1.0, 1.0])", "np.array([2, 1], np.uint8)",
]
OUT_OF_TIME = [
    "[-1]", "[-1, 5]", "[-0.5]", "np.array([-1, 5])", "jnp.array([-1.0])",
    f"[0, {LONGEST + 1}]", "[2**64]", "[5, 10**400]",
    f"np.array([{LONGEST + 1}], np.uint64)",
]
TABLES_OF_PARTS = [
    "[0.1, 5.0]", "[0, 0.5]", "[0.5, 2]", "(0.25, 0.5)", "[np.float32(0.5), 2]",
    "[jnp.array(0.5), 2]", "np.array([0.1, 5.0])", "jnp.array([0.0, 0.75])",
]
# fmt: on

NUMBER = bad(NOT_NUMBERS, [*NOT_FINITE, *RANKS, *HUGE])
RATE = NUMBER + bad(values=NEGATIVE)
POSITIVE = RATE + bad(values=ZERO)
LENGTH = bad(NOT_NUMBERS, [*NOT_FINITE, *RANKS, *NEGATIVE, *TOO_LONG])
LENGTH += bad(values=PARTS_OF_A_STEP)
PERIOD = LENGTH + bad(values=ZERO)
GROWTH = PERIOD + bad(values=["0.5", "0.999", "1.0001", "np.float32(1.0005)"])
ABOVE_ONE = POSITIVE + bad(values=["1", "1.0", "0.5"])
SEED = bad([*NOT_NUMBERS, *FRACTIONS], [*RANKS, "-1", "jnp.array(-3)", *TOO_LONG])
COUNT = SEED + bad(values=["0", "np.int8(0)", "jnp.array(0)"])
FLAG = bad(NOT_FLAGS)
SHAPE = bad(NOT_SHAPES, UNKNOWN_SHAPES)
SCHEDULE = bad(NOT_SCHEDULES, [*NOT_FINITE, *RANKS, *HUGE])
SCHEDULES = bad(NOT_LISTS, BAD_LISTS)
CLOCK = bad([*NOT_SCHEDULES, "5", "0.5", "nan", "np.ones(2)", "10**400"])
VALUES = bad(NOT_TABLES, BAD_TABLES)
FACTORS = VALUES + bad(values=BAD_FACTORS)
BOUNDARIES = VALUES + bad(values=[*UNSORTED, *OUT_OF_TIME, *TABLES_OF_PARTS])
CHOICE = bad(values=["'least'", "'Min'", "''", "0", "True", "None", "['min']"])
DISTRIBUTION = bad(values=["'gauss'", "'Normal'", "''", "0", "True", "['normal']"])
PHASES = bad(values=["0", "1", "4", "2.0", "2.5", "'2'", "True", "[2]"])

# One word has one meaning everywhere, but for a few.
KINDS_OF_WORDS = [
    (NUMBER, "value init_value peak_value end_value min_value max_value lower upper"),
    (POSITIVE, "factor value_factor peak_factor step_factor power time_power scale"),
    (POSITIVE, "bound model_size beta ratio"),
    (RATE, "rate noise.scale"),
    (LENGTH, "steps warmup_steps decay_steps total_steps up_steps down_steps begin"),
    (PERIOD, "every timescale exponential_decay.steps inverse_time_decay.steps"),
    (PERIOD, "cosine_restarts.steps cycle.steps warmup_exponential.decay_steps"),
    (GROWTH, "length_factor"),
    (COUNT, "limit"),
    (
        SEED,
        "index seed patience greedy.warmup greedy.cooldown reduce_on_plateau.cooldown",
    ),
    (COUNT, "window reset_after"),
    (RATE, "threshold"),
    (POSITIVE, "back_off_on_spike.threshold target"),
    (ABOVE_ONE, "kl_adaptive.factor band"),
    (LENGTH, "hold_steps recover_steps"),
    (CHOICE, "mode threshold_mode"),
    (FLAG, "staircase overlap freeze"),
    (SHAPE, "shape"),
    (SCHEDULE, "schedule first second"),
    (SCHEDULES, "schedules"),
    (CLOCK, "clock"),
    (VALUES, "values"),
    (FACTORS, "factors"),
    (BOUNDARIES, "boundaries"),
    (DISTRIBUTION, "distribution"),
    (PHASES, "phases"),
]
KINDS = {word: kind for kind, words in KINDS_OF_WORDS for word in words.split()}

MAY_BE_NONE = """
clip.min_value clip.max_value triangular.down_steps cosine_restarts.limit cycle.limit
multistep.factor multistep.factors warmup.init_value warmup_constant.init_value
warmup_linear.init_value warmup_cosine.init_value warmup_exponential.init_value
warmup_inverse_sqrt.init_value warmup_inverse_sqrt.timescale wsd.init_value
one_cycle.init_value one_cycle.end_value slanted_triangular.min_value
greedy.reset_after cooldown_on_trigger.patience
"""

GOOD_CALLS = """
constant(value=0.5)
linear(init_value=0.5, end_value=0.1, steps=10)
cosine(init_value=0.5, end_value=0.1, steps=10, power=2.0, time_power=3.0)
polynomial(init_value=0.5, end_value=0.1, steps=10, power=2.0, time_power=3.0)
exponential(init_value=0.5, end_value=0.1, steps=10)
transition(init_value=0.5, end_value=0.1, steps=10, shape="sqrt")
exponential_decay(init_value=0.5, factor=0.5, steps=10, staircase=True)
natural_exponential_decay(init_value=0.5, rate=0.1)
inverse_time_decay(init_value=0.5, rate=0.1, steps=10, power=2.0, staircase=True)
compounding_time_decay(init_value=0.5, rate=0.1)
inverse_sqrt_decay(init_value=0.5, timescale=10)
step_decay(init_value=0.5, factor=0.5, every=10)
noam(model_size=512, warmup_steps=10, factor=2.0)
power_law(max_value=0.5, scale=2.0, power=0.5)
piecewise_constant(boundaries=[10], values=[0.5, 0.1])
multistep(init_value=0.5, boundaries=[10], factors=[0.5])
piecewise_linear(boundaries=[10, 20], values=[0.5, 0.1])
spline(boundaries=[10, 20], values=[0.5, 0.1])
triangular(min_value=0.1, max_value=0.5, up_steps=10, down_steps=5, factor=0.5,
           step_factor=0.99)
cosine_restarts(peak_value=0.5, end_value=0.1, steps=10, length_factor=2,
                peak_factor=0.5, limit=3)
join(schedules=[0.5, 0.1], boundaries=[10])
warmup(schedule=0.5, steps=10, init_value=0.1, shape="cosine", overlap=True)
cooldown(schedule=0.5, begin=10, steps=5, end_value=0.1, shape="cosine", freeze=False)
cycle(schedule=0.5, steps=10, length_factor=2, value_factor=0.5, limit=3)
staircase(schedule=0.5, every=10)
per(schedule=0.5, every=10)
delay(schedule=0.5, steps=10)
shift(schedule=0.5, steps=10)
stretch(schedule=0.5, factor=2.0)
reverse(schedule=0.5, steps=10)
retime(schedule=0.5, clock=abs)
noise(schedule=0.5, scale=0.1, seed=0, distribution="uniform", bound=2.0, every=10)
choose(index=1, schedules=[0.5, 0.1])
add(first=0.5, second=0.1)
subtract(first=0.5, second=0.1)
multiply(first=0.5, second=0.1)
divide(first=0.5, second=0.1)
maximum(first=0.5, second=0.1)
minimum(first=0.5, second=0.1)
negative(schedule=0.5)
clip(schedule=0.5, min_value=0.1, max_value=0.4)
warmup_constant(peak_value=0.5, warmup_steps=10, init_value=0.0)
warmup_linear(peak_value=0.5, total_steps=40, warmup_steps=10, end_value=0.1,
              init_value=0.0)
warmup_cosine(peak_value=0.5, total_steps=40, warmup_steps=10, end_value=0.1,
              init_value=0.0)
warmup_exponential(peak_value=0.5, warmup_steps=10, factor=0.5, decay_steps=10,
                   staircase=True, init_value=0.0)
warmup_inverse_sqrt(peak_value=0.5, warmup_steps=10, timescale=10, init_value=0.0)
wsd(peak_value=0.5, total_steps=40, warmup_steps=10, decay_steps=5, end_value=0.1,
    shape="cosine", init_value=0.0)
one_cycle(peak_value=0.5, total_steps=40, warmup_steps=10, init_value=0.0,
          end_value=0.1, shape="linear", phases=3)
slanted_triangular(peak_value=0.5, total_steps=40, warmup_steps=10, min_value=0.1)
flat_cosine(peak_value=0.5, total_steps=40, decay_steps=10, end_value=0.1)
reduce_on_plateau(schedule=0.5, factor=0.5, patience=2, threshold=0.1,
                  threshold_mode="abs", mode="max", cooldown=3, min_value=0.1, window=4)
greedy(schedule=0.5, factor=0.5, patience=2, threshold=0.1, threshold_mode="abs",
       mode="max", cooldown=3, warmup=4, min_value=0.1, max_value=0.9, window=5,
       reset_after=6)
back_off_on_spike(schedule=0.5, factor=0.5, threshold=3.0, hold_steps=10,
                  recover_steps=20, window=30, shape="cosine")
cooldown_on_trigger(schedule=0.5, steps=10, end_value=0.1, shape="cosine", patience=2,
                    threshold=0.1, threshold_mode="abs", mode="max", window=3)
kl_adaptive(schedule=0.5, target=0.1, factor=1.5, band=2.0, min_value=0.1, max_value=0.9)
rex(beta=0.5)
inverse_proportional(ratio=0.5)
one_minus_power(power=0.5)
exponential_to_zero(ratio=0.5)
tanh(lower=-5.0, upper=2.0)
"""
GOOD = {
    line.value.func.id: {k.arg: eval(ast.unparse(k.value)) for k in line.value.keywords}
    for line in ast.parse(GOOD_CALLS).body
}
PLACES = [(name, arg) for name, good in GOOD.items() for arg in good]
PLACES.append(("multistep", "factor"))


def kind_of(name, argument):
    """The bad values of an argument, None among them."""
    return KINDS.get(f"{name}.{argument}") or KINDS[argument]


def bad_values(name, argument):
    """The bad values of an argument, None only where it is bad."""
    skipped = {"None"} if f"{name}.{argument}" in MAY_BE_NONE.split() else set()
    return [row for row in kind_of(name, argument) if row[1] not in skipped]


@pytest.mark.parametrize(("name", "argument"), PLACES)
def test_bad_values(name, argument):
    """Every bad value of every argument is refused by its name."""
    make, good = constructor(name), GOOD[name]
    assert make(**good) is not None
    complaints = []
    for kind, source in bad_values(name, argument):
        value = value_of(source)
        wrong = complaint(
            lambda value=value: make(**{**good, argument: value}),
            kind,
            rf"{name}: {argument} (entry \d+ )?must ((?!, got ).)*, got {argument}="
            + re.escape(shown(value)),
        )
        if wrong:
            complaints.append(f"js.{name}({argument}={source}): {wrong[:300]}")
    assert not complaints, "\n".join(["", *complaints])


@pytest.mark.parametrize("name", GOOD)
def test_bad_argument_lists(name):
    """Unknown, missing, repeated and surplus arguments are refused by name."""
    make, good = constructor(name), GOOD[name]
    first = next(iter(inspect.signature(make).parameters))
    bad_calls = {
        "colour='red'": lambda: make(**good, colour="red"),
        f"{first!r}?": lambda: make(**good, **{f"{first}_": 1}),
        "too many": lambda: make(*[0.5] * 20),
        repr(first): lambda: make(0.5, **{first: 0.5}),
    }
    for argument, parameter in inspect.signature(make).parameters.items():
        if parameter.default is parameter.empty:
            others = {k: v for k, v in good.items() if k != argument}
            bad_calls[f"missing a required argument: {argument!r}"] = (
                lambda others=others: make(**others)
            )
    for words, call in bad_calls.items():
        assert complaint(call, TypeError, worded(f"{name}: ", words)) is None


RECIPES = [name for name in GOOD if constructor(name).__rule__.is_recipe]
EXACT = [0, 1, 1.25, 1.75, 2.5, 3, 5.0]


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_refuse_what_they_cannot_compose(name):
    """Whatever the lengths: a refusal by the recipe's name, or what is read back."""
    good = GOOD[name]
    lengths = [a for a in good if kind_of(name, a) in (LENGTH, PERIOD)]
    made = 0
    for values in itertools.product(EXACT, repeat=len(lengths)):
        for phases in [2, 3] if "phases" in good else [None]:
            setting = {**good, **dict(zip(lengths, values, strict=True))}
            setting |= {"phases": phases} if phases else {}
            make = partial(constructor(name), **setting)
            if complaint(make, ValueError, f"{name}: ") is not None:
                schedule = make()
                assert js.parse(repr(schedule)) == schedule, setting
                made += 1
    assert made >= len(EXACT) - 1


def test_a_fraction_in_the_place_of_a_length():
    """The error says how it is written."""
    message = (
        "warmup_cosine: warmup_steps must be 0 or >= 1 (a fraction of a run is "
        "js.Clock(total_steps=...).fraction(0.1)), got warmup_steps=0.1"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        js.warmup_cosine(1e-2, 1000, 0.1)
    assert js.warmup_cosine(1e-2, 1000, js.Clock(total_steps=1000).fraction(0.1))


def test_every_constructor_is_tried():
    """No public constructor, and no argument of one, is left out above."""
    public = {n for n in js.__all__ if hasattr(getattr(js, n), "__rule__")}
    public |= js.Schedule.operators.keys()
    assert public == set(GOOD)
    places = set(PLACES)
    for name in public:
        for argument in inspect.signature(constructor(name)).parameters:
            assert (name, argument) in places
    assert sum(len(bad_values(*place)) for place in PLACES) > 250
    assert len(ROWS) > 100


# ----- what one argument does not say alone, and what is no constructor -----

TABLE = r"""
# The exact wording.
js.cosine(1.0, 0.0, -5)
    ValueError: cosine: steps must be >= 0, got steps=-5
js.constant('1')
    TypeError: constant: value must be a number, got value='1'
js.constant(nan)
    ValueError: constant: value must be finite, got value=nan
js.step_decay(1.0, 0, 5)
    ValueError: step_decay: factor must be > 0, got factor=0
js.linear(1.0, 0.0, stepz=5)
    TypeError: linear: unknown argument 'stepz' (did you mean 'steps'?), got stepz=5

# A fraction of a run in the place of a length.
js.warmup_cosine(1e-2, 1000, 0.1)
    ValueError: warmup_cosine: warmup_steps must be 0 or >= 1 ... got warmup_steps=0.1
js.step_decay(0.1, 0.5, every=0.3)
    ValueError: step_decay: every must be >= 1 (a fraction of a run ... 0.3)), got every=0.3
js.multistep(0.1, [0.5, 0.75], factor=0.1)
    ValueError: multistep: boundaries entry 0 must be 0 or >= 1 ... fraction(0.5))
js.spline(np.array([0, 0.25], np.float32), [1, 0])
    ValueError: spline: boundaries must be 0 or >= 1 ... fraction(0.25)), got boundaries=
js.from_dict({"delay": {"schedule": 0.1, "steps": 0.5}})
    ValueError: from_dict: delay: steps must be 0 or >= 1 ... fraction(0.5)
js.grid(js.warmup_cosine, 0.1, 100, warmup_steps=[0, 0.05])
    ValueError: grid: point 1 ... warmup_steps must be 0 or >= 1 ... fraction(0.05)
line.replace(steps=0.1)
    ValueError: linear: steps must be 0 or >= 1 ... fraction(0.1)
js.warmup_cosine(1.0, 10.5, 10)
    ValueError: warmup_cosine: warmup_steps must leave 0 or >= 1 ... total_steps=10.5
js.one_cycle(1.0, 10.5, 5, phases=3)
    ValueError: one_cycle: warmup_steps must leave 0 or >= 1 of total_steps
js.wsd(1.0, 10.5, 0, 10)
    ValueError: wsd: decay_steps must leave 0 or >= 1 of total_steps

# Positional arguments.
js.linear('a', 0.0, 10)
    TypeError: linear: init_value ... init_value='a'
js.linear(1.0, None, 10)
    TypeError: linear: end_value ... end_value=None
js.linear(1.0, 0.0, nan)
    ValueError: linear: steps ... steps=nan
js.linear()
    TypeError: linear: ... init_value
js.linear(1.0)
    TypeError: linear: ... end_value
js.linear(1.0, 0.0, 5, 6)
    TypeError: linear: ... steps
js.cosine(1.0, 0.0, 5, 2.0)
    TypeError: cosine: ... too many
js.linear(1.0, 0.0, 5, steps=5)
    TypeError: linear: ... steps
js.linear(lr=1.0)
    TypeError: linear: ... lr=1.0
js.cosine(1.0, 0.0, decay_steps=5)
    TypeError: cosine: ... decay_steps=5
js.cosine(1.0, 5, alpha=0.0)
    TypeError: cosine: ... alpha=0.0
js.constant(1.0, at=5)
    TypeError: constant: ... at=5
js.constant(1.0, self=5)
    TypeError: constant: ... self=5
js.constant(1.0, rule=5)
    TypeError: constant: ... rule=5
js.rex(alpha=0.5)
    TypeError: rex: ... alpha=0.5
js.rex(0.5, 0.5)
    TypeError: rex: ... too many
js.tanh(nan)
    ValueError: tanh: lower ... lower=nan

# Values that tell their text badly.
js.constant(np.ones((3, 3)))
    ValueError: constant: value ... (3, 3)
js.constant(list(range(1000)))
    TypeError: constant: value ... [0, 1, 2
js.constant('x' * 100_000)
    TypeError: constant: value ... value='xxx
js.constant('two\nlines')
    TypeError: constant: value ... two\nlines
js.constant(type('T', (), {'__repr__': lambda s: 'a\nb'})())
    TypeError: constant: value

# Ends of an exponential.
js.exponential(1.0, -1.0, 10)
    ValueError: exponential: ... init_value=1.0 ... end_value=-1.0
js.exponential(-1.0, 1.0, 10)
    ValueError: exponential: ... init_value=-1.0 ... end_value=1.0
js.exponential(0.0, 1.0, 10)
    ValueError: exponential: ... init_value=0.0
js.exponential(1.0, 0.0, 10)
    ValueError: exponential: ... end_value=0.0
js.exponential(0.0, 0.0, 10)
    ValueError: exponential: ... init_value=0.0
js.exponential(jnp.array(1.0), -1.0, 10)
    ValueError: exponential: ... end_value=-1.0
js.exponential(np.array(1.0), np.array(0.0), 9)
    ValueError: exponential: ... end_value=

# Counts.
js.piecewise_constant([], [0.1, 0.2])
    ValueError: piecewise_constant: ... values ... 2 and 0 ... boundaries=[]
js.piecewise_constant([5], [0.1])
    ValueError: piecewise_constant: ... boundaries=[5] ... values=[0.1]
js.piecewise_constant([5, 9], [0.1, 0.2])
    ValueError: piecewise_constant: ... boundaries=[5, 9]
js.piecewise_constant([], [])
    ValueError: piecewise_constant: ... values=[]
js.piecewise_constant(jnp.arange(3), np.ones(3))
    ValueError: piecewise_constant: ... 3 and 3
js.piecewise_constant(range(3), range(3))
    ValueError: piecewise_constant: ... 3 and 3
js.piecewise_linear([], [])
    ValueError: piecewise_linear: ... boundaries=[] ... values=[]
js.piecewise_linear([1, 2], [0.1])
    ValueError: piecewise_linear: ... 2 and 1
js.piecewise_linear([1], jnp.ones(2))
    ValueError: piecewise_linear: ... 1 and 2
js.piecewise_linear(np.zeros(0), np.zeros(0))
    ValueError: piecewise_linear: ... boundaries=
js.spline([], [])
    ValueError: spline: ... boundaries=[] ... values=[]
js.spline([1, 2, 3], [0.1, 0.2])
    ValueError: spline: ... 3 and 2
js.spline([1], [])
    ValueError: spline: ... 1 and 0
js.multistep(0.1, [5, 9], factors=[0.5])
    ValueError: multistep: ... boundaries=[5, 9] ... factors=[0.5]
js.multistep(0.1, [], factors=[0.5])
    ValueError: multistep: ... factors=[0.5]
js.multistep(0.1, [5], factors=jnp.ones(2))
    ValueError: multistep: ... 2 and 1
js.multistep(0.1, [5])
    ValueError: multistep: ... factor=None ... factors=None
js.multistep(0.1, [5], 0.5, factors=[0.5])
    ValueError: multistep: ... factor=0.5 ... factors=[0.5]
js.multistep(0.1, [5], None)
    ValueError: multistep: ... factor=None
js.multistep(0.1, [5], [0.5])
    TypeError: multistep: factor ... factor=[0.5]
js.multistep(0.1, [5], factors=0.5)
    TypeError: multistep: factors ... factors=0.5
js.join([0.1, 0.2], [])
    ValueError: join: ... schedules ... boundaries=[]
js.join([0.1], [5])
    ValueError: join: ... boundaries=[5]
js.join([0.1, 0.2], [5, 9])
    ValueError: join: ... boundaries=[5, 9]
js.join([0.1] * 3, jnp.arange(3))
    ValueError: join: ... 3 and 3
js.join([0.1, 0.2], 5)
    TypeError: join: boundaries ... boundaries=5
js.join(0.1, 0.2, [5])
    TypeError: join: ... too many

# The order of boundaries, and which entry of a table is bad.
js.join([0.1] * 3, [9, 5])
    ValueError: join: boundaries must be strictly ... boundaries=[9, 5]
js.join([0.1] * 3, [5, 5])
    ValueError: join: boundaries must be strictly ... boundaries=[5, 5]
js.multistep(0.1, [60, 30], 0.1)
    ValueError: multistep: boundaries must be strictly ... [60, 30]
js.spline([0, 5, 5], [0.1] * 3)
    ValueError: spline: boundaries must be strictly ... [0, 5, 5]
js.piecewise_linear([0, 9, 5], [0.1] * 3)
    ValueError: piecewise_linear: boundaries ... [0, 9, 5]
js.piecewise_constant([-5, 5], [0.1] * 3)
    ValueError: piecewise_constant: boundaries entry 0 ... -5
js.spline([0, 5, nan], [0.1] * 3)
    ValueError: spline: boundaries entry 2 ... nan
js.spline([0, 5, 9], [0.1, nan, 0.1])
    ValueError: spline: values entry 1 ... nan
js.join([0.1, 'cosine'], [5])
    TypeError: join: schedules entry 1 ... 'cosine'

# Parts that are longer than the whole.
js.warmup_linear(1.0, 10, 11)
    ValueError: warmup_linear: ... warmup_steps=11 ... total_steps=10
js.warmup_cosine(1.0, 10, 11)
    ValueError: warmup_cosine: ... warmup_steps=11 ... total_steps=10
js.warmup_cosine(1.0, 10.0, 10.5)
    ValueError: warmup_cosine: ... warmup_steps=10.5
js.warmup_cosine(1.0, jnp.array(10), np.array(11))
    ValueError: warmup_cosine: ... warmup_steps=
js.wsd(1.0, 10, 6, 6)
    ValueError: wsd: ... warmup_steps=6 ... decay_steps=6 ... total_steps=10
js.wsd(1.0, 10, 11, 0)
    ValueError: wsd: ... warmup_steps=11 ... total_steps=10
js.wsd(1.0, 10, 0, 11)
    ValueError: wsd: ... decay_steps=11 ... total_steps=10
js.one_cycle(1.0, 10, 11)
    ValueError: one_cycle: ... warmup_steps=11 ... total_steps=10
js.one_cycle(1.0, 10, 6, phases=3)
    ValueError: one_cycle: ... warmup_steps=6 ... total_steps=10
js.slanted_triangular(1.0, 10, 11)
    ValueError: slanted_triangular: ... warmup_steps=11
js.flat_cosine(1.0, 10, 11)
    ValueError: flat_cosine: ... decay_steps=11 ... total_steps=10
js.warmup_inverse_sqrt(1.0, 0)
    ValueError: warmup_inverse_sqrt: timescale ... warmup_steps=0
js.warmup_inverse_sqrt(1.0, 0.0)
    ValueError: warmup_inverse_sqrt: timescale ... warmup_steps=0.0

# Shapes and choices.
js.transition(1.0, 0.0, 9, shape='zigzag')
    ValueError: transition: shape ... cosine, ... shape='zigzag'
js.warmup(1.0, 9, shape='zigzag')
    ValueError: warmup: shape ... shape='zigzag'
js.cooldown(1.0, 9, 9, shape=js.tanh)
    TypeError: cooldown: shape
js.wsd(1.0, 9, 2, 2, shape='1-sqrt')
    ValueError: wsd: shape ... shape='1-sqrt'
js.one_cycle(1.0, 9, 2, shape='cos')
    ValueError: one_cycle: shape ... shape='cos'
js.one_cycle(1.0, 9, 2, phases=4)
    ValueError: one_cycle: phases ... 2, 3 ... phases=4
js.noise(1.0, 0.1, 0, distribution='cauchy')
    ValueError: noise: distribution ... 'normal' ... 'cauchy'

# Limits, and lengths that leave nothing.
js.clip(1.0)
    ValueError: clip: ... min_value=None ... max_value=None
js.clip(1.0, None, None)
    ValueError: clip: ... min_value=None
js.clip(1.0, 0.5, 0.1)
    ValueError: clip: ... min_value=0.5 ... max_value=0.1
js.clip(1.0, jnp.array(0.5), 0.1)
    ValueError: clip: ... min_value= ... max_value=0.1
js.triangular(0.1, 0.5, 0)
    ValueError: triangular: ... up_steps=0
js.triangular(0.1, 0.5, 0, 0)
    ValueError: triangular: ... up_steps=0 ... down_steps=0
js.triangular(0.1, 0.5, 0.0, np.array(0))
    ValueError: triangular: ... up_steps=0.0
js.cosine_restarts(1.0, 0.0, 0)
    ValueError: cosine_restarts: steps ... steps=0
js.cosine_restarts(1.0, 0.0, 9, length_factor=0.5)
    ValueError: cosine_restarts: length_factor ... 0.5
js.cosine_restarts(1.0, 0.0, 9, length_factor=1.0001)
    ValueError: cosine_restarts: length_factor ... 1.0001
js.cosine_restarts(1.0, 0.0, 9, limit=0)
    ValueError: cosine_restarts: limit ... limit=0
js.cosine_restarts(1.0, 0.0, 9, limit=1.5)
    TypeError: cosine_restarts: limit ... limit=1.5
js.cycle(line, 0)
    ValueError: cycle: steps ... steps=0
js.cycle(line, 9, limit=True)
    TypeError: cycle: limit ... limit=True
js.staircase(line, 0)
    ValueError: staircase: every ... every=0
js.per(line, 0)
    ValueError: per: every ... every=0
js.per(line, 0.5)
    ValueError: per: every ... every=0.5
js.choose(2, [line, 0.5])
    ValueError: choose: index must be < 2 ... index=2
js.choose(jnp.array(2), [line, 0.5])
    ValueError: choose: index must be < 2 ... index=
js.choose(-1, [line, 0.5])
    ValueError: choose: index must be >= 0 ... index=-1
js.choose(0, [])
    ValueError: choose: schedules ... schedules=[]
js.choose(0, line)
    TypeError: choose: schedules must be a list ... schedules=linear(
js.choose([0, 1], [line, 0.5])
    TypeError: choose: index must be a whole number ... index=[0, 1]
js.choose(np.arange(2), [line, 0.5])
    ValueError: choose: index must be a whole number, not an array of shape (2,)
js.stretch(line, 1e-400)
    ValueError: stretch: factor ... factor=0.0

# Schedules within schedules: the innermost is named.
js.warmup(js.cosine(1.0, 0.0, -5), 9)
    ValueError: cosine: steps ... steps=-5
js.warmup(1.0, js.constant(9))
    TypeError: warmup: steps ... constant(value=9.0)
js.warmup(schedule=[line], steps=9)
    TypeError: warmup: schedule ... linear(
js.linear(line, 0.0, 9)
    TypeError: linear: init_value ... init_value=linear(

# Operators.
line + 'a'
    TypeError: add: second ... second='a'
'a' + line
    TypeError: add: first ... first='a'
line - None
    TypeError: subtract: second ... second=None
None - line
    TypeError: subtract: first ... first=None
line * True
    TypeError: multiply: second ... second=True
np.True_ * line
    TypeError: multiply: first
[1] * line
    TypeError: multiply: first ... first=[1]
line * [1, 2]
    TypeError: multiply: second ... second=[1, 2]
b'a' * line
    TypeError: multiply: first ... first=b'a'
line / {}
    TypeError: divide: second ... second={}
1j / line
    TypeError: divide: first ... first=1j
np.complex64(1) - line
    TypeError: subtract: first
line + js.rex()
    TypeError: add: second ... second=rex(beta=0.5)
line + js.linear
    TypeError: add: second
line + object()
    TypeError: add: second ... second=<object
line + nan
    ValueError: add: second ... second=nan
inf * line
    ValueError: multiply: first ... first=inf
np.float64('nan') * line
    ValueError: multiply: first
line * 10**400
    ValueError: multiply: second
np.ones(2) * line
    TypeError: multiply: first ... call the schedule first
line * np.ones((2, 2))
    TypeError: multiply: second ... call the schedule first
jnp.ones(2) + line
    TypeError: add: first ... call the schedule first
line + jnp.ones(2)
    TypeError: add: second ... call the schedule first
np.array('a') + line
    TypeError: add: first
line - np.array([True])
    TypeError: subtract: second
line / 0
    ValueError: divide: second must not be 0
line / 0.0
    ValueError: divide: second must not be 0
line / np.float32(0)
    ValueError: divide: second must not be 0
line / jnp.array(0)
    ValueError: divide: second must not be 0
line / js.constant(0.0)
    ValueError: divide: second must not be 0
operators.divide(1.0, -0.0)
    ValueError: divide: second must not be 0

# Changed copies are checked like new ones.
line.replace(steps=-1)
    ValueError: linear: steps ... steps=-1
line.replace(steps='ten')
    TypeError: linear: steps ... steps='ten'
line.replace(init_value=nan)
    ValueError: linear: init_value ... init_value=nan
line.replace(step=5)
    TypeError: linear: ... 'steps' ... step=5
line.replace(schedule=line)
    TypeError: linear: ... schedule=linear(
js.exponential(1.0, 2.0, 9).replace(end_value=-1.0)
    ValueError: exponential: ... end_value=-1.0
js.clip(1.0, 0.1, 0.5).replace(max_value=0.0)
    ValueError: clip: ... max_value=0.0
js.multistep(0.1, [5], 0.5).replace(factors=[0.5])
    ValueError: multistep: ... factors=[0.5]
js.multistep(0.1, [5], factors=[1]).replace(boundaries=[5, 9])
    ValueError: multistep: ... [5, 9]
js.join([0.1, 0.2], [5]).replace(boundaries=[])
    ValueError: join: ... boundaries=[]
js.warmup_cosine(1.0, 10, 2).replace(total_steps=9)
    TypeError: cooldown: ... total_steps=9
js.rex().replace(beta=0)
    ValueError: rex: beta ... beta=0

# Schedules from anything, and arrays as text writes them.
js.as_schedule('cosine')
    TypeError: as_schedule: value ... value='cosine'
js.as_schedule(None)
    TypeError: as_schedule: value ... value=None
js.as_schedule(nan)
    ValueError: as_schedule: value ... value=nan
js.as_schedule(np.ones(2))
    ValueError: as_schedule: value ... (2,)
js.array(nan, 'float32')
    ValueError: array: values ... values=nan
js.array([0.1, inf], 'float32')
    ValueError: array: values ... inf
js.array(1e999, 'bfloat16')
    ValueError: array: values ... inf
js.array(1e39, 'float32')
    ValueError: array: values ... 1e+39
js.array(10**400, 'float32')
    ValueError: array: values
js.array(300, 'uint8')
    ValueError: array: ... 300
js.array(-1, 'uint32')
    ValueError: array: ... -1
js.array([0.1, [0.2]], 'float32')
    ValueError: array: values
js.array('0.1', 'float32')
    TypeError: array: values ... '0.1'
js.array(['a'], 'float32')
    TypeError: array: values ... 'a'
js.array(None, 'float32')
    TypeError: array: values ... None
js.array([None], 'float32')
    TypeError: array: values ... None
js.array(True, 'float32')
    TypeError: array: values ... True
js.array(1j, 'float32')
    TypeError: array: values ... 1j
js.array(line, 'float32')
    TypeError: array: values ... linear(
js.array(True, 'bool')
    TypeError: array:
js.array(1.0, 'complex64')
    TypeError: array: dtype ... complex64
js.array(1.0, 'float33')
    TypeError: array: dtype ... float33
js.array(1.0, 'object')
    TypeError: array: dtype ... object
js.array(1.0, 'a')
    TypeError: array: dtype ... 'a'
js.array(1.0, 5)
    TypeError: array: dtype ... 5
js.array(1.0, None)
    TypeError: array: dtype ... None

# A clock.
js.Clock(steps_per_epoch=0)
    ValueError: Clock: steps_per_epoch ... steps_per_epoch=0
js.Clock(steps_per_epoch=-1)
    ValueError: Clock: steps_per_epoch ... steps_per_epoch=-1
js.Clock(steps_per_epoch='390')
    TypeError: Clock: steps_per_epoch ... steps_per_epoch='390'
js.Clock(steps_per_epoch=True)
    TypeError: Clock: steps_per_epoch ... steps_per_epoch=True
js.Clock(steps_per_epoch=np.True_)
    TypeError: Clock: steps_per_epoch
js.Clock(total_steps=nan)
    ValueError: Clock: total_steps ... total_steps=nan
js.Clock(total_steps=inf)
    ValueError: Clock: total_steps ... total_steps=inf
js.Clock(total_steps=Decimal('NaN'))
    ValueError: Clock: total_steps ... NaN
js.Clock(total_steps=np.float32('nan'))
    ValueError: Clock: total_steps ... nan
js.Clock(total_steps=[100])
    TypeError: Clock: total_steps ... total_steps=[100]
js.Clock(total_steps=np.ones((2, 2)))
    TypeError: Clock: total_steps
js.Clock(tokens_per_step=1j)
    TypeError: Clock: tokens_per_step ... 1j
js.Clock(tokens_per_step=line)
    TypeError: Clock: tokens_per_step ... linear(
js.Clock(tokens_per_step=0.0)
    ValueError: Clock: tokens_per_step ... tokens_per_step=0.0
js.Clock(step_per_epoch=390)
    TypeError: Clock ... step_per_epoch
js.Clock(390)
    TypeError: Clock
js.Clock().epochs(5)
    ValueError: Clock: steps_per_epoch
js.Clock(steps_per_epoch=9).fraction(0.5)
    ValueError: Clock: total_steps
js.Clock(total_steps=9).tokens(100)
    ValueError: Clock: tokens_per_step
clock.epochs(-1)
    ValueError: Clock: epochs ... epochs=-1
clock.epochs(nan)
    ValueError: Clock: epochs ... epochs=nan
clock.epochs('5')
    TypeError: Clock: epochs ... epochs='5'
clock.epochs(None)
    TypeError: Clock: epochs ... epochs=None
clock.epochs(False)
    TypeError: Clock: epochs ... epochs=False
clock.fraction(1.5)
    ValueError: Clock: fraction ... fraction=1.5
clock.fraction(-0.1)
    ValueError: Clock: fraction ... fraction=-0.1
clock.fraction(30)
    ValueError: Clock: fraction ... fraction=30
clock.fraction([0.5])
    TypeError: Clock: fraction ... fraction=[0.5]
clock.tokens(inf)
    ValueError: Clock: tokens ... tokens=inf
clock.tokens(-2e9)
    ValueError: Clock: tokens ... tokens=-2000000000.0
clock.tokens('2e9')
    TypeError: Clock: tokens ... tokens='2e9'
"""


def rows_of(table):
    """The rows of a table: call, exception, message with ... for what varies."""
    call = ""
    for line in filter(None, table.splitlines()):
        if line.startswith("    "):
            kind, message = line.strip().split(": ", 1)
            yield call, getattr(builtins, kind), message
        elif not line.startswith("#"):
            call = line


ROWS = list(rows_of(TABLE))


@pytest.mark.parametrize(("source", "kind", "message"), ROWS)
def test_rows(source, kind, message):
    """Every call of the table is refused in the one wording."""
    call = lambda: eval(source, dict(SCOPE))
    assert complaint(call, kind, worded(*message.split(" ... "))) is None


# ----- steps -----

# fmt: off
NOT_STEPS = [
    *ANYTHING_ELSE, "None", *BOOLEANS, *COMPLEX, *LISTS, "[1, 2]", "[[1], [2]]", "'3'",
    "Decimal(3)", "lambda: 3", "line", "js.rex()", "np.timedelta64(3, 'ns')",
    "np.array([True])", "np.array([1j])", "np.array([None])", "np.array(['3'])",
    "np.array(['2026'], 'datetime64[Y]')", "np.array([[None], [1]])",
    "jnp.ones((2, 2), bool)", "jax.random.key(0)",
]
# fmt: on


@pytest.mark.parametrize("name", ["constant", "cosine", "join", "spline", "noise"])
@pytest.mark.parametrize("way", ["call", "at"])
def test_bad_steps(name, way):
    """What is not a real number or an array of them is not a step."""
    schedule = constructor(name)(**GOOD[name])
    read = schedule.at if way == "at" else schedule
    complaints = []
    for source in NOT_STEPS:
        step = value_of(source)
        call = lambda step=step: read(step)
        pattern = worded(f"{name}: step must ", f", got step={shown(step)}")
        wrong = complaint(call, TypeError, pattern)
        if wrong:
            complaints.append(f"js.{name}(...)({source}): {wrong[:300]}")
    assert not complaints, "\n".join(["", *complaints])


def test_host_reading_of_what_is_traced():
    """`at` refuses a traced step and a traced schedule."""
    schedule = js.linear(1.0, 0.0, 10)

    @jax.jit
    def reads_step(step):
        call = lambda: schedule.at(step)
        assert complaint(call, TypeError, "linear: at.*traced step") is None
        return step

    @jax.jit
    def reads_schedule(steps):
        call = lambda: js.linear(1.0, 0.0, steps).at(3)
        assert complaint(call, TypeError, "linear: at.*traced") is None
        return steps

    reads_step(3)
    reads_schedule(10)


def test_traced_steps_of_a_wrong_kind():
    """A traced step has a known kind, and a wrong one is refused."""

    def reads(step):
        call = lambda: js.linear(1.0, 0.0, 10)(step)
        assert complaint(call, TypeError, "linear: step must ") is None
        return step

    jax.eval_shape(reads, jnp.array(True))
    jax.eval_shape(reads, jnp.ones(3, complex))


@pytest.mark.parametrize("way", ["call", "at"])
def test_stacked_schedules_are_not_called(way):
    """A stack of schedules says that it wants to be mapped over."""
    stacked = jax.vmap(lambda n: js.linear(1.0, 0.0, n))(jnp.arange(1, 4))
    read = stacked.at if way == "at" else stacked
    assert complaint(lambda: read(0), ValueError, r"linear: .*\(3,\).*vmap") is None


# ----- tracers -----


STATIC = (FLAG, SHAPE, CLOCK, CHOICE, DISTRIBUTION, PHASES, SCHEDULES)
TRACEABLE = [place for place in PLACES if kind_of(*place) not in STATIC]


@pytest.mark.parametrize(("name", "argument"), TRACEABLE)
def test_tracers_pass(name, argument):
    """What is not known yet is not checked, whatever it will be."""
    good = dict(GOOD[name])
    if (name, argument) == ("multistep", "factor"):
        good = {**good, "factor": 0.5, "factors": None}
    kind = kind_of(name, argument)
    make = constructor(name)
    build = lambda value: make(**{**good, argument: value})
    like = jnp.asarray(good[argument])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        built = jax.vmap(build)(jnp.stack([-like, like]))
    assert isinstance(built, (js.Schedule, js.Shape, js.MetricDriven))
    if kind in (VALUES, FACTORS, BOUNDARIES):
        entries = lambda value: build([*good[argument][:-1], value])
        last = jnp.asarray(good[argument][-1])
        assert isinstance(jax.vmap(entries)(jnp.stack([-last, last])), js.Schedule)


def test_tracers_of_a_wrong_kind_are_refused():
    """Kind and rank of a tracer are known, and a wrong one is refused."""

    def builds(source, kind):
        def build(value):
            call = lambda: eval(source, {**SCOPE, "value": value})
            assert complaint(call, kind, "linear: steps must .* steps=") is None
            return value

        return build

    one = "js.linear(1.0, 0.0, steps=value)"
    jax.eval_shape(builds(one, ValueError), jnp.ones(2))
    jax.eval_shape(builds(one, ValueError), jnp.ones((2, 2)))
    jax.eval_shape(builds(one, TypeError), jnp.array(True))
    jax.eval_shape(builds(one, TypeError), jnp.array(1j))


def test_geometry_of_traced_parts_is_not_checked():
    """Recipes check what is concrete, and trust the rest."""
    late = jax.vmap(lambda n: js.warmup_cosine(1.0, 100, n))(jnp.array([50, 150]))
    assert isinstance(late, js.Schedule)
    phases = jax.vmap(lambda n: js.one_cycle(1.0, n, 30, phases=3))(jnp.array([10, 90]))
    assert isinstance(phases, js.Schedule)
    stable = jax.vmap(lambda n: js.wsd(1.0, 100, n, n))(jnp.array([60, 70]))
    assert isinstance(stable, js.Schedule)
    ends = jax.vmap(lambda v: js.exponential(1.0, v, 9))(jnp.array([-1.0, 0.0]))
    assert isinstance(ends, js.Schedule)
    limits = jax.vmap(lambda v: js.clip(1.0, v, 0.1))(jnp.array([0.5, 0.0]))
    assert isinstance(limits, js.Schedule)


def test_bounds_themselves_are_allowed():
    """What is just inside of each; of values what still rounds to the largest float."""
    double = float(np.finfo(np.float64).max)
    single = float.fromhex("0x1.fffffefffffffp127")
    largest = double if jax.config.jax_enable_x64 else single
    for value in (largest, -largest, 0.0):
        assert js.constant(value).value == value
    assert users.damped(0.5, share=1.0).share == 1.0
    assert users.damped(0.5, share=0.0).share == 0.0
    assert js.linear(1.0, 0.0, steps=double).steps == double
    growing = js.cosine_restarts(1.0, 0.0, 5, length_factor=1.001)
    assert growing.length_factor == 1.001
    with pytest.raises(ValueError, match="must be <= 1"):
        users.damped(0.5, share=1.001)


def test_good_calls_do_not_warn():
    """A good call is accepted in silence, and so is the largest length."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, good in GOOD.items():
            assert constructor(name)(**good) == constructor(name)(**good)
        assert js.linear(1.0, 0.0, steps=LONGEST).steps == LONGEST
        assert js.linear(1.0, 0.0, steps=1e30).steps == 1e30
