"""Many parts of one kind as one part that reads its hyperparameters from tables."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from jaxsched.arrays import as_real
from jaxsched.rule import same
from jaxsched.schedule import Schedule
from jaxsched.schedule.stacking import kind, stacked_leaf

# Up to here parts are computed one by one, their numbers being constants of the program.
_FEW = 16


class Table(NamedTuple):
    """Schedules that differ in numbers only.

    Attributes:
      members: Their places among all parts, rising.
      structure: What they have in common.
      columns: Each hyperparameter of all of them: a Python number where it is the same
        in all, else one array.
      open_ended: Of each column, whether it holds Python floats.
    """

    members: list[int]
    structure: Any
    columns: list[Any]
    open_ended: list[bool]

    def __call__(self, row: Array, step: Array) -> Array:
        """The value of the schedule in each row at each step."""
        if step.ndim:
            flat = jax.vmap(self)(jnp.ravel(row), jnp.ravel(step))
            return jnp.reshape(flat, step.shape)
        leaves = []
        for column, open_ended in zip(self.columns, self.open_ended, strict=True):
            if isinstance(column, (int, float)):
                leaves.append(column)
            else:
                entry = jnp.asarray(column)[row]
                leaves.append(as_real(entry) if open_ended else entry)
        return self.structure.unflatten(leaves)(step)


def by_kind(parts: Sequence[Schedule]) -> tuple[list[int], list[Table]]:
    """The places of the parts to compute one by one, and the others as tables."""
    if len(parts) <= _FEW:
        return list(range(len(parts))), []
    groups: dict[Any, list[int]] = {}
    flat = [jax.tree.flatten(part) for part in parts]
    for i, (leaves, structure) in enumerate(flat):
        groups.setdefault((structure, *map(kind, leaves)), []).append(i)
    few = [i for members in groups.values() if len(members) <= _FEW for i in members]
    tables = []
    for members in groups.values():
        if len(members) > _FEW:
            columns = list(zip(*(flat[i][0] for i in members), strict=True))
            open_ended = [isinstance(column[0], float) for column in columns]
            structure = flat[members[0]][1]
            tables.append(
                Table(members, structure, list(map(_column, columns)), open_ended)
            )
    return sorted(few), tables


def _column(entries: tuple[Any, ...]) -> Any:
    first = entries[0]
    if isinstance(first, (int, float)) and all(same(first, x) for x in entries):
        return first
    return stacked_leaf(entries)
