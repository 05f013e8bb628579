"""One schedule, or shape, of the source: a comment, its numbers, what is made of them."""

import inspect
from collections.abc import Callable
from typing import Any

from jaxsched.export.source.users import called
from jaxsched.export.source.writer import Writer, is_whole, literal
from jaxsched.rule import Bound, Rule, rule_of
from jaxsched.schedule import Schedule
from jaxsched.schedule.arguments import constant
from jaxsched.schedule.phases import number

# How a rule is written: its statements, and then the expression of its value.
Write = Callable[["Part", str], str]
WRITES: dict[Rule, Write] = {}


class Part:
    """A schedule as it is written.

    Attributes:
      schedule: The schedule.
      writer: What it is written to.
      name: Its own name in the source, with which those of its variables begin.
    """

    schedule: Any
    writer: Writer
    name: str

    def __init__(self, writer: Writer, bound: Bound, name: str):
        self.schedule, self.writer, self.name = bound, writer, name
        self._numbers: dict[str, str] = {}
        self._begin = len(writer.lines)

    def __getitem__(self, argument: str) -> str:
        """A number by its name, assigned where the part begins; 0 has no name."""
        if argument not in self._numbers:
            domain = self.schedule._rule.domains[argument]
            value = self.schedule._values[argument]
            text = literal(value, is_time=domain.counts)
            self._numbers[argument] = (
                text if text == "0.0" else self.first(argument, text)
            )
        return self._numbers[argument]

    def first(self, name: str, text: str) -> str:
        """A variable of this part that is assigned where the part begins."""
        lines = self.writer.lines
        made = self.let(name, text)
        lines.insert(self._begin, lines.pop())
        self._begin += 1
        return made

    def value(self, argument: str) -> Any:
        """A number itself."""
        return number(self.schedule._values[argument])

    def is_literally(self, argument: str, expected: float) -> bool:
        """Whether a number is that one, so that it need not be written."""
        return self.value(argument) == expected

    def let(self, name: str, expression: str) -> str:
        """A variable of this part."""
        return self.writer.let(f"{self.name}_{name}", expression)

    def of(self, schedule: Schedule, time: str) -> str:
        """The value of a schedule that this one holds, at a time."""
        if schedule._rule is rule_of(constant):  # a number: no part of its own
            return self.first("constant", literal(schedule.value))
        value = written(self.writer, schedule, time)
        self.writer.comment(f"{self.name}, of {value}")
        return value

    def function(self, schedule: Schedule) -> str:
        """A schedule that this one holds, as a function of the step."""
        name, argument = (self.writer.free(n) for n in (f"{self.name}_held", "time"))
        outer = self.writer.begin_function(argument)
        result = written(self.writer, schedule, argument)
        self.writer.end_function(outer, name, argument, result)
        return name

    def time(self, time: str, *lengths: str) -> str:
        """A time to be compared with lengths: a float, if one of them is."""
        if all(is_whole(self.schedule._values[length]) for length in lengths):
            return time
        return self.real("time", time)

    def real(self, name: str, time: str) -> str:
        """A time, or a count, as a float."""
        return self.let(name, f"{time}.astype(float)")

    def fractions(self, time: str, steps: str = "steps") -> tuple[str, str]:
        """The elapsed and the remaining fraction of a length."""
        if self.value(steps) == 0:
            return "1.0", "0.0"
        time, length = self.time(time, steps), self[steps]
        elapsed = self.let("elapsed", f"jnp.minimum({time}, {length})")
        passed = self.let("passed", f"{elapsed} / {length}")
        return passed, self.let("left", f"({length} - {elapsed}) / {length}")

    def since(self, name: str, time: str, begin: str) -> str:
        """Steps since one, 0 before it."""
        time = self.time(time, begin)
        return self.let(name, f"jnp.maximum({time}, {self[begin]}) - {self[begin]}")

    def blend(self, left: str, fall: str, right: str, rise: str) -> str:
        """A sum of two numbers by their weights; what is 0 is left out."""
        terms = [
            end if weight == "1.0" else f"{end} * {weight}"
            for end, weight in ((left, fall), (right, rise))
            if "0.0" not in (end, weight)
        ]
        return " + ".join(terms) or "0.0"

    def grown(self, value: str, exponent: str) -> str:
        """The product value * e^exponent, of which e^exponent alone may be no float."""
        half = self.let("half", f"jnp.exp({exponent} / 2)")
        return f"{value} * {half} * {half}"


def writes(constructor: Callable[..., Any]) -> Callable[[Write], Write]:
    """Enters how the schedules of a constructor are written."""

    def enter(write: Write) -> Write:
        WRITES[constructor.__rule__] = write  # type: ignore[attr-defined]
        return write

    return enter


def written(writer: Writer, schedule: Schedule, time: str) -> str:
    """Writes a schedule at a time; gives the name of its value."""
    rule = schedule._rule
    name = writer.free(rule.name)
    writer.comment(f"{name}: {_summary(rule)}")
    part = Part(writer, schedule, name)
    write = WRITES.get(rule, _as_called)
    expression = write(part, time)
    if expression.isidentifier():  # another one's value, as it is
        return expression
    return writer.assign(name, expression)


def _summary(rule: Rule) -> str:
    """The first line of a rule's docstring, or its name."""
    first = (inspect.getdoc(rule.function) or rule.name).partition("\n")[0]
    return first[:1].lower() + first[1:].replace("`", "")


def _as_called(part: Part, time: str) -> str:
    """A schedule of the user's own: its rule's source, and a call of it."""
    value = called(part, part.schedule._rule.function, [time], part.schedule)
    # A rule may give one number for all steps, and whole ones.
    value = part.let("value", f"jnp.asarray({value}, float)")
    return f"jnp.broadcast_to({value}, jnp.shape({time}))"
