"""Reading a schedule on the host: the value of its formula in float64, on the CPU.

One program serves all schedules of one structure: their hyperparameters are its input, as
the step is. Nothing of where it is called reaches it, neither a trace nor a mesh, a
default device or 32-bit floats, for it is compiled in a thread of its own, beforehand.
Its input and output are 64-bit words, each viewed as two of 32 bits: at its border JAX
would make float32 of every float64 wherever x64 is off.
"""

import struct
from collections.abc import Callable, Hashable
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from jaxsched.domains.tables import Numbers
from jaxsched.rule import Bound, plain
from jaxsched.rule.surroundings import surroundings
from jaxsched.schedule.programs import LARGE, Leaf, compiled

# Larger integers go on as floats: sums of a step and a length must not wrap.
_LARGEST = 2**62

# Many steps are computed so many at a time, filled up: few programs, whatever the number.
_SIZES = (64, 1024, 16384, LARGE)
_USUAL = ("q", None)  # one step, an integer

# The structures that are kept; then the oldest is dropped. Those of callables are kept by
# their schedules alone, for each callable is a structure of its own.
_MOST = 512
_structures: dict[Hashable, "_Structure"] = {}


class _Structure:
    """What all schedules of one structure share.

    Attributes:
      leaves: What their programs know of each hyperparameter.
      pack: Makes words of the hyperparameters that are not known.
      programs: By the kind of the steps and their number.
    """

    __slots__ = ("leaves", "pack", "programs")

    def __init__(self, walked: tuple[Hashable, ...]):
        self.leaves = tuple(x for x in walked if isinstance(x, Leaf))
        given = [leaf for leaf in self.leaves if isinstance(leaf.kind, str)]
        layout = (f"{8 * leaf.words}s" if leaf.what else leaf.kind for leaf in given)
        self.pack = struct.Struct(f"={''.join(layout)}").pack
        self.programs: dict[tuple[str, int | None], Callable[..., Any]] = {}


class Reader:
    """Reads one schedule with known numbers.

    Raises:
      TypeError: The schedule is traced; a predicate of it.
    """

    __slots__ = ("_scalar", "_structure", "_words")

    def __init__(self, schedule: Bound):
        walk = _Walk()
        walk.enter(schedule)
        walked = tuple(walk.structure)
        found = None if walk.holds_callable else _structures.get(walked)
        if found is None:
            found = _Structure(walked)
            if not walk.holds_callable:
                if len(_structures) >= _MOST:  # another thread may be here too
                    _structures.pop(next(iter(tuple(_structures))), None)
                _structures[walked] = found
        self._structure, self._words = found, found.pack(*walk.words)
        self._scalar = found.programs.get(_USUAL)

    def read(self, schedule: Bound, step: Any) -> Any:
        """The value at a step, or the values at an array of steps.

        Args:
          schedule: The schedule that the reader was made for.
          step: A number or an array of them.
        """
        if type(step) is not int or step > _LARGEST:
            return self._any(schedule, _steps(step))
        if self._scalar is None:
            self._scalar = self._program(schedule, *_USUAL)
        found = _run(self._scalar, self._words, _packed(step if step > 0 else 0))
        try:
            return _unpacked(found)[0]
        except BufferError:  # JAX has no CPU here
            return _numbers(found).item()

    def _any(self, schedule: Bound, steps: np.ndarray) -> Any:
        if steps.ndim == 0:
            return self._values(schedule, steps, None).item()
        flat, most = steps.ravel(), _SIZES[-1]
        found = [np.zeros(0)]
        for i in range(0, flat.size, most):
            block = flat[i : i + most]
            size = next(size for size in _SIZES if size >= len(block))
            filled = np.pad(block, (0, size - len(block)), mode="edge")
            found.append(self._values(schedule, filled, size)[: len(block)])
        return np.concatenate(found).reshape(steps.shape)

    def _values(
        self, schedule: Bound, steps: np.ndarray, size: int | None
    ) -> np.ndarray:
        program = self._program(schedule, _letter(steps), size)
        return _numbers(_run(program, self._words, steps.tobytes()))

    def _program(
        self, schedule: Bound, kind: str, size: int | None
    ) -> Callable[..., Any]:
        """The program of all schedules of this structure, for steps of a kind."""
        programs = self._structure.programs
        found = programs.get((kind, size))
        if found is None:
            tree, leaves = jax.tree.structure(schedule), self._structure.leaves
            try:
                found = compiled(tree, leaves, kind, size)
            except jax.errors.ConcretizationTypeError as error:
                raise TypeError(
                    f"{schedule._rule.name}: a rule that is read with at() must not branch "
                    "on a number, nor need it as a Python number: all are data there, as "
                    "in jax.jit; use jnp.where"
                ) from error
            programs[kind, size] = found
        return found


class _Walk:
    """What a schedule is made of, in the order of its tree.

    A number at its default is part of the program, which then leaves out the work that
    the default makes superfluous. Where a rule needs one of its numbers as itself, so are
    all of its numbers that count steps or cycles.
    """

    __slots__ = ("holds_callable", "structure", "words")

    def __init__(self) -> None:
        # Leaves between what has none, in its place.
        self.structure: list[Hashable] = []
        self.words: list[Any] = []
        self.holds_callable = False

    def enter(self, node: Bound) -> None:
        rule, values, add = node._rule, node._values, self.structure.append
        add(rule)
        if not rule.is_own:  # what its module says now, ours say what they always did
            add(surroundings(rule.function))
        decided = bool(rule.deciding) and not all(
            rule.is_default(k, values[k]) for k in rule.deciding
        )
        for name, static, counts, default in rule.reading:
            value = values[name]
            kind = type(value)
            if kind is float or kind is int:
                if (
                    value is default
                    or (decided and counts)
                    or (kind is type(default) and rule.is_default(name, value))
                ):
                    add(Leaf(kind, repr(value)))
                else:
                    add(_NUMBER[kind])
                    self.words.append(value)
            elif value is None or static:
                add(value)
                self.holds_callable |= callable(value)
            elif isinstance(value, Bound):
                self.enter(value)
            elif isinstance(value, tuple):
                add(len(value))
                for entry in value:
                    self.enter(entry)
            else:
                self._add(value, decided and counts, rule.is_default(name, value))

    def _add(self, value: Any, decided: bool, is_default: bool) -> None:
        """Adds arrays and what stands for numbers, and what has no leaves to the rest."""
        value = value.plain() if isinstance(value, Numbers) else plain(value)
        if isinstance(value, Tracer):
            raise TypeError("is traced")
        if type(value) not in (int, float):
            if not isinstance(value, list) and not jax.tree.leaves(value):
                self.structure.append(value)
                self.holds_callable = True
                return
            decided, is_default = decided and np.ndim(value) == 0, False
            value = _wide(value)
            value = value.item() if value.ndim == 0 else value
        kind = type(value)
        if decided or is_default:
            self.structure.append(Leaf(kind, repr(value)))
        elif kind in _NUMBER:
            self.structure.append(_NUMBER[kind])
            self.words.append(value)
        else:
            self.structure.append(Leaf(_letter(value), value.shape))
            self.words.append(value.tobytes())


def _wide(value: Any) -> np.ndarray:
    """A number, a list or an array as 64 bits, on the host."""
    host = np.asarray(jax.device_get(value))
    if host.dtype == np.uint64:
        host = np.minimum(host, np.iinfo(np.int64).max)
    return np.array(host, np.int64 if host.dtype.kind in "iu" else np.float64)


_NUMBER = {int: Leaf("q", ()), float: Leaf("d", ())}


def _letter(host: np.ndarray) -> str:
    return "q" if host.dtype.kind == "i" else "d"


def _steps(step: Any) -> np.ndarray:
    """Steps as 64-bit integers not below 0, or as floats."""
    if type(step) is int:
        return np.array(float(min(step, 10**300)))  # too large to stay an integer
    host = np.asarray(jax.device_get(step))
    if host.dtype.kind in "iu" and not np.any(host.astype(np.float64) > _LARGEST):
        return np.maximum(host, 0).astype(np.int64)
    return host.astype(np.float64)


_packed, _unpacked = struct.Struct("=q").pack, struct.Struct("=d").unpack


def _run(program: Callable[..., Any], words: bytes, steps: bytes) -> jax.Array:
    """The words of the values, on the CPU."""
    given = words + steps
    halves = np.ndarray((len(given) >> 3, 2), np.uint32, given)
    if jax.config.jax_disable_jit:  # type: ignore[attr-defined]
        with jax.disable_jit(False):
            return program(halves)
    try:
        return program(halves)
    except jax.errors.JaxRuntimeError:
        # Under a transfer guard: what goes to the CPU here is meant to.
        with jax.transfer_guard("allow"):
            return program(halves)


def _numbers(found: jax.Array) -> np.ndarray:
    return np.asarray(found).view(np.float64)[..., 0]
