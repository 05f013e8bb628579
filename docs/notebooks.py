"""Badges that open a page as a notebook in Colab, where the repository has an address.

Colab reads notebooks from a public repository. `colab_site` in `conf.py` says where the
built site lies in one, as "owner/repository/blob/branch". While it is empty, no page
has a badge.
"""

import doctest
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

# The pages with a badge, and what their notebooks are made of.
PAGES = {"get_started": "get_started.md"}
PAGES |= {"gallery/curves/plot_wsd": "gallery/curves/plot_wsd.ipynb"}
COLAB = "https://colab.research.google.com/github"
FENCE = re.compile(r"^```python\n(.*?)^```\n", re.DOTALL | re.MULTILINE)


def cell(kind: str, text: str) -> dict[str, Any]:
    """A cell of a notebook."""
    code = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "metadata": {}, "source": text.strip(), **code}


def install(site: str) -> str | None:
    """The first cell of every notebook, or None where there is no repository."""
    owner, _, rest = site.partition("/")
    repository = f"https://github.com/{owner}/{rest.partition('/')[0]}"
    return f'%pip install "jaxsched[examples] @ git+{repository}"' if site else None


def notebook(page: str, first: str) -> str:
    """A page of Markdown as a notebook, whose first cell is given."""
    page = re.sub(r"\A---\n.*?\n---\n", "", page, flags=re.DOTALL)  # its front matter
    page = re.sub(r"\[([^\]]*)\]\((?!http)[^)]*\)", r"\1", page)  # links to other pages
    cells = [cell("code", first)]
    for index, part in enumerate(FENCE.split(page)):
        if index % 2:
            cells += [cell("code", code) for code in without_prompts(part)]
        elif part.strip():
            cells.append(cell("markdown", part))
    return json.dumps(
        {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    )


def without_prompts(examples: str) -> Iterator[str]:
    """The code of a doctest, in a cell for everything that it shows."""
    code = ""
    for example in doctest.DocTestParser().get_examples(examples):
        code += example.source
        if example.want:
            yield code
            code = ""
    if code:
        yield code


def write(app: Sphinx, error: Exception | None) -> None:
    """Writes the notebooks into the site."""
    site = app.config.colab_site
    if error or not site:
        return
    first = install(site) or ""
    for name, source in PAGES.items():
        path = Path(app.outdir, "notebooks", f"{Path(name).name}.ipynb")
        path.parent.mkdir(exist_ok=True)
        if source.endswith(".ipynb"):
            shutil.copy(Path(app.srcdir, source), path)
        else:
            page = Path(app.srcdir, source).read_text("utf-8")
            path.write_text(notebook(page, first), "utf-8")


def show(
    app: Sphinx, name: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Puts the badge below the title of a page."""
    site = app.config.colab_site
    if site and name in PAGES:
        href = f"{COLAB}/{site}/notebooks/{Path(name).name}.ipynb"
        badge = f'</h1>\n<p><a class="colab" href="{href}">Open in Colab</a></p>'
        context["body"] = context["body"].replace("</h1>", badge, 1)


def setup(app: Sphinx) -> dict[str, bool]:
    """Joins this to a build."""
    app.add_config_value("colab_site", "", "html", str)
    app.connect("html-page-context", show)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True}
