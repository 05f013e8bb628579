"""The arithmetic that text may use: on numbers, and some of it on schedules."""

import ast
import operator
from collections.abc import Callable
from typing import Any


def _power(base: float, exponent: float) -> float:
    """Powers of bounded size: an integer power could fill the memory."""
    is_large = (abs(base) > 1 and not -64 <= exponent <= 64) or abs(base) > 10**18
    if isinstance(base, int) and isinstance(exponent, int) and is_large:
        return float(base) ** exponent
    return base**exponent


UNARY: dict[type, Callable[..., Any]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}


BINARY: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
}


OF_SCHEDULES = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.UAdd, ast.USub)
