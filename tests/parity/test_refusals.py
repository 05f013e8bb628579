"""Bad calls of all peers: refused here in their words, and by them for the same reason."""

import warnings
from itertools import islice

import pytest
from tables import peer
from test_parity import module, require

# A call; what is said here of which argument; and what the peer says, or None where it
# takes what makes no schedule.
ROWS = [
    # PyTorch
    ("torch", "StepLR(0.1, step_size='a')", "step_size must be a length", "str"),
    ("torch", "StepLR(0.1, step_size=0)", "step_size must be > 0", "zero"),
    ("torch", "StepLR('a', step_size=3)", "lr must be a number", "str"),
    ("torch", "StepLR(0.1, 3, gamma='a')", "gamma must be a number", "multiply"),
    ("torch", "StepLR(0.1, 3, gama=0.5)", "unknown argument 'gama'", "gama"),
    ("torch", "StepLR(0.1)", "missing a required argument: 'step_size'", "step_size"),
    ("torch", "ExponentialLR(0.1, gamma=-1)", "gamma must be >= 0", None),
    ("torch", "ExponentialLR(0.1, gamma='a')", "gamma must be a number", "multiply"),
    (
        "torch",
        "MultiStepLR(0.1, milestones=3)",
        "milestones must be a list",
        "iterable",
    ),
    ("torch", "MultiStepLR(0.1, [3], 'a')", "gamma must be a number", "str"),
    ("torch", "ConstantLR(0.1, factor=1.5)", "factor must be <= 1", "expected to be"),
    ("torch", "ConstantLR(0.1, factor=-1)", "factor must be >= 0", "expected to be"),
    ("torch", "LinearLR(0.1, start_factor=0)", "start_factor must be > 0", "Starting"),
    ("torch", "LinearLR(0.1, start_factor=2)", "start_factor must be <= 1", "Starting"),
    ("torch", "LinearLR(0.1, end_factor=-1)", "end_factor must be >= 0", "Ending"),
    ("torch", "LinearLR(0.1, end_factor=2)", "end_factor must be <= 1", "Ending"),
    ("torch", "PolynomialLR(0.1, power='a')", "power must be a number", "str"),
    (
        "torch",
        "PolynomialLR(0.1, total_iters='a')",
        "total_iters must be a length",
        "st",
    ),
    ("torch", "CosineAnnealingLR(0.1, T_max=0)", "T_max must be > 0", "zero"),
    ("torch", "CosineAnnealingLR(0.1, T_max='a')", "T_max must be a length", "str"),
    ("torch", "CosineAnnealingWarmRestarts(0.1, T_0=0)", "T_0 must be >= 1", "T_0"),
    (
        "torch",
        "CosineAnnealingWarmRestarts(0.1, T_0=2.5)",
        "T_0 must be a whole number",
        "T_0",
    ),
    (
        "torch",
        "CosineAnnealingWarmRestarts(0.1, 5, 0)",
        "T_mult must be >= 1",
        "T_mult",
    ),
    (
        "torch",
        "CyclicLR(0.1, 0.1, 1.0, mode='up')",
        "mode must be one of",
        "mode is inv",
    ),
    ("torch", "CyclicLR(0.1, 0.1, 1.0, step_size_up=0)", "step_size_up must", "zero"),
    ("torch", "CyclicLR(0.1, 'a', 1.0)", "base_lr must be a number", "str"),
    ("torch", "OneCycleLR(0.1, 1.0)", "give total_steps, or epochs and", "total_steps"),
    ("torch", "OneCycleLR(0.1, 1.0, 0)", "total_steps must be >= 1", "total_steps"),
    (
        "torch",
        "OneCycleLR(0.1, 1.0, 9.5)",
        "total_steps must be a whole",
        "total_steps",
    ),
    (
        "torch",
        "OneCycleLR(0.1, 1.0, epochs=0, steps_per_epoch=5)",
        "epochs must be >= 1",
        "epochs",
    ),
    (
        "torch",
        "OneCycleLR(0.1, 1.0, 9, pct_start=1)",
        "pct_start must be a",
        "pct_start",
    ),
    (
        "torch",
        "OneCycleLR(0.1, 1.0, 9, pct_start=1.5)",
        "pct_start must be <",
        "pct_star",
    ),
    (
        "torch",
        "OneCycleLR(0.1, 1.0, 9, anneal_strategy='up')",
        "anneal_strategy must be one of",
        "anneal_strategy",
    ),
    ("torch", "LambdaLR(0.1, 'a')", "lr_lambda must be", "callable"),
    (
        "torch",
        "LambdaLR(0.1, [lambda t: 1.0, lambda t: 2.0])",
        "lr_lambda must have one entry",
        "lr_lambdas",
    ),
    (
        "torch",
        "SequentialLR(0.1, [ExponentialLR(0.1, 0.9), ExponentialLR(0.1, 0.9)], [])",
        "milestones must be one fewer",
        "number of schedulers",
    ),
    ("torch", "SequentialLR(0.1, [], [])", "schedulers must hold at least", "at least"),
    ("torch", "ChainedScheduler([], 0.1)", "schedulers must hold at least", "at least"),
    # Optax
    ("optax", "constant_schedule('a')", "value must be a number", None),
    ("optax", "linear_schedule(1.0, 0.0, 'a')", "transition_steps must be a", "str"),
    ("optax", "polynomial_schedule('a', 0.0, 2, 9)", "init_value must be a num", "str"),
    ("optax", "polynomial_schedule(1.0, 0.0, -1, 9)", "power must be >= 0", None),
    (
        "optax",
        "cosine_decay_schedule(1.0, 0)",
        "decay_steps must be > 0",
        "decay_steps",
    ),
    (
        "optax",
        "cosine_decay_schedule(1.0, -5)",
        "decay_steps must be > 0",
        "decay_steps",
    ),
    ("optax", "exponential_decay(1.0, 9, -0.5)", "decay_rate must be >= 0", None),
    (
        "optax",
        "warmup_cosine_decay_schedule(0.0, 1.0, 10, 10)",
        "decay_steps includes the warm-up",
        "decay_steps",
    ),
    (
        "optax",
        "piecewise_constant_schedule(1.0, {3: -1.0})",
        "boundaries_and_scales entry 3: -1.0 must be >= 0",
        "non-negative",
    ),
    (
        "optax",
        "piecewise_interpolate_schedule('up', 1.0, {3: 0.5})",
        "interpolate_type must be one of",
        "interpolate_type",
    ),
    (
        "optax",
        "linear_onecycle_schedule(0, 1.0)",
        "transition_steps must",
        "transition",
    ),
    (
        "optax",
        "cosine_onecycle_schedule(-1, 1.0)",
        "transition_steps must",
        "transition",
    ),
    ("optax", "sgdr_schedule(3)", "cosine_kwargs must be a list of dicts", "iterable"),
    ("optax", "join_schedules([], [])", "schedules must hold at least one", "range"),
    # Transformers
    ("transformers", "get_scheduler('up', 0.1)", "name must be one of", "not a valid"),
    (
        "transformers",
        "get_scheduler('cosine', 'a', 10, 100)",
        "lr must be a number",
        "str",
    ),
    (
        "transformers",
        "get_scheduler('linear', 0.1)",
        "linear needs num_warmup_steps",
        "num_warmup_steps",
    ),
    (
        "transformers",
        "get_scheduler('linear', 0.1, 5)",
        "linear needs num_training_steps",
        "num_training_steps",
    ),
    (
        "transformers",
        "get_linear_schedule_with_warmup(0.1, 'a', 10)",
        "num_warmup_steps must be a length",
        "str",
    ),
    (
        "transformers",
        "get_linear_schedule_with_warmup(0.1, 5, 'a')",
        "num_training_steps must be a length",
        "str",
    ),
    (
        "transformers",
        "get_polynomial_decay_schedule_with_warmup(0.1, 5, 10, lr_end=0.5)",
        "lr_end must be < lr",
        "lr_end",
    ),
    (
        "transformers",
        "get_cosine_with_min_lr_schedule_with_warmup(0.1, 5, 10)",
        "give either min_lr or min_lr_rate",
        "min_lr",
    ),
    (
        "transformers",
        "get_wsd_schedule(0.1, 5, 5)",
        "give num_training_steps or num_stable_steps",
        "num_training_steps",
    ),
    (
        "transformers",
        "get_wsd_schedule(0.1, 5, 5, 20, warmup_type='up')",
        "warmup_type must be one of",
        "warmup type",
    ),
    (
        "transformers",
        "get_wsd_schedule(0.1, 5, 5, 20, decay_type='up')",
        "decay_type must be one of",
        "decay type",
    ),
    # Keras
    ("keras", "CosineDecay(0.1, 0)", "decay_steps must be > 0", "decay_steps"),
    (
        "keras",
        "ExponentialDecay(0.1, 0, 0.5)",
        "decay_steps must be > 0",
        "decay_steps",
    ),
    (
        "keras",
        "InverseTimeDecay(0.1, 0, 0.5)",
        "decay_steps must be > 0",
        "decay_steps",
    ),
    ("keras", "PolynomialDecay(0.1, 0)", "decay_steps must be > 0", "decay_steps"),
    (
        "keras",
        "CosineDecayRestarts(0.1, -1)",
        "first_decay_steps must be > 0",
        "first_decay_steps",
    ),
    (
        "keras",
        "PiecewiseConstantDecay([1], [1.0])",
        "boundaries must be one fewer than values",
        "boundaries",
    ),
    # timm
    ("timm", "CosineLRScheduler(0.1, 0)", "t_initial must be > 0", ""),
    ("timm", "CosineLRScheduler(0.1, 9, lr_min=-1.0)", "lr_min must be >= 0", ""),
    ("timm", "TanhLRScheduler(0.1, 9, lb=4.0)", "lb must be < ub", ""),
    ("timm", "TanhLRScheduler(0.1, 9, warmup_t=-1)", "warmup_t must be >= 0", ""),
    ("timm", "TanhLRScheduler(0.1, 9, cycle_limit=-1)", "cycle_limit must be >= 0", ""),
    ("timm", "PolyLRScheduler(0.1, 0)", "t_initial must be > 0", ""),
    ("timm", "StepLRScheduler(0.1, 'a')", "decay_t must be a length", "str"),
    ("timm", "StepLRScheduler(0.1, 0)", "decay_t must be > 0", "zero"),
    ("timm", "MultiStepLRScheduler(0.1, 3)", "decay_t must be a list", "list|int"),
]

ERRORS = (ValueError, TypeError, ArithmeticError, AssertionError, IndexError, KeyError)


@pytest.mark.parametrize(("name", "call", "ours", "_"), ROWS)
def test_refused_here_by_its_name(name, call, ours, _):
    function = call.partition("(")[0]
    with pytest.raises((ValueError, TypeError)) as caught:
        eval(call, dict(vars(module(name))))
    assert str(caught.value).startswith(f"{function}: {ours}")


@pytest.mark.parametrize(("name", "call", "ours", "theirs"), ROWS)
def test_refused_by_the_peer(name, call, ours, theirs):
    require(name)
    if theirs is None:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the peer, about its own use
        with pytest.raises(ERRORS, match=f"(?i){theirs}"):
            list(islice(peer(name).real(call), 12))
