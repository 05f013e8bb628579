"""Random trees of schedules: what holds for each holds for what is made of them."""

import copy
import math
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import chex
import jax
import numpy as np
import reference
from cases import constructor, float_dtype
from hypothesis import HealthCheck, given, settings, strategies as st

import jaxsched as js

LAST = 2**31 - 1
STEPS = 16  # evaluated in one call

# A combinator that divides time gives float steps to what it holds. Up to here they are
# exact: divisors are powers of two, so that nothing is rounded across a boundary.
LAST_FLOAT_STEP = 2**16


@dataclass(frozen=True)
class Tree:
    """A schedule, the same in float64, and what its error is measured against.

    Attributes:
      schedule: What the library makes of the tree.
      expected: What `reference` makes of it.
      size: The same tree with all signs positive: where values cancel, their
        difference can be no more precise than they were. Exponents amplify rounding,
        so a leaf with one is larger by 2/10 for each power of two it has moved.
      parts: The number of leaves and combinators; each rounds for itself.
      divides: Whether it divides time.
    """

    schedule: js.Schedule
    expected: Callable[[Any], np.ndarray]
    size: Callable[[Any], np.ndarray]
    parts: int = 1
    divides: bool = False

    def __repr__(self) -> str:
        return repr(self.schedule)


AMPLIFIED = {
    "cosine",
    "cosine_restarts",
    "exponential",
    "exponential_decay",
    "inverse_time_decay",
    "multistep",
    "natural_exponential_decay",
    "polynomial",
    "power_law",
    "step_decay",
    "triangular",
    "warmup_exponential",
}


def leaf(name: str, *args: Any, **kwargs: Any) -> Tree:
    """A schedule that holds no other."""
    expected = getattr(reference, name)(*args, **kwargs)
    top = np.max(np.abs(expected(np.array([0, 1, 5]))), initial=2.0**-10)

    def size(steps: Any) -> np.ndarray:
        values = np.abs(expected(steps))
        with np.errstate(divide="ignore"):
            moved = np.abs(np.log2(np.maximum(values, 1e-45) / top))
        return values * (1 + 0.2 * moved) if name in AMPLIFIED else values

    return Tree(constructor(name)(*args, **kwargs), expected, size)


def node(name: str, *held: Tree, divides: bool = False, **kwargs: Any) -> Tree:
    """A schedule that holds others."""
    schedules = [tree.schedule for tree in held]
    make = getattr(reference, name)
    expected = [tree.expected for tree in held]
    sizes = [tree.size for tree in held]

    def given(make: Callable[..., Any], held: list[Any]) -> Any:
        if name in ("join", "choose"):
            return make(schedules=held, **kwargs)
        return make(*held, **kwargs)

    if name in ("clip", "negative"):  # a clipped value keeps its error
        size = sizes[0]
    else:
        make_size = {
            "subtract": reference.add,
            "minimum": reference.maximum,
        }.get(name, make)
        size = given(make_size, sizes)
    return Tree(
        given(constructor(name), schedules),
        given(make, expected),
        size,
        1 + sum(tree.parts for tree in held),
        divides or any(tree.divides for tree in held),
    )


def retimed(tree: Tree, end: int, steps: int) -> Tree:
    """A tree on a clock that goes from 0 to `end` in `steps` steps and then stands."""
    clock = reference.linear(0.0, end, steps)
    return Tree(
        js.retime(tree.schedule, clock=js.linear(0.0, end, steps)),
        reference.retime(tree.expected, clock),
        reference.retime(tree.size, clock),
        1 + tree.parts,
        divides=True,
    )


# Dyadic numbers: float32 holds them exactly, and so does their text.
values = st.integers(1, 64).map(lambda i: i / 64)
signed = st.integers(-64, 64).map(lambda i: i / 64)
factors = st.sampled_from([0.5, 0.75, 0.875, 1.0])
lengths = st.integers(0, 20)
periods = st.integers(1, 20)
powers_of_two = st.sampled_from([1, 2, 4, 8, 16])
shapes = st.sampled_from(sorted(reference.SHAPES))
booleans = st.booleans()


def made(name: str, *args: st.SearchStrategy, **kwargs: st.SearchStrategy) -> Any:
    """Leaves of one constructor with drawn arguments."""
    return st.builds(lambda *a, **k: leaf(name, *a, **k), *args, **kwargs)


def boundaries(n: int) -> st.SearchStrategy:
    """N increasing steps."""
    return st.lists(lengths, min_size=n, max_size=n, unique=True).map(sorted)


leaves = st.one_of(
    made("constant", signed),
    made("linear", signed, signed, lengths),
    made("cosine", values, values, lengths, power=st.sampled_from([0.5, 1.0, 2.0])),
    made("polynomial", values, values, lengths, power=st.sampled_from([0.5, 1.0, 3.0])),
    made("exponential", values, values, lengths),
    made("transition", values, values, lengths, shape=shapes),
    made("exponential_decay", values, factors, periods, staircase=booleans),
    made("natural_exponential_decay", values, values),
    made("inverse_time_decay", values, values, periods, staircase=booleans),
    made("inverse_sqrt_decay", values, periods),
    made("step_decay", values, factors, periods),
    made("noam", st.sampled_from([64, 512]), lengths),
    made("power_law", values, values, power=st.sampled_from([0.5, 0.51])),
    made("piecewise_constant", boundaries(2), st.tuples(signed, signed, signed)),
    made("piecewise_linear", boundaries(3), st.tuples(values, values, values)),
    made("multistep", values, boundaries(2), factors),
    made("triangular", values, values, periods, periods, factor=factors),
    made("cosine_restarts", values, values, periods, peak_factor=factors),
    made("warmup_cosine", values, st.integers(20, 40), lengths),
    made("wsd", values, st.integers(40, 60), lengths, lengths, shape=shapes),
)


def of(name: str, *held: st.SearchStrategy, **kwargs: st.SearchStrategy) -> Any:
    """Combinators of one name with drawn trees and arguments."""
    return st.builds(lambda *h, **k: node(name, *h, **k), *held, **kwargs)


def holding(trees: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    """Combinators of smaller trees."""
    starts = st.none() | values
    halves, two, yes = st.just(0.5), st.just(2), st.just(True)
    stretches = st.sampled_from([0.5, 2.0, 4.0])
    limits = st.none() | st.integers(1, 4)
    return st.one_of(
        *(of(name, trees, trees) for name in ("add", "subtract", "multiply")),
        *(of(name, trees, leaves) for name in ("maximum", "minimum")),
        of("divide", trees, made("constant", values)),
        of("negative", trees),
        of("clip", trees, min_value=st.just(-0.25), max_value=values),
        of("join", trees, leaves, boundaries=boundaries(1)),
        of("join", leaves, leaves, trees, boundaries=boundaries(2)),
        of("warmup", trees, steps=lengths, init_value=starts, overlap=booleans),
        of("warmup", trees, steps=lengths, init_value=starts, shape=shapes),
        of("cooldown", trees, begin=lengths, steps=lengths, freeze=booleans),
        of("cooldown", trees, begin=lengths, steps=lengths, end_value=values),
        of("cycle", trees, steps=periods, limit=limits),
        of("cycle", trees, steps=periods, value_factor=halves, limit=periods),
        of("cycle", trees, steps=powers_of_two, length_factor=two, divides=yes),
        of("staircase", trees, every=periods),
        of("per", trees, every=periods),
        of("choose", trees, leaves, leaves, index=st.integers(0, 2)),
        of("delay", trees, steps=lengths),
        of("shift", trees, steps=lengths),
        of("reverse", trees, steps=lengths),
        of("stretch", trees, factor=stretches, divides=yes),
        st.builds(retimed, trees, powers_of_two, powers_of_two),
    )


# Shared, so that a strategy is described once however often it is drawn from.
shallow = st.deferred(lambda: holding(leaves))
middle = st.deferred(lambda: holding(shallow))
deep = st.deferred(lambda: holding(middle))
trees = st.one_of(shallow, middle, deep)
near = st.integers(0, 100)
far = st.integers(0, LAST) | st.sampled_from([2**24 + 1, LAST - 1, LAST])
steps = st.lists(near | far, min_size=STEPS, max_size=STEPS)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(tree=trees, steps=steps)
def test_random_trees(tree: Tree, steps: list[int]):
    """Finite, of the right shape, near float64; written and read back; a pytree."""
    s = tree.schedule
    now = np.array(steps, np.int32)
    if tree.divides:
        now = now % (LAST_FLOAT_STEP + 1)

    result = s(now)
    chex.assert_shape(result, now.shape)
    chex.assert_tree_all_finite(result)
    # 10 ulp for the leaves and 2 for each rounding on the way up; an ulp is at most eps
    # times the size. Numbers below the normal ones have no relative precision.
    info = np.finfo(float_dtype())
    ulp = float(info.eps) * tree.size(now) + float(info.tiny)
    error = np.abs(np.asarray(result, np.float64) - tree.expected(now)) / ulp
    worst = int(np.argmax(error))
    assert error[worst] <= 10 + 2 * tree.parts, (
        f"{s} at {now[worst]}: {result[worst]} instead of {tree.expected(now)[worst]}, "
        f"{error[worst]:.1f} ulp of its size"
    )

    for twin in (
        js.parse(repr(s)),
        eval(repr(s), vars(js).copy()),
        js.from_dict(js.to_dict(s)),
        pickle.loads(pickle.dumps(s)),
        copy.deepcopy(s),
        jax.tree.unflatten(jax.tree.structure(s), jax.tree.leaves(s)),
        jax.tree.map(lambda x: x, s),
    ):
        assert twin == s
        assert hash(twin) == hash(s)
        assert repr(twin) == repr(s)


def test_the_reference_tree_can_fail():
    """The bound is not so wide that anything passes."""
    tree = node("warmup", leaf("cosine", 0.5, 0.25, 10), steps=5)
    other = node("warmup", leaf("cosine", 0.5, 0.25, 10), steps=6)
    t = np.arange(12)
    error = np.abs(tree.schedule.at(t) - other.expected(t))
    assert math.isclose(tree.schedule.at(5), 0.5)
    assert np.max(error / tree.size(t)) > 2**-8
