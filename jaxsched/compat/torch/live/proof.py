"""What a copy of a scheduler does: the proof of a schedule, or a table in its place."""

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np

from jaxsched.compat.torch.live.laws import Unreadable
from jaxsched.compat.torch.live.stand_in import random_states_kept
from jaxsched.piecewise import piecewise_constant
from jaxsched.schedule import Schedule
from jaxsched.schedule.arguments import constant
from jaxsched.schedule.phases import phases_of

# How many steps are compared: into the last phase of the schedule, within reason.
_LEAST, _MOST = 40, 2000

# The value at each step, and whether it is one past the end of a OneCycleLR.
Future = Iterator[tuple[float, bool]]


def prove(schedule: Schedule, future: Future, count: int | None) -> None:
    """Compares with the scheduler's own steps; refuses the first that differs."""
    last = phases_of(schedule, _MOST)[-1].begin  # of waves and cycles so far
    steps = max(_LEAST, min(int(last) + 2, _MOST), count or 0)
    real, past = [], []
    try:
        with random_states_kept():
            for rate, is_past in islice(future, steps):
                real.append(rate)
                past.append(is_past)
    except Exception as error:  # whatever PyTorch raises past an end
        if len(real) <= 1:
            raise Unreadable(f"a copy of it cannot be stepped ({error!r})") from None
    found = schedule.at(np.arange(len(real)))
    expected = np.array(real)
    # PyTorch multiplies in double precision, step by step; a rate near 0 is measured by
    # the largest.
    scale = np.max(np.abs(expected), initial=0.0)
    differs = ~(np.abs(found - expected) <= 1e-6 * np.abs(expected) + 1e-10 * scale)
    differs &= ~np.array(past)
    if np.any(differs):
        step = int(np.argmax(differs))
        raise Unreadable(
            f"PyTorch would give {expected[step]} at step {step} from now, and the "
            f"scheduler's attributes say {found[step]}"
        )


def table(scheduler: str, future: Callable[[], Future], count: int) -> Schedule:
    """The rates themselves, which must be the same twice: none may come of the past."""
    values = _made(scheduler, future(), count)
    if values != _made(scheduler, future(), count):
        raise ValueError(
            "from_torch: scheduler must give the same rates each time that a copy of it "
            f"is stepped; its function keeps a count, got scheduler={scheduler}"
        )
    if not np.all(np.isfinite(values)):
        step = int(np.argmin(np.isfinite(values)))
        raise ValueError(
            f"from_torch: scheduler must give finite rates, but gives {values[step]} at "
            f"step {step} from now, got scheduler={scheduler}"
        )
    changes = [i for i in range(1, count) if values[i] != values[i - 1]]
    if not changes:
        return constant(values[0])
    return piecewise_constant(changes, [values[0], *(values[i] for i in changes)])


def _made(scheduler: str, future: Future, count: int) -> list[float]:
    """So many rates of a copy."""
    values: list[float] = []
    try:
        with random_states_kept():
            for rate, _ in islice(future, count):
                values.append(rate)
    except Exception as error:
        raise ValueError(
            f"from_torch: scheduler must make {count} steps, but a copy of it (which "
            f"has no parameters) failed after {len(values)}: {error!r}, got scheduler="
            f"{scheduler}"
        ) from error
    return values
