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

from jaxsched.arrays import is_array
from jaxsched.domains.tables import Numbers
from jaxsched.rule import Bound, plain
from jaxsched.rule.identity import surroundings
from jaxsched.schedule.programs import LARGE, Leaf, compiled

# Larger integers go on as floats: sums of a step and a length must not wrap.
_LARGEST = 2**62

# Many steps are computed so many at a time, filled up: few programs, whatever the number.
_SIZES = (64, 1024, 16384, LARGE)

# The programs that are kept; then the oldest is dropped. Those of callables are kept by
# their schedules alone, for each callable is a structure of its own.
_MOST = 1024
_programs: dict[Hashable, Callable[..., Any]] = {}


class Reader:
    """Reads one schedule with known numbers.

    Raises:
      TypeError: The schedule is traced; a predicate of it.
    """

    def __init__(self, schedule: Bound):
        walk = _Walk()
        walk.enter(schedule)
        self._structure, self._leaves = tuple(walk.structure), tuple(walk.leaves)
        self._programs = {} if walk.holds_callable else _programs
        self._words = struct.pack(f"={''.join(walk.layout)}", *walk.words)
        self._scalar: Callable[..., Any] | None = None  # for the usual step, an integer

    def read(self, schedule: Bound, step: Any) -> Any:
        """The value at a step, or the values at an array of steps.

        Args:
          schedule: The schedule that the reader was made for.
          step: A number or an array of them.
        """
        if type(step) is not int or step > _LARGEST:
            return self._any(schedule, _steps(step))
        if self._scalar is None:
            self._scalar = self._program(schedule, "q", None)
        return _run(self._scalar, self._words, _packed(max(step, 0))).item()

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
        return _run(program, self._words, steps.tobytes())

    def _program(
        self, schedule: Bound, kind: str, size: int | None
    ) -> Callable[..., Any]:
        """The program of all schedules of this structure, for steps of a kind."""
        key = self._structure, kind, size
        kept = self._programs
        found = kept.get(key)
        if found is None:
            structure = jax.tree.structure(schedule)
            try:
                found = compiled(structure, self._leaves, kind, size)
            except jax.errors.ConcretizationTypeError as error:
                raise TypeError(
                    f"{schedule._rule.name}: a rule that is read with at() must not branch "
                    "on a number, nor need it as a Python number: all are data there, as "
                    "in jax.jit; use jnp.where"
                ) from error
            if len(kept) >= _MOST:  # another thread may be here too
                kept.pop(next(iter(tuple(kept))), None)
            kept[key] = found
        return found


class _Walk:
    """What a schedule is made of, in the order of its tree.

    A number at its default is part of the program, which then leaves out the work that
    the default makes superfluous. Where a rule needs one of its numbers as itself, so are
    all of its numbers that count steps or cycles.
    """

    def __init__(self) -> None:
        self.structure: list[Hashable] = []
        self.leaves: list[Leaf] = []
        self.holds_callable = False
        self.layout: list[str] = []  # of the words, in the language of `struct`
        self.words: list[Any] = []

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
                is_default = kind is default and rule.is_default(name, value)
                if is_default or (decided and counts):
                    self._leaf((kind, repr(value)))
                else:
                    self._word("d" if kind is float else "q", value)
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

    def _leaf(self, leaf: Leaf) -> None:
        self.structure.append(leaf)  # between what has none, in its place
        self.leaves.append(leaf)

    def _word(self, kind: str, number: Any) -> None:
        self.structure.append(kind)
        self.leaves.append(kind)
        self.layout.append(kind)
        self.words.append(number)

    def _add(self, value: Any, decided: bool, is_default: bool) -> None:
        """Adds arrays and what stands for numbers, and what has no leaves to the rest."""
        value = value.plain() if isinstance(value, Numbers) else plain(value)
        if isinstance(value, Tracer):
            raise TypeError("is traced")
        if decided and is_array(value) and value.ndim == 0:
            value = _wide(value).item()
        kind = type(value)
        if kind in (int, float):
            if decided or is_default:
                self._leaf((kind, repr(value)))
            else:
                self._word(_LETTERS[kind], value)
        elif isinstance(value, list) or jax.tree.leaves(value):
            host = _wide(value)
            self._leaf((_letter(host), host.shape))
            self.layout.append(f"{host.nbytes}s")
            self.words.append(host.tobytes())
        else:
            self.structure.append(value)
            self.holds_callable = True


def _wide(value: Any) -> np.ndarray:
    """A number, a list or an array as 64 bits, on the host."""
    host = np.asarray(jax.device_get(value))
    if host.dtype == np.uint64:
        host = np.minimum(host, np.iinfo(np.int64).max)
    return np.array(host, np.int64 if host.dtype.kind in "iu" else np.float64)


_LETTERS = {int: "q", float: "d"}


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


_packed = struct.Struct("=q").pack


def _run(program: Callable[..., Any], words: bytes, steps: bytes) -> np.ndarray:
    halves = np.frombuffer(words + steps, np.uint32).reshape(-1, 2)
    if jax.config.jax_disable_jit:  # type: ignore[attr-defined]
        with jax.disable_jit(False):
            return np.asarray(program(halves)).view(np.float64)[..., 0]
    try:
        found = program(halves)
    except jax.errors.JaxRuntimeError:
        # Under a transfer guard: what goes to the CPU here is meant to.
        with jax.transfer_guard("allow"):
            found = program(halves)
    return np.asarray(found).view(np.float64)[..., 0]
