"""Shapes, transitions and decays, as they are written."""

import math
from typing import Any

from jaxsched import shapes, transitions as moves
from jaxsched.decays import exponential as exponentials, inverse_time, power
from jaxsched.export.source.part import Part, writes
from jaxsched.export.source.times import turns
from jaxsched.export.source.users import called
from jaxsched.export.source.writer import Lacking, literal
from jaxsched.rule import Rule, rule_of
from jaxsched.schedule.arguments import constant

# A table of more entries would not be read.
_LONGEST = 100_000

Weights = tuple[str, str]


def weights(part: Part, shape: shapes.Shape, passed: str, left: str) -> Weights:
    """The weights of a shape: of the value that a move leaves, and of the other end."""
    rule = shape._rule
    if rule in _PLAIN:
        fall, rise = (text.format(u=passed, r=left) for text in _PLAIN[rule])
    elif rule in _WITH_NUMBERS:
        numbers = {
            name: part.first(name, literal(value))
            for name, value in shape._values.items()
        }
        fall, rise = _WITH_NUMBERS[rule](part, passed, left, **numbers)
    elif rule.is_own:
        raise Lacking(f"the shape {rule.name} cannot be written as source yet")
    else:
        both = part.let("weights", called(part, rule.function, [passed, left], shape))
        return f"{both}[0]", f"{both}[1]"
    if fall == left:
        return fall, rise
    return part.let("fall", fall), part.let("rise", rise)


_COSINE = ("jnp.sin(jnp.pi / 2 * {r}) ** 2", "jnp.sin(jnp.pi / 2 * {u}) ** 2")

# Each weight is computed as itself, and not as a difference to 1, so that a small one
# keeps its digits.
_PLAIN: dict[Rule, Weights] = {
    rule_of(shapes.linear): ("{r}", "{u}"),
    rule_of(shapes.cosine): _COSINE,
    rule_of(shapes.one_minus_sqrt): ("{r} / (1 + jnp.sqrt({u}))", "jnp.sqrt({u})"),
    rule_of(shapes.square): ("{r} * (1 + {u})", "{u} ** 2"),
    rule_of(shapes.sqrt): ("jnp.sqrt({r})", "{u} / (1 + jnp.sqrt({r}))"),
    rule_of(shapes.sine): (
        "2 * jnp.sin(jnp.pi / 4 * {r}) ** 2",
        "jnp.sin(jnp.pi / 2 * {u})",
    ),
    rule_of(shapes.mirror_cosine): (
        f"2 * {{r}} - {_COSINE[0]}",
        f"2 * {{u}} - {_COSINE[1]}",
    ),
}


def _inverse(part: Part, early: str, late: str) -> Weights:
    whole = part.let("whole", f"{early} + {late}")
    return f"{early} / {whole}", f"{late} / {whole}"


def _rex(part: Part, u: str, r: str, beta: str) -> Weights:
    return _inverse(part, r, part.let("late", f"{beta} * {u}"))


def _inverse_proportional(part: Part, u: str, r: str, ratio: str) -> Weights:
    return _inverse(part, part.let("early", f"{ratio} * {r}"), u)


def _tanh(part: Part, u: str, r: str, lower: str, upper: str) -> Weights:
    twice = part.let("twice", f"2 * ({lower} * {r} + {upper} * {u})")
    twice = part.let("bounded", f"jnp.clip({twice}, -80, 80)")
    return f"1 / (1 + jnp.exp({twice}))", f"1 / (1 + jnp.exp(-{twice}))"


def _exponential_to_zero(part: Part, u: str, r: str, ratio: str) -> Weights:
    if part.schedule._values["shape"].ratio == 1:
        return r, u
    rate = part.let("rate", f"jnp.log({ratio})")
    return (
        f"jnp.expm1(-{rate} * {r}) / jnp.expm1(-{rate})",
        f"jnp.expm1({rate} * {u}) / jnp.expm1({rate})",
    )


def _one_minus_power(part: Part, u: str, r: str, power: str) -> Weights:
    rise, fall = raised(part, u, r, power)
    return fall, rise


_WITH_NUMBERS: dict[Rule, Any] = {
    rule_of(shapes.rex): _rex,
    rule_of(shapes.inverse_proportional): _inverse_proportional,
    rule_of(shapes.tanh): _tanh,
    rule_of(shapes.exponential_to_zero): _exponential_to_zero,
    rule_of(shapes.one_minus_power): _one_minus_power,
}


def raised(part: Part, x: str, rest: str, power: str) -> Weights:
    """x^power and 1 - x^power, for x + rest = 1; the second by the smaller of both."""
    if "0.0" in (x, rest):
        return x, rest
    bent = part.let("bent", f"{x} ** {power}")
    small = part.let("near", f"jnp.minimum({rest}, 0.5)")
    lost = part.let("lost", f"-jnp.expm1({power} * jnp.log1p(-{small}))")
    return bent, part.let("rest", f"jnp.where({rest} < 0.5, {lost}, 1 - {bent})")


@writes(constant)
def _constant(p: Part, t: str) -> str:
    return literal(p.schedule.value)


def _move(p: Part, both: Weights) -> str:
    return p.blend(p["init_value"], both[0], p["end_value"], both[1])


@writes(moves.linear)
def _linear(p: Part, t: str) -> str:
    passed, left = p.fractions(t)
    return _move(p, (left, passed))


@writes(moves.transition)
def _transition(p: Part, t: str) -> str:
    return _move(p, weights(p, p.schedule.shape, *p.fractions(t)))


@writes(moves.cosine)
def _cosine(p: Part, t: str) -> str:
    passed, left = p.fractions(t)
    if not p.is_literally("time_power", 1):
        passed, left = raised(p, passed, left, p["time_power"])
    fall, rise = weights(p, shapes.cosine(), passed, left)
    if not p.is_literally("power", 1):
        fall, rise = raised(p, fall, rise, p["power"])
    return _move(p, (fall, rise))


@writes(moves.polynomial)
def _polynomial(p: Part, t: str) -> str:
    passed, left = p.fractions(t)
    if not p.is_literally("time_power", 1):
        passed, left = raised(p, passed, left, p["time_power"])
    if not p.is_literally("power", 1):
        left, passed = raised(p, left, passed, p["power"])
    return _move(p, (left, passed))


@writes(moves.exponential)
def _exponential(p: Part, t: str) -> str:
    passed, left = p.fractions(t)
    init, end = p["init_value"], p["end_value"]
    if "0.0" in (passed, left):
        return end
    ratio = math.log(abs(p.value("end_value"))) - math.log(abs(p.value("init_value")))
    span = p.first("log_ratio", f"{ratio!r}  # log(end_value / init_value)")
    early = p.let("early", f"{init} * jnp.exp({span} * {passed})")
    late = p.let("late", f"{end} * jnp.exp(-{span} * {left})")
    return f"jnp.where({passed} < {left}, {early}, {late})"


def powered(p: Part, value: str, argument: str, exponent: str) -> str:
    """The product value * factor^exponent, with the factor's logarithm written out."""
    log = f"{math.log(p.value(argument))!r}  # log({p.value(argument)!r})"
    log = p.first(f"log_{argument}", log)
    return p.grown(value, p.let("exponent", f"{exponent} * {log}"))


@writes(exponentials.exponential_decay)
def _exponential_decay(p: Part, t: str) -> str:
    passed = turns(p, t, "steps", whole=bool(p.schedule.staircase))
    return powered(p, p["init_value"], "factor", passed)


@writes(exponentials.natural_exponential_decay)
def _natural_exponential_decay(p: Part, t: str) -> str:
    time = p.real("time", t)
    return p.grown(p["init_value"], p.let("exponent", f"-{p['rate']} * {time}"))


@writes(exponentials.step_decay)
def _step_decay(p: Part, t: str) -> str:
    drops = turns(p, t, "every", whole=True)
    return powered(p, p["init_value"], "factor", drops)


@writes(inverse_time.inverse_time_decay)
def _inverse_time_decay(p: Part, t: str) -> str:
    passed = turns(p, t, "steps", whole=bool(p.schedule.staircase))
    below = p.let("denominator", f"1 + {p['rate']} * {passed}")
    if p.is_literally("power", 1):
        return f"{p['init_value']} / {below}"
    return f"{p['init_value']} * {below} ** -{p['power']}"


@writes(inverse_time.compounding_time_decay)
def _compounding_time_decay(p: Part, t: str) -> str:
    value, count, rate = p.value("init_value"), 0, p.value("rate")
    while value and rate and count <= _LONGEST:
        count += 1
        value /= 1 + rate * count
    if count > _LONGEST:
        raise Lacking(
            f"compounding_time_decay would need a table of more than {_LONGEST} values"
        )
    if not rate:
        return p["init_value"]
    fallen, table = (
        p.let("value", p["init_value"]),
        p.let("table", f"[{p['init_value']}]"),
    )
    k, rate = p.writer.free("k"), p["rate"]
    p.writer.lines += [
        f"for {k} in range(1, {count + 1}):\n"
        f"    {fallen} /= 1 + {rate} * {k}\n"
        f"    {table}.append({fallen})"
    ]
    index = p.let("index", f"jnp.minimum({t}, {count}).astype(int)")
    return f"{p.let('values', f'jnp.array({table})')}[{index}]"


@writes(power.inverse_sqrt_decay)
def _inverse_sqrt_decay(p: Part, t: str) -> str:
    passed = turns(p, t, "timescale", whole=False)
    return f"{p['init_value']} / jnp.sqrt(1 + {passed})"


@writes(power.noam)
def _noam(p: Part, t: str) -> str:
    scale = p.first("scale", f"{p['factor']} / {p['model_size']} ** 0.5")
    count = p.let("count", f"{p.real('time', t)} + 1")
    tail = p.let("tail", f"{scale} / jnp.sqrt({count})")
    if p.is_literally("warmup_steps", 0):
        return tail
    ramp = p["warmup_steps"]
    rise = p.let("ramp", f"{scale} * ({count} / {ramp}) / {ramp} ** 0.5")
    return f"jnp.where({count} < {ramp}, {rise}, {tail})"


@writes(power.power_law)
def _power_law(p: Part, t: str) -> str:
    begun = p.let("begun", f"jnp.maximum({p.real('time', t)}, 1e-30)")
    law = p.let("law", f"{p['scale']} * jnp.exp(-({p['power']} * jnp.log({begun})))")
    return f"jnp.minimum({p['max_value']}, {law})"
