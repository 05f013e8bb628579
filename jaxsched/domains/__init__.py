"""What a hyperparameter may be: one annotation says its check, its wording and its kind.

`def cosine(step, init_value: Value, end_value: Value, steps: Steps)` reads: two finite
numbers and a length. Constructors check concrete values and let tracers pass. Everything
numeric is data (a leaf of the schedule's pytree); flags, choices and plain callables are
static (part of its structure).
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from jax.typing import ArrayLike

from jaxsched.domains.choices import TrueOrFalse
from jaxsched.domains.functions import Inner, Inners
from jaxsched.domains.numbers import Growth, Number, whole_number
from jaxsched.domains.tables import Table
from jaxsched.schedule import Schedule

_LENGTH = Number(least=0, whole="may", kind="a length")


Flag = Annotated[bool, TrueOrFalse()]


Value = Annotated[ArrayLike, Number()]


Rate = Annotated[ArrayLike, Number(least=0)]


Factor = Annotated[ArrayLike, Number(above=0)]


Power = Annotated[ArrayLike, Number(above=0)]


Fraction = Annotated[ArrayLike, Number(least=0, most=1)]


Steps = Annotated[ArrayLike, _LENGTH]


Period = Annotated[ArrayLike, Number(above=0, whole="may", kind="a length")]


LengthFactor = Annotated[ArrayLike, Growth(least=1, whole="may")]


Count = Annotated[ArrayLike, whole_number(1)]


Seed = Annotated[ArrayLike, whole_number(0)]


Values = Annotated[ArrayLike | Sequence[ArrayLike], Table(Number())]


Factors = Annotated[ArrayLike | Sequence[ArrayLike], Table(Number(above=0))]


Boundaries = Annotated[ArrayLike | Sequence[ArrayLike], Table(_LENGTH, rising=True)]


ScheduleLike = Annotated[Schedule | Callable[[Any], Any] | ArrayLike, Inner()]


ScheduleLikes = Annotated[Sequence[ScheduleLike], Inners()]
