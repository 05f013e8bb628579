"""Reading a schedule on the host: the value of its formula in float64, on the CPU.

One program serves all schedules of one structure: their hyperparameters are its input, as
the step is. Nothing of where it is called reaches it, neither a trace nor a mesh, a
default device or 32-bit floats, for it is compiled in a thread of its own, beforehand.
Its input and output are 64-bit words, each viewed as two of 32 bits: at its border JAX
would make float32 of every float64 wherever x64 is off.
"""

import math
import struct
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.core import Tracer

from jaxsched.arrays import as_real, is_array
from jaxsched.domains.tables import Numbers
from jaxsched.rule import Bound, plain

try:
    _enable_x64 = jax.enable_x64
except AttributeError:  # JAX before 0.8
    from jax.experimental import enable_x64 as _enable_x64  # type: ignore[attr-defined]

# Larger integers go on as floats: sums of a step and a length must not wrap.
_LARGEST = 2**62

# Many steps are computed so many at a time, filled up: few programs, whatever the number.
_SIZES = (64, 1024, 16384, 262144)

# The large ones are worth optimising, the others are to be there soon.
_QUICKLY = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}


# The programs that are kept; then the oldest is dropped.
_MOST = 4096
_programs: dict[Hashable, Callable[..., Any]] = {}


# What a program knows of a hyperparameter: "d" or "q", that it is a float or an integer
# among the words; that and the shape of an array of them; or the type and the number that
# the program is compiled for.
_Leaf = str | tuple[Any, Any]


class Reader:
    """Reads one schedule with known numbers.

    Raises:
      TypeError: The schedule is traced; a predicate of it.
    """

    def __init__(self, schedule: Bound):
        walk = _Walk()
        walk.enter(schedule)
        self._structure, self._leaves = tuple(walk.structure), tuple(walk.leaves)
        words = struct.pack(f"={''.join(walk.layout)}q", *walk.words, 0)
        self._words = np.frombuffer(words, np.int64)
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
        words = self._words.copy()
        words[-1] = max(step, 0)
        return _run(self._scalar, words).item()

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
        return _run(program, np.append(self._words[:-1], steps.view(np.int64)))

    def _program(
        self, schedule: Bound, kind: str, size: int | None
    ) -> Callable[..., Any]:
        """The program of all schedules of this structure, for steps of a kind."""
        key = self._structure, kind, size
        found = _programs.get(key)
        if found is None:
            found = _compiled(jax.tree.structure(schedule), self._leaves, kind, size)
            if len(_programs) >= _MOST:
                _programs.pop(next(iter(_programs)), None)
            _programs[key] = found
        return found


class _Walk:
    """What a schedule is made of, in the order of its tree.

    A number at its default is part of the program, which then leaves out the work that
    the default makes superfluous. So is each of a rule that needs one as a known number.
    """

    def __init__(self) -> None:
        self.structure: list[Hashable] = []
        self.leaves: list[_Leaf] = []
        self.layout: list[str] = []  # of the words, in the language of `struct`
        self.words: list[Any] = []

    def enter(self, node: Bound) -> None:
        rule, values = node._rule, node._values
        self.structure.append(rule)
        decided = any(not rule.is_default(k, values[k]) for k in rule.deciding)
        for name, value in values.items():
            kind = type(value)
            if kind is float or kind is int:
                if decided or rule.is_default(name, value):
                    self._leaf((kind, value))
                else:
                    self._word("d" if kind is float else "q", value)
            elif value is None or rule.domains[name].static:
                self.structure.append(value)
            elif isinstance(value, Bound):
                self.enter(value)
            elif isinstance(value, tuple):
                self.structure.append(len(value))
                for entry in value:
                    self.enter(entry)
            else:
                self._add(value, decided, rule.is_default(name, value))

    def _leaf(self, leaf: _Leaf) -> None:
        self.structure.append(leaf)  # between what has none, in its place
        self.leaves.append(leaf)

    def _word(self, kind: str, number: Any) -> None:
        self._leaf(kind)
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
                self._leaf((kind, value))
            else:
                self._word(_LETTERS[kind], value)
        elif isinstance(value, list) or jax.tree.leaves(value):
            host = _wide(value)
            self._leaf((_letter(host), host.shape))
            self.layout.append(f"{host.nbytes}s")
            self.words.append(host.tobytes())
        else:
            self.structure.append(value)


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
        return np.array(float(step))  # too large to stay an integer
    host = np.asarray(jax.device_get(step))
    if host.dtype.kind in "iu" and not np.any(host.astype(np.float64) > _LARGEST):
        return np.maximum(host, 0).astype(np.int64)
    return host.astype(np.float64)


def _compiled(
    structure: Any, leaves: tuple[_Leaf, ...], kind: str, size: int | None
) -> Callable[..., Any]:
    def evaluate(words: Array) -> Array:
        sources = {
            "d": lax.bitcast_convert_type(words, jnp.float64),
            "q": lax.bitcast_convert_type(words, jnp.int64),
        }
        place = 0

        def read(kind: str, shape: tuple[int, ...]) -> Array:
            nonlocal place
            begin, place = place, place + math.prod(shape)
            part = jnp.reshape(sources[kind][begin:place], shape)
            return as_real(part) if kind == "d" else part

        given = [_given(leaf, read) for leaf in leaves]
        step = read(kind, () if size is None else (size,))
        value = structure.unflatten(given)._evaluate(step).astype(jnp.float64)
        return lax.bitcast_convert_type(value, jnp.uint32)

    def compiled() -> Callable[..., Any]:
        count = sum(map(_count, leaves)) + (size or 1)
        words = jax.ShapeDtypeStruct((count, 2), np.uint32)
        free = jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow")
        with _enable_x64(True), jax.default_device(_cpu()), free[0], free[1]:
            options = None if size == _SIZES[-1] else _accepted_options()
            return jax.jit(evaluate).lower(words).compile(compiler_options=options)

    return _elsewhere(compiled)


def _given(leaf: _Leaf, read: Callable[[str, tuple[int, ...]], Array]) -> Any:
    """A hyperparameter as the rule is given it in a program."""
    if isinstance(leaf, str):
        return read(leaf, ())
    kind, value = leaf
    return read(kind, value) if isinstance(kind, str) else value


def _count(leaf: _Leaf) -> int:
    """The number of words of a hyperparameter."""
    if isinstance(leaf, str):
        return 1
    return math.prod(leaf[1]) if isinstance(leaf[0], str) else 0


def _elsewhere(function: Callable[[], Any]) -> Any:
    """What a function returns in a thread of its own, which begins with no context."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(function).result()


@cache
def _accepted_options() -> dict[str, Any]:
    """Those of `_QUICKLY` that this version of the compiler knows."""
    found = {}
    for option in _QUICKLY.items():
        program = jax.jit(lambda x: x).lower(0.0)
        try:
            program.compile(compiler_options=dict([option]))
        except Exception:  # of a kind that depends on the version
            continue
        found |= dict([option])
    return found


def _run(program: Callable[..., Any], words: np.ndarray) -> np.ndarray:
    halves = words.view(np.uint32).reshape(-1, 2)
    try:
        found = program(halves)
    except jax.errors.JaxRuntimeError:
        # Under a transfer guard: what goes to the CPU here is meant to.
        with jax.transfer_guard("allow"):
            found = program(halves)
    return np.asarray(found).view(np.float64)[..., 0]


@cache
def _cpu() -> Any:
    """The CPU device of this process, or JAX's default where it has no CPU backend."""
    try:
        return jax.local_devices(backend="cpu")[0]
    except RuntimeError:
        return None
