"""Schedulers that multiply: by functions, in steps, at milestones, along a curve."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from jaxsched.arrays import Numeric
from jaxsched.combinators.products import compounded
from jaxsched.compat.torch.last_epoch import resumed
from jaxsched.decays.exponential import exponential_decay, step_decay
from jaxsched.domains.numbers import surely
from jaxsched.piecewise import multistep, piecewise_constant
from jaxsched.schedule import Schedule, as_schedule
from jaxsched.schedule.arguments import constant
from jaxsched.transitions import linear, polynomial

Lambda = Callable[[Any], Any]


def LambdaLR(
    lr: Numeric, lr_lambda: Lambda | Sequence[Lambda], last_epoch: int = -1
) -> Schedule:
    """The base rate times a function of the step: `lr * lr_lambda`.

    Args:
      lr: The base learning rate.
      lr_lambda: A function of the step that JAX can trace (`jnp.where` for `if`), or a
        list of one. A schedule will do.
      last_epoch: The last step already made, -1 for none.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `lr_lambda` holds several functions: make one schedule for each group.
      TypeError: `lr_lambda` is not a function.

    Example:
      >>> from jaxsched.compat import torch
      >>> torch.LambdaLR(0.1, lambda step: 0.5**step).at(2)
      0.025
    """
    factor = as_schedule(_only("LambdaLR", lr_lambda))
    return resumed("LambdaLR", lr * factor, last_epoch)


def MultiplicativeLR(
    lr: Numeric, lr_lambda: Lambda | Sequence[Lambda], last_epoch: int = -1
) -> Schedule:
    """The base rate times all values of a function so far.

    Formula: s(t) = lr lr_lambda(1) lr_lambda(2) ... lr_lambda(t). A value costs t calls
    of the function, in one loop on the device. For a constant factor use
    `ExponentialLR`.

    Args:
      lr: The base learning rate.
      lr_lambda: A function of the step that JAX can trace, or a list of one.
      last_epoch: The last step already made, -1 for none.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `lr_lambda` holds several functions: make one schedule for each group.
      TypeError: `lr_lambda` is not a function.

    Example:
      >>> from jaxsched.compat import torch
      >>> s = torch.MultiplicativeLR(1.0, lambda step: 1 / (1 + step))
      >>> [round(s.at(t), 4) for t in range(4)]
      [1.0, 0.5, 0.1667, 0.0417]
    """
    function = _only("MultiplicativeLR", lr_lambda)
    return resumed("MultiplicativeLR", compounded(lr, function), last_epoch)


def StepLR(
    lr: Numeric, step_size: float, gamma: Numeric = 0.1, last_epoch: int = -1
) -> Schedule:
    """Multiplied by `gamma` every `step_size` steps: `step_decay(lr, gamma, step_size)`.

    Args:
      lr: The base learning rate.
      step_size: Steps between drops, > 0.
      gamma: The factor per drop, >= 0.
      last_epoch: The last step already made, -1 for none.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `step_size` is not positive, or `gamma` is negative.
      TypeError: An argument is not a real number.

    Example:
      >>> from jaxsched.compat import torch
      >>> torch.StepLR(0.1, step_size=30)
      step_decay(init_value=0.1, factor=0.1, every=30)
    """
    if surely(gamma, lambda g: g == 0):
        return resumed("StepLR", _then_0(lr, step_size), last_epoch)
    return resumed("StepLR", step_decay(lr, gamma, step_size), last_epoch)


def MultiStepLR(
    lr: Numeric,
    milestones: Iterable[int],
    gamma: Numeric = 0.1,
    last_epoch: int = -1,
) -> Schedule:
    """Multiplied by `gamma` at each milestone: `multistep(lr, milestones, gamma)`.

    Args:
      lr: The base learning rate.
      milestones: Steps in any order; one that occurs twice counts twice, and one below 0
        never.
      gamma: The factor per milestone, >= 0.
      last_epoch: The last step already made, -1 for none.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `gamma` is negative, or a number is not finite.
      TypeError: An argument is not a real number.

    Example:
      >>> from jaxsched.compat import torch
      >>> torch.MultiStepLR(0.1, milestones=[30, 80], gamma=0.5)
      multistep(init_value=0.1, boundaries=[30, 80], factor=0.5)
      >>> torch.MultiStepLR(0.1, milestones=[30, 30, 80], gamma=0.5)
      multistep(init_value=0.1, boundaries=[30, 80], factors=[0.25, 0.5])
    """
    counts = Counter(step for step in milestones if step >= 0)
    boundaries = sorted(counts)
    if not boundaries:
        decay = constant(lr)
    elif surely(gamma, lambda g: g == 0):
        decay = _then_0(lr, boundaries[0])
    elif len(boundaries) == counts.total():
        decay = multistep(lr, boundaries, gamma)
    else:
        factors = [gamma ** counts[b] for b in boundaries]
        decay = multistep(lr, boundaries, factors=factors)
    return resumed("MultiStepLR", decay, last_epoch)


def ConstantLR(
    lr: Numeric,
    factor: Numeric = 1 / 3,
    total_iters: int = 5,
    last_epoch: int = -1,
) -> Schedule:
    """`factor` times the base rate, and from step `total_iters` on the base rate.

    Formula: `piecewise_constant([total_iters], [lr * factor, lr])`.

    Args:
      lr: The base learning rate.
      factor: From 0 to 1. PyTorch divides by it at the end, and so fails for 0.
      total_iters: The step from which on it is the base rate. As in PyTorch, if it is 0
        that step never comes.
      last_epoch: The last step already made, -1 for none.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `factor` is not between 0 and 1.
      TypeError: An argument is not a real number.

    Example:
      >>> from jaxsched.compat import torch
      >>> torch.ConstantLR(0.1, factor=0.5, total_iters=4)
      piecewise_constant(boundaries=[4], values=[0.05, 0.1])
    """
    _between_0_and_1("ConstantLR", "factor", factor)
    low = lr * factor
    if surely(total_iters, lambda n: n <= 0):
        return resumed("ConstantLR", constant(low), last_epoch)
    return resumed(
        "ConstantLR", piecewise_constant([total_iters], [low, lr]), last_epoch
    )


def LinearLR(
    lr: Numeric,
    start_factor: Numeric = 1 / 3,
    end_factor: Numeric = 1.0,
    total_iters: int = 5,
    last_epoch: int = -1,
) -> Schedule:
    """A straight line: `linear(lr * start_factor, lr * end_factor, total_iters)`.

    Args:
      lr: The base learning rate.
      start_factor: The first value in base rates, > 0 and <= 1.
      end_factor: The last value in base rates, from 0 to 1.
      total_iters: The length of the line. As in PyTorch, without one it stays at its
        first value.
      last_epoch: The last step already made, -1 for none.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: A factor is out of its bounds.
      TypeError: An argument is not a real number.

    Example:
      >>> from jaxsched.compat import torch
      >>> torch.LinearLR(0.1, start_factor=0.5, total_iters=4)
      linear(init_value=0.05, end_value=0.1, steps=4)
    """
    if surely(start_factor, lambda f: f == 0):
        raise ValueError("LinearLR: start_factor must be > 0, got start_factor=0")
    _between_0_and_1("LinearLR", "start_factor", start_factor)
    _between_0_and_1("LinearLR", "end_factor", end_factor)
    start, end = lr * start_factor, lr * end_factor
    still = surely(total_iters, lambda n: n <= 0)
    line = constant(start) if still else linear(start, end, total_iters)
    return resumed("LinearLR", line, last_epoch)


def ExponentialLR(lr: Numeric, gamma: Numeric, last_epoch: int = -1) -> Schedule:
    """Multiplied by `gamma` at every step: `exponential_decay(lr, gamma)`.

    Args:
      lr: The base learning rate.
      gamma: The factor per step, >= 0.
      last_epoch: The last step already made, -1 for none.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `gamma` is negative.
      TypeError: An argument is not a real number.

    Example:
      >>> from jaxsched.compat import torch
      >>> torch.ExponentialLR(0.1, gamma=0.9)
      exponential_decay(init_value=0.1, factor=0.9)
    """
    if surely(gamma, lambda g: g == 0):
        return resumed("ExponentialLR", _then_0(lr, 1), last_epoch)
    return resumed("ExponentialLR", exponential_decay(lr, gamma), last_epoch)


def PolynomialLR(
    lr: Numeric, total_iters: int = 5, power: Numeric = 1.0, last_epoch: int = -1
) -> Schedule:
    """A power of the remaining time: `polynomial(lr, 0.0, total_iters, power=power)`.

    Args:
      lr: The base learning rate.
      total_iters: The length of the decay. As in PyTorch, without one there is no decay.
      power: The exponent, >= 0.
      last_epoch: The last step already made, -1 for none.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: `power` is negative.
      TypeError: An argument is not a real number.

    Example:
      >>> from jaxsched.compat import torch
      >>> torch.PolynomialLR(0.1, total_iters=10, power=2.0)
      polynomial(init_value=0.1, end_value=0.0, steps=10, power=2.0)
    """
    none = surely(total_iters, lambda n: n <= 0) or surely(power, lambda p: p == 0)
    decay = constant(lr) if none else polynomial(lr, 0.0, total_iters, power=power)
    return resumed("PolynomialLR", decay, last_epoch)


def _only(name: str, lr_lambda: Any) -> Any:
    """The function of the one group of parameters."""
    if not isinstance(lr_lambda, (list, tuple)):
        return lr_lambda
    if len(lr_lambda) != 1:
        raise ValueError(
            f"{name}: lr_lambda must be one function, as there is one rate; make a "
            f"schedule for each group, got {len(lr_lambda)} functions"
        )
    return lr_lambda[0]


def _then_0(lr: Numeric, step: float) -> Schedule:
    return piecewise_constant([step], [lr, 0.0])


def _between_0_and_1(name: str, argument: str, factor: Numeric) -> None:
    if surely(factor, lambda f: not 0 <= f <= 1):
        raise ValueError(
            f"{name}: {argument} must be between 0 and 1, got {argument}={factor}"
        )
