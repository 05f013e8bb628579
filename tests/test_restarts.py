"""Restarts are exact on every cycle edge up to 2**31 - 1."""

from fractions import Fraction
from functools import cache
from math import ceil

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import thorough

import jaxsched as js
from jaxsched.arrays import enable_x64
from jaxsched.progress import cycle_of
from jaxsched.restarts import Span

PERIODS = (1, 2, 3, 5, 7, 10, 100, 1000, 3000)
LENGTH_FACTORS = (1, 1.5, 2, 3, 4, 5, 7, 10)
LARGEST = 2**31 - 1


def exact_edges(steps: int, factor: float) -> list[Fraction]:
    """The real boundaries of all cycles that begin below 2**31, and one more."""
    edges, length = [Fraction(0)], Fraction(steps)
    if factor == 1:
        # Two billion edges: the first, the last, and some between.
        last = LARGEST // steps
        some = {*range(5), last // 3, last // 2, last - 1, last, last + 1}
        return [Fraction(i * steps) for i in sorted(some)]
    while edges[-1] <= LARGEST:
        edges.append(edges[-1] + length)
        length *= Fraction(factor)
    return edges


def steps_around(edges: list[Fraction]) -> np.ndarray:
    first = {ceil(edge) for edge in edges}
    around = {e + d for e in first for d in (-1, 0, 1)} | {LARGEST}
    steps = np.array(sorted(t for t in around if 0 <= t <= LARGEST), np.int32)
    return np.pad(steps, (0, 192 - len(steps)), mode="edge")  # one shape, one program


traced_cycle = jax.jit(cycle_of)
compiled = jax.jit(lambda s, t: s(t))


def exact_index(step: int, steps: int, factor: float, edges: list[Fraction]) -> int:
    if factor == 1:
        return step // steps
    return sum(edge <= step for edge in edges) - 1


def restarts(steps: int, factor: float) -> js.Schedule:
    return js.cosine_restarts(0.75, 0.0, steps, length_factor=factor)


@cache
def constant(factor: float) -> dict[int, tuple[Span, jax.Array]]:
    """Cycles and values on every edge, by period, where both numbers are known."""
    around = {n: steps_around(exact_edges(n, factor)) for n in PERIODS}
    with jax.disable_jit():  # operation by operation: nothing to compile
        return {
            steps: (cycle_of(t, steps, factor), restarts(steps, factor)(t))
            for steps, t in around.items()
        }


@pytest.mark.parametrize("steps", PERIODS)
@pytest.mark.parametrize("factor", thorough(LENGTH_FACTORS, [1.5]))
def test_index_on_every_edge(steps: int, factor: float):
    edges = exact_edges(steps, factor)
    around = steps_around(edges)
    expected = [exact_index(int(t), steps, factor, edges) for t in around]
    cycle, values = constant(factor)[steps]
    np.testing.assert_array_equal(cycle.turn, expected)
    # The same with length and factor known only to the running program.
    traced = traced_cycle(around, steps, factor)
    np.testing.assert_array_equal(traced.turn, expected)
    np.testing.assert_array_equal(traced.step, cycle.step)
    # A restart begins at its own step 0, to the bit.
    begins = np.isin(around, [ceil(edge) for edge in edges])
    np.testing.assert_array_equal(np.asarray(cycle.step)[begins], 0)
    np.testing.assert_array_equal(np.asarray(cycle.fraction[0])[begins], 0.0)
    # Where peers return the floor instead of the peak.
    np.testing.assert_array_equal(np.asarray(values)[begins], 0.75)


@pytest.mark.parametrize("limit", [1, 2, 5])
@pytest.mark.parametrize("factor", thorough([1, 1.5, 2], [1.5]))
def test_after_the_limit_it_holds_the_end(factor: float, limit: int):
    s = js.cosine_restarts(0.75, 0.25, 10, length_factor=factor, limit=limit)
    end = ceil(sum(Fraction(10) * Fraction(factor) ** i for i in range(limit)))
    after = np.array([end - 1, end, end + 1, LARGEST])
    for values in (s.at(after), compiled(s, after)):
        assert values[0] > 0.25
        np.testing.assert_array_equal(values[1:], 0.25)


def test_a_decimal_factor_means_the_number_it_prints_as():
    """1.1 is 11/10: ten, eleven, 12.1 steps and so on."""
    s = js.cosine_restarts(1.0, 0.0, 10, length_factor=1.1)
    assert s.at(np.array([10, 21, 34])).tolist() == [1.0, 1.0, 1.0]
    first = np.array([ceil(100 * (Fraction(11, 10) ** i - 1)) for i in range(177)])
    for restart in (first, first.astype(np.uint32)):
        np.testing.assert_array_equal(s(restart), 1.0)
        np.testing.assert_array_equal(compiled(s, restart), 1.0)
    assert np.all(np.asarray(compiled(s, first[1:] - 1)) < 1.0)


def test_float_steps_share_the_integer_boundaries():
    s = js.cosine_restarts(1.0, 0.0, 3, length_factor=1.5, limit=4)
    steps = np.arange(30)
    np.testing.assert_allclose(
        s.at(steps.astype(np.float32)), s.at(steps), rtol=1e-6, atol=1e-7
    )


def test_a_huge_last_cycle_keeps_its_true_length():
    """The last cycle ends long after the largest integer."""
    s = js.cosine_restarts(1.0, 0.0, 3000, length_factor=10)
    begin = 3000 * (10**6 - 1) // 9
    u = (LARGEST - begin) / (3000 * 10**6)
    assert s.at(LARGEST) == pytest.approx((1 + np.cos(np.pi * u)) / 2, rel=1e-6)
    traced = compiled(s, jnp.int32(LARGEST))
    assert float(traced) == pytest.approx(s.at(LARGEST), rel=1e-6)


@pytest.mark.parametrize("steps", [7, 10, 2**32 + 10])
@pytest.mark.parametrize("factor", thorough([1.1, 1.01, 1.25, 3.7, 1, 2], [1.1, 2]))
def test_restarts_in_64_bits_are_exact(steps: int, factor: float):
    """As numbers of the program and as its arguments, on every edge up to 2^53."""
    ratio, edge, length = Fraction(str(factor)), Fraction(0), Fraction(steps)
    first = []
    while edge < 2**53 and len(first) < 1000:
        first.append(ceil(edge))
        edge, length = edge + length, length * ratio
    around = np.array([e + d for e in first[:-1] for d in (-1, 0, 1) if e + d >= 0])
    around = np.resize(np.unique(around), 3000)
    expected = np.searchsorted(first, around, side="right") - 1
    with enable_x64(True):
        traced = traced_cycle(around, steps, factor)
        np.testing.assert_array_equal(traced.turn, expected)
        np.testing.assert_array_equal(traced.step, around - np.array(first)[expected])
        known = jax.jit(lambda t: cycle_of(t, steps, factor))(around)
        np.testing.assert_array_equal(known.turn, expected)
