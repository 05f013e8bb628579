"""Programs that read schedules on the host: made once for a structure, anywhere.

Each is compiled in a thread of its own, which begins with no context: no trace, no mesh,
no setting that surrounds the place where a schedule is read.
"""

import math
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from threading import Thread
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from jaxsched.arrays import as_real, enable_x64


class Leaf(NamedTuple):
    """What a program knows of a hyperparameter.

    Attributes:
      kind: "d" or "q" where it is floats or integers among the words; the type of a number
        that the program is compiled for.
      what: The shape of those, or the text of that.
    """

    kind: Any
    what: Any

    @property
    def words(self) -> int:
        """The number of its words."""
        return math.prod(self.what) if isinstance(self.kind, str) else 0


# The large ones are worth optimising, the others are to be there soon.
LARGE = 262144
_QUICKLY = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}


def compiled(
    structure: Any, leaves: tuple[Leaf, ...], kind: str, size: int | None
) -> Callable[..., Any]:
    """A program from the words of hyperparameters and steps to those of values.

    Args:
      structure: The tree of the schedules that it is for.
      leaves: What is known of their hyperparameters.
      kind: "q" for steps that are integers, "d" for floats.
      size: The number of steps, or None for one.
    """

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

    def make() -> Callable[..., Any]:
        count = sum(leaf.words for leaf in leaves) + (size or 1)
        words = jax.ShapeDtypeStruct((count, 2), np.uint32)
        options = None if size == LARGE else _accepted_options()
        return jax.jit(evaluate).lower(words).compile(compiler_options=options)

    return elsewhere(make, x64=True)


def _given(leaf: Leaf, read: Callable[[str, tuple[int, ...]], Array]) -> Any:
    """A hyperparameter as the rule is given it in a program."""
    kind, what = leaf
    return read(kind, what) if isinstance(kind, str) else kind(what)


def elsewhere(function: Callable[[], Any], *, x64: bool) -> Any:
    """What a function returns on the CPU, in a thread of its own.

    That begins with no context: no trace, no mesh, none of JAX's settings around it.
    """
    found: list[tuple[Any, BaseException | None]] = []

    def run() -> None:
        try:
            with ExitStack() as contexts:
                for context in (
                    enable_x64(x64),
                    jax.default_device(_cpu()),
                    jax.disable_jit(False),
                    jax.numpy_dtype_promotion("standard"),
                    jax.numpy_rank_promotion("allow"),
                ):
                    contexts.enter_context(context)
                found.append((function(), None))
        except BaseException as error:  # raised where the value is waited for
            found.append((None, error))

    thread = Thread(target=run)
    try:
        thread.start()
    except RuntimeError:  # the interpreter is about to end
        run()
    else:
        thread.join()
    [(value, error)] = found
    if error is not None:
        raise error
    return value


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


@cache
def _cpu() -> Any:
    """The CPU device of this process, or JAX's default where it has no CPU backend."""
    try:
        return jax.local_devices(backend="cpu")[0]
    except RuntimeError:
        return None
