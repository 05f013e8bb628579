"""Numbers: finite, bounded, whole or not."""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from jaxsched.arrays import (
    array_of_variable,
    as_integer,
    as_real,
    default_float,
    fitted,
    host_step,
    is_array,
    is_long,
    is_real,
    is_weak,
    is_whole,
    largest_integer,
)
from jaxsched.rule import Domain, known, plain

# What is larger rounds to infinity.
_LARGEST = {
    np.dtype(np.float32): float.fromhex("0x1.fffffefffffffp127"),
    np.dtype(np.float64): float.fromhex("0x1.fffffffffffffp1023"),
}

# The last step, so the largest length, that is an integer.
_LAST = 2**62

_NUMERIC = (int, float, np.ndarray, np.generic, jax.Array)


class Number(Domain):
    """One finite real number.

    Args:
      least: The smallest value allowed, or None.
      above: A bound that the value must exceed, or None.
      most: The largest value allowed, or None.
      whole: Whether integers stay integers (lengths, counts): "may" also takes floats,
        "must" does not. Otherwise Python integers become floats.
      kind: What to call it in an error.
    """

    least: float | None
    above: float | None
    most: float | None
    whole: str | None
    kind: str
    largest: int | None = None  # of whole numbers, if not as far as steps or JAX count

    def __init__(
        self,
        *,
        least: float | None = None,
        above: float | None = None,
        most: float | None = None,
        whole: str | None = None,
        kind: str = "a number",
    ):
        for name, bound in (("least", least), ("above", above), ("most", most)):
            if bound is not None and not (
                isinstance(bound, (int, float)) and bound == bound
            ):
                raise TypeError(
                    f"Number: {name} must be a number or None, got {name}={bound!r}"
                )
        lowest = max(x for x in (least, above, -math.inf) if x is not None)
        if most is not None and most < lowest:
            raise ValueError(f"Number: most must be >= {lowest}, got most={most}")
        self.least, self.above, self.most = least, above, most
        self.whole, self.kind = whole, kind
        self.counts: bool = whole is not None
        self.words: str = {"a length": "steps", "a whole number": "int"}.get(
            kind, "number"
        )

    def admit(self, value: Any) -> Any:
        value = numeric(value, self.kind)
        if not isinstance(value, (int, float)) and np.ndim(value) != 0:
            raise ValueError(
                f"must be {self.kind}, not an array of shape {value.shape}"
            )
        if not self.whole and isinstance(value, int):
            value = _as_float(value)
        self.inspect(value)
        return frozen(value)

    def inspect(self, value: Any) -> None:
        """Checks bounds and kind of a number or array, where it is concrete."""
        if self.whole == "must" and not is_whole(value):
            raise TypeError("must be a whole number")
        if isinstance(value, Tracer):
            return
        least, most = _extremes(value)
        # A length may be a float of any size, a value must be one in its program.
        limit = _LARGEST[np.dtype(np.float64) if self.whole else default_float()]
        if not -limit <= least <= most <= limit:
            raise ValueError("must be finite")
        if self.least is not None and least < self.least:
            raise ValueError(f"must be >= {self.least}")
        if self.above is not None and least <= self.above:
            raise ValueError(f"must be > {self.above}")
        if self.most is not None and most > self.most:
            raise ValueError(f"must be <= {self.most}")
        counted = _LAST if self.whole == "may" else min(_LAST, largest_integer())
        largest = self.largest or counted
        if self.whole and most > largest and is_whole(value):
            hint = " (or a float)" if self.whole == "may" else ""
            raise ValueError(f"must be <= {largest}{hint}")

    def load(self, value: Any) -> Any:
        if np.ndim(value) != 0:
            raise ValueError(
                f"holds stacked hyperparameters of shape {np.shape(value)}; "
                "map over them with jax.vmap(lambda s: s(step))(stacked)"
            )
        return self.convert(value)

    def convert(self, value: Any) -> Any:
        """A length as canonical time, another number as it is."""
        if not is_array(value):
            return fitted(value) if self.whole else value
        if not self.whole:
            value = jnp.asarray(value)
            # Integers as values would wrap in what a rule does with them.
            return value.astype(float) if is_whole(value) else value
        if is_long(value):
            value = (
                np.asarray(jax.device_get(value)) if known(value) else as_real(value)
            )
        value = jnp.asarray(fitted(value))
        return as_integer(value) if is_whole(value) else as_real(value)


class Length(Number):
    """Some steps: a whole number of them, or a float that is not between 0 and 1.

    A number between 0 and 1 is a part of a run, written by somebody who knows ratios.
    """

    def __init__(self, *, least: float | None = None, above: float | None = None):
        super().__init__(least=least, above=above, whole="may", kind="a length")

    def inspect(self, value: Any) -> None:
        super().inspect(value)
        if not known(value) or is_whole(value):
            return
        host = np.asarray(jax.device_get(value))
        parts = host[(host > 0) & (host < 1)]
        if parts.size:
            bounds = ">= 1" if self.least is None else "0 or >= 1"
            raise ValueError(
                f"must be {bounds} (a fraction of a run is "
                f"js.Clock(total_steps=...).fraction({parts[0]!s}))"
            )


class Growth(Number):
    """A factor on the length of each next cycle: 1, or enough above it to be counted."""

    # Where cycles begin is exact for known numbers only.
    decides: bool = True

    least_growth: float = 1.001  # some 14,600 cycles of first length 1 below 2^31

    def inspect(self, value: Any) -> None:
        super().inspect(value)
        if not known(value) or (isinstance(value, int) and value == 1):
            return
        host = np.asarray(jax.device_get(value))
        if np.any((host < self.least_growth) & (host != 1)):
            raise ValueError(f"must be 1 or >= {self.least_growth}")


class Step(Domain):
    """A step: a real number or an array of them, of any kind."""

    def admit(self, value: Any) -> Any:
        return host_step(value)


def whole_number(least: int) -> Number:
    """The domain of whole numbers from `least` on."""
    return Number(least=least, whole="must", kind="a whole number")


def numeric(value: Any, kind: str = "a number") -> Any:
    """A real number or array, NumPy scalars as Python numbers.

    Raises:
      TypeError: Anything else, booleans included.
    """
    if type(value) in (int, float):
        return value
    value = array_of_variable(value)
    if isinstance(value, bool) or not isinstance(value, _NUMERIC):
        raise TypeError(f"must be {kind}")
    if isinstance(value, np.generic):
        value = value.item() if is_real(value.dtype) else None
    if is_weak(value) and np.ndim(value) == 0:
        value = plain(value)
    if isinstance(value, (jax.Array, np.ndarray)):
        if not is_real(value.dtype):
            raise TypeError(f"must be {kind}")
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"must be {kind}")
    else:  # a subclass prints as something else
        value = int(value) if isinstance(value, int) else float(value)
    return value


def surely(value: Any, test: Callable[[Any], Any]) -> bool:
    """Whether a number is known and passes the test."""
    return known(value) and bool(test(value))


def _extremes(value: Any) -> tuple[Any, Any]:
    """The smallest and the largest number; NaN where there is one."""
    if isinstance(value, (int, float)):
        return value, value
    host = np.asarray(jax.device_get(value))
    if not host.size:
        return 1, 1  # nothing that could be out of bounds
    if not is_whole(value):
        host = host.astype(np.float64)
    return host.min().item(), host.max().item()


def _as_float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ValueError("must be finite") from None


def frozen(value: Any) -> Any:
    """A NumPy array as a copy that nobody can change behind the schedule's back."""
    if isinstance(value, np.ndarray):
        value = value.copy()
        value.flags.writeable = False
    return value
