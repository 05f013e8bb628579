"""Schedulers that multiply: by functions, in steps, at milestones, along a curve."""

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any

from jaxsched.arrays import Numeric
from jaxsched.combinators.products import compounded
from jaxsched.compat.arguments import (
    AnyLength,
    ForOneGroup,
    LastEpoch,
    LearningRate,
    NotNegative,
    Row,
    SignedLength,
)
from jaxsched.compat.peer import peer
from jaxsched.decays.exponential import exponential_decay, step_decay
from jaxsched.domains import Period
from jaxsched.domains.numbers import Number, surely
from jaxsched.piecewise import multistep, piecewise_constant
from jaxsched.schedule import Schedule
from jaxsched.schedule.arguments import Inner, constant
from jaxsched.transitions import linear, polynomial

# A function or a list of one for the caller, a schedule in the function: no type says it.
Lambda = Annotated[
    Any,
    ForOneGroup(Inner()),
    "A function of the step that JAX can trace (`jnp.where` for `if`), or a list of one. "
    "A schedule will do.",
]


@peer
def LambdaLR(
    lr: LearningRate, lr_lambda: Lambda, last_epoch: LastEpoch = -1
) -> Schedule:
    """The base rate times a function of the step: `lr * lr_lambda`.

    Example:
      >>> from jaxsched.compat import torch
      >>> torch.LambdaLR(0.1, lambda step: 0.5**step).at(2)
      0.025
    """
    return lr * lr_lambda


@peer
def MultiplicativeLR(
    lr: LearningRate, lr_lambda: Lambda, last_epoch: LastEpoch = -1
) -> Schedule:
    """The base rate times all values of a function so far.

    Formula: s(t) = lr lr_lambda(1) lr_lambda(2) ... lr_lambda(t). A value costs t calls
    of the function, in one loop on the device. For a constant factor use
    `ExponentialLR`.

    Example:
      >>> from jaxsched.compat import torch
      >>> s = torch.MultiplicativeLR(1.0, lambda step: 1 / (1 + step))
      >>> [round(s.at(t), 4) for t in range(4)]
      [1.0, 0.5, 0.1667, 0.0417]
    """
    return compounded(lr, lr_lambda)


@peer
def StepLR(
    lr: LearningRate,
    step_size: Period,
    gamma: NotNegative = 0.1,
    last_epoch: LastEpoch = -1,
) -> Schedule:
    """A rate multiplied by `gamma` every `step_size` steps: `step_decay`.

    Args:
      step_size: Steps between drops, > 0.
      gamma: The factor per drop, >= 0.

    Example:
      >>> from jaxsched.compat import torch
      >>> torch.StepLR(0.1, step_size=30)
      step_decay(init_value=0.1, factor=0.1, every=30)
    """
    if surely(gamma, lambda g: g == 0):
        return _then_0(lr, step_size)
    return step_decay(lr, gamma, step_size)


@peer
def MultiStepLR(
    lr: LearningRate,
    milestones: Annotated[Iterable[int], Row(SignedLength())],
    gamma: NotNegative = 0.1,
    last_epoch: LastEpoch = -1,
) -> Schedule:
    """A rate multiplied by `gamma` at each milestone: `multistep(lr, milestones, gamma)`.

    Args:
      milestones: Steps in any order; one that occurs twice counts twice, and one below 0
        never.
      gamma: The factor per milestone, >= 0.

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
        return constant(lr)
    if surely(gamma, lambda g: g == 0):
        return _then_0(lr, boundaries[0])
    if len(boundaries) == counts.total():
        return multistep(lr, boundaries, gamma)
    factors = [gamma ** counts[b] for b in boundaries]
    return multistep(lr, boundaries, factors=factors)


@peer
def ConstantLR(
    lr: LearningRate,
    factor: Annotated[Numeric, Number(least=0, most=1)] = 1 / 3,
    total_iters: AnyLength = 5,
    last_epoch: LastEpoch = -1,
) -> Schedule:
    """`factor` times the base rate, and from step `total_iters` on the base rate.

    Formula: `piecewise_constant([total_iters], [lr * factor, lr])`.

    Args:
      factor: From 0 to 1. PyTorch divides by it at the end, and so fails for 0.
      total_iters: The step from which on it is the base rate. As in PyTorch, if it is 0
        that step never comes.

    Example:
      >>> from jaxsched.compat import torch
      >>> torch.ConstantLR(0.1, factor=0.5, total_iters=4)
      piecewise_constant(boundaries=[4], values=[0.05, 0.1])
    """
    low = lr * factor
    if surely(total_iters, lambda n: n <= 0):
        return constant(low)
    return piecewise_constant([total_iters], [low, lr])


@peer
def LinearLR(
    lr: LearningRate,
    start_factor: Annotated[Numeric, Number(above=0, most=1)] = 1 / 3,
    end_factor: Annotated[Numeric, Number(least=0, most=1)] = 1.0,
    total_iters: AnyLength = 5,
    last_epoch: LastEpoch = -1,
) -> Schedule:
    """A straight line: `linear(lr * start_factor, lr * end_factor, total_iters)`.

    Args:
      start_factor: The first value in base rates, > 0 and <= 1.
      end_factor: The last value in base rates, from 0 to 1.
      total_iters: The length of the line. As in PyTorch, without one it stays at its
        first value.

    Example:
      >>> from jaxsched.compat import torch
      >>> torch.LinearLR(0.1, start_factor=0.5, total_iters=4)
      linear(init_value=0.05, end_value=0.1, steps=4)
    """
    start, end = lr * start_factor, lr * end_factor
    still = surely(total_iters, lambda n: n <= 0)
    return constant(start) if still else linear(start, end, total_iters)


@peer
def ExponentialLR(
    lr: LearningRate, gamma: NotNegative, last_epoch: LastEpoch = -1
) -> Schedule:
    """A rate multiplied by `gamma` at every step: `exponential_decay(lr, gamma)`.

    Args:
      gamma: The factor per step, >= 0.

    Example:
      >>> from jaxsched.compat import torch
      >>> torch.ExponentialLR(0.1, gamma=0.9)
      exponential_decay(init_value=0.1, factor=0.9)
    """
    if surely(gamma, lambda g: g == 0):
        return _then_0(lr, 1)
    return exponential_decay(lr, gamma)


@peer
def PolynomialLR(
    lr: LearningRate,
    total_iters: AnyLength = 5,
    power: NotNegative = 1.0,
    last_epoch: LastEpoch = -1,
) -> Schedule:
    """A power of the remaining time: `polynomial(lr, 0.0, total_iters, power=power)`.

    Args:
      total_iters: The length of the decay. As in PyTorch, without one there is no decay.
      power: The exponent, >= 0.

    Example:
      >>> from jaxsched.compat import torch
      >>> torch.PolynomialLR(0.1, total_iters=10, power=2.0)
      polynomial(init_value=0.1, end_value=0.0, steps=10, power=2.0)
    """
    none = surely(total_iters, lambda n: n <= 0) or surely(power, lambda p: p == 0)
    return constant(lr) if none else polynomial(lr, 0.0, total_iters, power=power)


def _then_0(lr: Numeric, step: Numeric) -> Schedule:
    return piecewise_constant([step], [lr, 0.0])
