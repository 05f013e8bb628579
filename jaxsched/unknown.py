"""What is said of a name that the package does not have: where to find what is meant."""

import ast
import pkgutil
from collections.abc import Iterable, Iterator
from importlib.machinery import SourceFileLoader

from jaxsched.rule.alike import alike, nearest


def unknown(name: str, public: Iterable[str], path: Iterable[str]) -> str:
    """The text of the error for the attribute `name` of the package.

    It names the nearest public names, and the compat modules that have exactly this name.

    Args:
      name: The name.
      public: The names that there are.
      path: The folders with the modules of the package.
    """
    said = [f"module 'jaxsched' has no attribute {name!r}"]
    if name.startswith("_"):  # asked for by Python's own tools, and often
        return said[0]
    if name in {module.name for module in pkgutil.iter_modules(path)}:
        return f"{said[0]}; it is a module: import jaxsched.{name}"
    if peers := [f"{peer}.{name}" for peer, names in _peers(path) if name in names]:
        said.append(f"there is {' and '.join(peers)}")
    return "; ".join(said) + nearest(alike(name, public))


def _peers(path: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Each compat module with its public names.

    It is read, not imported: its schedules are registered when it is imported, and to
    ask whether a name is there must have no effect.
    """
    for module in pkgutil.iter_modules([f"{folder}/compat" for folder in path]):
        found = module.module_finder.find_spec(module.name, None)
        if found is not None and isinstance(found.loader, SourceFileLoader):
            source = found.loader.get_source(module.name) or ""
            yield f"jaxsched.compat.{module.name}", _listed(source)


def _listed(source: str) -> list[str]:
    """The `__all__` in the source of a module."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return ast.literal_eval(node.value)
    return []
