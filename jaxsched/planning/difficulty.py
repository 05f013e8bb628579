"""best_shape: how to go down, by how difficult the task is and how large the model."""

from typing import NamedTuple

from jaxsched.arrays import Numeric
from jaxsched.domains.numbers import Number
from jaxsched.rule import admitted


class BestShape(NamedTuple):
    """What the functional scaling law says of a task.

    Attributes:
      kind: "polynomial": from the peak to 0 over the whole run, by a power of the time
        that is left; or "wsd": the largest stable peak, and a short cool-down.
      power: The power of the polynomial, or None.
      peak_factor: What to multiply the peak with for a run that is `length_factor` times
        as long.
    """

    kind: str
    power: float | None
    peak_factor: float


def best_shape(
    source_exponent: Numeric, capacity_exponent: Numeric, length_factor: Numeric = 1.0
) -> BestShape:
    """The shape of the best schedule, by the functional scaling law.

    The law is one of linear regression by SGD with power-law features: the source
    exponent s says how easy the task is (large: its signal lies in few features), the
    capacity exponent b how fast the features' sizes fall.

    Formula: for s >= 1 - 1/b, an easy task, `polynomial(peak, 0, T, power=2b - 1)` with a
    peak that falls with the length as length_factor^(-(s - 1 + 1/b) / (s + 1/b)); for a
    smaller s, a hard one, `wsd` at the largest stable peak, whatever the length, with a
    part of cool-down that goes to 0 as the run grows.

    What it is not: measured exponents of your task, which few know; and it differs from
    the convex bound behind `transfer_factor`, by which the peak falls as
    length_factor^(-1/2) for every task.

    Args:
      source_exponent: s, > 0.
      capacity_exponent: b, > 1.
      length_factor: How many times as long the new run is, > 0.

    Returns:
      A `BestShape`.

    Raises:
      ValueError: A number is out of its bounds.

    >>> import jaxsched as js
    >>> print(*js.planning.best_shape(1.0, 2.0, length_factor=8.0))
    polynomial 3.0 0.5
    >>> print(*js.planning.best_shape(0.25, 2.0, length_factor=8.0))
    wsd None 1.0

    Reference: arXiv:2602.06797, and independently arXiv:2602.04774.
    """
    name = "best_shape"
    s = float(admitted(name, "source_exponent", source_exponent, Number(above=0)))
    b = float(admitted(name, "capacity_exponent", capacity_exponent, Number(above=1)))
    longer = float(admitted(name, "length_factor", length_factor, Number(above=0)))
    if s < 1 - 1 / b:
        return BestShape("wsd", None, 1.0)
    exponent = (s - 1 + 1 / b) / (s + 1 / b)
    return BestShape("polynomial", 2 * b - 1, longer**-exponent)
