"""Named compositions: plain functions over the other rooms, with checked arguments.

A recipe returns an ordinary schedule, and prints as what it is composed of. Every length
is one part's own; `total_steps` is the whole run. Parts that do not fit are refused.
"""

from collections.abc import Callable
from typing import Annotated, Any, ParamSpec

from jaxsched.combinators import cooldown, join, warmup
from jaxsched.decays import exponential_decay, inverse_sqrt_decay
from jaxsched.domains import Factor, Flag, OneOf, Period, Steps, Value, known
from jaxsched.progress import together
from jaxsched.rule import Refusal, Rule, constructor_of
from jaxsched.schedule import Schedule, is_array, schedules
from jaxsched.shapes import ShapeLike
from jaxsched.transitions import constant, cosine, linear, transition

P = ParamSpec("P")


def recipe(function: Callable[P, Schedule], /) -> Callable[P, Schedule]:
    """Turns a function that composes schedules into a recipe.

    Its arguments are annotated and checked like the hyperparameters of a schedule, errors
    name the recipe, and `parse` and `from_dict` find it by name. Raise `Refusal` for
    arguments that do not fit each other.

    Raises:
      TypeError: An argument has no domain.
      ValueError: The name is that of another schedule.

    >>> import jaxsched as js
    >>> @js.recipe
    ... def hill(peak_value: js.Value, steps: js.Steps):
    ...     return js.warmup(js.linear(peak_value, 0.0, steps), steps, init_value=0.0)
    >>> hill(1.0, steps=4).at(6)
    0.5
    """
    made = Rule(function, given=0)
    schedules.add(made)
    return constructor_of(made, lambda values: made.apply(function, values))


def _rest(total_steps: Any, **parts: Any) -> Any:
    """What the parts leave of the whole; refuses parts that are longer than it."""
    lengths = (total_steps, *parts.values())
    if any(is_array(length) for length in lengths):
        lengths = together(*lengths)  # narrow or unsigned integers would wrap
    rest = lengths[0] - sum(lengths[1:])
    if known(rest) and rest < 0:
        names = " + ".join(parts)
        raise Refusal(f"{names} must be <= total_steps", *parts, "total_steps")
    return rest


@recipe
def warmup_constant(
    peak_value: Value, warmup_steps: Steps, *, init_value: Value | None = None
) -> Schedule:
    """A ramp to a constant value.

    Formula: `warmup(constant(peak_value), warmup_steps, init_value)`. By default the ramp
    is peak_value (t + 1) / (warmup_steps + 1). Steps below 0 read as 0.

    Args:
      peak_value: The value after the ramp; differentiable.
      warmup_steps: Length of the ramp in steps, >= 0; differentiable if a float.
      init_value: The value at step 0, or None for the default; differentiable.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: A value is not finite, or `warmup_steps` negative.
      TypeError: An argument is not a real number.

    Example:
      >>> import jaxsched as js
      >>> js.warmup_constant(1.0, warmup_steps=4).at(3)
      0.800000011920929

    Reference: Goyal et al. (2017), arXiv:1706.02677, section 2.2.
    """
    return warmup(constant(peak_value), warmup_steps, init_value)


@recipe
def warmup_linear(
    peak_value: Value,
    total_steps: Steps,
    warmup_steps: Steps,
    end_value: Value = 0.0,
    *,
    init_value: Value | None = None,
) -> Schedule:
    """A ramp, then a straight line down to the end of the run.

    BERT's schedule; `linear` in Transformers.

    Formula: `warmup(linear(peak_value, end_value, total_steps - warmup_steps),
    warmup_steps, init_value)`. From `total_steps` on it is exactly `end_value`. Steps
    below 0 read as 0.

    Args:
      peak_value: The value after the ramp; differentiable.
      total_steps: Length of the whole in steps; differentiable if a float.
      warmup_steps: Length of the ramp in steps, from 0 to `total_steps`; differentiable
        if a float.
      end_value: The value at the end; differentiable.
      init_value: The value at step 0, or None for peak_value / (warmup_steps + 1);
        differentiable.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: The ramp does not fit, a length is negative, or a value not finite.
      TypeError: An argument is not a real number.

    Example:
      >>> import jaxsched as js
      >>> s = js.warmup_linear(1.0, total_steps=12, warmup_steps=4)
      >>> s.at(4), s.at(8), s.at(12)
      (1.0, 0.5, 0.0)

    Reference: Devlin et al., "BERT" (2019), arXiv:1810.04805, appendix A.2.
    """
    rest = _rest(total_steps, warmup_steps=warmup_steps)
    return warmup(linear(peak_value, end_value, rest), warmup_steps, init_value)


@recipe
def warmup_cosine(
    peak_value: Value,
    total_steps: Steps,
    warmup_steps: Steps,
    end_value: Value = 0.0,
    *,
    init_value: Value | None = None,
) -> Schedule:
    """A ramp, then half a cosine down to the end of the run.

    The usual schedule of large models. In Optax it is
    `warmup_cosine_decay_schedule(0.0, peak_value, warmup_steps, total_steps)`, whose
    `decay_steps` is our `total_steps`.

    Formula: `warmup(cosine(peak_value, end_value, total_steps - warmup_steps),
    warmup_steps, init_value)`. From `total_steps` on it is exactly `end_value`. Steps
    below 0 read as 0.

    Args:
      peak_value: The value after the ramp; differentiable.
      total_steps: Length of the whole in steps; differentiable if a float.
      warmup_steps: Length of the ramp in steps, from 0 to `total_steps`; differentiable
        if a float.
      end_value: The value at the end; differentiable.
      init_value: The value at step 0, or None for peak_value / (warmup_steps + 1);
        differentiable.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: The ramp does not fit, a length is negative, or a value not finite.
      TypeError: An argument is not a real number.

    Example:
      >>> import jaxsched as js
      >>> s = js.warmup_cosine(1.0, total_steps=12, warmup_steps=4)
      >>> s
      warmup(schedule=cosine(init_value=1.0, end_value=0.0, steps=8), steps=4)
      >>> [round(s.at(t), 4) for t in (4, 8, 12)]
      [1.0, 0.5, 0.0]

    Reference: Loshchilov, Hutter (2017), arXiv:1608.03983, equation 5, after the ramp of
    Goyal et al. (2017), arXiv:1706.02677.
    """
    rest = _rest(total_steps, warmup_steps=warmup_steps)
    return warmup(cosine(peak_value, end_value, rest), warmup_steps, init_value)


@recipe
def warmup_exponential(
    peak_value: Value,
    warmup_steps: Steps,
    factor: Factor,
    decay_steps: Period = 1,
    *,
    staircase: Flag = False,
    init_value: Value | None = None,
) -> Schedule:
    """A ramp, then an exponential decay without end.

    Formula: `warmup(exponential_decay(peak_value, factor, decay_steps, staircase),
    warmup_steps, init_value)`. For a floor put it into `clip`. Steps below 0 read as 0.

    Args:
      peak_value: The value after the ramp; differentiable.
      warmup_steps: Length of the ramp in steps, >= 0; differentiable if a float.
      factor: The factor per `decay_steps`, > 0; differentiable.
      decay_steps: The period of the factor in steps, > 0; differentiable if a float.
      staircase: Whether to decay in jumps. Static.
      init_value: The value at step 0, or None for peak_value / (warmup_steps + 1);
        differentiable.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: A number is out of bounds.
      TypeError: An argument is of the wrong kind.

    Example:
      >>> import jaxsched as js
      >>> s = js.warmup_exponential(1.0, warmup_steps=4, factor=0.5, decay_steps=10)
      >>> s.at(4), s.at(14)
      (1.0, 0.5)

    Reference: Tan, Le, "EfficientNet" (2019), arXiv:1905.11946, section 5.2.
    """
    decay = exponential_decay(peak_value, factor, decay_steps, staircase=staircase)
    return warmup(decay, warmup_steps, init_value)


@recipe
def warmup_inverse_sqrt(
    peak_value: Value,
    warmup_steps: Steps,
    timescale: Period | None = None,
    *,
    init_value: Value | None = None,
) -> Schedule:
    """A ramp, then the inverse square root of time without end.

    `inverse_sqrt` in Transformers and fairseq. With the default timescale it is
    peak_value sqrt(warmup_steps / t) after the ramp.

    Formula: `warmup(inverse_sqrt_decay(peak_value, timescale), warmup_steps,
    init_value)`. Steps below 0 read as 0.

    Args:
      peak_value: The value after the ramp; differentiable.
      warmup_steps: Length of the ramp in steps, >= 0; differentiable if a float.
      timescale: Steps after the ramp until the value has fallen to
        peak_value / sqrt(2), > 0; `warmup_steps` if not given. Differentiable if a float.
      init_value: The value at step 0, or None for peak_value / (warmup_steps + 1);
        differentiable.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: A number is out of bounds, or `timescale` is needed because
        `warmup_steps` is 0.
      TypeError: An argument is not a real number.

    Example:
      >>> import jaxsched as js
      >>> js.warmup_inverse_sqrt(1.0, warmup_steps=100).at(400)
      0.5

    Reference: Vaswani et al. (2017), arXiv:1706.03762, equation 3; Ott et al., "fairseq"
    (2019), arXiv:1904.01038.
    """
    if timescale is None:
        if known(warmup_steps) and warmup_steps == 0:
            raise Refusal(
                "timescale must be given when warmup_steps is 0",
                "timescale",
                "warmup_steps",
            )
        timescale = warmup_steps
    return warmup(inverse_sqrt_decay(peak_value, timescale), warmup_steps, init_value)


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

    The stable part is what the others leave of `total_steps`. A run can be prolonged
    from any checkpoint of it: only the begin of the decay moves.

    Formula: `cooldown(warmup(constant(peak_value), warmup_steps, init_value),
    total_steps - decay_steps, decay_steps, end_value, shape)`. From `total_steps` on it
    is exactly `end_value`. Steps below 0 read as 0.

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

    Returns:
      A `Schedule`.

    Raises:
      ValueError: The parts do not fit, a length is negative, a value not finite, or the
        shape unknown.
      TypeError: An argument is of the wrong kind.

    Example:
      >>> import jaxsched as js
      >>> s = js.wsd(1.0, total_steps=100, warmup_steps=10, decay_steps=20)
      >>> s.at(10), s.at(79), s.at(90), s.at(100)
      (1.0, 1.0, 0.5, 0.0)

    Reference: Hu et al., "MiniCPM" (2024), arXiv:2404.06395, equation 1; Hägele et al.
    (2024), arXiv:2405.18392, equation 1.
    """
    _rest(total_steps, warmup_steps=warmup_steps, decay_steps=decay_steps)
    stable = warmup(constant(peak_value), warmup_steps, init_value)
    begin = _rest(total_steps, decay_steps=decay_steps)
    return cooldown(stable, begin, decay_steps, end_value, shape)


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

    With two phases the way down takes all the remaining steps; with three it goes back
    to `init_value` in `warmup_steps`, and from there to `end_value`. `OneCycleLR` in
    PyTorch, whose defaults for the three values these are.

    Formula, for two and for three phases:
    `warmup(transition(peak_value, end_value, total_steps - warmup_steps, shape),
    warmup_steps, init_value, shape)`;
    `warmup(join([transition(peak_value, init_value, warmup_steps, shape),
    transition(init_value, end_value, total_steps - 2 warmup_steps, shape)],
    [warmup_steps]), warmup_steps, init_value, shape)`. From `total_steps` on it is
    exactly `end_value`. Steps below 0 read as 0.

    Args:
      peak_value: The highest value; differentiable.
      total_steps: Length of the whole in steps; differentiable if a float.
      warmup_steps: Length of the way up in steps, >= 0; differentiable if a float. PyTorch
        takes 30 % of the whole.
      init_value: The value at step 0, peak_value / 25 if not given; differentiable.
      end_value: The value at the end, init_value / 10,000 if not given; differentiable.
      shape: The shape of every phase, or its name; see `transition`.
      phases: 2 or 3. Static.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: The parts do not fit, a length is negative, a value not finite, or the
        shape unknown.
      TypeError: An argument is of the wrong kind.

    Example:
      >>> import jaxsched as js
      >>> s = js.one_cycle(1.0, total_steps=100, warmup_steps=30)
      >>> round(s.at(0), 4), s.at(30), round(s.at(100), 8)
      (0.04, 1.0, 4e-06)

    Reference: Smith, Topin, "Super-Convergence" (2018), arXiv:1708.07120, section 3.
    """
    init = peak_value / 25 if init_value is None else init_value  # type: ignore[operator]
    end = init / 10_000 if end_value is None else end_value  # type: ignore[operator]
    rest = _rest(total_steps, warmup_steps=warmup_steps)
    down = transition(peak_value, end, rest, shape)
    if phases == 3:
        if known(rest) and known(warmup_steps) and rest < warmup_steps:
            raise Refusal(
                "2 * warmup_steps must be <= total_steps", "warmup_steps", "total_steps"
            )
        back = transition(peak_value, init, warmup_steps, shape)
        out = transition(init, end, _rest(rest, warmup_steps=warmup_steps), shape)
        down = join([back, out], [warmup_steps])
    return warmup(down, warmup_steps, init, shape)


@recipe
def slanted_triangular(
    peak_value: Value,
    total_steps: Steps,
    warmup_steps: Steps,
    *,
    min_value: Value | None = None,
) -> Schedule:
    """A short straight ramp up and a long straight line down to where it began.

    ULMFiT's schedule for fine-tuning; its `cut_frac` of 0.1 is
    warmup_steps = 0.1 * total_steps.

    Formula: `warmup(linear(peak_value, min_value, total_steps - warmup_steps),
    warmup_steps, min_value)`. From `total_steps` on it is exactly `min_value`. Steps
    below 0 read as 0.

    Args:
      peak_value: The highest value; differentiable.
      total_steps: Length of the whole in steps; differentiable if a float.
      warmup_steps: Length of the ramp in steps, >= 0; differentiable if a float.
      min_value: The value at both ends, peak_value / 32 if not given; differentiable.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: The ramp does not fit, a length is negative, or a value not finite.
      TypeError: An argument is not a real number.

    Example:
      >>> import jaxsched as js
      >>> s = js.slanted_triangular(3.2, total_steps=100, warmup_steps=10)
      >>> [round(s.at(t), 3) for t in (0, 10, 55, 100)]
      [0.1, 3.2, 1.65, 0.1]

    Reference: Howard, Ruder, "Universal Language Model Fine-tuning for Text
    Classification" (2018), arXiv:1801.06146, equation 3.
    """
    low = peak_value / 32 if min_value is None else min_value  # type: ignore[operator]
    rest = _rest(total_steps, warmup_steps=warmup_steps)
    return warmup(linear(peak_value, low, rest), warmup_steps, low)


@recipe
def flat_cosine(
    peak_value: Value,
    total_steps: Steps,
    decay_steps: Steps,
    end_value: Value = 0.0,
) -> Schedule:
    """Constant, then half a cosine down to the end of the run.

    `fit_flat_cos` in fastai, where the decay is the last quarter.

    Formula: `cooldown(constant(peak_value), total_steps - decay_steps, decay_steps,
    end_value, "cosine")`. From `total_steps` on it is exactly `end_value`. Steps below 0
    read as 0.

    Args:
      peak_value: The value of the flat part; differentiable.
      total_steps: Length of the whole in steps; differentiable if a float.
      decay_steps: Length of the decay in steps, >= 0; differentiable if a float.
      end_value: The value at the end; differentiable.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: The decay does not fit, a length is negative, or a value not finite.
      TypeError: An argument is not a real number.

    Example:
      >>> import jaxsched as js
      >>> s = js.flat_cosine(1.0, total_steps=100, decay_steps=20)
      >>> [round(s.at(t), 4) for t in (79, 90, 100)]
      [1.0, 0.5, 0.0]

    Reference: Howard, Gugger, "fastai: A Layered API for Deep Learning" (2020),
    arXiv:2002.04688.
    """
    begin = _rest(total_steps, decay_steps=decay_steps)
    return cooldown(constant(peak_value), begin, decay_steps, end_value, "cosine")
