"""Metric-driven schedules for the tests: every kind, with every option somewhere."""

import jax.numpy as jnp

import jaxsched as js

COSINE = js.warmup_cosine(0.5, total_steps=60, warmup_steps=8)

DRIVEN: list[js.MetricDriven] = [
    js.reduce_on_plateau(0.5),
    js.reduce_on_plateau(COSINE, factor=0.5, patience=2, window=3, min_value=0.01),
    js.reduce_on_plateau(
        COSINE, 0.5, 1, threshold=0.25, threshold_mode="abs", mode="max", cooldown=2
    ),
    js.reduce_on_plateau(jnp.float32(0.5), patience=0, threshold_mode="magnitude"),
    js.greedy(0.5, factor=0.5, patience=1),
    js.greedy(COSINE, 0.75, 0, cooldown=1, warmup=1, min_value=0.125, max_value=0.75),
    js.greedy(0.5, 0.5, 0, min_value=0.25, reset_after=3, window=2),
    js.back_off_on_spike(0.5, window=4, hold_steps=3, recover_steps=5),
    js.back_off_on_spike(
        COSINE,
        0.25,
        threshold=2.0,
        hold_steps=0,
        recover_steps=6,
        window=3,
        shape="cosine",
    ),
    js.cooldown_on_trigger(COSINE, steps=10),
    js.cooldown_on_trigger(
        COSINE, 10, 0.01, shape="one_minus_sqrt", patience=2, window=2, threshold=0.0
    ),
    js.kl_adaptive(0.005, target=2.0, band=1.25),
    js.kl_adaptive(COSINE, 1.5, factor=2.0, band=1.1, min_value=0.125, max_value=0.75),
    js.planning.loss_warmup(0.5, peak_loss=2.0),
    js.planning.loss_warmup(COSINE, 1.5, least_loss=0.5, first_factor=4.0),
    js.reduce_on_plateau(js.back_off_on_spike(COSINE, window=4), patience=3),
    js.cooldown_on_trigger(js.greedy(0.5, 0.5, 0), steps=6, patience=4),
]
IDS = [f"{i}-{d._rule.name}" for i, d in enumerate(DRIVEN)]
