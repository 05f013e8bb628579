"""Schedule, a pure function of the step that is also a value, and @schedule."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, overload

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer
from jax.typing import ArrayLike

from jaxsched.rule import Bound, Registry, Rule, constructor_of, is_traced, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

P = ParamSpec("P")

# Schedules and recipes by name; `jaxsched.text` reads from here.
schedules: Registry = Registry("schedule")


class Schedule(Bound):
    """A learning-rate schedule: a rule and its hyperparameters.

    Call it with a step and it returns the value that the update after that many updates
    uses. It is a pytree whose leaves are its hyperparameters, so it can be closed over,
    passed to `jax.jit`, stacked, `vmap`ped and differentiated; it can be printed,
    compared, hashed, pickled and copied. Hyperparameters are read as attributes
    (`schedule.steps`) and changed with `replace`. Schedules add, subtract, multiply and
    divide, with each other and with numbers.

    Schedules are made by constructors such as `cosine` and by functions decorated with
    `@schedule`, not by calling this class.

    >>> import jaxsched as js
    >>> s = js.linear(0.1, 0.0, steps=10)
    >>> s
    linear(init_value=0.1, end_value=0.0, steps=10)
    >>> s.at(5)
    0.05000000074505806
    >>> s.replace(steps=20).steps
    20
    >>> (2 * s).at(0)
    0.20000000298023224
    """

    __slots__ = ("_compiled", "_host")

    _compiled: Callable[[ArrayLike], Array]
    _host: Callable[[ArrayLike], Array]

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
        return self._eager(_to_host_range(step, self))

    def at(self, step: ArrayLike) -> Any:
        """The value at `step` as plain numbers, computed on the CPU.

        For logging and plotting: it never waits for the queue of an accelerator.

        Args:
          step: As for calling the schedule, but not traced.

        Returns:
          A Python float, or for an array of steps a NumPy array of its shape.

        Raises:
          TypeError: `step` or the schedule is traced; call the schedule instead.
        """
        if isinstance(step, Tracer):
            raise TypeError(
                f"{self._rule.name}: at() gives host numbers, got a traced step; "
                "inside jit call the schedule itself"
            )
        try:
            host = self._host
        except AttributeError:
            host = self._make_host()
        value = host(_to_host_range(step, self))
        if isinstance(value, Tracer):
            # Inside a trace a compiled function has become part of it: compute it now.
            with jax.ensure_compile_time_eval(), jax.default_device(_cpu()):
                value = self._evaluate(_to_host_range(step, self))
        return value.item() if value.ndim == 0 else np.asarray(value)

    def plot(self, *args: Any, **kwargs: Any) -> "Axes":
        """Draws the schedule; the arguments are those of `jaxsched.plot`."""
        from jaxsched.inspection.plot import plot  # knows schedules

        return plot(self, *args, **kwargs)

    def _repr_html_(self) -> str:
        """What a notebook shows: the repr and a small curve."""
        from jaxsched.inspection.picture import notebook  # knows schedules

        return notebook(self)

    # An eager call costs one dispatch: the rule is compiled once for this schedule, with
    # its hyperparameters as constants, exactly as `jax.jit(schedule)` would.

    def _eager(self, step: Any) -> Array:
        try:
            compiled = self._compiled
        except AttributeError:
            if is_traced(self):
                return self._evaluate(step)
            compiled = jax.jit(self._evaluate)
            object.__setattr__(self, "_compiled", compiled)
        return compiled(step)

    def _make_host(self) -> Callable[[ArrayLike], Array]:
        if is_traced(self):
            raise TypeError(
                f"{self._rule.name}: at() gives host numbers, but this schedule is "
                "traced; inside jit or vmap call the schedule itself"
            )
        if jax.default_backend() == "cpu":
            host = self._eager
        else:
            # Array hyperparameters may live on an accelerator: read them once.
            here = jax.tree.map(lambda x: np.asarray(x) if is_array(x) else x, self)
            compiled = jax.jit(here._evaluate)

            def host(step: ArrayLike) -> Array:
                with jax.default_device(_cpu()):
                    return compiled(step)

        object.__setattr__(self, "_host", host)
        return host

    def _evaluate(self, step: ArrayLike) -> Array:
        name = self._rule.name
        now = as_step(step, name)
        result = jnp.asarray(self._rule.function(now, **self._loaded()))
        if not jnp.issubdtype(result.dtype, jnp.floating):
            result = result * 1.0
        if jnp.shape(result) not in ((), jnp.shape(now)):
            raise ValueError(
                f"{name}: a rule returns one value per step, got shape {result.shape} "
                f"for steps of shape {jnp.shape(now)}"
            )
        return jnp.broadcast_to(result, jnp.shape(now))

    # Arithmetic builds ordinary schedules; the import is late because those are made of
    # this class.

    def __add__(self, other: Any) -> "Schedule":
        return _combine("add", self, other)

    def __radd__(self, other: Any) -> "Schedule":
        return _combine("add", other, self)

    def __sub__(self, other: Any) -> "Schedule":
        return _combine("subtract", self, other)

    def __rsub__(self, other: Any) -> "Schedule":
        return _combine("subtract", other, self)

    def __mul__(self, other: Any) -> "Schedule":
        return _combine("multiply", self, other)

    def __rmul__(self, other: Any) -> "Schedule":
        return _combine("multiply", other, self)

    def __truediv__(self, other: Any) -> "Schedule":
        return _combine("divide", self, other)

    def __rtruediv__(self, other: Any) -> "Schedule":
        return _combine("divide", other, self)

    def __neg__(self) -> "Schedule":
        return _combine("negative", self)

    # NumPy and JAX numbers on the left leave the operation to the schedule.
    __array_priority__ = 1000
    __array_ufunc__ = None


def _combine(name: str, *operands: Any) -> Schedule:
    from jaxsched import arithmetic

    return getattr(arithmetic, name)(*operands)


@overload
def schedule(rule: Callable[Concatenate[Any, P], Any], /) -> Callable[P, Schedule]: ...
@overload
def schedule(
    *, check: Callable[..., None]
) -> Callable[[Callable[Concatenate[Any, P], Any]], Callable[P, Schedule]]: ...
def schedule(
    rule: Callable[..., Any] | None = None,
    /,
    *,
    check: Callable[..., None] | None = None,
) -> Any:
    """Turns a rule into the constructor of a schedule.

    The rule is the pure mathematics: its first parameter is the step (a JAX number, never
    below 0, integer or float), the others are hyperparameters annotated with what they
    may be (`Value`, `Steps`, ...). The decorated name becomes the constructor, with the
    same signature less the step and the same docstring. What it makes is a `Schedule`
    like any other, found by name by `parse` and `from_dict`.

    A rule may be called with traced hyperparameters, so it never branches on one.

    Args:
      rule: `rule(step, *hyperparameters)`; returns one value per step.
      check: Called with the hyperparameters by name, for what one domain cannot say.
        Raises `Refusal`.

    Returns:
      The constructor.

    Raises:
      TypeError: A hyperparameter has no domain, or a name that schedules need.
      ValueError: The name is that of another schedule.

    >>> import jaxsched as js
    >>> @js.schedule
    ... def plateau(step, value: js.Value, steps: js.Steps):
    ...     elapsed, remaining = js.progress(step, steps)
    ...     return value * (1 - elapsed * remaining)
    >>> plateau(1.0, steps=8)
    plateau(value=1.0, steps=8)
    >>> plateau(1.0, steps=8).at(4)
    0.75
    >>> js.parse("plateau(1.0, steps=8)") == plateau(1.0, steps=8)
    True
    """
    if rule is None:
        return lambda function: _constructor(function, check)
    return _constructor(rule, check)


def _constructor(
    function: Callable[..., Any], check: Callable[..., None] | None
) -> Callable[..., Schedule]:
    rule = Rule(function, given=1, check=check)
    schedules.add(rule)
    return constructor_of(rule, lambda values: Schedule(rule, values))


def as_step(step: ArrayLike, name: str = "schedule") -> Array:
    """A step as every rule sees it: not below 0, in the widest integer or a float.

    Integers stay integers: signed or unsigned, narrow or wide, they become the default
    integer, and what does not fit there becomes its largest value instead of wrapping.

    >>> as_step(-5), as_step(np.uint32(2**32 - 1))
    (Array(0, dtype=int32), Array(2147483647, dtype=int32))
    """
    x = jnp.asarray(_to_host_range(step, name))
    if jnp.issubdtype(x.dtype, jnp.integer):
        return jnp.maximum(as_integer(x), 0)
    return jnp.maximum(as_real(x), 0)


def as_integer(x: Array) -> Array:
    """An integer array in the default integer, saturating instead of wrapping."""
    widest = jnp.result_type(int)
    if jnp.issubdtype(x.dtype, jnp.unsignedinteger):
        largest = min(int(jnp.iinfo(widest).max), int(jnp.iinfo(x.dtype).max))
        x = jnp.minimum(x, jnp.asarray(largest, x.dtype))
    return x.astype(widest)


def as_real(x: ArrayLike) -> Array:
    """A number as the default float, weakly typed: it never decides a result's dtype.

    A count is only ever a count: whatever its dtype, the values of a schedule must
    decide whether the result is float32 or bfloat16, as a Python float would let them.
    """
    # JAX gives no public way to make a weak float of a strong one.
    from jax._src.lax.lax import _convert_element_type

    default = np.dtype(jnp.result_type(float))
    return jnp.asarray(_convert_element_type(jnp.asarray(x), default, weak_type=True))


def is_real(dtype: Any) -> bool:
    """Whether JAX computes with the dtype as with real numbers."""
    kinds = (jnp.integer, jnp.floating)
    if not any(jnp.issubdtype(dtype, kind) for kind in kinds):
        return False
    # NumPy counts time deltas as integers, and JAX has no extended floats.
    return np.dtype(dtype).kind != "m" and np.dtype(dtype) != np.longdouble


def is_array(x: Any) -> bool:
    """Whether `x` is an array of JAX or NumPy, traced ones included."""
    return isinstance(x, (jax.Array, np.ndarray))


def _to_host_range(step: Any, owner: Any) -> Any:
    """A concrete step that JAX converts without overflow or wrapping; others as given."""
    kind = type(step)
    if kind is int:
        return step if 0 <= step <= 2**31 - 1 else _saturated(step)
    if kind is float:
        return step
    if isinstance(step, (jax.Array, np.ndarray, np.generic)) and is_real(step.dtype):
        is_host = not isinstance(step, jax.Array)
        saturate = is_host and jnp.issubdtype(step.dtype, jnp.integer)
        return _saturated(step) if saturate else step
    name = owner if isinstance(owner, str) else owner._rule.name
    raise TypeError(
        f"{name}: step must be a real number or an array of them, got step={short(step)}"
    )


def _saturated(step: Any) -> Any:
    largest = int(jnp.iinfo(jnp.result_type(int)).max)
    if np.ndim(step) == 0:  # one program for counts of every kind
        return min(max(int(step), 0), largest)
    low = np.maximum(step, 0).astype(np.uint64)
    return np.minimum(low, np.uint64(largest)).astype(jnp.result_type(int))


@cache
def _cpu() -> Any:
    """The CPU device of this process, or JAX's default where it has no CPU backend."""
    try:
        return jax.local_devices(backend="cpu")[0]
    except RuntimeError:
        return None
