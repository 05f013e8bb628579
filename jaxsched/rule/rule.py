"""Rule, a function whose hyperparameters are annotated with what they may be."""

import inspect
import keyword
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol

from jaxsched.rule.domain import Domain, NotData, Words
from jaxsched.rule.foreign import hint
from jaxsched.rule.identity import captured, identity
from jaxsched.rule.signature import arguments, read_signature
from jaxsched.rule.values import same
from jaxsched.rule.wording import Refusal, admitted, short


def is_name(text: str) -> bool:
    """Whether Python reads a text as a name."""
    return text.isidentifier() and not keyword.iskeyword(text)


class Naming(Protocol):
    """How a rule is called in texts; `jaxsched.rule.names` knows all that there are."""

    kind: str

    def shortest(self, rule: "Rule") -> str:
        """The shortest name that means the rule."""
        ...

    def why_not(self, rule: "Rule") -> str | None:
        """Why no name means the rule, or None where one does."""
        ...

    def known(self, rule: "Rule") -> "Rule":
        """The rule that is the same, or itself."""
        ...

    def recipe_with(self, argument: str) -> str | None:
        """The name of a recipe that takes the argument."""
        ...


class Rule:
    """A function, the domains of its hyperparameters, and the checks between them.

    Args:
      function: The rule.
      given: How many of its parameters are not hyperparameters, but given at call time.
      check: Called with the hyperparameters by name; raises `Refusal`.
      writes_defaults: Whether text shows hyperparameters that are at their defaults.
    """

    function: Callable[..., Any]
    name: str
    check: Callable[..., None] | None
    constructor: Callable[..., Any]
    signature: inspect.Signature
    domains: dict[str, Domain]
    names: Naming
    is_recipe: bool
    writes_defaults: bool

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        given: int,
        check: Callable[..., None] | None = None,
        writes_defaults: bool = False,
    ):
        if not hasattr(function, "__code__") and not hasattr(function, "__wrapped__"):
            raise TypeError(
                f"a rule is a function that `def` made, got {short(function)}"
            )
        self.function = function
        self.name = function.__name__
        self.check = check
        self.constructor = function
        self.is_recipe = False
        self.signature, self.domains = read_signature(function, given)
        if not function.__name__.isidentifier():
            raise TypeError(
                f"{function.__name__}: a rule needs a name of its own; make it with def"
            )
        for name, p in self.signature.parameters.items():
            # Said where it is written; what a text names may come later.
            if not self.is_own and not isinstance(p.default, (str, type)):
                self._admit(name, p.default)
        # A function made in another may have other defaults each time.
        self.writes_defaults = writes_defaults or "<locals>" in function.__qualname__

    # A rule is known by where it was written and what it does. It is compared by value,
    # since one that was pickled by value is a new object in each process.

    @property
    def path(self) -> tuple[str, ...]:
        """Its module and qualified name, in parts."""
        module, name = self.place
        return (*module.split("."), *name.split("."))

    @property
    def place(self) -> tuple[str, str]:
        """Its module, and its name there."""
        scope = self.function.__qualname__.split(".")
        inner = [part for part in scope if part != "<locals>"]
        # `exec` without a `__name__` makes functions of no module.
        return self.function.__module__ or "__main__", ".".join(inner)

    @cached_property
    def is_own(self) -> bool:
        """Whether it is one of this package."""
        return self.path[0] == __name__.partition(".")[0]

    @cached_property
    def identity(self) -> Hashable:
        """What tells it from others: its functions, and what its arguments may be."""
        domains = tuple((name, d.identity) for name, d in self.domains.items())
        return tuple(map(identity, self.functions())), domains

    def functions(self) -> list[Callable[..., Any]]:
        """All functions that it is made of."""
        return [self.function] if self.check is None else [self.function, self.check]

    @property
    def captures(self) -> list[str]:
        """The variables of a surrounding function that it uses."""
        if self.is_own:  # no two of which differ in these alone
            return []
        return list(
            dict.fromkeys(name for f in self.functions() for name in captured(f))
        )

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, Rule) and self.identity == other.identity
        )

    @cached_property
    def _hash(self) -> int:
        return hash((self.function.__module__, self.function.__qualname__))

    def __hash__(self) -> int:
        return self._hash

    def __getstate__(self) -> dict[str, Any]:
        cached = ("identity", "is_own", "_hash", "_defaults", "deciding", "reading")
        return {k: v for k, v in vars(self).items() if k not in cached}

    def bind(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Checked hyperparameters by name, defaults filled in.

        Raises:
          ValueError: A value is out of its domain, or values do not fit each other.
          TypeError: A value is of the wrong kind, or an argument is unknown or missing.
        """
        for name in kwargs:
            if name not in self.domains:
                given = {*kwargs, *list(self.domains)[: len(args)]}
                raise TypeError(
                    f"{self.name}: unknown argument {name!r}{self._hint(name, given)}, "
                    f"got {name}={short(kwargs[name])}"
                )
        try:
            given = arguments(self.signature, args, kwargs)
        except TypeError as error:
            raise TypeError(f"{self.name}: {error}; use {self.usage}") from None
        values = {name: self._admit(name, value) for name, value in given.items()}
        if self.check is not None:
            self.apply(self.check, values)
        return values

    def apply(self, function: Callable[..., Any], values: Mapping[str, Any]) -> Any:
        """Calls `function` with the hyperparameters and words its refusal."""
        try:
            return function(**values)
        except Refusal as refusal:
            got = ", ".join(f"{n}={short(values[n])}" for n in refusal.names)
            raise ValueError(f"{self.name}: {refusal}, got {got}") from None

    @property
    def usage(self) -> str:
        """The call with its arguments, without annotations."""
        plain = [
            p.replace(annotation=inspect.Parameter.empty)
            for p in self.signature.parameters.values()
        ]
        return f"{self.name}{inspect.Signature(plain)}"

    def readable_signature(self, made: type) -> inspect.Signature:
        """The signature as `help` shows it: what each argument is, in a word."""
        words = [
            p.replace(annotation=Words(self._words(name, p.default)))
            for name, p in self.signature.parameters.items()
        ]
        return self.signature.replace(parameters=words, return_annotation=made)

    def _words(self, name: str, default: Any) -> str:
        words = self.domains[name].words
        return words if default is not None else f"{words} | None"

    def is_default(self, name: str, value: Any) -> bool:
        """Whether a hyperparameter is what it would be if it were not given."""
        defaults = self._defaults
        return name in defaults and same(value, defaults[name])

    @cached_property
    def reading(self) -> list[tuple[str, bool, bool, Any]]:
        """What a reader asks of each hyperparameter.

        Its name, whether it is static, whether it counts, and its default.
        """
        return [
            (name, domain.static, domain.counts, self._defaults.get(name, Rule))
            for name, domain in self.domains.items()
        ]

    @cached_property
    def deciding(self) -> list[str]:
        """The hyperparameters that are needed as themselves, where they are known."""
        return [name for name, domain in self.domains.items() if domain.decides]

    @cached_property
    def _defaults(self) -> dict[str, Any]:
        return {
            name: self._admit(name, p.default)
            for name, p in self.signature.parameters.items()
            if p.default is not p.empty
        }

    def text(self, values: Mapping[str, Any]) -> str:
        """The constructor call with these hyperparameters."""
        given = []
        for name, value in values.items():  # no generator: Python counts its calls too
            if not self._is_left_out(name, value):
                given.append(f"{name}={self.domains[name].write(value)}")
        reason = self.names.why_not(self)
        name = self.names.shortest(self)
        if not reason and not all(map(is_name, name.split("."))):
            reason = f"is called {name}, which is no name in Python"
        name = f"<{self.name}, which {reason}>" if reason else name
        return f"{name}({', '.join(given)})"

    def _is_left_out(self, name: str, value: Any) -> bool:
        if value is None or not self.writes_defaults:
            return self.is_default(name, value)
        return False

    def data(self, values: Mapping[str, Any]) -> Any:
        """The same as plain data: its name, to a mapping of what is not None."""
        if reason := self.names.why_not(self):
            raise NotData(f"is not data: {self.name} {reason}")
        name = self.names.shortest(self)
        found = {}
        for key, value in values.items():
            if value is not None:
                try:
                    found[key] = self.domains[key].data(value)
                except NotData as error:
                    error.place = f".{name}.{key}{error.place}"
                    raise
        return {name: found}

    def _admit(self, name: str, value: Any) -> Any:
        if value is None and self.signature.parameters[name].default is None:
            return None
        return admitted(self.name, name, value, self.domains[name])

    def _hint(self, name: str, given: set[str]) -> str:
        """What to write for an unknown argument beside those that are given."""
        found = hint(name, self.name, self.domains, given)
        return f" (did you mean {found}?)" if found else f"; use {self.usage}"
