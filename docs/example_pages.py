"""A page for each example, made when the site is built: what it does, and its code.

Pages link to `../examples/NAME.py`, which is right where the files themselves are read;
on the site such a link leads to the page.
"""

import ast
import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
LINK = re.compile(r"\]\((?:\.\./)+examples/(\w+)\.py\)")
PAGE = """\
# {title}

{text}

```sh
python examples/{name}.py
```

`--help` lists its options.

```{{literalinclude}} ../../examples/{name}.py
```
"""
INDEX = """\
# Examples

Whole programs, which run as they are after `pip install ".[examples]"`. The data are digits
that come with scikit-learn, or what a program makes itself.

| Example | |
| --- | --- |
{rows}

```{{toctree}}
:hidden:

{names}
```
"""


def described() -> dict[str, tuple[str, str]]:
    """The first sentence of each example's docstring, and the rest, by name."""
    found = {}
    for path in sorted(EXAMPLES.glob("*.py")):
        doc = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
        title, _, rest = doc.partition("\n\n")
        found[path.stem] = " ".join(title.split()), rest
    return found


def write(app: Sphinx) -> None:
    """The pages, beside one that lists them."""
    folder = Path(app.srcdir) / "examples"
    folder.mkdir(exist_ok=True)
    found = described()
    rows = [
        f"| [{name}.py]({name}.md) | {title} |" for name, (title, _) in found.items()
    ]
    index = INDEX.format(rows="\n".join(rows), names="\n".join(found))
    (folder / "index.md").write_text(index, "utf-8")
    for name, (title, text) in found.items():
        page = PAGE.format(title=title.rstrip("."), text=text, name=name)
        (folder / f"{name}.md").write_text(page, "utf-8")


def lead_to_pages(app: Sphinx, page: str, source: list[str]) -> None:
    """Turns links to the files into links to their pages."""
    root = "../" * page.count("/")
    source[0] = LINK.sub(rf"]({root}examples/\1.md)", source[0])


def setup(app: Sphinx) -> dict[str, Any]:
    """Joins this to a build."""
    app.connect("builder-inited", write)
    app.connect("source-read", lead_to_pages)
    return {"parallel_read_safe": True}
