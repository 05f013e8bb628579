"""Finds the formulas of docstrings and typesets them on the site.

What stands before the arguments is read by `notation`: in a sentence whatever is a
formula, in an indented block all or nothing. An algorithm stays code.
"""

import inspect
import re
from collections.abc import Iterator, Set
from typing import Any

from notation import Reader, whole, worded
from sphinx.application import Sphinx

# What makes a formula of a name: prose has names and numbers, too.
TELLING = re.compile(r"[=<>^*/|]|[\w)] [-+] [\w(]|\w\(|\w_\w\b|\w \(|\w\[")
QUOTED = re.compile(r"`[^`]*`(?:_)?|\"[^\"]*\"|arXiv:\S+|https?://\S+")
WORD = re.compile(r"(?<![\w`.:'-])(?=[A-Za-z0-9(|-])")


def inline(text: str, names: Set[str]) -> str:
    """A paragraph, with each formula in it as a role of reStructuredText."""
    text = worded(text)
    result, place = "", 0
    while place < len(text):
        if quoted := QUOTED.match(text, place):
            result, place = result + quoted[0], quoted.end()
            continue
        found, end = "", place
        if WORD.match(text, place) and not re.search(r"([-+*/^=] ?|\w)\(?$", result):
            reader = Reader(text, place, names)
            found, end = reader.maybe(reader.relation), reader.place
        if found and is_formula(text[place:end]) and is_free(text, end):
            result, place = result + f":math:`{found}`", end
        else:
            step = re.compile(r"\w+|.", re.DOTALL).match(text, place)
            assert step
            result, place = result + step[0], step.end()
    return result


def is_formula(text: str) -> bool:
    """Whether what can be read as a formula is meant as one."""
    is_remark = text.startswith("(") and "=" in text  # the bracket is the sentence's
    return bool(TELLING.search(text)) and not is_remark


def is_free(text: str, end: int) -> bool:
    """Whether a formula that ends here is not cut out of something longer."""
    return not re.match(r"[\w(\[=^*_`]| *[=^<>/*+]| - ", text[end:])


def display(lines: list[str], names: Set[str]) -> str | None:
    """An indented block as one formula of several lines, or None if it is code."""
    text = re.sub(r"(?<= of)\n\s+|\n\s+(?=\+)", " ", "\n".join(lines))
    rows = [row(line.strip(), names) for line in text.splitlines()]
    found = [line for line in rows if line is not None]
    if len(found) < len(rows):
        return None
    if len(found) == 1:
        return found[0].replace("&", "")
    lefts = {line.partition(" = ")[0] for line in found}
    if len(lefts) == 1 and all("&" in line for line in found):
        cases = r" \\ ".join(line.partition(" = ")[2] for line in found)
        return rf"{lefts.pop()} = \begin{{cases}} {cases} \end{{cases}}"
    aligned = r" \\ ".join(line.replace("=", "&=", 1) for line in found)
    return rf"\begin{{aligned}} {aligned} \end{{aligned}}"


def row(line: str, names: Set[str]) -> str | None:
    """A line of a block; what it holds for is behind a `&`."""
    formula, _, rest = re.sub(r"  +", "\0", line).partition("\0")
    if not rest:
        formula, _, rest = re.sub(r", (?=divided )", ",\0", line).partition("\0")
    continues = formula.startswith("=")
    found = whole(formula.removeprefix("=").rstrip(","), names)
    if found is None:
        return None
    text = "= " + found if continues else found
    if not rest:
        return text
    if second := whole(rest, names):
        return rf"{text}, \quad {second}"
    if rest.startswith("for ") and (condition := whole(rest[4:], names)):
        return rf"{text} & \text{{for }} {condition}"
    if formula.endswith(","):
        return rf"{text}, \text{{ {rest}}}"
    return rf"{text} & \text{{{rest}}}"


SECTIONS = (
    "Args:",
    "Returns:",
    "Raises:",
    "Attributes:",
    "Reference:",
    ">>>",
    "Example",
)


# Lists and directives need their lines as they are.
LIST = re.compile(r"[-*|] |[.][.] |\d+[.] ")


def typeset(lines: list[str], names: Set[str]) -> list[str]:
    """The lines of a docstring, with the formulas before its sections typeset."""
    result: list[str] = []
    in_text = True
    for paragraph in paragraphs(lines):
        if paragraph[0].startswith(SECTIONS):
            in_text = False
        text = " ".join(line.strip() for line in paragraph)
        if not in_text or LIST.match(text):
            result += [*paragraph, ""]
        elif paragraph[0].startswith("    "):
            found = display(paragraph, names)
            head = ["::"] if found is None else [".. math::"]
            body = paragraph if found is None else [f"    {found}"]
            result += [*head, "", *body, ""]
        else:
            result += [inline(text, names), ""]
    return result


def paragraphs(lines: list[str]) -> Iterator[list[str]]:
    """The parts between empty lines."""
    part: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            part.append(line)
        elif part:
            yield part
            part = []


def typeset_docstring(
    app: Sphinx, kind: str, name: str, thing: Any, options: Any, lines: list[str]
) -> None:
    """Typesets the formulas of a docstring before napoleon sees it."""
    lines[:] = typeset(lines, names_of(thing))


def names_of(thing: Any) -> Set[str]:
    """The arguments of a function or a class."""
    try:
        return set(inspect.signature(thing).parameters)
    except (TypeError, ValueError):
        return set()


def setup(app: Sphinx) -> None:
    """Joins this to a build."""
    app.connect("autodoc-process-docstring", typeset_docstring, priority=390)
