"""Schedulers that go round, or up and down once; two of them also drive the momentum."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Concatenate, Generic, ParamSpec

import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxsched.combinators.sequence import join
from jaxsched.combinators.time import retime, shift
from jaxsched.compat.cosine_wave import cosine_wave
from jaxsched.compat.lengths import refuse_no_steps, whole
from jaxsched.compat.torch.last_epoch import resumed
from jaxsched.cycles import cosine_restarts, triangular
from jaxsched.domains.numbers import surely
from jaxsched.recipes.phases import one_cycle
from jaxsched.schedule import Schedule, as_schedule
from jaxsched.transitions import transition

P = ParamSpec("P")


class DrivesMomentum(Generic[P]):
    """A scheduler of the learning rate whose `momentum` is its twin.

    Wraps a function whose first argument says which of the two it is to return.
    """

    def __init__(self, function: Callable[Concatenate[bool, P], Schedule]):
        functools.update_wrapper(self, function)
        parameters = list(inspect.signature(function).parameters.values())[1:]
        self.__signature__: inspect.Signature = inspect.Signature(parameters)
        self._function = function

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Schedule:
        """The schedule of the learning rate."""
        return self._function(False, *args, **kwargs)

    def momentum(self, *args: P.args, **kwargs: P.kwargs) -> Schedule:
        """The schedule of the momentum, or of Adam's first beta: the same arguments."""
        return self._function(True, *args, **kwargs)


def CosineAnnealingLR(
    lr: ArrayLike, T_max: int, eta_min: ArrayLike = 0.0, last_epoch: int = -1
) -> Schedule:
    """A cosine wave: down in `T_max` steps, up again in the next `T_max`, and so on.

    Formula: `cycle(join([cosine(lr, eta_min, T_max), cosine(eta_min, lr, T_max)],
    [T_max]), 2 * T_max)`. Most runs end at T_max: then `cosine(lr, eta_min, T_max)`, which
    holds, is the same and safer.

    Args:
      lr: The base learning rate, the top of the wave.
      T_max: Half of the period in steps, > 0.
      eta_min: The bottom of the wave.
      last_epoch: The last step already made, -1 for none.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `T_max` is not positive.
      TypeError: An argument is not a real number.

    Example:
      >>> from jaxsched.compat import torch
      >>> s = torch.CosineAnnealingLR(1.0, T_max=4)
      >>> [round(s.at(t), 4) for t in (0, 2, 4, 6, 8)]
      [1.0, 0.5, 0.0, 0.5, 1.0]
    """
    refuse_no_steps("CosineAnnealingLR", "T_max", T_max)
    return resumed("CosineAnnealingLR", cosine_wave(lr, eta_min, T_max), last_epoch)


def CosineAnnealingWarmRestarts(
    lr: ArrayLike,
    T_0: int,
    T_mult: int = 1,
    eta_min: ArrayLike = 0.0,
    last_epoch: int = -1,
) -> Schedule:
    """SGDR: `cosine_restarts(lr, eta_min, T_0, length_factor=T_mult)`.

    PyTorch's `step()` without an argument counts cycles exactly, as this does; its
    `step(epoch)` finds them by a logarithm, which gives the lowest rate instead of the
    highest at some restarts (T_0=1, T_mult=3: epoch 121).

    Args:
      lr: The base learning rate.
      T_0: The length of the first cycle, a whole number > 0.
      T_mult: Each cycle is that many times as long as the one before; whole, >= 1.
      eta_min: The value each cycle falls to.
      last_epoch: The last step already made, -1 for none.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: A length is not whole or not positive.
      TypeError: An argument is not a real number.

    Example:
      >>> from jaxsched.compat import torch
      >>> torch.CosineAnnealingWarmRestarts(0.1, T_0=10, T_mult=2)
      cosine_restarts(peak_value=0.1, end_value=0.0, steps=10, length_factor=2)
    """
    name = "CosineAnnealingWarmRestarts"
    for argument, value in (("T_0", T_0), ("T_mult", T_mult)):
        if isinstance(value, float) or surely(value, lambda n: n < 1):
            raise ValueError(
                f"{name}: {argument} must be a whole number >= 1, got {argument}={value}"
            )
    restarts = cosine_restarts(lr, eta_min, T_0, length_factor=T_mult)
    return resumed(name, restarts, last_epoch)


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
    lr: ArrayLike,
    base_lr: ArrayLike,
    max_lr: ArrayLike,
    step_size_up: float = 2000,
    step_size_down: float | None = None,
    mode: str = "triangular",
    gamma: ArrayLike = 1.0,
    scale_fn: Callable[[Any], Any] | None = None,
    scale_mode: str = "cycle",
    cycle_momentum: bool = True,
    base_momentum: ArrayLike = 0.8,
    max_momentum: ArrayLike = 0.9,
    last_epoch: int = -1,
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
      last_epoch: The last step already made, -1 for none.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: The mode is unknown, or `step_size_up` is not positive.
      TypeError: An argument is not a real number.

    Example:
      >>> from jaxsched.compat import torch
      >>> torch.CyclicLR(0.1, 0.01, 0.1, step_size_up=100, mode="triangular2")
      triangular(min_value=0.01, max_value=0.1, up_steps=100, factor=0.5)
      >>> torch.CyclicLR.momentum(0.1, 0.01, 0.1, step_size_up=100)
      triangular(min_value=0.9, max_value=0.8, up_steps=100)
    """
    refuse_no_steps("CyclicLR", "step_size_up", step_size_up)
    low, high = base_lr, max_lr
    if momentum:
        _refuse_no_momentum("CyclicLR", cycle_momentum)
        low, high = max_momentum, base_momentum
    sides = step_size_up, step_size_down
    if scale_fn is not None:
        waves = _scaled(low, high, sides, scale_fn, scale_mode)
    elif mode == "triangular":
        waves = triangular(low, high, *sides)
    elif mode == "triangular2":
        waves = triangular(low, high, *sides, factor=0.5)
    elif mode == "exp_range":
        waves = triangular(low, high, *sides, step_factor=gamma)
    else:
        raise ValueError(
            "CyclicLR: mode must be 'triangular', 'triangular2' or 'exp_range' where "
            f"there is no scale_fn, got mode={mode!r}"
        )
    return resumed("CyclicLR", waves, last_epoch)


def _scaled(
    low: ArrayLike,
    high: ArrayLike,
    sides: tuple[float, float | None],
    scale_fn: Callable[[Any], Any],
    scale_mode: str,
) -> Schedule:
    """Triangles whose height is multiplied by a function of the cycle or of the step."""
    up, down = sides
    scale = as_schedule(scale_fn)
    if scale_mode == "cycle":
        scale = retime(scale, NumberOfCycle(up + (up if down is None else down)))
    height = triangular(0.0, high - low, up, down)  # type: ignore[operator]
    return low + height * scale


@DrivesMomentum
def OneCycleLR(
    momentum: bool,
    lr: ArrayLike,
    max_lr: ArrayLike,
    total_steps: int | None = None,
    epochs: int | None = None,
    steps_per_epoch: int | None = None,
    pct_start: float = 0.3,
    anneal_strategy: str = "cos",
    cycle_momentum: bool = True,
    base_momentum: ArrayLike = 0.85,
    max_momentum: ArrayLike = 0.95,
    div_factor: ArrayLike = 25.0,
    final_div_factor: ArrayLike = 1e4,
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
    init: Any = max_lr / div_factor  # type: ignore[operator]
    values = init, max_lr, init / final_div_factor
    if momentum:
        _refuse_no_momentum("OneCycleLR", cycle_momentum)
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


def _refuse_no_momentum(name: str, cycle_momentum: bool) -> None:
    if not cycle_momentum:
        raise ValueError(
            f"{name}: there is no momentum to drive, got cycle_momentum={cycle_momentum}"
        )
