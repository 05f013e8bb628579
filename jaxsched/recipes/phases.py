"""Whole runs in named phases."""

from typing import Annotated

from jaxsched.combinators.sequence import cooldown, warmup
from jaxsched.domains import Steps, Value
from jaxsched.domains.choices import OneOf
from jaxsched.recipes.recipe import difference, recipe, rest_of
from jaxsched.rule import Refusal, known
from jaxsched.schedule import Schedule
from jaxsched.schedule.arguments import constant
from jaxsched.shapes import ShapeLike


@recipe
def wsd(
    peak_value: Value,
    total_steps: Steps,
    warmup_steps: Steps,
    decay_steps: Steps,
    end_value: Value = 0.0,
    *,
    shape: ShapeLike = "linear",
    init_value: Value | None = None,
) -> Schedule:
    """Warm-up, stable, decay: a trapezoid.

    Use it when the run may be made longer, or you want several lengths from one run.

    The stable part takes the steps that the ramp and the decay leave of `total_steps`.
    A run can be prolonged from any checkpoint in it: only the start of the decay moves.

    Formula: `cooldown(warmup(constant(peak_value), warmup_steps, init_value),
    total_steps - decay_steps, decay_steps, end_value, shape=shape)`. From `total_steps`
    on it is exactly `end_value`. Steps below 0 read as 0.

    Args:
      peak_value: The value of the stable part; differentiable.
      total_steps: Length of the whole in steps; differentiable if a float.
      warmup_steps: Length of the ramp in steps, >= 0; differentiable if a float.
      decay_steps: Length of the decay in steps, >= 0; differentiable if a float.
      end_value: The value at the end; differentiable.
      shape: The shape of the decay, or its name; see `transition`. "one_minus_sqrt" did
        best in the reference.
      init_value: The value at step 0, or None for peak_value / (warmup_steps + 1);
        differentiable.

    Raises:
      ValueError: The parts do not fit, a length is negative, a value not finite, or the
        shape unknown.

    Example:
      >>> import jaxsched as js
      >>> s = js.wsd(1.0, total_steps=100, warmup_steps=10, decay_steps=20)
      >>> s.at(10), s.at(79), s.at(90), s.at(100)
      (1.0, 1.0, 0.5, 0.0)

    Reference: Hu et al., "MiniCPM" (2024), arXiv:2404.06395, equation 1; Hägele et al.
    (2024), arXiv:2405.18392, equation 1.
    """
    difference(total_steps, warmup_steps=warmup_steps, decay_steps=decay_steps)
    stable = warmup(constant(peak_value), warmup_steps, init_value)
    begin = rest_of(total_steps, decay_steps=decay_steps)
    return cooldown(stable, begin, decay_steps, end_value, shape=shape)


@recipe
def one_cycle(
    peak_value: Value,
    total_steps: Steps,
    warmup_steps: Steps,
    *,
    init_value: Value | None = None,
    end_value: Value | None = None,
    shape: ShapeLike = "cosine",
    phases: Annotated[int, OneOf(2, 3)] = 2,
) -> Schedule:
    """Up to a peak and down far below the start: super-convergence.

    Use it when you train an image classifier with SGD at the highest rate that it bears.

    With two phases the way down takes all the remaining steps; with three it goes back
    to `init_value` in `warmup_steps`, and from there to `end_value`. `OneCycleLR` in
    PyTorch, whose defaults for the three values these are.

    Formula, with up = `warmup(constant(peak_value), warmup_steps, init_value,
    shape=shape)`, for two and for three phases:
    `cooldown(up, warmup_steps, total_steps - warmup_steps, end_value, shape=shape)`;
    `cooldown(cooldown(up, warmup_steps, warmup_steps, init_value, shape=shape),
    2 warmup_steps, total_steps - 2 warmup_steps, end_value, shape=shape)`. The way up
    goes to `peak_value`, also where it fills the run. From `total_steps` on it is exactly
    `end_value`. Steps below 0 read as 0.

    Args:
      peak_value: The value of the peak, or of the valley where the ends are higher (the
        momentum of a one-cycle run); differentiable.
      total_steps: Length of the whole in steps; differentiable if a float.
      warmup_steps: Length of the way up in steps, >= 0; differentiable if a float. PyTorch
        takes 30 % of the whole.
      init_value: The value at step 0, peak_value / 25 if not given; differentiable.
      end_value: The value at the end, init_value / 10,000 if not given; differentiable.
      shape: The shape of every phase, or its name; see `transition`.
      phases: 2 or 3. Static.

    Raises:
      ValueError: The parts do not fit, a length is negative, a value not finite, or the
        shape unknown.

    Example:
      >>> import jaxsched as js
      >>> s = js.one_cycle(1.0, total_steps=100, warmup_steps=30)
      >>> round(s.at(0), 4), s.at(30), round(s.at(100), 8)
      (0.04, 1.0, 4e-06)

    Reference: Smith, Topin, "Super-Convergence" (2018), arXiv:1708.07120, section 3.
    """
    init = peak_value / 25 if init_value is None else init_value
    end = init / 10_000 if end_value is None else end_value
    rest = rest_of(total_steps, warmup_steps=warmup_steps)
    above = warmup(constant(peak_value), warmup_steps, init, shape=shape)
    begin = warmup_steps
    if phases == 3:
        if known(rest) and known(warmup_steps) and rest < warmup_steps:
            raise Refusal(
                "2 * warmup_steps must be <= total_steps", "warmup_steps", "total_steps"
            )
        above = cooldown(above, begin, warmup_steps, init, shape=shape)
        rest = rest_of(rest, warmup_steps=warmup_steps)
        begin = difference(total_steps, rest=rest)
    return cooldown(above, begin, rest, end, shape=shape)


@recipe
def slanted_triangular(
    peak_value: Value,
    total_steps: Steps,
    warmup_steps: Steps,
    *,
    min_value: Value | None = None,
) -> Schedule:
    """A short straight ramp up and a long straight line down to where it began.

    Use it when you fine-tune a language model as ULMFiT did, layer by layer.

    ULMFiT's schedule for fine-tuning; its `cut_frac` of 0.1 is
    warmup_steps = 0.1 * total_steps.

    Formula: `cooldown(warmup(constant(peak_value), warmup_steps, min_value),
    warmup_steps, total_steps - warmup_steps, min_value)`. The ramp goes to `peak_value`,
    also where it fills the run. From `total_steps` on it is exactly `min_value`. Steps
    below 0 read as 0.

    Args:
      peak_value: The value of the peak, or of the valley where the ends are higher (the
        momentum of a one-cycle run); differentiable.
      total_steps: Length of the whole in steps; differentiable if a float.
      warmup_steps: Length of the ramp in steps, >= 0; differentiable if a float.
      min_value: The value at both ends, peak_value / 32 if not given; differentiable.

    Raises:
      ValueError: The ramp does not fit, a length is negative, or a value not finite.

    Example:
      >>> import jaxsched as js
      >>> s = js.slanted_triangular(3.2, total_steps=100, warmup_steps=10)
      >>> [round(s.at(t), 3) for t in (0, 10, 55, 100)]
      [0.1, 3.2, 1.65, 0.1]

    Reference: Howard, Ruder, "Universal Language Model Fine-tuning for Text
    Classification" (2018), arXiv:1801.06146, equation 3.
    """
    low = peak_value / 32 if min_value is None else min_value
    rest = rest_of(total_steps, warmup_steps=warmup_steps)
    ramp = warmup(constant(peak_value), warmup_steps, low)
    return cooldown(ramp, warmup_steps, rest, low)


@recipe
def flat_cosine(
    peak_value: Value,
    total_steps: Steps,
    decay_steps: Steps,
    end_value: Value = 0.0,
) -> Schedule:
    """Constant, then half a cosine down to the end of the run.

    Use it when you train in fastai's way, flat for most of the run.

    `fit_flat_cos` in fastai, where the decay is the last quarter.

    Formula: `cooldown(constant(peak_value), total_steps - decay_steps, decay_steps,
    end_value, shape="cosine")`. From `total_steps` on it is exactly `end_value`. Steps
    below 0 read as 0.

    Args:
      peak_value: The value of the flat part; differentiable.
      total_steps: Length of the whole in steps; differentiable if a float.
      decay_steps: Length of the decay in steps, >= 0; differentiable if a float.
      end_value: The value at the end; differentiable.

    Raises:
      ValueError: The decay does not fit, a length is negative, or a value not finite.

    Example:
      >>> import jaxsched as js
      >>> s = js.flat_cosine(1.0, total_steps=100, decay_steps=20)
      >>> [round(s.at(t), 4) for t in (79, 90, 100)]
      [1.0, 0.5, 0.0]

    Reference: Howard, Gugger, "fastai: A Layered API for Deep Learning" (2020),
    arXiv:2002.04688.
    """
    begin = rest_of(total_steps, decay_steps=decay_steps)
    flat = constant(peak_value)
    return cooldown(flat, begin, decay_steps, end_value, shape="cosine")
