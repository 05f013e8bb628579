"""A warm-up, then one decay."""

from jaxsched.combinators.sequence import cooldown, warmup
from jaxsched.decays.exponential import exponential_decay
from jaxsched.decays.power import inverse_sqrt_decay
from jaxsched.domains import Factor, Flag, Period, Steps, Value
from jaxsched.recipes.recipe import recipe, rest_of
from jaxsched.rule import Refusal, known
from jaxsched.schedule import Schedule
from jaxsched.schedule.arguments import constant


@recipe
def warmup_constant(
    peak_value: Value, warmup_steps: Steps, *, init_value: Value | None = None
) -> Schedule:
    """A ramp to a constant value.

    Use it when the length of the run is open; end it with a `cooldown`.

    Formula: `warmup(constant(peak_value), warmup_steps, init_value)`. By default the ramp
    is peak_value (t + 1) / (warmup_steps + 1). Steps below 0 read as 0.

    Args:
      peak_value: The value after the ramp; differentiable.
      warmup_steps: Length of the ramp in steps, >= 0; differentiable if a float.
      init_value: The value at step 0, or None for the default; differentiable.

    Raises:
      ValueError: A value is not finite, or `warmup_steps` negative.

    Example:
      >>> import jaxsched as js
      >>> js.warmup_constant(1.0, warmup_steps=4).at(3)
      0.8

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

    Use it when you fine-tune, or pretrain for a known number of steps: the one to take if
    in doubt.

    BERT's schedule; `linear` in Transformers.

    Formula: `cooldown(warmup(constant(peak_value), warmup_steps, init_value),
    warmup_steps, total_steps - warmup_steps, end_value)`. The ramp goes to
    `peak_value`, also where it fills the run. From `total_steps` on it is exactly
    `end_value`. Steps below 0 read as 0.

    Args:
      peak_value: The value after the ramp; differentiable.
      total_steps: Length of the whole in steps; differentiable if a float.
      warmup_steps: Length of the ramp in steps, from 0 to `total_steps`; differentiable
        if a float.
      end_value: The value at the end; differentiable.
      init_value: The value at step 0, or None for peak_value / (warmup_steps + 1);
        differentiable.

    Raises:
      ValueError: The ramp does not fit, a length is negative, or a value not finite.

    Example:
      >>> import jaxsched as js
      >>> s = js.warmup_linear(1.0, total_steps=12, warmup_steps=4)
      >>> s.at(4), s.at(8), s.at(12)
      (1.0, 0.5, 0.0)

    Reference: Devlin et al., "BERT" (2019), arXiv:1810.04805, appendix A.2.
    """
    rest = rest_of(total_steps, warmup_steps=warmup_steps)
    ramp = warmup(constant(peak_value), warmup_steps, init_value)
    return cooldown(ramp, warmup_steps, rest, end_value)


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

    Use it when you pretrain for a known number of steps as most published models did.

    The usual schedule of large models. In Optax it is
    `warmup_cosine_decay_schedule(0.0, peak_value, warmup_steps, total_steps)`, whose
    `decay_steps` is our `total_steps`.

    Formula: `cooldown(warmup(constant(peak_value), warmup_steps, init_value),
    warmup_steps, total_steps - warmup_steps, end_value, shape="cosine")`. The ramp goes to
    `peak_value`, also where it fills the run. From `total_steps` on it is exactly
    `end_value`. Steps below 0 read as 0.

    Args:
      peak_value: The value after the ramp; differentiable.
      total_steps: Length of the whole in steps; differentiable if a float.
      warmup_steps: Length of the ramp in steps, from 0 to `total_steps`; differentiable
        if a float.
      end_value: The value at the end; differentiable.
      init_value: The value at step 0, or None for peak_value / (warmup_steps + 1);
        differentiable.

    Raises:
      ValueError: The ramp does not fit, a length is negative, or a value not finite.

    Example:
      >>> import jaxsched as js
      >>> s = js.warmup_cosine(1.0, total_steps=12, warmup_steps=4)
      >>> s
      cooldown(schedule=warmup(schedule=constant(value=1.0), steps=4), begin=4,
               steps=8, shape='cosine')
      >>> [round(s.at(t), 4) for t in (4, 8, 12)]
      [1.0, 0.5, 0.0]

    Reference: Loshchilov, Hutter (2017), arXiv:1608.03983, equation 5, after the ramp of
    Goyal et al. (2017), arXiv:1706.02677.
    """
    rest = rest_of(total_steps, warmup_steps=warmup_steps)
    ramp = warmup(constant(peak_value), warmup_steps, init_value)
    return cooldown(ramp, warmup_steps, rest, end_value, shape="cosine")


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

    Use it when you reproduce EfficientNet or a recipe like it.

    Formula: `warmup(exponential_decay(peak_value, factor, decay_steps,
    staircase=staircase), warmup_steps, init_value)`. For a floor put it into `clip`.
    Steps below 0 read as 0.

    Args:
      peak_value: The value after the ramp; differentiable.
      warmup_steps: Length of the ramp in steps, >= 0; differentiable if a float.
      factor: The factor per `decay_steps`, > 0; differentiable.
      decay_steps: The period of the factor in steps, >= 1; differentiable if a float.
      staircase: Whether to decay in jumps. Static.
      init_value: The value at step 0, or None for peak_value / (warmup_steps + 1);
        differentiable.

    Raises:
      ValueError: A number is out of bounds.

    Example:
      >>> import jaxsched as js
      >>> s = js.warmup_exponential(1.0, warmup_steps=4, factor=0.5, decay_steps=10)
      >>> s.at(4), round(s.at(14), 4)
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

    Use it when you train a Transformer for an unknown time.

    `inverse_sqrt` in Transformers and fairseq. With the default timescale it is
    peak_value sqrt(warmup_steps / t) after the ramp.

    Formula: `warmup(inverse_sqrt_decay(peak_value, timescale), warmup_steps,
    init_value)`. Steps below 0 read as 0.

    Args:
      peak_value: The value after the ramp; differentiable.
      warmup_steps: Length of the ramp in steps, >= 0; differentiable if a float.
      timescale: Steps after the ramp until the value has fallen to
        peak_value / sqrt(2), >= 1; `warmup_steps` if not given. Differentiable if a float.
      init_value: The value at step 0, or None for peak_value / (warmup_steps + 1);
        differentiable.

    Raises:
      ValueError: A number is out of bounds, or `timescale` is needed because
        `warmup_steps` is 0.

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
