"""A function's source as it is written: statements, names that are free, numbers."""

import ast
import builtins
import keyword
import re
import textwrap
from itertools import groupby
from typing import Any

import numpy as np

from jaxsched.arrays import largest_integer

# Without the indentation of a function's body.
_WIDTH = 84


class Lacking(Exception):
    """What has no source of its own, and why."""


class Writer:
    """The statements of one function, and what it needs before it.

    Attributes:
      lines: The statements so far, without indentation.
      constants: Assignments of numbers that stand before it.
      functions: The text of functions that stand before it.
      names: What those are called.
    """

    lines: list[str]
    constants: list[str]
    functions: list[str]
    names: dict[Any, str]

    def __init__(self, name: str):
        self.lines = []
        self._modules = {"jax.numpy": "jnp"}
        self.constants, self.functions, self.names = [], [], {}
        self._taken = {name, "step", "is_whole", "jnp", *dir(builtins), *keyword.kwlist}
        self._of_step = {"step"}

    def free(self, wanted: str) -> str:
        """A name that is not taken: the wanted one, or it with a number."""
        name, count = wanted, 2
        while name in self._taken:
            name, count = f"{wanted}_{count}", count + 1
        self._taken.add(name)
        return name

    def module(self, module: str, wanted: str) -> str:
        """Imports a module; gives what it is called."""
        if module not in self._modules:
            self._modules[module] = self.free(wanted)
        return self._modules[module]

    def constant(self, wanted: str, text: str) -> str:
        """Enters a number before the functions; gives what it is called."""
        if (wanted, text) not in self.names:
            self.names[wanted, text] = name = self.free(wanted)
            self.constants.append(wrapped(f"{name} = {text}"))
        return self.names[wanted, text]

    def before(self, text: str) -> tuple[list[str], list[str]]:
        """The constants and functions that a text needs."""
        separated = [x for one in (*self.constants, *self.functions) for x in ("", one)]
        found = needed(separated, text)
        functions = [x for x in found if x in self.functions]
        return [x for x in found if x in self.constants], functions

    def imports(self, text: str) -> list[str]:
        """The import lines that a text needs."""
        found, used = [], names_in(text)
        for module, name in self._modules.items():
            if name not in used:
                continue
            parent, _, last = module.rpartition(".")
            line = (
                f"import {module}" if name == module else f"import {module} as {name}"
            )
            if parent and name == last:
                line = f"from {parent} import {last}"
            found.append(line)
        return found

    def is_free(self, name: str) -> bool:
        """Whether nothing is called so."""
        return name not in self._taken

    def comment(self, text: str) -> None:
        """A comment after an empty line."""
        marked = textwrap.indent(textwrap.fill(text, _WIDTH - 2), "# ")
        self.lines += ["", marked]

    def let(self, wanted: str, expression: str) -> str:
        """Assigns an expression to a free name."""
        return self.assign(self.free(wanted), expression)

    def assign(self, name: str, expression: str) -> str:
        """Assigns an expression to a name that was found free."""
        self.lines.append(wrapped(f"{name} = {expression}"))
        if self.depends_on_step(expression):
            self._of_step.add(name)
        return name

    def depends_on_step(self, expression: str) -> bool:
        """Whether it is computed for each step: else it is one number for all."""
        return not self._of_step.isdisjoint(names_in(expression))

    def begin_function(self, argument: str) -> list[str]:
        """From here on, statements of a function in the function; gives those so far."""
        outer, self.lines = self.lines, as_step(argument)
        self._of_step.add(argument)
        return outer

    def end_function(
        self, outer: list[str], name: str, argument: str, result: str
    ) -> None:
        """The function in the function is whole: it stands after the statements before."""
        if not self.depends_on_step(result):
            result = f"jnp.full(jnp.shape({argument}), {result})"
        body = "\n".join([*needed(self.lines, result), f"return {result}"]).strip("\n")
        head = f"def {name}({argument}):"
        self.lines = [*outer, "", f"{head}\n{textwrap.indent(body, '    ')}", ""]


def as_step(name: str) -> list[str]:
    """Statements that make a step of what a function was given, not below 0."""
    return [
        f"{name} = jnp.asarray({name})",
        f"is_whole = jnp.issubdtype({name}.dtype, jnp.integer)",
        f"{name} = {name}.astype(jnp.result_type(int if is_whole else float))",
        f"{name} = jnp.maximum({name}, 0)",
    ]


def needed(lines: list[str], result: str) -> list[str]:
    """The statements that the result needs, and the comments before one of these."""
    used, found = names_in(result), list[str]()
    for is_blank, part in groupby(reversed(lines), key="".__eq__):
        kept = list[str]()
        for line in part:
            if kept if line.startswith("#") else _makes(line) & used:
                kept.append(line)
                used |= names_in(line)
        if kept and not is_blank:
            found += [*kept, ""]
    return found[::-1]


def names_in(text: str) -> set[str]:
    """The names that a text of source uses, in f-strings too, but in no comment."""
    nodes = ast.walk(ast.parse(text))
    return {node.id for node in nodes if isinstance(node, ast.Name)}


def _makes(statement: str) -> set[str]:
    """The variables that it assigns, the function that it defines, what a loop changes."""
    if statement.startswith("for "):
        return set(re.findall(r"^    (\w+)", statement, re.M))
    return set(re.findall(r"^(?:def )?(\w+)", statement))


def is_whole(time: Any) -> bool:
    """Whether times are whole numbers that JAX counts; all others are floats."""
    host = np.asarray(time)
    return host.dtype.kind in "iu" and bool(np.all(host <= largest_integer()))


def literal(value: Any, *, is_time: bool = False) -> str:
    """A number, or a table of numbers, as Python writes it: a float if it is no time."""
    host = np.asarray(value)
    if host.ndim:
        return f"jnp.array({host.astype(np.float64).tolist()}, float)"
    number = host.item()
    return repr(number if is_time and is_whole(host) else float(number))


def wrapped(statement: str) -> str:
    """A long statement in lines of a readable width, where it can be broken."""
    if len(statement) <= _WIDTH or "  # " in statement:
        return statement
    name, _, expression = statement.partition(" = ")
    return f"{name} = {broken(expression)}"


def broken(text: str) -> str:
    """A call, an array or a sum, broken after its arguments or before its signs."""
    tree = ast.parse(text, mode="eval").body

    def source(node: ast.AST) -> str:
        return ast.get_source_segment(text, node) or ""

    if isinstance(tree, ast.List):
        parts = list(map(source, tree.elts))
        inside = textwrap.fill(", ".join(parts), _WIDTH - 16)
        if any(" " in part for part in parts):
            inside = "\n".join(f"{part}," for part in parts)
        return f"[\n{textwrap.indent(inside, '    ')}\n]"
    if isinstance(tree, ast.Subscript):
        return f"{source(tree.value)}[\n    {source(tree.slice)}\n]"
    if isinstance(tree, ast.Call):
        given = [source(x) for x in tree.args]
        given += [f"{k.arg}={source(k.value)}" for k in tree.keywords]
        if isinstance(tree.func, ast.Attribute) and isinstance(
            tree.func.value, ast.BinOp
        ):
            value = broken(source(tree.func.value))
            return f"{value}.{tree.func.attr}({', '.join(given)})"
        inside = "\n".join(f"{_if_long(x)}," for x in given)
        return f"{source(tree.func)}(\n{textwrap.indent(inside, '    ')}\n)"
    if isinstance(tree, ast.ListComp):
        [loop] = tree.generators
        over = f"for {source(loop.target)} in {source(loop.iter)}"
        made = textwrap.indent(_if_long(source(tree.elt)), "    ")
        return f"[\n{made}\n    {over}\n]"
    if isinstance(tree, ast.BinOp):
        end, begin = tree.left.end_col_offset or 0, tree.right.col_offset
        sign = text[end:begin].strip("() ")
        place = text.index(sign, end)
        left, right = text[:place].rstrip(), text[place + len(sign) :].lstrip()
        return f"(\n    {left}\n    {sign} {right}\n)"
    return text


def _if_long(text: str) -> str:
    return broken(text) if len(text) > _WIDTH - 8 else text
