"""The rates that a run uses, and the norms of its gradients."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxsched.arrays import Numeric, is_traced
from jaxsched.domains.numbers import Number, numeric, whole_number
from jaxsched.rule import admitted, known, short
from jaxsched.schedule import Inner, Schedule
from jaxsched.schedule.stacking import leading_axes

POSITIVE = Number(above=0)


def length(
    function: str, total_steps: Any, argument: str = "total_steps", *, least: int = 1
) -> int:
    """The length of a run, or a step of it, which must be known: arrays are as long."""
    steps = admitted(function, argument, total_steps, whole_number(least))
    if not known(steps):
        raise TypeError(
            f"{function}: {argument} must be known, for it is the length of an array, got "
            f"{argument}={short(total_steps)}"
        )
    return int(steps)


def rates(function: str, schedule: Any, total_steps: int, argument: str) -> Array:
    """The rates of all updates, of which the last must be above 0."""
    return all_rates(function, schedule, total_steps, argument, may_end=False)


def all_rates(
    function: str,
    schedule: Any,
    total_steps: int,
    argument: str,
    *,
    may_end: bool = True,
) -> Array:
    """The rates of all updates: shape (total_steps,), in the default float.

    Known ones are checked: none may be negative or not finite, and where that must be
    the last not 0.
    """
    inner = single(function, argument, schedule)
    found = inner(jnp.arange(total_steps)) * jnp.ones((), float)
    if known(found):
        host = np.asarray(found)
        refuse_rates(function, inner, host, argument, may_end=may_end)
    return found


def host_rates(
    function: str,
    schedule: Any,
    total_steps: int,
    argument: str,
    *,
    may_end: bool = False,
) -> np.ndarray:
    """The same in double precision, as a NumPy array; with `may_end` the last may be 0."""
    inner = single(function, argument, schedule)
    if is_traced(inner):
        raise TypeError(
            f"{function}: {argument} must be known, not traced, for it is searched or "
            f"sorted on the host, got {argument}={short(inner)}"
        )
    found = inner.at(np.arange(total_steps))
    refuse_rates(function, inner, found, argument, may_end=may_end)
    return found


def single(function: str, argument: str, schedule: Any) -> Schedule:
    """One schedule: a stacked one is mapped over."""
    inner = admitted(function, argument, schedule, Inner())
    if leading_axes(function, inner):
        raise ValueError(
            f"{function}: {argument} must not be stacked; map over it with jax.vmap, or "
            f"index it, got {argument}={short(inner)}"
        )
    return inner


def refuse_rates(
    function: str,
    schedule: Schedule,
    found: np.ndarray,
    argument: str,
    *,
    may_end: bool = False,
) -> None:
    """Refuses rates of which nothing can be said."""
    bad = ~(np.isfinite(found) & (found >= 0))
    if np.any(bad):
        step = int(np.argmax(bad))
        raise ValueError(
            f"{function}: {argument} must be finite and >= 0 at every step, got "
            f"{found[step]} at step {step} of {argument}={short(schedule)}"
        )
    if found[-1] == 0 and not may_end:
        step = len(found) - 1
        raise ValueError(
            f"{function}: {argument} must be > 0 at the last step, {step}, of "
            f"total_steps={len(found)}: an update with a rate of 0 changes nothing (a "
            f"schedule that ends at 0 is 0 from step total_steps on, which no update "
            f"uses), got {argument}={short(schedule)}"
        )


def squared_norms(function: str, grad_norms: Any, total_steps: int) -> Any:
    """The squares of the norms: one number, or shape (total_steps,)."""
    if grad_norms is None:
        return 1.0
    try:
        norms = numeric(
            np.asarray(grad_norms, float)
            if isinstance(grad_norms, (list, tuple))
            else grad_norms
        )
    except (TypeError, ValueError):
        raise TypeError(
            f"{function}: grad_norms must be a number or one for each step, got "
            f"grad_norms={short(grad_norms)}"
        ) from None
    if np.shape(norms) not in ((), (total_steps,)):
        raise ValueError(
            f"{function}: grad_norms must be a number or one for each of {total_steps} "
            f"steps, got an array of shape {np.shape(norms)}"
        )
    if known(norms):
        host = np.asarray(norms, np.float64)
        if not np.all(np.isfinite(host) & (host >= 0)):
            raise ValueError(
                f"{function}: grad_norms must be finite and >= 0, got "
                f"grad_norms={short(grad_norms)}"
            )
        if not np.any(host > 0):
            raise ValueError(
                f"{function}: grad_norms must not all be 0, got "
                f"grad_norms={short(grad_norms)}"
            )
    return norms * norms


def positive(function: str, argument: str, value: Numeric) -> Any:
    """A number above 0."""
    return admitted(function, argument, value, POSITIVE)
