"""What Optax has in the place of each rule."""

import math
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import Any

import optax

from jaxsched import shapes
from jaxsched.combinators.limits import clip
from jaxsched.combinators.sequence import cooldown, join, warmup
from jaxsched.combinators.time import cycle, delay, shift
from jaxsched.cycles import cosine_restarts
from jaxsched.decays.exponential import (
    exponential_decay,
    natural_exponential_decay,
    step_decay,
)
from jaxsched.piecewise import multistep, piecewise_constant, piecewise_linear
from jaxsched.rule import rule_of
from jaxsched.rule.rule import Rule
from jaxsched.rule.values import plain
from jaxsched.schedule import Schedule
from jaxsched.schedule.arguments import call, constant
from jaxsched.transitions import cosine, exponential, linear, polynomial, transition

OptaxSchedule = Callable[[Any], Any]

# The most cycles that are worth a list.
_CYCLES = 100


class Lacking(Exception):
    """What Optax does not have."""


def in_optax(schedule: Schedule) -> OptaxSchedule:
    """The Optax schedule of the same rule; raises `Lacking` where there is none."""
    make = _MAKERS.get(schedule._rule)
    if make is None:
        raise Lacking(schedule._rule.name)
    return make(schedule)


def _number(value: Any) -> Any:
    """A hyperparameter as a Python number."""
    value = plain(value)
    return value.item() if hasattr(value, "item") else value


# Shapes that are curves of Optax, and their powers.
_CURVES: dict[Rule, tuple[str, float]] = {
    rule_of(shapes.linear): ("linear", 1.0),
    rule_of(shapes.cosine): ("cosine", 1.0),
    rule_of(shapes.sqrt): ("polynomial", 0.5),
}


def _move(
    init: float, end: float, steps: Any, curve: str, power: float
) -> OptaxSchedule:
    """A bounded move along a line, a power of what remains, or a cosine."""
    if steps == 0:
        return optax.constant_schedule(end)
    if curve == "linear":
        return optax.linear_schedule(init, end, steps)
    if curve == "polynomial":
        return optax.polynomial_schedule(init, end, power, steps)
    if init == end:
        return optax.constant_schedule(init)
    if init == 0:
        raise Lacking("a cosine that rises from 0")
    return optax.cosine_decay_schedule(init, steps, end / init, power)


def _shaped(init: float, end: float, steps: Any, shape: Any) -> OptaxSchedule:
    if shape._rule not in _CURVES:
        raise Lacking(f"the shape {shape._rule.name}")
    return _move(init, end, steps, *_CURVES[shape._rule])


def _in_turn(
    parts: Sequence[OptaxSchedule], boundaries: Sequence[Any]
) -> OptaxSchedule:
    return optax.join_schedules(list(parts), list(boundaries))


def _line(s: Schedule) -> OptaxSchedule:
    init, end, steps = _number(s.init_value), _number(s.end_value), _number(s.steps)
    return _move(init, end, steps, "linear", 1.0)


def _transition(s: Schedule) -> OptaxSchedule:
    init, end, steps = _number(s.init_value), _number(s.end_value), _number(s.steps)
    return _shaped(init, end, steps, s.shape)


def _bent(curve: str) -> Callable[[Schedule], OptaxSchedule]:
    def make(s: Schedule) -> OptaxSchedule:
        if _number(s.time_power) != 1:
            raise Lacking("a time_power other than 1")
        ends = _number(s.init_value), _number(s.end_value)
        return _move(*ends, _number(s.steps), curve, _number(s.power))

    return make


def _exponential(s: Schedule) -> OptaxSchedule:
    init, end, steps = _number(s.init_value), _number(s.end_value), _number(s.steps)
    if steps == 0 or init == end:
        return optax.constant_schedule(end)
    # Not by its `end_value`, which bounds values above 0 alone.
    decay = optax.exponential_decay(init, steps, end / init)
    return _in_turn([decay, optax.constant_schedule(end)], [steps])


def _table(s: Schedule) -> OptaxSchedule:
    parts = [optax.constant_schedule(_number(value)) for value in s.values]
    return _in_turn(parts, [_number(b) for b in s.boundaries])


def _multistep(s: Schedule) -> OptaxSchedule:
    steps = [_number(b) for b in s.boundaries]
    factors = [s.factor] * len(steps) if s.factors is None else list(s.factors)
    scales = {step: _number(f) for step, f in zip(steps, factors, strict=True)}
    return optax.piecewise_constant_schedule(_number(s.init_value), scales)


def _lines(s: Schedule) -> OptaxSchedule:
    steps = [_number(b) for b in s.boundaries]
    values = [_number(v) for v in s.values]
    parts = [optax.constant_schedule(values[0])]
    for (begin, end), (left, right) in zip(
        pairwise(steps), pairwise(values), strict=True
    ):
        parts.append(optax.linear_schedule(left, right, end - begin))
    return _in_turn(parts, steps[:-1])


def _warmup(s: Schedule) -> OptaxSchedule:
    if s.overlap:
        raise Lacking("a product of schedules")
    steps, goal = _number(s.steps), s.schedule.at(0)
    if steps == 0:
        return in_optax(s.schedule)
    start = goal / (steps + 1) if s.init_value is None else _number(s.init_value)
    return _in_turn(
        [_shaped(start, goal, steps, s.shape), in_optax(s.schedule)], [steps]
    )


def _cooldown(s: Schedule) -> OptaxSchedule:
    if not s.freeze:
        raise Lacking("a product of schedules")
    begin, end = _number(s.begin), _number(s.end_value)
    decay = _shaped(s.schedule.at(begin), end, _number(s.steps), s.shape)
    return _in_turn([in_optax(s.schedule), decay], [begin]) if begin else decay


def _cycle(s: Schedule, part: Callable[[int, int], Schedule]) -> OptaxSchedule:
    """`part(i, length)` for each cycle, then the end of the last."""
    limit = None if s.limit is None else _number(s.limit)
    if limit is None or limit > _CYCLES:
        raise Lacking(f"a cycle without a limit, or with one above {_CYCLES}")
    length, growth = _number(s.steps), _number(s.length_factor)
    if not isinstance(length, int) or not isinstance(growth, int):
        raise Lacking("cycles whose lengths are not whole numbers")
    lengths = [length * growth**i for i in range(limit)]
    parts = [in_optax(part(i, n)) for i, n in enumerate(lengths)]
    ends = list(accumulate(lengths))
    return _in_turn([*parts, optax.constant_schedule(s.at(ends[-1]))], ends)


def _repeated(s: Schedule) -> OptaxSchedule:
    if _number(s.value_factor) != 1:
        raise Lacking("a product of schedules")
    if _number(s.length_factor) != 1:
        raise Lacking("a schedule on another clock")
    return _cycle(s, lambda i, length: s.schedule)


def _restarts(s: Schedule) -> OptaxSchedule:
    peak, factor = _number(s.peak_value), _number(s.peak_factor)
    return _cycle(s, lambda i, n: cosine(peak * factor**i, s.end_value, n))


def _clip(s: Schedule) -> OptaxSchedule:
    """Optax has bounds for exponential decays alone."""
    if s.schedule._rule != rule_of(exponential_decay):
        raise Lacking("clip, except around an exponential_decay")
    factor = _number(s.schedule.factor)
    bound = s.min_value if factor < 1 else s.max_value
    other = s.max_value if factor < 1 else s.min_value
    if other is not None or bound is None:
        raise Lacking("a bound on that side of an exponential_decay")
    return _decay(s.schedule, end_value=_number(bound))


def _decay(s: Schedule, end_value: float | None = None) -> OptaxSchedule:
    init, factor, steps = _number(s.init_value), _number(s.factor), _number(s.steps)
    if not s.staircase and 0.9 < factor < 1.1 and factor != 1:
        return _by_e(init, math.log(factor) / steps, end_value)
    return optax.exponential_decay(
        init, steps, factor, staircase=s.staircase, end_value=end_value
    )


def _by_e(init: float, growth: float, end_value: float | None = None) -> OptaxSchedule:
    """The product init * e^(growth t); a factor near 1 would lose its digits in float32."""
    if growth == 0:
        return optax.constant_schedule(init)
    factor = math.exp(math.copysign(1.0, growth))
    steps: Any = 1 / abs(growth)
    return optax.exponential_decay(init, steps, factor, end_value=end_value)


def _stairs(s: Schedule) -> OptaxSchedule:
    init, factor, every = _number(s.init_value), _number(s.factor), _number(s.every)
    return optax.exponential_decay(init, every, factor, staircase=True)


_MAKERS: dict[Rule, Callable[[Any], OptaxSchedule]] = {
    rule_of(constructor): make
    for constructor, make in (
        (constant, lambda s: optax.constant_schedule(_number(s.value))),
        (call, lambda s: s.function),
        (linear, _line),
        (cosine, _bent("cosine")),
        (polynomial, _bent("polynomial")),
        (transition, _transition),
        (exponential, _exponential),
        (exponential_decay, _decay),
        (
            natural_exponential_decay,
            lambda s: _by_e(_number(s.init_value), -_number(s.rate)),
        ),
        (step_decay, _stairs),
        (piecewise_constant, _table),
        (multistep, _multistep),
        (piecewise_linear, _lines),
        (
            join,
            lambda s: _in_turn(
                [in_optax(part) for part in s.schedules],
                [_number(b) for b in s.boundaries],
            ),
        ),
        (warmup, _warmup),
        (cooldown, _cooldown),
        (
            delay,
            lambda s: _in_turn(
                [optax.constant_schedule(s.schedule.at(0)), in_optax(s.schedule)],
                [_number(s.steps)],
            ),
        ),
        # A boundary below 0: it began so many steps before.
        (
            shift,
            lambda s: _in_turn(
                [optax.constant_schedule(0.0), in_optax(s.schedule)],
                [-_number(s.steps)],
            ),
        ),
        (cycle, _repeated),
        (cosine_restarts, _restarts),
        (clip, _clip),
    )
}
