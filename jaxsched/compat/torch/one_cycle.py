"""OneCycleLR: up to a peak and far down, once."""

from typing import Annotated, Any

from jaxsched.combinators.sequence import join
from jaxsched.combinators.time import shift
from jaxsched.compat.arguments import LastEpoch, LearningRate, WholeSteps
from jaxsched.compat.lengths import of_any_length, whole
from jaxsched.compat.torch.momentum import DrivesMomentum, refuse_no_momentum
from jaxsched.domains import Factor, Flag, Value
from jaxsched.domains.choices import OneOf
from jaxsched.domains.numbers import Number
from jaxsched.recipes.phases import one_cycle
from jaxsched.rule import Refusal
from jaxsched.schedule import Schedule
from jaxsched.transitions import transition


class FloatFraction(Number):
    """A part of the run: PyTorch takes floats only, lest 1 be a number of steps."""

    def admit(self, value: Any) -> Any:
        if not isinstance(value, float):
            raise TypeError("must be a float")
        return super().admit(value)


@DrivesMomentum
def OneCycleLR(
    momentum: bool,
    lr: LearningRate,
    max_lr: Value,
    total_steps: WholeSteps | None = None,
    epochs: WholeSteps | None = None,
    steps_per_epoch: WholeSteps | None = None,
    pct_start: Annotated[float, FloatFraction(least=0, most=1)] = 0.3,
    anneal_strategy: Annotated[str, OneOf("cos", "linear")] = "cos",
    cycle_momentum: Flag = True,
    base_momentum: Value = 0.85,
    max_momentum: Value = 0.95,
    div_factor: Factor = 25.0,
    final_div_factor: Factor = 1e4,
    three_phase: Flag = False,
    last_epoch: LastEpoch = -1,
) -> Schedule:
    """Up to a peak and far down: `one_cycle`, ending one step before `total_steps`.

    Formula: `one_cycle(max_lr, total_steps - 1, pct_start * total_steps - 1,
    init_value=max_lr / div_factor, end_value=max_lr / div_factor / final_div_factor)`:
    PyTorch reaches the peak at step pct_start * total_steps - 1 and the end at step
    total_steps - 1, the last update of the run. `OneCycleLR.momentum`, with the same
    arguments, goes from `max_momentum` down to `base_momentum` and back.

    From that step on the value stays. PyTorch goes past its end at one step,
    total_steps, where the cosine has begun to rise and the line is below its end; then
    it raises.

    Args:
      lr: Not used: PyTorch overwrites the optimizer's rate.
      max_lr: The peak.
      total_steps: The length of the run, a whole number > 0.
      epochs: With `steps_per_epoch`, another way to say it.
      steps_per_epoch: Steps in an epoch.
      pct_start: The part of the run that goes up, a float from 0 to 1.
      anneal_strategy: "cos" or "linear".
      cycle_momentum: Whether there is a momentum to drive.
      base_momentum: The momentum at the peak.
      max_momentum: The momentum at both ends.
      div_factor: The peak divided by the first value.
      final_div_factor: The first value divided by the last.
      three_phase: Whether to go down as long as up, and then out.

    Example:
      >>> from jaxsched.compat import torch
      >>> s = torch.OneCycleLR(0.1, max_lr=1.0, total_steps=100)
      >>> round(s.at(0), 4), s.at(29), round(s.at(99), 8)
      (0.04, 1.0, 4e-06)
      >>> m = torch.OneCycleLR.momentum(0.1, max_lr=1.0, total_steps=100)
      >>> round(m.at(0), 4), round(m.at(29), 4), round(m.at(99), 4)
      (0.95, 0.85, 0.95)
    """
    if total_steps is None:
        if epochs is None or steps_per_epoch is None:
            raise Refusal(
                "give total_steps, or epochs and steps_per_epoch", "total_steps"
            )
        total_steps = epochs * steps_per_epoch
    up = whole(pct_start * total_steps - 1)
    if up == 0:
        raise Refusal(
            "pct_start * total_steps must not be 1, for the rise takes one step less",
            "pct_start",
        )
    init: Any = max_lr / div_factor
    values = init, max_lr, init / final_div_factor
    if momentum:
        refuse_no_momentum(cycle_momentum)
        values = max_momentum, base_momentum, max_momentum
    shape = "cosine" if anneal_strategy == "cos" else "linear"
    return phases_of(values, total_steps - 1, up, shape, 3 if three_phase else 2)


def phases_of(
    values: tuple[Any, Any, Any], last: int, up: float, shape: str, phases: int
) -> Schedule:
    """The run from its first value over its peak, at step `up`, to its last step."""
    make = lambda last, up: _phases(values, last, up, shape, phases)
    parts = (last - up,) if phases == 2 else (last - up, last - 2 * up)
    return of_any_length(make, last, up, parts=parts)


def _phases(
    values: tuple[Any, Any, Any], last: Any, up: Any, shape: str, phases: int
) -> Schedule:
    init, peak, end = values
    if up < 0:  # it begins within the last phase
        start, begin = (peak, -up) if phases == 2 else (init, -2 * up)
        return shift(transition(start, end, last + begin, shape=shape), begin)
    if up >= last:
        return transition(init, peak, up, shape=shape)
    if phases == 3 and 2 * up >= last:  # it ends on the way down
        climb = transition(init, peak, up, shape=shape)
        return join([climb, transition(peak, init, up, shape=shape)], [up])
    return one_cycle(
        peak, last, up, init_value=init, end_value=end, shape=shape, phases=phases
    )
