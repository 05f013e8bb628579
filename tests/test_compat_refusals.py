"""What the compat functions refuse, they refuse in the other library's words.

`parity/test_refusals.py` asks the other libraries what they refuse.
"""

import inspect
import re

import jax.numpy as jnp
import numpy as np
import pytest
from test_compat import CALLS, MODULES

import jaxsched as js
from jaxsched.compat.arguments import Anything
from jaxsched.metric_driven.machine import MetricDriven
from jaxsched.rule import rule_of

BAD = {
    "text": "a",
    "object": object(),
    "none": None,
    "nan": float("nan"),
    "infinity": float("inf"),
    "minus-one": -1,
    "zero": 0,
    "half": 0.5,
    "minus-half": -0.5,
    "true": True,
    "complex": 1j,
    "huge": 10**400,
    "array": np.array([1.0, 2.0]),
    "jax-array": jnp.zeros((2, 2)),
    "empty-list": [],
    "list": ["a"],
    "dict": {},
    "type": int,
    "fractions": [0.5, 1.5],
    "falling": [7, 2],
    "many": [1] * 9,
    "far": [1e30, 2e30],
    "scales": {2: -1.0},
    "fraction-scales": {0.5: 0.5},
    "text-scales": {"a": 0.5},
    "dicts": [{"peak_value": 1.0}, {"a": 1}],
    "dict-of-text": {"peak_value": "a"},
    "schedules": [0.1, "b"],
}

# Their arguments are those of another function.
HANDED_ON = {"get_reduce_on_plateau_schedule", "from_torch", "from_keras"}

HANDS_TO = {
    "sgdr_schedule": {"warmup_cosine_decay_schedule"},
    "get_scheduler": {"get_linear_schedule_with_warmup"},
}


def of_every_function():
    """Each function with the arguments of the first call on its page."""
    found = {}
    for peer, call in CALLS:
        name = call.partition("(")[0]
        if (peer, name) in found or name in HANDED_ON:
            continue
        function = getattr(MODULES[peer], name, None)
        if function is None:  # a method, or a module's
            continue
        given = inspect.signature(function)
        names = {**vars(MODULES[peer]), "js": js, "it": given.bind}
        bound = eval(call.replace(name, "it", 1), names)
        bound.apply_defaults()
        found[peer, name] = (function, dict(bound.arguments))
    return found


GOOD = of_every_function()
ARGUMENTS = [
    pytest.param(
        function,
        values,
        argument,
        id=f"{peer}-{name}-{argument}",
        marks=[pytest.mark.slow] * (i % 4 > 0),  # most are for the slow run
    )
    for (peer, name), (function, values) in GOOD.items()
    for i, argument in enumerate(values)
]


def domains(function):
    """What each argument may be; `DrivesMomentum` wraps a constructor."""
    return rule_of(getattr(function, "_rate", function)).domains


def test_every_function_is_tried():
    public = {
        (peer, name) for peer, module in MODULES.items() for name in module.__all__
    }
    assert {name for _, name in public - GOOD.keys()} == HANDED_ON


@pytest.mark.parametrize(("function", "values", "argument"), ARGUMENTS)
def test_bad_arguments(function, values, argument):
    """Each is taken, and then gives numbers, or refused by its name at once."""
    for name, bad in BAD.items():
        try:
            made = function(**{**values, argument: bad})
        except (TypeError, ValueError, NotImplementedError) as error:
            message = str(error)
            assert message.startswith(f"{function.__name__}: "), (name, message)
            said, _, got = message.partition(", got ")
            inside = re.match(r"\w+: (\w+): ", said)
            if inside is None:  # with the value of an argument of its own
                assert any(f"{own}=" in got for own in values), message
            else:  # or of a function of the other library that it hands arguments to
                assert inside.group(1) in HANDS_TO[function.__name__], message
        else:
            refuses = not isinstance(domains(function)[argument], Anything)
            assert not (refuses and name in ("text", "object", "complex", "type"))
            if not isinstance(made, MetricDriven):
                assert np.all(np.isfinite(made.at(np.array([0, 1, 7, 1000])))), name
