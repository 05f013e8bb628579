"""MetricDriven, a pure state machine around a schedule, and @metric_driven.

A metric-driven schedule is what Optax calls a stateful schedule: `init() -> state`,
`update(state, value=...) -> state` and a call with the state that gives the rate. Like a
`Schedule` it is a value, and a pytree whose leaves are its hyperparameters.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, ParamSpec, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxsched.arrays import (
    Numeric,
    array_of_variable,
    as_before,
    as_leaf,
    as_real,
    is_array,
    is_traced,
    strong,
)
from jaxsched.domains.numbers import numeric
from jaxsched.progress import later
from jaxsched.rule import Bound, short
from jaxsched.schedule.meshes import explicit_mesh, on_their_mesh
from jaxsched.serialization import exported_tuple

P = ParamSpec("P")
_MISSING: Any = object()

# A number in the memory of a machine: Python's at the start, an array in a program.
Scalar: TypeAlias = Any

# What may be given for a flag that a program computes.
Truth: TypeAlias = bool | np.bool_ | np.ndarray | Array


@exported_tuple
class Told(NamedTuple):
    """What was handed in between two updates: it is judged before the next one."""

    value: Scalar = 0.0  # the metric, 0 where it is not finite or there is none
    measured: Scalar = False  # whether there is one
    spoiled: Scalar = False  # whether it is not finite
    trigger: Scalar = None  # whether to trigger; None for a machine that takes none


@exported_tuple
class MetricDrivenState(NamedTuple):
    """The state of a metric-driven schedule: a small pytree of scalars.

    A state of zeros is one before any update, wherever the machine starts.
    """

    step: Array  # the number of updates already made
    inner: Any  # the state of the schedule inside, () where that has none
    memory: Any  # what the machine remembers of the metric
    started: Array  # False only in a state of zeros, whose memory then is a new one
    told: Told


class Report(NamedTuple):
    """What a machine is told at one update, or between two."""

    step: Array  # the number of updates made before this one
    base: Array  # the rate of the schedule inside at that step
    value: Array  # the metric, 0 where it is not finite or there is none
    measured: Array  # whether there is a metric at this update
    finite: Array  # whether it is finite
    trigger: Array  # the flag passed to `update`
    between: bool  # whether `set_metric` or `set_trigger` tells it: no update is made


class Machine(NamedTuple):
    """What a metric-driven schedule does, as three functions of its hyperparameters."""

    start: Callable[[], Any]  # the memory before any metric
    judge: Callable[[Any, Report], Any]  # the memory after an update
    rate: Callable[[Any, Array, Array], Numeric]  # of memory, step and inner rate
    needs_value: bool = True  # whether an update without a metric is a mistake
    takes_trigger: bool = False  # whether `set_trigger` is for it


class MetricDriven(Bound):
    """A metric-driven schedule: a machine around a schedule, and its hyperparameters.

    It follows Optax's protocol of stateful schedules, so it goes into
    `optax.inject_hyperparams(optax.adamw)(learning_rate=...)` and into
    `scale_by_learning_rate` as it is; the metric then is an argument of the optimizer:
    `optimizer.update(grads, state, params, value=loss)`. A metric decides about the
    updates after the one that it comes with.

    Like a `Schedule` it is a pytree, prints as its constructor call, and is compared,
    pickled, stacked and read back by `parse`. The state is a pytree of scalars.

    Metric-driven schedules are made by constructors such as `reduce_on_plateau`, not by
    calling this class.

    >>> import jaxsched as js
    >>> driven = js.reduce_on_plateau(0.1, factor=0.5, patience=1)
    >>> driven
    reduce_on_plateau(schedule=constant(value=0.1), factor=0.5, patience=1)
    >>> state = driven.init()
    >>> for loss in (3.0, 2.0, 2.0, 2.0):
    ...     state = driven.update(state, value=loss)
    >>> round(float(driven(state)), 4)
    0.05
    """

    __slots__ = ("_compiled",)

    _compiled: dict[Callable[..., Any], Callable[..., Any]]

    def init(self) -> MetricDrivenState:
        """The state before the first update."""
        inner = self._values["schedule"]
        own = inner.init() if isinstance(inner, MetricDriven) else ()
        machine = self._machine()
        told = Told(trigger=False if machine.takes_trigger else None)
        memory, told = jax.tree.map(strong, (machine.start(), told))
        return MetricDrivenState(strong(0), own, memory, strong(True), told)

    def update(
        self,
        state: MetricDrivenState,
        *,
        value: Numeric | None = _MISSING,
        measured: Truth = True,
        trigger: Truth = False,
        **extra: Any,
    ) -> MetricDrivenState:
        """The state after one more update of the optimizer.

        Args:
          state: The state before it.
          value: The metric, a scalar; None at an update that has none.
          measured: Whether `value` is a new metric: a boolean, traced or not. False lets
            a program pass a stale value at the updates between two evaluations.
          trigger: A flag for `cooldown_on_trigger`.
          **extra: Ignored: Optax passes on what others of its transformations need.

        Raises:
          TypeError: `value` is missing, or not a real number.
          ValueError: `value` is not a scalar.
        """
        name = self._rule.name
        if value is _MISSING and self._machine().needs_value:
            raise TypeError(
                f"{name}: update needs the metric: value=loss in "
                "optimizer.update(grads, state, params, value=loss); "
                "value=None at an update without one"
            )
        inner = self._values["schedule"]
        if isinstance(inner, MetricDriven):
            own = inner.update(
                state.inner, value=value, measured=measured, trigger=trigger
            )
        else:
            own = state.inner
        given = value is not None and value is not _MISSING
        measured = _flag(measured, "measured", name)
        report = (
            strong(_metric(value, name) if given else 0.0),
            strong(measured if given else False),
            strong(_flag(trigger, "trigger", name)),
        )
        return self._run(MetricDriven._judged, state, own, *report)

    def __call__(self, state: MetricDrivenState, **extra: Any) -> Array:
        """The rate of the update that follows `state`, a scalar."""
        if not isinstance(state, MetricDrivenState):
            name = self._rule.name
            raise TypeError(
                f"{name}: a metric-driven schedule is called with its state, got "
                f"state={short(state)}; in an optimizer use "
                f"optax.inject_hyperparams(optax.adamw)(learning_rate={name}(...)) or "
                "js.scale_by_learning_rate"
            )
        return self._run(MetricDriven._rate, state)

    def _judged(
        self,
        state: MetricDrivenState,
        own: Any,
        value: Numeric,
        measured: Array,
        trigger: Array,
    ) -> MetricDrivenState:
        state = self._current(state)
        finite = jnp.isfinite(value)
        safe = as_real(jnp.where(finite, value, jnp.zeros_like(value)))
        memory = self._memory(state, safe, measured, finite, trigger, between=False)
        step = later(state.step, 1).astype(state.step.dtype)
        nothing = jax.tree.map(jnp.zeros_like, state.told)
        return MetricDrivenState(step, own, memory, strong(True), nothing)

    def _rate(self, state: MetricDrivenState) -> Array:
        state = self._current(state)
        rate = self._machine().rate(state.memory, state.step, self._base(state))
        return jnp.asarray(rate)

    def _current(self, state: MetricDrivenState) -> MetricDrivenState:
        """The state with a memory that is started and has judged what was handed in."""
        state, new = _arrays(state, self.init())
        started = state.started
        keep = lambda old, start: jnp.where(started, old, start.astype(old.dtype))
        state = state._replace(memory=jax.tree.map(keep, state.memory, new.memory))
        value, measured, spoiled, trigger = state.told
        trigger = jnp.zeros_like(measured) if trigger is None else trigger
        told = value, measured, ~spoiled, trigger
        judged, is_news = self._memory(state, *told, between=True), measured | trigger
        # No branch of a program: in `shard_map` both would have to vary alike.
        choose = lambda new, old: jnp.where(is_news, new, old)
        return state._replace(memory=jax.tree.map(choose, judged, state.memory))

    def _memory(
        self,
        state: MetricDrivenState,
        value: Array,
        measured: Array,
        finite: Array,
        trigger: Array,
        *,
        between: bool,
    ) -> Any:
        """The memory after a judgement."""
        base, value = as_real(self._base(state)), as_real(value)
        report = Report(state.step, base, value, measured, finite, trigger, between)
        judge = self._machine(neutral=True).judge
        return as_before(state.memory, judge(state.memory, report))

    def _run(self, method: Callable[..., Any], *args: Any) -> Any:
        """Calls a method, outside of a trace as one program compiled once."""
        if explicit_mesh(*jax.tree.leaves((self, args))) is not None:
            return on_their_mesh(method, self, *args)
        if is_traced((self, args)):
            return method(self, *args)
        if not hasattr(self, "_compiled"):
            object.__setattr__(self, "_compiled", {})
        if method not in self._compiled:
            self._compiled[method] = jax.jit(partial(method, self))
        return self._compiled[method](*args)

    def _machine(self, *, neutral: bool = False) -> Machine:
        """The machine; neutral, its floats do not decide the dtype of its memory."""
        values = self._loaded()
        if neutral:
            values = {k: as_real(v) if _is_float(v) else v for k, v in values.items()}
        return self._rule.function(**values)

    def _base(self, state: MetricDrivenState) -> Array:
        inner = self._values["schedule"]
        return inner(state.inner if isinstance(inner, MetricDriven) else state.step)


def _metric(value: Any, name: str) -> Numeric:
    """The metric, checked."""
    try:
        value = numeric(value)
    except TypeError as error:
        raise TypeError(
            f"{name}: value {error} or None, got value={short(value)}"
        ) from None
    if isinstance(value, int):
        return float(value)
    if np.ndim(value) != 0:
        raise ValueError(
            f"{name}: value must be a scalar, got shape {np.shape(value)}; "
            "pass its mean, for example"
        )
    return value


def _is_float(x: Any) -> bool:
    return is_array(x) and jnp.issubdtype(jnp.result_type(x), jnp.floating)


def _flag(value: Any, argument: str, name: str) -> Any:
    value = array_of_variable(value)
    if np.ndim(value) != 0 or jnp.result_type(value) is not np.dtype(bool):
        raise TypeError(
            f"{name}: {argument} must be True or False, got {argument}={short(value)}"
        )
    return value


def _arrays(
    state: MetricDrivenState, new: MetricDrivenState
) -> tuple[MetricDrivenState, MetricDrivenState]:
    """The state with arrays as leaves, but for what the schedule inside keeps."""
    own = state.inner
    state, new = state._replace(inner=()), new._replace(inner=())
    return jax.tree.map(as_leaf, state, new)._replace(inner=own), new
