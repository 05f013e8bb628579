"""Makes links of references: wherever a page says arXiv:1608.03983 or doi:10.1000/1."""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

REFERENCE = re.compile(
    r"arXiv:(?P<arxiv>\d{4}\.\d{4,5}(?:v\d+)?|[a-z-]+/\d{7})"
    r"|(?:doi:|DOI )(?P<doi>10\.\d{4,9}/[^\s,;)]*[^\s,;).])"
)


class Link(SphinxTransform):
    """Replaces what looks like a reference in prose."""

    default_priority = 400

    def apply(self, **kwargs: Any) -> None:
        """Every text that is neither code nor a link already, nor a title."""
        for text in list(self.document.findall(nodes.Text)):
            if REFERENCE.search(text) and not is_inside(text):
                assert text.parent is not None
                text.parent.replace(text, linked(str(text)))


def is_inside(node: nodes.Node) -> bool:
    """Whether a text is part of code, of a link or of a title."""
    parent = node.parent
    while parent is not None:
        if isinstance(parent, nodes.literal | nodes.FixedTextElement | nodes.reference):
            return True
        if isinstance(parent, nodes.title):
            return True
        parent = parent.parent
    return False


def linked(text: str) -> list[nodes.Node]:
    """The parts of a text, references as links."""
    parts: list[nodes.Node] = []
    place = 0
    for found in REFERENCE.finditer(text):
        arxiv = f"https://arxiv.org/abs/{found['arxiv']}"
        uri = arxiv if found["arxiv"] else f"https://doi.org/{found['doi']}"
        parts.append(nodes.Text(text[place : found.start()]))
        parts.append(nodes.reference(found[0], found[0], refuri=uri, internal=False))
        place = found.end()
    return [*parts, nodes.Text(text[place:])]


def setup(app: Sphinx) -> dict[str, bool]:
    """Joins this to a build."""
    app.add_transform(Link)
    return {"parallel_read_safe": True}
