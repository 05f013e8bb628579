"""The text of a function that a user wrote, and the names in it that are not its own."""

import ast
import inspect
import math
import symtable
import textwrap
import types
from typing import Any

import numpy as np

from jaxsched.export.source.writer import Lacking


def definition(function: types.FunctionType) -> ast.FunctionDef:
    """Its definition, without decorators and annotations."""
    try:
        text = textwrap.dedent(inspect.getsource(function))
        [tree] = ast.parse(text).body
    except (OSError, TypeError, ValueError, SyntaxError):
        tree = None
    if not isinstance(tree, ast.FunctionDef):
        raise Lacking(f"the source of {function.__name__} cannot be read")
    tree.decorator_list = []
    return ast.fix_missing_locations(_Unannotated().visit(tree))


class _Unannotated(ast.NodeTransformer):
    """Without annotations, whose names would be missing."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is None:
            return ast.Pass()
        return ast.Assign([node.target], self.visit(node.value))


def globals_of(tree: ast.FunctionDef) -> set[str]:
    """The names that it looks up in its module, in defaults and inner functions too.

    A name that is its own variable in one scope and the module's in another is refused,
    for only one of them could be replaced.
    """
    # Since Python 3.12 the table has no scope for the variables of a comprehension.
    loops = [n.target for n in ast.walk(tree) if isinstance(n, ast.comprehension)]
    own = {n.id for x in loops for n in ast.walk(x) if isinstance(n, ast.Name)}
    of_module = set[str]()

    def look(table: symtable.SymbolTable) -> None:
        for symbol in table.get_symbols():
            is_whole = table.get_type() == "module"
            if symbol.is_global() or (is_whole and symbol.is_referenced()):
                of_module.add(symbol.get_name())
            elif not is_whole:
                own.add(symbol.get_name())
        for child in table.get_children():
            look(child)

    look(symtable.symtable(ast.unparse(tree), tree.name, "exec"))
    if both := sorted(own & of_module):
        raise Lacking(
            f"{tree.name} uses the name {both[0]} both for a variable of its own and "
            "for one of its module"
        )
    return of_module


def number_text(value: Any) -> str | None:
    """A number, or an array of numbers, as Python writes it; None for what is none."""
    if isinstance(value, np.ndarray) and value.ndim:
        is_numeric = value.dtype.kind in "biuf" and np.all(np.isfinite(value))
        return f"jnp.array({value.tolist()})" if is_numeric else None
    plain = value.item() if isinstance(value, (np.ndarray, np.generic)) else value
    if not isinstance(plain, (bool, int, float)):
        return None
    if isinstance(plain, float) and not math.isfinite(plain):
        return f'float("{plain}")'
    return repr(plain)
