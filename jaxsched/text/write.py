"""The text of a schedule: its constructor call."""

from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from jaxsched.domains.tables import Numbers
from jaxsched.rule import Bound, same
from jaxsched.schedule import is_array
from jaxsched.shapes import Shape


def write(value: Any) -> str:
    """The text of a schedule, a shape or a hyperparameter."""
    if isinstance(value, Bound):
        given = _given(value, everything=isinstance(value, Shape))
        return f"{value._rule.name}({', '.join(f'{k}={v}' for k, v in given.items())})"
    if isinstance(value, Tracer):
        return f"<traced {value.dtype.name}{list(value.shape)}>"
    if isinstance(value, Numbers):
        return write(value.array) if is_device(value) else repr(value.array.tolist())
    if is_array(value):
        return f"array({plain(value)}, dtype={value.dtype.name!r})"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(write, value))}]"
    return repr(value)


def _given(value: Bound, *, everything: bool) -> dict[str, str]:
    """The text of the hyperparameters; of those that are not their default, if not all."""
    rule = value._rule
    texts = {}
    for name, own in value._values.items():
        default = rule.signature.parameters[name].default
        if not everything and default is not rule.signature.empty:
            if default is None and own is None:
                continue
            if default is not None and same(rule.domains[name].admit(default), own):
                continue
        texts[name] = repr(own._rule.name) if is_named_shape(own) else write(own)
    return texts


def is_named_shape(value: Any) -> bool:
    """Whether it is a shape without hyperparameters, which its name says all about."""
    return isinstance(value, Shape) and not value._values


def is_device(value: Numbers) -> bool:
    """Whether a table has become an array of JAX, by a transformation."""
    return not isinstance(value.array, np.ndarray)


def plain(value: Any) -> Any:
    """An array as Python numbers, as short as its dtype allows."""
    host = np.asarray(value)
    if host.dtype in (np.float16, np.float32):
        return jax.tree.map(lambda x: float(str(x)), _nested(host))
    return host.tolist()


def _nested(host: np.ndarray) -> Any:
    return host[()] if host.ndim == 0 else [_nested(row) for row in host]
