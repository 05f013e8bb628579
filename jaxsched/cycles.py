"""Schedules that go round: each cycle restarts exactly."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxsched import shapes
from jaxsched.arrays import as_real
from jaxsched.domains import Count, Factor, LengthFactor, Period, Steps, Value
from jaxsched.numerics import blend, grown, is_literal, log, powered
from jaxsched.progress import cycle_of, plus, progress, since, together
from jaxsched.rule import Refusal, known
from jaxsched.schedule import Phase, schedule
from jaxsched.schedule.cycles import cycles, restarts
from jaxsched.schedule.phases import number


def _some_length(up_steps: Steps, down_steps: Steps | None, **_: object) -> None:
    down = up_steps if down_steps is None else down_steps
    if not known(up_steps, down):
        return
    if np.asarray(up_steps).item() + np.asarray(down).item() <= 0:
        raise Refusal("a cycle must be longer than 0 steps", "up_steps", "down_steps")


def _triangles(s: Any, until: float) -> list[Phase]:
    up = number(s.up_steps)
    down = up if s.down_steps is None else number(s.down_steps)
    return cycles(up + down, 1, None, until, inside=[up])


@schedule(check=_some_length, phases=_triangles)
def triangular(
    step: Array,
    min_value: Value,
    max_value: Value,
    up_steps: Steps,
    down_steps: Steps | None = None,
    *,
    factor: Factor = 1.0,
    step_factor: Factor = 1.0,
) -> Array:
    """Up and down between two values in straight lines: cyclical learning rates.

    Use it when you do not know the length of the run and can stop at any low point, or
    when you explore rates.

    `CyclicLR` in PyTorch. The paper's `triangular2` is factor = 0.5, its `exp_range` is
    `step_factor`.

    Formula, for cycle c = floor(t / (up_steps + down_steps)) and height h going from 0
    to 1 over `up_steps` and back over `down_steps`:

        s(t) = min_value + (max_value - min_value) h factor^c step_factor^t

    Steps below 0 read as 0; it never ends.

    Args:
      min_value: The value at the start of each cycle; differentiable.
      max_value: The value at the top of the first cycle; differentiable.
      up_steps: Steps from bottom to top, >= 0; differentiable if a float.
      down_steps: Steps from top to bottom, >= 0, `up_steps` if not given; differentiable
        if a float.
      factor: Multiplies the height once per cycle, > 0; differentiable.
      step_factor: Multiplies the height once per step, > 0; differentiable.

    Raises:
      ValueError: A length is negative, both are 0, a factor is not positive, or a value
        is not finite.

    Example:
      >>> import jaxsched as js
      >>> s = js.triangular(0.0, 1.0, up_steps=4, factor=0.5)
      >>> [round(s.at(t), 4) for t in (0, 2, 4, 8, 12, 20)]
      [0.0, 0.5, 1.0, 0.0, 0.5, 0.25]

    Reference: Smith, "Cyclical Learning Rates for Training Neural Networks" (2017),
    arXiv:1506.01186, section 3.
    """
    down = up_steps if down_steps is None else down_steps
    both = (up_steps, down)
    up, down = together(*both)
    is_known = all(isinstance(x, (int, float)) for x in both)
    cycle = cycle_of(step, sum(both) if is_known else plus(up, down))
    climbed, to_climb = progress(cycle.step, up)
    sunk, to_sink = progress(since(cycle.step, up), down)
    rising = together(cycle.step, up)
    climbing = rising[0] < rising[1]
    height = jnp.where(climbing, climbed, to_sink)
    depth = jnp.where(climbing, to_climb, sunk)
    if not is_literal(factor, 1) or not is_literal(step_factor, 1):
        growth = as_real(cycle.turn) * log(factor) + as_real(step) * log(step_factor)
        # Where the height grows, two weights of unlike signs would cancel.
        grows = growth > 0
        lost = -jnp.expm1(jnp.where(grows, 0.0, growth))
        depth, height = depth + height * lost, grown(height, growth)
        rise = grown((jnp.asarray(max_value) - min_value) * height, 0 * growth)
        return jnp.where(
            grows, min_value + rise, depth * min_value + height * max_value
        )
    return depth * min_value + height * max_value


@schedule(phases=restarts)
def cosine_restarts(
    step: Array,
    peak_value: Value,
    end_value: Value,
    steps: Period,
    *,
    length_factor: LengthFactor = 1,
    peak_factor: Factor = 1.0,
    limit: Count | None = None,
) -> Array:
    """Cosine annealing with warm restarts: SGDR.

    Use it when you want several usable models, an ensemble, or a look at intermediate
    results from one run.

    It falls from the peak to `end_value` along half a cosine, jumps back and falls
    again, over cycles that may grow longer and lower. `CosineAnnealingWarmRestarts` in
    PyTorch, `CosineDecayRestarts` in Keras. Any other schedule restarts with `cycle`.

    Formula, in cycle i = 0, 1, ..., which begins at the first whole step not before
    steps (1 + length_factor + ... + length_factor^(i-1)), with u the part of it that has
    passed:

        s(t) = end_value + (peak_value peak_factor^i - end_value) (1 + cos(pi u)) / 2

    Steps below 0 read as 0. After `limit` cycles it is exactly `end_value`.

    Args:
      peak_value: The value at the start of the first cycle; differentiable.
      end_value: The value each cycle falls to; differentiable.
      steps: The length of the first cycle in steps, >= 1; differentiable if a float. The
        cycles of a float length begin at the fractions themselves.
      length_factor: Each cycle is that many times as long as the one before: 1, or at
        least 1.001.
      peak_factor: Multiplies the peak once per cycle, > 0; differentiable.
      limit: How many cycles there are, >= 1; without it they never end.

    Raises:
      ValueError: A length, factor or limit is out of bounds, or a value is not finite.
      TypeError: An argument is not a real number, or `limit` is not whole.

    Example:
      >>> import jaxsched as js
      >>> s = js.cosine_restarts(1.0, 0.0, steps=10, length_factor=2)
      >>> [round(s.at(t), 4) for t in (0, 5, 9, 10, 20, 30)]
      [1.0, 0.5, 0.0245, 1.0, 0.5, 1.0]

    Reference: Loshchilov, Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts"
    (2017), arXiv:1608.03983, equation 5.
    """
    cycle = cycle_of(step, steps, length_factor, limit)
    fall, rise = shapes.cosine()(*cycle.fraction)
    peak = peak_value
    if not is_literal(peak_factor, 1):
        peak = powered(peak_value, peak_factor, as_real(cycle.turn))
    return blend(peak, fall, end_value, rise)
