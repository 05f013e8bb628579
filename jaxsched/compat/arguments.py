"""What the arguments of other libraries may be, where no schedule of ours has the like."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import numpy as np

from jaxsched.arrays import Numeric, is_array
from jaxsched.domains.numbers import Length, Number, surely
from jaxsched.domains.tables import Table
from jaxsched.metric_driven.machine import MetricDriven
from jaxsched.rule import Domain, known
from jaxsched.schedule.arguments import Inners


class Anything(Domain):
    """Whatever is given: it is not used."""

    words: str = "any"

    def admit(self, value: Any) -> Any:
        return value


class Known(Number):
    """A number that decides what is built, and so cannot be traced."""

    def admit(self, value: Any) -> Any:
        value = super().admit(value)
        if not known(value):
            raise TypeError(f"must be {self.kind} that is known, not traced")
        return value


class SignedLength(Length):
    """Some steps, forwards or backwards."""

    def inspect(self, value: Any) -> None:
        super().inspect(value)
        if surely(value, lambda steps: np.any((steps > -1) & (steps < 0))):
            raise ValueError("must be 0, >= 1 or <= -1")


class Text(Domain):
    """Any text."""

    static: bool = True
    words: str = "str"

    def admit(self, value: Any) -> str:
        if not isinstance(value, str):
            raise TypeError("must be a text")
        return value


class ForOneGroup(Domain):
    """A value, or a list of one: the list has an entry for each group of parameters."""

    each: Domain

    def __init__(self, each: Domain):
        self.each = each
        self.words: str = each.words

    def admit(self, value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            if len(value) != 1:
                raise ValueError(
                    "must have one entry, as a schedule has one rate (make a schedule "
                    "for each group of parameters)"
                )
            value = value[0]
        return self.each.admit(value)


class Row(Table):
    """Numbers in any order, from anything that can be iterated over."""

    def admit(self, value: Any) -> Any:
        if not is_array(value) and isinstance(value, Iterable):
            value = list(value)
        return super().admit(value)


class Scales(Domain):
    """A factor for each boundary."""

    words: str = "dict from steps to factors"

    def admit(self, value: Any) -> list[tuple[Any, Any]]:
        """The pairs in the order of the boundaries."""
        if not isinstance(value, Mapping):
            raise TypeError("must be a dict from steps to factors")
        pairs = []
        for boundary, scale in value.items():
            try:
                pair = SignedLength().admit(boundary), Number(least=0).admit(scale)
            except (TypeError, ValueError) as error:
                raise type(error)(f"entry {boundary!r}: {scale!r} {error}") from None
            pairs.append(pair)
        return sorted(pairs, key=lambda pair: pair[0])


class Parts(Inners):
    """A list of schedules, none of which is driven by a metric."""

    def admit(self, value: Any) -> Any:
        for entry in value if isinstance(value, (list, tuple)) else ():
            if isinstance(entry, MetricDriven):
                raise ValueError(
                    "must be schedules of the step, not driven by a metric"
                )
        return super().admit(value)


class Options(Domain):
    """Arguments of another function, by name."""

    words: str = "dict"

    def admit(self, value: Any) -> Mapping[str, Any]:
        if not isinstance(value, Mapping) or not all(isinstance(k, str) for k in value):
            raise TypeError("must be a dict of arguments")
        return value


class ListOfOptions(Domain):
    """Arguments for each of several calls."""

    words: str = "list of dicts"

    def admit(self, value: Any) -> list[Mapping[str, Any]]:
        if isinstance(value, (str, Mapping)) or not isinstance(value, Iterable):
            raise TypeError("must be a list of dicts of arguments")
        entries = list(value)
        for i, entry in enumerate(entries):
            try:
                Options().admit(entry)
            except TypeError as error:
                raise TypeError(f"entry {i} {error}") from None
        if not entries:
            raise ValueError("must hold at least one dict of arguments")
        return entries


Unused = Annotated[Any, Anything(), "Not used."]

LearningRate = Annotated[Numeric, Number(), "The base learning rate."]

LastEpoch = Annotated[
    int,
    Known(least=-1, whole="must", kind="a whole number"),
    "The last step already made, -1 for none.",
]

# A length that may be below 0, where it means what it means there.
AnyLength = Annotated[Numeric, SignedLength()]

# A length that may be a part of a step.
Duration = Annotated[Numeric, Number(above=0, whole="may", kind="a length")]

WholeSteps = Annotated[int, Known(least=1, whole="must", kind="a whole number")]

NotNegative = Annotated[Numeric, Number(least=0)]
