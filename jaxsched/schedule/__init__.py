"""Schedules: what one is, how one is made, read, and combined with numbers."""

from jaxsched.schedule.arguments import (
    Clockwork,
    Inner,
    Inners,
    ScheduleLike,
    ScheduleLikes,
    Static,
    as_schedule,
)
from jaxsched.schedule.decorator import schedule
from jaxsched.schedule.operators import add as _add  # noqa: F401, all operators
from jaxsched.schedule.phases import Phase
from jaxsched.schedule.schedule import Schedule, schedules

__all__ = [
    "Clockwork",
    "Inner",
    "Inners",
    "Phase",
    "Schedule",
    "ScheduleLike",
    "ScheduleLikes",
    "Static",
    "as_schedule",
    "schedule",
    "schedules",
]
