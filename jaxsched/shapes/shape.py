"""What a shape is, and how one is made and asked for.

A shape turns the elapsed and the remaining fraction u and 1 - u of a move into two
weights, `fall` for the value it leaves and `rise` for the value it goes to, which sum to
one. It is given both fractions so that it can give both weights without cancellation:
near the start `rise` is small and near the end `fall` is, and each keeps all its digits.
"""

from collections.abc import Callable
from typing import Annotated, Any, Concatenate, ParamSpec

import jax
from jax import Array

from jaxsched.arrays import Numeric
from jaxsched.rule import Bound, Domain, Names, Rule, constructor_of

P = ParamSpec("P")
Weights = tuple[Array, Array]

shapes: Names = Names("shape")


class Shape(Bound):
    """A unit curve: a rule and its hyperparameters, made the way schedules are.

    >>> import jaxsched as js
    >>> js.rex(beta=0.5)
    rex(beta=0.5)
    """

    __slots__ = ()

    def __call__(self, elapsed: Numeric, remaining: Numeric) -> Weights:
        """The weights of the two ends.

        Args:
          elapsed: u, the part of the move already made, in [0, 1].
          remaining: 1 - u, with all its digits.

        Returns:
          `(fall, rise)`, of the shape of `elapsed`.
        """
        return self._rule.function(elapsed, remaining, **self._loaded())

    def reaches_end(self) -> bool:
        """Whether at its end nothing is left of the value it leaves."""
        with jax.ensure_compile_time_eval():
            return float(jax.device_get(self(1.0, 0.0)[0])) == 0


def shape(rule: Callable[Concatenate[Any, Any, P], Any], /) -> Callable[P, Shape]:
    """Turns a rule `rule(elapsed, remaining, *hyperparameters)` into a shape.

    The rule returns `(fall, rise)`: the weight of the value a move leaves and of the one
    it goes to, summing to one. Make `rise` exactly 0 where `elapsed` is 0 and `fall`
    exactly 0 where `remaining` is 0, or say in the docstring that the shape does not
    reach its ends. The decorated name becomes the constructor; wherever a `shape` is
    asked for, give what it makes, or its name as text.

    Raises:
      TypeError: A hyperparameter has no domain.

    >>> import jaxsched as js
    >>> @js.shape
    ... def smoothstep(elapsed, remaining):
    ...     return remaining**2 * (1 + 2 * elapsed), elapsed**2 * (1 + 2 * remaining)
    >>> js.transition(1.0, 0.0, 4, shape="smoothstep").at(1)
    0.84375
    """
    made = Rule(rule, given=2, writes_defaults=True)
    shapes.add(made)
    return constructor_of(made, Shape, lambda values: Shape(made, values))


class OfShape(Domain):
    """A shape, or the name of one whose hyperparameters have defaults.

    Attributes:
      names: Where text looks for what is called in the place of a shape.
    """

    words: str = "shape"
    names: Names = shapes

    def admit(self, value: Any) -> Shape:
        if isinstance(value, Shape):
            return value
        if not isinstance(value, str):
            raise TypeError("must be the name of a shape or a shape")
        rule = shapes.find(value)
        if rule is None:
            raise ValueError(f"must be one of {', '.join(sorted(shapes))}")
        return rule.constructor()

    def write(self, value: Shape) -> str:
        """The name of a shape without hyperparameters, else its call."""
        name = self._name(value)
        return repr(value) if name is None else repr(name)

    def data(self, value: Shape) -> Any:
        """Likewise."""
        name = self._name(value)
        return value._data() if name is None else name

    def _name(self, value: Shape) -> str | None:
        rule = value._rule
        is_all = not value._values and not shapes.why_not(rule)
        return shapes.shortest(rule) if is_all else None


ShapeLike = Annotated[str | Shape, OfShape()]


def as_shape(value: ShapeLike) -> Shape:
    """A shape from a shape or its name."""
    return OfShape().admit(value)
