"""Bound, a rule together with its hyperparameters: an immutable value and a pytree."""

import html
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jax

from jaxsched.arrays import fitted
from jaxsched.rule.rule import Rule
from jaxsched.rule.saved import (
    read_state,
    read_structure,
    write_state,
    write_structure,
)
from jaxsched.rule.values import hashable, same
from jaxsched.rule.wording import short
from jaxsched.serialization import exported, known_to_flax

# Python lets functions call each other a thousand deep: as many schedules may hold each
# other that all that walks through them, and the program around it, stays below that.
DEEPEST = 100


class Bound:
    """A rule bound to hyperparameters: immutable, comparable, printable, a pytree.

    Subclasses differ only in what calling them means.
    """

    __slots__ = ("__weakref__", "_call", "_depth", "_rule", "_values")

    # What the user wrote, where a recipe made it; a copy does not know.
    _call: "Bound"
    _depth: int
    _rule: Rule
    _values: dict[str, Any]

    # What makes one kind of several, where there is such a thing.
    _one_kind: typing.ClassVar[str | None] = None

    # What a notebook shows: the rooms below draw a curve.
    picture: typing.ClassVar[Callable[[Any], str]] = lambda self: html.escape(
        repr(self)
    )

    def __init__(self, rule: Rule, values: Mapping[str, Any]):
        object.__setattr__(self, "_rule", rule)
        object.__setattr__(self, "_values", dict(values))

    def __init_subclass__(cls) -> None:
        jax.tree_util.register_pytree_with_keys(
            cls, cls._flatten_with_keys, cls._unflatten, cls._flatten
        )
        exported(cls, write_structure, read_structure, cls._unflatten)
        known_to_flax(cls, cls._state, cls._with_state)

    def __getattr__(self, name: str) -> Any:
        # Also reached for `_values` itself on a half-made object (copy, pickle).
        if name[:1] == "_":
            raise AttributeError(name)
        if name not in self._values:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return self._values[name]

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(
            f"{self._rule.name} is immutable; use replace({name}=...) for a changed copy"
        )

    def __delattr__(self, name: str) -> None:
        self.__setattr__(name, None)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._values})

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return type(self).picture(self)

    def replace(self, **changes: Any) -> typing.Self:
        """A copy with some hyperparameters changed, checked like a new one."""
        rule, made_by = self._rule, as_called(self)._rule
        for name in changes:
            if name in rule.domains:
                continue
            own = made_by.name if name in made_by.domains else None
            if recipe := own or rule.names.recipe_with(name):
                raise TypeError(
                    f"{rule.name}: {name} is no hyperparameter of it, but an argument of "
                    f"a recipe, got {name}={short(changes[name])}; make the schedule "
                    f"anew, as in {recipe}({name}=..., ...)"
                )
        return rule.constructor(**{**self._values, **changes})

    def _levels(self) -> int:
        """How deep it is: 1, and more for what it holds."""
        try:
            return self._depth
        except AttributeError:
            held = (_held(value) for value in self._values.values())
            depth = 1 + max(held, default=0)
            object.__setattr__(self, "_depth", depth)
            return depth

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
        return self._rule.text(self._values)

    def _data(self) -> Any:
        """It as plain data for JSON or YAML."""
        return self._rule.data(self._values)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Bound):
            return NotImplemented
        return self is other or (
            self._rule == other._rule
            and all(same(v, other._values[k]) for k, v in self._values.items())
        )

    def __hash__(self) -> int:
        return hash((self._rule, *map(hashable, self._values.values())))

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self._rule.constructor, self._values)

    # Hyperparameters whose domain is static belong to the tree's structure. Flattening
    # runs no check: JAX puts tracers, None and sentinels in the place of leaves.

    def _static(self, name: str) -> bool:
        return self._rule.domains[name].static

    def _flatten(self) -> tuple[list[Any], tuple[Any, ...]]:
        children = [fitted(v) for k, v in self._values.items() if not self._static(k)]
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

    # What Flax saves are the same hyperparameters; the others are those of its target.

    def _numeric(self) -> dict[str, Any]:
        return {k: v for k, v in self._values.items() if not self._static(k)}

    def _state(self) -> dict[str, Any]:
        return write_state(self._numeric())

    def _with_state(self, state: Mapping[str, Any]) -> typing.Self:
        read = read_state(self._rule, self._numeric(), state)
        return type(self)(self._rule, {**self._values, **read})


def _held(value: Any) -> int:
    """How deep a hyperparameter is."""
    if isinstance(value, Bound):
        return value._levels()
    # Tables are no tuples: what is one holds schedules.
    return max(map(_held, value), default=0) if type(value) is tuple else 0


def _rebuild(
    cls: type[Bound], constructor: Callable[..., Any], values: Mapping[str, Any]
) -> Bound:
    rule = rule_of(constructor)
    return cls(rule.names.known(rule), values)


def as_called(bound: Bound) -> Bound:
    """The recipe and the arguments that it was made by, where they are known."""
    return getattr(bound, "_call", bound)


def rule_of(constructor: Callable[..., Any]) -> Rule:
    """The rule behind a constructor that a decorator of this package made."""
    return vars(constructor)["__rule__"]


def constructor_of(
    rule: Rule, made: type, build: Callable[[dict[str, Any]], Any]
) -> Any:
    """The function users call: `build` on checked hyperparameters, dressed as the rule."""

    def constructor(*args: Any, **kwargs: Any) -> Any:
        values = rule.bind(args, kwargs)
        # Said at once: what is deeper could be neither printed, saved nor compiled.
        for name, value in values.items():
            if _held(value) >= DEEPEST:
                raise ValueError(
                    f"{rule.name}: {name} must be less than {DEEPEST} schedules deep (put "
                    "many parts into one join or table, many terms into a sum of sums), "
                    f"got {name}={short(value)}"
                )
        made = build(values)
        if isinstance(made, Bound) and made._rule is not rule:
            made = type(made)(made._rule, made._values)  # others may hold the first
            object.__setattr__(made, "_call", Bound(rule, values))
        return made

    function = rule.function
    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(constructor, name, getattr(function, name))
    parameters = rule.signature.parameters.values()
    hints = {p.name: p.annotation for p in parameters} | {"return": made}
    constructor.__annotations__ = hints
    vars(constructor).update(
        __wrapped__=function, __signature__=rule.readable_signature(made), __rule__=rule
    )
    rule.constructor = constructor
    return constructor
