"""The bound on the loss after the last update, and what follows from it."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxsched.arrays import Numeric
from jaxsched.planning.rates import length, positive, rates, squared_norms


class Sums(NamedTuple):
    """All that the bound needs of a schedule.

    Attributes:
      rates: The sum of the rates, S.
      squares: The sum of their squares, each divided by the rates that are left, B.
    """

    rates: Any
    squares: Any


def sums(rates: Any, squares: Any) -> Sums:
    """S and B, of a JAX or of a NumPy array.

    With e for the rates, G^2 for the squared norms and R_k = e_(k+1) + ... + e_(T-1):
    S = sum of all e_k, and B = e_(T-1) G_(T-1)^2 + the sum of e_k (e_k / R_k) G_k^2 over
    k < T - 1. The tails R are sums of what is left and not differences of running sums,
    which would be rounding noise at the end of a long run.
    """
    xp = _arrays(rates)
    tails = xp.flip(xp.cumsum(xp.flip(rates)))
    left = tails[1:]
    # Selected before the division: a tail of 0 makes the whole infinite, and no NaN.
    ended = left == 0
    ratios = rates[:-1] / xp.where(ended, 1.0, left)
    squares = xp.broadcast_to(xp.asarray(squares, rates.dtype), rates.shape)
    terms = rates[:-1] * ratios * squares[:-1]
    total = rates[-1] * squares[-1] + xp.sum(terms)
    return Sums(tails[0], xp.where(rates[-1] > 0, total, xp.inf))


def best_factor_of(found: Sums, distance: Any) -> Any:
    """D / sqrt(S B); the roots first, so that small rates do not underflow."""
    xp = _arrays(found.squares)
    ended = xp.isinf(found.squares)  # also where no rate is above 0, so that S is 0
    product = xp.sqrt(found.rates) * xp.sqrt(xp.where(ended, 1.0, found.squares))
    return distance / xp.where(ended, xp.inf, product)


def best_bound_of(found: Sums, distance: Any) -> Any:
    """D sqrt(B / S)."""
    xp = _arrays(found.squares)
    return distance * (xp.sqrt(found.squares) / xp.sqrt(found.rates))


def bound_of(found: Sums, distance: Any) -> Any:
    """(D^2 / S + B) / 2."""
    return 0.5 * (distance * (distance / found.rates) + found.squares)


def _arrays(x: Any) -> Any:
    """The module that computes with it."""
    return jnp if isinstance(x, jax.Array) else np


def last_iterate_bound(
    schedule: Any,
    total_steps: int,
    *,
    distance: Numeric = 1.0,
    grad_norms: Any = None,
) -> Array:
    """How far from the least loss the last point of a run can be, at most.

    The smaller the bound, the better the schedule at these heights; to compare shapes,
    each at its own best height, use `best_bound` or `rank`. It holds for stochastic
    gradient descent on a convex function. That it orders training runs of language
    models is an observation, not a theorem.

    Formula, with e_k = schedule(k) for k = 0, ..., T - 1, D = distance, G_k =
    grad_norms[k] and R_k = e_(k+1) + ... + e_(T-1):

        S = e_0 + ... + e_(T-1)
        B = e_(T-1) G_(T-1)^2 + sum over k < T - 1 of e_k^2 G_k^2 / R_k
        bound = D^2 / (2 S) + B / 2

    which is the theorem's double sum, rearranged so that it costs one pass and loses no
    digits. The last of the T rates must be above 0: a schedule that reaches 0 does so at
    step T, which no update uses. Where the rates are traced the bound is then infinite.

    What it is not: it gives no reason for a warm-up where all norms are equal, does not
    speak of robustness, and of `distance` and `grad_norms` only the ratio can be known,
    from a tuned run (`implied_distance`).

    Args:
      schedule: A schedule, a number or a callable of the step, >= 0 at every step;
        differentiable.
      total_steps: The number of updates T, a known whole number >= 1. Static.
      distance: How far the start is from a solution, > 0; differentiable.
      grad_norms: A bound on the norm of the gradients, >= 0: one number, or one for each
        step, shape (total_steps,); None for 1. Differentiable.

    Raises:
      ValueError: A rate is negative or not finite, the last one is 0, or an argument is
        out of its bounds.
      TypeError: An argument is of the wrong kind, or `total_steps` is traced.

    Example:
      >>> import jaxsched as js
      >>> round(float(js.planning.last_iterate_bound(js.linear(0.1, 0.0, 100), 100)), 4)
      0.2037

    Reference: Schaipp et al. (2025), arXiv:2501.18965, theorem 1; Defazio et al. (2023),
    arXiv:2310.07831, theorem 10.
    """
    name = "last_iterate_bound"
    found = _sums(name, schedule, total_steps, grad_norms)
    return bound_of(found, positive(name, "distance", distance))


def best_factor(
    schedule: Any,
    total_steps: int,
    *,
    distance: Numeric = 1.0,
    grad_norms: Any = None,
) -> Array:
    """The factor on a schedule that makes its `last_iterate_bound` least.

    Formula, with S and B as in `last_iterate_bound`: D / sqrt(S B). With c times this
    factor the bound is (c + 1 / c) / 2 times the least one, for every schedule.

    By itself the factor means nothing, since nobody knows D; two of them have a ratio
    that does (`transfer_factor`).

    Args:
      schedule: As for `last_iterate_bound`; differentiable.
      total_steps: The number of updates, a known whole number >= 1. Static.
      distance: How far the start is from a solution, > 0; differentiable.
      grad_norms: A bound on the norm of the gradients, one number or one for each step;
        None for 1. Differentiable.

    Example:
      >>> import jaxsched as js
      >>> round(float(js.planning.best_factor(js.linear(1.0, 0.0, 100), 100)), 4)
      0.0973

    Reference: Schaipp et al. (2025), arXiv:2501.18965, section 3.
    """
    name = "best_factor"
    found = _sums(name, schedule, total_steps, grad_norms)
    return best_factor_of(found, positive(name, "distance", distance))


def best_bound(
    schedule: Any,
    total_steps: int,
    *,
    distance: Numeric = 1.0,
    grad_norms: Any = None,
) -> Array:
    """The `last_iterate_bound` of a shape at its own best height.

    It does not depend on the height of the schedule, and so compares shapes: less is
    better. Its gradient says how to change a shape: a cool-down of w steps is chosen by
    `jax.grad(lambda w: best_bound(js.wsd(1.0, T, 0, w), T))`.

    Formula, with S and B as in `last_iterate_bound`: D sqrt(B / S). For a constant it is
    D sqrt((1 + H) / T) with H = 1 + 1/2 + ... + 1/(T - 1); for a line to 0 nearly
    2 D / sqrt(T).

    With a free height the bound favors long cool-downs, of 0.6 to 1 of the run; at a
    fixed, low height short ones (`best_cooldown`). Ten shapes of a language model of 124
    million parameters were ordered by it as by their losses, with a rank correlation of
    0.94; differences of loss below 0.003 are ties.

    Args:
      schedule: As for `last_iterate_bound`; differentiable.
      total_steps: The number of updates, a known whole number >= 1. Static.
      distance: How far the start is from a solution, > 0; differentiable.
      grad_norms: A bound on the norm of the gradients, one number or one for each step;
        None for 1. Differentiable.

    Example:
      >>> import jaxsched as js
      >>> cosine, linear = js.cosine(1.0, 0.0, 100), js.linear(1.0, 0.0, 100)
      >>> [round(float(js.planning.best_bound(s, 100)), 4) for s in (cosine, linear)]
      [0.2091, 0.2036]

    Reference: Schaipp et al. (2025), arXiv:2501.18965, section 3.
    """
    name = "best_bound"
    found = _sums(name, schedule, total_steps, grad_norms)
    return best_bound_of(found, positive(name, "distance", distance))


def implied_distance(tuned: Any, total_steps: int, *, grad_norms: Any = None) -> Array:
    """The distance at which a schedule that was tuned is just right.

    A run whose learning rate was tuned says how far its start was from a solution, in
    units of the norms of its gradients. Give it to `last_iterate_bound` and
    `best_cooldown`, which ask for heights.

    Formula, with S and B as in `last_iterate_bound`: sqrt(S B), at which `best_factor`
    is 1. "Tuned" says that the height is best for this shape, not that the shape is.

    Args:
      tuned: The schedule of the run, its height included; differentiable.
      total_steps: The number of updates, a known whole number >= 1. Static.
      grad_norms: A bound on the norm of the gradients, one number or one for each step;
        None for 1. Differentiable.

    Example:
      >>> import jaxsched as js
      >>> schedule = js.linear(0.1, 0.0, 100)
      >>> distance = js.planning.implied_distance(schedule, 100)
      >>> round(float(js.planning.best_factor(schedule, 100, distance=distance)), 4)
      1.0

    Reference: Schaipp et al. (2025), arXiv:2501.18965, section 3.
    """
    found = _sums("implied_distance", tuned, total_steps, grad_norms, "tuned")
    return 1.0 / best_factor_of(found, 1.0)


def transfer_factor(
    tuned: Any,
    other: Any,
    total_steps: int,
    other_total_steps: int | None = None,
    *,
    grad_norms: Any = None,
) -> Array:
    """The factor that gives another schedule the height that was tuned for one.

    Two schedules at the same peak are not tuned alike: a cosine takes nearly twice the
    peak of a run that is constant for most of its steps. This is the factor at which
    `other` is as well tuned as `tuned` is. Distance and norms cancel.

    Formula: best_factor(other) / best_factor(tuned). The heights of both count.

    With `other_total_steps` it is for a run of another length: factors fall about as
    1 / sqrt(T) by this bound. (The functional scaling law has other exponents: see
    `best_shape`.)

    Args:
      tuned: The schedule that was tuned, its height included; differentiable.
      other: The schedule to use instead; differentiable.
      total_steps: The number of updates of the tuned run, a known whole number >= 1.
        Static.
      other_total_steps: The number of updates of the other run; `total_steps` if None.
        Static.
      grad_norms: A bound on the norm of the gradients, one number or one for each step;
        None for 1. One for each step fits runs of one length only.

    Example:
      >>> import jaxsched as js
      >>> tuned = js.wsd(1.0, 4000, warmup_steps=0, decay_steps=800)
      >>> factor = js.planning.transfer_factor(tuned, js.cosine(1.0, 0.0, 4000), 4000)
      >>> round(float(factor), 2)
      1.89

    Reference: Schaipp et al. (2025), arXiv:2501.18965, section 4; Hägele et al. (2024),
    arXiv:2405.18392, measured a factor of about two.
    """
    name = "transfer_factor"
    first = _sums(name, tuned, total_steps, grad_norms, "tuned")
    if other_total_steps is None:
        other_total_steps = total_steps
    else:
        length(name, other_total_steps, "other_total_steps")
    second = _sums(name, other, other_total_steps, grad_norms, "other")
    factor = best_factor_of(second, 1.0)  # 0 where `other` ends in 0
    ratio = factor / best_factor_of(first, 1.0)
    return jnp.where(factor == 0, 0.0, ratio)


def _sums(
    function: str,
    schedule: Any,
    total_steps: int,
    grad_norms: Any,
    argument: str = "schedule",
) -> Sums:
    steps = length(function, total_steps)
    squares = squared_norms(function, grad_norms, steps)
    return sums(rates(function, schedule, steps, argument), squares)
