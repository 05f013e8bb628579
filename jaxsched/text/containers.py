"""What plain data may be kept in: mappings and sequences of any library.

OmegaConf's are Python's kinds of both. The dictionaries of ml_collections are not, but
have what `dict(...)` asks of a mapping.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import getitem
from typing import Any


def is_mapping(data: Any) -> bool:
    """Whether it has keys, and a value for each."""
    own = type(data)
    return isinstance(data, Mapping) or (
        hasattr(own, "keys") and hasattr(own, "__getitem__")
    )


def is_sequence(data: Any) -> bool:
    """Whether it is a list of entries: no text, no bytes."""
    no_list = (str, bytes, bytearray, memoryview)
    return isinstance(data, Sequence) and not isinstance(data, no_list)


def named(
    data: Any, read: Callable[[Any, Any], Any] = getitem
) -> tuple[Any, Any] | None:
    """A name and the mapping of its arguments; None where the data has neither form.

    The forms are `{name: {argument: ...}}` and `{"name": name, argument: ...}`, whose
    arguments are in `data` itself.
    """
    keys = list(data)
    if "name" in keys and isinstance(name := read(data, "name"), str):
        return name, data
    return (keys[0], read(data, keys[0])) if len(keys) == 1 else None


def arguments_in(data: Any, inner: Any) -> list[Any]:
    """The keys of the arguments, of what `named` found in `data`."""
    return [key for key in inner if inner is not data or key != "name"]
