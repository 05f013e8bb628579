"""`last_epoch`: a schedule that goes on."""

from jaxsched.combinators.time import shift
from jaxsched.schedule import Schedule


def resumed(name: str, schedule: Schedule, last_epoch: int) -> Schedule:
    """The schedule after `last_epoch` + 1 steps; -1 is the beginning."""
    if not isinstance(last_epoch, int) or last_epoch < -1:
        raise ValueError(
            f"{name}: last_epoch must be a whole number >= -1, got last_epoch="
            f"{last_epoch!r}"
        )
    return schedule if last_epoch == -1 else shift(schedule, last_epoch + 1)
