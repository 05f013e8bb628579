"""The decorator of the functions that bear another library's names."""

import inspect
import re
import textwrap
from collections.abc import Callable
from functools import partial
from typing import Any, ParamSpec, TypeVar, get_args

from jaxsched.combinators.time import shift
from jaxsched.rule import Rule, constructor_of

P = ParamSpec("P")
R = TypeVar("R")

_SECTION = re.compile(r"^(?=(?:Args|Raises|Example):$)", re.M)
_ENTRY = re.compile(r"^  (\w+): (.*(?:\n    .*)*)", re.M)


def peer(function: Callable[P, R], /) -> Callable[P, R]:
    """A function that makes a schedule from the arguments that another library takes.

    Each argument is annotated with what it may be, and checked as the hyperparameters of
    a schedule are: an error names the function and the argument as the other library
    calls them. Raise `Refusal` for arguments that do not fit each other. What the
    function returns is a schedule from its beginning: it leaves `last_epoch` aside, and
    the caller gets what goes on after `last_epoch` + 1 steps.

    An annotation may hold a text after its domain. That describes the argument where the
    docstring does not.
    """
    return with_first(function)


def with_first(function: Callable[..., Any], *first: Any) -> Callable[..., Any]:
    """The same for a function whose first arguments are not the caller's to give."""
    rule = Rule(function, given=len(first))

    def build(values: dict[str, Any]) -> Any:
        last_epoch = values.get("last_epoch", -1)
        try:
            made = rule.apply(partial(function, *first), values)
        except (TypeError, ValueError) as error:
            if type(error) not in (TypeError, ValueError):  # one of JAX's own
                raise
            raise _in_the_words_of(rule.name, error) from None
        return made if last_epoch == -1 else shift(made, last_epoch + 1)

    built = constructor_of(rule, inspect.signature(function).return_annotation, build)
    built.__doc__ = _documented(function, list(rule.domains))
    return built


def _in_the_words_of(name: str, error: Exception) -> Exception:
    """What a schedule inside refuses, said by the function that was called."""
    message = str(error)
    return (
        error if message.startswith(f"{name}: ") else type(error)(f"{name}: {message}")
    )


def _documented(function: Callable[..., Any], arguments: list[str]) -> str:
    """The docstring, in which each argument is described."""
    first, *others = _SECTION.split(inspect.cleandoc(function.__doc__ or ""))
    sections = {text.partition(":")[0]: text for text in others}
    texts = _texts(function) | dict(_ENTRY.findall(sections.pop("Args", "")))
    entries = [_wrapped(f"{name}: {texts[name]}") for name in arguments]
    return "".join([first, "Args:\n", *entries, "\n", *sections.values()])


def _texts(function: Callable[..., Any]) -> dict[str, str]:
    """The texts that stand in annotations."""
    found = {}
    for name, parameter in inspect.signature(function).parameters.items():
        for part in (parameter.annotation, *get_args(parameter.annotation)):
            for extra in getattr(part, "__metadata__", ()):
                if isinstance(extra, str):
                    found[name] = extra
    return found


def _wrapped(entry: str) -> str:
    words = " ".join(entry.split())
    lines = textwrap.fill(words, 88, initial_indent="  ", subsequent_indent="    ")
    return f"{lines}\n"
