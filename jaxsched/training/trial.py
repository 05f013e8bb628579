"""Whether one rate for each update is what a schedule is to an optimizer of Optax."""

import inspect
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxsched.rule import short
from jaxsched.schedule.meshes import without_mesh

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
        without_mesh(),
        # What it makes anew are its own numbers: they may be put on a device.
        jax.transfer_guard("allow"),
        # Optax mixes dtypes and ranks, whatever its users allow themselves.
        jax.numpy_dtype_promotion("standard"),
        jax.numpy_rank_promotion("allow"),
        jax.debug_nans(False),
    ):
        is_own = not str(getattr(optimizer, "__module__", "")).startswith("optax")
        reason = _why_not(made) or (_how_it_differs(made) if is_own else None)
        if reason:
            raise ValueError(f"with_schedule: optimizer {reason}, {got}")
        if is_own:
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
    if any(seen):
        return "evaluates its schedule at later steps too: give it the schedule itself"
    made(learning_rate=1.0)  # what is wrong with the settings is said
    try:
        state = made(learning_rate=1.0).init(params)
        trial = lambda rate: _updates(made, rate, params, state, params)
        jaxpr = jax.make_jaxpr(trial)(1.0).jaxpr
    except Exception:
        return None
    used = any(jaxpr.invars[0] is x for eqn in jaxpr.eqns for x in eqn.invars)
    return None if used else "reads its rate only once, so no schedule can change it"


def _how_it_differs(made: Callable[..., Any]) -> str | None:
    """What is wrong where a few updates under a schedule are not those of its rates."""
    params, rates = {"weights": jnp.zeros((2, 2))}, jnp.array([1.0, 0.5, 0.25, 0.125])

    def trial(rate_at: Callable[[int], Any]) -> list[Any]:
        state, found = made(learning_rate=rate_at(0)).init(params), []
        for i in range(len(rates)):
            grads = jax.tree.map(partial(jnp.full_like, fill_value=i + 1), params)
            updates, state = _updates(made, rate_at(i), grads, state, params)
            found += jax.tree.leaves(updates)
        return found

    scheduled = lambda count: rates[jnp.minimum(count, len(rates) - 1)]
    try:
        both = zip(trial(lambda i: scheduled), trial(lambda i: rates[i]), strict=True)
        # The rates are halves of each other: another count is no error of rounding.
        alike = all(jnp.allclose(a, b, rtol=1e-4) for a, b in both)
    except Exception:  # it needs masks by name, or a loss
        return None
    if alike:
        return None
    return (
        "makes other updates with a schedule than with its rate at each update, as one "
        "that counts some updates only does: put with_schedule inside of it"
    )


def _updates(
    made: Callable[..., Any], rate: Any, grads: Any, state: Any, params: Any
) -> Any:
    import optax

    optimizer = optax.with_extra_args_support(made(learning_rate=rate))
    return optimizer.update(grads, state, params)
