"""docs/training_codes.md: every schedule on it is the library's formula, in float64."""

import re
from math import cos, exp, floor, log, pi, sin, sqrt
from pathlib import Path

import jax
import numpy as np
import pytest
from cases import thorough
from test_docs import python_blocks

import jaxsched as js

PAGE = Path(__file__).parents[1] / "docs" / "training_codes.md"
PEAK, LOW, TOTAL, RAMP, TAIL = 1e-3, 1e-4, 1000, 100, 200
STEPS = np.arange(2000)


def half_cosine(u):
    return (1 + cos(pi * min(u, 1.0))) / 2


def ramped(t, value, first=0.0, peak=PEAK):
    """A linear ramp from `first`, and from its end on another value."""
    return first + (peak - first) * t / RAMP if t < RAMP else value


def after(t):
    """The part of the run after the ramp that has passed."""
    return min((t - RAMP) / (TOTAL - RAMP), 1.0)


def megatron(t, decay):
    u = min((t - (TOTAL - TAIL)) / TAIL, 1.0)
    return ramped(t, LOW + (decay(u) if u > 0 else 1.0) * (PEAK - LOW))


def restarts(t, length, factor, limit=99):
    """(cycle, part of it) by counting."""
    for _ in range(limit):
        if t < length:
            return t / length
        t, length = t - length, length * factor
    return 1.0


def tri_stage(t):
    if t < RAMP:
        return 0.01 * PEAK + 0.99 * PEAK / RAMP * t
    if t < TOTAL - TAIL:
        return PEAK
    if t <= TOTAL:
        return PEAK * exp(log(0.01) / TAIL * (t - (TOTAL - TAIL)))
    return 0.01 * PEAK


def triangle(t):
    x = t % 200 / 100
    return LOW + (PEAK - LOW) * (x if x < 1 else 2 - x)


def olmo_cosine(t):
    return ramped(t, 0.1 * PEAK + 0.9 * PEAK * half_cosine(after(t)))


def olmo_cosine_linear(t):
    if t < TOTAL - TAIL:
        return olmo_cosine(t)
    return olmo_cosine(TOTAL - TAIL) * max(TOTAL - t, 0) / TAIL


def maxtext(t):
    if t >= TOTAL:
        return 0.0
    a = half_cosine((t - RAMP) / (TOTAL - RAMP - 1))
    return ramped(t, PEAK * a + 0.1 * PEAK * (1 - a))


def big_vision(t):
    value = PEAK / sqrt(1 + (max(t - RAMP, 0) + 50) / 400)
    return value * min(1, t / RAMP) * min(1, max(TOTAL - t, 0) / TAIL)


def t5x(t):
    return PEAK * min(1, t / RAMP) / sqrt(max(t, RAMP))


def log_ramp(t):
    return PEAK * min(log(t + 1) / log(RAMP), 1.0) if t < RAMP else PEAK


def one_cycle(t, first, peak, last):
    up = TOTAL // 4
    if t < up:
        return peak + (first - peak) * half_cosine(t / up)
    return last + (peak - last) * half_cosine((t - up) / (TOTAL - up))


def mm(t, value):
    """MMEngine's linear warm-up, at its end one step early."""
    start = 0.001
    return PEAK * (start + (1 - start) * t / (RAMP - 1)) if t < RAMP else value


N = 50  # updates in an epoch


def line(t, first, last, steps):
    """numpy.interp between two points."""
    return first + (last - first) * min(max(t / steps, 0.0), 1.0)


def linspaced(t, first, last):
    """An entry of numpy.linspace(first, PEAK, RAMP), then a cosine over the rest."""
    if t < RAMP:
        return first + (PEAK - first) * t / (RAMP - 1)
    return last + (PEAK - last) * half_cosine((t - RAMP) / (TOTAL - RAMP))


def nanochat(t):
    if t < RAMP:
        return PEAK * (t + 1) / RAMP
    if t <= TOTAL - TAIL:
        return PEAK
    progress = max(TOTAL - t, 0) / TAIL
    return PEAK * (progress + (1 - progress) * 0.05)


def nanochat_momentum(t):
    if t < 400:
        return 0.85 + 0.12 * t / 400
    return line(t - (TOTAL - TAIL), 0.97, 0.90, TAIL)


def torchtitan_older(t):
    """The factor of a step counted from 1, over one step more than there are."""
    if t < RAMP:
        return PEAK * (t + 1) / (RAMP + 1)
    if t < TOTAL - TAIL:
        return PEAK
    return line(t + 1 - (TOTAL - TAIL), PEAK, LOW, TAIL + 1)


def torchtitan_newer(t, decay):
    """With a virtual last step: the stable part is one step longer than the rest."""
    stable = TOTAL + 1 - RAMP - TAIL
    if t < RAMP:
        return PEAK * (t + 1) / RAMP
    if t < RAMP + stable:
        return PEAK
    progress = min((t + 1 - (RAMP + stable)) / TAIL, 1.0)
    return LOW + (PEAK - LOW) * decay(progress)


def wsds(t):
    """Periods of 500, the first with the ramp; a boundary belongs to what it ends."""
    if t < RAMP:
        return PEAK * t / RAMP
    if t >= 1000:
        return 0.0
    position = t if t <= 500 else t - 500
    return PEAK * min(500 - position, 100) / 100


def dino_rate(t):
    return linspaced(t, 0.0, 1e-6) if t < TOTAL else 1e-6


def modded_nanogpt(t):
    """The stage's rate, drawn to the last rate; 10 steps of extension."""
    scheduled = TOTAL - 10
    rate = 1.0 if t < 330 else 1.52 if t < 660 else 1.73
    begin = int(scheduled * (1 - 0.60))
    if t >= begin:
        u = min(1.0, (t - begin) / (scheduled - begin))
        rate = rate * (1 - u) + 0.15 * u
    return PEAK * rate


def modded_nanogpt_momentum(t):
    begin = TOTAL - 50
    if t < 300:
        return 0.85 + t / 300 * (0.95 - 0.85)
    if t > begin:
        return 0.95 - min((t - begin) / 50, 1.0) * (0.95 - 0.85)
    return 0.95


def timm_cosine(t, length, low, warmup, first, prefix=False):
    if t < warmup:
        return first + (PEAK - first) * t / warmup
    t = t - warmup if prefix else t
    return low + (PEAK - low) * half_cosine(t / length) if t < length else low


def mmdetection():
    """Each scheduler multiplies the rate that it finds, step after step."""
    first, length = 0.001, 500 - 1
    rates = [PEAK * first]
    for t in range(1, len(STEPS)):
        factor = 1.0
        if t < 500:
            factor += (1 - first) / (length * first + (t - 1) * (1 - first))
        if t in (8 * N, 11 * N):
            factor *= 0.1
        rates.append(rates[-1] * factor)
    return rates


def fairseq_cosine(t):
    if t < RAMP:
        return 1e-7 + t * ((PEAK - 1e-7) / RAMP)
    t, period, mult = t - RAMP, 300, 2
    i = floor(log(1 - t / period * (1 - mult), mult))
    t = t - (1 - mult**i) / (1 - mult) * period
    return 0.5**i * (LOW + (PEAK - LOW) * half_cosine(t / (mult**i * period)))


def yolo(t):
    """The rate of the epoch."""
    epochs = TOTAL // N
    return PEAK * ((1 - min(t // N, epochs) / epochs) * (1 - 0.01) + 0.01)


def yolo_run(first):
    """The loop over epochs and batches, with a scheduler set back by one."""
    rates, rate, counter = [], PEAK, -1
    for t in range(len(STEPS)):
        if t and t % N == 0:
            counter += 1
            rate = yolo(counter * N)
        if t <= RAMP:
            rate = np.interp(t, [0, RAMP], [first, yolo(t)])
        rates.append(rate)
    return rates


def detectron2(t, schedule):
    if t < RAMP:
        return PEAK / 1000 + (schedule(RAMP) - PEAK / 1000) * t / RAMP
    return schedule(t)


def openfold(t):
    if t <= RAMP:
        return PEAK * t / RAMP
    return PEAK * 0.95 ** ((t - 500) // 200 + 1) if t > 500 else PEAK


def mip_nerf(t):
    delay = 0.01 + 0.99 * sin(pi / 2 * min(t / RAMP, 1.0))
    u = min(t / TOTAL, 1.0)
    return delay * exp(log(PEAK) * (1 - u) + log(LOW) * u)


FORMULAS = {
    "ramp_to_w": lambda t: PEAK * min(t / RAMP, 1.0),
    "ramp_plus_one": lambda t: PEAK * min((t + 1) / (RAMP + 1), 1.0),
    "ramp_to_w_minus_1": lambda t: PEAK * min((t + 1) / RAMP, 1.0),
    "ramp_to_w_plus_1": lambda t: PEAK * min(t / (RAMP + 1), 1.0),
    "ramp_of_linspace": lambda t: linspaced(t, LOW, 0.0),
    "per_epoch": lambda t: LOW + (PEAK - LOW) * half_cosine(t // N / (TOTAL / N)),
    "per_fraction": lambda t: LOW + (PEAK - LOW) * half_cosine(t / TOTAL),
    "nanogpt": lambda t: (
        PEAK * (t + 1) / (RAMP + 1)
        if t < RAMP
        else LOW + (PEAK - LOW) * half_cosine(after(t))
    ),
    "nanochat": nanochat,
    "nanochat_momentum": nanochat_momentum,
    "nanochat_weight_decay": lambda t: 0.2 * half_cosine(t / TOTAL),
    "modded_nanogpt": modded_nanogpt,
    "modded_nanogpt_momentum": modded_nanogpt_momentum,
    "modded_nanogpt_2025": lambda t: line(t - 0.6 * TOTAL, PEAK, 0.1 * PEAK, 400),
    "modded_nanogpt_momentum_2025": lambda t: line(t, 0.85, 0.95, 300),
    "torchtitan_older": torchtitan_older,
    "torchtitan_newer": lambda t: torchtitan_newer(t, lambda u: 1 - u),
    "torchtitan_sqrt": lambda t: torchtitan_newer(t, lambda u: 1 - sqrt(u)),
    "nanotron_cosine": lambda t: ramped(t, LOW + (PEAK - LOW) * half_cosine(after(t))),
    "nanotron_wsd": lambda t: ramped(t, line(t - (TOTAL - TAIL), PEAK, LOW, TAIL)),
    "axolotl_quadratic": lambda t: (
        PEAK * (t / RAMP) ** 2 if t < RAMP else PEAK * half_cosine(after(t))
    ),
    "axolotl_constant": lambda t: ramped(
        t, LOW + (PEAK - LOW) * half_cosine((t - RAMP) / (800 - RAMP))
    ),
    "olmo_wsds": wsds,
    "dino_rate": dino_rate,
    "dino_weight_decay": lambda t: 0.4 + (0.04 - 0.4) * half_cosine(t / TOTAL),
    "dino_momentum": lambda t: 1 + (0.992 - 1) * half_cosine(t / TOTAL),
    "dino_temperature": lambda t: line(t, 0.04, 0.07, 299),
    "dino_last_layer": lambda t: 0.0 if t < 50 else dino_rate(t),
    "mae": lambda t: (
        PEAK * t / N / 2
        if t / N < 2
        else LOW + (PEAK - LOW) * half_cosine((t / N - 2) / (20 - 2))
    ),
    "convnext": lambda t: linspaced(t, 0.0, LOW),
    "deit_epochs": lambda t: timm_cosine(t, 20, 1e-5, 5, 1e-6),
    "deit": lambda t: timm_cosine(max(t // N - 1, 0), 20, 1e-5, 5, 1e-6),
    "swin": lambda t: timm_cosine(
        max(t - 1, 0), TOTAL - RAMP, 5e-6, RAMP, 5e-7, prefix=True
    ),
    "swin_2021": lambda t: timm_cosine(max(t - 1, 0), TOTAL, 5e-6, RAMP, 5e-7),
    "mmdetection": mmdetection().__getitem__,
    "detectron2_multistep": lambda t: detectron2(
        t, lambda t: PEAK * 0.1 ** ((t >= 600) + (t >= 900))
    ),
    "detectron2_cosine": lambda t: detectron2(
        t, lambda t: PEAK * half_cosine(t / TOTAL)
    ),
    "yolo_epochs": yolo,
    "yolo_ramp": lambda t: min(t / RAMP, 1.0),
    "yolo_late": lambda t: yolo(t + RAMP),
    "yolo_weights": yolo_run(0.0).__getitem__,
    "yolo_biases": yolo_run(0.1).__getitem__,
    "yolo_momentum": lambda t: line(t, 0.8, 0.937, RAMP),
    "fairseq_cosine": fairseq_cosine,
    "stable_diffusion": lambda t: line(t, 1e-6 * PEAK, PEAK, RAMP),
    "stable_diffusion_linear": lambda t: (
        line(t, 1e-6 * PEAK, PEAK, RAMP)
        if t < RAMP
        else LOW + (PEAK - LOW) * max(TOTAL - t, 0) / TOTAL
    ),
    "mip_nerf": mip_nerf,
    "whisper": lambda t: ramped(t, PEAK * (1 - after(t))),
    "openfold_decay": lambda t: PEAK * 0.95 ** ((t + 1) // 200 + 1),
    "openfold": openfold,
    "purejaxrl": lambda t: PEAK * max(1 - t // (4 * 4) / (TOTAL // 4 // 4), 0),
    "composer_cosine": lambda t: ramped(t, LOW + (PEAK - LOW) * half_cosine(after(t))),
    "composer_linear": lambda t: ramped(t, LOW + (PEAK - LOW) * (1 - after(t))),
    "composer_multistep": lambda t: PEAK * 0.1 ** ((t >= 500) + (t >= 800)),
    "composer_exponential": lambda t: PEAK * 0.9 ** (t / 125),
    "composer_restarts": lambda t: (
        LOW + (PEAK - LOW) * half_cosine(restarts(t, 140, 2))
    ),
    "composer_ssr": lambda t: LOW + (PEAK - LOW) * half_cosine(t / 500),
    "t5x_constant": lambda t: PEAK,
    "t5x_linear_warmup": lambda t: min(1, t / RAMP),
    "t5x_rsqrt_decay": lambda t: 1 / sqrt(max(t, RAMP)),
    "t5x_product": t5x,
    "t5x_normalized": lambda t: PEAK * min(1, t / RAMP) * sqrt(RAMP / max(t, RAMP)),
    "t5x_decay_every": lambda t: PEAK * 0.5 ** (t // 200),
    "t5x_floor": lambda t: max(t5x(t), 1e-5),
    "fairseq_tri_stage": tri_stage,
    "fairseq_inverse_sqrt": lambda t: ramped(
        t, PEAK * sqrt(RAMP) / sqrt(max(t, 1)), 1e-7
    ),
    "fairseq_polynomial": lambda t: ramped(t, LOW + (PEAK - LOW) * (1 - after(t)) ** 2),
    "fairseq_triangular": triangle,
    "megatron_linear": lambda t: megatron(t, lambda u: 1 - u),
    "megatron_cosine": lambda t: megatron(t, half_cosine),
    "megatron_exponential": lambda t: megatron(t, lambda u: 2 * 0.5**u - 1),
    "megatron_minus_sqrt": lambda t: megatron(t, lambda u: 1 - sqrt(u)),
    "megatron_inverse_sqrt": lambda t: (
        LOW if t > TOTAL else ramped(t, max(LOW, PEAK * sqrt(RAMP) / sqrt(max(t, 1))))
    ),
    "olmo_cosine": olmo_cosine,
    "olmo_cosine_linear": olmo_cosine_linear,
    "olmo_wsd": lambda t: ramped(t, PEAK * min(max(TOTAL - t, 0), TAIL) / TAIL),
    "olmo_inverse_sqrt": lambda t: ramped(
        t, 0.1 * PEAK + 0.9 * PEAK * sqrt(RAMP / max(t, 1))
    ),
    "levanter_cosine": olmo_cosine,
    "levanter_inv_sqrt": lambda t: ramped(
        t, max(LOW, PEAK * min(1, sqrt(400 / max(t, 1))))
    ),
    "levanter_cycles": lambda t: PEAK + (LOW - PEAK) * (t % 250) / 250,
    "maxtext_cosine": maxtext,
    "big_vision_rsqrt": big_vision,
    "big_vision_cosine": lambda t: ramped(t, PEAK * half_cosine(after(t))),
    "mmengine_linear": lambda t: mm(min(t, RAMP - 1), PEAK),
    "mmengine_poly": lambda t: mm(
        t,
        LOW + (PEAK - LOW) * (1 - min(max(t - RAMP, 0) / (TOTAL - RAMP - 1), 1)) ** 0.9,
    ),
    "mmengine_cosine": lambda t: mm(t, LOW + (PEAK - LOW) * half_cosine(after(t))),
    "mmengine_multistep": lambda t: PEAK * 0.1 ** ((t >= 600) + (t >= 900)),
    "mlx_join": lambda t: ramped(t, PEAK * half_cosine((t - RAMP) / TAIL)),
    "mlx_step_decay": lambda t: PEAK * 0.9 ** (t // 10),
    "mlx_exponential_decay": lambda t: PEAK * 0.999**t,
    "deepspeed_warmup": log_ramp,
    "deepspeed_warmup_decay": lambda t: (
        log_ramp(t) if t < RAMP else PEAK * max(0, TOTAL - t) / (TOTAL - RAMP)
    ),
    "deepspeed_warmup_cosine": lambda t: ramped(
        t,
        PEAK * (1e-4 + (1 - 1e-4) * half_cosine((t - RAMP + 1) / (TOTAL - RAMP))),
    ),
    "deepspeed_range_test": lambda t: PEAK * (1 + t / 200),
    "fastai_one_cycle": lambda t: one_cycle(t, PEAK / 25, PEAK, PEAK / 1e5),
    "fastai_momentum": lambda t: one_cycle(t, 0.95, 0.85, 0.95),
    "fastai_flat_cos": lambda t: (
        PEAK
        if t < 750
        else PEAK / 1e5 + (PEAK - PEAK / 1e5) * half_cosine((t - 750) / 250)
    ),
    "fastai_sgdr": lambda t: PEAK * half_cosine(restarts(t, 140, 2, 3)),
    "fastai_lr_find": lambda t: 1e-7 * 1e8 ** min(t / 100, 1),
}


@pytest.fixture
def page(only_package_rules):
    """The names that the page defines."""
    names = {"__name__": "__main__"}
    exec(compile(python_blocks(PAGE.read_text("utf-8")), str(PAGE), "exec"), names)
    return names


def test_every_schedule_of_the_page_is_compared(page):
    schedules = {k for k, v in page.items() if isinstance(v, js.Schedule)}
    assert schedules == FORMULAS.keys()


def test_every_library_is_there():
    """Each section of the page has a schedule that is compared."""
    _, *sections = re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.M)
    for section in sections:
        made = re.findall(r"^(\w+) = ", section, re.M)
        assert FORMULAS.keys() & made, section


@pytest.mark.parametrize("name", thorough(FORMULAS, [*FORMULAS][::2]))
def test_equal_to_the_formula(name, page):
    """Within a few roundings of float32, of the largest value."""
    expected = np.array([FORMULAS[name](int(t)) for t in STEPS])
    with jax.numpy_dtype_promotion("standard"):  # in the rules of the page
        found = page[name].at(STEPS)
    np.testing.assert_allclose(found, expected, rtol=2e-6, atol=1e-6 * expected.max())
