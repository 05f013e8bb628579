"""Optax: the grid of settings, and Optax's own values."""

from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp
from tables import STEPS, settings

PACKAGE = "optax"
DOUBLE = True  # with 64-bit floats enabled

LENGTHS = (10, 0, 1, 2, 7, 40, -3, 60, 2**31 - 1)
VALUES = (1.0, 0.1, 0.0, -2.0, 3)
SCALES = (
    "{5: 0.5, 20: 0.1}",
    "None",
    "{}",
    "{0: 0.5}",
    "{0: 0.5, 1: 0.25, 2: 4.0}",
    "{-5: 0.5, 10: 0.3}",
    "{-7: 2.0, -5: 0.5, 10: 0.3}",
    "{30: 0.1, 10: 0.3}",
    "{10: 0.0, 20: 0.5}",
    "{3: 0.5, 4: 0.5, 5: 0.5, 6: 2.0, 40: 1}",
    "{3: -0.5}",
    "{70: 0.5}",
)
CYCLE = "dict(init_value=0.0, peak_value=1.0, warmup_steps=3, decay_steps=12)"
LOWER = "dict(init_value=0.1, peak_value=0.5, warmup_steps=0, decay_steps=20)"
BENT = (
    "dict(init_value=0.2, peak_value=0.7, warmup_steps=5, decay_steps=9, "
    "end_value=0.1, exponent=2.0)"
)
RAMP = "linear_schedule(0.0, 1.0, 5)"
FALL = "cosine_decay_schedule(1.0, 10)"
DECAY = "exponential_decay(1.0, 10, 0.5)"

SETTINGS = [
    *settings("constant_schedule", 6, value=[1.0, 0.1, 0.0, -2.0, 3, 1e-8]),
    *settings(
        "polynomial_schedule",
        50,
        init_value=VALUES,
        end_value=[0.0, 0.1, 1.0, 2.0, -1.0],
        power=[1, 2, 0.5, 0, 3.7],
        transition_steps=LENGTHS,
        transition_begin=[0, 5, -3, 30],
    ),
    *settings(
        "linear_schedule",
        30,
        init_value=VALUES,
        end_value=[0.0, 0.1, 1.0, -1.0],
        transition_steps=LENGTHS,
        transition_begin=[0, 5, -3, 30],
    ),
    *settings(
        "piecewise_constant_schedule",
        20,
        init_value=[1.0, 0.1, -2.0],
        boundaries_and_scales=SCALES,
    ),
    *settings(
        "piecewise_interpolate_schedule",
        30,
        interpolate_type=["'linear'", "'cosine'", "'cos'"],
        init_value=[1.0, 0.1, -2.0],
        boundaries_and_scales=SCALES,
    ),
    *settings(
        "exponential_decay",
        60,
        init_value=[1.0, 0.1, -2.0],
        transition_steps=LENGTHS,
        decay_rate=[0.5, 0.1, 0.99, 1.0, 1.5, 0.0],
        transition_begin=[0, 5, -3, 30],
        staircase=[False, True],
        end_value=[None, 0.3, 0.0, 5.0],
    ),
    *settings(
        "cosine_decay_schedule",
        30,
        init_value=VALUES,
        decay_steps=LENGTHS,
        alpha=[0.0, 0.1, 1.0, 2.0],
        exponent=[1.0, 2.0, 0.5, 0.0],
    ),
    *settings(
        "linear_onecycle_schedule",
        40,
        transition_steps=[40, 0, 1, 2, 3, 4, 7, 50, -3],
        peak_value=[1.0, 0.1],
        pct_start=[0.3, 0.0, 0.5, 0.9],
        pct_final=[0.85, 0.5, 1.0, 0.3],
        div_factor=[25.0, 1.0, 2.0],
        final_div_factor=[1e4, 1.0, 10.0],
    ),
    *settings(
        "cosine_onecycle_schedule",
        30,
        transition_steps=[40, 0, 1, 2, 3, 4, 7, 50, -3],
        peak_value=[1.0, 0.1],
        pct_start=[0.3, 0.0, 0.5, 1.0],
        div_factor=[25.0, 1.0, 2.0],
        final_div_factor=[1e4, 1.0, 10.0],
    ),
    *settings(
        "warmup_constant_schedule",
        12,
        init_value=[0.0, 0.1, 1.0],
        peak_value=[1.0, 0.0],
        warmup_steps=[10, 0, 1, -3, 50],
    ),
    *settings(
        "warmup_cosine_decay_schedule",
        40,
        init_value=[0.0, 0.1, 2.0],
        peak_value=[1.0, 0.0, 0.3],
        warmup_steps=[10, 0, 1, 40, -3],
        decay_steps=[40, 11, 10, 2, 60],
        end_value=[0.0, 0.1, 1.5],
        exponent=[1.0, 2.0, 0.5, 0.0],
    ),
    *settings(
        "warmup_exponential_decay_schedule",
        40,
        init_value=[0.0, 0.1, 2.0],
        peak_value=[1.0, 0.3],
        warmup_steps=[10, 0, 1, 40, -3],
        transition_steps=[10, 1, 0, 7],
        decay_rate=[0.5, 0.9, 1.0, 1.1, 0.0],
        transition_begin=[0, 5, -3],
        staircase=[False, True],
        end_value=[None, 0.2, 0.7, 3.0],
    ),
    *settings(
        "sgdr_schedule",
        6,
        cosine_kwargs=[
            f"[{CYCLE}, {LOWER}]",
            f"[{CYCLE}]",
            f"[{CYCLE}, {BENT}, {LOWER}]",
            f"[{LOWER}, {LOWER}, {LOWER}]",
            f"[{BENT}, {CYCLE}, {BENT}, {CYCLE}]",
            f"({CYCLE},)",
        ],
    ),
    *settings(
        "join_schedules",
        18,
        schedules=[f"[{RAMP}, {FALL}]", f"[{RAMP}, {FALL}, {DECAY}]", f"[{FALL}]"],
        boundaries=["[5]", "[5, 20]", "[0, 1]", "[20, 5]", "[-3, 10]", "[]", "[5, 5]"],
    ),
]


def original(name: str) -> Any:
    """The function whose signature ours has."""
    import optax

    return getattr(optax.schedules, name)


def real(setting: str) -> Iterable[Any]:
    """What Optax returns at all steps."""
    import optax

    with (
        jax.numpy_dtype_promotion("standard"),
        jax.numpy_rank_promotion("allow"),
        jax.debug_nans(False),
    ):
        schedule = eval(setting, vars(optax.schedules).copy())
        return jax.vmap(lambda step: jnp.asarray(schedule(step)))(jnp.asarray(STEPS))
