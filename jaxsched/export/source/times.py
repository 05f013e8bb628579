"""Cycles and turns, as they are written."""

from typing import NamedTuple

from jaxsched.arrays import largest_integer
from jaxsched.export.source.part import Part
from jaxsched.export.source.writer import is_whole
from jaxsched.restarts import decimal, edges

# A list of more edges is written out: their powers would have too many digits.
_MOST_POWERS = 200


class Cycle(NamedTuple):
    """The names of what is known of the cycle that a time lies in."""

    turn: str  # the number of completed cycles
    elapsed: str  # steps since it began
    remaining: str  # steps to its end
    length: str


def turns(p: Part, time: str, every: str, *, whole: bool) -> str:
    """How often a length has passed, as a float."""
    if whole:
        return p.real("turns", cycle(p, time, every).turn)
    if p.is_literally(every, 1):
        return p.real("turns", time)
    return p.let("turns", f"{p.time(time, every)} / {p[every]}")


def cycle(
    p: Part, time: str, steps: str, factor: str | None = None, limit: str | None = None
) -> Cycle:
    """The cycle that a time lies in; arguments by their names."""
    last = None
    if limit is not None and p.schedule._values[limit] is not None:
        last = int(p.value(limit)) - 1
    if factor is not None and not p.is_literally(factor, 1):
        return _growing(p, time, steps, factor, last)
    whole = is_whole(p.value(steps))
    return equal(p, p.time(time, steps), p[steps], last, whole=whole)


def equal(p: Part, time: str, length: str, last: int | None, *, whole: bool) -> Cycle:
    """The same where all cycles are alike, of a length that is a whole number or not."""
    turn = time if length == "1" else f"{time} // {length}"
    if not whole:  # a quotient of floats is rounded: the products decide
        turn = p.let("guess", f"jnp.floor({time} / {length})")
        is_early = f"{turn} * {length} > {time}"
        turn = p.let("guess", f"jnp.where({is_early}, {turn} - 1, {turn})")
        is_late = f"({turn} + 1) * {length} <= {time}"
        turn = f"jnp.where({is_late}, {turn} + 1, {turn})"
    if last is not None:
        turn = f"jnp.minimum({turn}, {last})"
    turn = p.let("turn", turn)
    elapsed = f"{time} - {turn} * {length}"
    if last is not None or not whole:
        elapsed = f"jnp.clip({elapsed}, 0, {length})"
    elapsed = p.let("elapsed", elapsed)
    return Cycle(turn, elapsed, f"({length} - {elapsed})", length)


def _growing(p: Part, time: str, steps: str, factor: str, last: int | None) -> Cycle:
    """Cycle i begins after steps * (1 + factor + ... + factor^(i-1)), or the whole step
    that follows; in whole numbers, since a floating-point sum would be a step off.
    """
    ends, text = _edges(p, steps, factor, last)
    table = p.let("edges", text)
    time = p.time(time, steps)
    begins = p.let("begins", f"jnp.array({table}[:-1], {time}.dtype)")
    after = p.let("after", f'jnp.searchsorted({begins}, {time}, side="right")')
    turn = p.let("turn", f"{after} - 1")
    begin = p.let("begin", f"{begins}[{turn}]")
    largest = largest_integer()
    if ends[-1] <= largest:
        end = p.let("ends", f"jnp.array({table}[1:], {time}.dtype)")
        end = p.let("end", f"{end}[{turn}]")
        length = p.let("length", f"({end} - {begin}).astype(float)")
        now = p.let("now", f"jnp.minimum({time}, {end})")
        elapsed = p.let("elapsed", f"{now} - {begin}")
        return Cycle(
            turn, elapsed, p.let("remaining", f"({end} - {now}).astype(float)"), length
        )
    # The end of the last cycle is beyond all integers, but not beyond floats.
    last_length = p.first("last_length", repr(float(ends[-1] - ends[-2])))
    near = p.let("ends", f"jnp.array([*{table}[1:-1], 0], {time}.dtype)")
    near = p.let("end", f"{near}[{turn}]")
    elapsed = p.let("elapsed", f"{time} - {begin}")
    is_last = p.let("is_last", f"{turn} == {len(ends) - 2}")

    def of_last(name: str, last: str, begin: str) -> str:
        rest = f"({near} - {begin}).astype(float)"
        return p.let(name, f"jnp.where({is_last}, {last}, {rest})")

    length = of_last("length", last_length, begin)
    left = f"{last_length} - {elapsed}.astype(float)"
    return Cycle(turn, elapsed, of_last("remaining", left, time), length)


def _edges(
    p: Part, steps: str, factor: str, last: int | None
) -> tuple[list[float], str]:
    """Where cycles begin, and their last one's end, with the text that makes them."""
    first, growth = p.value(steps), p.value(factor)
    largest = largest_integer()
    if not is_whole(first):
        found = [0.0]
        while found[-1] <= largest and (last is None or len(found) < last + 2):
            i = len(found)
            found.append(first * (growth**i - 1) / (growth - 1))
        n, m = p[steps], p[factor]
        text = f"{n} * ({m}**i - 1) / ({m} - 1)"
        return [*found], f"[{text} for i in range({len(found)})]"
    known = list(edges(int(first), growth, largest))
    known = known if last is None else known[: last + 2]
    if len(known) > _MOST_POWERS:
        return [*known], str(known)
    ratio = decimal(growth)
    a, b, n = ratio.numerator, ratio.denominator, p[steps]
    if b == 1:
        text = f"{n} * ({a}**i - 1) // {a - 1}"
    else:
        below = f"{b}**i" if a - b == 1 else f"({a - b} * {b}**i)"
        text = f"-(-{n} * ({a}**i - {b}**i) * {b} // {below})"
    return [*known], f"[{text} for i in range({len(known)})]"
