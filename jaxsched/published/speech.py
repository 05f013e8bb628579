"""Speech models whose schedules were published in updates."""

from jaxsched.domains import Steps, Value
from jaxsched.published.proportions import fit, part
from jaxsched.recipes.recipe import recipe
from jaxsched.recipes.warmups import warmup_linear
from jaxsched.schedule import Schedule


@recipe
def whisper(
    peak_value: Value = 1.75e-4,
    total_steps: Steps = 2**20,
    *,
    warmup_steps: Steps | None = None,
) -> Schedule:
    """Whisper, large: a ramp of 2,048 updates, then a straight line to 0.

    An update has 256 segments of 30 seconds. The peaks of the other sizes: 1.5e-3 (tiny),
    1e-3 (base), 5e-4 (small), 2.5e-4 (medium); large V2 had 2e-4 and 655,360 updates of
    1,024 segments. Not published: where the ramp begins; here at 0.

    Formula: `warmup_linear(peak_value, total_steps, warmup_steps, init_value=0.0)`.

    Args:
      peak_value: The value after the ramp.
      total_steps: Length of the whole in updates.
      warmup_steps: Length of the ramp in updates; 1 / 512 of the whole if not given.

    >>> import jaxsched as js
    >>> s = js.published.whisper()
    >>> [s.at(n) for n in (0, 2_048, 2**20)]
    [0.0, 0.000175, 0.0]

    Reference: Radford et al. (2022), arXiv:2212.04356, section 2.4 and appendix F.
    """
    ramp = part(warmup_steps, total_steps, 1, of=512)
    fit("total_steps", total_steps, warmup_steps=ramp)
    return warmup_linear(peak_value, total_steps, ramp, init_value=0.0)


@recipe
def wav2vec2_base(
    peak_value: Value = 5e-4,
    total_steps: Steps = 400_000,
    *,
    warmup_steps: Steps | None = None,
) -> Schedule:
    """wav2vec 2.0, base: a ramp of 8 %, then a straight line to 0.

    Formula: `warmup_linear(peak_value, total_steps, warmup_steps, init_value=0.0)`.

    Args:
      peak_value: The value after the ramp.
      total_steps: Length of the whole in updates.
      warmup_steps: Length of the ramp in updates; 8 % of the whole if not given.

    >>> import jaxsched as js
    >>> s = js.published.wav2vec2_base()
    >>> [s.at(n) for n in (0, 32_000, 400_000)]
    [0.0, 0.0005, 0.0]

    Reference: fairseq,
    `examples/wav2vec/config/pretraining/wav2vec2_base_librispeech.yaml`; Baevski et al.
    (2020), arXiv:2006.11477.
    """
    ramp = part(warmup_steps, total_steps, 32_000, of=400_000)
    fit("total_steps", total_steps, warmup_steps=ramp)
    return warmup_linear(peak_value, total_steps, ramp, init_value=0.0)
