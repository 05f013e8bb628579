"""Unit curves: how a bounded move gets from its start to its end."""

from jaxsched.shapes.curves import (
    cosine,
    exponential_to_zero,
    inverse_proportional,
    linear,
    mirror_cosine,
    one_minus_power,
    one_minus_sqrt,
    raised,
    rex,
    sine,
    sqrt,
    square,
    tanh,
)
from jaxsched.shapes.shape import (
    OfShape,
    Shape,
    ShapeLike,
    Weights,
    as_shape,
    shape,
    shapes,
)

__all__ = [
    "Shape",
    "ShapeLike",
    "OfShape",
    "as_shape",
    "shape",
    "shapes",
    "Weights",
    "raised",
    "cosine",
    "exponential_to_zero",
    "inverse_proportional",
    "linear",
    "mirror_cosine",
    "one_minus_power",
    "one_minus_sqrt",
    "rex",
    "sine",
    "sqrt",
    "square",
    "tanh",
]
