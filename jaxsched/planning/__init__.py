"""Planning a run before it is made: which schedule, how high, how it is made longer.

The formulas bound the loss after the last update of stochastic gradient descent on a
convex function. That they order runs of deep networks is an observation, not a theorem.
Schedules are what `as_schedule` takes. All results of formulas are scalars that can be
traced, mapped over and differentiated; what sorts or searches runs on the host.
"""

from jaxsched.planning.averages import decay_of_merge, merge_weights
from jaxsched.planning.batch_sizes import seesaw, seesaw_batch_size, seesaw_rate
from jaxsched.planning.bound import (
    best_bound,
    best_factor,
    implied_distance,
    last_iterate_bound,
    transfer_factor,
)
from jaxsched.planning.cooldowns import best_cooldown
from jaxsched.planning.difficulty import BestShape, best_shape
from jaxsched.planning.extension import extend
from jaxsched.planning.fits import fit_law, law_residuals
from jaxsched.planning.grad_norms import (
    GradNormsState,
    record_grad_norms,
    recorded_grad_norms,
)
from jaxsched.planning.laws import AnnealingLaw, MultiPowerLaw
from jaxsched.planning.loss_warmup import loss_warmup
from jaxsched.planning.ranking import Ranked, Ranking, rank
from jaxsched.planning.refinement import refine
from jaxsched.planning.runs import Run, plot_law
from jaxsched.planning.weight_decay import following_weight_decay
from jaxsched.planning.window import effective_window, update_weights

__all__ = [
    "last_iterate_bound",
    "best_factor",
    "best_bound",
    "implied_distance",
    "transfer_factor",
    "rank",
    "Ranking",
    "Ranked",
    "best_cooldown",
    "extend",
    "refine",
    "record_grad_norms",
    "recorded_grad_norms",
    "GradNormsState",
    "MultiPowerLaw",
    "AnnealingLaw",
    "fit_law",
    "law_residuals",
    "plot_law",
    "Run",
    "merge_weights",
    "decay_of_merge",
    "update_weights",
    "effective_window",
    "seesaw",
    "seesaw_rate",
    "seesaw_batch_size",
    "loss_warmup",
    "following_weight_decay",
    "best_shape",
    "BestShape",
]
