"""What other libraries call the arguments of a schedule, in the words of this one."""

import re
from collections.abc import Collection
from itertools import chain

from jaxsched.rule.alike import close, snake

_RATE = "(?:lr|learning_rate|rate|value|val|eta)"
_END = "(?:end|final|last|min|minimum|stop|target|to|bottom|floor|low)"
_INIT = "(?:initial|init|start|begin|from)"
_PEAK = "(?:peak|max|maximum|top|high|highest|ceil|ceiling|cap)"
_TIME = "(?:steps?|iters?|iterations?|epochs?|updates?|batches|length|duration|t)"
_MANY = "(?:num|n|nb|number_of|total|max|train|training|all|run)"
_WARM = "(?:warm_?up|ramp(?:_?up)?)"
_COOL = "(?:decay|cool_?down|anneal(?:ing)?|lr_decay|ramp_?down)"

# The first of ours that the schedule has and that is not given yet is meant.
_OURS: dict[str, str] = {
    # Values. One number without more is the height: the peak where there is one.
    _RATE: "peak_value schedule init_value value max_value",
    f"(?:base|main|optimizer)_{_RATE}|base": "peak_value schedule init_value value "
    "min_value",
    f"{_WARM}_(?:{_RATE}|(?:lr_)?(?:rate|factor)|{_INIT}.*|{_RATE}_{_INIT})": "init_value",
    f"{_INIT}(?:_{_RATE})?|{_RATE}_{_INIT}": "init_value peak_value value schedule "
    "min_value",
    f"{_PEAK}(?:_{_RATE})?|{_RATE}_{_PEAK}|{_WARM}_target|lr0": "peak_value max_value "
    "schedule init_value value",
    f"{_END}(?:_{_RATE})?|{_RATE}_{_END}|lrf": "end_value min_value",
    "(?:min|end|final)_(?:lr_)?(?:ratio|rate|factor|frac|fraction)|alpha": "end_value "
    "min_value",
    "(?:lr|learning_rate|rate|value|scale)s|boundaries_and_scales": "values factors",
    # Times: of the whole, of a part, between drops; where something happens.
    f"(?:{_MANY}_)*{_TIME}(?:_{_MANY})?|t_initial|transition_steps|total|horizon": (
        "total_steps steps decay_steps"
    ),
    f"(?:{_MANY}_)?{_WARM}(?:_{_TIME}|_ratio|_fraction|_frac|_pct)?|pct_start": (
        "warmup_steps warmup_epochs warmup_tokens"
    ),
    f"(?:{_MANY}_)?{_COOL}(?:_{_TIME}|_ratio|_fraction|_frac|_pct)": "decay_steps "
    "decay_tokens steps total_steps every boundaries",
    "(?:num_)?(?:stable|hold|plateau|flat|constant)_steps": "stable_steps hold_steps",
    "t_0|first_decay_steps|(?:cycle|restart)_(?:steps|length|len|period)": "steps",
    "step_?size|period|interval|freq|frequency|(?:drop|decay|step)_every|drop_steps": (
        "every steps up_steps"
    ),
    "step_size_(up|down)": r"\1_steps",
    "milestones|.*_(?:milestones|boundaries|at)|knots|steps|epochs|decay_(?:t|epochs)": (
        "boundaries"
    ),
    "transition_begin|(?:decay|cooldown|begin|start)_(?:start|begin|step|at)|offset": (
        "begin"
    ),
    # Factors, rates, exponents, numbers.
    "gamma|mult(?:iplier)?|drop(?:_factor)?|(?:lr_)?decay(?:_rate|_factor)?|beta": (
        "factor factors rate value_factor"
    ),
    "t_mult?|cycle_mul(?:t)?": "length_factor factor",
    "m_mult?|cycle_decay": "peak_factor value_factor factor",
    "(?:lr_|decay_|poly_)?(?:power|exponent|exp)|p": "power",
    "k_decay|k": "time_power",
    "(?:num_|n_)?cycles|cycle_limit": "limit",
    "d_model|dim|(?:hidden|embed|embedding|model)_(?:size|dim)": "model_size",
    "noise_(?:std|pct)|std|stddev|sigma": "scale",
    "noise_seed|rng|key": "seed",
    "window_size": "window",
    "reset_start": "reset_after",
    "lb": "lower",
    "ub": "upper",
    # What is held, and how it moves.
    "scheduler|schedule_fn|lr_lambda|sched|fn|base_schedule|(?:base_)?curve": "schedule",
    "schedulers|parts|schedule_list": "schedules",
    ".*_(?:fn|type|strategy|shape|style)|curve|style|strategy|anneal": "shape",
}


# What is said of a part of something else, where this library takes the thing itself.
_PART = re.compile(
    r"alpha|.*(?:ratio|fraction|frac|factor|pct)(?:_.*)?|min_lr_rate|pct_.*"
)


def hint(
    name: str, rule: str, arguments: Collection[str], given: Collection[str]
) -> str | None:
    """What to write for an unknown argument, or None where nobody knows.

    Args:
      name: What was written.
      rule: The name of the rule. Its own words may be left out: the `warmup_steps` of
        `warmup` are its `steps`.
      arguments: All that the rule has.
      given: Those of them that are not meant, as they are given already.
    """
    free = [argument for argument in arguments if argument not in given]
    meant = _translated(snake(name), snake(rule).split("_"), free)
    if meant is None:
        # A slip of the pen is told from the nearest name, even if that is given too.
        close_to = close(name, free, 0.8) or close(name, arguments, 0.8)
        return repr(close_to[0]) if close_to else None
    if _PART.fullmatch(name) and meant.endswith("_value"):
        return f"{meant!r}, which is a value and no factor"
    if _PART.fullmatch(name) and meant.endswith("steps"):
        return f"{meant!r}, which are steps and no fraction"
    return repr(meant)


def _translated(name: str, own: list[str], free: list[str]) -> str | None:
    """The argument that is called so elsewhere."""
    rows = {
        pattern: found.expand(ours).split()
        for pattern, ours in _OURS.items()
        if (found := re.fullmatch(pattern, name))
    }
    for ours in [name, *chain.from_iterable(rows.values())]:
        for word in (ours, "_".join(w for w in ours.split("_") if w not in own)):
            if word in free:
                return word
    # The rule may be called as another library's, with the words of that.
    same = (f for pattern in rows for f in free if re.fullmatch(pattern, snake(f)))
    return next(same, None)
