"""Learning-rate schedules for JAX: pure functions of the step that are also values.

>>> import jaxsched as js
>>> js.cosine(0.1, 0.0, steps=1000).at(500)
0.05
"""

from typing import TYPE_CHECKING

from jaxsched import planning as planning, published as published
from jaxsched.clock import Clock
from jaxsched.combinators.blocks import per
from jaxsched.combinators.choice import choose
from jaxsched.combinators.limits import clip, maximum, minimum
from jaxsched.combinators.products import compounded as _compounded  # noqa: F401, what text may call
from jaxsched.combinators.randomness import noise
from jaxsched.combinators.sequence import cooldown, join, warmup
from jaxsched.combinators.time import (
    cycle,
    delay,
    retime,
    reverse,
    shift,
    staircase,
    stretch,
)
from jaxsched.cycles import cosine_restarts, triangular
from jaxsched.decays.exponential import (
    exponential_decay,
    natural_exponential_decay,
    step_decay,
)
from jaxsched.decays.inverse_time import compounding_time_decay, inverse_time_decay
from jaxsched.decays.power import inverse_sqrt_decay, noam, power_law
from jaxsched.domains import (
    Boundaries,
    Count,
    Factor,
    Factors,
    Flag,
    LengthFactor,
    Period,
    Power,
    Rate,
    Seed,
    Steps,
    Value,
    Values,
)
from jaxsched.domains.choices import OneOf
from jaxsched.domains.distributions import Choice, Integer, LogUniform, Uniform
from jaxsched.domains.numbers import Number
from jaxsched.export.loops import to_keras, to_torch, to_torch_lambda
from jaxsched.export.optax import to_optax
from jaxsched.export.source.to_source import to_source
from jaxsched.grids.evaluation import evaluate
from jaxsched.grids.grid import grid
from jaxsched.grids.points import Grid
from jaxsched.grids.random_grid import random_grid
from jaxsched.inspection.changes import Change
from jaxsched.inspection.comparison import ComparedStep, Comparison, compare
from jaxsched.inspection.description import DescribedPhase, Description, describe
from jaxsched.inspection.explore import explore
from jaxsched.inspection.phases import horizon, phases
from jaxsched.inspection.plot import plot
from jaxsched.metric_driven.decorator import MetricDrivenLike, metric_driven
from jaxsched.metric_driven.greedy import greedy
from jaxsched.metric_driven.kl import kl_adaptive
from jaxsched.metric_driven.machine import (
    Machine,
    MetricDriven,
    MetricDrivenState,
    Report,
)
from jaxsched.metric_driven.plateau import reduce_on_plateau
from jaxsched.metric_driven.spike import back_off_on_spike
from jaxsched.metric_driven.trigger import cooldown_on_trigger
from jaxsched.piecewise import multistep, piecewise_constant, piecewise_linear, spline
from jaxsched.progress import progress
from jaxsched.range_test.result import RangeTest
from jaxsched.range_test.suggestions import (
    suggest_minimum,
    suggest_slide,
    suggest_steep,
    suggest_valley,
)
from jaxsched.range_test.sweep import lr_range_test
from jaxsched.recipes.phases import flat_cosine, one_cycle, slanted_triangular, wsd
from jaxsched.recipes.recipe import recipe
from jaxsched.recipes.warmups import (
    warmup_constant,
    warmup_cosine,
    warmup_exponential,
    warmup_inverse_sqrt,
    warmup_linear,
)
from jaxsched.rule import Refusal
from jaxsched.schedule import (
    Phase,
    Schedule,
    ScheduleLike,
    ScheduleLikes,
    as_schedule,
    schedule,
)
from jaxsched.schedule.arguments import constant
from jaxsched.schedule.stacking import stack, unstack
from jaxsched.shapes import (
    Shape,
    ShapeLike,
    exponential_to_zero,
    inverse_proportional,
    one_minus_power,
    rex,
    shape,
    tanh,
)
from jaxsched.text.config import Config
from jaxsched.text.data import from_dict, to_dict
from jaxsched.text.names import array
from jaxsched.text.parse import parse
from jaxsched.training.reading import learning_rate, step_count
from jaxsched.training.steering import (
    set_metric,
    set_multiplier,
    set_step_count,
    set_trigger,
)
from jaxsched.training.transformation import (
    ScheduledState,
    scale_by_learning_rate,
    with_schedule,
)
from jaxsched.transitions import cosine, exponential, linear, polynomial, transition

__version__ = "0.1.0"

__all__ = [
    # transitions
    "constant",
    "linear",
    "cosine",
    "polynomial",
    "exponential",
    "transition",
    # decays
    "exponential_decay",
    "natural_exponential_decay",
    "inverse_time_decay",
    "compounding_time_decay",
    "inverse_sqrt_decay",
    "step_decay",
    "noam",
    "power_law",
    # tables
    "piecewise_constant",
    "multistep",
    "piecewise_linear",
    "spline",
    # cycles
    "triangular",
    "cosine_restarts",
    # combinators
    "join",
    "warmup",
    "cooldown",
    "cycle",
    "staircase",
    "per",
    "delay",
    "shift",
    "stretch",
    "reverse",
    "retime",
    "noise",
    "choose",
    # arithmetic
    "maximum",
    "minimum",
    "clip",
    # recipes
    "warmup_constant",
    "warmup_linear",
    "warmup_cosine",
    "warmup_exponential",
    "warmup_inverse_sqrt",
    "wsd",
    "one_cycle",
    "slanted_triangular",
    "flat_cosine",
    # driven by a metric
    "reduce_on_plateau",
    "greedy",
    "back_off_on_spike",
    "cooldown_on_trigger",
    "kl_adaptive",
    # shapes with hyperparameters
    "rex",
    "tanh",
    "inverse_proportional",
    "one_minus_power",
    "exponential_to_zero",
    # in training
    "scale_by_learning_rate",
    "with_schedule",
    "ScheduledState",
    "learning_rate",
    "step_count",
    "set_step_count",
    "set_multiplier",
    "set_trigger",
    "set_metric",
    # range test
    "lr_range_test",
    "RangeTest",
    "suggest_valley",
    "suggest_slide",
    "suggest_minimum",
    "suggest_steep",
    # grids
    "stack",
    "unstack",
    "grid",
    "random_grid",
    "Grid",
    "Uniform",
    "LogUniform",
    "Integer",
    "Choice",
    "evaluate",
    # inspection
    "describe",
    "Description",
    "DescribedPhase",
    "phases",
    "Phase",
    "horizon",
    "compare",
    "Comparison",
    "ComparedStep",
    "Change",
    "plot",
    "explore",
    # time
    "Clock",
    # text and data
    "parse",
    "to_dict",
    "from_dict",
    "Config",
    "array",
    # for other libraries
    "to_optax",
    "to_source",
    "to_torch",
    "to_torch_lambda",
    "to_keras",
    # your own
    "schedule",
    "shape",
    "recipe",
    "metric_driven",
    "progress",
    "Schedule",
    "Shape",
    "MetricDriven",
    "MetricDrivenState",
    "Machine",
    "Report",
    "Refusal",
    "as_schedule",
    # what a hyperparameter may be
    "Value",
    "Rate",
    "Factor",
    "Power",
    "Number",
    "Steps",
    "Period",
    "LengthFactor",
    "Count",
    "Seed",
    "Flag",
    "OneOf",
    "Values",
    "Factors",
    "Boundaries",
    "ScheduleLike",
    "ScheduleLikes",
    "MetricDrivenLike",
    "ShapeLike",
]

if not TYPE_CHECKING:  # for a type checker every name would exist

    def __getattr__(name: str) -> None:
        """The error for a name that is not here: it says where to look."""
        from jaxsched.unknown import unknown  # rarely needed

        raise AttributeError(unknown(name, __all__, __path__))
