"""Known names that are like one that nobody has."""

import difflib
import re
from collections.abc import Iterable

# Names are as much alike as difflib says, from 0 to 1: beyond this they are one misspelt.
_CLEAR = 0.88

# What is so much less alike than the likest is not meant: `cosin` is cosine, not swin.
_MARGIN = 0.15


def alike(name: str, known: Iterable[str], n: int = 3) -> list[str]:
    """Up to n known names: a misspelt one, those with no other words, those spelled alike.

    What has no other words than `cosine_decay_schedule` is cosine.
    """
    spelled: dict[str, str] = {}
    for other in known:
        spelled.setdefault(snake(other), other)
    asked = snake(name)
    words = set(asked.split("_"))
    within = [other for other in spelled if words.issuperset(other.split("_"))]
    within.sort(key=lambda other: -len(other.split("_")))
    misspelt = close(asked, spelled, _CLEAR)
    found = dict.fromkeys([*misspelt, *within, *close(asked, spelled, 0.6)])
    return [spelled[other] for other in found][:n]


def close(asked: str, known: Iterable[str], least: float) -> list[str]:
    """The names that are about as much alike as the likest, that one first."""
    names = list(known)
    likest = difflib.get_close_matches(asked, names, n=1, cutoff=least)
    if not likest:
        return []
    best = difflib.SequenceMatcher(None, likest[0], asked).ratio()
    cutoff = max(least, best - _MARGIN)
    return difflib.get_close_matches(asked, names, n=len(names), cutoff=cutoff)


def snake(name: str) -> str:
    """A name in small letters, with its words apart: CosineDecay is cosine_decay."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def nearest(names: list[str]) -> str:
    """What an error says of the names that are alike."""
    if not names:
        return ""
    return f"; the nearest {'is' if len(names) == 1 else 'are'} {', '.join(names)}"
