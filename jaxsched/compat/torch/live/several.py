"""What schedulers of schedulers do to the rate of a group."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from jaxsched.combinators.sequence import join
from jaxsched.combinators.time import shift
from jaxsched.compat.optax import join_schedules
from jaxsched.compat.torch.cycles import CosineAnnealingLR
from jaxsched.compat.torch.live.laws import (
    Law,
    Unreadable,
    law,
    name_of,
)
from jaxsched.schedule import Schedule
from jaxsched.schedule.arguments import constant

# A rate that differs by less was not changed by hand, but rounded.
_ROUNDED = 1e-9

# The part of its height at which a wave is at its bottom, but for rounding.
_BOTTOM = 1e-12


def from_now(scheduler: Any, group: int, now: float, momentum: bool) -> Schedule:
    """The schedule that goes on from the value that the group has now."""
    name = name_of(scheduler)
    if name == "SequentialLR":
        return _sequence(scheduler, group, now, momentum)
    if name == "ChainedScheduler":
        return _chain(scheduler, group, now, momentum)
    found = law(scheduler, group, momentum)
    if name == "CosineAnnealingLR":
        return _cosine(found, scheduler, now)
    return _of_law(found, now)


def _of_law(found: Law, now: float) -> Schedule:
    """Where the rate is multiplied, what is in the group decides; else the next step."""
    if found.base is not None:
        schedule = found.from_now(found.base)
        if _same(schedule.at(0), now):
            return schedule
    if not found.multiplies:
        return join([now, found.from_now(found.known_base, 1)], [1])
    if not found.left:
        return constant(now)
    unit = found.from_now(1.0)
    if unit.at(0) == 0:
        raise Unreadable(f"by its own count its rate is 0, but the rate is {now}")
    return found.from_now(now / unit.at(0))


def _same(a: float, b: float) -> bool:
    return abs(a - b) <= _ROUNDED * max(abs(a), abs(b))


def _cosine(found: Law, scheduler: Any, now: float) -> Schedule:
    """A wave: a step multiplies what is above its bottom, but rises from the bottom."""
    low, half = float(scheduler.eta_min), scheduler.T_max
    plain = found.from_now(found.known_base)
    if _same(plain.at(0) - low, now - low):
        return plain
    bottom = _next_bottom(found, half)
    height = CosineAnnealingLR(1.0, half).at(found.made)
    if found.made == bottom or height < _BOTTOM:
        raise Unreadable(f"its cosine is at its lowest point, but the rate is {now}")
    return _until_bottom(found, bottom, found.from_now(low + (now - low) / height))


def _next_bottom(found: Law, half: float) -> float:
    """The step of the scheduler at which its wave, of half a period, is lowest next."""
    return half * (2 * ((found.made + half) // (2 * half)) + 1)


def _until_bottom(found: Law, bottom: float, schedule: Schedule) -> Schedule:
    """A schedule, and from the bottom of a wave on that wave as nobody touched it."""
    after = shift(found.of_base(found.known_base), bottom)
    return join([schedule, after], [bottom - found.made])


def _sequence(scheduler: Any, group: int, now: float, momentum: bool) -> Schedule:
    """The part in force goes on; each later one begins anew at its milestone."""
    made, milestones = scheduler.last_epoch, list(scheduler._milestones)
    index = bisect_right(milestones, made)
    parts = [from_now(scheduler._schedulers[index], group, now, momentum)]
    for part in scheduler._schedulers[index + 1 :]:
        name = name_of(part)
        if name in ("SequentialLR", "ChainedScheduler", "MultiplicativeLR", "SWALR"):
            raise Unreadable(f"{name} within it begins at the rate that it finds")
        found = law(part, group, momentum)
        parts.append(found.of_base(found.known_base))
    return join_schedules(parts, [m - made for m in milestones[index:]])


def _chain(scheduler: Any, group: int, now: float, momentum: bool) -> Schedule:
    """All at each step, in their order."""
    parts: Sequence[Any] = scheduler._schedulers
    if len(parts) == 1:
        return from_now(parts[0], group, now, momentum)
    if any(name_of(part) in ("SequentialLR", "ChainedScheduler") for part in parts):
        raise Unreadable("it holds a scheduler of schedulers")
    last = law(parts[-1], group, momentum)
    if not last.multiplies:
        return _of_law(last, now)  # it overwrites what the others did
    laws, waves = [], []
    for part in parts:
        found = law(part, group, momentum)
        if not found.multiplies:
            raise Unreadable(f"{name_of(part)} within it overwrites the rate")
        if name_of(part) == "CosineAnnealingLR":
            waves.append((part, found))
        elif found.left:
            laws.append(found)
    if not waves:
        return _product(laws, now)
    if not laws and len(waves) == 1:
        part, found = waves[0]
        return _cosine(found, part, now)
    return _product_with_wave(laws, waves, now)


def _product(laws: Sequence[Law], now: float) -> Schedule:
    """All of them at once, at the height at which the rate is what it is now."""
    if not laws:
        return constant(now)
    height = now
    for found in laws:
        if (share := found.from_now(1.0).at(0)) == 0:
            raise Unreadable("a scheduler within it has brought the rate to 0")
        height = height / share
    first, *others = laws
    if first.base is not None and _same(height, first.base):
        height = first.base
    product = first.from_now(height)
    for other in others:
        product = product * other.from_now(1.0)
    return product


def _product_with_wave(
    laws: Sequence[Law], waves: Sequence[tuple[Any, Law]], now: float
) -> Schedule:
    """A wave down to 0 under other factors, which have ended when it rises again."""
    (part, found), *others = waves
    if others or part.eta_min != 0:
        raise Unreadable(
            "a CosineAnnealingLR within it mixes with the others, where it has an "
            "eta_min or is one of several"
        )
    bottom = _next_bottom(found, part.T_max)
    if any(other.left > bottom - found.made for other in laws):
        raise Unreadable(
            "other schedulers within it still change the rate when its cosine rises again"
        )
    return _until_bottom(found, bottom, _product([found, *laws], now))
