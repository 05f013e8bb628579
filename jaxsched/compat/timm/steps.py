"""Decays in steps."""

from collections.abc import Sequence

from jaxsched.arrays import Numeric
from jaxsched.compat.timm.ramp_and_noise import Noise, NoiseRange, Ramp
from jaxsched.compat.torch.decays import MultiStepLR, StepLR
from jaxsched.domains.numbers import surely
from jaxsched.schedule import Schedule


def StepLRScheduler(
    lr: Numeric,
    decay_t: float,
    decay_rate: Numeric = 1.0,
    warmup_t: int = 0,
    warmup_lr_init: Numeric = 0.0,
    warmup_prefix: bool = True,
    t_in_epochs: bool = True,
    noise_range_t: NoiseRange = None,
    noise_pct: float = 0.67,
    noise_std: float = 1.0,
    noise_seed: int = 42,
    initialize: bool = True,
) -> Schedule:
    """Multiplied by `decay_rate` every `decay_t` steps: `step_decay`, after a ramp.

    Args:
      lr: The base learning rate.
      decay_t: Steps between drops, > 0.
      decay_rate: The factor per drop, >= 0.
      warmup_t: The length of the ramp.
      warmup_lr_init: The first value of the ramp.
      warmup_prefix: Whether the decay begins after the ramp, and not during it.
      t_in_epochs: Not used.
      noise_range_t: The first step with noise, or that and the first one without.
      noise_pct: The largest noise as a part of the rate, > 0.
      noise_std: The standard deviation of the noise before it is cut off.
      noise_seed: A whole number >= 0.
      initialize: Not used.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: An argument is out of its bounds.
      TypeError: An argument is not a real number.

    Example:
      >>> from jaxsched.compat import timm
      >>> timm.StepLRScheduler(0.1, decay_t=30, decay_rate=0.5)
      step_decay(init_value=0.1, factor=0.5, every=30)
    """
    decay = StepLR(lr, decay_t, decay_rate)
    ramp = Ramp(warmup_t, warmup_lr_init, warmup_prefix)
    whole_run = ramp.before(decay, lr, meets=warmup_prefix)
    noise = Noise(noise_range_t, noise_pct, noise_std, noise_seed)
    return noise.on("StepLRScheduler", whole_run)


def MultiStepLRScheduler(
    lr: Numeric,
    decay_t: Sequence[int],
    decay_rate: Numeric = 1.0,
    warmup_t: int = 0,
    warmup_lr_init: Numeric = 0.0,
    warmup_prefix: bool = True,
    t_in_epochs: bool = True,
    noise_range_t: NoiseRange = None,
    noise_pct: float = 0.67,
    noise_std: float = 1.0,
    noise_seed: int = 42,
    initialize: bool = True,
) -> Schedule:
    """Multiplied by `decay_rate` one step before each of `decay_t`: `multistep`.

    Args:
      lr: The base learning rate.
      decay_t: Steps; as in timm the rate falls one step earlier.
      decay_rate: The factor per drop, >= 0.
      warmup_t: The length of the ramp.
      warmup_lr_init: The first value of the ramp.
      warmup_prefix: Whether the decay begins after the ramp, and not during it.
      t_in_epochs: Not used.
      noise_range_t: The first step with noise, or that and the first one without.
      noise_pct: The largest noise as a part of the rate, > 0.
      noise_std: The standard deviation of the noise before it is cut off.
      noise_seed: A whole number >= 0.
      initialize: Not used.

    Returns:
      A `Schedule`.

    Raises:
      ValueError: An argument is out of its bounds.
      TypeError: An argument is not a real number.

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
    return noise.on("MultiStepLRScheduler", whole_run)
