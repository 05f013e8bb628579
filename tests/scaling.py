"""The curve of a schedule with all its values multiplied."""

from typing import Any

import jaxsched as js
from jaxsched.domains.numbers import Number
from jaxsched.domains.tables import Table

# What multiplies the values beside those that are values themselves.
ALSO = {"noam": ["factor"], "power_law": ["scale"]}


def is_value(domain: Any) -> bool:
    """Whether a hyperparameter is a value of the schedule, or a table of them."""
    of = domain.of if isinstance(domain, Table) else domain
    if type(of) is not Number or of.whole:
        return False
    return of.least is of.above is of.most is None


def scaled(s: js.Schedule, by: float) -> js.Schedule:
    """The same curve with all its values multiplied."""
    rule, changed = s._rule, {}
    for name, value in s._values.items():
        if isinstance(value, js.Schedule):
            kept = rule.name in ("multiply", "divide") and name == "second"
            changed[name] = value if kept or name == "clock" else scaled(value, by)
        elif isinstance(value, tuple):
            changed[name] = [scaled(part, by) for part in value]
        elif value is None or isinstance(value, js.Shape):
            changed[name] = value
        elif is_value(rule.domains[name]) or name in ALSO.get(rule.name, ()):
            table = hasattr(value, "__len__")
            changed[name] = [v * by for v in value] if table else value * by
        else:
            changed[name] = getattr(value, "function", value)
    return rule.constructor(**changed)
