"""The picture of the page about planning."""

import runs
from matplotlib.figure import Figure

import jaxsched as js


def picture() -> Figure:
    """Four schedules at one peak, and each at its own best height."""
    total = 4000
    shapes = {
        "constant": js.constant(1.0),
        "cosine": js.cosine(1.0, 0.0, total),
        "linear": js.linear(1.0, 0.0, total),
        "wsd": js.wsd(1.0, total, warmup_steps=0, decay_steps=800),
    }
    ranking = js.planning.rank(shapes, total)
    factors = {name: ranking[name].factor for name in shapes}
    best = {name: factors[name] * shape for name, shape in shapes.items()}
    figure = Figure(figsize=(8, 2.8), layout="constrained")
    both = figure.subplots(1, 2)
    titles = ("at one peak", "each at its own best height")
    for axes, title, drawn in zip(both, titles, (shapes, best), strict=True):
        js.plot(drawn, total, axes, boundaries=False)
        axes.get_legend().remove()
        axes.set_title(title, color=runs.GREY)
        axes.set(xlabel="update", ylabel="", ylim=(0, None))
        runs.mute(axes)
    handles, _ = both[0].get_legend_handles_labels()
    labels = [f"{name}: bound {ranking[name].bound:.4f}" for name in shapes]
    figure.legend(
        handles,
        labels,
        loc="outside right upper",
        fontsize="small",
        labelcolor=runs.GREY,
        frameon=False,
    )
    return figure
