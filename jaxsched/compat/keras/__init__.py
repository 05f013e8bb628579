"""Keras' learning-rate schedules: the same names and arguments, as values.

Every function returns an ordinary schedule, and what that prints as is how to write it in
this library's own words. The `name` of a Keras schedule is taken and not used.
`from_keras` reads what Keras serializes.
"""

from jaxsched.compat.keras.config import from_keras
from jaxsched.compat.keras.cosines import CosineDecay, CosineDecayRestarts
from jaxsched.compat.keras.decays import (
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)

__all__ = [
    "ExponentialDecay",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "InverseTimeDecay",
    "CosineDecay",
    "CosineDecayRestarts",
    "from_keras",
]
