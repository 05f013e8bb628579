"""Knots: the times within a phase at which a curve may turn, begin anew or jump.

A picture of thousands of cycles, or a search for their peak, looks there: steps at even
distances could all lie at the bottom of a cycle.
"""

import math
from typing import Any

import numpy as np

# So many are kept of cycles, of stairs and draws, and of all; a table may have as many.
_OF_CYCLES, _OF_BLOCKS, _OF_ALL = 2**13, 2**15, 2**17

# As many whole cycles are known of a time without an end.
_FIRST = 4


def none() -> np.ndarray:
    """No knots."""
    return np.zeros(0)


def chosen(count: int, most: int) -> np.ndarray:
    """Some of `count` indices: the first, the last, and some at random between."""
    if count <= most:
        return np.arange(count)
    third = max(1, most // 3)
    between = np.random.default_rng(0).integers(third, count - third, third)
    return np.unique([*range(third), *between, *range(count - third, count)])


def merged(*knots: Any) -> np.ndarray:
    """All of them in order, or of very many some."""
    found = np.unique(np.concatenate([np.asarray(k, float) for k in knots]))
    return found[chosen(len(found), _OF_ALL)]


def blocks(every: float, until: float) -> np.ndarray:
    """The beginnings of blocks of a length."""
    first = _FIRST * every if until == math.inf else max(until, 0)
    count = math.ceil(first / every) + 1
    return chosen(count, _OF_BLOCKS) * float(every)


def turns(n: float, factor: float, last: float, inside: np.ndarray) -> np.ndarray:
    """Those of cycles of first length n, each `factor` times as long as the one before.

    Args:
      n: The length of the first cycle.
      factor: How many times as long as the one before each cycle is.
      last: Where the last cycle ends, or the run.
      inside: The knots of the first cycle.
    """
    inside = np.append(0.0, inside[(inside > 0) & (inside < n)])
    last = max(last, 0)
    if last == math.inf:
        count = _FIRST + 1
    elif factor == 1:
        count = math.ceil(last / n) + 1
    else:
        count = math.ceil(math.log1p(last / n * (factor - 1)) / math.log(factor)) + 1
    i = chosen(count, max(8, _OF_CYCLES // len(inside))).astype(float)
    if factor == 1:
        found = i[:, None] * n + inside
    else:
        with np.errstate(over="ignore", invalid="ignore"):
            growth = np.power(float(factor), i)
            begins = n * (growth - 1) / (factor - 1)
            found = begins[:, None] + growth[:, None] * inside
    if last == math.inf:  # whole cycles: the next one only begins
        found = np.append(found[:-1], found[-1, 0])
    return merged(found[np.isfinite(found)])
