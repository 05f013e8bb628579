"""What JAX and Flax are told of our types, so that they write and read them.

`jax.export` writes the structure of a program's arguments, and `flax.serialization` the
states that it knows. Neither is imported here: Flax may be absent, and both cost time.
They are told at once where they are imported already, and else when they are.
"""

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, TypeVar

T = TypeVar("T", bound=type)

Action = Callable[[ModuleType], None]


def exported(
    kind: type,
    write: Callable[[Any], bytes],
    read: Callable[[Any], Any],
    unflatten: Callable[[Any, Sequence[Any]], Any],
) -> None:
    """Lets `jax.export` write the pytree nodes of a type.

    Args:
      kind: The type.
      write: What belongs to the structure of a node, as bytes.
      read: The inverse.
      unflatten: A node of that and its children.
    """
    # A public name, which stays if the file moves.
    name = f"{kind.__module__.partition('.')[0]}.{kind.__qualname__}"

    def tell(export: Any) -> None:
        with suppress(ValueError):  # of a second copy of the type: the first one stays
            export.register_pytree_node_serialization(
                kind,
                serialized_name=name,
                serialize_auxdata=write,
                deserialize_auxdata=read,
                from_children=unflatten,
            )

    when_imported("jax.export", tell)


def exported_tuple(kind: T) -> T:
    """Lets `jax.export` write the tuples of a type with names: a decorator."""

    def unflatten(_: None, children: Sequence[Any]) -> Any:
        return kind(*children)

    exported(kind, lambda _: b"", lambda _: None, unflatten)
    return kind


def known_to_flax(
    kind: type, write: Callable[[Any], Any], read: Callable[[Any, Any], Any]
) -> None:
    """Lets `flax.serialization` write the values of a type.

    Args:
      kind: The type.
      write: What it holds, without types of ours.
      read: A value like a target, the first argument, that holds what was written.
    """

    def tell(flax: Any) -> None:
        flax.register_serialization_state(
            kind,
            lambda value: written_by_flax(write(value)),
            read,
            override=True,
        )

    when_imported("flax.serialization", tell)


def written_by_flax(value: Any) -> Any:
    """A value as Flax writes it."""
    return _flax().to_state_dict(value)


def read_by_flax(target: Any, state: Any, name: str) -> Any:
    """A value like a target, of what Flax wrote of it under a name."""
    return _flax().from_state_dict(target, state, name=name)


def _flax() -> Any:
    return sys.modules["flax.serialization"]  # which called


# Actions by the module that they wait for.
_waiting: dict[str, list[Action]] = {}


def when_imported(name: str, action: Action) -> None:
    """Calls `action(module)` now where a module is imported, else once it is."""
    if (module := sys.modules.get(name)) is not None:
        action(module)
        return
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    _waiting.setdefault(name, []).append(action)


class _Finder(MetaPathFinder):
    """Finds what is waited for where the others find it, and sees it imported."""

    def find_spec(
        self, fullname: str, path: Any, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in _waiting:
            return None
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec = None if find is None else find(fullname, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Loader(spec.loader)
                return spec
        return None


class _Loader(Loader):
    """Loads a module as another loader does, and then says so."""

    def __init__(self, loader: Any):
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # Who looks at the module sees what loaded it, and nothing of this.
        module.__loader__ = self.loader
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        self.loader.exec_module(module)
        for action in _waiting.pop(module.__name__, []):
            action(module)
