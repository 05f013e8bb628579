"""Text back to a schedule. Nothing is evaluated: only literals, arithmetic on numbers and
schedules, and calls of rules by name are understood.
"""

import ast
import math
import re
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from jaxsched.rule import Bound, Names, Rule, short
from jaxsched.schedule import Schedule, schedules
from jaxsched.shapes import shapes
from jaxsched.text.arithmetic import BINARY, OF_SCHEDULES, UNARY
from jaxsched.text.culprit import culprit
from jaxsched.text.error import ParseError
from jaxsched.text.names import (
    MAX_CALLS,
    MAX_CHARACTERS,
    MAX_DEPTH,
    MAX_ENTRIES,
    MAX_WORD,
    array,
    check_names,
    domain_of,
    is_called,
    names_in,
    rule_in,
    shape_in,
    unknown,
    why_no_value,
)

if TYPE_CHECKING:
    from jaxsched.metric_driven.machine import MetricDriven


def parse(
    text: str, *, names: Mapping[str, Callable[..., Any]] | None = None
) -> "Schedule | MetricDriven":
    """The schedule that a text describes: the inverse of `repr`.

    Reads calls of schedules, recipes, combinators and shapes by name (those made with
    `@schedule`, `@recipe`, `@shape` and `@metric_driven` included), numbers, arithmetic
    on numbers and on schedules, text, lists, `True`, `False` and `None`. A name may have
    `js.` or parts of its module before it. Nothing else: no variables, no code.

    Args:
      text: At most 4,000,000 characters, 500,000 entries and 10,000 calls, of brackets
        at most 200 deep and schedules at most 100 deep.
      names: What some names mean, as constructors; needed where two packages have
        schedules of one name.

    Returns:
      A `Schedule`, or a `MetricDriven` schedule if the text says so.

    Raises:
      ValueError: The text is not understood, or a constructor refuses its arguments. The
        message points at the place; `argparse` shows all of it where `type=js.parse`.

    >>> import jaxsched as js
    >>> js.parse("warmup_cosine(3e-4, total_steps=10 * 100, warmup_steps=100)")
    cooldown(schedule=warmup(schedule=constant(value=0.0003), steps=100), begin=100,
      steps=900, shape='cosine')
    >>> js.parse("0.5 * js.linear(0.1, 0.0, steps=10) + 1e-5")
    0.5 * linear(init_value=0.1, end_value=0.0, steps=10) + 1e-05
    """
    check_names("parse", names)
    return Reader(text, names).read(schedules)


# Brackets, commas, and words that are too long, looked for where words begin.
_TOKENS = re.compile(rf"[(){{}},\[\]]|\b\w{{{MAX_WORD},}}")


class Reader:
    """Builds a schedule from the syntax tree of a text."""

    def __init__(
        self, text: str, given: Mapping[str, Callable[..., Any]] | None = None
    ):
        if not isinstance(text, str):
            raise ParseError(f"parse: text must be a string, got text={short(text)}")
        if len(text) > MAX_CHARACTERS:
            raise ParseError(
                f"parse: text must be <= {MAX_CHARACTERS} characters, got {len(text)}"
            )
        self.text: str = text.strip()
        self.given = given
        # Lines as Python counts them, and those that were stripped off the front.
        self.lines: list[str] = re.split("\r\n|\r|\n", self.text)
        front = text[: len(text) - len(text.lstrip())]
        self.skipped: int = len(re.findall("\r\n|\r|\n", front))

    def read(self, names: Names) -> Any:
        """What a call of one of the names makes."""
        self._check_size()
        if found := re.search("<[^<>]*>", self.text):
            reason = f"{found.group()[:200]} has no text that could be read"
            self._refuse_place(found.start(), reason)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(self.text, mode="eval")
        except SyntaxError as error:
            reason = f"not an expression: {error.msg}" if self.text else "no text"
            self._refuse(reason, error.lineno or 1, (error.offset or 1) - 1)
        except (ValueError, RecursionError, MemoryError) as error:
            reason = str(error) or "nested too deeply"
            self._refuse(f"not an expression: {reason}", 1, 0)
        made = self._value(tree.body, 0, names)
        if not self._is_made(made, names):
            example = "linear(1, 0, 10)" if names is schedules else "rex(0.5)"
            self._refuse_at(tree.body, f"a {names.kind} is a call such as {example}")
        return made

    def _is_made(self, value: Any, names: Names) -> bool:
        """Whether a value is what calls of these names make."""
        return isinstance(value, Bound) and value._rule.names is names

    def _is_operand(self, value: Any) -> bool:
        """Whether a value may be added to a number."""
        return isinstance(value, Schedule)

    def _check_size(self) -> None:
        """Refuses what would take Python's own parser too long."""
        depth = calls = entries = 0
        for place in re.finditer(_TOKENS, self.text):
            found = place.group()
            opens = found in "([{"
            depth += opens - (found in ")]}")
            calls, entries = calls + opens, entries + (found == ",")
            if len(found) > 1:
                self._refuse_place(place.start(), "a number or name is too long")
            if depth > MAX_DEPTH or calls > MAX_CALLS or entries > MAX_ENTRIES:
                why = "nested too deeply" if depth > MAX_DEPTH else "too much text"
                self._refuse_place(place.start(), why)

    def _refuse_place(self, place: int, reason: str) -> NoReturn:
        before = re.split("\r\n|\r|\n", self.text[:place])
        self._refuse(reason, len(before), len(before[-1]))

    def _value(self, node: ast.expr, depth: int, names: Names) -> Any:
        if depth > MAX_DEPTH:
            self._refuse_at(node, "nested too deeply")
        match node:
            case ast.Constant(value=value) if isinstance(
                value, (int, float, str, type(None))
            ):
                return shape_in(self.given, value, names)
            case ast.UnaryOp(op=op, operand=operand) if type(op) in UNARY:
                return self._arithmetic(node, op, depth, operand)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
                return self._arithmetic(node, op, depth, left, right)
            case ast.List(elts=entries) | ast.Tuple(elts=entries):
                return [self._value(entry, depth + 1, names) for entry in entries]
            case ast.Call(func=ast.Name() | ast.Attribute() as function):
                if (name := _dotted(function)) is not None:
                    return self._call(node, name, depth, names)
            case ast.Name(id=name):
                self._refuse_at(node, why_no_value(name[:40], names))
        self._refuse_at(
            node, "only numbers, text, lists and calls of schedules are read"
        )

    def _arithmetic(
        self, node: ast.expr, op: ast.AST, depth: int, *parts: ast.expr
    ) -> Any:
        values = [self._value(part, depth + 1, schedules) for part in parts]
        if any(map(self._is_operand, values)):
            return self._combined(node, op, parts, values)
        for part, value in zip(parts, values, strict=True):
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                self._refuse_at(part, "arithmetic takes numbers and schedules")
        try:
            result = (UNARY | BINARY)[type(op)](*values)
        except (ArithmeticError, ValueError):
            self._refuse_at(node, "the result is too large or undefined")
        if isinstance(result, complex) or not abs(result) < math.inf:
            self._refuse_at(node, "the result is too large or not real")
        return result

    def _combined(
        self, node: ast.expr, op: ast.AST, parts: tuple[ast.expr, ...], values: Any
    ) -> Any:
        """A sum, product or the like of schedules and numbers."""
        if type(op) not in OF_SCHEDULES:
            self._refuse_at(
                node, "schedules can only be added, subtracted, multiplied and divided"
            )
        for part, value in zip(parts, values, strict=True):
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            is_array = isinstance(value, np.ndarray)
            if not is_number and not is_array and not self._is_operand(value):
                self._refuse_at(part, "arithmetic takes numbers and schedules")
        if isinstance(op, ast.UAdd):
            return values[0]
        try:
            return self._operated(op, values)
        except (TypeError, ValueError) as error:
            self._refuse_at(node, str(error))

    def _operated(self, op: ast.AST, values: list[Any]) -> Any:
        return (UNARY | BINARY)[type(op)](*values)

    def _call(self, node: ast.Call, name: str, depth: int, names: Names) -> Any:
        rule = self._rule(node, name, names)
        ordered = [] if rule is None else list(rule.domains)
        ordered += [""] * (len(node.args) - len(ordered))
        args = [
            self._value(part, depth + 1, names_in(domain_of(rule, argument)))
            for part, argument in zip(node.args, ordered, strict=False)
        ]
        kwargs = {}
        for keyword in node.keywords:
            if keyword.arg is None:
                self._refuse_at(keyword, "a call with ** is not read")
            if keyword.arg in kwargs:
                self._refuse_at(keyword, f"{keyword.arg} is given twice")
            inside = names_in(domain_of(rule, keyword.arg))
            kwargs[keyword.arg] = self._value(keyword.value, depth + 1, inside)
        try:
            return self._called(rule, args, kwargs)
        except (TypeError, ValueError, OverflowError) as error:
            self._refuse_at(culprit(node, rule, str(error)), str(error))

    def _called(
        self, rule: Rule | None, args: list[Any], kwargs: dict[str, Any]
    ) -> Any:
        make = array if rule is None else rule.constructor
        return make(*args, **kwargs)

    def _rule(self, node: ast.Call, name: str, names: Names) -> Rule | None:
        """The rule that a name means; None for `array`."""
        line, column = self._place(node)
        rule = None
        is_array = name.removeprefix("js.").removeprefix("jaxsched.") == "array"
        try:
            rule = rule_in(self.given, name)
            for kind in (names, schedules, shapes):  # a schedule for a shape is refused
                if rule is None and not is_array:
                    found = kind.find(name)
                    is_bare = kind is names and not node.args and not node.keywords
                    if found is not None and (is_bare or is_called(found)):
                        rule = found
        except ValueError as error:
            self._refuse_at(node, str(error))
        # Python reads some other letters as these; a name is what is written.
        written = self.lines[line - 1].startswith(name, column)
        if (rule is None and not is_array) or not written:
            self._refuse_at(node, self._unknown(name, names))
        return rule

    def _unknown(self, name: str, names: Names) -> str:
        """What is said of a name that nothing has."""
        return unknown(name, names)

    def _place(self, node: ast.expr | ast.keyword) -> tuple[int, int]:
        """Line and column in characters; Python counts columns in bytes."""
        line = self.lines[node.lineno - 1]
        return node.lineno, len(line.encode()[: node.col_offset].decode())

    def _refuse_at(self, node: ast.expr | ast.keyword, reason: str) -> NoReturn:
        self._refuse(reason, *self._place(node))

    def _refuse(self, reason: str, line: int, column: int) -> NoReturn:
        shown = self.lines[min(line, len(self.lines)) - 1]
        begin = max(0, column - 60)
        where = f" (line {line + self.skipped})" if len(self.lines) > 1 else ""
        raise ParseError(
            f"parse: {reason}{where}\n  {shown[begin : begin + 120]}\n"
            f"  {' ' * (column - begin)}^"
        ) from None


def _dotted(node: ast.expr) -> str | None:
    """A name with the parts before it, such as js.cosine."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join([node.id, *reversed(parts)])
