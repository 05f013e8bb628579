"""The migration pages: from the schedules of each library to those of this one.

`python docs/migration.py` writes `docs/migration/*.md`; with `--check` it fails when they
are not what it would write. Each page has a call of every function and what it returns,
printed: the same schedule in this library's own words.
"""

import argparse
import importlib
import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import jaxsched

FOLDER = Path(__file__).parent / "migration"


class Page(NamedTuple):
    """What a page shows.

    Attributes:
      title: The library.
      calls: At least one call of every function.
      notes: What is not supported, or not as one may think; one sentence each.
      searches: What people look for, beside the names of the functions.
    """

    title: str
    calls: list[str]
    notes: list[str]
    searches: str


# What has no words of this library's own: a note says what to use.
UNSHOWN = {"MultiplicativeLR"}

PAGES = {
    "optax": Page(
        "Optax",
        [
            "constant_schedule(0.1)",
            "polynomial_schedule(0.1, 0.0, 2, transition_steps=1000)",
            "polynomial_schedule(0.1, 0.0, 2, transition_steps=1000, transition_begin=50)",
            "linear_schedule(0.1, 0.0, transition_steps=1000)",
            "piecewise_constant_schedule(0.1, {300: 0.5, 600: 0.1})",
            "piecewise_interpolate_schedule('linear', 0.1, {300: 0.5, 600: 0.1})",
            "piecewise_interpolate_schedule('cosine', 0.1, {300: 0.5, 600: 0.1})",
            "exponential_decay(0.1, transition_steps=1000, decay_rate=0.5)",
            "exponential_decay(0.1, 1000, 0.5, staircase=True, end_value=0.01)",
            "cosine_decay_schedule(0.1, decay_steps=1000, alpha=0.1)",
            "linear_onecycle_schedule(1000, peak_value=0.1)",
            "cosine_onecycle_schedule(1000, peak_value=0.1)",
            "warmup_constant_schedule(0.0, 0.1, warmup_steps=100)",
            "warmup_cosine_decay_schedule(0.0, 0.1, warmup_steps=100, decay_steps=1000)",
            "warmup_exponential_decay_schedule(0.0, 0.1, 100, 1000, decay_rate=0.5)",
            "sgdr_schedule([dict(init_value=0.0, peak_value=p, warmup_steps=50, "
            "decay_steps=500) for p in (0.1, 0.05)])",
            "join_schedules([linear_schedule(0.0, 0.1, 100), 0.1], boundaries=[100])",
        ],
        [
            "`decay_steps` of `warmup_cosine_decay_schedule` includes the warm-up; here "
            "every length is that of its own part.",
            "A part of length 0 is its first value for ever in Optax; here it is absent. "
            "The compat functions do what Optax does.",
        ],
        "optax, optax schedules, inject_hyperparams",
    ),
    "torch": Page(
        "PyTorch",
        [
            "LambdaLR(0.1, js.transition(1.0, 0.0, steps=100, shape='rex'))",
            "MultiplicativeLR(0.1, js.linear(0.9, 1.0, steps=100))",
            "StepLR(0.1, step_size=30)",
            "MultiStepLR(0.1, milestones=[30, 80])",
            "MultiStepLR(0.1, milestones=[30, 30, 80], gamma=0.5)",
            "ConstantLR(0.1, factor=0.5, total_iters=4)",
            "LinearLR(0.1, start_factor=0.5, total_iters=4)",
            "ExponentialLR(0.1, gamma=0.9)",
            "PolynomialLR(0.1, total_iters=100, power=2.0)",
            "CosineAnnealingLR(0.1, T_max=100)",
            "CosineAnnealingWarmRestarts(0.1, T_0=10, T_mult=2)",
            "CyclicLR(0.1, base_lr=0.01, max_lr=0.1, step_size_up=100)",
            "CyclicLR(0.1, 0.01, 0.1, step_size_up=100, mode='triangular2')",
            "CyclicLR.momentum(0.1, base_lr=0.01, max_lr=0.1, step_size_up=100)",
            "OneCycleLR(0.1, max_lr=1.0, total_steps=100)",
            "OneCycleLR(0.1, max_lr=1.0, total_steps=100, three_phase=True)",
            "OneCycleLR.momentum(0.1, max_lr=1.0, total_steps=100)",
            "SequentialLR(0.1, [ConstantLR(0.1, factor=0.1, total_iters=20), "
            "ExponentialLR(0.1, gamma=0.9)], milestones=[20])",
            "ChainedScheduler([ConstantLR(0.1, factor=0.1, total_iters=20), "
            "ExponentialLR(0.1, gamma=0.9)], optimizer=0.1)",
            "ReduceLROnPlateau(0.1, factor=0.5, patience=3)",
        ],
        [
            "`from_torch(scheduler)` reads a live scheduler, one of Transformers or of "
            "Accelerate too, and goes on from the rate that the optimizer has now. It "
            "steps a copy before it answers, and refuses what differs. What cannot be "
            "read (a function in Python, a class of your own, a chain whose parts mix) "
            "needs `steps=`, and becomes a table. `momentum=True` reads the momentum.",
            "`js.to_torch(schedule, optimizer)` goes the other way, into a `LambdaLR` for "
            "all groups, whatever their rates are.",
            "Functions given to `LambdaLR`, `MultiplicativeLR` and `CyclicLR` are traced "
            "by JAX: `jnp.where` for `if`; a schedule will do.",
            "`ChainedScheduler` needs the base learning rate as its `optimizer`. "
            "Schedulers that overwrite the rate (`LambdaLR`, `CyclicLR`, `OneCycleLR`, "
            "`CosineAnnealingWarmRestarts`) make PyTorch forget those before them in a "
            "chain; here all are multiplied.",
            "`MultiplicativeLR` has no other name here. Where its factor is always the "
            "same, you want `js.exponential_decay`; where it is 1 but at a few steps, "
            "`js.multistep`.",
            "Not supported, `NotImplementedError`: a `MultiplicativeLR` that is not the "
            "first in a `SequentialLR`.",
            "`OneCycleLR` holds its end; PyTorch goes past it at step `total_steps`, then "
            "raises.",
        ],
        "pytorch, torch, step lr, lr_scheduler, scheduler.step, accelerate",
    ),
    "transformers": Page(
        "Transformers",
        [
            "get_constant_schedule(5e-5)",
            "get_constant_schedule_with_warmup(5e-5, 100)",
            "get_linear_schedule_with_warmup(5e-5, 100, 1000)",
            "get_cosine_schedule_with_warmup(5e-5, 100, 1000)",
            "get_cosine_with_hard_restarts_schedule_with_warmup(5e-5, 100, 1000, 3)",
            "get_polynomial_decay_schedule_with_warmup(5e-5, 100, 1000, power=2.0)",
            "get_inverse_sqrt_schedule(5e-5, 100)",
            "get_cosine_with_min_lr_schedule_with_warmup(5e-5, 100, 1000, min_lr=1e-6)",
            "get_cosine_with_min_lr_schedule_with_warmup_lr_rate(5e-5, 100, 1000, "
            "min_lr=1e-6)",
            "get_wsd_schedule(5e-5, 100, 200, num_training_steps=1000)",
            "get_reduce_on_plateau_schedule(5e-5, patience=3)",
            "get_greedy_schedule(0.01)",
            "get_scheduler('linear', 5e-5, 100, 1000)",
        ],
        [
            "The cosines rise again after the end of the run, as in Transformers; "
            "`js.warmup_cosine(lr, total_steps, warmup_steps, init_value=0.0)` is the same "
            "up to there and holds.",
            "The ramps begin at 0, so the first update does nothing; "
            "`js.warmup_linear(lr, total_steps, warmup_steps)` does not waste it.",
            "Not supported, `NotImplementedError`: `smooth=True` of the greedy schedule. "
            "Its `reset_start` counts metrics at the floor, as documented.",
        ],
        "transformers, hugging face, huggingface, trainer, linear warmup",
    ),
    "keras": Page(
        "Keras",
        [
            "ExponentialDecay(0.1, decay_steps=1000, decay_rate=0.5)",
            "ExponentialDecay(0.1, 1000, 0.5, staircase=True)",
            "PiecewiseConstantDecay([300, 600], [0.1, 0.05, 0.01])",
            "PolynomialDecay(0.1, decay_steps=1000, end_learning_rate=0.01, power=2.0)",
            "PolynomialDecay(0.1, decay_steps=1000, cycle=True)",
            "InverseTimeDecay(0.1, decay_steps=100, decay_rate=0.5)",
            "CosineDecay(0.1, decay_steps=1000, alpha=0.1)",
            "CosineDecay(0.0, 900, warmup_target=0.1, warmup_steps=100)",
            "CosineDecayRestarts(0.1, first_decay_steps=100)",
            "CosineDecayRestarts(0.1, 100, t_mul=1.5, m_mul=0.9, alpha=0.1)",
        ],
        [
            "`from_keras(keras.optimizers.schedules.serialize(schedule))` reads a schedule "
            "of Keras; `js.to_keras(schedule, steps_per_epoch)` goes the other way, into "
            "`LearningRateScheduler`.",
            "`PiecewiseConstantDecay` keeps the old value at the boundary itself; here the "
            "new value is in force at its boundary, so the boundaries are one more.",
            "As in Keras, `warmup_steps` of `CosineDecay` do nothing without a "
            "`warmup_target`; `decay_steps` do not include them.",
            "Not supported, `NotImplementedError`: `cycle=True` of `PolynomialDecay` with "
            "`decay_steps` that are not whole; classes of your own in `from_keras`.",
        ],
        "keras, tensorflow, tf.keras, learningrateschedule",
    ),
    "timm": Page(
        "timm",
        [
            "CosineLRScheduler(0.1, t_initial=100)",
            "CosineLRScheduler(0.1, 90, warmup_t=10, warmup_prefix=True)",
            "CosineLRScheduler(0.1, 100, warmup_t=10)",
            "CosineLRScheduler(0.1, 100, lr_min=1e-5, cycle_mul=2.0, cycle_decay=0.5, "
            "cycle_limit=3)",
            "CosineLRScheduler(0.1, 100, k_decay=2.0, noise_range_t=(50, 100))",
            "TanhLRScheduler(0.1, t_initial=100)",
            "PolyLRScheduler(0.1, t_initial=100, power=2.0)",
            "PolyLRScheduler(0.1, 100, k_decay=1.5, cycle_decay=0.5, cycle_limit=2)",
            "StepLRScheduler(0.1, decay_t=30, decay_rate=0.5, warmup_t=5)",
            "MultiStepLRScheduler(0.1, decay_t=[30, 60], decay_rate=0.5)",
            "WSDLRScheduler(0.1, t_initial=90, decay_t=20, warmup_t=10)",
            "WSDLRScheduler(0.1, 90, 20, stable_fn='rsqrt', decay_fn='linear', "
            "warmup_t=10)",
        ],
        [
            "Without `warmup_prefix` (the default of the first three) the decay's clock "
            "runs during the ramp: the rate drops from the peak onto the curve.",
            "`MultiStepLRScheduler` drops one step before each of `decay_t`.",
            "The noise has timm's distribution, but not its numbers, which come from "
            "PyTorch's generator.",
            "`PlateauLRScheduler` is `js.reduce_on_plateau`.",
            "A scheduler that counts epochs gives one value for all updates of an epoch: "
            "here `js.staircase(js.stretch(schedule, n), every=n)` for n updates in an "
            "epoch. Where timm is told `t_in_epochs=False`, the schedule is used as it is.",
        ],
        "timm, create_scheduler, pytorch image models",
    ),
}


def module(name: str) -> ModuleType:
    """The compat module of a library."""
    return importlib.import_module(f"jaxsched.compat.{name}")


def in_own_words(name: str, call: str) -> str:
    """What a call returns, printed."""
    return repr(eval(call, {**vars(module(name)), "js": jaxsched}))


def page(name: str) -> str:
    """The text of a page."""
    title, calls, notes, searches = PAGES[name]
    doc = inspect.getdoc(module(name)) or ""
    missing = [
        function
        for function in module(name).__all__
        if not function.startswith("from_")
        and not any(call.startswith(f"{function}(") for call in calls)
    ]
    if missing:
        raise SystemExit(f"docs/migration.py: no call of {', '.join(missing)}")
    rows = [
        f"| `{call}` | `{in_own_words(name, call)}` |"
        for call in calls
        if call.partition("(")[0] not in UNSHOWN
    ]
    keywords = ", ".join([searches, *map(str.lower, module(name).__all__)])
    return "\n".join(
        [
            *("---", "myst:", "  html_meta:", f"    keywords: {keywords}", "---"),
            f"# From {title}",
            "",
            "<!-- Written by docs/migration.py. -->",
            "",
            f"After this page you can keep the schedules of {title} by changing an import, "
            "or write each of them in this library's own words.",
            "",
            doc,
            "",
            "```python",
            f"from jaxsched.compat import {name}",
            "```",
            "",
            "What becomes of the training loop: [before and after](loops.md).",
            "",
            f"| {title} | in jaxsched's own words |",
            "| --- | --- |",
            *rows,
            "",
            "## To know",
            "",
            *(f"- {note}" for note in notes),
            "",
        ]
    )


def main() -> None:
    """Writes the pages, or checks them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="fail if they are old")
    check = parser.parse_args().check
    FOLDER.mkdir(exist_ok=True)
    found = {path.stem for path in FOLDER.glob("*.md")}
    old = sorted(found - PAGES.keys() - {"index", "loops"})  # written by hand
    for name in PAGES:
        path, text = FOLDER / f"{name}.md", page(name)
        if not path.exists() or path.read_text("utf-8") != text:
            old.append(name)
            if not check:
                path.write_text(text, "utf-8")
    if check and old:
        print(
            f"run python docs/migration.py: old are {', '.join(old)}", file=sys.stderr
        )
        raise SystemExit(1)


if __name__ == "__main__":
    main()
