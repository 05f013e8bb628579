"""Functions of the step that live schedulers hold, as schedules."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from jaxsched.compat import transformers
from jaxsched.rule import rule_of
from jaxsched.schedule import Schedule, as_schedule
from jaxsched.schedule.arguments import constant
from jaxsched.schedule.operators import divide
from jaxsched.schedule.programs import elsewhere

OfBase = Callable[[Any], Schedule]


def function_of(function: Any) -> OfBase | None:
    """A factor as a schedule of the rate, for a base rate; None for Python code."""
    inner, keywords = function, {}
    if isinstance(function, partial) and not function.args:
        inner, keywords = function.func, function.keywords
    if getattr(inner, "__module__", None) == "transformers.optimization":
        name = getattr(inner, "__name__", "")
        if name in _NAMED:
            return _NAMED[name](keywords)
    try:
        factor = as_schedule(function)
        exact = factor.at(_TRIED)  # traces it, if it is none of ours
        steps = _TRIED.astype(np.int32)
        used = elsewhere(lambda: np.asarray(factor(steps), np.float64), x64=False)
    except Exception:  # whatever a user's function does with what it cannot compute
        return None
    # Its integers may overflow in a program, where they have 32 bits.
    size = np.max(np.abs(exact), initial=0.0)
    if not np.all(np.abs(used - exact) <= 1e-4 * np.abs(exact) + 1e-6 * size):
        return None
    return lambda base: _scaled(factor, base)


# Where a function is tried: as a schedule in double precision, and as programs use it.
_TRIED = np.array([*range(2048), *(2**k for k in range(11, 22))])


def _scaled(factor: Schedule, base: Any) -> Schedule:
    """The product, or what was divided before to be given to PyTorch."""
    if factor._rule == rule_of(divide) and factor.second == constant(float(base)):
        return factor.first
    return factor if base == 1.0 else base * factor


def _as_given(make: Callable[..., Schedule]) -> Callable[[Mapping[str, Any]], OfBase]:
    """For functions of the same keywords."""
    return lambda keywords: lambda base: make(base, **keywords)


def _cosine(keywords: Mapping[str, Any]) -> OfBase:
    if "min_lr_rate" in keywords:
        return _as_given(transformers.get_cosine_with_min_lr_schedule_with_warmup)(
            keywords
        )
    return _as_given(transformers.get_cosine_schedule_with_warmup)(keywords)


def _polynomial(keywords: Mapping[str, Any]) -> OfBase:
    """Of the rate that its end was divided by, whatever the group's own is."""
    given = dict(keywords)
    rate = given.pop("lr_init")
    schedule = transformers.get_polynomial_decay_schedule_with_warmup(rate, **given)
    return lambda base: schedule if base == rate else schedule * (base / rate)


_NAMED: dict[str, Callable[[Mapping[str, Any]], OfBase]] = {
    "_get_constant_lambda": _as_given(transformers.get_constant_schedule),
    "_get_constant_schedule_with_warmup_lr_lambda": _as_given(
        transformers.get_constant_schedule_with_warmup
    ),
    "_get_linear_schedule_with_warmup_lr_lambda": _as_given(
        transformers.get_linear_schedule_with_warmup
    ),
    "_get_cosine_schedule_with_warmup_lr_lambda": _cosine,
    "_get_cosine_with_hard_restarts_schedule_with_warmup_lr_lambda": _as_given(
        transformers.get_cosine_with_hard_restarts_schedule_with_warmup
    ),
    "_get_polynomial_decay_schedule_with_warmup_lr_lambda": _polynomial,
    "_get_inverse_sqrt_schedule_lr_lambda": _as_given(
        transformers.get_inverse_sqrt_schedule
    ),
    "_get_cosine_with_min_lr_schedule_with_warmup_lr_rate_lambda": _as_given(
        transformers.get_cosine_with_min_lr_schedule_with_warmup_lr_rate
    ),
    "_get_wsd_scheduler_lambda": _as_given(transformers.get_wsd_schedule),
}
