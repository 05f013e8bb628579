"""How timm repeats a decay."""

from typing import Any, NamedTuple

import jax.numpy as jnp

from jaxsched.combinators.sequence import join
from jaxsched.combinators.time import cycle
from jaxsched.compat.lengths import whole
from jaxsched.domains.numbers import surely
from jaxsched.schedule import Schedule
from jaxsched.schedule.arguments import constant


class Cycles(NamedTuple):
    """How a decay is repeated: `cycle_mul`, `cycle_decay` and `cycle_limit`."""

    t_initial: Any
    mul: Any
    decay: Any
    limit: int

    @property
    def steps(self) -> Any:
        """The length of the first; a float where others begin within a step."""
        first, growth = whole(self.t_initial), whole(self.mul)
        return float(first) if isinstance(growth, float) else first

    @property
    def end(self) -> Any:
        """Where the last of them ends."""
        growth, n = whole(self.mul), self.limit
        if surely(growth, lambda m: m == 1):
            return self.t_initial * n
        return whole(self.t_initial * (growth**n - 1) / (growth - 1))

    def then(self, decay: Schedule, lr_min: Any) -> Schedule:
        """The cycles, and the value after the last; left out if no step comes so far."""
        largest = jnp.iinfo(jnp.result_type(int)).max
        if surely(self.end, lambda t: t > largest):
            return decay
        return join([decay, lr_min], [self.end])

    def of(self, lr: Any, lr_min: Any, curve: Any) -> Schedule:
        """Cycles of `curve(init_value, end_value, steps)`, the peaks falling."""
        if self.limit < 1:
            return constant(lr_min)
        if self.limit == 1:
            return curve(lr, lr_min, self.t_initial)

        def repeated(init_value: Any, end_value: Any, factor: Any) -> Schedule:
            return cycle(
                curve(init_value, end_value, self.steps),
                self.steps,
                length_factor=whole(self.mul),
                value_factor=factor,
                limit=self.limit,
            )

        if surely(self.decay, lambda factor: factor == 1):
            return repeated(lr, lr_min, 1.0)
        fall = lr * repeated(1.0, 0.0, self.decay)
        if surely(lr_min, lambda v: v == 0):
            return fall
        return fall + lr_min * repeated(0.0, 1.0, 1.0)
