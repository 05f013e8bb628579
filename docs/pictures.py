"""Draws every schedule: `python docs/pictures.py` draws into docs/pictures/.

With `--check` it writes nothing and fails if anything is out of date.
"""

import argparse
import inspect
import io
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import jax
import matplotlib
import numpy as np
import planned
import runs
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import jaxsched as js

# A picture is of a call; the name before its bracket is the picture's.
EXAMPLES = {
    "Transitions": [
        "constant(1)",
        "linear(1, 0, steps=100)",
        "cosine(1, 0, steps=100)",
        "polynomial(1, 0, steps=100, power=2)",
        "exponential(1, 0.01, steps=100)",
        'transition(1, 0, steps=100, shape="one_minus_sqrt")',
    ],
    "Decays": [
        "exponential_decay(1, factor=0.5, steps=25)",
        "natural_exponential_decay(1, rate=0.03)",
        "inverse_time_decay(1, rate=0.1)",
        "compounding_time_decay(1, rate=0.001)",
        "inverse_sqrt_decay(1, timescale=10)",
        "step_decay(1, factor=0.5, every=30)",
        "noam(model_size=512, warmup_steps=30)",
        "power_law(max_value=1, scale=4, power=0.5)",
    ],
    "Tables": [
        "piecewise_constant([40, 80], values=[1, 0.5, 0.1])",
        "multistep(1, boundaries=[60, 90], factor=0.3)",
        "piecewise_linear([0, 20, 60, 100], values=[0, 1, 0.7, 0])",
        "spline([0, 20, 60, 100], values=[0, 1, 0.7, 0])",
    ],
    "Cycles": [
        "triangular(0.1, 1, up_steps=20, factor=0.7)",
        "cosine_restarts(1, 0, steps=18, length_factor=2)",
    ],
    "Combinators": [
        "join([linear(0.2, 1, 40), cosine(0.6, 0, 60)], boundaries=[40])",
        "warmup(cosine(1, 0, 80), steps=25)",
        "cooldown(inverse_sqrt_decay(1, 20), begin=60, steps=40)",
        "cycle(linear(1, 0.2, 40), steps=40, value_factor=0.7)",
        "staircase(cosine(1, 0, 100), every=20)",
        "per(linear(1, 0, 5), every=20)",
        "delay(cosine(1, 0, 60), steps=40)",
        "shift(cosine(1, 0, 100), steps=30)",
        "stretch(cosine(1, 0, 50), factor=2)",
        "reverse(polynomial(1, 0, 100, power=2), steps=100)",
        "retime(cosine(1, 0, 100), clock=polynomial(0, 100, 100, power=2))",
        "noise(cosine(1, 0.2, 100), scale=0.2, seed=2, every=4)",
        "choose(1, [constant(0.4), cosine(1, 0, 100), linear(0.7, 0, 60)])",
        "maximum(cosine(1, 0, 100), linear(0.6, 0.2, 100))",
        "minimum(linear(0, 1, 60), inverse_sqrt_decay(1, 20))",
        "clip(cosine(1, 0, 100), min_value=0.2, max_value=0.8)",
    ],
    "Recipes": [
        "warmup_constant(1, warmup_steps=30)",
        "warmup_linear(1, total_steps=100, warmup_steps=20)",
        "warmup_cosine(1, total_steps=100, warmup_steps=20)",
        "warmup_exponential(1, warmup_steps=20, factor=0.5, decay_steps=25)",
        "warmup_inverse_sqrt(1, warmup_steps=20)",
        "wsd(1, total_steps=100, warmup_steps=15, decay_steps=30)",
        "one_cycle(1, total_steps=100, warmup_steps=35)",
        "slanted_triangular(1, total_steps=100, warmup_steps=15)",
        "flat_cosine(1, total_steps=100, decay_steps=50)",
    ],
}

STEPS = np.arange(120)
WIDTH, HEIGHT = 160, 60  # of a picture, in CSS pixels
LINE, MUTED = "#3b82f6", "#8b949e"  # to be seen on white and on black

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"


def name_of(call: str) -> str:
    """The name of the schedule that a call makes."""
    return call.partition("(")[0]


def calls() -> list[str]:
    """The examples, one for each public schedule.

    Raises:
      SystemExit: A schedule has no example, or an example no schedule.
    """
    found = [call for group in EXAMPLES.values() for call in group]
    names = {name_of(call) for call in found}
    public = {name for name in js.__all__ if is_schedule(name)}
    if names != public or len(found) != len(names):
        sys.exit(f"EXAMPLES need one call each, see {sorted(names ^ public)}")
    return found


def is_schedule(name: str) -> bool:
    """Whether a public name is a constructor of schedules or a recipe."""
    made = getattr(js, name)
    is_constructor = hasattr(made, "__rule__")
    return is_constructor and inspect.signature(made).return_annotation is js.Schedule


def parts(call: str, schedule: js.Schedule) -> list[js.Schedule]:
    """The schedules that a combinator was given, each from where it is in force."""
    held = [getattr(schedule, k, None) for k in ("schedule", "first", "second")]
    held = [part for part in held if part is not None]
    if name_of(call) == "choose":
        held = list(schedule.schedules)
    if name_of(call) == "join":
        begins = [0, *schedule.boundaries]
        pairs = zip(schedule.schedules, begins, strict=True)
        held = [js.delay(part, begin) for part, begin in pairs]
    is_combinator = call in EXAMPLES["Combinators"]
    return held if is_combinator else []


def picture(call: str) -> Figure:
    """A small picture of the schedule that a call makes."""
    figure = Figure(figsize=(WIDTH / 96, HEIGHT / 96))
    draw(figure.add_axes((0, 0, 1, 1)), call)
    return figure


def draw(axes: Axes, call: str) -> None:
    """Draws a schedule over a baseline at 0, its parts thin and grey below it."""
    schedule = js.parse(call)
    assert isinstance(schedule, js.Schedule), call
    held = [part.at(STEPS) for part in parts(call, schedule)]
    values = schedule.at(STEPS)
    top = max(map(np.max, [values, *held]))
    first, last = STEPS[0], STEPS[-1]
    axes.set_axis_off()
    axes.set_xlim(first - 0.03 * last, last + 0.03 * last)
    axes.set_ylim(-0.09 * top, 1.09 * top)
    pen = {"solid_capstyle": "round", "solid_joinstyle": "round", "clip_on": False}
    axes.plot([first, last], [0, 0], color=MUTED, lw=0.5, alpha=0.6, **pen)
    for part in held:
        axes.plot(*corners(part, top), color=MUTED, lw=0.8, **pen)
    axes.plot(*corners(values, top), color=LINE, lw=1.6, **pen)


def corners(values: np.ndarray, top: float) -> tuple[np.ndarray, np.ndarray]:
    """The points of a curve, less those in line with their neighbours."""
    bend = np.abs(np.diff(values, 2)) > 1e-6 * top
    kept = np.concatenate([[True], bend, [True]])
    return STEPS[kept], values[kept]


# What README shows first.
OVERVIEW = [
    *("cosine", "linear", "exponential", "step_decay"),
    *("warmup_cosine", "wsd", "one_cycle", "inverse_sqrt_decay"),
    *("cosine_restarts", "triangular", "spline", "cooldown"),
]


def overview() -> Figure:
    """Twelve of the schedules, each with its name."""
    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    by_name = {name_of(call): call for call in calls()}
    for name, axes in zip(OVERVIEW, figure.subplots(3, 4).flat, strict=True):
        draw(axes, by_name[name])
        axes.set_title(name, fontsize="small", color=MUTED)
    return figure


# Pictures that are on pages, and not of one schedule.
OF_PAGES = {
    "overview": overview,
    "planning": planned.picture,
    "published": runs.picture,
}


def svg(made: Callable[[], Figure]) -> str:
    """A picture as text, which depends on nothing but itself and the versions."""
    text = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "jaxsched"}):
        made().savefig(text, format="svg", transparent=True, metadata={"Date": None})
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


def is_current(old: str, new: str) -> bool:
    """Whether two pictures are alike, but for the last digits of their coordinates.

    Those depend on the machine. Pictures of different versions of Matplotlib are not
    compared.
    """
    if version(old) != version(new):
        return True
    number = re.compile(r"-?\d+\.?\d*")
    if number.sub("", old) != number.sub("", new):
        return False
    pairs = zip(number.findall(old), number.findall(new), strict=True)
    return all(abs(float(a) - float(b)) <= 0.01 for a, b in pairs)


def version(text: str) -> str:
    """The version of Matplotlib that a picture says it was made with."""
    found = re.search(r"Matplotlib v([\w.]+)", text)
    return found[1] if found else ""


def figures() -> list[tuple[str, Callable[[], Figure]]]:
    """All pictures, by the names of their files."""
    small = [(name_of(call), partial(picture, call)) for call in calls()]
    return [*small, *OF_PAGES.items()]


def outdated() -> list[str]:
    """The files that are not there or not of now."""
    old = []
    wanted = {PICTURES / f"{name}.svg": svg(made) for name, made in figures()}
    for path, new in wanted.items():
        if not path.is_file() or not is_current(path.read_text("utf-8"), new):
            old.append(path.name)
    return old + [path.name for path in PICTURES.glob("*") if path not in wanted]


def write() -> None:
    """Writes the pictures."""
    PICTURES.mkdir(exist_ok=True)
    for name, made in figures():
        path = PICTURES / f"{name}.svg"
        path.write_text(svg(made), "utf-8", newline="\n")


def main(arguments: list[str] | None = None) -> None:
    """Writes the pictures, or checks them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--check", action="store_true", help="write nothing, only check"
    )
    options = parser.parse_args(arguments)
    jax.config.update("jax_enable_x64", False)
    if not options.check:
        write()
    elif old := outdated():
        sys.exit(f"run python docs/pictures.py; out of date: {', '.join(old)}")


if __name__ == "__main__":
    main()
