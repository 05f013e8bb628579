"""The float64 twin of a schedule: the same tree built of `reference` functions."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import reference

import jaxsched as js


def twin(value: Any) -> Any:
    """The reference of a schedule, a shape or any other hyperparameter."""
    if isinstance(value, (js.Schedule, js.Shape)):
        name = value._rule.name
        inner = {k: twin(v) for k, v in value._values.items() if v is not None}
        if isinstance(value, js.Schedule):
            return getattr(reference, name)(**inner)
        return getattr(reference, name)(**inner) if inner else name
    if isinstance(value, (list, tuple)):
        return [twin(v) for v in value]
    if isinstance(value, (jax.Array, np.ndarray)):
        return np.asarray(value, np.float64).tolist()
    if hasattr(value, "array"):
        return list(value)
    return getattr(value, "function", value)


def recipe_twin(make: Callable[..., Any], kwargs: dict[str, Any]) -> Any:
    """The reference of a constructor's or a recipe's call."""
    return getattr(reference, make.__name__)(**{k: twin(v) for k, v in kwargs.items()})


def excess(
    values: Any, expected: np.ndarray, scale: float = 0.0
) -> tuple[float, float]:
    """The largest error in ulp, and the largest multiple of its allowance.

    Ten ulp, and where an exponent amplifies rounding 2 |log2(value / scale)| more.
    """
    values = np.asarray(values)
    tiny = float(np.finfo(values.dtype).tiny)
    normal = np.abs(expected) >= 2 * tiny
    if not normal.any():
        return 0.0, 0.0
    found, expected = values[normal].astype(np.float64), expected[normal]
    error = np.abs(found - expected)
    error = error / np.spacing(np.abs(expected).astype(values.dtype)).astype(np.float64)
    amplified = np.abs(np.log2(np.abs(expected) / scale)) if scale else 0.0
    return float(error.max()), float((error / (10 + 2 * amplified)).max())
