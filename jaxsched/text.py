"""Schedules as text and as plain data, and back: repr, parse, to_dict, from_dict.

The text of a schedule is its constructor call. Reading it back never evaluates code:
only literals, arithmetic on numbers and calls of registered names are understood.
"""

import ast
import difflib
import operator
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from jaxsched.domains import Numbers, Static
from jaxsched.rule import Bound, Rule, rule_of, same, short
from jaxsched.schedule import Schedule, is_array, schedules
from jaxsched.shapes import Shape, shapes

# Enough for a table of 100,000 knots; beyond, a text would cost minutes or gigabytes.
MAX_CHARACTERS = 4_000_000
MAX_ENTRIES = 500_000
MAX_CALLS = 10_000
MAX_DEPTH = 100
MAX_WORD = 400  # characters in one number or name


def array(values: Any, dtype: str) -> np.ndarray:
    """An array as a hyperparameter, the way `repr` writes one.

    Args:
      values: A number or nested lists of numbers, finite.
      dtype: The name of a real dtype, such as "float32" or "bfloat16".

    Returns:
      A NumPy array, so that it keeps its dtype whatever JAX is set to.

    Raises:
      TypeError: `values` are not numbers, or `dtype` is not the name of a real dtype.
      ValueError: `values` are not rectangular, or not finite numbers of that dtype.

    >>> import jaxsched as js
    >>> js.constant(js.array(0.5, "float32"))
    constant(value=array(0.5, dtype='float32'))
    """
    kind = _DTYPES.get(dtype) if isinstance(dtype, str) else None
    if kind is None:
        names = ", ".join(_DTYPES)
        raise TypeError(
            f"array: dtype must be one of {names}, got dtype={short(dtype)}"
        )
    got = f"got values={short(values)}"
    try:
        given = np.array(values)
    except (ValueError, OverflowError):
        raise ValueError(f"array: values must be rectangular, {got}") from None
    if given.dtype == object and all(type(v) in (int, float) for v in given.flat):
        raise ValueError(f"array: values must be finite numbers of {dtype}, {got}")
    if given.size and given.dtype.kind not in "iuf":
        raise TypeError(f"array: values must be numbers, {got}")
    with np.errstate(all="ignore"):
        made = given.astype(kind)
        if not np.all(np.isfinite(made.astype(np.float64))):
            raise ValueError(f"array: values must be finite numbers of {dtype}, {got}")
        whole = jnp.issubdtype(kind, jnp.integer)
        if whole and not np.array_equal(
            made.astype(np.float64), given.astype(np.float64)
        ):
            raise ValueError(f"array: values must be whole numbers of {dtype}, {got}")
    return made


_DTYPES = {
    np.dtype(kind).name: np.dtype(kind)
    for kind in (
        *(jnp.float32, jnp.bfloat16, jnp.float16, jnp.float64),
        *(jnp.int8, jnp.int16, jnp.int32, jnp.int64),
        *(jnp.uint8, jnp.uint16, jnp.uint32, jnp.uint64),
    )
}


def write(value: Any) -> str:
    """The text of a schedule, a shape or a hyperparameter."""
    if isinstance(value, Bound):
        given = _given(value, everything=isinstance(value, Shape))
        return f"{value._rule.name}({', '.join(f'{k}={v}' for k, v in given.items())})"
    if isinstance(value, Tracer):
        return f"<traced {value.dtype.name}{list(value.shape)}>"
    if isinstance(value, Numbers):
        return write(value.array) if _is_device(value) else repr(value.array.tolist())
    if is_array(value):
        return f"array({_plain(value)}, dtype={value.dtype.name!r})"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(write, value))}]"
    return repr(value)


def _given(value: Bound, *, everything: bool) -> dict[str, str]:
    """The text of the hyperparameters; of those that are not their default, if not all."""
    rule = value._rule
    texts = {}
    for name, own in value._values.items():
        default = rule.signature.parameters[name].default
        if not everything and default is not rule.signature.empty:
            if default is None and own is None:
                continue
            if default is not None and same(rule.domains[name].admit(default), own):
                continue
        texts[name] = repr(own._rule.name) if _is_named_shape(own) else write(own)
    return texts


def _is_named_shape(value: Any) -> bool:
    return isinstance(value, Shape) and not value._values


def _is_device(value: Numbers) -> bool:
    """Whether a table has become an array of JAX, by a transformation."""
    return not isinstance(value.array, np.ndarray)


def _plain(value: Any) -> Any:
    """An array as Python numbers, as short as its dtype allows."""
    host = np.asarray(value)
    if host.dtype in (np.float16, np.float32):
        return jax.tree.map(lambda x: float(str(x)), _nested(host))
    return host.tolist()


def _nested(host: np.ndarray) -> Any:
    return host[()] if host.ndim == 0 else [_nested(row) for row in host]


def parse(text: str) -> Schedule:
    """The schedule that a text describes: the inverse of `repr`.

    Reads calls of schedules, recipes, combinators and shapes by name (those made with
    `@schedule`, `@recipe` and `@shape` included), numbers, arithmetic on numbers, text,
    lists, `True`, `False` and `None`. Nothing else: no attributes, no variables, no code.

    Args:
      text: At most 4,000,000 characters, 500,000 entries and 10,000 calls, nested at
        most 100 deep.

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

    def read(self) -> Schedule:
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
        if not isinstance(made, Schedule):
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
                hint = "; call it" if _find(name) else ""
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
        rule = _find(name)
        line, column = self._place(node)
        # Python reads some other letters as these; a name is what is written.
        if rule is None or not self.lines[line - 1].startswith(name, column):
            self._refuse_at(node, _unknown(name))
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
        made = _find(name)
        if hasattr(made, "__rule__"):
            names = list(rule_of(made).domains)  # type: ignore[arg-type]
            given |= dict(zip(names, node.args, strict=False))
        return given.get(_argument_in(message, name, given) or "", node)

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


def _argument_in(message: str, name: str, given: Iterable[str]) -> str | None:
    """The argument of `name` that an error of its constructor speaks of."""
    for argument in given:
        starts = (f"{name}: {argument} ", f"{name}: unknown argument {argument!r}")
        if message.startswith(starts):
            return argument
    return None


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


def _find(name: str) -> Callable[..., Any] | None:
    """The constructor of a schedule, recipe or shape, or `array`."""
    rule: Rule | None = schedules.get(name) or shapes.get(name)
    if rule is not None:
        return rule.constructor
    return array if name == "array" else None


def _unknown(name: str) -> str:
    name = name[:40]
    near = difflib.get_close_matches(name, [*schedules, *shapes], n=3, cutoff=0.5)
    hint = f"; the nearest are {', '.join(near)}" if near else ""
    return f"there is no schedule {name!r}{hint}"


def to_dict(schedule: Schedule) -> dict[str, Any]:
    """A schedule as plain data for JSON or YAML.

    Each schedule is a mapping with one key, its name, to a mapping of its
    hyperparameters. All of them are written, so that a config does not depend on defaults,
    but those that are None.

    Raises:
      TypeError: The argument is not a schedule.
      ValueError: The schedule holds a callable or traced values, which are not data.

    >>> import jaxsched as js
    >>> js.to_dict(js.linear(1.0, 0.0, steps=10))
    {'linear': {'init_value': 1.0, 'end_value': 0.0, 'steps': 10}}
    """
    if not isinstance(schedule, Schedule):
        raise TypeError(f"to_dict: schedule must be a schedule, got {short(schedule)}")
    return _data(schedule, "")


def _data(value: Any, path: str) -> Any:
    if isinstance(value, Bound):
        if _is_named_shape(value):
            return value._rule.name
        name = value._rule.name
        inner = value._values.items()
        return {
            name: {k: _data(v, f"{path}.{name}.{k}") for k, v in inner if v is not None}
        }
    if isinstance(value, Numbers) and not _is_device(value):
        return value.array.tolist()
    value = value.array if isinstance(value, Numbers) else value
    if isinstance(value, (list, tuple)):
        return [_data(v, f"{path}[{i}]") for i, v in enumerate(value)]
    if isinstance(value, (Tracer, Static)) or callable(value):
        raise ValueError(f"to_dict: {path[1:]} is not data, got {write(value)}")
    if is_array(value):
        return {"array": {"values": _plain(value), "dtype": value.dtype.name}}
    return value


def from_dict(data: Mapping[str, Any]) -> Schedule:
    """The schedule that plain data describes: the inverse of `to_dict`.

    Hyperparameters with a default may be left out, and recipes may be used by name.

    Raises:
      ValueError: The data is not understood, or a constructor refuses its arguments. The
        message names the place.

    >>> import jaxsched as js
    >>> js.from_dict({"linear": {"init_value": 1.0, "end_value": 0.0, "steps": 10}})
    linear(init_value=1.0, end_value=0.0, steps=10)
    """
    made = _Builder().build(data, "", 0)
    if not isinstance(made, Schedule):
        raise ValueError(f"from_dict: data must describe a schedule, got {short(data)}")
    return made


class _Builder:
    """Builds a schedule from plain data, which may be shared but not endless."""

    def __init__(self) -> None:
        self.entries = 0

    def build(self, data: Any, path: str, depth: int) -> Any:
        self.entries += 1
        if depth > MAX_DEPTH or self.entries > MAX_ENTRIES:
            deep = depth > MAX_DEPTH
            _refuse_data("nested too deeply" if deep else "too much data", path)
        if isinstance(data, (list, tuple)):
            entries = enumerate(data)
            return [self.build(v, f"{path}[{i}]", depth + 1) for i, v in entries]
        if isinstance(data, Mapping):
            return self._call(data, path, depth)
        if not isinstance(data, (int, float, str, type(None), np.generic)):
            kinds = "only numbers, text, lists and mappings are read"
            _refuse_data(f"{kinds}, got {short(data)}", path)
        return data

    def _call(self, data: Mapping[Any, Any], path: str, depth: int) -> Any:
        if len(data) != 1:
            reason = "a schedule is a mapping with one key, its name"
            _refuse_data(f"{reason}, got {short(list(data))}", path)
        [(name, inner)] = data.items()
        constructor = _find(name) if isinstance(name, str) else None
        if constructor is None:
            _refuse_data(_unknown(str(name)), path)
        path = f"{path}.{name}"
        if not isinstance(inner, Mapping) or not all(isinstance(k, str) for k in inner):
            reason = f"{name} needs a mapping of its arguments"
            _refuse_data(f"{reason}, got {short(inner)}", path)
        kwargs = {k: self.build(v, f"{path}.{k}", depth + 1) for k, v in inner.items()}
        try:
            return constructor(**kwargs)
        except (TypeError, ValueError, OverflowError) as error:
            argument = _argument_in(str(error), name, kwargs)
            place = path if argument is None else f"{path}.{argument}"
            _refuse_data(f"{error}{_hint(kwargs.get(argument or ''))}", place)


def _refuse_data(reason: str, path: str) -> NoReturn:
    place = f" at {path[1:]}" if path else ""
    raise ValueError(f"from_dict: {reason}{place}") from None


def _hint(value: Any) -> str:
    """What to write instead of a number that a YAML reader took for text."""
    try:
        number = float(value) if isinstance(value, str) else None
    except ValueError:
        number = None
    return f" (text; in YAML a number is written {number!r})" if number else ""
