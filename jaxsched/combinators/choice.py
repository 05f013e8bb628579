"""One of several schedules: which one is a number, so a sweep goes over kinds too."""

from typing import Annotated, Any

import jax
import jax.numpy as jnp
from jax import Array

from jaxsched.arrays import Numeric, is_traced
from jaxsched.domains.numbers import whole_number
from jaxsched.rule import Refusal, known
from jaxsched.schedule import Phase, ScheduleLikes, schedule
from jaxsched.schedule.phases import number, phases_of

Index = Annotated[Numeric, whole_number(0)]


def _one_of_them(index: Index, schedules: ScheduleLikes) -> None:
    if known(index) and number(index) >= len(schedules):
        raise Refusal(
            f"index must be < {len(schedules)}, the number of schedules", "index"
        )


def _of_the_chosen(s: Any, until: float) -> list[Phase]:
    last = len(s.schedules) - 1
    return phases_of(s.schedules[min(max(number(s.index), 0), last)], until)


@schedule(check=_one_of_them, phases=_of_the_chosen)
def choose(step: Array, index: Index, schedules: ScheduleLikes) -> Array:
    """One of several schedules, chosen by its place among them.

    Use it when a sweep should compare several kinds of schedules in one program.

    For a sweep over kinds of schedules: only schedules of one kind can be stacked, and
    `choose` makes one kind of several. Their numbers and the index are data, so one
    program trains under all of them.

    Formula: s(t) = schedules[index](t). Every schedule is computed and one value is
    kept, a few operations more at each step; the dtype is that of all of them together.
    The gradient by the numbers of those that are not chosen is 0.

    Args:
      index: Which one, a whole number from 0 to n - 1. It may be traced or stacked; then
        one that is out of range means the first or the last schedule, as in
        `jax.lax.switch`.
      schedules: n schedules, numbers or callables of the step.

    Returns:
      A `Schedule`, with the phases and the end of the chosen one.

    Raises:
      ValueError: `index` is known and out of range, or there is no schedule.
      TypeError: `index` is not a whole number, or an entry of `schedules` is of the wrong
        kind.

    Example:
      >>> import jax, jaxsched as js
      >>> kinds = [js.constant(0.5), js.linear(1.0, 0.0, 8), js.cosine(1.0, 0.0, 8)]
      >>> js.choose(1, kinds).at(6)
      0.25
      >>> stacked = js.stack([js.choose(i, kinds) for i in range(3)])
      >>> jax.vmap(lambda s: s(4))(stacked)
      Array([0.5, 0.5, 0.5], dtype=float32)

    Reference: `jax.lax.switch`.
    """
    place = jnp.clip(index, 0, len(schedules) - 1)
    value: Any = None
    for i, one in enumerate(schedules):
        is_chosen = place == i
        own = jax.tree.map(lambda x, c=is_chosen: _felt(x, c), one)(
            _felt(step, is_chosen)
        )
        value = own if value is None else jnp.where(is_chosen, own, value)
    return value


def _felt(x: Any, is_chosen: Array) -> Any:
    """A number whose gradient counts in what is chosen only.

    That of the others would be 0 times their slope, which is NaN where it is infinite.
    """
    if not is_traced(x) or not jnp.issubdtype(x.dtype, jnp.floating):
        return x
    return jnp.where(is_chosen, x, jax.lax.stop_gradient(x))
