"""A user's own functions in the source: their text, without what it owes to us."""

import ast
import inspect
import sys
import textwrap
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from jaxsched.export.source.writer import Lacking, Writer, literal
from jaxsched.progress import progress
from jaxsched.rule import Bound
from jaxsched.rule.identity import captured

_PROGRESS = '''def progress(step, steps):
    """The elapsed and the remaining fraction of an interval of steps."""
    elapsed = jnp.minimum(step, steps)
    length = jnp.maximum(steps, 1)
    is_over = elapsed >= steps
    passed = jnp.where(is_over, 1.0, elapsed / length)
    return passed, jnp.where(is_over, 0.0, (steps - elapsed) / length)'''


def called(part: Any, function: Callable[..., Any], given: list[str], of: Bound) -> str:
    """A call of a rule that a user wrote, with its hyperparameters."""
    name = function_of(part.writer, function)
    values = [f"{key}={_argument(part, key, of)}" for key in of._values]
    return f"{name}({', '.join([*given, *values])})"


def _argument(part: Any, key: str, of: Bound) -> str:
    value = of._values[key]
    if value is None or isinstance(value, (bool, str)):
        return repr(value)
    if isinstance(value, type(part.schedule)):
        return part.function(value)
    if not isinstance(value, (int, float)) and not hasattr(value, "dtype"):
        raise Lacking(f"{of._rule.name}: {key} is neither a number nor a schedule")
    return part.first(key, literal(value, is_time=of._rule.domains[key].counts))


def function_of(writer: Writer, function: Callable[..., Any]) -> str:
    """Enters a function before the source, and what it uses; gives its name there."""
    plain = inspect.unwrap(function)
    if plain in writer.names:
        return writer.names[plain]
    if plain is progress:
        writer.names[plain] = "progress"
        writer.functions.append(_PROGRESS)
        return "progress"
    what = getattr(plain, "__name__", type(plain).__name__)
    if not isinstance(plain, types.FunctionType) or what == "<lambda>":
        raise Lacking(f"{what} is no function made by def, whose source can be read")
    if held := ", ".join(captured(plain)):
        raise Lacking(f"{what} uses variables of the function around it: {held}")
    tree = _definition(plain, what)
    tree.name = writer.free(what if writer.is_free(what) else f"{what}_function")
    writer.names[plain] = tree.name
    tree = _Moved(writer, plain).visit(tree)
    writer.functions.append(ast.unparse(tree))
    return tree.name


def _definition(function: types.FunctionType, what: str) -> ast.FunctionDef:
    """Its definition, without decorators and annotations."""
    try:
        text = textwrap.dedent(inspect.getsource(function))
        [tree] = ast.parse(text).body
    except (OSError, TypeError, SyntaxError):
        raise Lacking(f"the source of {what} cannot be read") from None
    if not isinstance(tree, ast.FunctionDef):
        raise Lacking(f"the source of {what} cannot be read")
    tree.decorator_list, tree.returns = [], None
    arguments = tree.args
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        argument.annotation = None
    return tree


class _Moved(ast.NodeTransformer):
    """What a function finds in its module, as the source has it."""

    def __init__(self, writer: Writer, function: types.FunctionType):
        self.writer, self.function = writer, function
        self.names = {
            name: value
            for name, value in function.__globals__.items()
            if name in _names(function.__code__)
        }

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        held = (
            self.names.get(node.value.id) if isinstance(node.value, ast.Name) else None
        )
        if isinstance(held, types.ModuleType) and _package(held.__name__) == _OURS:
            return self._found(ast.unparse(node), getattr(held, node.attr, None))
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id not in self.names or not isinstance(node.ctx, ast.Load):
            return node
        return self._found(node.id, self.names[node.id])

    def _found(self, name: str, value: Any) -> ast.AST:
        return ast.parse(self._text(name, value), mode="eval").body

    def _text(self, name: str, value: Any) -> str:
        module = getattr(value, "__module__", None) or ""
        own = {_OURS, _package(self.function.__module__)}
        if isinstance(value, types.ModuleType) and _package(value.__name__) != _OURS:
            self.writer.imports.add(_import(value.__name__, name))
        elif isinstance(value, (bool, int, float, np.ndarray, np.generic)):
            is_exact = isinstance(value, (bool, int))
            return f"({value!r})" if is_exact else literal(value)
        elif isinstance(value, types.FunctionType) and _package(module) in own:
            return function_of(self.writer, value)
        elif getattr(sys.modules.get(module), name, None) is value:
            self.writer.imports.add(f"from {module} import {name}")
        else:
            what = self.function.__name__
            raise Lacking(f"{what} uses {name}, which is no module, number or def")
        return name


def _import(module: str, name: str) -> str:
    parent, _, last = module.rpartition(".")
    if name != last:
        return f"import {module} as {name}"
    return f"from {parent} import {last}" if parent else f"import {last}"


def _package(module: str) -> str:
    return module.partition(".")[0]


_OURS = _package(__name__)


def _names(code: types.CodeType) -> set[str]:
    """The names that code and the functions in it look up."""
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return set(code.co_names).union(*map(_names, inner))
