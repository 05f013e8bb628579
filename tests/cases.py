"""The table of cases: every law runs on every one of them.

At least one case for each public schedule, recipe and combinator, the degenerate ones
included: lengths 0 and 1, equal values, negative values, integers.
"""

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsched as js
from jaxsched.schedule import operators


def constructor(name: str) -> Callable[..., Any]:
    """What makes schedules of that name: public, or behind an operator."""
    return getattr(js, name, None) or getattr(operators, name)


@dataclass(frozen=True, eq=False)
class Case:
    """A schedule as a constructor and its arguments.

    Attributes:
      make: The constructor.
      kwargs: Its arguments.
      total: The step up to which the case is interesting.
      crosses: Whether values of both signs are mixed. Next to a zero crossing a relative
        error has no bound, so errors are measured against the largest value.
    """

    make: Callable[..., js.Schedule]
    kwargs: dict[str, Any]
    total: int = 20
    crosses: bool = False

    @cached_property
    def schedule(self) -> js.Schedule:
        """One schedule for all laws, so that it is compiled once."""
        return self.make(**self.kwargs)

    @property
    def name(self) -> str:
        return self.make.__name__

    def __str__(self) -> str:
        short = (
            f"{k}={v}"
            for k, v in self.kwargs.items()
            if isinstance(v, (int, float, str, list)) and len(str(v)) < 30
        )
        return f"{self.name}({','.join(short)})"


def case(
    make: Callable[..., js.Schedule],
    total: int = 20,
    *,
    crosses: bool = False,
    **kwargs: Any,
) -> Case:
    return Case(make, kwargs, total, crosses)


def moves() -> list[Case]:
    """Transitions, with the lengths and ends that all of them share."""
    found = []
    makes = (js.linear, js.cosine, js.polynomial, js.exponential, js.transition)
    for make in makes:
        found += [
            case(make, init_value=0.5, end_value=0.125, steps=16),
            case(make, init_value=0.125, end_value=0.5, steps=0),
            case(make, init_value=-0.5, end_value=-0.125, steps=1),
            case(make, init_value=2, end_value=1, steps=12.5),
        ]
        if make is not js.exponential:
            found.append(case(make, init_value=-1.0, end_value=0.0, steps=7))
    return [
        *found,
        case(js.linear, init_value=-1.0, end_value=1.0, steps=10, crosses=True),
        case(js.cosine, init_value=0.25, end_value=0.25, steps=10),
        case(js.exponential, init_value=0.25, end_value=0.25, steps=10),
    ]


SHAPES = [
    "linear",
    "cosine",
    "one_minus_sqrt",
    "square",
    "sqrt",
    "sine",
    "mirror_cosine",
    "inverse_proportional",
    "rex",
    "tanh",
    js.rex(beta=0.125),
    js.tanh(lower=-4.0, upper=2.0),
    js.inverse_proportional(ratio=0.25),
    js.one_minus_power(power=1.5),
    js.exponential_to_zero(ratio=0.25),
    js.exponential_to_zero(ratio=1),
    js.exponential_to_zero(ratio=4.0),
]

ramp = js.linear(0.125, 0.5, steps=6)
fall = js.cosine(0.5, 0.0, steps=10)

# More of one kind than are computed one by one.
MANY = [js.cosine(0.5, 0.125 * (i % 3), steps=i % 4) for i in range(17)]

CASES: list[Case] = [
    case(js.constant, value=0.25),
    case(js.constant, value=0.0),
    case(js.constant, value=-3),
    *moves(),
    case(js.cosine, init_value=0.5, end_value=0.125, steps=16, power=2.5),
    case(js.cosine, init_value=0.5, end_value=0.0, steps=16, time_power=0.5),
    case(js.cosine, init_value=0.5, end_value=0.0, steps=16, time_power=2.0, power=0.5),
    case(
        js.polynomial,
        init_value=0.5,
        end_value=0.0,
        steps=16,
        time_power=2.0,
        power=0.5,
    ),
    case(js.polynomial, init_value=0.5, end_value=0.125, steps=16, power=2.0),
    case(js.polynomial, init_value=0.5, end_value=0.0, steps=16, power=0.5),
    *(
        case(js.transition, init_value=0.5, end_value=0.125, steps=16, shape=shape)
        for shape in SHAPES
    ),
    case(js.exponential_decay, init_value=0.5, factor=0.75),
    case(js.exponential_decay, init_value=0.5, factor=0.5, steps=4, staircase=True),
    case(js.exponential_decay, init_value=0.5, factor=1.0, steps=4),
    case(js.exponential_decay, init_value=0.5, factor=0.875, steps=4.5),
    case(js.natural_exponential_decay, init_value=0.5, rate=0.125),
    case(js.natural_exponential_decay, init_value=0.5, rate=0.0),
    case(js.inverse_time_decay, init_value=0.5, rate=0.25),
    case(js.inverse_time_decay, init_value=0.5, rate=0.25, steps=4, power=0.75),
    case(js.inverse_time_decay, init_value=0.5, rate=0.25, steps=4, staircase=True),
    case(js.compounding_time_decay, init_value=0.5, rate=0.125),
    case(js.compounding_time_decay, init_value=0.5, rate=0.0),
    case(js.inverse_sqrt_decay, init_value=0.5, timescale=1),
    case(js.inverse_sqrt_decay, init_value=0.5, timescale=7.5),
    case(js.step_decay, init_value=0.5, factor=0.5, every=5),
    case(js.step_decay, init_value=0.5, factor=0.5, every=1),
    case(js.noam, model_size=512, warmup_steps=8),
    case(js.noam, model_size=64, warmup_steps=0, factor=0.5),
    case(js.noam, model_size=64, warmup_steps=6.5),
    case(js.power_law, max_value=0.25, scale=1.0, power=0.5),
    case(js.power_law, max_value=0.25, scale=0.5),
    case(js.piecewise_constant, boundaries=[5, 12], values=[0.5, 0.25, 0.125]),
    case(js.piecewise_constant, boundaries=[], values=[0.5]),
    case(js.piecewise_constant, boundaries=[0], values=[1, -2], crosses=True),
    case(js.multistep, init_value=0.5, boundaries=[5, 12], factor=0.25),
    case(js.multistep, init_value=0.5, boundaries=[5, 12], factors=[0.5, 0.25]),
    case(js.multistep, init_value=0.5, boundaries=[], factor=0.25),
    case(js.piecewise_linear, boundaries=[0, 5, 12], values=[0.0, 0.5, 0.125]),
    case(js.piecewise_linear, boundaries=[3, 4], values=[0.25, 0.5]),
    case(js.piecewise_linear, boundaries=[3], values=[0.25]),
    case(js.piecewise_linear, boundaries=[1.5, 7.25], values=[0.5, 0.125]),
    case(js.spline, boundaries=[0, 5, 12, 18], values=[0.0, 0.5, 0.25, 0.125]),
    case(js.spline, boundaries=[2, 9], values=[0.25, 0.5]),
    case(js.spline, boundaries=[3], values=[0.25]),
    case(js.spline, boundaries=[0.0, 6.5, 11.0], values=[0.125, 0.5, 0.25]),
    case(js.triangular, min_value=0.125, max_value=0.5, up_steps=4),
    case(js.triangular, min_value=0.0, max_value=0.5, up_steps=3, down_steps=5),
    case(js.triangular, min_value=0.125, max_value=0.5, up_steps=4, factor=0.5),
    case(js.triangular, min_value=0.125, max_value=0.5, up_steps=4, step_factor=0.9375),
    case(js.triangular, min_value=0.125, max_value=0.5, up_steps=0, down_steps=5),
    case(js.triangular, min_value=0.125, max_value=0.5, up_steps=5, down_steps=0),
    case(js.triangular, min_value=0.125, max_value=0.5, up_steps=2.5, down_steps=4),
    case(js.cosine_restarts, peak_value=0.5, end_value=0.125, steps=5),
    case(js.cosine_restarts, peak_value=0.5, end_value=0.0, steps=1),
    case(
        js.cosine_restarts,
        peak_value=0.5,
        end_value=0.125,
        steps=3,
        length_factor=2,
        peak_factor=0.5,
    ),
    case(
        js.cosine_restarts,
        peak_value=0.5,
        end_value=0.0,
        steps=4,
        length_factor=1.5,
        limit=2,
    ),
    case(js.cosine_restarts, peak_value=0.5, end_value=0.0, steps=4.5),
    case(js.join, schedules=[ramp, fall], boundaries=[6]),
    case(js.join, schedules=[0.25], boundaries=[]),
    case(js.join, schedules=[ramp, 0.5, fall], boundaries=[6, 9]),
    case(
        js.join,
        32,
        schedules=[ramp, *MANY[:8], 0.5, *MANY[8:], fall],
        boundaries=[0, 3, 5, *range(6, 21), 30],
    ),
    case(js.join, schedules=[ramp, fall], boundaries=[0]),
    case(js.join, schedules=[ramp, js.multistep(1.0, [2, 3], 0.5)], boundaries=[5.5]),
    case(js.warmup, schedule=fall, steps=5),
    case(js.warmup, schedule=fall, steps=0),
    case(js.warmup, schedule=fall, steps=1),
    case(js.warmup, schedule=fall, steps=5, init_value=0.0),
    case(js.warmup, schedule=fall, steps=5, init_value=1.0, shape="cosine"),
    case(js.warmup, schedule=fall, steps=5, init_value=0.0, overlap=True),
    case(js.warmup, schedule=fall, steps=5.5, overlap=True),
    case(js.warmup, schedule=0.5, steps=5, shape=js.rex(beta=0.25)),
    case(js.cooldown, schedule=ramp, begin=4, steps=8),
    case(js.cooldown, schedule=ramp, begin=4, steps=8, freeze=False),
    case(js.cooldown, schedule=ramp, begin=4, steps=0),
    case(js.cooldown, schedule=fall, begin=0, steps=8, shape="one_minus_sqrt"),
    case(
        js.cooldown,
        schedule=fall,
        begin=4.5,
        steps=8.5,
        end_value=0.125,
        shape="square",
    ),
    case(js.cycle, schedule=fall, steps=6),
    case(js.cycle, schedule=fall, steps=5, value_factor=0.5, limit=2),
    case(js.cycle, schedule=fall, steps=4, length_factor=2),
    case(js.cycle, schedule=fall, steps=3, length_factor=1.5, limit=3),
    case(js.cycle, schedule=fall, steps=5.5),
    case(js.staircase, schedule=fall, every=4),
    case(js.staircase, schedule=fall, every=1),
    case(js.per, schedule=ramp, every=1),
    case(js.per, schedule=js.cycle(fall, 3), every=4),
    case(js.per, schedule=fall, every=2.5),
    case(js.per, schedule=fall, every=2),
    case(js.delay, schedule=fall, steps=4),
    case(js.delay, schedule=fall, steps=0),
    case(js.shift, schedule=fall, steps=4),
    case(js.shift, schedule=fall, steps=2.5),
    case(js.shift, schedule=js.step_decay(0.5, 0.5, every=10), steps=1),
    case(js.shift, schedule=js.inverse_sqrt_decay(0.5, timescale=7.5), steps=2.5),
    case(js.stretch, schedule=fall, factor=2.0),
    case(js.stretch, schedule=fall, factor=0.5),
    case(js.reverse, schedule=ramp, steps=6),
    case(js.reverse, schedule=ramp, steps=0),
    case(js.retime, schedule=fall, clock=js.linear(0.0, 8.0, steps=4)),
    case(js.noise, schedule=fall, scale=0.5, seed=1),
    case(js.noise, schedule=fall, scale=0.25, seed=2, distribution="uniform", every=3),
    case(js.choose, index=0, schedules=[0.5]),
    case(js.choose, index=0, schedules=[fall, -0.5, js.cosine_restarts(0.5, 0.0, 4)]),
    case(js.choose, index=1, schedules=[ramp, js.multistep(0.5, [3, 9], 0.5), fall]),
    case(js.choose, index=2, schedules=[ramp, 0.5, fall]),
    case(js.clip, schedule=fall, min_value=0.125),
    case(js.clip, schedule=fall, max_value=0.25),
    case(js.clip, schedule=fall, min_value=0.125, max_value=0.25),
    case(js.maximum, first=ramp, second=fall),
    case(js.minimum, first=ramp, second=0.25),
    case(operators.add, first=ramp, second=fall),
    case(operators.subtract, first=ramp, second=fall, crosses=True),
    case(operators.multiply, first=ramp, second=2),
    case(operators.divide, first=fall, second=ramp),
    case(operators.negative, schedule=fall),
    case(js.warmup_constant, peak_value=0.5, warmup_steps=5),
    case(js.warmup_linear, peak_value=0.5, total_steps=15, warmup_steps=5),
    case(js.warmup_linear, peak_value=0.5, total_steps=5, warmup_steps=5),
    case(js.warmup_cosine, peak_value=0.5, total_steps=15, warmup_steps=5),
    case(js.warmup_cosine, peak_value=0.5, total_steps=5, warmup_steps=5),
    case(
        js.warmup_cosine,
        peak_value=0.5,
        total_steps=15,
        warmup_steps=0,
        end_value=0.125,
        init_value=0.0,
    ),
    case(js.warmup_exponential, peak_value=0.5, warmup_steps=5, factor=0.75),
    case(
        js.warmup_exponential,
        peak_value=0.5,
        warmup_steps=5,
        factor=0.5,
        decay_steps=4,
        staircase=True,
        init_value=0.125,
    ),
    case(js.warmup_inverse_sqrt, peak_value=0.5, warmup_steps=5),
    case(js.warmup_inverse_sqrt, peak_value=0.5, warmup_steps=0, timescale=9),
    case(js.wsd, peak_value=0.5, total_steps=18, warmup_steps=4, decay_steps=6),
    case(
        js.wsd,
        peak_value=0.5,
        total_steps=18,
        warmup_steps=0,
        decay_steps=18,
        end_value=0.125,
        shape="one_minus_sqrt",
    ),
    case(js.wsd, peak_value=0.5, total_steps=18, warmup_steps=18, decay_steps=0),
    case(js.one_cycle, peak_value=0.5, total_steps=16, warmup_steps=5),
    case(js.one_cycle, peak_value=0.5, total_steps=16, warmup_steps=16),
    case(js.one_cycle, peak_value=0.5, total_steps=16, warmup_steps=5, phases=3),
    case(
        js.one_cycle,
        peak_value=0.5,
        total_steps=16,
        warmup_steps=0,
        init_value=0.25,
        end_value=0.125,
        phases=3,
        shape="linear",
    ),
    case(js.slanted_triangular, peak_value=0.5, total_steps=16, warmup_steps=4),
    case(js.flat_cosine, peak_value=0.5, total_steps=16, decay_steps=6),
]

IDS = [f"{i}-{c}" for i, c in enumerate(CASES)]


def interesting_steps(c: Case) -> np.ndarray:
    """Every step up to the total and a little beyond, and some far away."""
    steps = [*range(c.total + 3), 100, 2**24 + 1, 2**31 - 1]
    # Of few lengths, so that what is computed operation by operation is compiled once.
    return np.array(steps + steps[-1:] * (-len(steps) % 32), np.int32)


def float_dtype() -> Any:
    """float32, or float64 under x64."""
    return np.dtype(jnp.result_type(float))


# The last case of every constructor.
ONE_OF_EACH = list({c.make: c for c in CASES}.values())


def thorough(cases: Iterable[Any], usual: Container[Any]) -> list[Any]:
    """Cases for a law that takes long: all but the usual ones are for the slow run."""
    slow = pytest.mark.slow
    return [c if c in usual else pytest.param(c, marks=slow) for c in cases]


# All cases, one of each constructor outside of the slow run.
each_constructor = pytest.mark.parametrize("c", thorough(CASES, ONE_OF_EACH), ids=IDS)

# Those that run together are compiled together.
_IN_ORDER = [*ONE_OF_EACH, *(c for c in CASES if c not in ONE_OF_EACH)]


def in_groups(
    evaluate: Callable[..., Any],
    inputs: Callable[..., tuple[Any, ...]],
    *,
    size: int = 16,
) -> Callable[..., Any]:
    """Gives `evaluate(c, *inputs(c, *which))` as a function of a case `c` and `which`.

    A program of sixteen cases compiles in less than half the time of sixteen programs.
    It is compiled when one of its cases is asked for.
    """

    @cache
    def program(first: int) -> Callable[[list[Any]], list[Any]]:
        cases = _IN_ORDER[first : first + size]
        return jax.jit(
            lambda given: [evaluate(c, *x) for c, x in zip(cases, given, strict=True)]
        )

    @cache
    def results(first: int, which: tuple[Any, ...]) -> list[Any]:
        cases = _IN_ORDER[first : first + size]
        return program(first)([inputs(c, *which) for c in cases])

    def result(c: Case, *which: Any) -> Any:
        group, place = divmod(_IN_ORDER.index(c), size)
        return results(group * size, which)[place]

    return result


def ulps(a: Any, b: Any, *, scale: float = 0.0) -> float:
    """The largest of `differences`."""
    return float(np.max(differences(a, b, scale=scale), initial=0.0))


def differences(a: Any, b: Any, *, scale: float = 0.0) -> np.ndarray:
    """Differences in units of the last place of the larger of both.

    `scale` is a magnitude below which numbers are not asked to be relatively precise;
    denormal numbers never are.
    """
    dtype = float_dtype()
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    size = np.maximum(np.maximum(np.abs(a), np.abs(b)), scale)
    size = np.maximum(size, float(np.finfo(dtype).tiny))
    unit = np.spacing(size.astype(dtype)).astype(np.float64)
    return np.abs(a - b) / unit


def scale_of(c: Case) -> float:
    """The `scale` for `ulps` on a case."""
    if not c.crosses:
        return 0.0
    values = np.abs(np.asarray(c.schedule(interesting_steps(c)), np.float64))
    return float(np.max(values))


# Their values are powers whose exponent grows with the step.
EXPONENTIALS = {
    js.exponential,
    js.exponential_decay,
    js.natural_exponential_decay,
    js.compounding_time_decay,
    js.step_decay,
    js.warmup_exponential,
}
EXPONENTS = {"power", "time_power"}


def amplified(c: Case, values: Any) -> np.ndarray:
    """The ulps that a case may be off by, beyond those that every case may.

    They are 2 |log2(value / first value)| where an exponent amplifies rounding: in an
    exponential, shifted or not, or in a curve that was given an exponent. First values
    are about 1/2.
    """
    shifted = c.kwargs["schedule"]._rule.name if c.make is js.shift else None
    exponentials = {make.__name__ for make in EXPONENTIALS}
    has_exponent = exponentials & {c.name, shifted} or EXPONENTS & c.kwargs.keys()
    size = np.maximum(np.abs(np.asarray(values, np.float64)), 1e-37)
    return 2 * np.abs(np.log2(size / 0.5)) * bool(has_exponent)
