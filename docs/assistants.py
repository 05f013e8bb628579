"""The site for language models: each page as Markdown, and `llms.txt`, a list of them.

A page's Markdown is made of its HTML, so it has what autodoc and the gallery made, too.
It lies beside the page: `training.md` beside `training.html`. See https://llmstxt.org.
"""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from bs4 import BeautifulSoup, Tag  # pyright: ignore[reportMissingImports]
from docutils import nodes
from markdownify import MarkdownConverter  # pyright: ignore[reportMissingImports]
from sphinx import addnodes
from sphinx.application import Sphinx

NOISE = "a.headerlink, script, style, .sphx-glr-footer, .sphx-glr-download-link-note"
NOISE += ", .toctree-wrapper, .sphx-glr-timing, .sphx-glr-signature"
ABOUT = "Learning-rate schedules for JAX and Optax: pure functions of the step that are"
ABOUT += " also values. In a program, `import jaxsched as js`."


class Converter(MarkdownConverter):
    """HTML as Sphinx writes it, as Markdown."""

    def convert_span(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        """Formulas between dollars."""
        if "math" in (el.get("class") or ()):
            return f"${el.get_text().strip()[2:-2]}$"
        return text

    def convert_div(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        """Formulas of their own lines, and code with its language."""
        if "math" in (el.get("class") or ()):
            return f"\n\n$${el.get_text().strip()[2:-2].strip()}$$\n\n"
        return f"\n\n{text.strip()}\n\n" if text.strip() else ""


def language(pre: Tag) -> str:
    """What a block of code is written in, by the class of what is around it."""
    around = pre.find_parent(class_=re.compile("^highlight-"))
    found = (
        re.search(r"highlight-(\w+)", " ".join(around.get("class") or ()))
        if around
        else None
    )
    return (
        {"default": "python", "none": "text"}.get(found[1], found[1]) if found else ""
    )


def in_markdown(body: str) -> str:
    """The body of a page."""
    soup = BeautifulSoup(body, "html.parser")
    for part in soup.select(NOISE):
        part.decompose()
    for link in soup.select("a.internal[href]"):
        link["href"] = re.sub(r"\.html(?=#|$)", ".md", str(link["href"]))
    converter = Converter(
        heading_style="ATX", code_language_callback=language, bullets="-"
    )
    return re.sub(r"\n{3,}", "\n\n", converter.convert_soup(soup)).strip() + "\n"


def write_page(
    app: Sphinx, name: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Writes a page's Markdown beside it, and says so in its head."""
    if doctree is None:  # the search has no text of its own
        return
    path = Path(app.outdir, f"{name}.md")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(in_markdown(context["body"]), "utf-8")
    here = PurePosixPath(name).name
    link = f'<link rel="alternate" type="text/markdown" href="{here}.md">'
    context["metatags"] = context.get("metatags", "") + link


def write_list(app: Sphinx, error: Exception | None) -> None:
    """Writes `llms.txt`: every page in the order of the site, with its first sentence."""
    if error or app.builder.format != "html":
        return
    root = app.config.root_doc
    lines = [f"# {app.config.project}", "", f"> {ABOUT}", ""]
    for tree in app.env.get_doctree(root).findall(addnodes.toctree):
        lines += [f"## {tree['caption']}", ""]
        for _, name in tree["entries"]:
            lines += [line(app, page) for page in [name, *below(app, name)]]
        lines.append("")
    Path(app.outdir, "llms.txt").write_text("\n".join(lines), "utf-8")


def below(app: Sphinx, name: str) -> Iterator[str]:
    """The pages below a page."""
    for page in app.env.toctree_includes.get(name, []):
        yield page
        yield from below(app, page)


def line(app: Sphinx, name: str) -> str:
    """A page in the list."""
    sections = app.env.get_doctree(name).findall(nodes.section)
    first = [
        part for part in next(sections).children if isinstance(part, nodes.paragraph)
    ]
    text = " ".join(first[0].astext().split()) if first else ""
    about = re.split(r"(?<=\.) ", text)[0].rstrip(".:")
    title = app.env.titles[name].astext()
    return f"- [{title}]({name}.md)" + (f": {about}" if about else "")


def setup(app: Sphinx) -> dict[str, bool]:
    """Joins this to a build."""
    app.connect("html-page-context", write_page)
    app.connect("build-finished", write_list)
    return {"parallel_read_safe": True}
