"""Domain, what one hyperparameter may be."""

from collections.abc import Hashable
from typing import Any

from jax.core import Tracer

from jaxsched.arrays import host_numbers, is_array
from jaxsched.rule.values import plain, written


class NotData(Exception):
    """A value that cannot be written as plain data; `place` says where it stands."""

    place: str

    def __init__(self, reason: str, place: str = ""):
        super().__init__(reason)
        self.place = place


class Domain:
    """What one hyperparameter may be, and how it is written.

    Attributes:
      static: Whether it belongs to the structure of a pytree instead of to its leaves.
      is_list: Whether a list is one value of it.
      ndim: The number of axes of its arrays where nothing is stacked.
      words: What to call it in the signature that `help` shows.
      decides: Whether a known number is needed as itself, not as data of a program, and
        with it the others of its rule that count steps or cycles.
      counts: Whether it counts steps or cycles.
      holds_schedules: Whether a text in its place, in data, is the call of a schedule.
    """

    static: bool = False
    is_list: bool = False
    ndim: int = 0
    words: str = "value"
    decides: bool = False
    counts: bool = False
    holds_schedules: bool = False

    @property
    def identity(self) -> Hashable:
        """What tells it from other domains."""
        own = sorted(vars(self).items())
        return type(self), tuple((name, _identity(value)) for name, value in own)

    def admit(self, value: Any) -> Any:
        """The value as it is kept, or a ValueError or TypeError saying "must be ..."."""
        raise NotImplementedError

    def load(self, value: Any) -> Any:
        """The kept value as the rule computes with it."""
        return value

    def write(self, value: Any) -> str:
        """The kept value as text."""
        return written(value)

    def data(self, value: Any) -> Any:
        """The kept value as plain data for JSON or YAML; NotData where it is none."""
        return as_data(value)


def as_data(value: Any) -> Any:
    """A hyperparameter as plain data; what has a method `_data` says it itself."""
    if hasattr(value, "_data"):
        return value._data()
    if isinstance(value, (list, tuple)):
        return [_entry(i, entry) for i, entry in enumerate(value)]
    if isinstance(value, Tracer) or callable(value):
        raise NotData(f"is not data, got {written(value)}")
    value = plain(value)
    if is_array(value):
        return {"array": {"values": host_numbers(value), "dtype": value.dtype.name}}
    return value


def _entry(i: int, value: Any) -> Any:
    try:
        return as_data(value)
    except NotData as error:
        error.place = f"[{i}]{error.place}"
        raise


def _identity(value: Any) -> Hashable:
    return value.identity if isinstance(value, Domain) else repr(value)


class Words(str):
    """A text that a signature shows without quotation marks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)
