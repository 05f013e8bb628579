"""Every schedule once more, in NumPy: the formulas of the papers and the docstrings.

Shares no code with the library and does not import it. Each function here has the name
and the arguments of a public one and returns a plain function from an array of steps to
an array of float64.

The numbers are meant to be true to about 1e-15 of their size at every step up to
2^31 - 1. Differences of steps are taken between integers, everything after them is
computed in long double, and where a formula as it is printed would cancel, an equal
one stands in its place: (1 + cos(pi u)) / 2 is sin^2(pi (1 - u) / 2). Whatever must be
whole (which cycle, which stair) is found with Python's integers and fractions, where a
float means the decimal number that it prints as.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

import numpy as np

real = np.longdouble
PI = real("3.14159265358979323846264338327950288")
LAST_STEP = 2**31 - 1


# Numbers and steps.


def _real(value):
    """A hyperparameter as a long double."""
    return real(value) if isinstance(value, int) else real(float(value))


def _length(value):
    """A number of steps: an int if it is whole, so that differences are exact."""
    whole = float(value).is_integer() and abs(value) < 2**62
    return int(value) if whole else _real(value)


def _exact(value):
    """A hyperparameter as the decimal number that it prints as."""
    return Fraction(str(value))


def _steps(steps):
    """Steps as int64 if they are integers and long double if not, none below 0."""
    steps = np.asarray(steps)
    kind = np.int64 if steps.dtype.kind in "biu" else real
    return np.maximum(steps.astype(kind), 0)


def _rule(rule):
    """A function of clean steps as one that takes any and returns float64."""

    def schedule(steps):
        steps = _steps(steps)
        with np.errstate(all="ignore"):
            values = np.asarray(rule(steps), dtype=np.float64)
        return np.broadcast_to(values, steps.shape).copy()

    return schedule


def _part(part):
    """What a combinator holds: a function of the step, or a number as a constant."""
    return _rule(part) if callable(part) else constant(part)


def _fractions(t, steps):
    """The elapsed and the remaining fraction of a length, which may be 0."""
    t = np.minimum(t, steps)
    divisor = np.where(steps == 0, 1, steps).astype(real)
    elapsed = np.where(steps == 0, 1, t / divisor)
    remaining = np.where(steps == 0, 0, (steps - t) / divisor)
    return elapsed, remaining


def _divmod(t, period):
    """How often a period fits into each step, exactly, and what is left over."""
    if isinstance(_length(period), int) and t.dtype == np.int64:
        return np.divmod(t, int(period))
    period = _exact(period)
    times = (Fraction(*time.as_integer_ratio()) for time in t.astype(real).flat)
    pairs = [divmod(time, period) for time in times]
    turns = np.array([float(turn) for turn, _ in pairs], real)
    rests = np.array([_from_fraction(rest) for _, rest in pairs], real)
    return turns.reshape(t.shape), rests.reshape(t.shape)


def _from_fraction(fraction):
    """A fraction as a long double, of two numbers that need not fit into 64 bits."""
    high = float(fraction)
    return real(high) + real(float(fraction - Fraction(high)))


def _turns(t, period, whole):
    """How often a period fits into each step, or only the completed times."""
    return _divmod(t, period)[0] if whole else t / _real(period)


def _raised(base, rest, power):
    """(base^power, 1 - base^power) for base = 1 - rest between 0 and 1."""
    logarithm = np.where(rest < 0.5, np.log1p(-rest), np.log(base))
    return np.exp(power * logarithm), -np.expm1(power * logarithm)


def _grown(value, base, exponent):
    """Value base^exponent for a positive base, 0 for the value 0 at any exponent."""
    return np.where(value == 0, 0, value * np.exp(exponent * np.log(_real(base))))


# Shapes: the weights of the start and of the end of a move.


@dataclass(frozen=True)
class Shape:
    """A unit curve; called with the elapsed fraction it returns its fall."""

    weights: Callable  # (elapsed, remaining) -> (fall, rise), neither cancelled

    def __call__(self, u):
        """The weight of the value that a move leaves."""
        u = np.asarray(u, real)
        with np.errstate(all="ignore"):
            return self.weights(u, 1 - u)[0]


def _cosine(u, r):
    """(1 + cos(pi u)) / 2, and one minus it."""
    return np.sin(PI / 2 * r) ** 2, np.sin(PI / 2 * u) ** 2


def _mirror_cosine(u, r):
    """2 (1 - u) - (1 + cos(pi u)) / 2, and one minus it."""
    fall, rise = _cosine(u, r)
    return 2 * r - fall, 2 * u - rise


def _one_minus_sqrt(u, r):
    """1 - sqrt(u) = (1 - u) / (1 + sqrt(u)), and one minus it."""
    return r / (1 + np.sqrt(u)), np.sqrt(u)


def _sqrt(u, r):
    """sqrt(1 - u), and one minus it, which is u / (1 + sqrt(1 - u))."""
    return np.sqrt(r), u / (1 + np.sqrt(r))


def _sine(u, r):
    """1 - sin(pi u / 2) = 2 sin^2(pi (1 - u) / 4), and one minus it."""
    return 2 * np.sin(PI / 4 * r) ** 2, np.sin(PI / 2 * u)


def rex(beta=0.5):
    """(1 - u) / (1 - u + beta u); Chen et al. (2021)."""
    beta = _real(beta)
    return Shape(lambda u, r: (r / (r + beta * u), beta * u / (r + beta * u)))


def inverse_proportional(ratio=0.1):
    """The value is 1 / (u / end + (1 - u) / init) if ratio = end / init; WSD-S."""
    ratio = _real(ratio)
    return Shape(lambda u, r: (ratio * r / (ratio * r + u), u / (ratio * r + u)))


def one_minus_power(power=0.5):
    """1 - u^power, of whichever of u and 1 - u is small."""
    power = _real(power)

    def weights(u, r):
        with np.errstate(divide="ignore"):
            logarithm = np.where(u > 0.5, np.log1p(-np.minimum(r, 0.5)), np.log(u))
        return -np.expm1(power * logarithm), u**power

    return Shape(weights)


def exponential_to_zero(ratio=0.1):
    """(ratio^u - ratio) / (1 - ratio)."""
    rate = np.log(_real(ratio))
    if rate == 0:
        return Shape(lambda u, r: (r, u))
    return Shape(
        lambda u, r: (
            np.expm1(-rate * r) / np.expm1(-rate),
            np.expm1(rate * u) / np.expm1(rate),
        )
    )


def tanh(lower=-7.0, upper=3.0):
    """1 / (1 + e^(2x)) for x = lower (1 - u) + upper u; Hsueh et al. (2018)."""
    lower, upper = _real(lower), _real(upper)

    def weights(u, r):
        twice = 2 * (lower * r + upper * u)
        return 1 / (1 + np.exp(twice)), 1 / (1 + np.exp(-twice))

    return Shape(weights)


SHAPES = {
    "linear": Shape(lambda u, r: (r, u)),
    "cosine": Shape(_cosine),
    "mirror_cosine": Shape(_mirror_cosine),
    "one_minus_sqrt": Shape(_one_minus_sqrt),
    "square": Shape(lambda u, r: (r * (1 + u), u * u)),
    "sqrt": Shape(_sqrt),
    "sine": Shape(_sine),
    "rex": rex(),
    "inverse_proportional": inverse_proportional(),
    "one_minus_power": one_minus_power(),
    "exponential_to_zero": exponential_to_zero(),
    "tanh": tanh(),
}


def _weights(shape, t, steps):
    """Fall and rise of a named shape, a `Shape` or a function u -> fall."""
    u, r = _fractions(t, steps)
    shape = SHAPES[shape] if isinstance(shape, str) else shape
    if isinstance(shape, Shape):
        return shape.weights(u, r)
    return shape(u), 1 - shape(u)


# Transitions.


def constant(value):
    """s(t) = value."""
    return _rule(lambda t: _real(value))


def transition(init_value, end_value, steps, shape="cosine"):
    """s(t) = init fall(u) + end rise(u)."""
    init_value, end_value, steps = _real(init_value), _real(end_value), _length(steps)

    @_rule
    def schedule(t):
        fall, rise = _weights(shape, t, steps)
        return init_value * fall + end_value * rise

    return schedule


def linear(init_value, end_value, steps):
    """s(t) = init (1 - u) + end u."""
    return transition(init_value, end_value, steps, "linear")


def cosine(init_value, end_value, steps, *, power=1.0, time_power=1.0):
    """s(t) = end + (init - end) ((1 + cos(pi u^time_power)) / 2)^power; SGDR (5)."""

    def weights(u, r):
        return _raised(*_cosine(*_raised(u, r, _real(time_power))), _real(power))

    return transition(init_value, end_value, steps, Shape(weights))


def polynomial(init_value, end_value, steps, *, power=1.0, time_power=1.0):
    """s(t) = end + (init - end) (1 - u^time_power)^power; k-decay."""

    def weights(u, r):
        bent, rest = _raised(u, r, _real(time_power))
        return _raised(rest, bent, _real(power))

    return transition(init_value, end_value, steps, Shape(weights))


def exponential(init_value, end_value, steps):
    """s(t) = init (end / init)^u."""
    init_value, end_value, steps = _real(init_value), _real(end_value), _length(steps)

    @_rule
    def schedule(t):
        u, r = _fractions(t, steps)
        slope = np.log(np.abs(end_value)) - np.log(np.abs(init_value))
        first = init_value * np.exp(slope * u)
        second = end_value * np.exp(-slope * r)
        return np.where(u < r, first, second)

    return schedule


# Decays.


def exponential_decay(init_value, factor, steps=1, *, staircase=False):
    """s(t) = init factor^(t / steps)."""

    @_rule
    def schedule(t):
        return _grown(_real(init_value), factor, _turns(t, steps, staircase))

    return schedule


def natural_exponential_decay(init_value, rate):
    """s(t) = init e^(-rate t)."""
    return _rule(lambda t: _real(init_value) * np.exp(-_real(rate) * t))


def inverse_time_decay(init_value, rate, steps=1, *, power=1.0, staircase=False):
    """s(t) = init / (1 + rate t / steps)^power."""

    @_rule
    def schedule(t):
        base = 1 + _real(rate) * _turns(t, steps, staircase)
        return _real(init_value) * np.exp(-_real(power) * np.log(base))

    return schedule


def compounding_time_decay(init_value, rate):
    """s(t) = init / ((1 + rate) (1 + 2 rate) ... (1 + t rate))."""
    init_value, rate = _real(init_value), _real(rate)
    return _rule(lambda t: init_value * np.exp(-_sum_of_logs(rate, np.floor(t))))


def _sum_of_logs(rate, t, direct=20_000):
    """The sum of log(1 + rate j) for j = 1 ... t."""
    sums = np.cumsum(np.log1p(rate * np.arange(direct + 1, dtype=real)))
    series = _series_of_logs(rate, t.astype(real))
    # Past the direct sum either the series converges fast or the sum is above 2000.
    series = np.where(rate * t < 0.25, series, np.inf)
    return np.where(t <= direct, sums[np.minimum(t, direct).astype(int)], series)


def _series_of_logs(rate, t):
    """The same for rate t < 1/4 and large t: log1p's series, summed over j."""
    total = np.zeros_like(t)
    for k in range(40, 0, -1):
        # t^-k (1^k + ... + t^k) by Faulhaber; the next term is of size t^-3.
        powers = t / (k + 1) + real(1) / 2 + real(k) / 12 / np.maximum(t, 1)
        powers = powers if k > 1 else (t + 1) / 2
        total += (-1) ** (k + 1) * (rate * t) ** k / k * powers
    return total


def inverse_sqrt_decay(init_value, timescale):
    """s(t) = init / sqrt(1 + t / timescale)."""

    @_rule
    def schedule(t):
        return _real(init_value) / np.sqrt(1 + t / _real(timescale))

    return schedule


def step_decay(init_value, factor, every):
    """s(t) = init factor^floor(t / every)."""

    @_rule
    def schedule(t):
        return _grown(_real(init_value), factor, _turns(t, every, True))

    return schedule


def noam(model_size, warmup_steps, factor=1.0):
    """s(t) = factor model_size^-0.5 min(n^-0.5, n warmup_steps^-1.5), n = t + 1."""
    scale = _real(factor) / np.sqrt(_real(model_size))
    warmup_steps = _real(warmup_steps)

    @_rule
    def schedule(t):
        n = (t + 1).astype(real)
        ramp = n / (warmup_steps * np.sqrt(warmup_steps))
        return scale * np.where(n < warmup_steps, ramp, 1 / np.sqrt(n))

    return schedule


def power_law(max_value, scale, power=0.51):
    """s(t) = min(max_value, scale t^-power); Power Scheduler (7)."""

    @_rule
    def schedule(t):
        falling = _real(scale) * np.exp(-_real(power) * np.log(t.astype(real)))
        return np.where(t == 0, _real(max_value), np.minimum(_real(max_value), falling))

    return schedule


# Tables.


def _table(numbers):
    """A list of numbers as long doubles."""
    return np.array([_real(number) for number in np.atleast_1d(numbers)], real)


def _passed(boundaries, t):
    """How many boundaries are not after each step."""
    return np.searchsorted(_table(boundaries), t.astype(real), side="right")


def piecewise_constant(boundaries, values):
    """s(t) = values[i], where i boundaries are not after t."""
    return _rule(lambda t: _table(values)[_passed(boundaries, t)])


def multistep(init_value, boundaries, factor=None, *, factors=None):
    """s(t) = init times the factors of all boundaries that are not after t."""
    if factors is None:
        factors = [factor] * len(np.atleast_1d(boundaries))
    values = np.cumprod([_real(init_value), *_table(factors)])
    return piecewise_constant(boundaries, values)


def _interval(boundaries, t):
    """The points on both sides of t, the elapsed and remaining part, the length."""
    last = len(boundaries) - 1
    before = np.clip(_passed(boundaries, t) - 1, 0, last)
    after = np.minimum(before + 1, last)
    starts, ends = boundaries[before], boundaries[after]
    since = np.maximum(t - starts, 0)
    return before, after, *_fractions(since, ends - starts), ends - starts


def piecewise_linear(boundaries, values):
    """s(t) = values[i] (1 - u) + values[i + 1] u."""
    boundaries, values = _table(boundaries), _table(values)

    @_rule
    def schedule(t):
        before, after, u, r, _ = _interval(boundaries, t)
        return values[before] * r + values[after] * u

    return schedule


def spline(boundaries, values):
    """The cubic through the values with the slopes of Fritsch and Butland (1984)."""
    boundaries, values = _table(boundaries), _table(values)
    slopes = _slopes(np.diff(boundaries), values)

    @_rule
    def schedule(t):
        i, j, u, r, length = _interval(boundaries, t)
        ends = values[i] * r**2 * (1 + 2 * u) + values[j] * u**2 * (3 - 2 * u)
        return ends + length * u * r * (slopes[i] * r - slopes[j] * u)

    return schedule


def _slopes(lengths, values):
    """The slope at each point."""
    if len(values) == 1:
        return np.zeros_like(values)
    secants = np.diff(values) / lengths
    if len(values) == 2:
        return np.repeat(secants, 2)
    inner = [
        _inner_slope(*lengths[i : i + 2], *secants[i : i + 2])
        for i in range(len(secants) - 1)
    ]
    first = _end_slope(*lengths[:2], *secants[:2])
    last = _end_slope(*lengths[:-3:-1], *secants[:-3:-1])
    return np.array([first, *inner, last], real)


def _inner_slope(length, next_length, secant, next_secant):
    """The weighted harmonic mean of two secants, 0 where they differ in sign."""
    if np.sign(secant) * np.sign(next_secant) <= 0:
        return real(0)
    weight, next_weight = length + 2 * next_length, 2 * length + next_length
    return (weight + next_weight) / (weight / secant + next_weight / next_secant)


def _end_slope(length, next_length, secant, next_secant):
    """The one-sided three-point slope, kept from overshooting."""
    change = length / (length + next_length) * (secant - next_secant)
    slope = secant + change
    if np.sign(slope) != np.sign(secant):
        return real(0)
    if np.sign(secant) != np.sign(next_secant) and abs(slope) > abs(3 * secant):
        return 3 * secant
    return slope


# Cycles.


def triangular(
    min_value, max_value, up_steps, down_steps=None, *, factor=1.0, step_factor=1.0
):
    """s(t) = min + (max - min) h factor^c step_factor^t; Smith (2017)."""
    down_steps = up_steps if down_steps is None else down_steps
    up, down = _length(up_steps), _length(down_steps)

    @_rule
    def schedule(t):
        turns, since = _divmod(t, _exact(up_steps) + _exact(down_steps))
        height, depth = _fractions(since, up)
        fallen, left = _fractions(np.maximum(since - up, 0), down)
        rising = since < up
        height, depth = np.where(rising, height, left), np.where(rising, depth, fallen)
        growth = turns * np.log(_real(factor)) + t * np.log(_real(step_factor))
        depth = depth - height * np.expm1(growth)  # 1 - h g = 1 - h + h (1 - g)
        values = _real(min_value) * depth + _real(max_value) * height * np.exp(growth)
        return np.where(height == 0, _real(min_value), values)

    return schedule


@lru_cache(maxsize=256)
def _first_steps(steps, factor, largest):
    """First steps of cycles, each factor times as long, until one is above largest."""
    edges, p, q = [0], factor.numerator, factor.denominator
    grown, shrunk = p, q  # p^i, q^i
    while edges[-1] <= largest:
        # steps (1 + m + ... + m^(i-1)) for m = p/q is steps (p^i - q^i) q^(1-i) / (p-q)
        above = steps.numerator * (grown - shrunk)
        below = steps.denominator * (p - q) * (shrunk // q)
        edges.append(-(-above // below))
        grown, shrunk = grown * p, shrunk * q
    return edges


def _equal_cycles(t, steps):
    """Index of the cycle, steps since its first step, its length: equal cycles."""
    turn = _divmod(np.floor(t).astype(np.int64), steps)[0]
    if isinstance(_length(steps), int):
        return turn, t - turn * int(steps), np.broadcast_to(int(steps), t.shape)
    starts, ends = (
        np.array([math.ceil(int(i) * _exact(steps)) for i in (turn + extra).flat])
        for extra in (0, 1)
    )
    starts, ends = starts.reshape(t.shape), ends.reshape(t.shape)
    return turn, t - starts, ends - starts


def _cycles(t, steps, factor, limit):
    """Index of the cycle, steps since its first step, its length, if all are over."""
    if _exact(factor) == 1:
        turn, since, length = _equal_cycles(t, steps)
    else:
        largest = max(LAST_STEP, int(np.max(t, initial=0)))
        edges = _first_steps(_exact(steps), _exact(factor), largest)
        starts = np.array(edges[:-1], np.int64)
        # A cycle that ends beyond 2^53 is known to a part in 2^53, which is enough.
        lengths = np.array([float(b - a) for a, b in pairwise(edges)], real)
        turn = np.searchsorted(starts, t, side="right") - 1
        since, length = t - starts[turn], lengths[turn]
    over = turn >= limit if limit is not None else np.zeros(t.shape, bool)
    return turn, since, length, over


def cosine_restarts(
    peak_value, end_value, steps, *, length_factor=1, peak_factor=1.0, limit=None
):
    """s(t) = end + (peak peak_factor^i - end) (1 + cos(pi u)) / 2; SGDR (5)."""

    @_rule
    def schedule(t):
        turn, since, length, over = _cycles(t, steps, length_factor, limit)
        fall, rise = _cosine(*_fractions(since, length))
        peak = _grown(_real(peak_value), peak_factor, turn)
        return np.where(over, _real(end_value), peak * fall + _real(end_value) * rise)

    return schedule


# Combinators.


def join(schedules, boundaries):
    """s(t) = schedules[i](t - b_i), where i boundaries are not after t."""
    parts = [_part(part) for part in schedules]
    starts = [0, *(_length(boundary) for boundary in boundaries)]

    @_rule
    def schedule(t):
        values = np.zeros(t.shape)
        for part, start in zip(parts, starts, strict=True):
            values = np.where(t >= start, part(t - start), values)
        return values

    return schedule


def warmup(schedule, steps, init_value=None, shape="linear", *, overlap=False):
    """A ramp from init to schedule(0), then schedule(t - steps)."""
    inner, steps = _part(schedule), _length(steps)

    @_rule
    def warmed(t):
        top = inner(t if overlap else np.zeros_like(t)).astype(real)
        start = top / (steps + 1) if init_value is None else _real(init_value)
        fall, rise = _weights(shape, t, steps)
        after = inner(t if overlap else t - steps)
        return np.where(t < steps, start * fall + top * rise, after)

    return warmed


def cooldown(schedule, begin, steps, end_value=0.0, shape="linear", *, freeze=True):
    """The schedule, from `begin` on schedule(begin) fall(u) + end rise(u)."""
    inner, begin, steps = _part(schedule), _length(begin), _length(steps)

    @_rule
    def cooled(t):
        before = inner(t).astype(real)
        top = inner(begin).astype(real) if freeze else before
        fall, rise = _weights(shape, np.maximum(t - begin, 0), steps)
        return np.where(t < begin, before, top * fall + _real(end_value) * rise)

    return cooled


def cycle(schedule, steps, length_factor=1, value_factor=1.0, *, limit=None):
    """s(t) = value_factor^i schedule((t - b_i) steps / n_i)."""
    inner = _part(schedule)

    @_rule
    def cycled(t):
        turn, since, length, over = _cycles(t, steps, length_factor, limit)
        if np.any(length != _length(steps)):
            since = since * _real(steps) / length
        turn = turn if limit is None else np.minimum(turn, limit - 1)
        values = np.where(over, inner(_length(steps)), inner(since))
        return _grown(values, value_factor, turn)

    return cycled


def staircase(schedule, every):
    """s(t) = schedule(every floor(t / every))."""
    inner = _part(schedule)
    return _rule(lambda t: inner(_turns(t, every, True) * _length(every)))


def per(schedule, every):
    """s(t) = schedule(floor(t / every))."""
    inner = _part(schedule)
    return _rule(lambda t: inner(_turns(t, every, True)))


def delay(schedule, steps):
    """s(t) = schedule(max(t - steps, 0))."""
    inner = _part(schedule)
    return _rule(lambda t: inner(np.maximum(t - _length(steps), 0)))


def shift(schedule, steps):
    """s(t) = schedule(t + steps)."""
    inner = _part(schedule)
    return _rule(lambda t: inner(t + _length(steps)))


def stretch(schedule, factor):
    """s(t) = schedule(t / factor)."""
    inner, factor = _part(schedule), _exact(factor)
    top, bottom = Fraction(factor.numerator), Fraction(factor.denominator)
    return _rule(lambda t: inner(t * _from_fraction(bottom) / _from_fraction(top)))


def reverse(schedule, steps):
    """s(t) = schedule(max(steps - t, 0))."""
    inner = _part(schedule)
    return _rule(lambda t: inner(np.maximum(_length(steps) - t, 0)))


def retime(schedule, clock):
    """s(t) = schedule(clock(t))."""
    inner = _part(schedule)
    return _rule(lambda t: inner(clock(t)))


def choose(index, schedules):
    """s(t) = schedules[index](t)."""
    return _part(schedules[index])


# Schedules combined value by value.


def clip(schedule, min_value=None, max_value=None):
    """s(t) = min(max(schedule(t), min_value), max_value)."""
    inner = _part(schedule)
    least = -np.inf if min_value is None else _real(min_value)
    most = np.inf if max_value is None else _real(max_value)
    return _rule(lambda t: np.minimum(np.maximum(inner(t), least), most))


def _valuewise(operation, *schedules):
    """An operation on the values of schedules."""
    parts = [_part(part) for part in schedules]
    return _rule(lambda t: operation(*(part(t) for part in parts)))


def maximum(first, second):
    """s(t) = max(first(t), second(t))."""
    return _valuewise(np.maximum, first, second)


def minimum(first, second):
    """s(t) = min(first(t), second(t))."""
    return _valuewise(np.minimum, first, second)


def add(first, second):
    """s(t) = first(t) + second(t)."""
    return _valuewise(np.add, first, second)


def subtract(first, second):
    """s(t) = first(t) - second(t)."""
    return _valuewise(np.subtract, first, second)


def multiply(first, second):
    """s(t) = first(t) second(t)."""
    return _valuewise(np.multiply, first, second)


def divide(first, second):
    """s(t) = first(t) / second(t)."""
    return _valuewise(np.divide, first, second)


def negative(schedule):
    """s(t) = -schedule(t)."""
    return _valuewise(np.negative, schedule)


# Recipes.


def _ramped(peak_value, schedule, steps, init_value=None, shape="linear"):
    """A ramp from init to peak, then schedule(t - steps)."""
    return join([warmup(peak_value, steps, init_value, shape), schedule], [steps])


def warmup_constant(peak_value, warmup_steps, *, init_value=None):
    """A ramp to a constant."""
    return warmup(peak_value, warmup_steps, init_value)


def warmup_linear(
    peak_value, total_steps, warmup_steps, end_value=0.0, *, init_value=None
):
    """A ramp, then a straight line to the end of the run."""
    decay = linear(peak_value, end_value, total_steps - warmup_steps)
    return _ramped(peak_value, decay, warmup_steps, init_value)


def warmup_cosine(
    peak_value, total_steps, warmup_steps, end_value=0.0, *, init_value=None
):
    """A ramp, then half a cosine to the end of the run."""
    decay = cosine(peak_value, end_value, total_steps - warmup_steps)
    return _ramped(peak_value, decay, warmup_steps, init_value)


def warmup_exponential(
    peak_value, warmup_steps, factor, decay_steps=1, *, staircase=False, init_value=None
):
    """A ramp, then factor^(t / decay_steps)."""
    decay = exponential_decay(peak_value, factor, decay_steps, staircase=staircase)
    return warmup(decay, warmup_steps, init_value)


def warmup_inverse_sqrt(peak_value, warmup_steps, timescale=None, *, init_value=None):
    """A ramp, then peak / sqrt(1 + t / timescale)."""
    timescale = warmup_steps if timescale is None else timescale
    return warmup(inverse_sqrt_decay(peak_value, timescale), warmup_steps, init_value)


def wsd(
    peak_value,
    total_steps,
    warmup_steps,
    decay_steps,
    end_value=0.0,
    *,
    shape="linear",
    init_value=None,
):
    """A ramp, a constant, and a decay over the last steps; MiniCPM (1)."""
    stable = warmup(peak_value, warmup_steps, init_value)
    return cooldown(stable, total_steps - decay_steps, decay_steps, end_value, shape)


def one_cycle(
    peak_value,
    total_steps,
    warmup_steps,
    *,
    init_value=None,
    end_value=None,
    shape="cosine",
    phases=2,
):
    """Up to the peak and down to the end, in three phases by way of the start."""
    init_value = peak_value / 25 if init_value is None else init_value
    end_value = init_value / 10_000 if end_value is None else end_value
    rest = total_steps - warmup_steps
    if phases == 2:
        down = transition(peak_value, end_value, rest, shape)
    else:
        back = transition(peak_value, init_value, warmup_steps, shape)
        low = transition(init_value, end_value, rest - warmup_steps, shape)
        down = join([back, low], [warmup_steps])
    return _ramped(peak_value, down, warmup_steps, init_value, shape)


def slanted_triangular(peak_value, total_steps, warmup_steps, *, min_value=None):
    """A short line up and a long line down; ULMFiT (3)."""
    min_value = peak_value / 32 if min_value is None else min_value
    down = linear(peak_value, min_value, total_steps - warmup_steps)
    return _ramped(peak_value, down, warmup_steps, min_value)


def flat_cosine(peak_value, total_steps, decay_steps, end_value=0.0):
    """A constant, then half a cosine over the last steps."""
    begin = total_steps - decay_steps
    return cooldown(peak_value, begin, decay_steps, end_value, "cosine")
