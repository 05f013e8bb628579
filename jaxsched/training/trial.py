"""Whether one rate for each update is what a schedule is to an optimizer of Optax."""

import inspect
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxsched.rule import short

_RATE = "learning_rate"


def refuse_unfit(optimizer: Any, settings: dict[str, Any]) -> None:
    """Refuses what is no function of a learning rate that its updates depend on."""
    got = f"got optimizer={short(optimizer)}"
    if hasattr(optimizer, "update") and hasattr(optimizer, "init"):
        raise TypeError(
            "with_schedule: optimizer must be a function that makes one, such as "
            "optax.adamw, not one that has its rate already: "
            "with_schedule(optax.adamw, schedule, "
            f"weight_decay=...), {got}"
        )
    if not callable(optimizer):
        raise TypeError(f"with_schedule: optimizer must be a function, {got}")
    takes = inspect.signature(optimizer).parameters.values()
    named = any(p.name == _RATE or p.kind is p.VAR_KEYWORD for p in takes)
    if not named or _RATE in settings:
        reason = "is given twice" if named else "must be an argument of optimizer"
        raise TypeError(f"with_schedule: {_RATE} {reason}, {got}")
    made = partial(optimizer, **settings)
    with (
        jax.ensure_compile_time_eval(),
        # Optax mixes dtypes and ranks, whatever its users allow themselves.
        jax.numpy_dtype_promotion("standard"),
        jax.numpy_rank_promotion("allow"),
        jax.debug_nans(False),
    ):
        reason = _why_not(made)
        if reason:
            raise ValueError(f"with_schedule: optimizer {reason}, {got}")
        if not str(getattr(optimizer, "__module__", "")).startswith("optax"):
            _warn_of_ascent(made, got)


def _warn_of_ascent(made: Callable[..., Any], got: str) -> None:
    """Warns where a first update goes up the gradient, as that of two rates in a row."""
    params, grads = {"weights": jnp.zeros((2, 2))}, {"weights": jnp.ones((2, 2))}
    try:
        state = made(learning_rate=1.0).init(params)
        [update] = jax.tree.leaves(_updates(made, 1.0, grads, state, params)[0])
        climbs = bool(jnp.sum(update) > 0)
    except Exception:  # it needs masks by name, or a loss
        return
    if climbs:
        warnings.warn(
            "with_schedule: the updates of optimizer go up the gradient, so the loss will "
            "rise: a part of it has a learning rate already and turns their sign, and "
            f"a second rate turns it back, {got}",
            stacklevel=4,
        )


def _why_not(made: Callable[..., Any]) -> str | None:
    """Why one rate for each update is not what a schedule is to the optimizer.

    As far as a small trial tells: what needs masks by name, or a loss, is not tried.
    """
    seen: list[int] = []

    def probe(count: Any) -> float:
        seen.append(int(count))
        return 1.0

    params = {"weights": jnp.zeros((2, 2))}
    try:
        state = made(learning_rate=probe).init(params)
        seen.clear()
        trial = lambda grads: _updates(made, probe, grads, state, params)
        jax.make_jaxpr(trial)(params)
    except Exception:  # also of what takes a number only
        seen.clear()
    if seen:
        more = "evaluates its schedule at later steps too: give it the schedule itself"
        return more if any(seen) else None
    made(learning_rate=1.0)  # what is wrong with the settings is said
    try:
        state = made(learning_rate=1.0).init(params)
        trial = lambda rate: _updates(made, rate, params, state, params)
        jaxpr = jax.make_jaxpr(trial)(1.0).jaxpr
    except Exception:
        return None
    used = any(jaxpr.invars[0] is x for eqn in jaxpr.eqns for x in eqn.invars)
    return None if used else "reads its rate only once, so no schedule can change it"


def _updates(
    made: Callable[..., Any], rate: Any, grads: Any, state: Any, params: Any
) -> Any:
    import optax

    optimizer = optax.with_extra_args_support(made(learning_rate=rate))
    return optimizer.update(grads, state, params)
