"""How many boundaries a step has passed, for tables of every kind."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsched.search import passed

LARGEST = 2**31 - 1


def tables() -> dict[str, np.ndarray]:
    """Even and uneven, short and long, up to the largest integer."""
    rng = np.random.default_rng(0)
    uneven = (2.0 ** np.linspace(0, 30.9, 200)).astype(np.int64)
    return {
        "none": np.array([], np.int64),
        "zero": np.array([0]),
        "largest": np.array([LARGEST]),
        "both": np.array([0, LARGEST]),
        "first integers": np.arange(50),
        "last integers": np.arange(LARGEST - 40, LARGEST + 1),
        "even": np.arange(10_000) * 7 + 3,
        "far apart": np.arange(1, 60) * (2**25 + 1),
        "powers": 2 ** np.arange(31),
        "geometric": np.unique(uneven),
        "a crowd and one": np.append(np.arange(100, 200), 2**30),
        "random": np.unique(rng.integers(0, LARGEST, 1000)),
        "random and near": np.unique(rng.integers(0, 3000, 1000)),
    }


@pytest.mark.parametrize("name", tables())
def test_known_and_traced_tables_count_alike(name: str):
    """Before, at and after every boundary."""
    edges = tables()[name]
    near = np.concatenate([edges - 1, edges, edges + 1, [0, 1, 2**24 + 1, LARGEST]])
    steps = np.unique(np.clip(near, 0, LARGEST)).astype(np.int32)
    expected = np.searchsorted(edges, steps, side="right")
    known = jax.jit(lambda t: passed(edges, t))(steps)
    traced = jax.jit(passed)(jnp.asarray(edges, int), steps)
    np.testing.assert_array_equal(known, expected)
    np.testing.assert_array_equal(traced, expected)


def test_floats_are_counted_too():
    edges, steps = np.array([0.5, 2.0, 2.5]), np.array([0, 1, 2, 3])
    np.testing.assert_array_equal(passed(edges, steps), [0, 1, 2, 3])
    np.testing.assert_array_equal(
        passed(np.array([1, 2]), np.array([0.5, 1.0])), [0, 1]
    )
