"""A decay and a mean of checkpoints: the same, by exact maps in both directions."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxsched.domains.numbers import numeric
from jaxsched.rule import known, short

# The weights of a mean were rounded where they sum to 1 up to that.
_ROUNDING = 1e-5


def merge_weights(decay: Any) -> Array:
    """The weights of an average of checkpoints that stands for a cool-down.

    A run at a constant rate leaves k + 1 checkpoints; the k stretches between them would,
    in a cool-down, have been multiplied by `decay`. The weighted mean of the checkpoints
    is the same, as far as the updates do not depend on the rates before them.

    Formula, for w = decay: c_0 = 1 - w_1, c_j = w_j - w_(j+1), c_k = w_k. They sum to 1.
    The plain mean is a linear decay.

    What it is not: as good as a decay in long ones, where the gains of merging shrink
    (arXiv:2604.12374).

    Args:
      decay: The factors w_1 >= ... >= w_k of the k stretches between checkpoints, from 0
        to 1, shape (k,); differentiable.

    Returns:
      The weights of the k + 1 checkpoints, the oldest first.

    Raises:
      ValueError: The factors rise, or one is not in [0, 1].
      TypeError: They are not real numbers.

    >>> import jaxsched as js
    >>> js.planning.merge_weights([0.75, 0.5, 0.25]).tolist()
    [0.25, 0.25, 0.25, 0.25]

    Reference: Tian et al. (2025), arXiv:2507.17634, section 3.
    """
    factors = _row("merge_weights", "decay", decay)
    if known(factors):
        host = np.asarray(factors, np.float64)
        if not np.all((host >= 0) & (host <= 1)):
            _refuse("merge_weights", "decay must lie between 0 and 1", "decay", decay)
        if np.any(np.diff(host) > 0):
            reason = "decay must not rise, for a weight would be negative"
            _refuse("merge_weights", reason, "decay", decay)
    ones, zeros = jnp.ones_like(factors, shape=1), jnp.zeros_like(factors, shape=1)
    return jnp.concatenate([ones, factors]) - jnp.concatenate([factors, zeros])


def decay_of_merge(weights: Any) -> Array:
    """The decay that an average of checkpoints stands for: `merge_weights` undone.

    Formula: w_i = c_i + ... + c_k, for i = 1, ..., k.

    Args:
      weights: The weights c_0, ..., c_k of the checkpoints, the oldest first, >= 0, with
        the sum 1; differentiable.

    Returns:
      The factors of the k stretches between the checkpoints.

    Raises:
      ValueError: A weight is negative or not finite, or they do not sum to 1.
      TypeError: They are not real numbers.

    >>> import jaxsched as js
    >>> js.planning.decay_of_merge([0.25, 0.25, 0.25, 0.25]).tolist()
    [0.75, 0.5, 0.25]

    Reference: Tian et al. (2025), arXiv:2507.17634, section 3.
    """
    shares = _row("decay_of_merge", "weights", weights)
    if known(shares):
        host = np.asarray(shares, np.float64)
        if not np.all(np.isfinite(host) & (host >= 0)):
            reason = "weights must be finite and >= 0"
            _refuse("decay_of_merge", reason, "weights", weights)
        if abs(np.sum(host) - 1) > _ROUNDING:
            reason = f"weights must sum to 1, not {np.sum(host)}"
            _refuse("decay_of_merge", reason, "weights", weights)
    return jnp.flip(jnp.cumsum(jnp.flip(shares)))[1:]


def _row(function: str, argument: str, given: Any) -> Array:
    """Numbers along one axis, in a float type."""
    try:
        plain = np.asarray(given, float) if isinstance(given, (list, tuple)) else given
        row = jnp.asarray(numeric(plain))
    except (TypeError, ValueError):
        raise TypeError(
            f"{function}: {argument} must be numbers, got {argument}={short(given)}"
        ) from None
    if row.ndim != 1 or not row.size:
        raise ValueError(
            f"{function}: {argument} must be one-dimensional, got an array of shape "
            f"{row.shape}"
        )
    return row if jnp.issubdtype(row.dtype, jnp.floating) else row.astype(float)


def _refuse(function: str, reason: str, argument: str, given: Any) -> None:
    raise ValueError(f"{function}: {reason}, got {argument}={short(given)}")
