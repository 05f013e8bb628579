"""Words by which a page is found that it need not say.

A page declares them where HTML has its keywords. They go into Sphinx's index, so that
the search shows the page first for each of them; `static/scorer.js` weighs the rest. In
Markdown they are front matter, `myst: html_meta: keywords: wsd, cool-down`; in
reStructuredText `.. meta::` with the field `:keywords:`.
"""

from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform


class Index(SphinxTransform):
    """Puts the keywords of a page into the index, before Sphinx collects it."""

    default_priority = 400

    def apply(self, **kwargs: Any) -> None:
        """Each of them is a main entry, which the search treats as a title."""
        for meta in self.document.findall(nodes.meta):
            if meta.get("name") == "keywords":
                words = [word.strip().lower() for word in meta["content"].split(",")]
                entries = [("single", word, "", "main", None) for word in words]
                self.document.append(addnodes.index(entries=entries))
                return


def setup(app: Sphinx) -> dict[str, bool]:
    """Joins this to a build."""
    app.add_transform(Index)
    return {"parallel_read_safe": True}
