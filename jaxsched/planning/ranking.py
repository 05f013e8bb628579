"""rank: which of several schedules ends lowest, each at its own best height."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, overload

from jaxsched.planning.bound import best_bound_of, best_factor_of, sums
from jaxsched.planning.rates import host_rates, length, squared_norms
from jaxsched.rule import admitted, short
from jaxsched.schedule import Inner, Schedule, ScheduleLike


class Ranked(NamedTuple):
    """One row of a `Ranking`.

    Attributes:
      name: What the schedule is called.
      schedule: The schedule.
      factor: What `rank` or `extend` says of its height.
      bound: The bound that it was ordered by, for a distance and norms of 1.
    """

    name: str
    schedule: Schedule
    factor: float
    bound: float


@dataclass(frozen=True)
class Ranking:
    """Schedules in order, the one with the least bound first.

    It has a length, is iterated over, and is indexed by position or by name; printed,
    it is a table.

    Attributes:
      rows: A `Ranked` each.
      notes: What deserves attention, a line each.
    """

    rows: tuple[Ranked, ...]
    notes: tuple[str, ...] = ()

    @property
    def best(self) -> Ranked:
        """The first row."""
        return self.rows[0]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Ranked]:
        return iter(self.rows)

    @overload
    def __getitem__(self, key: int | str) -> Ranked: ...

    @overload
    def __getitem__(self, key: slice) -> tuple[Ranked, ...]: ...

    def __getitem__(self, key: int | str | slice) -> Ranked | tuple[Ranked, ...]:
        if not isinstance(key, str):
            return self.rows[key]
        for row in self.rows:
            if row.name == key:
                return row
        known = ", ".join(repr(row.name) for row in self.rows)
        raise KeyError(f"there is no {key!r}; there are {known}")

    def __str__(self) -> str:
        least = self.best.bound
        lines = [f"{'bound':>10} {'more':>8} {'factor':>8}  schedule"]
        for row in self.rows:
            more = f"{100 * (row.bound / least - 1):+.1f}%"
            lines.append(f"{row.bound:>10.4g} {more:>8} {row.factor:>8.3g}  {row.name}")
        return "\n".join([*lines, *self.notes])


def rank(
    schedules: Mapping[str, ScheduleLike] | Sequence[ScheduleLike],
    total_steps: int,
    *,
    grad_norms: Any = None,
) -> Ranking:
    """Orders schedules by the `best_bound` of a run: each at its own best height.

    To compare schedules at one common peak is to compare their peaks: best peaks of two
    shapes may differ by a factor of 2. Here each shape is taken at the height that is
    best for it, so that the heights given do not matter for the order.

    The order is no promise. The bound holds for stochastic gradient descent on convex
    functions; that it orders runs of language models as their losses do was observed on
    models of 124 and 210 million parameters, where differences of loss below 0.003 were
    ties. It does not speak of warm-up or of robustness. It puts an inverse square root
    before a short cool-down, which an exact analysis does not.

    Args:
      schedules: Schedules, numbers or callables of the step: a mapping from their names,
        or a list, in which they are called as they print.
      total_steps: The number of updates, a known whole number >= 1.
      grad_norms: A bound on the norm of the gradients, one number or one for each step;
        None for 1. One for each step may change the order.

    Returns:
      A `Ranking`, best first; equal ones keep their order. `bound` is `best_bound` for a
      distance of 1; `factor` is what to multiply the schedule with if the one that was
      given first is tuned, so that the first has 1.

    Raises:
      ValueError: There is no schedule, a rate is negative or not finite, or the last one
        is 0; names the schedule.
      TypeError: `schedules` is neither a mapping nor a list, or an entry no schedule.

    >>> import jaxsched as js
    >>> print(js.planning.rank(
    ...     {"cosine": js.cosine(1.0, 0.0, 1000), "constant": 1.0,
    ...      "wsd": js.wsd(1.0, 1000, 0, 200), "linear": js.linear(1.0, 0.0, 1000)},
    ...     total_steps=1000,
    ... ))
         bound     more   factor  schedule
       0.06343    +0.0%     1.03  linear
       0.06524    +2.9%        1  cosine
       0.06871    +8.3%    0.528  wsd
       0.09211   +45.2%    0.355  constant

    Reference: Schaipp et al. (2025), arXiv:2501.18965, sections 3 and 4.
    """
    steps = length("rank", total_steps)
    norms = squared_norms("rank", grad_norms, steps)
    found = [
        (name, schedule, sums(host_rates("rank", schedule, steps, place), norms))
        for name, place, schedule in _named(schedules)
    ]
    _, _, first = found[0]
    rows = [
        Ranked(
            name,
            schedule,
            float(best_factor_of(own, 1.0) / best_factor_of(first, 1.0)),
            float(best_bound_of(own, 1.0)),
        )
        for name, schedule, own in found
    ]
    return Ranking(tuple(sorted(rows, key=lambda row: row.bound)))


def _named(schedules: Any) -> list[tuple[str, str, Schedule]]:
    """Each schedule with its name and its place in what was given."""
    if isinstance(schedules, Mapping):
        given = [
            (str(name), f"schedules[{name!r}]", x) for name, x in schedules.items()
        ]
    elif isinstance(schedules, (list, tuple)):
        given = [("", f"schedules[{i}]", x) for i, x in enumerate(schedules)]
    else:
        raise TypeError(
            "rank: schedules must be a mapping from names or a list of schedules, got "
            f"schedules={short(schedules)}"
        )
    if not given:
        raise ValueError("rank: schedules must hold at least one schedule")
    inner = [admitted("rank", place, x, Inner()) for _, place, x in given]
    return [
        (name or repr(schedule), place, schedule)
        for (name, place, _), schedule in zip(given, inner, strict=True)
    ]
