"""A cosine that rises again: what several libraries' cosines do after their end."""

from typing import Any

from jaxsched.combinators.sequence import join
from jaxsched.combinators.time import cycle
from jaxsched.compat.lengths import of_any_length
from jaxsched.schedule import Schedule
from jaxsched.transitions import cosine


def cosine_wave(high: Any, low: Any, half: Any) -> Schedule:
    """From `high` to `low` in `half` steps, back in the next, and so on."""

    def wave(half: Any) -> Schedule:
        halves = [cosine(high, low, half), cosine(low, high, half)]
        return cycle(join(halves, [half]), 2 * half)

    return of_any_length(wave, half)
