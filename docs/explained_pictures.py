"""The pictures of `explained.md`, drawn when the site is built from its training runs."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import explained_runs as runs
import jax
import jax.numpy as jnp
import matplotlib
import numpy as np
import optax
import pictures
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sphinx.application import Sphinx

import jaxsched as js

# Dark enough for a white page and light enough for a black one.
STYLE: Any = {
    "savefig.transparent": True,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "jaxsched",
    **dict.fromkeys(
        [
            "text.color",
            "axes.edgecolor",
            "axes.labelcolor",
            "axes.titlecolor",
            "xtick.color",
            "ytick.color",
            "legend.labelcolor",
        ],
        pictures.MUTED,
    ),
}
ORANGE, GREEN, PURPLE = "#d97706", "#16a34a", "#9333ea"
SPEEDS = {0.01: "too low", 0.08: "right", 0.0985: "too high", 0.1005: "far too high"}
STEEP = 20.0  # times as steep as it is long
GREY = {"color": pictures.MUTED, "linewidth": 1.0, "linestyle": "--"}


def results() -> dict[str, Any]:
    """What came of the training runs."""
    return json.loads(runs.RESULTS.read_text("utf-8"))


def looked_at() -> np.ndarray:
    """The updates after which the held-out loss was measured."""
    return np.arange(0, runs.STEPS + 1, runs.CHUNK)


def curve(axes: Axes, found: dict[str, Any], **style: Any) -> None:
    """The middle of the seeds, in a band of the middle half of them."""
    (line,) = axes.plot(looked_at(), found["middle"], **style)
    band = found["low"], found["high"]
    axes.fill_between(looked_at(), *band, color=line.get_color(), alpha=0.2, lw=0)


def losses(axes: Axes, least: float = 0.06) -> None:
    """What all pictures of losses have in common."""
    axes.set(xlabel="update", ylabel="held-out loss", yscale="log", ylim=(least, 3.5))
    ticks = [tick for tick in (0.1, 0.3, 1, 3) if tick >= least]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()


def rates() -> Figure:
    """The same training at five constant rates."""
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axes = figure.add_subplot()
    colors = [pictures.MUTED, PURPLE, GREEN, ORANGE, "#dc2626"]
    found = results()["rates"]
    for (rate, result), color in zip(found.items(), colors, strict=True):
        curve(axes, result, color=color, label=f"{float(rate):g}")
    losses(axes)
    figure.legend(title="learning rate", loc="outside right center")
    return figure


def slope(point: jax.Array) -> jax.Array:
    """The gradient of a valley that is steep across and flat along."""
    return point * jnp.array([1.0, STEEP])


def path(schedule: Any, steps: int, noise: float = 0.0) -> np.ndarray:
    """The points that gradient descent visits in the valley."""
    optimizer = optax.sgd(schedule)

    def update(carry: Any, key: jax.Array) -> tuple[Any, jax.Array]:
        point, state = carry
        gradient = slope(point) + noise * jax.random.normal(key, (2,))
        updates, state = optimizer.update(gradient, state)
        return (optax.apply_updates(point, updates), state), point

    start = jnp.array([-9.0, 1.6])
    keys = jax.random.split(jax.random.key(3), steps)
    return np.asarray(jax.lax.scan(update, (start, optimizer.init(start)), keys)[1])


def landscape(axes: Axes) -> None:
    """Lines of equal height."""
    x, y = np.meshgrid(np.linspace(-10, 4, 80), np.linspace(-3, 3, 80))
    height = (x**2 + STEEP * y**2) / 2
    levels = [0.5, 3, 9, 20, 40, 65]
    axes.contour(x, y, height, levels, colors=pictures.MUTED, linewidths=0.5)
    axes.plot(0, 0, "+", color=pictures.MUTED)
    axes.set(xticks=[], yticks=[], xlim=(-10, 4), ylim=(-3, 3))
    axes.spines[:].set_visible(False)


def valley() -> Figure:
    """Thirty steps of gradient descent at four rates."""
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    panels = figure.subplots(2, 2).flat
    for (rate, name), axes in zip(SPEEDS.items(), panels, strict=True):
        landscape(axes)
        x, y = path(rate, 30).T
        axes.plot(x, y, ".-", color=pictures.LINE, linewidth=1, markersize=4)
        axes.set_title(f"{rate:g}: {name}", fontsize="medium")
    return figure


def noise() -> Figure:
    """The same noisy steps at a constant rate and at one that is lowered."""
    figure = Figure(figsize=(7, 2.2), layout="constrained")
    steps = 300
    both = {"constant": 0.05, "lowered to 0": js.cosine(0.05, 0.0, steps)}
    for (name, schedule), axes in zip(both.items(), figure.subplots(1, 2), strict=True):
        landscape(axes)
        x, y = path(schedule, steps, noise=12.0).T
        axes.plot(x, y, color=pictures.LINE, linewidth=0.5, alpha=0.6)
        axes.plot(x[-1], y[-1], "o", color=ORANGE, zorder=3)
        axes.set_title(name, fontsize="medium")
    return figure


def kind(name: str) -> Figure:
    """A kind of schedule, and what it does to a training run beside a constant rate."""
    found = results()["kinds"]
    figure = Figure(figsize=(7, 2.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    draw_rates(left, name, found)
    if name != "constant":
        left.axhline(runs.PEAK, **GREY)
        right.plot(looked_at(), found["constant"]["middle"], **GREY)
    curve(right, found[name], color=pictures.LINE)
    losses(right)
    return figure


def draw_rates(axes: Axes, name: str, found: dict[str, Any]) -> None:
    """The rates of a run: read from the schedule, or as its metric drove them."""
    schedule = js.parse(runs.KINDS[name].format(peak=runs.PEAK))
    if isinstance(schedule, js.Schedule):
        steps = np.arange(runs.STEPS)
        axes.plot(steps, schedule.at(steps), color=pictures.LINE)
    else:
        begins = looked_at()[:-1]
        driven = found[name]["rates"]
        axes.step(begins, driven, where="post", color=pictures.LINE)
    axes.set(xlabel="update", ylabel="learning rate", ylim=(0, 1.08 * runs.PEAK))


def deep() -> Figure:
    """Adam on six layers, with and without a warm-up."""
    figure = Figure(figsize=(7, 2.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    found = results()["deep"]
    steps = np.arange(runs.STEPS)
    for (name, call), color in zip(
        runs.DEEP.items(), (ORANGE, pictures.LINE), strict=True
    ):
        left.plot(steps, js.parse(call).at(steps), color=color)
        curve(right, found[name], color=color, label=name)
    left.set(xlabel="update", ylabel="learning rate", ylim=(0, 1.08 * runs.DEEP_PEAK))
    losses(right, 0.1)
    figure.legend(loc="outside right center")
    return figure


def tuned() -> Figure:
    """The loss at the end, at a common peak and at the best peak of each."""
    found = results()
    names = sorted(runs.KINDS, key=lambda name: -found["kinds"][name]["middle"][-1])
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axes = figure.add_subplot()
    rows = np.arange(len(names))
    common = [found["kinds"][name]["middle"][-1] for name in names]
    own = [found["tuned"][name]["loss"] for name in names]
    label = f"all with a peak of {runs.PEAK:g}"
    axes.hlines(rows, own, common, color=pictures.MUTED, linewidth=0.8)
    axes.plot(common, rows, "o", color=ORANGE, label=label)
    axes.plot(own, rows, "o", color=pictures.LINE, label="each with its best peak")
    axes.set(yticks=rows, yticklabels=names, xlabel="held-out loss at the end")
    axes.set_xlim(left=0)
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def five() -> Figure:
    """What `train_digits.py` draws: five schedules with the same peak."""
    train_digits = runs.train_digits
    schedules = train_digits.default_schedules(train_digits.STEPS)
    found = {name: train_digits.train(s) for name, s in schedules.items()}
    return train_digits.draw(found)


def table() -> str:
    """The numbers of `tuned`, as Markdown."""
    found = results()
    rows = [
        f"| | loss at a peak of {runs.PEAK:g} | digits recognised | best peak | loss at it "
        "| digits recognised |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name in runs.KINDS:
        common, own = found["kinds"][name], found["tuned"][name]
        cells = [
            f"{common['middle'][-1]:.3f}",
            f"{common['accuracy']:.1%}",
            f"{own['peak']:g}",
            f"{own['loss']:.3f}",
            f"{own['accuracy']:.1%}",
        ]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    versions = ", ".join(f"{key} {value}" for key, value in found["versions"].items())
    last = found["seeds"] - 1
    note = (
        f"Losses are the median of {last + 1} runs (seeds 0 to {last}), shares their mean; "
        f"{versions}. The best peak was chosen by the same held-out loss, which flatters "
        "every kind a little."
    )
    return "\n".join(rows) + f"\n\n{note}\n"


PICTURES: dict[str, Callable[[], Figure]] = {
    "rates": rates,
    "valley": valley,
    "noise": noise,
    "deep": deep,
    "tuned": tuned,
    "five": five,
}


def drawn() -> Iterator[tuple[str, Figure]]:
    """All pictures by the name of their file."""
    for name, draw in PICTURES.items():
        yield name, draw()
    for name in runs.KINDS:
        yield name, kind(name)


def write(folder: Path) -> None:
    """Draws all pictures into a folder."""
    folder.mkdir(exist_ok=True)
    with matplotlib.rc_context(STYLE):
        for name, figure in drawn():
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None})


def build(app: Sphinx) -> None:
    """What `explained.md` shows and includes."""
    here = Path(app.srcdir)
    write(here / "explained")
    (here / "explained.inc").write_text(table(), "utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Joins this to a build."""
    app.connect("builder-inited", build)
    return {"parallel_read_safe": True}
