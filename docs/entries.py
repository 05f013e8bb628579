"""Directives that show what there is: a picture, a name and one line each.

`entries` begins the pages of the API, `shapes` lists the shapes, which may be asked for
by name alone, and `catalogue` shows all there is on one page.
"""

import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import charts
import formulas
import pictures
import thumbnails
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import jaxsched as js
import jaxsched.shapes as curves

HERE = Path(__file__).parent
SMALL = "api/charts/small"
Cell = list[nodes.Node]


def shape_names() -> list[str]:
    """The shapes of the library, not those that an example has added."""
    return [name for name in curves.shapes if hasattr(curves, name)]


def first_line(thing: Any) -> str:
    """What a docstring says first, with its formulas as roles."""
    text = (inspect.getdoc(thing) or "").partition("\n\n")[0]
    return " ".join(formulas.typeset(text.splitlines(), formulas.names_of(thing)))


def with_formula(shape: Any) -> str:
    """The first line about a shape, with its formula if that comes only later."""
    doc = (inspect.getdoc(shape) or "").splitlines()
    text = " ".join(formulas.typeset(doc, formulas.names_of(shape)))
    formula = re.search(r":math:`\\mathrm\{fall\} = [^`]*`", text)
    line = first_line(shape)
    return line if not formula or formula[0] in line else f"{line} {formula[0]}."


def picture_of(link: str) -> str:
    """The file of the small picture of a public name, as pages name it, or nothing."""
    name = link.removeprefix("jaxsched.").replace(".", "_")
    for file in (f"pictures/{name}", f"{SMALL}/{name}", f"{SMALL}/shape_{name}"):
        if (HERE / f"{file}.svg").is_file():
            return f"/{file}.svg"
    return ""


def reference(link: str, shown: nodes.Node) -> nodes.Node:
    """A link to an entry of the API."""
    options = {"refdomain": "py", "reftype": "obj", "reftarget": link}
    return addnodes.pending_xref("", shown, refexplicit=True, **options)


def code(text: str) -> nodes.Node:
    """A text as code."""
    return nodes.literal(text, text, classes=["py"])


def picture(uri: str, alt: str) -> nodes.Node:
    """A small picture."""
    return nodes.image(uri=uri, alt=alt, classes=["small"])


def table(rows: list[list[Cell]], head: list[str] | None = None) -> nodes.Node:
    """A table of nodes."""
    columns = len(rows[0])
    group = nodes.tgroup(cols=columns)
    group += [nodes.colspec(colwidth=1) for _ in range(columns)]
    if head:
        group += nodes.thead("", row([[nodes.Text(word)] for word in head]))
    group += nodes.tbody("", *(row(cells) for cells in rows))
    return nodes.table("", group, classes=["entries"])


def row(cells: list[Cell]) -> nodes.Node:
    """A row of a table."""
    entries = [nodes.entry("", nodes.paragraph("", "", *cell)) for cell in cells]
    return nodes.row("", *entries)


class Entries(SphinxDirective):
    """A table of names, one a line, from the current module; without any, of all."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """The table, whose first column is there if there are pictures."""
        module = self.env.ref_context["py:module"]
        names = list(self.content) or importlib.import_module(module).__all__
        rows = [self.entry(module, name.strip()) for name in names]
        has_pictures = any(cells[0] for cells in rows)
        return [table([cells if has_pictures else cells[1:] for cells in rows])]

    def entry(self, module: str, name: str) -> list[Cell]:
        """A picture, a name, one line."""
        link = f"{module}.{name}"
        uri, alt = picture_of(link), charts.CALLS.get(name, name)
        shown: Cell = [reference(link, picture(uri, alt))] if uri else []
        summary = first_line(getattr(importlib.import_module(module), name))
        return [shown, [reference(link, code(name))], self.parse_inline(summary)[0]]


class Shapes(SphinxDirective):
    """A table of the shapes: picture, name, formula, and how far it is half way."""

    def run(self) -> list[nodes.Node]:
        """The table."""
        head = ["", "shape", "share still to go at time u", "done at half time"]
        return [table([self.entry(name) for name in shape_names()], head)]

    def entry(self, name: str) -> list[Cell]:
        """One of them, which leads to its entry if it has one of its own."""
        call = f'transition(1, 0, steps=100, shape="{name}")'
        link = f"jaxsched.{name if name in MORE_THAN_A_NAME else 'transition'}"
        half = js.transition(0.0, 1.0, 100, shape=name).at(50)
        return [
            [reference(link, picture(f"/{SMALL}/shape_{name}.svg", call))],
            [reference(link, code(f'"{name}"'))],
            self.parse_inline(with_formula(getattr(curves, name)))[0],
            [nodes.Text(f"{half:.3f}")],
        ]


# Shapes with hyperparameters are public; the others share names with schedules.
MORE_THAN_A_NAME = {"rex", "tanh", "inverse_proportional", "one_minus_power"}
MORE_THAN_A_NAME |= {"exponential_to_zero"}


class Catalogue(SphinxDirective):
    """Cards of the schedules of one group."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """The cards, side by side as far as the page is wide."""
        cards = [self.card(call) for call in groups()[self.arguments[0]]]
        return [nodes.container("", *cards, classes=["catalogue"])]

    def card(self, call: str) -> nodes.Node:
        """A picture and a name, which lead to the entry, one line, and the call."""
        name = pictures.name_of(call)
        link = f"jaxsched.{name}"
        summary = self.parse_inline(first_line(getattr(js, name)))[0]
        image = reference(link, picture(picture_of(link), call))
        title = reference(link, code(name))
        parts = [[image], [title], summary, [code(call)]]
        lines = [nodes.paragraph("", "", *part) for part in parts]
        return nodes.container("", *lines, classes=["entry"])


def groups() -> dict[str, list[str]]:
    """The calls of all pictures, by what they are."""
    driven = {"Driven by a metric": [charts.CALLS[key] for key in thumbnails.driven()]}
    return pictures.EXAMPLES | driven


def draw_pictures(app: Sphinx) -> None:
    """The small pictures, before any page asks for them."""
    thumbnails.draw()


def show_chart(
    app: Sphinx, kind: str, name: str, thing: Any, options: Any, lines: list[str]
) -> None:
    """Puts its chart below the first line of a schedule's documentation."""
    own = name.removeprefix("jaxsched.")
    if own not in charts.CALLS:
        return
    call = charts.CALLS[own]
    image = [f".. image:: charts/chart_{own}.svg", f"   :alt: {call}"]
    end = lines.index("") if "" in lines else len(lines)  # of the first sentence
    lines[end:end] = ["", f"`{call}`", "", *image, ""]


def setup(app: Sphinx) -> dict[str, bool]:
    """Joins this to a build."""
    app.add_directive("entries", Entries)
    app.add_directive("shapes", Shapes)
    app.add_directive("catalogue", Catalogue)
    app.connect("builder-inited", draw_pictures)
    app.connect("autodoc-process-docstring", show_chart, priority=400)
    return {"parallel_read_safe": True}
