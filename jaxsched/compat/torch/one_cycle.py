"""OneCycleLR: up to a peak and far down, once."""

from typing import Any

from jaxsched.arrays import Numeric
from jaxsched.combinators.sequence import join
from jaxsched.combinators.time import shift
from jaxsched.compat.lengths import of_any_length, whole
from jaxsched.compat.torch.last_epoch import resumed
from jaxsched.compat.torch.momentum import DrivesMomentum, refuse_no_momentum
from jaxsched.recipes.phases import one_cycle
from jaxsched.schedule import Schedule
from jaxsched.transitions import transition


@DrivesMomentum
def OneCycleLR(
    momentum: bool,
    lr: Numeric,
    max_lr: Numeric,
    total_steps: int | None = None,
    epochs: int | None = None,
    steps_per_epoch: int | None = None,
    pct_start: float = 0.3,
    anneal_strategy: str = "cos",
    cycle_momentum: bool = True,
    base_momentum: Numeric = 0.85,
    max_momentum: Numeric = 0.95,
    div_factor: Numeric = 25.0,
    final_div_factor: Numeric = 1e4,
    three_phase: bool = False,
    last_epoch: int = -1,
) -> Schedule:
    """Up to a peak and far down: `one_cycle`, ending one step before `total_steps`.

    Formula: `one_cycle(max_lr, total_steps - 1, pct_start * total_steps - 1,
    init_value=max_lr / div_factor, end_value=max_lr / div_factor / final_div_factor)`:
    PyTorch reaches the peak at step pct_start * total_steps - 1 and the end at step
    total_steps - 1, the last update of the run. `OneCycleLR.momentum`, with the same
    arguments, goes from `max_momentum` down to `base_momentum` and back.

    From there on this holds. PyTorch goes past its end at one step, total_steps, where
    the cosine has begun to rise and the line is below its end; then it raises.

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
      last_epoch: The last step already made, -1 for none.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: The length is not given or not a positive whole number, `pct_start` is
        not a float from 0 to 1 or makes a way up of a single step, over which PyTorch
        divides by 0; or the strategy is unknown.
      TypeError: An argument is not a real number.

    Example:
      >>> from jaxsched.compat import torch
      >>> s = torch.OneCycleLR(0.1, max_lr=1.0, total_steps=100)
      >>> round(s.at(0), 4), s.at(29), round(s.at(99), 8)
      (0.04, 1.0, 4e-06)
      >>> m = torch.OneCycleLR.momentum(0.1, max_lr=1.0, total_steps=100)
      >>> round(m.at(0), 4), round(m.at(29), 4), round(m.at(99), 4)
      (0.95, 0.85, 0.95)
    """
    total = _run_length(total_steps, epochs, steps_per_epoch)
    if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
        raise ValueError(
            f"OneCycleLR: pct_start must be a float from 0 to 1, got pct_start={pct_start}"
        )
    if anneal_strategy not in ("cos", "linear"):
        raise ValueError(
            "OneCycleLR: anneal_strategy must be 'cos' or 'linear', got anneal_strategy="
            f"{anneal_strategy!r}"
        )
    up = whole(pct_start * total - 1)
    if up == 0:
        raise ValueError(
            "OneCycleLR: pct_start * total_steps must not be 1, the way up being one "
            f"step less, got pct_start={pct_start}, total_steps={total}"
        )
    init: Any = max_lr / div_factor
    values = init, max_lr, init / final_div_factor
    if momentum:
        refuse_no_momentum("OneCycleLR", cycle_momentum)
        values = max_momentum, base_momentum, max_momentum
    shape = "cosine" if anneal_strategy == "cos" else "linear"
    phases = 3 if three_phase else 2
    return resumed(
        "OneCycleLR", phases_of(values, total - 1, up, shape, phases), last_epoch
    )


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


def _run_length(
    total_steps: int | None, epochs: int | None, steps_per_epoch: int | None
) -> int:
    if total_steps is None and (epochs is None or steps_per_epoch is None):
        raise ValueError("OneCycleLR: give total_steps, or epochs and steps_per_epoch")
    given = {"total_steps": total_steps}
    if total_steps is None:
        given = {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
    product = 1
    for argument, count in given.items():
        if not isinstance(count, int) or count <= 0:
            raise ValueError(
                f"OneCycleLR: {argument} must be a whole number > 0, got "
                f"{argument}={count}"
            )
        product *= count
    return product
