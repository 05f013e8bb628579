"""best_cooldown: when to begin to go down, at the heights that are given."""

from typing import Any

import numpy as np

from jaxsched.arrays import Numeric
from jaxsched.combinators.sequence import cooldown
from jaxsched.domains.numbers import Number
from jaxsched.planning.bound import bound_of, sums
from jaxsched.planning.rates import host_rates, length, positive
from jaxsched.rule import admitted
from jaxsched.schedule import Inner, Schedule, ScheduleLike
from jaxsched.shapes import OfShape, ShapeLike

# The beginnings that are tried first, and how many of their valleys are followed.
_FIRST, _VALLEYS = 129, 6


def best_cooldown(
    schedule: ScheduleLike,
    total_steps: int,
    *,
    distance: Numeric,
    shape: ShapeLike = "linear",
    end_value: Numeric = 0.0,
) -> Schedule:
    """The cool-down of a run that gives the least `last_iterate_bound`.

    The heights count here: the hotter the rate, the longer the cool-down that it needs.
    Of a constant rate at a quarter of the height that is best for a cool-down of 20 %,
    the last 5 % should go down, at its whole height 40 %, at twice its height all.

    `distance` says what hot is: `implied_distance` of a run that was tuned. "Tuned" says
    that the height was the best for that shape, not that the shape was: at the distance
    that a tuned cool-down of 20 % implies, the answer is 40 %.

    What it is not: see `rank`. A run whose height is still free is better planned with
    `rank` or with the gradient of `best_bound`.

    Args:
      schedule: The run without its cool-down: a schedule, a number or a callable of the
        step, >= 0 at every step.
      total_steps: The number of updates T, a known whole number >= 1.
      distance: How far the start is from a solution, in units of the gradients' norms,
        > 0.
      shape: The shape of the cool-down; see `transition`.
      end_value: What the cool-down goes to at step T, which no update uses; >= 0.

    Returns:
      `cooldown(schedule, b, T - b, end_value, shape=shape)` with the best beginning b,
      0 <= b < T. There may be several valleys: beginnings are tried from coarse to fine,
      in the best valleys of about 130 first ones.

    Raises:
      ValueError: A rate is negative or not finite, or every cool-down ends in updates at
        a rate of 0.

    >>> import jaxsched as js
    >>> tuned = js.wsd(1.0, 4000, warmup_steps=0, decay_steps=800)
    >>> distance = js.planning.implied_distance(tuned, 4000)
    >>> js.planning.best_cooldown(1.0, 4000, distance=distance)
    cooldown(schedule=constant(value=1.0), begin=2322, steps=1678)

    Reference: Schaipp et al. (2025), arXiv:2501.18965, section 4.
    """
    name = "best_cooldown"
    steps = length(name, total_steps)
    far = float(np.asarray(positive(name, "distance", distance)))
    inner = admitted(name, "schedule", schedule, Inner())
    end = admitted(name, "end_value", end_value, Number(least=0))
    curve = admitted(name, "shape", shape, OfShape())
    host_rates(name, inner, steps, "schedule", may_end=True)
    known: dict[int, float] = {}

    def made(begin: int) -> Schedule:
        return cooldown(inner, begin, steps - begin, end, shape=curve)

    def bound(begin: int) -> float:
        if begin not in known:
            rates = made(begin).at(np.arange(steps))
            with np.errstate(divide="ignore", invalid="ignore"):
                known[begin] = float(bound_of(sums(rates, 1.0), far))
        return known[begin]

    best = _least(bound, steps)
    if not np.isfinite(bound(best)):
        raise ValueError(
            f"{name}: schedule must be > 0 at some step, got schedule={schedule!r}"
        )
    return made(best)


def _least(bound: Any, count: int) -> int:
    """Where a function of 0, ..., count - 1 is least: the best valleys, ever finer."""
    width = max(1, (count - 1) // (_FIRST - 1))
    tried = [*range(0, count, width), count - 1]
    while True:
        values = [bound(i) for i in tried]
        order = sorted(range(len(tried)), key=lambda i: (values[i], tried[i]))
        if width == 1:
            return tried[order[0]]
        valleys = [i for i in order if _is_valley(values, i)][:_VALLEYS]
        finer = max(1, width // 4)
        near = {
            j
            for i in valleys
            for j in range(tried[i] - width, tried[i] + width + 1, finer)
        }
        tried, width = sorted(j for j in near if 0 <= j < count), finer


def _is_valley(values: list[float], i: int) -> bool:
    return values[i] <= min(values[max(i - 1, 0) : i + 2])
