"""OLMo 2: cosines that are cut off, and then a straight line to 0; in tokens."""

from typing import Any

from jaxsched.combinators.sequence import cooldown
from jaxsched.domains import Steps, Value
from jaxsched.published.proportions import fit, level, part
from jaxsched.recipes.recipe import recipe
from jaxsched.recipes.warmups import warmup_cosine
from jaxsched.schedule import Schedule

# Checkpoint by checkpoint: updates of the first stage, times tokens of an update.
_FIRST_7B = 928_646 * 1024 * 4096
_FIRST_13B = 596_057 * 2048 * 4096
_FIRST_32B = 721_901 * 2048 * 4096


@recipe
def olmo2_7b(
    peak_value: Value = 3e-4,
    total_tokens: Steps = _FIRST_7B + 50_000_000_000,
    *,
    warmup_tokens: Steps | None = None,
    horizon_tokens: Steps | None = None,
    decay_tokens: Steps | None = None,
    end_value: Value | None = None,
) -> Schedule:
    """OLMo 2 7B: a cosine over 5 trillion tokens, cut at 3.9, then a line to 0.

    The line was configured to begin at 6.15e-5; the cosine is at 6.14e-5 there, where the
    line begins here. Three such second stages were averaged.

    Formula, with begin = total_tokens - decay_tokens:
    `cooldown(warmup_cosine(peak_value, horizon_tokens, warmup_tokens, end_value,
    init_value=0.0), begin, decay_tokens)`.

    Args:
      peak_value: The value after the ramp.
      total_tokens: Length of both stages in tokens, 3.945e12.
      warmup_tokens: Length of the ramp in tokens; in proportion to 8.39e9 (2,000 updates)
        if not given.
      horizon_tokens: Where the cosine would end, in tokens; in proportion to 5e12 if not
        given.
      decay_tokens: Length of the line in tokens; in proportion to 50e9 if not given.
      end_value: What the cosine goes to; a tenth of the peak if not given.

    >>> import jaxsched as js
    >>> s = js.published.olmo2_7b()
    >>> [float(f"{s.at(n * 1e12):.3g}") for n in (0.1, 3.89, 3.92, 3.946)]
    [0.0003, 6.16e-05, 3.07e-05, 0.0]

    Reference: OLMo Team (2025), arXiv:2501.00656; allenai/OLMo,
    `configs/official-1124/OLMo2-7B-stage1.yaml` and `OLMo2-7B-stage2-seed42.yaml`.
    """
    whole = _FIRST_7B + 50e9
    ramp = part(warmup_tokens, total_tokens, 2_000 * 1024 * 4096, of=whole)
    horizon = part(horizon_tokens, total_tokens, 5e12, of=whole)
    decay = part(decay_tokens, total_tokens, 50e9, of=whole)
    fit("total_tokens", total_tokens, warmup_tokens=ramp, decay_tokens=decay)
    fit("horizon_tokens", horizon, warmup_tokens=ramp)
    return _cut(peak_value, total_tokens, ramp, horizon, decay, end_value)


@recipe
def olmo2_13b(
    peak_value: Value = 9e-4,
    total_tokens: Steps = _FIRST_13B + 100_000_000_000,
    *,
    warmup_tokens: Steps | None = None,
    horizon_tokens: Steps | None = None,
    decay_tokens: Steps | None = None,
    end_value: Value | None = None,
) -> Schedule:
    """OLMo 2 13B: a cosine to a tenth over 5 trillion tokens, then a line to 0 over 0.1.

    The released configuration of the first stage has a peak of 3e-4, but that of the
    second begins at 9e-5, which is a tenth of the 9e-4 in the paper and here. The ramp is
    the configuration's, 1,000 updates; the paper says 2,000.

    Formula: see `olmo2_7b`.

    Args:
      peak_value: The value after the ramp.
      total_tokens: Length of both stages in tokens, 5.1e12.
      warmup_tokens: Length of the ramp in tokens; in proportion to 8.39e9 if not given.
      horizon_tokens: Where the cosine ends, in tokens; in proportion to 5e12 if not given.
      decay_tokens: Length of the line in tokens; in proportion to 100e9 if not given.
      end_value: What the cosine goes to; a tenth of the peak if not given.

    >>> import jaxsched as js
    >>> s = js.published.olmo2_13b()
    >>> [float(f"{s.at(n * 1e12):.3g}") for n in (0.1, 5.0, 5.05, 5.11)]
    [0.000899, 9e-05, 4.51e-05, 0.0]

    Reference: OLMo Team (2025), arXiv:2501.00656; allenai/OLMo,
    `configs/official-1124/OLMo2-13B-stage1.yaml` and `OLMo2-13B-stage2-seed1110-100B.yaml`.
    """
    whole = _FIRST_13B + 100e9
    ramp = part(warmup_tokens, total_tokens, 8_388_608_000, of=whole)
    horizon = part(horizon_tokens, total_tokens, 5e12, of=whole)
    decay = part(decay_tokens, total_tokens, 100e9, of=whole)
    fit("total_tokens", total_tokens, warmup_tokens=ramp, decay_tokens=decay)
    fit("horizon_tokens", horizon, warmup_tokens=ramp)
    return _cut(peak_value, total_tokens, ramp, horizon, decay, end_value)


@recipe
def olmo2_32b(
    peak_value: Value = 6e-4,
    total_tokens: Steps = _FIRST_32B + 100_000_000_000,
    *,
    warmup_tokens: Steps | None = None,
    horizon_tokens: Steps | None = None,
    decay_tokens: Steps | None = None,
    end_value: Value | None = None,
) -> Schedule:
    """OLMo 2 32B: a cosine over 6.5 trillion tokens, cut at 6.06, then a line to 0.

    Formula: see `olmo2_7b`.

    Args:
      peak_value: The value after the ramp.
      total_tokens: Length of both stages in tokens, 6.156e12.
      warmup_tokens: Length of the ramp in tokens; in proportion to 16.8e9 (2,000 updates)
        if not given.
      horizon_tokens: Where the cosine would end, in tokens; in proportion to 6.5e12 if
        not given.
      decay_tokens: Length of the line in tokens; in proportion to 100e9 if not given.
      end_value: What the cosine goes to; a tenth of the peak if not given.

    >>> import jaxsched as js
    >>> s = js.published.olmo2_32b()
    >>> [float(f"{s.at(n * 1e12):.3g}") for n in (0.1, 6.05, 6.1, 6.157)]
    [0.0006, 6.64e-05, 3.69e-05, 0.0]

    Reference: OLMo Team (2025), arXiv:2501.00656; allenai/OLMo-core,
    `src/scripts/official/OLMo2/OLMo-2-0325-32B-train.py` and `OLMo-2-0325-32B-anneal.py`.
    """
    whole = _FIRST_32B + 100e9
    ramp = part(warmup_tokens, total_tokens, 2_000 * 2048 * 4096, of=whole)
    horizon = part(horizon_tokens, total_tokens, 6.5e12, of=whole)
    decay = part(decay_tokens, total_tokens, 100e9, of=whole)
    fit("total_tokens", total_tokens, warmup_tokens=ramp, decay_tokens=decay)
    fit("horizon_tokens", horizon, warmup_tokens=ramp)
    return _cut(peak_value, total_tokens, ramp, horizon, decay, end_value)


def _cut(
    peak: Any, total: Any, ramp: Any, horizon: Any, decay: Any, end: Any
) -> Schedule:
    """The cosine up to where the line begins, and the line."""
    low = level(end, peak, 1, of=10)
    first = warmup_cosine(peak, horizon, ramp, low, init_value=0.0)
    return cooldown(first, total - decay, decay)
