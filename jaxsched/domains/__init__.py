"""What a hyperparameter may be: one annotation says its check, its wording and its kind.

`def cosine(step, init_value: Value, end_value: Value, steps: Steps)` reads: two finite
numbers and a length. Constructors check concrete values and let tracers pass. Everything
numeric is data (a leaf of the schedule's pytree); flags, choices and plain callables are
static (part of its structure). What holds schedules is in `jaxsched.schedule`.
"""

from collections.abc import Sequence
from typing import Annotated, TypeAlias

import numpy as np
from jax import Array

from jaxsched.arrays import Numeric
from jaxsched.domains.choices import TrueOrFalse
from jaxsched.domains.numbers import Growth, Length, Number, whole_number
from jaxsched.domains.tables import Table

_LENGTH = Length(least=0)

# What may be given for a table.
_Row: TypeAlias = Sequence[Numeric] | Array | np.ndarray


Flag = Annotated[bool, TrueOrFalse()]


Value = Annotated[Numeric, Number()]


Rate = Annotated[Numeric, Number(least=0)]


Factor = Annotated[Numeric, Number(above=0)]


Power = Annotated[Numeric, Number(above=0)]


Steps = Annotated[Numeric, _LENGTH]


Period = Annotated[Numeric, Length(above=0)]


LengthFactor = Annotated[Numeric, Growth(least=1, whole="may")]


Count = Annotated[Numeric, whole_number(1)]


Seed = Annotated[Numeric, whole_number(0)]


Values = Annotated[_Row, Table(Number())]


Factors = Annotated[_Row, Table(Number(above=0))]


Boundaries = Annotated[_Row, Table(_LENGTH, rising=True)]


def is_length(domain: object) -> bool:
    """Whether it is the domain of `Steps`."""
    return domain is _LENGTH
