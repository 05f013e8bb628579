"""What published schedules share: parts that keep their proportion to the whole."""

from typing import Any

import jax.numpy as jnp

from jaxsched.arrays import as_real, is_array
from jaxsched.combinators.sequence import join
from jaxsched.rule import Refusal, known
from jaxsched.schedule import Schedule
from jaxsched.schedule.arguments import constant

_WHOLE = 2**53  # up to here all whole numbers are floats


def part(given: Any, total: Any, published: float, of: float) -> Any:
    """A length: the given one, or the published share of this run.

    In whole steps where the length of the run is known, so that a short run has no parts
    of less than a step.
    """
    if given is not None:
        return given
    if not known(total):
        return as_real(total) * (published / of)
    whole = round(float(total) * published / of)
    # A large integer is not taken where the whole is an array of floats.
    of_floats = is_array(total) and jnp.issubdtype(total.dtype, jnp.floating)
    return float(whole) if of_floats or whole > _WHOLE else whole


def epochs(given: Any, total: Any, published: float, of: float) -> Any:
    """The same in epochs, which are long: not rounded, but at least one."""
    if given is not None:
        return given
    if not known(total):
        return as_real(total) * (published / of)
    return max(1, float(total) * published / of)


def level(given: Any, peak: Any, published: float, of: float) -> Any:
    """A value: the given one, or in the published proportion to this peak."""
    return peak / of * published if given is None else given


def fit(whole: str, length: Any, **parts: Any) -> None:
    """Refuses parts that are longer than a length.

    Args:
      whole: What the length is, ending in the name of the argument that it comes from.
      length: The length.
      **parts: The parts, by the names of their arguments.
    """
    lengths = [length, *parts.values()]
    if all(map(known, lengths)) and sum(map(float, lengths[1:])) > float(length):
        names = " + ".join(parts)
        raise Refusal(f"{names} must be <= {whole}", *parts, whole.split()[-1])


def stairs(name: str, total: Any, levels: list[Any], begins: list[float]) -> Schedule:
    """Levels that follow each other; all but the first begin at shares of the whole.

    Refuses a run too short for them, by the name of the argument that says its length.
    """
    boundaries = [part(None, total, share, of=1) for share in begins]
    if known(total) and len({0, *boundaries}) < len(levels):
        raise Refusal(f"{name} must be longer, to hold {len(levels)} levels", name)
    return join([constant(value) for value in levels], boundaries)
