"""compare: where in a run two schedules differ, and by how much."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxsched.domains.numbers import Number
from jaxsched.inspection.phases import inspected, run_length
from jaxsched.inspection.samples import CHUNK, samples, values_at
from jaxsched.rule import admitted


@dataclass(frozen=True)
class Comparison:
    """What `compare` found; its text says it in a line or two.

    Attributes:
      total_steps: The length of the run.
      spans: The first and the last step of each stretch in which they differ.
      largest: The largest difference, the second value less the first; 0 if they do not
        differ.
      largest_step: The first step that has it, or None.
      values: Both values there, or None.
      is_exact: Whether every step was compared; runs of more than 4,194,304 steps are
        sampled, at all boundaries and evenly between them.
    """

    total_steps: int
    spans: tuple[tuple[int, int], ...]
    largest: float
    largest_step: int | None
    values: tuple[float, float] | None
    is_exact: bool

    def __str__(self) -> str:
        if self.values is None:
            where = "at all" if self.is_exact else "at all that were compared of"
            return f"they are the same {where} {self.total_steps:_} steps"
        first, second = self.values
        listed = ", ".join(_span(*span) for span in self.spans[:_LISTED])
        more = len(self.spans) - _LISTED
        rest = f" and {more} more stretches" if more > 0 else ""
        part = f", {self.largest / abs(first):+.3g} of it" if first else ""
        return (
            f"they differ in steps {listed}{rest}\n"
            f"most at step {self.largest_step:_}: {first:.6g} by the first schedule, "
            f"{second:.6g} by the second ({self.largest:+.3g}{part})"
        )


_LISTED = 5


def _span(first: int, last: int) -> str:
    return f"{first:_}" if first == last else f"{first:_} to {last:_}"


def compare(a: Any, b: Any, total_steps: int, *, rtol: float = 1e-6) -> Comparison:
    """Where in a run two schedules differ, and by how much.

    Before a run goes on with a changed schedule, `diff` looks at the step where it does.

    Args:
      a: The first: a schedule, a number or a callable of the step.
      b: The second.
      total_steps: The length of the run in updates, >= 1: steps 0 to total_steps - 1 are
        compared.
      rtol: The relative difference up to which two values are the same, >= 0: the same
        curve composed in two ways may differ in its last digits.

    Returns:
      A `Comparison`.

    Raises:
      TypeError: A schedule is traced or not a schedule.
      ValueError: A schedule is stacked, or a number out of its bounds.

    >>> import jaxsched as js
    >>> line = js.linear(1.0, 0.0, 8)
    >>> print(js.compare(line, js.staircase(line, every=4), total_steps=10))
    they differ in steps 1 to 3, 5 to 7
    most at step 3: 0.625 by the first schedule, 1 by the second (+0.375, +0.6 of it)
    """
    first = inspected("compare", a, "a")
    second = inspected("compare", b, "b")
    total = run_length("compare", total_steps)
    rtol = admitted("compare", "rtol", rtol, Number(least=0))
    one, other = samples(first, total), samples(second, total)
    steps, x, y = one.steps, one.values, other.values
    if not one.is_exact:
        steps = np.union1d(one.steps, other.steps)
        x, y = (values_at(s, steps, CHUNK) for s in (first, second))
    with np.errstate(invalid="ignore"):  # infinity less infinity
        gap = np.abs(x - y)
        near = gap <= rtol * np.maximum(np.abs(x), np.abs(y))
    near &= np.isfinite(gap)
    apart = ~(near | (x == y) | (np.isnan(x) & np.isnan(y)))
    if not apart.any():
        return Comparison(total, (), 0.0, None, None, one.is_exact)
    gap = np.where(np.isnan(gap), np.inf, gap)
    most = int(np.argmax(np.where(apart, gap, -1.0)))
    edges = np.diff(apart.astype(np.int8), prepend=0, append=0)
    begins, ends = steps[edges[:-1] == 1], steps[np.flatnonzero(edges == -1) - 1]
    return Comparison(
        total_steps=total,
        spans=tuple(zip(begins.tolist(), ends.tolist(), strict=True)),
        largest=float(y[most] - x[most]),
        largest_step=int(steps[most]),
        values=(float(x[most]), float(y[most])),
        is_exact=one.is_exact,
    )
