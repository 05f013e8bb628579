"""Combinators and operators, as they are written."""

from typing import Any

from jaxsched.combinators import (
    blocks,
    choice,
    limits,
    products,
    randomness,
    sequence,
    time,
)
from jaxsched.export.source.curves import powered, weights
from jaxsched.export.source.part import Part, writes
from jaxsched.export.source.times import cycle
from jaxsched.export.source.users import function_of
from jaxsched.export.source.writer import is_whole, literal
from jaxsched.schedule import operators
from jaxsched.schedule.arguments import Static, call
from jaxsched.schedule.phases import times


@writes(call)
def _call(p: Part, t: str) -> str:
    return f"jnp.vectorize({function_of(p.writer, p.schedule.function)})({t})"


@writes(sequence.join)
def _join(p: Part, t: str) -> str:
    begins, before, values = [0, *times(p.schedule.boundaries)], [], []
    if not is_whole(p.schedule.boundaries):
        t = p.real("time", t)
    names = [
        p.first(f"boundary_{i}", literal(time, is_time=True))
        for i, time in enumerate(begins[1:], 1)
    ]
    for i, part in enumerate(p.schedule.schedules):
        # Each part is asked for its own time alone.
        bounds = (names[i - 1] if i else "0", names[i] if i < len(names) else None)
        now = (
            f"jnp.clip({t}, {bounds[0]}, {bounds[1]})"
            if bounds[1]
            else (f"jnp.maximum({t}, {bounds[0]})")
        )
        local = (
            p.let(f"step_{i + 1}", f"{now} - {bounds[0]}")
            if i
            else (p.let("step_1", f"jnp.minimum({t}, {names[0]})") if names else t)
        )
        values.append(p.of(part, local))
        before += [f"{t} < {names[i]}"] if i < len(names) else []
    if not before:
        return values[0]
    *first, last = values
    return f"jnp.select([{', '.join(before)}], [{', '.join(first)}], {last})"


@writes(sequence.warmup)
def _warmup(p: Part, t: str) -> str:
    if p.is_literally("steps", 0):
        return p.of(p.schedule.schedule, t)
    after = t if p.schedule.overlap else p.since("after", t, "steps")
    goal = p.of(p.schedule.schedule, after)
    fall, rise = weights(p, p.schedule.shape, *p.fractions(t))
    start = f"{goal} / ({p['steps']} + 1)"
    if p.schedule.init_value is not None:
        start = p["init_value"]
    ramp = p.let("ramp", p.blend(start, fall, goal, rise))
    return f"jnp.where({p.time(t, 'steps')} < {p['steps']}, {ramp}, {goal})"


@writes(sequence.cooldown)
def _cooldown(p: Part, t: str) -> str:
    t, begin = p.time(t, "begin"), p["begin"]
    held = p.let("until", f"jnp.minimum({t}, {begin})") if p.schedule.freeze else t
    level = p.of(p.schedule.schedule, held)
    since = p.since("since", t, "begin")
    fall, rise = weights(p, p.schedule.shape, *p.fractions(since))
    decay = p.let("decay", p.blend(level, fall, p["end_value"], rise))
    return f"jnp.where({t} < {begin}, {level}, {decay})"


@writes(time.cycle)
def _cycle(p: Part, t: str) -> str:
    place = cycle(p, t, "steps", "length_factor", "limit")
    local = place.elapsed
    if not p.is_literally("length_factor", 1):
        first = p["steps"]
        local = p.real("here", local)
        scaled = p.let("scaled", f"{local} * {first} / {place.length}")
        local = p.let(
            "local", f"jnp.where({place.length} == {first}, {local}, {scaled})"
        )
    value = p.of(p.schedule.schedule, local)
    if p.is_literally("value_factor", 1):
        return value
    turns = p.real("turns", place.turn)
    return powered(p, value, "value_factor", turns)


@writes(blocks.per)
def _per(p: Part, t: str) -> str:
    return p.of(p.schedule.schedule, cycle(p, t, "every").turn)


@writes(time.staircase)
def _staircase(p: Part, t: str) -> str:
    t = p.time(t, "every")
    stair = p.let("stair", f"{t} - {cycle(p, t, 'every').elapsed}")
    return p.of(p.schedule.schedule, stair)


@writes(time.delay)
def _delay(p: Part, t: str) -> str:
    return p.of(p.schedule.schedule, p.since("after", t, "steps"))


@writes(time.shift)
def _shift(p: Part, t: str) -> str:
    t = p.time(t, "steps")
    unsigned = f'{t}.dtype.name.replace("uint", "int").replace("int", "uint")'
    p.writer.lines.append("# Unsigned, so that the sum does not wrap.")
    kind = p.let("kind", unsigned)
    later = p.let("later", f"{t}.astype({kind}) + {p['steps']}")
    return p.of(p.schedule.schedule, later)


@writes(time.stretch)
def _stretch(p: Part, t: str) -> str:
    time = p.real("time", t)
    return p.of(p.schedule.schedule, p.let("stretched", f"{time} / {p['factor']}"))


@writes(time.reverse)
def _reverse(p: Part, t: str) -> str:
    t = p.time(t, "steps")
    back = p.let("back", f"{p['steps']} - jnp.minimum({t}, {p['steps']})")
    return p.of(p.schedule.schedule, back)


@writes(time.retime)
def _retime(p: Part, t: str) -> str:
    clock = p.schedule.clock
    if isinstance(clock, Static):
        now = f"jnp.vectorize({function_of(p.writer, clock.function)})({t})"
    else:
        now = p.of(clock, t)
    return p.of(p.schedule.schedule, p.let("time", f"jnp.maximum({now}, 0)"))


@writes(randomness.noise)
def _noise(p: Part, t: str) -> str:
    p.writer.module("jax", "jax")
    turn = cycle(p, t, "every").turn
    block = p.let("block", f"{turn}.astype(jnp.uint32)")
    key = p.let("key", f'jax.random.key({p["seed"]}, impl="threefry2x32")')
    # A hash of the seed and the block, whose first 24 bits are a number between 0 and 1.
    data = f"jax.random.key_data(jax.random.fold_in({key}, block))[0]"
    hashed = p.writer.free(f"{p.name}_hash")
    p.writer.lines += ["", f"def {hashed}(block):\n    return {data}", ""]
    bits = p.let("bits", f"jnp.vectorize({hashed})({block}) >> 8")
    unit = p.let("unit", f"({bits}.astype(jnp.float32) + 0.5) * jnp.float32(2**-24)")
    bound = p.first("bound", f"jnp.float32({p.value('bound')!r})")
    drawn = f"(2 * {unit} - 1) * {bound}"
    if p.schedule.distribution == "normal":
        special = "jax.scipy.special"
        share = p.let("share", f"{special}.erf({bound} * jnp.float32(0.5**0.5))")
        normal = f"{special}.erfinv((2 * {unit} - 1) * {share})"
        normal = p.let("normal", f"jnp.float32(2**0.5) * {normal}")
        drawn = f"jnp.clip({normal}, -{bound}, {bound})"
    drawn = p.let("drawn", drawn)
    value = p.of(p.schedule.schedule, t)
    return f"{value} * (1 + {p['scale']} * {drawn}.astype(float))"


@writes(choice.choose)
def _choose(p: Part, t: str) -> str:
    chosen = min(max(p.value("index"), 0), len(p.schedule.schedules) - 1)
    return p.of(p.schedule.schedules[chosen], t)


@writes(products.compounded)
def _compounded(p: Part, t: str) -> str:
    p.writer.module("jax", "jax")
    init = p["init_value"]
    held, now = (
        p.function(p.schedule.schedule),
        p.let("now", f"jnp.floor({t}).astype(int)"),
    )
    loop = f"lambda k, x: jnp.where(k <= {now}, x * {held}(k), x)"
    last = p.let("last", f"jnp.max({now})")
    ones = p.let("ones", f"jnp.ones_like({now}, float)")
    product = p.let("product", f"jax.lax.fori_loop(1, {last} + 1, {loop}, {ones})")
    return f"{init} * {product}"


@writes(limits.clip)
def _clip(p: Part, t: str) -> str:
    value = p.of(p.schedule.schedule, t)
    bounds = {
        name: "None" if p.schedule._values[name] is None else p[name]
        for name in ("min_value", "max_value")
    }
    return f"jnp.clip({value}, {bounds['min_value']}, {bounds['max_value']})"


def _both(p: Part, t: str) -> tuple[str, str]:
    return p.of(p.schedule.first, t), p.of(p.schedule.second, t)


@writes(limits.maximum)
def _maximum(p: Part, t: str) -> str:
    return "jnp.maximum({}, {})".format(*_both(p, t))


@writes(limits.minimum)
def _minimum(p: Part, t: str) -> str:
    return "jnp.minimum({}, {})".format(*_both(p, t))


def _binary(made: Any, sign: str) -> None:
    writes(made)(lambda p, t: f" {sign} ".join(_both(p, t)))


_binary(operators.add, "+")
_binary(operators.subtract, "-")
_binary(operators.multiply, "*")
_binary(operators.divide, "/")


@writes(operators.negative)
def _negative(p: Part, t: str) -> str:
    return f"-{p.of(p.schedule.schedule, t)}"
