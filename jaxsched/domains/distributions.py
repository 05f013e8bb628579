"""What a hyperparameter is drawn from in a random search."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer

from jaxsched.arrays import is_array
from jaxsched.domains.numbers import Number
from jaxsched.rule import admitted, short

# The largest bound that JAX draws 32-bit integers with.
_LARGEST = 2**31 - 2


@runtime_checkable
class Distribution(Protocol):
    """Anything that draws n settings from a random key."""

    def sample(self, key: Array, n: int) -> Sequence[Any]:
        """Draws n independent settings, as Python values."""
        ...


def _check_order(distribution: Any, number: Number) -> None:
    """Checks `low` and `high` of a distribution, and keeps them as Python numbers."""
    name = type(distribution).__name__
    for bound in ("low", "high"):
        value = admitted(name, bound, getattr(distribution, bound), number)
        if isinstance(value, Tracer):
            raise TypeError(f"{name}: {bound} must be known, got {bound}={value}")
        value = value.item() if is_array(value) else value
        object.__setattr__(distribution, bound, value)
    low, high = distribution.low, distribution.high
    if not low <= high:
        raise ValueError(f"{name}: low must be <= high, got low={low}, high={high}")


def _fractions(key: Array, n: int) -> np.ndarray:
    """Uniform on [0, 1), the same with 32-bit and with 64-bit floats."""
    return np.asarray(jax.random.uniform(key, (n,), jnp.float32), np.float64)


@dataclass(frozen=True)
class Uniform:
    """Every number between two bounds is equally likely.

    Args:
      low: The lower bound.
      high: The upper bound, >= low.

    Raises:
      ValueError: A bound is not finite, or `low` is above `high`.
      TypeError: A bound is not a number.

    >>> import jaxsched as js
    >>> js.Uniform(0.1, 0.3)
    Uniform(low=0.1, high=0.3)
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _check_order(self, Number())

    def sample(self, key: Array, n: int) -> Sequence[float]:
        """Draws n numbers in [low, high]."""
        u = _fractions(key, n)
        return np.clip(self.low * (1 - u) + self.high * u, self.low, self.high).tolist()


@dataclass(frozen=True)
class LogUniform:
    """Every order of magnitude between two bounds is equally likely.

    The usual choice for learning rates: exp(u), with u uniform between log(low) and
    log(high).

    Args:
      low: The lower bound, > 0.
      high: The upper bound, >= low.

    Raises:
      ValueError: A bound is not finite or not positive, or `low` is above `high`.
      TypeError: A bound is not a number.

    >>> import jaxsched as js
    >>> js.LogUniform(1e-5, 1e-1)
    LogUniform(low=1e-05, high=0.1)
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _check_order(self, Number(above=0))

    def sample(self, key: Array, n: int) -> Sequence[float]:
        """Draws n numbers in [low, high]."""
        u = _fractions(key, n)
        logs = np.log(self.low) * (1 - u) + np.log(self.high) * u
        return np.clip(np.exp(logs), self.low, self.high).tolist()


@dataclass(frozen=True)
class Integer:
    """Every whole number from one bound to another is equally likely.

    Args:
      low: The smallest number.
      high: The largest number, >= low, <= 2^31 - 2. It is drawn too.

    Raises:
      ValueError: `low` is above `high`, or a bound does not fit 32 bits.
      TypeError: A bound is not a whole number.

    >>> import jaxsched as js
    >>> js.Integer(0, 500)
    Integer(low=0, high=500)
    """

    low: int
    high: int

    def __post_init__(self) -> None:
        number = Number(
            least=-_LARGEST, most=_LARGEST, whole="must", kind="a whole number"
        )
        _check_order(self, number)

    def sample(self, key: Array, n: int) -> Sequence[int]:
        """Draws n numbers in low, low + 1, ..., high."""
        drawn = jax.random.randint(key, (n,), self.low, self.high + 1, jnp.int32)
        return np.asarray(drawn).tolist()


@dataclass(frozen=True)
class Choice:
    """One of some values, each equally likely.

    Args:
      values: The values: a list with at least one.

    Raises:
      ValueError: There is none.
      TypeError: `values` is not a list or a tuple.

    >>> import jaxsched as js
    >>> js.Choice([100, 200, 400])
    Choice(values=[100, 200, 400])
    """

    values: Sequence[Any]

    def __post_init__(self) -> None:
        if not isinstance(self.values, (list, tuple)):
            got = f"got values={short(self.values)}"
            raise TypeError(f"Choice: values must be a list, {got}")
        if not self.values:
            raise ValueError("Choice: values must hold at least one, got values=[]")

    def sample(self, key: Array, n: int) -> Sequence[Any]:
        """Draws n of the values."""
        drawn = jax.random.randint(key, (n,), 0, len(self.values), jnp.int32)
        return [self.values[i] for i in np.asarray(drawn)]
