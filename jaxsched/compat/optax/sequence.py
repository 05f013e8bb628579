"""One schedule after another."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from jaxsched.arrays import Numeric
from jaxsched.combinators import sequence
from jaxsched.combinators.time import shift
from jaxsched.compat.arguments import (
    AnyLength,
    ListOfOptions,
    NotNegative,
    Row,
    SignedLength,
)
from jaxsched.compat.optax.decays import cosine_of, exponential_decay, linear_schedule
from jaxsched.compat.peer import peer
from jaxsched.domains import Flag, Value
from jaxsched.domains.numbers import surely
from jaxsched.rule import Refusal, known
from jaxsched.schedule import Schedule, ScheduleLike, ScheduleLikes, as_schedule


@peer
def warmup_constant_schedule(
    init_value: Value, peak_value: Value, warmup_steps: AnyLength
) -> Schedule:
    """A ramp to a constant: `linear(init_value, peak_value, warmup_steps)`.

    Args:
      init_value: The value at step 0.
      peak_value: The value after the ramp.
      warmup_steps: The length of the ramp. As in Optax, without one it is `init_value`
        for ever.

    Example:
      >>> from jaxsched.compat import optax
      >>> optax.warmup_constant_schedule(0.0, 0.1, 500)
      linear(init_value=0.0, end_value=0.1, steps=500)
    """
    return linear_schedule(init_value, peak_value, warmup_steps)


@peer
def warmup_cosine_decay_schedule(
    init_value: Value,
    peak_value: Value,
    warmup_steps: AnyLength,
    decay_steps: AnyLength,
    end_value: Value = 0.0,
    exponent: NotNegative = 1.0,
) -> Schedule:
    """A ramp, then half a cosine; `decay_steps` is the length of both together.

    Formula: `warmup(cosine(peak_value, end_value, decay_steps - warmup_steps,
    power=exponent), warmup_steps, init_value)`.

    Args:
      init_value: The value at step 0.
      peak_value: The value after the ramp. Where it is 0 the end is 0 too.
      warmup_steps: The length of the ramp.
      decay_steps: The length of the whole, > warmup_steps.
      end_value: The value at the end.
      exponent: The power of the curve, >= 0.

    Example:
      >>> from jaxsched.compat import optax
      >>> optax.warmup_cosine_decay_schedule(0.0, 0.1, 500, decay_steps=2000)
      warmup(schedule=cosine(init_value=0.1, end_value=0.0, steps=1500), steps=500,
        init_value=0.0)
    """
    rest: Any = decay_steps - warmup_steps
    if known(rest) and rest <= 0:
        reason = "decay_steps includes the warm-up and must be > warmup_steps"
        raise Refusal(reason, "decay_steps", "warmup_steps")
    end = 0.0 if surely(peak_value, lambda v: v == 0) else end_value
    return _warmed_up(
        init_value, peak_value, warmup_steps, cosine_of(peak_value, end, rest, exponent)
    )


@peer
def warmup_exponential_decay_schedule(
    init_value: Value,
    peak_value: Value,
    warmup_steps: AnyLength,
    transition_steps: AnyLength,
    decay_rate: NotNegative,
    transition_begin: AnyLength = 0,
    staircase: Flag = False,
    end_value: Value | None = None,
) -> Schedule:
    """A ramp, then an exponential decay.

    Formula: `warmup(exponential_decay(peak_value, decay_rate, transition_steps, ...),
    warmup_steps, init_value)`, with the arguments of `exponential_decay` here.

    Args:
      init_value: The value at step 0.
      peak_value: The value after the ramp.
      warmup_steps: The length of the ramp.
      transition_steps: The period of the factor; not positive means no decay.
      decay_rate: The factor, >= 0; 0 means no decay.
      transition_begin: Steps after the ramp at which the decay begins.
      staircase: Whether to decay in jumps.
      end_value: A floor where `decay_rate` is below 1, else a ceiling.

    Example:
      >>> from jaxsched.compat import optax
      >>> s = optax.warmup_exponential_decay_schedule(0.0, 1.0, 4, 10, 0.5)
      >>> s.at(2), s.at(4), round(s.at(14), 4)
      (0.5, 1.0, 0.5)
    """
    decay = exponential_decay(
        peak_value, transition_steps, decay_rate, transition_begin, staircase, end_value
    )
    if end_value is None:
        return _warmed_up(init_value, peak_value, warmup_steps, decay)
    # A limit that is already in force at the peak: the ramp still goes to the peak.
    ramp = linear_schedule(init_value, peak_value, warmup_steps)
    return join_schedules([ramp, decay], [warmup_steps])


@peer
def sgdr_schedule(
    cosine_kwargs: Annotated[Iterable[Mapping[str, Any]], ListOfOptions()],
) -> Schedule:
    """Cosines with warm-ups one after another: `join`.

    Args:
      cosine_kwargs: The arguments of `warmup_cosine_decay_schedule` for each cycle.

    Example:
      >>> from jaxsched.compat import optax
      >>> cycle = dict(init_value=0.0, peak_value=1.0, warmup_steps=2, decay_steps=6)
      >>> s = optax.sgdr_schedule([cycle, {**cycle, "peak_value": 0.5}])
      >>> [s.at(t) for t in (0, 2, 4, 6, 8, 12)]
      [0.0, 1.0, 0.5, 0.0, 0.5, 0.0]
    """
    cycles, ends = [], [0]
    for kwargs in cosine_kwargs:
        cycles.append(warmup_cosine_decay_schedule(**kwargs))
        ends.append(ends[-1] + kwargs["decay_steps"])
    return join_schedules(cycles, ends[1:-1])


@peer
def join_schedules(
    schedules: ScheduleLikes,
    boundaries: Annotated[Sequence[Numeric], Row(SignedLength())],
) -> Schedule:
    """One schedule after another, each from its own step 0: `join`.

    Takes what Optax takes: schedules or boundaries too many are left out, a boundary that
    is not below a later one is never in force, and a schedule whose boundary is negative
    begins that much later in itself. The core's `join` refuses all of these.

    Args:
      schedules: Schedules, numbers or callables of the step.
      boundaries: Where the second, third, ... begins.

    Example:
      >>> from jaxsched.compat import optax
      >>> optax.join_schedules([optax.linear_schedule(0.0, 1.0, 4), 1.0], [4])
      join(schedules=[linear(init_value=0.0, end_value=1.0, steps=4),
        constant(value=1.0)], boundaries=[4])
    """
    n = min(len(schedules), len(boundaries) + 1)
    if n == 0 or not known(boundaries):
        return sequence.join(schedules[:n], boundaries[: n - 1])
    first: ScheduleLike = schedules[0]
    later: list[tuple[ScheduleLike, Any]] = []
    for schedule, boundary in zip(schedules[1:n], boundaries, strict=False):
        while later and later[-1][1] >= boundary:
            later.pop()
        later.append((schedule, boundary))
    while later and later[0][1] <= 0:
        first, begin = later.pop(0)
        first = shift(first, -begin) if begin < 0 else first
    if not later:
        return as_schedule(first)
    rest, begins = zip(*later, strict=True)
    return sequence.join([first, *rest], list(begins))


def _warmed_up(
    init_value: Numeric, peak_value: Numeric, steps: Numeric, schedule: Schedule
) -> Schedule:
    """A ramp to a schedule that begins at `peak_value`."""
    if surely(steps, lambda n: n < 0):
        return join_schedules([peak_value, schedule], [steps])
    return sequence.warmup(schedule, steps, init_value)
