"""What the arguments that timm's schedulers share may be, and their texts."""

from collections.abc import Sequence
from typing import Annotated, Any

from jaxsched.compat.arguments import Known, SignedLength
from jaxsched.domains import (
    Factor,
    Flag,
    LengthFactor,
    Period,
    Rate,
    Seed,
    Steps,
    Value,
)
from jaxsched.rule import Domain

# What the decay is.
FirstLength = Annotated[Period, "The length of the first cycle, > 0."]
Bottom = Annotated[
    Rate, "The value each cycle falls to, >= 0, and stays at after the last."
]
TimePower = Annotated[Factor, "The exponent of time, > 0."]

# How it is repeated.
CycleMul = Annotated[
    LengthFactor,
    "Each cycle is that many times as long as the one before: 1, or >= 1.001.",
]
CycleDecay = Annotated[Factor, "The factor on the peak per cycle, > 0."]
CycleLimit = Annotated[
    int,
    Known(least=0, whole="must", kind="a whole number"),
    "How many cycles there are, >= 0.",
]

# The ramp before it.
RampLength = Annotated[Steps, "The length of the ramp, >= 0."]
RampStart = Annotated[Value, "The first value of the ramp."]
Prefix = Annotated[Flag, "Whether the decay begins after the ramp, and not during it."]


class RangeOfSteps(Domain):
    """A step, or two."""

    words: str = "steps | (steps, steps)"

    def admit(self, value: Any) -> Any:
        step = SignedLength()
        if not isinstance(value, (list, tuple)):
            return step.admit(value)
        if len(value) != 2:
            raise ValueError(
                "must be one step, or two: the first with noise and the first without it"
            )
        return tuple(map(step.admit, value))


# The noise on it.
NoiseRange = Annotated[
    Sequence[int] | int,
    RangeOfSteps(),
    "The first step with noise, or that and the first one without.",
]
NoiseLimit = Annotated[
    float, Known(above=0), "The largest noise as a part of the rate, > 0."
]
NoiseDeviation = Annotated[
    float, Known(), "The standard deviation of the noise before it is cut off."
]
NoiseSeed = Annotated[Seed, "A whole number >= 0."]
