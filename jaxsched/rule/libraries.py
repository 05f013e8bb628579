"""What comes from an installed library, and so stays as it is while a program runs."""

import functools
import sys
import sysconfig
import types
from pathlib import Path
from typing import Any

_FOLDERS = [Path(sysconfig.get_path(kind)) for kind in ("purelib", "platlib")]


def is_of_a_library(value: Any) -> bool:
    """Whether a module, class or function is one of Python, a library or this package."""
    is_module = isinstance(value, types.ModuleType)
    name = value.__name__ if is_module else getattr(value, "__module__", None)
    return isinstance(name, str) and _is_library(name.partition(".")[0])


@functools.cache
def _is_library(package: str) -> bool:
    if package == __name__.partition(".")[0]:
        return True
    if package in sys.stdlib_module_names:
        return package != "__main__"
    file = getattr(sys.modules.get(package), "__file__", None)
    return file is not None and any(Path(file).is_relative_to(f) for f in _FOLDERS)


def is_found_by_name(value: Any) -> bool:
    """Whether a function or class of a library is what its module has under its name.

    Compiled functions that were pickled are new objects, of a kind and name of their own.
    """
    if not hasattr(value, "__qualname__") or not is_of_a_library(value):
        return False
    found: Any = sys.modules.get(value.__module__)
    for part in value.__qualname__.split("."):
        found = getattr(found, part, None)
    is_plain = isinstance(value, (types.FunctionType, type))
    return found is value or (not is_plain and type(found) is type(value))
