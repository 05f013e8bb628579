"""extend: what to do with a run that was tuned, and is to be longer."""

import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from jaxsched.arrays import Numeric
from jaxsched.combinators.sequence import cooldown, join
from jaxsched.domains.numbers import Number
from jaxsched.planning.bound import best_factor_of, bound_of, sums
from jaxsched.planning.ranking import Ranked, Ranking
from jaxsched.planning.rates import host_rates, length
from jaxsched.rule import admitted, short
from jaxsched.schedule import Inner, Schedule, ScheduleLike
from jaxsched.shapes import OfShape, ShapeLike

# Below that part of its peak a schedule has begun to go down for good.
_DECAYED = 0.5


def extend(
    tuned: ScheduleLike,
    total_steps: int,
    new_total_steps: int,
    *,
    at: int,
    decay_steps: int | None = None,
    shape: ShapeLike = "linear",
    end_value: Numeric = 0.0,
) -> Ranking:
    """Three ways to make a tuned run longer, from a checkpoint of step `at` on.

    All of them are `tuned` before that step and hold a plateau after it, at the height h
    that `tuned` has there, and then cool down to `end_value` at the new end:

    - "same cool-down": of the same share of the run as before;
    - "longer cool-down": long enough that the same height suits the longer run as well as
      it suited the shorter one; it cannot begin before `at`;
    - "lower plateau": the same share, with a plateau that is lower by as much.

    "As right" is the papers' criterion: the `best_factor` of the whole stays what it was.
    It is not the least bound. In the published run that was made twice as long, from
    50,000 to 100,000 steps, the loss was 2.9037, 2.8878 and 2.8975.

    What it is not: see `rank`. A run that has finished has nothing to go on from at
    full height: take a checkpoint from before its cool-down. A cosine has none, so its
    plateau is low or its rate jumps; `extend` then warns.

    Args:
      tuned: The schedule of the run that was tuned, its height included.
      total_steps: The number of its updates T, a known whole number >= 1.
      new_total_steps: The number of updates of the longer run, > T.
      at: The step of the checkpoint, 0 <= at < T; 0 plans a fresh run.
      decay_steps: The length of the cool-down of `tuned`, >= 1, at most T - at; T - at if
        not given.
      shape: The shape of the new cool-down; see `transition`.
      end_value: What it goes to at the new end, >= 0.

    Returns:
      A `Ranking` of the three. `factor` is the best factor of the row relative to that of
      `tuned`: 1 is as tuned, 0.7 too hot by 1 / 0.7. `bound` is the `last_iterate_bound`
      of the row as it is, at the distance that `tuned` implies. `notes` say what jumps.

    Raises:
      ValueError: A length or step is out of its bounds, a rate is negative or not finite,
        or `tuned` is 0 at `at` or at its last update.

    >>> import jaxsched as js
    >>> tuned = js.wsd(1e-3, 4000, warmup_steps=0, decay_steps=800)
    >>> ways = js.planning.extend(tuned, 4000, 6000, at=3200)
    >>> [(way.name, round(way.factor, 2)) for way in ways]
    [('longer cool-down', 1.0), ('lower plateau', 1.0), ('same cool-down', 0.82)]
    >>> ways["longer cool-down"].schedule.steps
    2676

    Reference: Schaipp et al. (2025), arXiv:2501.18965, section 5.1.
    """
    name = "extend"
    old = length(name, total_steps)
    run = _admitted(tuned, old, new_total_steps, at, decay_steps)
    end = admitted(name, "end_value", end_value, Number(least=0))
    curve = admitted(name, "shape", shape, OfShape())
    first = sums(host_rates(name, run.tuned, old, "tuned"), 1.0)
    height = run.tuned.at(run.at)
    if height == 0:
        raise ValueError(
            f"{name}: tuned must be > 0 at step at={at}, got tuned={short(tuned)}"
        )
    _warn_of_the_end(run, height, old)

    def made(decay: int, level: float) -> Schedule:
        plateau = join([run.tuned, level], [run.at]) if run.at else level
        return cooldown(plateau, run.new - decay, decay, end, shape=curve)

    def row(name: str, schedule: Schedule) -> Ranked:
        own = sums(schedule.at(np.arange(run.new)), 1.0)
        distance = 1 / best_factor_of(first, 1.0)
        return Ranked(
            name,
            schedule,
            float(best_factor_of(own, distance)),
            float(bound_of(own, distance)),
        )

    def factor(decay: int, level: float) -> float:
        return row("", made(decay, level)).factor

    share = max(1, round(run.new * run.decay / old))
    longest = run.new - run.at
    longer = _first_where(lambda n: factor(n, height) >= 1, 1, longest)
    lower = _root(lambda part: factor(share, part * height) - 1)
    rows = [
        row("same cool-down", made(share, height)),
        row("longer cool-down", made(longer, height)),
        row("lower plateau", made(share, lower * height)),
    ]
    notes = _notes(run, rows, height, lower * height, longer == longest)
    return Ranking(tuple(sorted(rows, key=lambda way: way.bound)), notes)


class _Run(NamedTuple):
    """What is asked: a schedule, a new length, a checkpoint, the old cool-down."""

    tuned: Schedule
    new: int
    at: int
    decay: int


def _admitted(
    tuned: ScheduleLike, old: int, new_total_steps: int, at: int, decay: int | None
) -> _Run:
    inner = admitted("extend", "tuned", tuned, Inner())
    new = length("extend", new_total_steps, "new_total_steps")
    if new <= old:
        raise ValueError(
            f"extend: new_total_steps must be > total_steps, got new_total_steps={new}, "
            f"total_steps={old}"
        )
    place = length("extend", at, "at", least=0)
    if place >= old:
        raise ValueError(
            f"extend: at must be < total_steps, got at={place}, total_steps={old}"
        )
    steps = old - place if decay is None else length("extend", decay, "decay_steps")
    if steps > old - place:
        raise ValueError(
            "extend: decay_steps must be <= total_steps - at (go on from a checkpoint "
            f"before the cool-down), got decay_steps={steps}, "
            f"total_steps={old}, at={place}"
        )
    return _Run(inner, new, place, steps)


def _warn_of_the_end(run: _Run, height: float, old: int) -> None:
    peak = float(np.max(run.tuned.at(np.arange(old))))
    if height < _DECAYED * peak:
        warnings.warn(
            f"extend: at step at={run.at} the rate of tuned has fallen to "
            f"{height / peak:.0%} of its peak, {peak:.3g}, and the new plateau "
            "is as low as that: go on from a checkpoint before the decay",
            stacklevel=3,
        )


def _notes(
    run: _Run, rows: list[Ranked], height: float, lower: float, is_longest: bool
) -> tuple[str, ...]:
    """What jumps, and what could not be reached."""
    _, longer, _ = rows
    notes = []
    if run.at and lower != height:
        notes.append(
            f'"lower plateau" jumps at step {run.at} from {height:.4g} to {lower:.4g}'
        )
    if is_longest and longer.factor < 0.999:
        more = ": an earlier checkpoint allows more" if run.at else ""
        notes.append(
            f'"longer cool-down" begins at step {run.at}, as early as it can, and its '
            f"factor is {longer.factor:.3f}{more}"
        )
    return tuple(notes)


def _first_where(holds: Callable[[int], bool], low: int, high: int) -> int:
    """The least number for which something holds that holds from there on, or `high`."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def _root(excess: Callable[[float], float]) -> float:
    """The part of the height, at most 1, at which a falling excess is 0."""
    if excess(1.0) >= 0:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return (low + high) / 2
