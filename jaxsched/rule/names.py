"""Rules by name: which rule a text means, and which text means a rule.

A rule is known by its module and qualified name. Text uses the last part of that, or as
many of the last parts as tell it from others: `cosine`, `my_ramp`, `lab.my_ramp`. The
schedules of this package keep their bare names, whatever others are called.
"""

from collections.abc import Iterator
from typing import Any

from jaxsched.rule.rule import Rule

_PREFIXES = ("js", "jaxsched")  # how this package is usually imported

# A rule that is pickled by value is entered in the same names in every process.
_all: dict[str, "Names"] = {}


class Names:
    """All rules of some kinds, found by name.

    Args:
      kind: What to call one in an error.
    """

    kind: str

    def __init__(self, kind: str):
        self.kind = kind
        self._rules: dict[tuple[str, ...], Rule] = {}
        _all[kind] = self

    def __reduce__(self) -> tuple[Any, ...]:
        return Names.of, (self.kind,)

    def add(self, rule: Rule) -> None:
        """Enters a rule; a new definition takes the place of an older one."""
        rule.names = self
        self._rules[rule.path] = rule

    def known(self, rule: Rule) -> Rule:
        """The entered rule that is the same, or the rule itself, entered if it is new."""
        found = self._rules.setdefault(rule.path, rule)
        rule.names = self
        return found if found == rule else rule

    @staticmethod
    def of(kind: str) -> "Names":
        """Those of a kind."""
        return _all[kind]

    def at(self, module: str, name: str) -> Rule | None:
        """The rule of a module by its name there, or None."""
        return self._rules.get((*module.split("."), *name.split(".")))

    def meant(self, name: str) -> list[Rule]:
        """The rules that a name may mean: one, none, or several of other packages."""
        parts = tuple(name.split("."))
        ours = len(parts) > 1 and parts[0] in _PREFIXES
        parts = parts[1:] if ours else parts
        if name == "array":  # what text calls for an array
            return []
        if not ours and parts in self._rules:
            return [self._rules[parts]]
        rules = list(self._rules.items())  # another thread may enter some
        found = [r for p, r in rules if p[-len(parts) :] == parts]
        if not found:  # as in Python: `js.published.bert` says nothing of the file
            room, last = parts[:-1], name.rpartition(".")[2]
            found = [
                rule
                for path, rule in rules
                if rule.is_own and path[1 : len(parts)] == room and rule.name == last
            ]
        own = [rule for rule in found if rule.is_own]
        return own if ours or (own and len(parts) == 1) else found

    def find(self, name: str) -> Rule | None:
        """The rule that a name means, or None.

        Args:
          name: The bare name, or with some of the last parts of the module before it.

        Raises:
          ValueError: Several packages use the name.
        """
        found = self.meant(name)
        if len(found) > 1:
            full = ", ".join(sorted(".".join(rule.path) for rule in found))
            raise ValueError(
                f"{name} is the name of several {self.kind}s: {full}; write more of the "
                f"name that you mean, or give names={{{name!r}: ...}}"
            )
        return found[0] if found else None

    def shortest(self, rule: Rule) -> str:
        """The shortest name that means the rule."""
        for length in range(1, len(rule.path) + 1):
            name = ".".join(rule.path[-length:])
            if self.meant(name) == [rule]:
                return name
        return ".".join(rule.path)

    def why_not(self, rule: Rule) -> str | None:
        """Why no name means the rule, or None where one does."""
        if rule.captures:
            return (
                f"uses variables of the function around it: {', '.join(rule.captures)}"
            )
        if self._rules.setdefault(rule.path, rule) != rule:
            return "was defined again since"
        if self.meant(self.shortest(rule)) != [rule]:
            return "is called like something else"
        return None

    def recipe_with(self, argument: str) -> str | None:
        """The name of a recipe that takes the argument."""
        takers = (r for r in self.rules() if r.is_recipe)
        return next((r.name for r in takers if argument in r.domains), None)

    def __iter__(self) -> Iterator[str]:
        return (self.shortest(rule) for rule in self.rules())

    def rules(self) -> list[Rule]:
        """All rules, in the order in which they were made."""
        return list(self._rules.values())
