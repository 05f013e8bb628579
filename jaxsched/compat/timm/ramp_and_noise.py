"""What all of timm's schedulers have around their decay: a ramp before it, noise on it."""

from typing import Any, NamedTuple

from jaxsched.arrays import Numeric
from jaxsched.combinators.randomness import noise
from jaxsched.combinators.sequence import join, warmup
from jaxsched.combinators.time import shift
from jaxsched.compat.optax import join_schedules
from jaxsched.domains.numbers import surely
from jaxsched.schedule import Schedule
from jaxsched.transitions import linear


class Ramp(NamedTuple):
    """A linear ramp; without `prefix` the decay's clock runs during it."""

    steps: Any
    init_value: Numeric
    prefix: bool

    def before(self, decay: Schedule, peak: Any, *, meets: bool) -> Schedule:
        """The ramp to `peak`, then the decay; `meets` if that begins at the peak."""
        if surely(self.steps, lambda n: n == 0):
            return decay
        rest = decay if self.prefix else shift(decay, self.steps)
        if meets:
            return warmup(rest, self.steps, self.init_value)
        return join([linear(self.init_value, peak, self.steps), rest], [self.steps])


class Noise(NamedTuple):
    """Noise on a stretch of time."""

    range_t: Any
    pct: float
    std: float
    seed: Any

    def on(self, schedule: Schedule) -> Schedule:
        """The schedule with it."""
        if self.range_t is None or self.std == 0:
            return schedule
        bound, seed = self.pct / abs(self.std), 42 if self.seed is None else self.seed
        factor = noise(1.0, abs(self.std), seed, bound=bound)
        if isinstance(self.range_t, (list, tuple)):
            begin, end = self.range_t
            return schedule * join_schedules(
                [1.0, factor, 1.0], [begin, max(begin, end)]
            )
        return schedule * join_schedules([1.0, factor], [self.range_t])
