"""A user's own functions in the source: their text, without what it owes to us."""

import ast
import sys
import types
from collections.abc import Callable
from typing import Any

from jaxsched.export.source.definitions import definition, globals_of, number_text
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
        raise Lacking(
            f"{key} of {of._rule.name} must be a number or a schedule to be written "
            "as source"
        )
    return part.first(key, literal(value, is_time=of._rule.domains[key].counts))


def function_of(writer: Writer, function: Callable[..., Any]) -> str:
    """Enters a function before the source, and what it uses; gives its name there."""
    plain = _without_jit(function)
    if plain in writer.names:
        return writer.names[plain]
    if plain is progress:
        name = writer.names[plain] = writer.free("progress")
        writer.functions.append(_PROGRESS.replace("def progress", f"def {name}"))
        return name
    what = getattr(plain, "__name__", type(plain).__name__)
    if not isinstance(plain, types.FunctionType) or what == "<lambda>":
        raise Lacking(
            f"{what} is not a function made by def, whose source could be read"
        )
    if hasattr(plain, "__wrapped__"):
        raise Lacking(
            f"{what} is decorated, and what its decorator does cannot be written as source"
        )
    if held := ", ".join(captured(plain)):
        raise Lacking(
            f"the function {what} uses variables of the function around it: {held}"
        )
    tree = definition(plain)
    used = globals_of(tree)
    tree.name = writer.free(what if writer.is_free(what) else f"{what}_function")
    writer.names[plain] = tree.name
    tree = _Moved(writer, plain, used).visit(tree)
    writer.functions.append(ast.unparse(ast.fix_missing_locations(tree)))
    return tree.name


def _without_jit(function: Any) -> Any:
    """The function that `jax.jit` was given: compiled or not, it does the same."""
    while type(function).__module__.startswith("jax") and hasattr(
        function, "__wrapped__"
    ):
        function = function.__wrapped__
    return function


class _Moved(ast.NodeTransformer):
    """What a function finds in its module, as the source has it."""

    def __init__(self, writer: Writer, function: types.FunctionType, used: set[str]):
        self.writer, self.function = writer, function
        found = function.__globals__
        self.names = {name: found[name] for name in used if name in found}

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        held = (
            self.names.get(node.value.id) if isinstance(node.value, ast.Name) else None
        )
        if isinstance(held, types.ModuleType) and _package(held.__name__) == _OURS:
            return self._found(ast.unparse(node), getattr(held, node.attr, None))
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id not in self.names:
            return node
        return self._found(node.id, self.names[node.id])

    def _found(self, name: str, value: Any) -> ast.AST:
        return ast.parse(self._text(name, value), mode="eval").body

    def _text(self, name: str, value: Any) -> str:
        value = _without_jit(value)
        module = getattr(value, "__module__", None) or ""
        is_own = _package(module) in {_OURS, _package(self.function.__module__ or "")}
        if isinstance(value, types.ModuleType) and _package(value.__name__) != _OURS:
            return self.writer.module(value.__name__, name)
        if isinstance(value, types.FunctionType) and is_own:
            return function_of(self.writer, value)
        if (text := "None" if value is None else number_text(value)) is not None:
            return self.writer.constant(name.rpartition(".")[2], text)
        own_name = getattr(value, "__name__", "")
        if not is_own and getattr(sys.modules.get(module), own_name, None) is value:
            return f"{self.writer.module(module, _package(module))}.{own_name}"
        raise Lacking(
            f"{self.function.__name__} uses {name}, which is not a module, a number "
            "or a def"
        )


def _package(module: str) -> str:
    return module.partition(".")[0]


_OURS = _package(__name__)
