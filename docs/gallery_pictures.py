"""How the pictures of the gallery are drawn: to be seen on white and on black."""

from typing import Any

import pictures
from cycler import cycler
from matplotlib import rcParams
from matplotlib.figure import Figure
from sphinx_gallery.scrapers import (  # pyright: ignore[reportMissingImports]
    matplotlib_scraper,
)

GREY = (
    "axes.edgecolor",
    "axes.labelcolor",
    "axes.titlecolor",
    "text.color",
    "xtick.color",
    "ytick.color",
    "legend.labelcolor",
)
COLORS = ["#3b82f6", "#f97316", "#22a55b", "#e0524d", "#a371f7", "#b8901f"]


def reset(gallery: dict[str, Any], file: str) -> None:
    """The style of each example, before it runs."""
    rcParams.update(dict.fromkeys(GREY, pictures.MUTED))
    rcParams.update({"figure.facecolor": "none", "axes.facecolor": "none"})
    rcParams["axes.prop_cycle"] = cycler(color=COLORS)
    rcParams.update({"legend.frameon": False, "figure.figsize": (6.4, 3.6)})


def scraper(block: Any, variables: dict[str, Any], gallery: dict[str, Any]) -> str:
    """Saves the open figures as vectors, with their legends beside the curves."""
    from matplotlib import pyplot

    for number in pyplot.get_fignums():
        move_legends(pyplot.figure(number))
    return matplotlib_scraper(
        block, variables, gallery, format="svg", transparent=True, bbox_inches="tight"
    )


def move_legends(figure: Figure) -> None:
    """Puts legends where no curve comes: right of their axes, or above them."""
    right = max((axes.get_position().x1 for axes in figure.axes), default=1)
    for axes in figure.axes:
        if legend := axes.get_legend():
            is_last = axes.get_position().x1 > right - 0.01
            corner, loc = ((1, 1), "upper left") if is_last else ((0, 1), "lower left")
            legend.set_bbox_to_anchor(corner, transform=axes.transAxes)
            legend.set_loc(loc)
