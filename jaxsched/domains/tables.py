"""Tables of numbers."""

from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsched.arrays import (
    array_of_variable,
    as_real,
    default_float,
    default_integer,
    fitted,
    host_numbers,
    is_array,
    is_weak,
)
from jaxsched.domains.numbers import Number, frozen, numeric
from jaxsched.rule import Domain, known, plain, same
from jaxsched.rule.domain import as_data
from jaxsched.rule.values import written
from jaxsched.serialization import exported, known_to_flax


class Table(Domain):
    """A one-dimensional table of numbers.

    Args:
      of: What each entry may be.
      rising: Whether every entry must exceed the one before it.
    """

    ndim: int = 1
    is_list: bool = True
    of: Number
    rising: bool

    def __init__(self, of: Number, *, rising: bool = False):
        self.of = of
        self.words: str = (
            f"list of {of.words}s" if of.words != "steps" else "list of steps"
        )
        self.rising = rising

    def admit(self, value: Any) -> Any:
        value = array_of_variable(value)
        if is_weak(value) and np.ndim(value) == 1:
            value = plain(value)
        if isinstance(value, (list, tuple, range)):
            value = self._gather(list(value))
        elif not is_array(value) and not isinstance(value, Numbers):
            raise TypeError(f"must be a list of {self.of.kind[2:]}s or an array")
        array = value.array if isinstance(value, Numbers) else value
        numeric(array, self.of.kind)
        if np.ndim(array) != 1:
            raise ValueError(f"must be one-dimensional, not of shape {np.shape(array)}")
        self.of.inspect(array)
        if (
            self.rising
            and known(array)
            and np.any(np.diff(np.asarray(array, float)) <= 0)
        ):
            raise ValueError("must be strictly increasing")
        return value if isinstance(value, Numbers) else frozen(value)

    def _gather(self, entries: list[Any]) -> Any:
        """Python numbers as one leaf; entries with arrays among them as one array."""
        kinds = set(map(type, entries))
        if kinds == {float} or (kinds == {int} and self.of.whole):
            try:
                table = np.array(entries, np.float64 if float in kinds else np.int64)
                self.of.inspect(table)
                return Numbers(table)
            except (ValueError, OverflowError):
                pass  # find out below which entry it is
        for i, entry in enumerate(entries):
            try:
                entries[i] = self.of.admit(entry)
            except (TypeError, ValueError) as error:
                raise type(error)(f"entry {i} {error}") from None
        if any(is_array(entry) for entry in entries):
            return jnp.stack([jnp.asarray(entry) for entry in entries])
        whole = all(isinstance(entry, int) for entry in entries)
        whole = whole if entries else bool(self.of.whole)
        return Numbers(np.array(entries, np.int64 if whole else np.float64))

    def load(self, value: Any) -> Any:
        array = value.array if isinstance(value, Numbers) else value
        if np.ndim(array) != 1:
            raise ValueError(
                f"holds stacked tables of shape {np.shape(array)}; "
                "map over them with jax.vmap(lambda s: s(step))(stacked)"
            )
        if isinstance(array, np.ndarray):
            # A copy: of one array JAX remembers what it made, with x64 or without.
            array = fitted(array).copy()
            if self.of.whole and array.dtype.kind in "iu":
                # Inside a program known steps stay known, to be searched as such.
                return array.astype(default_integer())
        loaded = self.of.convert(jnp.asarray(array))
        # Python numbers come through jit as arrays of the default float; any other dtype
        # was put there by somebody.
        open_ended = isinstance(value, Numbers) and not self.of.whole
        weak = open_ended and loaded.dtype == default_float()
        return as_real(loaded) if weak else loaded


@jax.tree_util.register_pytree_with_keys_class
class Numbers:
    """Python numbers kept as one array: one leaf, however long the table is.

    Like Python numbers, and unlike an array, they leave the dtype of a result open. It is
    read like a list: indexed, iterated, compared.
    """

    __slots__ = ("array",)

    array: Any

    def __init__(self, array: Any):
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
        self.array = array

    def tree_flatten_with_keys(self) -> tuple[list[Any], None]:
        return [(jax.tree_util.SequenceKey(0), fitted(self.array))], None

    @classmethod
    def tree_unflatten(cls, aux: None, children: Sequence[Any]) -> "Numbers":
        self = cls.__new__(cls)
        self.array = children[0]
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Numbers, (self.array,)

    def _state(self) -> Any:
        """What Flax saves: an array of 64 bits, where a program did not make it."""
        if not self.is_open:
            return self.array
        whole = self.array.dtype.kind in "iu"
        return np.asarray(self.plain(), np.int64 if whole else np.float64)

    def _with_state(self, state: Any) -> "Numbers":
        return Numbers(np.array(state) if isinstance(state, np.ndarray) else state)

    @property
    def is_open(self) -> bool:
        """Whether it holds Python numbers, or what a program makes of them."""
        made = (default_float(), default_integer())  # fetched to the host they stay so
        if isinstance(self.array, np.ndarray):
            made += (np.dtype(np.float64), np.dtype(np.int64))
        return known(self.array) and self.array.dtype in made

    def plain(self) -> Any:
        """The numbers as a list, or the array where somebody chose its dtype."""
        return host_numbers(self.array) if self.is_open else self.array

    def _plain(self) -> Any:
        """The table, or the array where somebody chose its dtype: it equals that."""
        return self if self.is_open else self.array

    def _data(self) -> Any:
        return as_data(self.plain())

    def __len__(self) -> int:
        return len(self.array)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.plain())

    def __getitem__(self, index: Any) -> Any:
        is_plain = isinstance(index, (int, slice))
        return self.plain()[index] if is_plain else np.asarray(self)[index]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.plain(), dtype)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Numbers):
            return same(self.plain(), other.plain())
        if isinstance(other, list) and self.is_open:
            return bool(np.array_equal(self.plain(), other))
        return NotImplemented

    def __hash__(self) -> int:
        # Of nothing all kinds are equal.
        return hash((self.array.shape, self.array.size and self.array.dtype.kind))

    def __repr__(self) -> str:
        return written(self.plain())


exported(Numbers, lambda _: b"", lambda _: None, Numbers.tree_unflatten)
known_to_flax(Numbers, Numbers._state, Numbers._with_state)
