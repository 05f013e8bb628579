"""Reading a schedule on the host: the value of its formula in float64, on the CPU.

One program serves all schedules of one structure: their hyperparameters are its input, as
the step is. Nothing of where it is called reaches it, neither a trace nor a mesh, a
default device or 32-bit floats, for it is compiled in a thread of its own, beforehand.
Its input and output are 64-bit words, each viewed as two of 32 bits: at its border JAX
would make float32 of every float64 wherever x64 is off.
"""

import struct
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.core import Tracer

from jaxsched.arrays import as_real
from jaxsched.domains.tables import Numbers
from jaxsched.rule import Bound, plain

try:
    _enable_x64 = jax.enable_x64
except AttributeError:  # JAX before 0.8
    from jax.experimental import enable_x64 as _enable_x64

# Larger integers go on as floats: sums of a step and a length must not wrap.
_LARGEST = 2**62

# Many steps are computed so many at a time, filled up: few programs, whatever the number.
_SIZES = (16, 256, 4096, 65536)


class _Leaf(NamedTuple):
    """What the program knows of a hyperparameter.

    Attributes:
      kind: "i" for integers, "f" for floats, or the number itself, as text, if the
        program is compiled for that number.
      shape: The shape of an array of them.
      number: The number that the program is compiled for, or None.
    """

    kind: str
    shape: tuple[int, ...]
    number: Any = None


_INTEGER, _FLOAT = _Leaf("i", ()), _Leaf("f", ())


class Reader:
    """Reads one schedule with known numbers.

    Raises:
      TypeError: The schedule is traced; a predicate of it.
    """

    def __init__(self, schedule: Bound):
        self._structure = jax.tree.structure(schedule)
        leaves, words = [], bytearray()
        for leaf, is_fixed in _leaves(schedule):
            if isinstance(leaf, Tracer):
                raise TypeError("is traced")
            if isinstance(leaf, (int, float)):
                if is_fixed:
                    leaves.append(_Leaf(repr(leaf), (), leaf))
                    continue
                is_int = isinstance(leaf, int)
                leaves.append(_INTEGER if is_int else _FLOAT)
                words += struct.pack("q" if is_int else "d", leaf)
            else:
                host = _wide(leaf)
                leaves.append(_Leaf(host.dtype.kind, host.shape))
                words += host.tobytes()
        self._leaves = tuple(leaves)
        self._words = np.frombuffer(words + bytes(8), np.int64)
        self._scalar: Callable[..., Any] | None = None  # for the usual step, an integer

    def __call__(self, step: Any) -> Any:
        """The value at a step, or the values at an array of steps."""
        if type(step) is not int or step > _LARGEST:
            return self._any(step)
        if self._scalar is None:
            self._scalar = _program(self._structure, self._leaves, "i", None)
        words = self._words.copy()
        words[-1] = max(step, 0)
        return _run(self._scalar, words).item()

    def _any(self, step: Any) -> Any:
        steps = _steps(step)
        if steps.ndim == 0:
            return self._values(steps, None).item()
        flat, most = steps.ravel(), _SIZES[-1]
        found = [self._block(flat[i : i + most]) for i in range(0, flat.size, most)]
        return np.concatenate([np.zeros(0), *found]).reshape(steps.shape)

    def _block(self, steps: np.ndarray) -> np.ndarray:
        size = next(size for size in _SIZES if size >= len(steps))
        filled = np.pad(steps, (0, size - len(steps)), mode="edge")
        return self._values(filled, size)[: len(steps)]

    def _values(self, steps: np.ndarray, size: int | None) -> np.ndarray:
        program = _program(self._structure, self._leaves, steps.dtype.kind, size)
        last = steps.view(np.int64).ravel()
        return _run(program, np.concatenate([self._words[:-1], last]))


def _leaves(node: Any, name: str = "", owner: Any = None) -> Iterator[tuple[Any, bool]]:
    """The hyperparameters in the order of the tree; whether a program may fix each.

    One that is at its default is part of the program, which then leaves out the work that
    the default makes superfluous. So is each of a rule that needs one as a known number.
    """
    if isinstance(node, Bound):
        rule = node._rule
        decided = any(
            domain.decides and not rule.is_default(k, node._values[k])
            for k, domain in rule.domains.items()
        )
        for k, value in node._values.items():
            if not rule.domains[k].static:
                yield from _leaves(value, k, (node, decided))
    elif isinstance(node, tuple):
        for child in node:
            yield from _leaves(child, name, owner)
    elif isinstance(node, Numbers):
        yield node.array if isinstance(node.array, Tracer) else node.plain(), False
    elif isinstance(node, (int, float)) or jax.tree.leaves(node):
        value, (holder, decided) = plain(node), owner
        if decided and not isinstance(value, Tracer) and np.ndim(value) == 0:
            value = value if isinstance(value, (int, float)) else _wide(value).item()
        yield value, decided or holder._rule.is_default(name, value)


def _wide(value: Any) -> np.ndarray:
    """A number, a list or an array as 64 bits, on the host."""
    host = np.asarray(jax.device_get(value))
    if host.dtype == np.uint64:
        host = np.minimum(host, np.iinfo(np.int64).max)
    return np.array(host, np.int64 if host.dtype.kind in "iu" else np.float64)


def _steps(step: Any) -> np.ndarray:
    """Steps as 64-bit integers not below 0, or as floats."""
    if isinstance(step, int) and not isinstance(step, bool):
        return np.array(max(step, 0), np.int64 if step <= _LARGEST else np.float64)
    if isinstance(step, float):
        return np.array(step)
    host = np.asarray(jax.device_get(step))
    if host.dtype.kind in "iu" and not np.any(host.astype(np.float64) > _LARGEST):
        return np.maximum(host, 0).astype(np.int64)
    return host.astype(np.float64)


@lru_cache(maxsize=4096)
def _program(
    structure: Any, leaves: tuple[_Leaf, ...], kind: str, size: int | None
) -> Callable[..., Any]:
    """The program of all schedules of a structure, for steps of a kind."""
    counts = [int(np.prod(leaf.shape)) if leaf.number is None else 0 for leaf in leaves]
    n = sum(counts)

    def evaluate(words: Array) -> Array:
        floats = lax.bitcast_convert_type(words, jnp.float64)
        integers = lax.bitcast_convert_type(words, jnp.int64)

        def read(kind: str, begin: int, count: int, shape: tuple[int, ...]) -> Array:
            source = integers if kind == "i" else floats
            part = jnp.reshape(source[begin : begin + count], shape)
            return part if kind == "i" else as_real(part)

        begins = np.cumsum([0, *counts])
        given = [
            read(leaf.kind, begin, count, leaf.shape)
            if leaf.number is None
            else leaf.number
            for leaf, begin, count in zip(leaves, begins, counts, strict=False)
        ]
        shape = () if size is None else (size,)
        step = read(kind, n, size or 1, shape)
        value = structure.unflatten(given)._evaluate(step).astype(jnp.float64)
        return lax.bitcast_convert_type(value, jnp.uint32)

    def compiled() -> Callable[..., Any]:
        words = jax.ShapeDtypeStruct((n + (size or 1), 2), np.uint32)
        free = jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow")
        with _enable_x64(True), jax.default_device(_cpu()), free[0], free[1]:
            return jax.jit(evaluate).lower(words).compile()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(compiled).result()


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
