"""get_scheduler: any schedule of Transformers by its name."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from jaxsched.compat.arguments import AnyLength, LearningRate, Options
from jaxsched.compat.peer import peer
from jaxsched.compat.transformers import cosines, metrics, warmups, wsd
from jaxsched.domains.choices import OneOf
from jaxsched.metric_driven.machine import MetricDriven
from jaxsched.rule import Refusal
from jaxsched.schedule import Schedule

_BY_NAME: dict[str, Callable[..., Any]] = {
    "constant": warmups.get_constant_schedule,
    "constant_with_warmup": warmups.get_constant_schedule_with_warmup,
    "linear": warmups.get_linear_schedule_with_warmup,
    "cosine": cosines.get_cosine_schedule_with_warmup,
    "cosine_with_restarts": cosines.get_cosine_with_hard_restarts_schedule_with_warmup,
    "polynomial": warmups.get_polynomial_decay_schedule_with_warmup,
    "inverse_sqrt": warmups.get_inverse_sqrt_schedule,
    "cosine_with_min_lr": cosines.get_cosine_with_min_lr_schedule_with_warmup,
    "cosine_warmup_with_min_lr": (
        cosines.get_cosine_with_min_lr_schedule_with_warmup_lr_rate
    ),
    "warmup_stable_decay": wsd.get_wsd_schedule,
    "reduce_lr_on_plateau": metrics.get_reduce_on_plateau_schedule,
    "greedy": metrics.get_greedy_schedule,
}
# Which of them take the lengths: the others leave them aside, as Transformers does.
_NO_WARMUP = {"constant", "reduce_lr_on_plateau", "greedy"}
_NO_TOTAL = {*_NO_WARMUP, "constant_with_warmup", "inverse_sqrt"}
_NO_OPTIONS = {"constant", "constant_with_warmup"}


class SchedulerName(OneOf):
    """A name, or a member of Transformers' `SchedulerType`."""

    def admit(self, value: Any) -> str:
        return super().admit(getattr(value, "value", value))


@peer
def get_scheduler(
    name: Annotated[str, SchedulerName(*_BY_NAME)],
    lr: LearningRate,
    num_warmup_steps: AnyLength | None = None,
    num_training_steps: AnyLength | None = None,
    scheduler_specific_kwargs: Annotated[Mapping[str, Any], Options()] | None = None,
) -> Schedule | MetricDriven:
    """Any schedule of Transformers by its name, `lr_scheduler_type` in its Trainer.

    Args:
      name: "constant", "constant_with_warmup", "linear", "cosine",
        "cosine_with_restarts", "polynomial", "inverse_sqrt", "cosine_with_min_lr",
        "cosine_warmup_with_min_lr", "warmup_stable_decay", "reduce_lr_on_plateau" or
        "greedy", or a member of its `SchedulerType`.
      num_warmup_steps: The length of the ramp; not used by a schedule without one.
      num_training_steps: The length of the whole; not used by a schedule without one.
      scheduler_specific_kwargs: Further arguments of the schedule.

    Returns:
      A `Schedule`, or a `MetricDriven` schedule for the last two names.

    Example:
      >>> from jaxsched.compat import transformers
      >>> transformers.get_scheduler("linear", 5e-5, 100, 1000)
      warmup(schedule=linear(init_value=5e-05, end_value=0.0, steps=900), steps=100,
        init_value=0.0)
    """
    given = dict(() if name in _NO_OPTIONS else scheduler_specific_kwargs or ())
    lengths = {
        "num_warmup_steps": (num_warmup_steps, name not in _NO_WARMUP),
        "num_training_steps": (num_training_steps, name not in _NO_TOTAL),
    }
    for argument, (steps, needed) in lengths.items():
        if not needed:
            continue
        optional = name == "warmup_stable_decay" and argument == "num_training_steps"
        if steps is None and not optional:
            raise Refusal(f"{name} needs {argument}", argument)
        given[argument] = steps
    return _BY_NAME[name](lr, **given)
