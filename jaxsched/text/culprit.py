"""Which part of a call an error of its constructor speaks of."""

import ast
import inspect
import re

from jaxsched.rule import Rule
from jaxsched.text.names import argument_in, array


def culprit(node: ast.Call, rule: Rule | None, message: str) -> ast.expr | ast.keyword:
    """An argument that is wrong with its name, the value of a bad one, or the call.

    Args:
      node: The call.
      rule: What it calls, or None for `array`.
      message: The error, in our words or in Python's own.
    """
    name = "array" if rule is None else rule.name
    for keyword in node.keywords:
        # unknown argument 'x', multiple values for argument 'x'
        if re.match(rf"{name}(: |\(\) )[\w ]* argument '{keyword.arg}'", message):
            return keyword
    signature = inspect.signature(array) if rule is None else rule.signature
    parameters = signature.parameters.values()
    in_order = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    if "positional argument" in message and len(node.args) > len(in_order):
        return node.args[len(in_order)]
    given = {k.arg: k.value for k in node.keywords if k.arg is not None}
    given |= dict(zip(in_order, node.args, strict=False))
    return given.get(argument_in(message, name, given) or "", node)
