"""Schedule, a pure function of the step that is also a value."""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, overload

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer
from jax.typing import ArrayLike

from jaxsched.arrays import (
    Numeric,
    array_of_variable,
    as_integer,
    as_real,
    as_step,
    is_array,
    is_beyond,
    is_real,
    is_traced,
    is_wide,
)
from jaxsched.domains.numbers import Step
from jaxsched.rule import Bound, Names, admitted, rule_of, short
from jaxsched.schedule.host import Reader
from jaxsched.schedule.meshes import automatically, explicit_mesh, is_spread
from jaxsched.schedule.stacking import entries

# Schedules, recipes and metric-driven schedules by name.
schedules: Names = Names("schedule")


class Schedule(Bound):
    """A learning-rate schedule: a rule and its hyperparameters.

    Call it with a step and it returns the value that the update after that many updates
    uses. It is a pytree whose leaves are its hyperparameters, so it can be closed over,
    passed to `jax.jit`, stacked, `vmap`ped and differentiated; it can be printed,
    compared, hashed, pickled and copied. Hyperparameters are read as attributes
    (`schedule.steps`) and changed with `replace`. Schedules add, subtract, multiply and
    divide, with each other and with numbers. A stacked schedule is indexed.

    Schedules are made by constructors such as `cosine` and by functions decorated with
    `@schedule`, not by calling this class.

    >>> import jaxsched as js
    >>> s = js.linear(0.1, 0.0, steps=10)
    >>> s
    linear(init_value=0.1, end_value=0.0, steps=10)
    >>> s.at(5)
    0.05
    >>> s.replace(steps=20).steps
    20
    >>> 2 * s
    2.0 * linear(init_value=0.1, end_value=0.0, steps=10)
    >>> js.stack([s, s.replace(steps=20)])[1]
    linear(init_value=0.1, end_value=0.0, steps=20)
    """

    __slots__ = ("_compiled", "_reader")

    _compiled: Callable[[Any], Array]
    _reader: Reader

    _one_kind: ClassVar[str | None] = "js.choose(index, schedules)"

    # What the rooms below make of schedules: sums and products.
    operators: ClassVar[dict[str, Callable[..., "Schedule"]]] = {}

    # Any array, for that is what Optax asks of a schedule; the rest is refused in a call.
    def __call__(self, step: ArrayLike) -> Array:
        """The value at `step`.

        Args:
          step: The number of updates already made: an integer or a float of any kind
            and any shape, traced or not. Steps below 0 read as 0.

        Returns:
          An array of the shape of `step`.

        Raises:
          TypeError: `step` is not a real number or an array of them.
          ValueError: The schedule holds stacked hyperparameters; see `jax.vmap`.
        """
        if isinstance(step, Tracer):
            return self._evaluate(step)
        return self._eager(admitted(self._rule.name, "step", step, Step()))

    @overload
    def at(self, step: int | float | np.integer | np.floating) -> float: ...
    @overload
    def at(self, step: Array | np.ndarray) -> np.ndarray: ...
    def at(self, step: Numeric) -> float | np.ndarray:
        """The value at `step` in double precision, as plain numbers.

        Use it for logging, plotting and tables. It is computed on the CPU and never
        waits for the queue of an accelerator. Calling the schedule gives what an
        optimizer computes instead: the same in single precision.

        Args:
          step: As for calling the schedule, up to 2^62, but not traced.

        Returns:
          A Python float; for an array of steps a NumPy array of its shape, for one of
          shape () a float.

        Raises:
          TypeError: `step` or the schedule is traced; call the schedule instead.
          ValueError: The schedule holds stacked hyperparameters.
        """
        try:
            reader = _reader_of(self)
        except AttributeError:
            reader = self._make_reader()
        if type(step) is not int:
            name, step = self._rule.name, array_of_variable(step)
            if isinstance(step, Tracer):
                raise TypeError(
                    f"{name}: at() gives host numbers, got a traced step; "
                    "inside jit call the schedule itself"
                )
            is_host = isinstance(step, (np.ndarray, np.generic))
            if not (is_host and is_real(step.dtype)):  # which no device need see
                admitted(name, "step", step, Step())
        return reader.read(self, step)

    def _make_reader(self) -> Reader:
        try:
            reader = Reader(self)
        except TypeError:
            raise TypeError(
                f"{self._rule.name}: at() gives host numbers, but this schedule is "
                "traced; inside jit or vmap call the schedule itself"
            ) from None
        object.__setattr__(self, "_reader", reader)
        return reader

    def __getitem__(self, index: Any) -> "Schedule":
        # All of it: what `variable[...]` of Flax asks for, as of an array.
        return self if index is ... else entries(self, index)

    # An eager call costs one dispatch: the rule is compiled once for this schedule, with
    # its hyperparameters as constants, exactly as `jax.jit(schedule)` would.

    def _eager(self, step: Any) -> Array:
        try:
            compiled = self._compiled
        except AttributeError:
            if is_traced(self):
                return self._evaluate(step)
            compiled = jax.jit(self._evaluate)
            if is_spread(self):  # no program has constants on several devices
                compiled = partial(jax.jit(type(self)._evaluate), self)
            object.__setattr__(self, "_compiled", compiled)
        return compiled(step)

    def _evaluate(self, step: Any) -> Array:
        name = self._rule.name
        step = admitted(name, "step", step, Step())
        mesh = explicit_mesh(step, *self._values.values())
        if mesh is not None:
            return automatically(type(self)._evaluate, self, step, mesh)
        if is_array(step) and is_wide(step):
            # Exact as far as JAX counts, a float beyond.
            near, far = self._evaluate(as_integer(step)), self._evaluate(as_real(step))
            return jnp.where(is_beyond(step), far, near)
        now, value = as_step(step), partial(self._value, self._loaded())
        if self._rule.is_own or now.ndim == 0:
            return value(now)
        # A user's rule may be one for a single step: it may branch, or reduce an array.
        return jnp.reshape(jax.vmap(value)(jnp.ravel(now)), now.shape)

    def _value(self, values: dict[str, Any], now: Array) -> Array:
        name, found = self._rule.name, self._rule.function(now, **values)
        try:
            result = jnp.asarray(found)
        except (TypeError, ValueError):
            result = None
        if result is None or jnp.iscomplexobj(result):
            raise TypeError(
                f"{name}: a rule returns a real number for each step, got {short(found)}"
            )
        if not jnp.issubdtype(result.dtype, jnp.floating):
            result = result * 1.0
        if jnp.shape(result) not in ((), jnp.shape(now)):
            raise ValueError(
                f"{name}: a rule returns one value per step, got shape {result.shape} "
                f"for steps of shape {jnp.shape(now)}"
            )
        return jnp.broadcast_to(result, jnp.shape(now))

    # Arithmetic builds ordinary schedules.

    def __add__(self, other: Any) -> "Schedule":
        return self._combined("add", self, other)

    def __radd__(self, other: Any) -> "Schedule":
        return self._combined("add", other, self)

    def __sub__(self, other: Any) -> "Schedule":
        return self._combined("subtract", self, other)

    def __rsub__(self, other: Any) -> "Schedule":
        return self._combined("subtract", other, self)

    def __mul__(self, other: Any) -> "Schedule":
        return self._combined("multiply", self, other)

    def __rmul__(self, other: Any) -> "Schedule":
        return self._combined("multiply", other, self)

    def __truediv__(self, other: Any) -> "Schedule":
        return self._combined("divide", self, other)

    def __rtruediv__(self, other: Any) -> "Schedule":
        return self._combined("divide", other, self)

    def __pos__(self) -> "Schedule":
        return self

    def __neg__(self) -> "Schedule":
        return self._combined("negative", self)

    def _combined(self, name: str, *operands: Any) -> "Schedule":
        made = self.operators[name]
        for argument, other in zip(rule_of(made).domains, operands, strict=True):
            is_tree = isinstance(other, (dict, list, tuple))
            if is_tree or (is_array(other) and np.ndim(other) > 0):
                raise TypeError(
                    f"{name}: {argument} must be a schedule or a number; for arrays and "
                    "gradients call the schedule first, as in schedule(step) * grads, "
                    f"got {argument}={short(other)}"
                )
        return made(*operands)

    # NumPy and JAX numbers on the left leave the operation to the schedule.
    __array_priority__ = 1000
    __array_ufunc__ = None


# Where there is none yet, the slot itself says so sooner than `__getattr__` does.
_reader_of: Callable[[Schedule], Reader] = Schedule.__dict__["_reader"].__get__
