"""get_scheduler: any schedule of Transformers by its name."""

from collections.abc import Callable, Mapping
from typing import Any

from jaxsched.arrays import Numeric
from jaxsched.compat.transformers import cosines, metrics, warmups, wsd
from jaxsched.metric_driven.machine import MetricDriven
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


def get_scheduler(
    name: str,
    lr: Numeric,
    num_warmup_steps: int | None = None,
    num_training_steps: int | None = None,
    scheduler_specific_kwargs: Mapping[str, Any] | None = None,
) -> Schedule | MetricDriven:
    """Any schedule of Transformers by its name, `lr_scheduler_type` in its Trainer.

    Args:
      name: "constant", "constant_with_warmup", "linear", "cosine",
        "cosine_with_restarts", "polynomial", "inverse_sqrt", "cosine_with_min_lr",
        "cosine_warmup_with_min_lr", "warmup_stable_decay", "reduce_lr_on_plateau" or
        "greedy", or a member of its `SchedulerType`.
      lr: The base learning rate.
      num_warmup_steps: The length of the ramp; not used by a schedule without one.
      num_training_steps: The length of the whole; not used by a schedule without one.
      scheduler_specific_kwargs: Further arguments of the schedule.

    Returns:
      A `Schedule`, or a `MetricDriven` schedule for the last two names.

    Raises:
      ValueError: The name is unknown, a length is missing, or an argument is out of
        bounds.
      TypeError: An argument is not one of the schedule.

    Example:
      >>> from jaxsched.compat import transformers
      >>> transformers.get_scheduler("linear", 5e-5, 100, 1000)
      warmup(schedule=linear(init_value=5e-05, end_value=0.0, steps=900), steps=100,
        init_value=0.0)
    """
    key = getattr(name, "value", name)
    if key not in _BY_NAME:
        raise ValueError(
            f"get_scheduler: name must be one of {', '.join(_BY_NAME)}, got name={name!r}"
        )
    given = dict(() if key in _NO_OPTIONS else scheduler_specific_kwargs or ())
    lengths = {
        "num_warmup_steps": (num_warmup_steps, key not in _NO_WARMUP),
        "num_training_steps": (num_training_steps, key not in _NO_TOTAL),
    }
    for argument, (steps, needed) in lengths.items():
        if not needed:
            continue
        optional = key == "warmup_stable_decay" and argument == "num_training_steps"
        if steps is None and not optional:
            raise ValueError(f"get_scheduler: {key} needs {argument}")
        given[argument] = steps
    return _BY_NAME[key](lr, **given)
