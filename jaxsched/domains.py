"""What a hyperparameter may be: one annotation says its check, its wording and its kind.

`def cosine(step, init_value: Value, end_value: Value, steps: Steps)` reads: two finite
numbers and a length. Constructors check concrete values and let tracers pass. Everything
numeric is data (a leaf of the schedule's pytree); flags, choices and plain callables are
static (part of its structure).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.typing import ArrayLike

from jaxsched.rule import Bound, is_traced, is_weak, same, short
from jaxsched.schedule import (
    Schedule,
    as_integer,
    as_real,
    is_array,
    is_real,
    schedule,
)

_NUMERIC = (int, float, np.ndarray, np.generic, jax.Array)


class Number:
    """One finite real number.

    Args:
      least: The smallest value allowed, or None.
      above: A bound that the value must exceed, or None.
      most: The largest value allowed, or None.
      whole: Whether integers stay integers (lengths, counts): "may" also takes floats,
        "must" does not. Otherwise Python integers become floats.
      kind: What to call it in an error.
    """

    static: bool = False
    least: float | None
    above: float | None
    most: float | None
    whole: str | None
    kind: str

    def __init__(
        self,
        *,
        least: float | None = None,
        above: float | None = None,
        most: float | None = None,
        whole: str | None = None,
        kind: str = "a number",
    ):
        self.least, self.above, self.most = least, above, most
        self.whole, self.kind = whole, kind

    def admit(self, value: Any) -> Any:
        value = numeric(value, self.kind)
        if np.ndim(value) != 0:
            raise ValueError(
                f"must be {self.kind}, not an array of shape {value.shape}"
            )
        if not self.whole and isinstance(value, int):
            value = _as_float(value)
        self.inspect(value)
        return _frozen(value)

    def inspect(self, value: Any) -> None:
        """Checks bounds and kind of a number or array, where it is concrete."""
        if self.whole == "must" and not _is_integer(value):
            raise TypeError("must be a whole number")
        if isinstance(value, Tracer):
            return
        largest = int(jnp.iinfo(jnp.result_type(int)).max)
        if self.whole and isinstance(value, int) and value > largest:
            raise ValueError(f"must be <= {largest} (or a float, or enable x64)")
        x = np.asarray(value)
        with np.errstate(over="ignore"):
            narrow = x.astype(np.float64 if self.whole else _default_float())
        if not np.all(np.isfinite(narrow)):
            raise ValueError("must be finite")
        if self.least is not None and not np.all(x >= self.least):
            raise ValueError(f"must be >= {self.least}")
        if self.above is not None and not np.all(x > self.above):
            raise ValueError(f"must be > {self.above}")
        if self.most is not None and not np.all(x <= self.most):
            raise ValueError(f"must be <= {self.most}")
        if self.whole and x.dtype.kind in "iu" and np.any(x > largest):
            raise ValueError(f"must be <= {largest} (or a float, or enable x64)")

    def load(self, value: Any) -> Any:
        if np.ndim(value) != 0:
            raise ValueError(
                f"holds stacked hyperparameters of shape {np.shape(value)}; "
                "map over them with jax.vmap(lambda s: s(step))(stacked)"
            )
        return self.convert(value)

    def convert(self, value: Any) -> Any:
        """A length as canonical time, another number as it is."""
        if not is_array(value):
            return value
        if not self.whole:
            value = jnp.asarray(value)
            # Integers as values would wrap in what a rule does with them.
            return value.astype(float) if _is_integer(value) else value
        return as_integer(jnp.asarray(value)) if _is_integer(value) else as_real(value)


class Table:
    """A one-dimensional table of numbers.

    Args:
      of: What each entry may be.
      rising: Whether every entry must exceed the one before it.
    """

    static: bool = False
    of: Number
    rising: bool

    def __init__(self, of: Number, *, rising: bool = False):
        self.of = of
        self.rising = rising

    def admit(self, value: Any) -> Any:
        if is_weak(value) and np.ndim(value) == 1 and known(value):
            value = value.tolist()
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
        return value if isinstance(value, Numbers) else _frozen(value)

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
        loaded = self.of.convert(jnp.asarray(array))
        # Python numbers come through jit as arrays of the default float; any other dtype
        # was put there by somebody.
        open_ended = isinstance(value, Numbers) and not self.of.whole
        weak = open_ended and loaded.dtype == jnp.result_type(float)
        return as_real(loaded) if weak else loaded


@jax.tree_util.register_pytree_with_keys_class
class Numbers:
    """Python numbers kept as one array: one leaf, however long the table is.

    Like Python numbers, and unlike an array, they leave the dtype of a result open.
    """

    __slots__ = ("array",)

    array: Any

    def __init__(self, array: Any):
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
        self.array = array

    def tree_flatten_with_keys(self) -> tuple[list[Any], None]:
        return [(jax.tree_util.SequenceKey(0), self.array)], None

    @classmethod
    def tree_unflatten(cls, aux: None, children: Sequence[Any]) -> "Numbers":
        self = cls.__new__(cls)
        self.array = children[0]
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Numbers, (self.array,)

    def __len__(self) -> int:
        return len(self.array)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.array.tolist())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Numbers) and same(self.array, other.array)

    def __hash__(self) -> int:
        return hash((self.array.shape, str(self.array.dtype)))

    def __repr__(self) -> str:
        return repr(self.array.tolist())


class TrueOrFalse:
    """True or False."""

    static: bool = True

    def admit(self, value: Any) -> bool:
        if not isinstance(value, (bool, np.bool_)):
            raise TypeError("must be True or False")
        return bool(value)

    def load(self, value: bool) -> bool:
        return value


class OneOf:
    """One of a few choices."""

    static: bool = True

    choices: tuple[Any, ...]

    def __init__(self, *choices: Any):
        self.choices = choices

    def admit(self, value: Any) -> Any:
        if not any(type(value) is type(c) and value == c for c in self.choices):
            raise ValueError(f"must be one of {', '.join(map(repr, self.choices))}")
        return value

    def load(self, value: Any) -> Any:
        return value


class Function:
    """A plain callable of the step."""

    static: bool = True

    def admit(self, value: Any) -> Callable[..., Any]:
        if not _is_function_of_step(value):
            raise TypeError("must be a callable of the step")
        try:
            hash(value)
        except TypeError:
            raise TypeError("must be hashable, to be part of a program") from None
        return value

    def load(self, value: Callable[..., Any]) -> Callable[..., Any]:
        return value


def _is_function_of_step(value: Any) -> bool:
    """Callables but classes, shapes, and constructors that someone forgot to call."""
    no_function = isinstance(value, (type, Bound)) or hasattr(value, "__rule__")
    return callable(value) and not no_function


class Inner:
    """A schedule inside another: a schedule, a number, or a callable of the step."""

    static: bool = False

    def admit(self, value: Any) -> Schedule:
        if isinstance(value, Schedule):
            return value
        if _is_function_of_step(value):
            return call(value)
        try:
            number = Number().admit(value)
        except TypeError:
            what = "must be a schedule, a number or a callable of the step"
            raise TypeError(what) from None
        from jaxsched.transitions import constant  # made with this room's domains

        return constant(number)

    def load(self, value: Schedule) -> Schedule:
        return value


class Inners:
    """A list of schedules."""

    static: bool = False

    def admit(self, value: Any) -> tuple[Schedule, ...]:
        if not isinstance(value, (list, tuple)):
            raise TypeError("must be a list of schedules")
        if not value:
            raise ValueError("must hold at least one schedule")
        admitted = []
        for i, entry in enumerate(value):
            try:
                admitted.append(Inner().admit(entry))
            except (TypeError, ValueError) as error:
                raise type(error)(f"entry {i} {error}") from None
        return tuple(admitted)

    def load(self, value: tuple[Schedule, ...]) -> tuple[Schedule, ...]:
        return value


class Clockwork:
    """A map from step to step: a schedule, or a callable whose integers stay exact."""

    static: bool = False

    def admit(self, value: Any) -> Any:
        if isinstance(value, (Schedule, Static)):
            return value
        return Static(Function().admit(value))

    def load(self, value: Any) -> Any:
        return value


@jax.tree_util.register_static
class Static:
    """A plain callable in the place of a subtree: part of the structure."""

    __slots__ = ("function",)

    function: Callable[..., Any]

    def __init__(self, function: Callable[..., Any]):
        self.function = function

    def __reduce__(self) -> tuple[Any, ...]:
        return Static, (self.function,)

    def __call__(self, step: Any) -> Any:
        return self.function(step)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Static) and self.function == other.function

    def __hash__(self) -> int:
        return hash(self.function)

    def __repr__(self) -> str:
        return repr(self.function)


class Growth(Number):
    """A factor on the length of each next cycle: 1, or enough above it to be counted."""

    least_growth: float = 1.001  # some 14,600 cycles of first length 1 below 2^31

    def inspect(self, value: Any) -> None:
        super().inspect(value)
        if known(value) and np.any(
            (np.asarray(value) < self.least_growth) & (value != 1)
        ):
            raise ValueError(f"must be 1 or >= {self.least_growth}")


_LENGTH = Number(least=0, whole="may", kind="a length")

Flag = Annotated[bool, TrueOrFalse()]
Value = Annotated[ArrayLike, Number()]
Rate = Annotated[ArrayLike, Number(least=0)]
Factor = Annotated[ArrayLike, Number(above=0)]
Power = Annotated[ArrayLike, Number(above=0)]
Fraction = Annotated[ArrayLike, Number(least=0, most=1)]
Steps = Annotated[ArrayLike, _LENGTH]
Period = Annotated[ArrayLike, Number(above=0, whole="may", kind="a length")]
LengthFactor = Annotated[ArrayLike, Growth(least=1, whole="may")]
Count = Annotated[ArrayLike, Number(least=1, whole="must", kind="a whole number")]
Seed = Annotated[ArrayLike, Number(least=0, whole="must", kind="a whole number")]
Values = Annotated[ArrayLike | Sequence[ArrayLike], Table(Number())]
Factors = Annotated[ArrayLike | Sequence[ArrayLike], Table(Number(above=0))]
Boundaries = Annotated[ArrayLike | Sequence[ArrayLike], Table(_LENGTH, rising=True)]
ScheduleLike = Annotated[Schedule | Callable[[Any], Any] | ArrayLike, Inner()]
ScheduleLikes = Annotated[Sequence[ScheduleLike], Inners()]


def numeric(value: Any, kind: str = "a number") -> Any:
    """A real number or array, NumPy scalars as Python numbers.

    Raises:
      TypeError: Anything else, booleans included.
    """
    if isinstance(value, bool) or not isinstance(value, _NUMERIC):
        raise TypeError(f"must be {kind}")
    if isinstance(value, np.generic):
        value = value.item() if is_real(value.dtype) else None
    if isinstance(value, jax.Array) and is_weak(value) and known(value):
        # JAX's own way of writing a Python number.
        value = value.item() if value.ndim == 0 else value
    if isinstance(value, (jax.Array, np.ndarray)):
        if not is_real(value.dtype):
            raise TypeError(f"must be {kind}")
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"must be {kind}")
    return value


def known(*values: Any) -> bool:
    """Whether all are concrete, so that a check may compare them."""
    return not is_traced(values)


def as_schedule(value: Any) -> Schedule:
    """A schedule from a schedule, a number or any callable of the step.

    Args:
      value: A schedule comes back as it is, a number becomes `constant(value)`. Any
        other callable (an Optax schedule, a lambda) is wrapped: it is given one scalar
        step at a time and is static.

    Raises:
      TypeError: `value` is none of these.
      ValueError: `value` is a number that is not finite.

    >>> import jaxsched as js
    >>> js.as_schedule(0.1)
    constant(value=0.1)
    """
    try:
        return Inner().admit(value)
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"as_schedule: value {error}, got value={short(value)}"
        ) from None


@schedule
def call(
    step: ArrayLike, function: Annotated[Callable[[Any], Any], Function()]
) -> ArrayLike:
    """A callable of one scalar step as a schedule."""
    try:
        if jnp.ndim(step) == 0:
            values = function(step)
        else:
            flat = jax.vmap(function)(jnp.ravel(step))
            values = jnp.reshape(flat, jnp.shape(step))
    except jax.errors.ConcretizationTypeError as error:
        raise TypeError(
            f"call: function must not branch on the step (use jnp.where), got {function}"
        ) from error
    try:
        numeric(values)
    except TypeError as error:
        raise TypeError(
            f"call: the result {error}, got {values!r} from {function}"
        ) from None
    return values


def _as_float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ValueError("must be finite") from None


def _default_float() -> np.dtype:
    return np.dtype(jnp.result_type(float))


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) or (
        is_array(value) and jnp.issubdtype(jnp.result_type(value), jnp.integer)
    )


def _frozen(value: Any) -> Any:
    """A NumPy array as a copy that nobody can change behind the schedule's back."""
    if isinstance(value, np.ndarray):
        value = value.copy()
        value.flags.writeable = False
    return value


def is_literal(value: Any, number: float) -> bool:
    """Whether `value` is that Python number: a hyperparameter written as a constant.

    Lets a rule leave out work that a default makes superfluous, as a compiler would for
    `x * 1.0`. Never true of a traced value, so both ways must agree.
    """
    return isinstance(value, (int, float)) and value == number


def log(value: Any) -> Any:
    """Natural logarithm, in double precision where the value is a Python number."""
    return math.log(value) if isinstance(value, (int, float)) else jnp.log(value)
