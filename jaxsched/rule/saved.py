"""How a bound rule is written by JAX and Flax: the structure of its tree, its numbers.

What belongs to the structure is its rule, by its full name, and its static
hyperparameters, as plain data. Nothing is pickled: a process that reads it knows the rule
or says what to import.
"""

import json
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from jaxsched.arrays import as_real, is_array, is_weak
from jaxsched.rule.domain import NotData
from jaxsched.rule.names import Names
from jaxsched.rule.rule import Rule
from jaxsched.rule.values import plain, same
from jaxsched.serialization import read_by_flax

# What follows belongs to a tree's structure.
Structure = tuple[Rule, tuple[Any, ...]]


def write_structure(structure: Structure) -> bytes:
    """A rule and its static hyperparameters as text.

    Raises:
      ValueError: Another process could not know what they are.
    """
    rule, fixed = structure
    if reason := rule.names.why_not(rule):
        raise _refusal(rule.name, f"it {reason}")
    names = [name for name, domain in rule.domains.items() if domain.static]
    static = {
        name: None if value is None else _as_data(rule, name, value)
        for name, value in zip(names, fixed, strict=True)
    }
    module, name = rule.place
    said = {"kind": rule.names.kind, "module": module, "name": name, "static": static}
    return json.dumps(said).encode()


def read_structure(text: bytes) -> Structure:
    """The rule and the static hyperparameters that a text describes.

    Raises:
      ValueError: This process does not know the rule, or it is another one.
    """
    said = json.loads(text)
    module, name, static = said["module"], said["name"], said["static"]
    rule = Names.of(said["kind"]).at(module, name)
    if rule is None:
        raise ValueError(
            f"jax.export: the program takes the {said['kind']} {name} of {module}, which "
            f"is not known here: import {module} before it is deserialized"
        )
    expected = [name for name, domain in rule.domains.items() if domain.static]
    if expected != [*static]:
        raise ValueError(
            f"jax.export: the program takes a {name} of another version of {module}: its "
            f"static arguments were {[*static]}, now they are {expected}"
        )
    domains = rule.domains
    read = [None if v is None else domains[k].admit(v) for k, v in static.items()]
    return rule, tuple(read)


def refuse_callable(value: Any) -> bytes:
    """Says why a callable in the place of a schedule is not written."""
    raise _refusal("the callable", f"it is not data, got {value!r}")


def _refusal(what: str, reason: str) -> ValueError:
    return ValueError(
        f"jax.export: {what} cannot be read by another process: {reason}; close over the "
        "schedule instead of passing it, then its values are part of the program"
    )


def _as_data(rule: Rule, name: str, value: Any) -> Any:
    """A static hyperparameter as data that is read back as it is."""
    domain = rule.domains[name]
    try:
        data = domain.data(value)
        again = domain.admit(json.loads(json.dumps(data)))
    except (NotData, TypeError, ValueError) as error:
        raise _refusal(rule.name, f"{name} {error}") from None
    if not same(again, value):
        raise _refusal(rule.name, f"{name} reads back as {again!r}")
    return data


# The state of a bound rule in Flax is a mapping of its numbers and of what it holds.


def write_state(values: Mapping[str, Any]) -> dict[str, Any]:
    """Hyperparameters that are not static: numbers as Python numbers or arrays."""
    return {name: _settled(value) for name, value in values.items()}


def _settled(value: Any) -> Any:
    """A number that went through a program as the Python number that it is."""
    is_number = is_array(value) and np.ndim(value) == 0
    return plain(value) if is_number else value


def read_state(
    rule: Rule, target: Mapping[str, Any], state: Mapping[str, Any]
) -> dict[str, Any]:
    """Hyperparameters like those of a target.

    Raises:
      ValueError: Their names are not those of the target.
    """
    # What holds no numbers may be lost on the way, as where mappings are flattened.
    needed = {name for name, value in target.items() if jax.tree.leaves(value)}
    if not needed <= {*state} <= {*target}:
        raise ValueError(
            f"{rule.name}: the state must hold {[*target]}, got {[*state]}; restore into a "
            "schedule of the kind that was saved"
        )
    return {name: _restored(target[name], state[name], name) for name in state}


def _restored(target: Any, state: Any, name: str) -> Any:
    value = read_by_flax(target, state, name)
    if isinstance(value, np.ndarray) and value is state:
        value = value.copy()
        value.flags.writeable = False
    # Of many numbers only an array can be written, which forgets what they were.
    is_open = is_weak(target) and np.ndim(target) > 0
    return as_real(value) if is_open and is_array(value) else value
