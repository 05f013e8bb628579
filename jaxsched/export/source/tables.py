"""Tables and cycles, as they are written."""

import math

import numpy as np

from jaxsched import cycles, piecewise, shapes
from jaxsched.export.source.curves import powered, weights
from jaxsched.export.source.part import Part, writes
from jaxsched.export.source.times import cycle, equal
from jaxsched.export.source.writer import is_whole, literal
from jaxsched.schedule.phases import times


def _passed(p: Part, t: str) -> tuple[str, str, str]:
    """How many boundaries are not after the step; the table of them; the step."""
    edges = np.asarray(p.schedule.boundaries)
    if is_whole(edges):
        text = f"jnp.array({edges.tolist()}, {t}.dtype)"
    else:
        text, t = literal(edges), p.real("time", t)
    table = p.first("boundaries", text)
    index = p.let("index", f'jnp.searchsorted({table}, {t}, side="right")')
    return index, table, t


@writes(piecewise.piecewise_constant)
def _piecewise_constant(p: Part, t: str) -> str:
    if len(p.schedule.boundaries) == 0:
        return literal(np.asarray(p.schedule.values)[0])
    return f"{p['values']}[{_passed(p, t)[0]}]"


@writes(piecewise.multistep)
def _multistep(p: Part, t: str) -> str:
    if len(p.schedule.boundaries) == 0:
        return p["init_value"]
    index, *_ = _passed(p, t)
    if p.schedule.factor is not None:
        drops = p.real("drops", index)
        return powered(p, p["init_value"], "factor", drops)
    product = np.cumprod([1.0, *np.asarray(p.schedule.factors, np.float64)])
    products = p.first("products", literal(product))
    return f"{p['init_value']} * {products}[{index}]"


def _interval(p: Part, t: str) -> tuple[str, str, str, str]:
    """The points on either side of the step, and its two fractions between them."""
    index, boundaries, t = _passed(p, t)
    last = len(p.schedule.boundaries) - 1
    after = p.let("after", f"jnp.clip({index}, 1, {last})")
    begin = p.let("begin", f"{boundaries}[{after} - 1]")
    end = p.let("end", f"{boundaries}[{after}]")
    now = p.let("now", f"jnp.clip({t}, {begin}, {end})")
    length = p.let("length", f"({end} - {begin}).astype(float)")
    passed = p.let("passed", f"({now} - {begin}).astype(float) / {length}")
    left = p.let("left", f"({end} - {now}).astype(float) / {length}")
    return p.let("before", f"{after} - 1"), after, passed, left


@writes(piecewise.piecewise_linear)
def _piecewise_linear(p: Part, t: str) -> str:
    if len(p.schedule.boundaries) == 1:
        return literal(np.asarray(p.schedule.values)[0])
    before, after, passed, left = _interval(p, t)
    return f"{p['values']}[{before}] * {left} + {p['values']}[{after}] * {passed}"


@writes(piecewise.spline)
def _spline(p: Part, t: str) -> str:
    # SciPy takes longer to import than all of this package, and few ask for it.
    from scipy.interpolate import PchipInterpolator

    count = len(p.schedule.boundaries)
    if count < 3:
        return _piecewise_linear(p, t)
    x = np.array(times(p.schedule.boundaries), np.float64)
    y = np.asarray(p.schedule.values, np.float64)
    # The curve's slopes at its points (Fritsch and Butland 1984), per step.
    slopes = p.first("slopes", literal(PchipInterpolator(x, y).derivative()(x)))
    before, after, passed, left = _interval(p, t)
    values, length = p["values"], f"{p.name}_length"
    # From the nearer point, so that a value near it keeps its digits.
    early = p.let("early", f"{passed} <= {left}")
    u = p.let("near", f"jnp.where({early}, {passed}, {left})")
    gap = p.let("gap", f"{values}[{after}] - {values}[{before}]")
    rise = p.let("rise", f"jnp.where({early}, {gap}, -{gap})")
    first = p.let("first", f"{length} * {slopes}[{before}]")
    last = p.let("last", f"{length} * {slopes}[{after}]")
    slope = p.let("slope", f"jnp.where({early}, {first}, -{last})")
    other = p.let("other", f"jnp.where({early}, {last}, -{first})")
    bend = f"3 * {rise} - {other} - 2 * {slope}"
    bend = p.let("bend", f"{bend} + {u} * ({slope} + {other} - 2 * {rise})")
    value = f"jnp.where({early}, {values}[{before}], {values}[{after}])"
    near = p.let("value", value)
    return f"{near} + {u} * ({slope} + {u} * {bend})"


@writes(cycles.triangular)
def _triangular(p: Part, t: str) -> str:
    up, top = p.value("up_steps"), p["up_steps"]
    down = up if p.schedule.down_steps is None else p.value("down_steps")
    bottom = top if p.schedule.down_steps is None else p["down_steps"]
    whole = is_whole(up + down)
    t = t if whole else p.real("time", t)
    place = equal(p, t, p.first("length", f"{top} + {bottom}"), None, whole=whole)
    height, depth = (
        f"{place.remaining} / {bottom}",
        f"({place.elapsed} - {top}) / {bottom}",
    )
    if up:
        climbed, to_climb = (
            f"{place.elapsed} / {top}",
            f"({top} - {place.elapsed}) / {top}",
        )
        rises = p.let("rises", f"{place.elapsed} < {top}")
        height = f"jnp.where({rises}, {climbed}, {height})" if down else climbed
        depth = f"jnp.where({rises}, {to_climb}, {depth})" if down else to_climb
    height, depth = p.let("height", height), p.let("depth", depth)
    low, high = p["min_value"], p["max_value"]
    factors = {"factor": place.turn, "step_factor": t}
    logs = {name: math.log(p.value(name)) for name in factors}
    terms = [
        f"{p.real(name + '_turns', factors[name])} * {p.first(f'log_{name}', repr(log))}"
        for name, log in logs.items()
        if log
    ]
    if not terms:
        return p.blend(low, depth, high, height)
    growth = p.let("growth", " + ".join(terms))
    if max(logs.values()) > 0:
        return f"{low} + " + p.grown(f"({high} - {low}) * {height}", growth)
    depth = p.let("depth", f"{depth} - {height} * jnp.expm1({growth})")
    height = p.let("height", p.grown(height, growth))
    return p.blend(low, depth, high, height)


@writes(cycles.cosine_restarts)
def _cosine_restarts(p: Part, t: str) -> str:
    place = cycle(p, t, "steps", "length_factor", "limit")
    elapsed = place.elapsed
    if not p.is_literally("length_factor", 1):
        elapsed = p.real("begun", elapsed)
    passed = p.let("passed", f"{elapsed} / {place.length}")
    left = p.let("left", f"{place.remaining} / {place.length}")
    fall, rise = weights(p, shapes.cosine(), passed, left)
    peak = p["peak_value"]
    if not p.is_literally("peak_factor", 1):
        turns = p.real("turns", place.turn)
        peak = p.let("peak", powered(p, peak, "peak_factor", turns))
    return p.blend(peak, fall, p["end_value"], rise)
