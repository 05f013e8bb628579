"""How Sphinx builds the site: `sphinx-build -W docs build/site`; needs no network."""

import sys
import zlib
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

import jaxsched as js

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
import charts  # noqa: E402 - beside this file
import notebooks  # noqa: E402
import properties  # noqa: E402
import runs  # noqa: E402

project = "jaxsched"
author = copyright = "The jaxsched authors"
version = release = js.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.intersphinx",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
    "sphinx-mathjax-offline",
    # beside this file
    "assistants",
    "entries",
    "example_pages",
    "explained_pictures",
    "formulas",
    "keywords",
    "notebooks",
    "references",
]
colab_site = ""  # "owner/repository/blob/branch", once there is one; see notebooks.py
exclude_patterns = ["pictures/README*", "gallery/*.ipynb"]
default_role = "literal"  # `steps` in a docstring is code

html_theme = "sphinx_book_theme"
html_title = "jaxsched"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_search_scorer = str(HERE / "static" / "scorer.js")
html_favicon = "static/icon.svg"
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system
html_show_sourcelink = False
html_copy_source = False
html_use_index = html_domain_indices = False  # the search has what is in them
html_theme_options = {
    "navbar_persistent": [],  # one field for searching is enough
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
}

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

autodoc_typehints = "none"  # shapes, units and bounds are in the text, in words
autodoc_member_order = "bysource"
napoleon_use_rtype = False

sphinx_gallery_conf = {
    "examples_dirs": str(HERE.parent / "examples" / "gallery"),
    "gallery_dirs": "gallery",
    "filename_pattern": r"plot_",
    "subsection_order": [
        f"../examples/gallery/{topic}"
        for topic in ("curves", "rates", "metrics", "planning")
    ],
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "first_notebook_cell": notebooks.install(colab_site),
    "capture_repr": (),
    "show_signature": False,
    "write_computation_times": False,
    "image_scrapers": ("gallery_pictures.scraper",),
    "reset_modules": ("matplotlib", "gallery_pictures.reset"),
    "reference_url": {"jaxsched": None},
    "doc_module": ("jaxsched",),
}

# What the pages name of others. Where the network is there, their own lists are used.
OTHERS = {
    "python": (
        "https://docs.python.org/3/",
        {
            f"{name} py:exception": f"library/exceptions.html#{name}"
            for name in (
                "ImportError",
                "NotImplementedError",
                "TypeError",
                "ValueError",
            )
        },
    ),
    "jax": (
        "https://docs.jax.dev/en/latest/",
        {
            f"jax.{name} py:function": f"_autosummary/jax.{name}.html"
            for name in ("grad", "jit", "lax.map", "lax.scan", "value_and_grad", "vmap")
        },
    ),
    "matplotlib": (
        "https://matplotlib.org/stable/",
        {"matplotlib.axes.Axes py:class": "api/_as_gen/matplotlib.axes.Axes.html"},
    ),
}


def inventory(name: str) -> str:
    """Writes the list of another project's pages that this one needs offline."""
    lines = [f"{key} 1 {page} -\n" for key, page in OTHERS[name][1].items()]
    head = f"# Sphinx inventory version 2\n# Project: {name}\n# Version: \n"
    head += "# The remainder of this file is compressed using zlib.\n"
    path = HERE / "inventories" / f"{name}.inv"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(head.encode() + zlib.compress("".join(lines).encode()))
    return str(path)


intersphinx_mapping = {
    name: (site, (None, inventory(name))) for name, (site, _) in OTHERS.items()
}
intersphinx_timeout = 3


def draw_charts(app: Sphinx) -> None:
    """A chart of every schedule."""
    folder = HERE / "api" / "charts"
    folder.mkdir(exist_ok=True)
    for name in charts.CALLS:
        charts.chart(name).savefig(folder / f"chart_{name}.svg", transparent=True)


def write_properties(app: Sphinx) -> None:
    """The table of properties, which `choose.md` includes."""
    (HERE / "properties.inc").write_text(properties.table(), "utf-8")


def write_runs(app: Sphinx) -> None:
    """The table of published runs, which `published.md` includes."""
    (HERE / "published.inc").write_text(runs.table(), "utf-8")


def keep_blocks(
    app: Sphinx, kind: str, name: str, thing: Any, options: Any, lines: list[str]
) -> None:
    """Makes an indented block after a line of text one of code, not a quotation."""
    kept: list[str] = []
    ahead = [*lines, "", ""]
    for line, *later in zip(lines, ahead[1:], ahead[2:], strict=False):
        indent = " " * (len(line) - len(line.lstrip()) + 4)
        is_before_block = not later[0] and later[1].startswith(indent)
        is_text = bool(line) and not line.endswith("::")
        block = ["", f"{indent[4:]}::"] if is_text and is_before_block else []
        kept += [line, *block]
    lines[:] = kept


def setup(app: Sphinx) -> None:
    """Joins the functions above to the events of a build."""
    app.connect("builder-inited", draw_charts)
    app.connect("builder-inited", write_properties)
    app.connect("builder-inited", write_runs)
    # Before napoleon, which knows only the parts with arguments.
    app.connect("autodoc-process-docstring", keep_blocks, priority=400)
