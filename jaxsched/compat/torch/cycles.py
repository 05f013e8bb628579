"""Schedulers that go round: cosine waves, warm restarts, triangles."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import jax.numpy as jnp

from jaxsched.combinators.time import retime
from jaxsched.compat.arguments import (
    Duration,
    LastEpoch,
    LearningRate,
    Text,
    WholeSteps,
)
from jaxsched.compat.cosine_wave import cosine_wave
from jaxsched.compat.peer import peer
from jaxsched.compat.torch.momentum import DrivesMomentum, refuse_no_momentum
from jaxsched.cycles import cosine_restarts, triangular
from jaxsched.domains import Factor, Flag, Period, Steps, Value
from jaxsched.domains.choices import OneOf
from jaxsched.rule import Refusal
from jaxsched.schedule import Schedule
from jaxsched.schedule.arguments import Inner


@peer
def CosineAnnealingLR(
    lr: LearningRate,
    T_max: Duration,
    eta_min: Value = 0.0,
    last_epoch: LastEpoch = -1,
) -> Schedule:
    """A cosine wave: down in `T_max` steps, up again in the next `T_max`, and so on.

    Formula: `cycle(join([cosine(lr, eta_min, T_max), cosine(eta_min, lr, T_max)],
    [T_max]), 2 * T_max)`. Most runs end at T_max: then `cosine(lr, eta_min, T_max)`, which
    holds, is the same and safer.

    Args:
      lr: The base learning rate, the top of the wave.
      T_max: Half of the period in steps, > 0.
      eta_min: The bottom of the wave.

    Example:
      >>> from jaxsched.compat import torch
      >>> s = torch.CosineAnnealingLR(1.0, T_max=4)
      >>> [round(s.at(t), 4) for t in (0, 2, 4, 6, 8)]
      [1.0, 0.5, 0.0, 0.5, 1.0]
    """
    return cosine_wave(lr, eta_min, T_max)


@peer
def CosineAnnealingWarmRestarts(
    lr: LearningRate,
    T_0: WholeSteps,
    T_mult: WholeSteps = 1,
    eta_min: Value = 0.0,
    last_epoch: LastEpoch = -1,
) -> Schedule:
    """SGDR: `cosine_restarts(lr, eta_min, T_0, length_factor=T_mult)`.

    PyTorch's `step()` without an argument counts cycles exactly, as this does; its
    `step(epoch)` finds them by a logarithm, which gives the lowest rate instead of the
    highest at some restarts (T_0=1, T_mult=3: epoch 121).

    Args:
      T_0: The length of the first cycle, a whole number > 0.
      T_mult: Each cycle is that many times as long as the one before; whole, >= 1.
      eta_min: The value each cycle falls to.

    Example:
      >>> from jaxsched.compat import torch
      >>> torch.CosineAnnealingWarmRestarts(0.1, T_0=10, T_mult=2)
      cosine_restarts(peak_value=0.1, end_value=0.0, steps=10, length_factor=2)
    """
    return cosine_restarts(lr, eta_min, T_0, length_factor=T_mult)


@dataclass(frozen=True)
class NumberOfCycle:
    """A clock that counts cycles of so many steps, from 1."""

    steps: float

    def __call__(self, step: Any) -> Any:
        """The number of the cycle that a step lies in."""
        return step // jnp.asarray(self.steps, jnp.result_type(step)) + 1


@DrivesMomentum
def CyclicLR(
    momentum: bool,
    lr: LearningRate,
    base_lr: Value,
    max_lr: Value,
    step_size_up: Period = 2000,
    step_size_down: Steps | None = None,
    mode: Annotated[str, Text()] = "triangular",
    gamma: Factor = 1.0,
    scale_fn: Annotated[Any, Inner()] | None = None,
    scale_mode: Annotated[str, OneOf("cycle", "iterations")] = "cycle",
    cycle_momentum: Flag = True,
    base_momentum: Value = 0.8,
    max_momentum: Value = 0.9,
    last_epoch: LastEpoch = -1,
) -> Schedule:
    """Up and down in straight lines: `triangular(base_lr, max_lr, up, down, ...)`.

    The height of a cycle is multiplied by 0.5 per cycle ("triangular2"), by `gamma` per
    step ("exp_range"), or by `scale_fn`. `CyclicLR.momentum`, with the same arguments,
    goes from `max_momentum` down to `base_momentum` and back.

    Args:
      lr: Not used: PyTorch overwrites the optimizer's rate by `base_lr`.
      base_lr: The lower bound.
      max_lr: The top of the first cycle.
      step_size_up: Steps up, > 0.
      step_size_down: Steps down, >= 0; `step_size_up` if not given.
      mode: "triangular", "triangular2" or "exp_range"; not used with `scale_fn`.
      gamma: The factor per step of "exp_range", > 0.
      scale_fn: A function that JAX can trace, of what `scale_mode` says.
      scale_mode: "cycle" (the number of the cycle, from 1) or "iterations" (the step).
      cycle_momentum: Whether there is a momentum to drive.
      base_momentum: The lower bound of the momentum.
      max_momentum: The upper bound of the momentum.

    Example:
      >>> from jaxsched.compat import torch
      >>> torch.CyclicLR(0.1, 0.01, 0.1, step_size_up=100, mode="triangular2")
      triangular(min_value=0.01, max_value=0.1, up_steps=100, factor=0.5)
      >>> torch.CyclicLR.momentum(0.1, 0.01, 0.1, step_size_up=100)
      triangular(min_value=0.9, max_value=0.8, up_steps=100)
    """
    low, high = base_lr, max_lr
    if momentum:
        refuse_no_momentum(cycle_momentum)
        low, high = max_momentum, base_momentum
    sides = step_size_up, step_size_down
    if scale_fn is not None:
        return _scaled(low, high, sides, scale_fn, scale_mode)
    if mode not in _FACTORS:
        names = ", ".join(map(repr, _FACTORS))
        raise Refusal(f"mode must be one of {names} without scale_fn", "mode")
    return triangular(low, high, *sides, **_FACTORS[mode](gamma))


# What multiplies the height of a cycle.
_FACTORS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "triangular": lambda gamma: {},
    "triangular2": lambda gamma: {"factor": 0.5},
    "exp_range": lambda gamma: {"step_factor": gamma},
}


def _scaled(
    low: Any, high: Any, sides: tuple[Any, Any], scale: Schedule, scale_mode: str
) -> Schedule:
    """Triangles whose height is multiplied by a function of the cycle or of the step."""
    up, down = sides
    if scale_mode == "cycle":
        scale = retime(scale, NumberOfCycle(up + (up if down is None else down)))
    return low + triangular(0.0, high - low, up, down) * scale
