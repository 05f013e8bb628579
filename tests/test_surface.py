"""What users touch: tables as lists, operators as text, stacks that are indexed, errors
that lead on.
"""

import inspect
import itertools
import operator
import pickle
import re
from typing import Annotated

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import float_dtype
from hypothesis import given, settings, strategies as st

import jaxsched as js
from jaxsched.rule.signature import arguments

S = js.cosine(0.5, 0.25, steps=8)
LINE = js.linear(1.0, 0.0, steps=4)


# ----- tables -----


@pytest.mark.parametrize(
    "through", [lambda s: s, jax.jit(lambda s: s)], ids=["", "jit"]
)
def test_a_table_reads_like_a_list(through):
    """Indexed, iterated, compared, converted; before and after a program."""
    s = through(js.piecewise_linear([0, 10, 30], [0.1, 0.7, 0.3]))
    assert s.boundaries == [0, 10, 30]
    assert s.values == [0.1, 0.7, 0.3]
    assert s.values == [0.1, 0.7, 0.3]
    assert s.values != [0.1, 0.7]
    assert s.values[1] == 0.7
    assert s.values[-2:] == [0.7, 0.3]
    assert list(s.boundaries) == [0, 10, 30]
    assert len(s.values) == 3
    assert 0.7 in s.values
    assert np.asarray(s.values).tolist() == [0.1, 0.7, 0.3]
    assert np.asarray(s.values).dtype == np.float64
    assert np.asarray(s.boundaries).dtype == np.int64
    assert np.asarray(s.values, np.float32).dtype == np.float32
    assert str(s.boundaries) == "[0, 10, 30]"
    assert s.replace(values=s.values) == s


# ----- operators -----


def test_operators_print_as_they_are_written():
    """With the parentheses that they need, and no others."""
    texts = {
        "0.5 * {S} + 1e-05": 0.5 * S + 1e-5,
        "({S} + 1.0) * 2.0": (S + 1) * 2,
        "{S} - ({LINE} - 1.0)": S - (LINE - 1),
        "{S} - {LINE} - 1.0": S - LINE - 1,
        "{S} / ({LINE} * 2.0)": S / (LINE * 2),
        "-{S} * {LINE}": -S * LINE,
        "-({S} * {LINE})": -(S * LINE),
        "--{S}": operator.neg(-S),
        "{S} * -{LINE}": S * -LINE,
        "1.0 - {S}": 1 - S,
        "-0.5 * {S}": -0.5 * S,
        "constant(value=2.0) * 3.0": js.constant(2.0) * 3,
        "-constant(value=2.0)": -js.constant(2.0),
        "warmup(schedule=0.5 * {S}, steps=3)": js.warmup(0.5 * S, 3),
    }
    for text, s in texts.items():
        expected = text.format(S=S, LINE=LINE)
        assert repr(s) == expected
        assert js.parse(expected) == s
        assert eval(expected, vars(js)) == s
        assert js.from_dict(js.to_dict(s)) == s
    assert js.to_dict(S + 1)["add"]["second"] == {"constant": {"value": 1.0}}
    with_array = np.float32(0.5) * S, S * np.array(0.5, np.float16)
    for s in with_array:
        assert js.parse(repr(s)) == eval(repr(s), vars(js)) == s


sums = st.recursive(
    st.sampled_from([S, LINE, js.constant(2.0), 0.5, -3.0, 1e-5]),
    lambda inner: st.one_of(
        st.builds(lambda a, b: a + b, inner, inner),
        st.builds(lambda a, b: a - b, inner, inner),
        st.builds(lambda a, b: a * b, inner, inner),
        st.builds(lambda a: -a, inner),
        st.builds(lambda a: a / 4, inner),
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(value=sums)
def test_any_arithmetic_reads_back(value):
    """The same tree, not only the same values: floats do not associate."""
    s = js.as_schedule(value)
    assert js.parse(repr(s)) == s
    assert js.as_schedule(eval(repr(s), vars(js))) == s


def test_operators_are_not_functions_of_the_package():
    """What only builds them is found as data, not by name."""
    for name in ("add", "subtract", "multiply", "divide", "negative", "Fraction"):
        assert not hasattr(js, name)
        assert name not in js.__all__


@pytest.mark.parametrize(
    "combine",
    [
        lambda g: -S * g,
        lambda g: g * S,
        lambda g: S + g,
        lambda g: g / S,
    ],
)
@pytest.mark.parametrize(
    "grads",
    [np.ones(2), jnp.ones((2, 2)), [1.0, 2.0]],
    ids=["numpy", "jax", "list"],
)
def test_arrays_are_for_values(combine, grads):
    """Whoever writes `-schedule * grads` is told to call it."""
    with pytest.raises(
        TypeError, match=r"call the schedule first, as in schedule\(step\)"
    ):
        combine(grads)


def test_gradients_in_a_tree_are_for_values():
    with pytest.raises(TypeError, match="call the schedule first"):
        S * {"w": jnp.ones(2)}


# ----- stacks -----


def test_a_stack_is_indexed():
    """One of them, some of them by slice, mask and indices."""
    made = [js.warmup_cosine(0.1 * i, 100 + i, i) for i in range(1, 5)]
    stacked = js.stack(made)
    assert [stacked[i] for i in range(4)] == made
    assert stacked[-1] == made[-1]
    assert js.unstack(stacked[1:3]) == made[1:3]
    mask = np.array([True, False, False, True])
    assert js.unstack(stacked[mask]) == [made[0], made[3]]
    assert js.unstack(stacked[jnp.array([2, 0])]) == [made[2], made[0]]
    assert list(stacked) == made
    tables = js.stack([js.multistep(0.1, [3, 6], f) for f in (0.5, 0.25)])
    assert tables[1] == js.multistep(0.1, [3, 6], 0.25)
    device = jax.tree.map(jnp.asarray, stacked)
    for held in (stacked, device):
        for far in (4, -5, np.int64(7), np.array([0, 7]), jnp.array(-9)):
            with pytest.raises(
                IndexError, match="cooldown: index must be from -4 to 3"
            ):
                held[far]
        for wrong in (True, None, 2.0, "a", np.ones(3, bool)):
            with pytest.raises(
                TypeError, match="cooldown: index must be a whole number"
            ):
                held[wrong]
    with pytest.raises(TypeError, match=r"cosine: a single schedule has no entries"):
        S[3]
    best = stacked[jnp.argmax(jnp.array([0.0, 3.0, 1.0, 2.0]))]
    assert best == made[1]


def test_a_stack_of_stacks_is_indexed_twice():
    rows = [js.stack([js.constant(0.5 * i + j) for j in range(3)]) for i in range(2)]
    both = js.stack(rows)
    assert both[1][2] == js.constant(2.5)


# ----- errors that lead on -----


def test_replace_knows_recipes():
    """What a recipe was given is not kept; it says to build it anew."""
    made = js.wsd(0.1, total_steps=100, warmup_steps=10, decay_steps=20)
    with pytest.raises(TypeError, match=r"cooldown: total_steps is no .* recipe.*anew"):
        made.replace(total_steps=200)
    with pytest.raises(TypeError, match=r"anew, as in wsd\(total_steps=\.\.\., "):
        made.replace(total_steps=200)
    with pytest.raises(TypeError, match=r"anew, as in \w+\(total_steps=\.\.\., "):
        pickle.loads(pickle.dumps(made)).replace(total_steps=200)  # of any that has it
    with pytest.raises(TypeError, match=r"peak_value is no hyperparameter .* anew"):
        js.warmup_cosine(0.1, 100, 10).replace(peak_value=0.2)
    with pytest.raises(TypeError, match=r"did you mean 'steps'"):
        S.replace(step=200)


def test_bounds_of_ones_own():
    """`js.Number` is the domain of a number."""
    share = Annotated[float, js.Number(least=0, most=1)]
    above = Annotated[float, js.Number(above=2)]

    @js.schedule
    def bounded(step, value: js.Value, part: share, base: above):
        return value * part * base

    assert bounded(1.0, 0.0, 2.5).at(0) == 0.0
    assert bounded(1.0, 1.0, 2.5).at(0) == 2.5
    with pytest.raises(ValueError, match=r"bounded: part must be <= 1, got part=1.5"):
        bounded(1.0, 1.5, 2.5)
    with pytest.raises(ValueError, match=r"bounded: part must be >= 0"):
        bounded(1.0, -0.5, 2.5)
    with pytest.raises(ValueError, match=r"bounded: base must be > 2, got base=2"):
        bounded(1.0, 0.5, 2)
    with pytest.raises(ValueError, match=r"bounded: base must be finite"):
        bounded(1.0, 0.5, float("nan"))
    with pytest.raises(ValueError, match=r"bounded: value must be finite"):
        bounded(3.5e38 if float_dtype() == np.float32 else 1e400, 0.5, 3.0)


def test_zero_and_minus_zero_are_two_programs():
    """Equal as numbers, but 1 / s is not the same of both."""
    plus, minus = js.constant(0.0), js.constant(-0.0)
    assert plus != minus
    sign = jax.jit(lambda s: jnp.copysign(1.0, s(0)), static_argnums=0)
    assert (float(sign(plus)), float(sign(minus))) == (1.0, -1.0)
    tables = [js.piecewise_constant([], [v]) for v in (0.0, -0.0)]
    assert tables[0] != tables[1]
    arrays = [js.constant(np.array(v, np.float16)) for v in (0.0, -0.0)]
    assert arrays[0] != arrays[1]


def test_arguments_are_bound_as_python_binds_them():
    """Over every call with some of its arguments by place and some by name."""

    def function(a, b=1, *, c, d=2): ...

    signature = inspect.signature(function)
    for count in range(4):
        for names in map(
            set, itertools.product(["a", "b", "c", "d", "e", ""], repeat=3)
        ):
            args, kwargs = range(10, 10 + count), {x: x for x in names - {""}}
            try:
                expected = signature.bind(*args, **kwargs)
            except TypeError as error:
                with pytest.raises(TypeError, match=re.escape(str(error))):
                    arguments(signature, args, kwargs)
            else:
                expected.apply_defaults()
                found = arguments(signature, args, kwargs)
                assert list(found.items()) == list(expected.arguments.items())
