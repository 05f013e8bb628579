"""Warm-up, stable, decay."""

from typing import Annotated, Any

from jaxsched.combinators.limits import clip
from jaxsched.combinators.sequence import cooldown, join, warmup
from jaxsched.combinators.time import shift
from jaxsched.compat.arguments import AnyLength, Known, LastEpoch, LearningRate
from jaxsched.compat.lengths import at_least_1
from jaxsched.compat.peer import peer
from jaxsched.compat.transformers.cosines import waves
from jaxsched.domains import Steps, Value
from jaxsched.domains.choices import OneOf
from jaxsched.domains.numbers import surely
from jaxsched.rule import Refusal
from jaxsched.schedule import Schedule
from jaxsched.schedule.arguments import constant
from jaxsched.transitions import transition

# 1 - sqrt(1 - u) going up is the core's "sqrt", and 1 - sqrt(u) going down its other.
_WARMUPS = {"linear": "linear", "cosine": "cosine", "1-sqrt": "sqrt"}
_DECAYS = {"linear": "linear", "cosine": "cosine", "1-sqrt": "one_minus_sqrt"}


@peer
def get_wsd_schedule(
    lr: LearningRate,
    num_warmup_steps: Annotated[Steps, "The length of the ramp."],
    num_decay_steps: Steps,
    num_training_steps: AnyLength | None = None,
    num_stable_steps: AnyLength | None = None,
    warmup_type: Annotated[str, OneOf(*_WARMUPS)] = "linear",
    decay_type: Annotated[str, OneOf(*_DECAYS)] = "cosine",
    min_lr_ratio: Value = 0,
    num_cycles: Annotated[float, Known()] = 0.5,
    last_epoch: LastEpoch = -1,
) -> Schedule:
    """Warm-up, stable, decay; both ends are at `lr * min_lr_ratio`.

    Formula: `cooldown(warmup(constant(lr), num_warmup_steps, lr * min_lr_ratio,
    shape=shape), num_warmup_steps + num_stable_steps, num_decay_steps, lr * min_lr_ratio,
    shape=shape)`.

    Args:
      num_decay_steps: The length of the decay.
      num_training_steps: The length of the whole, from which that of the stable part
        follows.
      num_stable_steps: The length of the stable part, which goes before the other.
      warmup_type: "linear", "cosine" or "1-sqrt".
      decay_type: Likewise.
      min_lr_ratio: The first and the last rate as a part of `lr`.
      num_cycles: How many waves there are in a cosine decay.

    Example:
      >>> from jaxsched.compat import transformers
      >>> s = transformers.get_wsd_schedule(1.0, 4, 4, num_stable_steps=10)
      >>> [round(s.at(t), 4) for t in (0, 2, 4, 14, 16, 18)]
      [0.0, 0.5, 1.0, 1.0, 0.5, 0.0]
    """
    ramp: Any = num_warmup_steps
    stable: Any = num_stable_steps
    if stable is None:
        if num_training_steps is None:
            raise Refusal(
                "give num_training_steps or num_stable_steps",
                "num_training_steps",
                "num_stable_steps",
            )
        stable = num_training_steps - ramp - num_decay_steps
    low: Any = lr * min_lr_ratio
    begin = warmup(constant(lr), ramp, low, shape=_WARMUPS[warmup_type])
    if surely(low, lambda v: v < 0):
        begin = clip(begin, 0.0)
    shape = _DECAYS[decay_type]
    plain = decay_type != "cosine" or num_cycles == 0.5
    if (
        plain
        and not surely(low, lambda v: v < 0)
        and not surely(stable, lambda n: n < 0)
    ):
        return cooldown(begin, ramp + stable, num_decay_steps, low, shape=shape)
    if plain:
        decay = transition(lr, low, at_least_1(num_decay_steps), shape=shape)
    else:
        decay = waves(lr, low, num_decay_steps, num_cycles)
    if surely(low, lambda v: v < 0):
        decay = clip(decay, 0.0)
    return _in_turn(begin, decay, low, ramp, stable, num_decay_steps)


def _in_turn(
    begin: Schedule, decay: Schedule, low: Any, ramp: Any, stable: Any, steps: Any
) -> Schedule:
    """The parts one after another, where the decay may have begun within the ramp."""
    if surely(stable, lambda n: n < 0):
        decay, steps, stable = shift(decay, -stable), steps + stable, 0
    parts = [begin, decay, low]
    edges = [ramp + stable, ramp + stable + steps]
    if surely(steps, lambda n: n <= 0):  # nothing is left of the decay
        parts, edges = [begin, low], [ramp + stable]
    return join(parts, edges)
