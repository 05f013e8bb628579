"""Rules by name: two packages, one name; rules that are made again; what has no text."""

import copy
import functools
import json
import pickle
import subprocess
import sys
import textwrap
import threading
import types
from typing import Annotated

import cloudpickle
import jax
import numpy as np
import pytest

import jaxsched as js
from jaxsched.compat import torch
from jaxsched.schedule import schedules
from jaxsched.shapes import shapes


@pytest.fixture(autouse=True)
def only_ours(monkeypatch):
    """What tests define is free before and after."""
    for names in (schedules, shapes):
        ours = {path: rule for path, rule in names._rules.items() if rule.is_own}
        monkeypatch.setattr(names, "_rules", ours)


def package(name: str, source: str) -> types.ModuleType:
    """A module of that name, as if it had been imported."""
    module = types.ModuleType(name)
    sys.modules[name] = module
    exec(textwrap.dedent(source), vars(module))
    return module


RAMP = """
import jaxsched as js
@js.schedule
def my_ramp(step, value: js.Value, steps: js.Steps):
    return {factor} * value * js.progress(step, steps)[0]
"""


def ramps() -> tuple[types.ModuleType, types.ModuleType]:
    """Two packages with a schedule of one name."""
    return (
        package("lab", RAMP.format(factor=1)),
        package("team.lab_two", RAMP.format(factor=2)),
    )


def test_two_packages_may_use_one_name():
    """Text of each reads back as itself, data too."""
    lab, other = ramps()
    one, two = lab.my_ramp(1.0, steps=4), other.my_ramp(1.0, steps=4)
    assert one != two
    assert repr(one) == "lab.my_ramp(value=1.0, steps=4)"
    assert repr(two) == "lab_two.my_ramp(value=1.0, steps=4)"
    for s in (one, two, js.warmup(one, 3), one * two):
        assert js.parse(repr(s)) == s
        assert js.from_dict(js.to_dict(s)) == s
    assert (one.at(2), two.at(2)) == (0.5, 1.0)


def test_a_bare_name_of_two_is_refused_with_the_candidates():
    """Unless one says which is meant."""
    lab, other = ramps()
    text = "warmup(my_ramp(1.0, steps=4), 3)"
    data = {"my_ramp": {"value": 1.0, "steps": 4}}
    for read in (lambda: js.parse(text), lambda: js.from_dict(data)):
        with pytest.raises(
            ValueError, match=r"lab\.my_ramp, team\.lab_two\.my_ramp.*names="
        ):
            read()
    for made in (lab.my_ramp, other.my_ramp):
        meant = {"my_ramp": made}
        assert js.parse(text, names=meant) == js.warmup(made(1.0, 4), 3)
        assert js.from_dict(data, names=meant) == made(1.0, 4)
    full = "team.lab_two.my_ramp(1.0, 4)"
    assert js.parse(full) == other.my_ramp(1.0, 4)


def test_the_bare_name_is_enough_for_one():
    """As long as one package alone has it."""
    lab = package("lab", RAMP.format(factor=1))
    assert repr(lab.my_ramp(1.0, 4)) == "my_ramp(value=1.0, steps=4)"
    assert js.parse("lab.my_ramp(1.0, 4)") == lab.my_ramp(1.0, 4)


def test_names_may_be_given_for_anything():
    """Also for what nobody has, and instead of one of ours."""
    assert js.parse("ours(1.0, 0.0, 5)", names={"ours": js.linear}) == js.linear(
        1, 0, 5
    )
    instead = js.parse("cosine(1.0, 0.0, 5)", names={"cosine": js.linear})
    assert instead == js.linear(1.0, 0.0, 5)
    for wrong in (3, "linear", len, None):
        with pytest.raises(TypeError, match="names"):
            js.parse("cosine(1.0, 0.0, 5)", names={"cosine": wrong})
        with pytest.raises(TypeError, match="names"):
            js.from_dict({"cosine": {}}, names={"cosine": wrong})


def test_our_names_stay_ours():
    """A rule that is called like one of ours never prints what means ours."""
    mine = package(
        "mine",
        """
        import jaxsched as js
        @js.schedule
        def cosine(step, init_value: js.Value, end_value: js.Value, steps: js.Steps):
            return init_value
        @js.recipe
        def wsd(peak_value: js.Value):
            return js.constant(peak_value)
        @js.shape
        def tanh(elapsed, remaining, lower: js.Value = -7.0, upper: js.Value = 3.0):
            return remaining, elapsed
        @js.shape
        def square(elapsed, remaining):
            return remaining, elapsed
        """,
    )
    own = mine.cosine(1.0, 0.0, 5)
    assert repr(own) == "mine.cosine(init_value=1.0, end_value=0.0, steps=5)"
    assert repr(js.cosine(1.0, 0.0, 5)).startswith("cosine(")
    for s in (
        own,
        js.cosine(1.0, 0.0, 5),
        js.transition(1.0, 0.0, 5, shape=mine.tanh()),
        js.transition(1.0, 0.0, 5, shape=js.tanh()),
        js.transition(1.0, 0.0, 5, shape=mine.square()),
        js.transition(1.0, 0.0, 5, shape="square"),
        js.transition(1.0, 0.0, 5, shape="mine.square"),
    ):
        assert js.parse(repr(s)) == s
        assert js.from_dict(js.to_dict(s)) == s
    assert js.parse("wsd(1.0, 100, 10, 20)") == js.wsd(1.0, 100, 10, 20)
    assert js.parse("mine.wsd(1.0)") == js.constant(1.0)
    assert eval(repr(js.cosine(1.0, 0.0, 5)), vars(js)) == js.cosine(1.0, 0.0, 5)


def test_a_shape_may_be_called_like_a_schedule():
    """In the place of a shape a name means a shape."""
    package(
        "mine",
        """
        import jaxsched as js
        @js.schedule
        def bump(step, value: js.Value):
            return value
        @js.shape
        def bump(elapsed, remaining, height: js.Factor = 1.0):
            return remaining, elapsed
        """,
    )
    s = js.transition(1.0, 0.0, 5, shape=sys.modules["mine"].bump(height=2.0))
    assert js.parse(repr(s)) == s
    assert js.from_dict(js.to_dict(s)) == s
    assert js.parse("bump(0.5)").at(0) == 0.5


# ----- made again -----


def test_a_cell_that_is_run_again():
    """Unchanged it is the same rule; changed, the old one's text would mean the new."""
    first = package("notebook", RAMP.format(factor=1)).my_ramp(1.0, 4)
    again = package("notebook", "\n\n" + RAMP.format(factor=1)).my_ramp(1.0, 4)
    assert first == again
    assert hash(first) == hash(again)
    assert jax.tree.structure(first) == jax.tree.structure(again)
    assert js.parse(repr(first)) == first
    changed = package("notebook", RAMP.format(factor=3)).my_ramp(1.0, 4)
    assert changed != first
    assert js.parse(repr(changed)) == changed
    with pytest.raises(ValueError, match="my_ramp, which was defined again since"):
        js.parse(repr(first))
    with pytest.raises(ValueError, match="my_ramp was defined again since"):
        js.to_dict(js.warmup(first, 3))


LOADED = """
import cloudpickle, jax, sys
import jaxsched as js
one, two = (cloudpickle.loads(bytes.fromhex(sys.argv[1])) for _ in range(2))
assert one == two and hash(one) == hash(two)
assert jax.tree.structure(one) == jax.tree.structure(two)
stacked = js.stack([one, two.replace(value=2.0)])
assert js.unstack(stacked) == [one, two.replace(value=2.0)]
assert js.parse(repr(one)) == one, repr(one)
assert js.from_dict(js.to_dict(two)) == one
assert one.at(2) == 0.5 and js.horizon(one) == 4
traces = []
value = jax.jit(lambda s: traces.append(s) or s(2))
assert value(one) == value(two) == 0.5 and len(traces) == 1
print("passed")
"""


def test_a_rule_by_cloudpickle_is_the_same_each_time(tmp_path):
    """Of `__main__`, in another process, loaded twice."""
    source = RAMP.format(factor=1) + (
        "import cloudpickle\nprint(cloudpickle.dumps(my_ramp(1.0, steps=4)).hex())\n"
    )
    script = tmp_path / "made.py"
    script.write_text(source)
    made = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    command = [sys.executable, "-c", LOADED, made.stdout.strip()]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["passed"]


def test_a_constructor_by_cloudpickle_works_alone():
    """What it makes prints and reads, though nobody has entered its name."""
    lab = package("lab", RAMP.format(factor=1))
    cloudpickle.register_pickle_by_value(lab)
    try:
        data = cloudpickle.dumps(lab.my_ramp)
    finally:
        cloudpickle.unregister_pickle_by_value(lab)
    schedules._rules.pop(("lab", "my_ramp"))
    s = cloudpickle.loads(data)(1.0, 4)
    assert repr(s) == "my_ramp(value=1.0, steps=4)"
    assert js.parse(repr(s)) == s
    assert s == lab.my_ramp(1.0, 4)


# ----- what has no text -----


def make(factor: float):
    """The same function twice, with another number inside."""

    @js.schedule
    def scaled(step, value: js.Value):
        return factor * value

    return scaled


def test_a_rule_that_captures_variables_has_no_text():
    """Text could not hold them; it says so instead of meaning another schedule."""
    two, three = make(2.0)(1.0), make(3.0)(1.0)
    assert two != three
    assert make(2.0)(1.0) == two
    assert (two.at(0), three.at(0)) == (2.0, 3.0)
    assert two(0) == 2.0
    for s in (two, three, js.warmup(two, 5), 0.5 * three):
        assert "scaled, which uses variables of the function around it: factor" in repr(
            s
        )
        with pytest.raises(ValueError, match=r"scaled, which uses variables .* factor"):
            js.parse(repr(s))
        with pytest.raises(ValueError, match=r"scaled uses variables .* factor"):
            js.to_dict(s)
        assert copy.deepcopy(s) == s


def test_modules_are_no_variables():
    """A function that imports what it needs is as good as one in a module."""
    import jaxsched as library

    @js.schedule
    def inside(step, value: js.Value, *, power: js.Power = 2.0):
        return value * library.progress(step, 4)[1] ** power

    s = inside(1.0)
    assert js.parse(repr(s)) == s
    assert "power=2.0" in repr(s)  # of a rule in a function defaults may differ


def with_default(power: float):
    """The same function twice, with another default."""

    @js.schedule
    def raised(step, value: js.Value, *, power: js.Power = power):
        return value**power

    return raised


def test_text_holds_defaults_that_may_differ():
    """Read back it is the same curve, under either."""
    squared, cubed = with_default(2.0)(0.5), with_default(3.0)(0.5)
    assert (squared.at(0), cubed.at(0)) == (0.25, 0.125)
    assert repr(cubed) == "raised(value=0.5, power=3.0)"
    assert js.parse("raised(value=0.5, power=2.0)").at(0) == 0.25
    assert js.parse("raised(0.5)") == cubed
    with pytest.raises(ValueError, match="raised, which was defined again since"):
        js.parse(repr(squared))


def test_rules_with_other_checks_phases_or_bounds_are_others():
    """Whatever a rule is made of tells it from others, and what that captures."""

    def build(n: int, kind: str):
        own = {
            "check": lambda value: n,
            "phases": lambda s, until: [js.Phase("only", 0, n)],
        }
        domain = js.Number(least=-n if kind == "bound" else None)

        @js.schedule(**({kind: own[kind]} if kind in own else {}))
        def lively(step, value: Annotated[float, domain]):
            return value + 0 * step

        return lively(1.0)

    for kind in ("check", "phases", "bound"):
        three, five = build(3, kind), build(5, kind)
        assert three != five
        with pytest.raises(ValueError, match="lively, which"):
            js.parse(repr(three))


def test_a_wrapped_function_is_looked_into():
    """What `jax.jit` or functools wraps captures as the function inside does."""

    def build(factor: float):
        @js.schedule
        @jax.jit
        def jitted(step, value: js.Value):
            return value * factor + 0 * step

        return jitted(1.0)

    two, three = build(2.0), build(3.0)
    assert two != three
    assert (two.at(1), three.at(1)) == (2.0, 3.0)
    with pytest.raises(ValueError, match=r"jitted, which uses variables .*: factor"):
        js.parse(repr(two))


def scaled_by(factor):
    """A decorator of a user's, as `functools.wraps` is meant to be used."""

    def decorate(function):
        @functools.wraps(function)
        def inner(*args, **kwargs):
            return factor * function(*args, **kwargs)

        return inner

    return decorate


@pytest.mark.parametrize("layers", [1, 2])
def test_what_decorates_a_rule_is_part_of_it(layers):
    """Of schedules, recipes and shapes: in equality, text, readings and programs."""

    def build(factor):
        def decorated(function):
            for _ in range(layers):
                function = scaled_by(factor)(function)
            return function

        @js.schedule
        @decorated
        def times(step, value: js.Value):
            return value * jax.numpy.ones_like(step, float)

        @js.shape
        @decorated
        def bent(elapsed, remaining):
            return remaining

        return times(1.0), js.transition(1.0, 0.0, 4, shape=bent())

    for two, three in zip(build(2.0), build(3.0), strict=True):
        assert two != three
        assert jax.tree.structure(two) != jax.tree.structure(three)
    for factor in (2.0, 3.0):
        s, _ = build(factor)
        assert s == build(factor)[0]
        assert s.at(1) == s(1) == compiled(s) == factor**layers
        with pytest.raises(ValueError, match=r"which uses variables .*: factor"):
            js.parse(repr(s))


compiled = jax.jit(lambda s: s(1))


class Setting:
    """A value of a user's class."""

    def __init__(self, factor):
        self.factor = factor


CAPTURED = {
    "list": lambda x: [x],
    "tuple": lambda x: (x, np.ones(2)),
    "dict": lambda x: {"factor": x},
    "set": lambda x: {x},
    "partial": lambda x: functools.partial(max, x),
    "nan": lambda x: float("nan") if x == 2 else x,
    "function of a library": lambda x: jax.numpy.where if x == 2 else np.where,
    "object": Setting,
    "nested": lambda x: {"all": [Setting((x, {x}))]},
}


@pytest.mark.parametrize("kind", CAPTURED)
def test_captured_values_are_compared_by_what_they_are(kind):
    """Made again, or loaded twice, it is the same rule; with another value it is not."""

    def build(value):
        @js.schedule
        def holding(step, peak: js.Value):
            return peak + 0 * step * len(repr(value))

        return holding(1.0)

    two, again, three = (build(CAPTURED[kind](x)) for x in (2.0, 2.0, 3.0))
    assert two == again != three
    assert hash(two) == hash(again)
    data = cloudpickle.dumps(two)
    assert js.stack([cloudpickle.loads(data), cloudpickle.loads(data)])[0] == two


def test_captured_zeros_and_kinds_of_numbers_differ():
    """Of 0 and -0, of 2 and 2.0, and inside of tuples, a program knows which it is."""

    def build(value):
        @js.schedule
        def angle(step, peak: js.Value):
            sign = value[0] if isinstance(value, tuple) else value
            return peak * jax.numpy.arctan2(0.0, sign)

        return angle(1.0)

    for one, other in [(0.0, -0.0), ((0.0,), (-0.0,)), ((2,), (2.0,))]:
        assert build(one) != build(other)
        for value in (one, other):
            assert build(value).at(1) == pytest.approx(float(build(value)(1)), rel=1e-6)


@pytest.mark.parametrize("module", ["01_train", "my-lab", "labs.lambda"])
def test_modules_that_python_cannot_name(module):
    """Text says so where it would need their name; data has it."""
    alone = package(module, RAMP.format(factor=1)).my_ramp(1.0, steps=4)
    assert js.parse(repr(alone)) == alone
    package("lab", RAMP.format(factor=2))
    with pytest.raises(
        ValueError, match=r"my_ramp, which is called .*, which is no name"
    ):
        js.parse(repr(alone))
    assert js.from_dict(js.to_dict(alone)) == alone


def test_names_are_read_while_others_are_entered():
    """By other threads, which import what they need."""
    stop, failures = threading.Event(), []

    def read():
        while not stop.is_set():
            try:
                assert js.parse(repr(S)) == S
                assert "cosine" in set(schedules)
            except RuntimeError as error:
                failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for i in range(200):
            package(f"crowd_{i}", RAMP.format(factor=i))
    finally:
        stop.set()
        sys.setswitchinterval(interval)
        for thread in threads:
            thread.join()
    assert not failures


S = js.warmup(js.cosine(0.1, 0.0, 900), 100)


@pytest.mark.parametrize("wrong", [None, "ramp", 1j, (1.0, 2.0)])
@pytest.mark.parametrize("look", [js.Schedule.__call__, js.Schedule.at, js.describe])
def test_what_a_rule_must_not_return(wrong, look):
    """It is named, whoever looks first."""

    @js.schedule
    def forgetful(step, value: js.Value):
        return wrong

    reason = (
        "forgetful: a rule returns (a real number for each step|one value per step)"
    )
    with pytest.raises((TypeError, ValueError), match=reason):
        look(forgetful(1.0), 3)


def test_what_a_recipe_must_not_return():
    @js.recipe
    def number(value: js.Value):
        return 2 * value

    with pytest.raises(
        TypeError, match=r"number: a recipe returns a schedule, got 2\.0"
    ):
        number(1.0)


@pytest.mark.parametrize("wrong", [None, ["ramp"], [("ramp", 0, 4)], 3])
def test_what_phases_must_not_be(wrong):
    @js.schedule(phases=lambda s, until: wrong)
    def unphased(step, value: js.Value):
        return value

    s = unphased(1.0)
    with pytest.raises(
        TypeError, match=r"unphased: its phases must be a list of js\.Phase"
    ):
        js.phases(s, 9)


def test_defaults_and_bounds_are_checked_where_they_are_written():
    share = Annotated[float, js.Number(least=0, most=1)]

    def beyond(step, value: share = 2.0):
        return value

    with pytest.raises(ValueError, match=r"beyond: value must be <= 1, got value=2\.0"):
        js.schedule(beyond)
    with pytest.raises(ValueError, match="Number: most must be >= 2, got most=1"):
        js.Number(least=2, most=1)
    for wrong in ("a", float("nan"), 1j):
        for name in ("least", "above", "most"):
            with pytest.raises(
                TypeError, match=f"Number: {name} must be a number or None"
            ):
                js.Number(**{name: wrong})


def test_what_is_no_rule():
    """A rule has a name and is a function."""
    for wrong in (
        lambda step: 1.0,
        functools.partial(js.linear.__wrapped__),
        3,
        object(),
    ):
        with pytest.raises(TypeError, match="rule"):
            js.schedule(wrong)


def test_an_array_is_an_array():
    """Whatever a user calls so: text has that name for what it writes of arrays."""
    mine = package(
        "mine",
        """
        import jaxsched as js
        @js.schedule
        def array(step, values: js.Value = 1.0):
            return values * 1.0
        """,
    )
    strong = js.constant(np.array(0.5, np.float16))
    own = mine.array(2.0)
    for s in (strong, own, js.warmup(own, 5)):
        assert js.parse(repr(s)) == s
        assert js.from_dict(js.to_dict(s)) == s
    assert js.parse("array(2.0)", names={"array": mine.array}) == own
    assert js.from_dict({"array": {"values": 2.0}}, names={"array": mine.array}) == own


def test_a_full_name_is_enough():
    """Though another package's name ends with it."""
    short = package("schedules", RAMP.format(factor=1)).my_ramp(1.0, 4)
    long = package("lab.schedules", RAMP.format(factor=2)).my_ramp(1.0, 4)
    for s in (short, long):
        assert js.parse(repr(s)) == s
        assert js.from_dict(js.to_dict(s)) == s


def test_a_module_called_js():
    """Nothing that it could be called means it: its text is refused."""
    own = package(
        "js", "import jaxsched\n" + RAMP.format(factor=1).replace("my_ramp", "cosine")
    )
    with pytest.raises(ValueError, match="cosine, which is called like something else"):
        js.parse(repr(own.cosine(1.0, 4)))
    del sys.modules["js"]


def test_names_settle_shapes_in_quotes():
    one, two = (
        package(
            name,
            """
            import jaxsched as js
            @js.shape
            def soft(elapsed, remaining):
                return remaining, elapsed
            """,
        )
        for name in ("a.one", "b.two")
    )
    text = "transition(1.0, 0.0, 4, shape='soft')"
    with pytest.raises(ValueError, match="names="):
        js.parse(text)
    found = js.parse(text, names={"soft": two.soft})
    assert found == js.transition(1.0, 0.0, 4, shape=two.soft())
    assert found != js.transition(1.0, 0.0, 4, shape=one.soft())
    data = {
        "transition": {"init_value": 1, "end_value": 0, "steps": 4, "shape": "soft"}
    }
    assert js.from_dict(data, names={"soft": two.soft}) == found


def test_captured_arrays_and_recursion_by_cloudpickle():
    """Loaded twice they are one rule."""

    def build(table):
        def total(n):
            return table[0] if n == 0 else total(n - 1)

        @js.schedule
        def deep(step, value: js.Value):
            return value * total(2) + 0 * step

        return deep(1.0)

    data = cloudpickle.dumps(build(np.ones(3)))
    one, two = cloudpickle.loads(data), cloudpickle.loads(data)
    assert one == two
    assert js.unstack(js.stack([one, two])) == [one, two]
    assert one != build(np.zeros(3))


def test_numbers_that_numpy_made():
    """A tree of NumPy scalars is written as the numbers that they are."""
    s = js.cosine(0.1, 0.0, 10)
    lived = jax.tree.map(lambda x: np.float64(x) if isinstance(x, float) else x, s)
    assert lived == s
    assert repr(lived) == repr(s)
    assert json.loads(json.dumps(js.to_dict(lived))) == js.to_dict(s)
    narrow = jax.tree.map(lambda x: np.float32(x) if isinstance(x, float) else x, s)
    assert js.parse(repr(narrow)).at(3) == narrow.at(3)


# ----- what other libraries' names make -----


def test_what_compat_returns_reads_back():
    """In a process that has never imported it, too."""
    s = torch.MultiplicativeLR(0.1, js.linear(0.9, 1.0, steps=100))
    assert js.parse(repr(s)) == s
    source = f"import jaxsched as js; print(repr(js.parse({repr(s)!r})) == {repr(s)!r})"
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True
    )
    assert done.stdout.split() == ["True"], done.stderr


# ----- what has lived -----


def lives(s: js.Schedule) -> list[js.Schedule]:
    """The same schedule after what programs do to it."""
    through = jax.jit(lambda s: s)(s)
    return [
        through,
        js.unstack(js.stack([s, s]))[1],
        js.stack([s, s])[0],
        pickle.loads(pickle.dumps(through)),
        copy.deepcopy(through),
        jax.tree.map(lambda x: x - 0, through),
    ]


@pytest.mark.parametrize(
    "s",
    [
        js.cosine(0.1, 0.0, 10),
        js.warmup_cosine(3e-4, 1000, 100),
        js.piecewise_linear([0, 10, 30], [0.1, 0.7, 0.3]),
        0.3 * js.cycle(js.linear(0.1, 0.0, 4), 4) + 1e-5,
        js.join([js.constant(0.1), 0.7], [3]),
    ],
    ids=str,
)
def test_what_has_lived_is_written_as_what_it_is(s):
    """A weak array is the Python number that it stands for: printed, compared, hashed."""
    for lived in lives(s):
        assert repr(lived) == repr(s)
        assert js.parse(repr(lived)) == lived == s
        assert hash(lived) == hash(s)
        assert js.from_dict(js.to_dict(lived)) == s
        np.testing.assert_array_equal(lived.at(np.arange(9)), s.at(np.arange(9)))


def test_names_of_users_come_before_rooms_of_ours():
    """A user's module may be called like a part of this package."""
    module = package("lab.planning", RAMP.format(factor=1).replace("my_ramp", "bert"))
    made = module.bert(1.0, steps=4)
    assert js.parse("planning.bert(1.0, steps=4)") == made
    assert js.parse(repr(made)) == made
    assert js.parse("js.published.bert()") == js.published.bert()
    assert js.parse("published.bert()") == js.published.bert()


def test_a_rule_of_no_module_is_one_of_the_program():
    """What `exec` runs in a bare dict has no `__name__`."""
    names: dict = {}
    exec(textwrap.dedent(RAMP.format(factor=1)), names)
    made = names["my_ramp"](1.0, steps=4)
    assert repr(made) == "my_ramp(value=1.0, steps=4)"
    assert js.parse(repr(made)) == made
    assert js.parse(repr(js.warmup(made, 2))).at(4) == 0.5
