"""following_weight_decay: a weight decay for a rate that moves."""

from typing import Annotated

from jaxsched.arrays import Numeric
from jaxsched.combinators.limits import maximum
from jaxsched.domains.choices import OneOf
from jaxsched.domains.numbers import Number
from jaxsched.rule import admitted
from jaxsched.schedule import Inner, Schedule, ScheduleLike
from jaxsched.schedule.arguments import constant

_POWERS = {"nothing": 0, "rate": 1, "square": 2}

# Where the rate is less than that part of its peak, "nothing" decays nothing.
_SMALL = 1e-6


def following_weight_decay(
    schedule: ScheduleLike,
    weight_decay: Numeric,
    peak_value: Numeric,
    *,
    follows: Annotated[str, OneOf(*_POWERS)] = "square",
) -> Schedule:
    """The coefficient of AdamW that makes its decay follow a power of the rate.

    `optax.adamw` multiplies the weights by 1 - rate * weight_decay at each update: with a
    constant coefficient the decay follows the rate, "rate". "nothing" makes it constant,
    whatever the rate does; "square" makes it fall with the square of the rate, which
    takes away the late rise of gradient norms under a decaying rate.

    Formula, for the power p of "nothing" (0), "rate" (1) and "square" (2), at which the
    decay is weight_decay peak_value (schedule / peak_value)^p:

        weight_decay (schedule(t) / peak_value)^(p - 1)

    Args:
      schedule: The learning rate: a schedule, a number or a callable of the step, >= 0.
      weight_decay: The coefficient at the peak, >= 0; differentiable.
      peak_value: The peak of the schedule, > 0; differentiable.
      follows: "nothing", "rate" or "square".

    Returns:
      A `Schedule`, for `optax.adamw(schedule, weight_decay=...)`.

    >>> import jaxsched as js
    >>> rate = js.linear(0.1, 0.0, 10)
    >>> js.planning.following_weight_decay(rate, 0.5, 0.1).at(5)
    0.25
    >>> round(
    ...     js.planning.following_weight_decay(rate, 0.5, 0.1, follows="nothing").at(5), 6
    ... )
    1.0

    Reference: Defazio (2025), arXiv:2506.02285, for the square; arXiv:2512.08217.
    """
    name = "following_weight_decay"
    inner = admitted(name, "schedule", schedule, Inner())
    decay = admitted(name, "weight_decay", weight_decay, Number(least=0))
    peak = admitted(name, "peak_value", peak_value, Number(above=0))
    kind = admitted(name, "follows", follows, OneOf(*_POWERS))
    if kind == "rate":
        return constant(decay)
    if kind == "square":
        return decay / peak * inner
    # A rate of 0 decays nothing, instead of infinity times 0.
    return decay * peak / maximum(inner, _SMALL * peak)
