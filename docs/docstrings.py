"""What pages take from the docstrings, which `jaxsched explain` shows whole."""

import inspect
from typing import Any


def summary(thing: Any) -> str:
    """The first paragraph."""
    return said(thing, "")


def use(thing: Any) -> str:
    """The situation that it is for."""
    return said(thing, "\n\nUse it when ").rstrip(".")


def reference(thing: Any) -> str:
    """The paper or code that it follows."""
    return said(thing, "\nReference:")


def said(thing: Any, head: str) -> str:
    """What follows a head, up to an empty line, as one line."""
    doc = inspect.getdoc(thing) or ""
    begin = doc.find(head)
    found = doc[begin + len(head) :].partition("\n\n")[0] if begin >= 0 else ""
    return " ".join(found.split())
