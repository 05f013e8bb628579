"""Optax's schedules: the same names, signatures and edges, as values.

A drop-in replacement for `optax.schedules`: change the import. Every function returns an
ordinary schedule, and what that prints as is how to write it in this library's own words.

Where Optax raises on traced numbers these do not; what Optax decides by looking at a
number (a length that is not positive, a peak of 0) is decided for known numbers only.
Values that are not finite are refused, as are powers below 0, which have no end value.
"""

from jaxsched.compat.optax.decays import (
    constant_schedule,
    cosine_decay_schedule,
    exponential_decay,
    linear_schedule,
    polynomial_schedule,
)
from jaxsched.compat.optax.sequence import (
    join_schedules,
    sgdr_schedule,
    warmup_constant_schedule,
    warmup_cosine_decay_schedule,
    warmup_exponential_decay_schedule,
)
from jaxsched.compat.optax.tables import (
    cosine_onecycle_schedule,
    linear_onecycle_schedule,
    piecewise_constant_schedule,
    piecewise_interpolate_schedule,
)

__all__ = [
    "constant_schedule",
    "polynomial_schedule",
    "linear_schedule",
    "piecewise_constant_schedule",
    "piecewise_interpolate_schedule",
    "exponential_decay",
    "cosine_decay_schedule",
    "linear_onecycle_schedule",
    "cosine_onecycle_schedule",
    "warmup_constant_schedule",
    "warmup_cosine_decay_schedule",
    "warmup_exponential_decay_schedule",
    "sgdr_schedule",
    "join_schedules",
]
