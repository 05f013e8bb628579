"""What schedules, shapes and recipes have in common: a rule and its hyperparameters.

A *rule* is a function whose first parameters are given at call time (the step of a
schedule, the two fractions of a shape) and whose others are hyperparameters. Each
hyperparameter is annotated with its domain (`jaxsched.domains`), which says what it may
be. A `Bound` is a rule together with hyperparameters: an immutable value and a pytree.
"""

import difflib
import inspect
import re
import reprlib
import types
import typing
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import jax
import numpy as np
from jax.core import Tracer

# A hyperparameter must not hide what every schedule has.
_RESERVED = frozenset({"at", "plot", "replace"})

_shortened = reprlib.Repr()
_shortened.maxother = _shortened.maxstring = 60


def short(value: Any) -> str:
    """A repr for an error: one line, of bounded length, of anything."""
    try:
        return re.sub(r"\s*\n\s*", " ", _shortened.repr(value))
    except ValueError:  # an integer with more digits than Python prints
        return f"<{type(value).__name__} too large to print>"


@runtime_checkable
class Domain(Protocol):
    """What one hyperparameter may be."""

    static: bool

    def admit(self, value: Any) -> Any:
        """The value as it is kept, or a ValueError or TypeError saying "must be ..."."""
        ...

    def load(self, value: Any) -> Any:
        """The kept value as the rule computes with it."""
        ...


def admitted(function: str, argument: str, value: Any, domain: Domain) -> Any:
    """An argument as its domain keeps it; the one wording of a refusal."""
    try:
        return domain.admit(value)
    except (ValueError, TypeError) as error:
        message = f"{function}: {argument} {error}, got {argument}={short(value)}"
        raise type(error)(message) from None


class Refusal(Exception):
    """Hyperparameters that do not fit each other, with the names of those concerned.

    Args:
      reason: What must hold, such as "min_value must be <= max_value".
      names: The hyperparameters whose values the error shows.
    """

    names: tuple[str, ...]

    def __init__(self, reason: str, *names: str):
        super().__init__(reason)
        self.names = names


class Rule:
    """A function, the domains of its hyperparameters, and the checks between them."""

    function: Callable[..., Any]
    name: str
    check: Callable[..., None] | None
    constructor: Callable[..., Any]
    signature: inspect.Signature
    domains: dict[str, Domain]

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        given: int,
        check: Callable[..., None] | None = None,
    ):
        self.function = function
        self.name = function.__name__
        self.check = check
        self.constructor = function
        self.signature, self.domains = _read_signature(function, given)

    @property
    def origin(self) -> tuple[str, str]:
        """Where the rule was written; a second definition from there replaces it."""
        return self.function.__module__, self.function.__qualname__

    def bind(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Checked hyperparameters by name, defaults filled in.

        Raises:
          ValueError: A value is out of its domain, or values do not fit each other.
          TypeError: A value is of the wrong kind, or an argument is unknown or missing.
        """
        for name in kwargs:
            if name not in self.domains:
                raise TypeError(
                    f"{self.name}: unknown argument {name!r}{self._nearest(name)}, "
                    f"got {name}={short(kwargs[name])}"
                )
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self.name}: {error}; use {self.usage}") from None
        bound.apply_defaults()
        values = {
            name: self._admit(name, value) for name, value in bound.arguments.items()
        }
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

    def _admit(self, name: str, value: Any) -> Any:
        if value is None and self.signature.parameters[name].default is None:
            return None
        return admitted(self.name, name, value, self.domains[name])

    def _nearest(self, name: str) -> str:
        near = difflib.get_close_matches(name, self.domains, n=1)
        return f", did you mean {near[0]!r}?" if near else f"; use {self.usage}"


def _read_signature(
    function: Callable[..., Any], given: int
) -> tuple[inspect.Signature, dict[str, Domain]]:
    name = function.__name__
    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())
    if len(parameters) < given:
        raise TypeError(f"{name}: a rule takes {given} arguments before its others")
    domains: dict[str, Domain] = {}
    for parameter in parameters[given:]:
        domain = _domain(_resolved(parameter.annotation, function))
        if domain is None:
            raise TypeError(
                f"{name}: annotate {parameter.name} with what it may be, for example "
                f"{parameter.name}: js.Value (a number) or js.Steps (a length)"
            )
        if parameter.kind not in (
            parameter.POSITIONAL_OR_KEYWORD,
            parameter.KEYWORD_ONLY,
        ):
            raise TypeError(f"{name}: {parameter.name} must be an ordinary argument")
        if parameter.name in _RESERVED:
            raise TypeError(f"{name}: {parameter.name} is a method of every schedule")
        domains[parameter.name] = domain
    if {"init", "update"} <= domains.keys():
        raise TypeError(
            f"{name}: hyperparameters named both init and update would make Optax take "
            "it for a stateful schedule"
        )
    return signature.replace(parameters=parameters[given:]), domains


def _resolved(annotation: Any, function: Callable[..., Any]) -> Any:
    """An annotation, also one that `from __future__ import annotations` made a text."""
    if not isinstance(annotation, str):
        return annotation
    holder = types.SimpleNamespace(__annotations__={"it": annotation})
    try:
        names = function.__globals__
        return typing.get_type_hints(holder, names, include_extras=True)["it"]
    except NameError:
        return None


def _domain(hint: Any) -> Domain | None:
    """The domain in an annotation; `Domain | None` has the domain of its first part."""
    for part in (hint, *typing.get_args(hint)):
        for extra in getattr(part, "__metadata__", ()):
            if isinstance(extra, Domain):
                return extra
    return None


class Registry:
    """Rules by name, so that text can be read back."""

    kind: str

    def __init__(self, kind: str):
        self.kind = kind
        self._rules: dict[str, Rule] = {}

    def add(self, rule: Rule) -> None:
        """Enters a rule.

        Raises:
          ValueError: The name is another rule's: text that holds it would have two
            meanings.
        """
        known = self._rules.get(rule.name)
        if known is not None and known.origin != rule.origin:
            raise ValueError(
                f"{rule.name}: the name is taken by the {self.kind} "
                f"{'.'.join(known.origin)}; choose another"
            )
        self._rules[rule.name] = rule

    def get(self, name: str) -> Rule | None:
        """The rule of that name, or None."""
        return self._rules.get(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._rules)


class Bound:
    """A rule bound to hyperparameters: immutable, comparable, printable, a pytree.

    Subclasses differ only in what calling them means.
    """

    __slots__ = ("__weakref__", "_rule", "_values")

    _rule: Rule
    _values: dict[str, Any]

    def __init__(self, rule: Rule, values: Mapping[str, Any]):
        object.__setattr__(self, "_rule", rule)
        object.__setattr__(self, "_values", dict(values))

    def __init_subclass__(cls) -> None:
        jax.tree_util.register_pytree_with_keys(
            cls, cls._flatten_with_keys, cls._unflatten, cls._flatten
        )

    def __getattr__(self, name: str) -> Any:
        # Also reached for `_values` itself on a half-made object (copy, pickle).
        values = {} if name.startswith("_") else self._values
        if name not in values:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return values[name]

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(
            f"{self._rule.name} is immutable; use replace({name}=...) for a changed copy"
        )

    def __delattr__(self, name: str) -> None:
        self.__setattr__(name, None)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._values})

    def replace(self, **changes: Any) -> typing.Self:
        """A copy with some hyperparameters changed, checked like a new one."""
        return self._rule.constructor(**{**self._values, **changes})

    def _loaded(self) -> dict[str, Any]:
        """The hyperparameters as the rule computes with them."""
        domains = self._rule.domains
        try:
            return {
                k: v if v is None else domains[k].load(v)
                for k, v in self._values.items()
            }
        except ValueError as error:
            raise ValueError(f"{self._rule.name}: {error}") from None

    def __repr__(self) -> str:
        from jaxsched.text.write import write  # knows how values are written

        return write(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Bound):
            return NotImplemented
        return self is other or (
            self._rule is other._rule
            and all(same(v, other._values[k]) for k, v in self._values.items())
        )

    def __hash__(self) -> int:
        return hash((self._rule.name, *map(_hashable, self._values.values())))

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self._rule.constructor, self._values)

    # Hyperparameters whose domain is static belong to the tree's structure. Flattening
    # runs no check: JAX puts tracers, None and sentinels in the place of leaves.

    def _static(self, name: str) -> bool:
        return self._rule.domains[name].static

    def _flatten(self) -> tuple[list[Any], tuple[Any, ...]]:
        children = [v for k, v in self._values.items() if not self._static(k)]
        fixed = tuple(v for k, v in self._values.items() if self._static(k))
        return children, (self._rule, fixed)

    def _flatten_with_keys(self) -> tuple[list[tuple[Any, Any]], tuple[Any, ...]]:
        children, aux = self._flatten()
        names = [k for k in self._values if not self._static(k)]
        keys = map(jax.tree_util.GetAttrKey, names)
        return list(zip(keys, children, strict=True)), aux

    @classmethod
    def _unflatten(cls, aux: tuple[Any, ...], children: Iterable[Any]) -> typing.Self:
        rule, fixed = aux
        leaves, rest = iter(children), iter(fixed)
        values = {
            name: next(rest if domain.static else leaves)
            for name, domain in rule.domains.items()
        }
        return cls(rule, values)


def _rebuild(
    cls: type[Bound], constructor: Callable[..., Any], values: Mapping[str, Any]
) -> Bound:
    return cls(rule_of(constructor), values)


def rule_of(constructor: Callable[..., Any]) -> Rule:
    """The rule behind a constructor that a decorator of this package made."""
    return constructor.__rule__  # type: ignore[attr-defined]


def constructor_of(rule: Rule, build: Callable[[dict[str, Any]], Any]) -> Any:
    """The function users call: `build` on checked hyperparameters, dressed as the rule."""

    def constructor(*args: Any, **kwargs: Any) -> Any:
        return build(rule.bind(args, kwargs))

    function = rule.function
    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(constructor, name, getattr(function, name))
    constructor.__annotations__ = {
        p.name: p.annotation for p in rule.signature.parameters.values()
    }
    constructor.__wrapped__ = function  # type: ignore[attr-defined]
    constructor.__signature__ = rule.signature  # type: ignore[attr-defined]
    constructor.__rule__ = rule  # type: ignore[attr-defined]
    rule.constructor = constructor
    return constructor


def is_traced(value: Any) -> bool:
    """Whether any leaf of `value` is still unknown: inside jit, vmap or grad."""
    return any(isinstance(x, Tracer) for x in jax.tree.leaves(value))


def same(a: Any, b: Any) -> bool:
    """Equality of hyperparameters: same kind, and the same numbers."""
    if isinstance(a, Tracer) or isinstance(b, Tracer):
        return a is b
    if isinstance(a, (jax.Array, np.ndarray)) and isinstance(
        b, (jax.Array, np.ndarray)
    ):
        alike = a.dtype == b.dtype and is_weak(a) == is_weak(b)
        return alike and np.array_equal(a, b)
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and bool(a == b)


def is_weak(array: Any) -> bool:
    """Whether an array leaves the dtype of a result open, as a Python number does."""
    return getattr(array, "weak_type", False)


def _hashable(value: Any) -> Hashable:
    # Arrays are compared by their numbers but hashed by their kind: hashing must not
    # wait for a device, and `jax.jit(schedule)` hashes the schedule.
    if isinstance(value, Tracer):
        return id(value)
    if isinstance(value, (jax.Array, np.ndarray)):
        return value.shape, str(value.dtype)
    return tuple(map(_hashable, value)) if isinstance(value, tuple) else value
