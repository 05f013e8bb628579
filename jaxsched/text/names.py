"""Which names text and data may use, and what bounds them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxsched.rule import DEEPEST, Bound, Domain, Names, Rule, rule_of, short
from jaxsched.rule.alike import alike, nearest
from jaxsched.schedule import schedules

# Enough for a table of 100,000 knots; beyond, a text would cost minutes or gigabytes.
MAX_CHARACTERS = 4_000_000


MAX_ENTRIES = 500_000


MAX_CALLS = 10_000


# Of brackets: a schedule that holds a list of schedules has two.
MAX_DEPTH = 2 * DEEPEST


MAX_WORD = 400  # characters in one number or name


def array(values: Any, dtype: str) -> np.ndarray:
    """An array as a hyperparameter, the way `repr` writes one.

    Args:
      values: A number or nested lists of numbers, finite.
      dtype: The name of a real dtype, such as "float32" or "bfloat16".

    Returns:
      A NumPy array, so that it keeps its dtype whatever JAX is set to.

    Raises:
      TypeError: `values` are not numbers, or `dtype` is not the name of a real dtype.
      ValueError: `values` are not rectangular, or not finite numbers of that dtype.

    >>> import jaxsched as js
    >>> js.constant(js.array(0.5, "float32"))
    constant(value=array(0.5, dtype='float32'))
    """
    kind = _DTYPES.get(dtype) if isinstance(dtype, str) else None
    if kind is None:
        names = ", ".join(_DTYPES)
        raise TypeError(
            f"array: dtype must be one of {names}, got dtype={short(dtype)}"
        )
    got = f"got values={short(values)}"
    _check_entries(values, got)
    try:
        given = np.array(values)
    except (ValueError, OverflowError):
        raise ValueError(f"array: values must be rectangular, {got}") from None
    if given.dtype == object and all(type(v) in (int, float) for v in given.flat):
        raise ValueError(f"array: values must be finite numbers of {dtype}, {got}")
    if given.size and given.dtype.kind not in "iuf":
        raise TypeError(f"array: values must be numbers, {got}")
    with np.errstate(all="ignore"):
        made = given.astype(kind)
        if not np.all(np.isfinite(made.astype(np.float64))):
            raise ValueError(f"array: values must be finite numbers of {dtype}, {got}")
        whole = jnp.issubdtype(kind, jnp.integer)
        if whole and not np.array_equal(
            made.astype(np.float64), given.astype(np.float64)
        ):
            raise ValueError(f"array: values must be whole numbers of {dtype}, {got}")
    return made


_NUMBERS = (int, float, np.ndarray, np.number)


def _check_entries(values: Any, got: str) -> None:
    """Refuses what is not numbers, or too many, before anything is made of it.

    NumPy would give each of many entries the room of the longest text among them.
    """
    lists, entries = [values], 0
    while lists:
        held = lists.pop()
        for value in held if isinstance(held, (list, tuple)) else [held]:
            entries += 1
            if entries > MAX_ENTRIES:
                raise ValueError(
                    f"array: values must be <= {MAX_ENTRIES} numbers, {got}"
                )
            if isinstance(value, (list, tuple)):
                lists.append(value)
            elif isinstance(value, bool) or not isinstance(value, _NUMBERS):
                raise TypeError(f"array: values must be numbers, {got}")


_DTYPES = {
    np.dtype(kind).name: np.dtype(kind)
    for kind in (
        *(jnp.float32, jnp.bfloat16, jnp.float16, jnp.float64),
        *(jnp.int8, jnp.int16, jnp.int32, jnp.int64),
        *(jnp.uint8, jnp.uint16, jnp.uint32, jnp.uint64),
    )
}


def unknown(name: str, names: Names) -> str:
    """What to say of a name that no rule has."""
    name = name[:40]
    near = nearest(alike(name.rpartition(".")[2], names))
    return f"there is no {names.kind} {name!r}{near}"


def why_no_value(name: str, names: Names) -> str:
    """What is said of a name that is not called."""
    if meant := names.meant(name):
        if is_called(meant[0]):
            return f"the name {name!r} needs its arguments, {meant[0].usage}"
        return f"the name of a shape stands in quotes: {name!r}"
    reason = f"the name {name!r} has no value here"
    if name in ("opt", "optimizer"):  # as it stands in programs of PyTorch
        reason += "; give a learning rate in the place of an optimizer"
    return reason


def is_called(rule: Rule) -> bool:
    """Whether text calls it: a shape without hyperparameters is a text in quotes."""
    return bool(rule.domains) or rule.names is schedules


def domain_of(rule: Rule | None, argument: str | None) -> Domain | None:
    """What an argument of a rule may be, if it has such an argument."""
    return rule.domains.get(argument or "") if rule is not None else None


def names_in(domain: Domain | None) -> Names:
    """Where the value of an argument is looked for: a shape's among the shapes."""
    return getattr(domain, "names", schedules)


def is_call(text: str, domain: Domain | None) -> bool:
    """Whether a text in data is a call: in a schedule's place, or a shape with more."""
    if domain is None:
        return False
    return domain.holds_schedules or (hasattr(domain, "names") and "(" in text)


def check_names(function: str, given: Any) -> None:
    """Refuses names that are not a mapping of texts to constructors."""
    if not isinstance(given, Mapping | None):
        raise TypeError(
            f"{function}: names must be a mapping, got names={short(given)}"
        )
    for name, made in (given or {}).items():
        if not hasattr(made, "__rule__"):
            raise TypeError(
                f"{function}: names must map texts to constructors such as js.cosine, "
                f"got {short(made)} for {short(name)}"
            )


def rule_in(given: Mapping[str, Callable[..., Any]] | None, name: str) -> Rule | None:
    """The rule that a name was said to mean."""
    return rule_of(given[name]) if given and name in given else None


def shape_in(
    given: Mapping[str, Callable[..., Any]] | None, value: Any, names: Names
) -> Any:
    """A text in the place of a shape as the shape that it was said to mean."""
    if names is schedules or not isinstance(value, str):
        return value
    rule = rule_in(given, value)
    return value if rule is None else rule.constructor()


def is_schedule(made: Any) -> bool:
    """Whether it is a schedule, driven by a metric or not, and no shape or number."""
    return isinstance(made, Bound) and made._rule.names is schedules


def argument_in(message: str, name: str, given: Iterable[str]) -> str | None:
    """The argument of `name` that an error of its constructor speaks of."""
    for argument in given:
        starts = (f"{name}: {argument} ", f"{name}: unknown argument {argument!r}")
        if message.startswith(starts):
            return argument
    return None
