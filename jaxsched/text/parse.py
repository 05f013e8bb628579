"""Text back to a schedule. Nothing is evaluated: only literals, arithmetic on numbers
and calls of registered names are understood.
"""

import ast
import operator
import re
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

from jaxsched.metric_driven.machine import MetricDriven
from jaxsched.rule import rule_of, short
from jaxsched.schedule import Schedule
from jaxsched.text.names import (
    MAX_CALLS,
    MAX_CHARACTERS,
    MAX_DEPTH,
    MAX_ENTRIES,
    MAX_WORD,
    argument_in,
    find,
    unknown,
)


def parse(text: str) -> Any:
    """The schedule that a text describes: the inverse of `repr`.

    Reads calls of schedules, recipes, combinators and shapes by name (those made with
    `@schedule`, `@recipe`, `@shape` and `@metric_driven` included), numbers, arithmetic
    on numbers, text, lists, `True`, `False` and `None`. Nothing else: no attributes, no
    variables, no code.

    Args:
      text: At most 4,000,000 characters, 500,000 entries and 10,000 calls, nested at
        most 100 deep.

    Returns:
      A `Schedule`, or a `MetricDriven` schedule if the text says so.

    Raises:
      ValueError: The text is not understood, or a constructor refuses its arguments. The
        message points at the place.

    >>> import jaxsched as js
    >>> js.parse("warmup_cosine(3e-4, total_steps=10 * 100, warmup_steps=100)")
    warmup(schedule=cosine(init_value=0.0003, end_value=0.0, steps=900), steps=100)
    """
    if not isinstance(text, str):
        raise ValueError(f"parse: text must be a string, got text={short(text)}")
    if len(text) > MAX_CHARACTERS:
        raise ValueError(
            f"parse: text must be <= {MAX_CHARACTERS} characters, got {len(text)}"
        )
    return _Reader(text).read()


class _Reader:
    """Builds a schedule from the syntax tree of a text."""

    def __init__(self, text: str):
        self.text = text.strip()
        # Lines as Python counts them, and those that were stripped off the front.
        self.lines = re.split("\r\n|\r|\n", self.text)
        front = text[: len(text) - len(text.lstrip())]
        self.skipped = len(re.findall("\r\n|\r|\n", front))

    def read(self) -> Any:
        self._check_size()
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
        made = self._value(tree.body, 0)
        if not isinstance(made, (Schedule, MetricDriven)):
            self._refuse_at(tree.body, "a schedule is a call such as linear(1, 0, 10)")
        return made

    def _check_size(self) -> None:
        """Refuses what would take Python's own parser too long."""
        depth = calls = entries = 0
        for place in re.finditer(f"[(){{}},\\[\\]]|\\w{{{MAX_WORD},}}", self.text):
            found = place.group()
            opens = found in "([{"
            depth += opens - (found in ")]}")
            calls, entries = calls + opens, entries + (found == ",")
            if len(found) > 1:
                self._refuse_place(place.start(), "a number or name is too long")
            if depth > MAX_DEPTH or calls > MAX_CALLS or entries > MAX_ENTRIES:
                deep = depth > MAX_DEPTH
                self._refuse_place(
                    place.start(), "nested too deeply" if deep else "too much text"
                )

    def _refuse_place(self, place: int, reason: str) -> NoReturn:
        before = re.split("\r\n|\r|\n", self.text[:place])
        self._refuse(reason, len(before), len(before[-1]))

    def _value(self, node: ast.expr, depth: int) -> Any:
        if depth > MAX_DEPTH:
            self._refuse_at(node, "nested too deeply")
        match node:
            case ast.Constant(value=value) if isinstance(
                value, (int, float, str, type(None))
            ):
                return value
            case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
                return self._arithmetic(node, _UNARY[type(op)], depth, operand)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                return self._arithmetic(node, _BINARY[type(op)], depth, left, right)
            case ast.List(elts=entries) | ast.Tuple(elts=entries):
                return [self._value(entry, depth + 1) for entry in entries]
            case ast.Call(func=ast.Name(id=name)):
                return self._call(node, name, depth)
            case ast.Name(id=name):
                name = name[:40]
                hint = "; call it" if find(name) else ""
                self._refuse_at(node, f"the name {name!r} has no value here{hint}")
        self._refuse_at(
            node, "only numbers, text, lists and calls of schedules are read"
        )

    def _arithmetic(
        self, node: ast.expr, function: Callable[..., Any], depth: int, *parts: ast.expr
    ) -> int | float:
        numbers = []
        for part in parts:
            number = self._value(part, depth + 1)
            if isinstance(number, bool) or not isinstance(number, (int, float)):
                self._refuse_at(part, "arithmetic is for numbers")
            numbers.append(number)
        try:
            result = function(*numbers)
        except (ArithmeticError, ValueError):
            self._refuse_at(node, "the result is too large or undefined")
        if isinstance(result, complex) or not abs(result) < 1e300:
            self._refuse_at(node, "the result is too large or not real")
        return result

    def _call(self, node: ast.Call, name: str, depth: int) -> Any:
        rule = find(name)
        line, column = self._place(node)
        # Python reads some other letters as these; a name is what is written.
        if rule is None or not self.lines[line - 1].startswith(name, column):
            self._refuse_at(node, unknown(name))
        args = [self._value(part, depth + 1) for part in node.args]
        kwargs = {}
        for keyword in node.keywords:
            if keyword.arg is None:
                self._refuse_at(keyword.value, "** is not read")
            if keyword.arg in kwargs:
                self._refuse_at(keyword.value, f"{keyword.arg} is given twice")
            kwargs[keyword.arg] = self._value(keyword.value, depth + 1)
        try:
            return rule(*args, **kwargs)
        except (TypeError, ValueError, OverflowError) as error:
            self._refuse_at(self._culprit(node, name, str(error)), str(error))

    def _culprit(self, node: ast.Call, name: str, message: str) -> ast.expr:
        """The argument that an error of a constructor speaks of, or the whole call."""
        given = {k.arg: k.value for k in node.keywords if k.arg is not None}
        made = find(name)
        if hasattr(made, "__rule__"):
            names = list(rule_of(made).domains)  # type: ignore[arg-type]
            given |= dict(zip(names, node.args, strict=False))
        return given.get(argument_in(message, name, given) or "", node)

    def _place(self, node: ast.expr) -> tuple[int, int]:
        """Line and column in characters; Python counts columns in bytes."""
        line = self.lines[node.lineno - 1]
        return node.lineno, len(line.encode()[: node.col_offset].decode())

    def _refuse_at(self, node: ast.expr, reason: str) -> NoReturn:
        self._refuse(reason, *self._place(node))

    def _refuse(self, reason: str, line: int, column: int) -> NoReturn:
        shown = self.lines[min(line, len(self.lines)) - 1]
        begin = max(0, column - 60)
        where = f" (line {line + self.skipped})" if len(self.lines) > 1 else ""
        raise ValueError(
            f"parse: {reason}{where}\n  {shown[begin : begin + 120]}\n"
            f"  {' ' * (column - begin)}^"
        ) from None


def _power(base: float, exponent: float) -> float:
    """Powers of bounded size: an integer power could fill the memory."""
    is_large = (abs(base) > 1 and not -64 <= exponent <= 64) or abs(base) > 10**18
    if isinstance(base, int) and isinstance(exponent, int) and is_large:
        return float(base) ** exponent
    return base**exponent


_UNARY: dict[type, Callable[..., Any]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}


_BINARY: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
}
