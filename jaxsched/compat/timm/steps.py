"""Decays in steps."""

from collections.abc import Sequence
from typing import Annotated

from jaxsched.compat.arguments import (
    LearningRate,
    NotNegative,
    Row,
    SignedLength,
    Unused,
)
from jaxsched.compat.peer import peer
from jaxsched.compat.timm.arguments import (
    NoiseDeviation,
    NoiseLimit,
    NoiseRange,
    NoiseSeed,
    Prefix,
    RampLength,
    RampStart,
)
from jaxsched.compat.timm.ramp_and_noise import Noise, Ramp
from jaxsched.compat.torch.decays import MultiStepLR, StepLR
from jaxsched.domains import Period
from jaxsched.domains.numbers import surely
from jaxsched.schedule import Schedule


@peer
def StepLRScheduler(
    lr: LearningRate,
    decay_t: Period,
    decay_rate: NotNegative = 1.0,
    warmup_t: RampLength = 0,
    warmup_lr_init: RampStart = 0.0,
    warmup_prefix: Prefix = True,
    t_in_epochs: Unused = True,
    noise_range_t: NoiseRange | None = None,
    noise_pct: NoiseLimit = 0.67,
    noise_std: NoiseDeviation = 1.0,
    noise_seed: NoiseSeed | None = 42,
    initialize: Unused = True,
) -> Schedule:
    """A ramp, then a rate multiplied by `decay_rate` every `decay_t` steps: `step_decay`.

    Args:
      decay_t: Steps between drops, > 0.
      decay_rate: The factor per drop, >= 0.

    Example:
      >>> from jaxsched.compat import timm
      >>> timm.StepLRScheduler(0.1, decay_t=30, decay_rate=0.5)
      step_decay(init_value=0.1, factor=0.5, every=30)
    """
    decay = StepLR(lr, decay_t, decay_rate)
    ramp = Ramp(warmup_t, warmup_lr_init, warmup_prefix)
    whole_run = ramp.before(decay, lr, meets=warmup_prefix)
    noise = Noise(noise_range_t, noise_pct, noise_std, noise_seed)
    return noise.on(whole_run)


@peer
def MultiStepLRScheduler(
    lr: LearningRate,
    decay_t: Annotated[Sequence[int], Row(SignedLength())],
    decay_rate: NotNegative = 1.0,
    warmup_t: RampLength = 0,
    warmup_lr_init: RampStart = 0.0,
    warmup_prefix: Prefix = True,
    t_in_epochs: Unused = True,
    noise_range_t: NoiseRange | None = None,
    noise_pct: NoiseLimit = 0.67,
    noise_std: NoiseDeviation = 1.0,
    noise_seed: NoiseSeed | None = 42,
    initialize: Unused = True,
) -> Schedule:
    """A rate multiplied by `decay_rate` a step before each of `decay_t`: `multistep`.

    Args:
      decay_t: Steps; as in timm the rate falls one step earlier.
      decay_rate: The factor per drop, >= 0.

    Example:
      >>> from jaxsched.compat import timm
      >>> timm.MultiStepLRScheduler(0.1, decay_t=[30, 60], decay_rate=0.5)
      multistep(init_value=0.1, boundaries=[29, 59], factor=0.5)
    """
    begins = [max(boundary - 1, 0) for boundary in decay_t]
    decay = MultiStepLR(lr, begins, decay_rate)
    meets = warmup_prefix and not any(surely(b, lambda t: t == 0) for b in begins)
    ramp = Ramp(warmup_t, warmup_lr_init, warmup_prefix)
    whole_run = ramp.before(decay, lr, meets=meets)
    noise = Noise(noise_range_t, noise_pct, noise_std, noise_seed)
    return noise.on(whole_run)
