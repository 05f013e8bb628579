"""Loss laws: how the loss of a run goes under a schedule, by few parameters."""

from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxsched.arrays import Numeric
from jaxsched.domains.numbers import Number, whole_number
from jaxsched.planning.rates import all_rates
from jaxsched.rule import admitted, known, short
from jaxsched.schedule import ScheduleLike

_POSITIVE = Number(above=0)


def _law(cls: type) -> type:
    """A law: immutable, checked where its numbers are known, a pytree of them."""
    made = dataclass(frozen=True)(cls)
    names = [field.name for field in fields(made)]
    return jax.tree_util.register_dataclass(made, names, [])


class Law:
    """A law of the loss: it tells the loss of a run from its schedule and its length."""

    def __post_init__(self) -> None:
        given: Any = self
        for field in fields(given):
            value = getattr(self, field.name)
            if isinstance(value, (int, float, np.ndarray, np.generic)):
                admitted(type(self).__name__, field.name, value, _POSITIVE)

    def predict(
        self, schedule: ScheduleLike, steps: Any, warmup_steps: int = 0
    ) -> Array:
        """The loss after so many updates of a run.

        Args:
          schedule: The learning rate: a schedule, a number or a callable of the step,
            >= 0; differentiable.
          steps: Numbers of updates n >= 1, known whole numbers of any shape and order:
            loss n has used the rates of steps 0, ..., n - 1. A log's entry of index i is
            that of i + 1 updates where it was written after update i.
          warmup_steps: The changes of the rate up to this step are left out, so that a
            ramp is not counted as a negative cool-down; 0 counts them. Use a law as it
            was fitted. Static.

        Returns:
          An array of the shape of `steps`; infinite where no rate was above 0.

        Raises:
          ValueError: A rate is negative or not finite, or a number of updates below 1.
        """
        counts, ramp = _counts(steps), _ramp(warmup_steps)
        rates = all_rates("predict", schedule, int(counts.max()), "schedule")
        found = self._losses(rates, jnp.asarray(counts.ravel()), ramp)
        return jnp.reshape(found, counts.shape)

    def _losses(self, rates: Array, counts: Array, ramp: int) -> Array:
        raise NotImplementedError


@_law
class MultiPowerLaw(Law):
    """The loss as a power of the summed rates, less what each fall of the rate gains.

    Formula, after n updates, with S1 = e_0 + ... + e_(n-1) and S_k = e_k + ... +
    e_(n-1), for e the rates:

        L = L0 + A S1^-alpha - B sum over 0 < k < n of
            (e_(k-1) - e_k) (1 - (1 + C e_k^-gamma S_k)^-beta)

    Fit it to two or three runs (`fit_law`), and predict others of the same model, data
    and peak. What it is not: right at another peak than it was fitted at; parameters that
    mean something by themselves (B, C, beta and gamma trade off against each other).

    Args:
      L0: The loss that no training goes below, > 0.
      A: The loss that training removes, in units of S1^alpha, > 0.
      alpha: The exponent of the summed rates, > 0.
      B: The gain of a fall of the rate, > 0.
      C: How fast a gain is made, > 0.
      beta: The exponent of a gain, > 0.
      gamma: The exponent of the rate in it, > 0.

    >>> import jaxsched as js
    >>> law = js.planning.MultiPowerLaw(
    ...     2.37474466, 0.65421216, 0.42878731, 523.42464371, 2.02462735, 0.59350493,
    ...     0.63472457,
    ... )
    >>> ramp = js.linear(0.0, 3e-4, 2159)
    >>> loss = law.predict(js.join([ramp, 3e-4], [2160]), [20_000])
    >>> round(float(loss[0]), 2)
    2.84

    Reference: Luo et al. (2025), arXiv:2503.12811, equation 2.
    """

    L0: Numeric
    A: Numeric
    alpha: Numeric
    B: Numeric
    C: Numeric
    beta: Numeric
    gamma: Numeric

    def _losses(self, rates: Array, counts: Array, ramp: int) -> Array:
        falls = rates[:-1] - rates[1:]
        places = np.arange(1, len(rates))
        if known(falls):  # only changes of the rate gain anything
            places = places[np.asarray(falls) != 0]
        places = places[places > ramp]
        return jax.lax.map(partial(self._loss, rates, falls, places), counts)

    def _loss(self, rates: Array, falls: Array, places: Any, count: Array) -> Array:
        used = jnp.where(jnp.arange(len(rates)) < count, rates, 0.0)
        # Sums of what is left, not differences of sums, which lose their digits.
        left = jnp.flip(jnp.cumsum(jnp.flip(used)))
        return self.loss_of(left[0], falls[places - 1], rates[places], left[places])

    def loss_of(self, summed: Any, falls: Any, here: Any, begun: Any) -> Array:
        """The loss for S1, and for each fall of the rate: its size, what it fell to, S_k.

        The falls are along the last axis; one that is still to come has an S_k of 0.
        """
        is_on = here > 0
        scaled = self.C * jnp.where(is_on, here, 1.0) ** -self.gamma * begun
        grown = jnp.where(is_on, scaled, jnp.where(begun > 0, jnp.inf, 0.0))
        gained = jnp.sum(falls * -jnp.expm1(-self.beta * jnp.log1p(grown)), axis=-1)
        return jnp.asarray(self.L0 + self.A * summed**-self.alpha - self.B * gained)


@_law
class AnnealingLaw(Law):
    """The loss as a power of the summed rates, minus an average of how the rate fell.

    Formula, after n updates, with S1 = e_0 + ... + e_(n-1) for e the rates, and
    m_k = momentum m_(k-1) + (e_(k-1) - e_k):

        L = L0 + A S1^-alpha - C (m_1 + ... + m_(n-1))

    A simpler law than `MultiPowerLaw`: the gain of a cool-down never saturates in it.

    Args:
      L0: The loss that no training goes below, > 0.
      A: The loss that training removes, in units of S1^alpha, > 0.
      alpha: The exponent of the summed rates, > 0.
      C: The gain of a fall of the rate, > 0.
      momentum: How long a fall goes on to gain, > 0 and < 1; usually 0.99 to 0.9995.

    >>> import jaxsched as js
    >>> law = js.planning.AnnealingLaw(1.0, 1.0, 1.0, 0.01, momentum=0.999)
    >>> round(float(law.predict(js.linear(1.0, 0.0, 10), 11)), 6)  # 1 + 1/5.5 - 0.054835
    1.126983

    Reference: Tissue et al. (2024), arXiv:2408.11029, equation 1.
    """

    L0: Numeric
    A: Numeric
    alpha: Numeric
    C: Numeric
    momentum: Numeric = 0.999

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.momentum, (int, float)) and self.momentum >= 1:
            raise ValueError(
                f"AnnealingLaw: momentum must be < 1, got momentum={self.momentum}"
            )

    def _losses(self, rates: Array, counts: Array, ramp: int) -> Array:
        falls = jnp.where(jnp.arange(1, len(rates)) > ramp, rates[:-1] - rates[1:], 0.0)

        def fall(state: tuple[Array, Array], change: Array) -> Any:
            moving, gained = state
            moving = self.momentum * moving + change
            return (moving, gained + moving), gained + moving

        none = jnp.zeros((), jnp.result_type(rates, self.momentum))
        _, gained = jax.lax.scan(fall, (none, none), falls)
        gained = jnp.concatenate([none[None], gained])[counts - 1]
        return self.loss_of(jnp.cumsum(rates)[counts - 1], gained)

    def loss_of(self, summed: Any, gained: Any) -> Array:
        """The loss for S1 and the sum of the m_k."""
        return jnp.asarray(self.L0 + self.A * summed**-self.alpha - self.C * gained)


def _counts(steps: Any) -> np.ndarray:
    """Numbers of updates, known and at least 1."""
    if not known(steps):
        raise TypeError("predict: steps must be known, got traced steps")
    try:
        counts = np.asarray(steps)
    except (TypeError, ValueError):
        counts = np.zeros(0)
    if counts.dtype.kind not in "iu" or not counts.size:
        raise TypeError(
            f"predict: steps must be whole numbers, got steps={short(steps)}"
        )
    if counts.min() < 1:
        raise ValueError(
            f"predict: steps must be numbers of updates >= 1, got {counts.min()}"
        )
    return counts


def _ramp(warmup_steps: Any) -> int:
    return int(admitted("predict", "warmup_steps", warmup_steps, whole_number(0)))
