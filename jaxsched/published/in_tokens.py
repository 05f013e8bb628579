"""Models that write text, whose schedules were published in tokens."""

from jaxsched.combinators.sequence import cooldown, warmup
from jaxsched.combinators.time import shift
from jaxsched.decays.power import power_law
from jaxsched.domains import Factor, Power, Steps, Value
from jaxsched.published.proportions import fit, level, part
from jaxsched.recipes.phases import wsd
from jaxsched.recipes.recipe import recipe
from jaxsched.recipes.warmups import warmup_cosine
from jaxsched.schedule import Schedule
from jaxsched.schedule.arguments import constant
from jaxsched.shapes import exponential_to_zero


@recipe
def gpt3(
    peak_value: Value = 6e-5,
    total_tokens: Steps = 300_000_000_000,
    *,
    warmup_tokens: Steps | None = None,
    end_value: Value | None = None,
) -> Schedule:
    """GPT-3 175B: a ramp of 375 million tokens, a cosine to a tenth by 260 billion.

    The last 40 billion tokens are at that tenth. All sizes had the same lengths; their
    peaks: 6e-4 (125M), 3e-4 (350M), 2.5e-4 (760M), 2e-4 (1.3B), 1.6e-4 (2.7B), 1.2e-4
    (6.7B), 1e-4 (13B). Not published: where the ramp begins.

    Formula: `warmup_cosine(peak_value, 13 / 15 total_tokens, warmup_tokens, end_value)`.

    Args:
      peak_value: The value after the ramp.
      total_tokens: Length of the whole in tokens.
      warmup_tokens: Length of the ramp in tokens; 1 / 800 of the whole if not given.
      end_value: The value at the end; a tenth of the peak if not given.

    >>> import jaxsched as js
    >>> s = js.published.gpt3()
    >>> [s.at(n) for n in (375e6, 260e9, 300e9)]
    [6e-05, 6e-06, 6e-06]

    Reference: Brown et al. (2020), arXiv:2005.14165, table 2.1 and appendix B.
    """
    ramp = part(warmup_tokens, total_tokens, 375e6, of=300e9)
    decayed = part(None, total_tokens, 260e9, of=300e9)
    fit("13 / 15 of total_tokens", decayed, warmup_tokens=ramp)
    end = level(end_value, peak_value, 6e-6, of=6e-5)
    return warmup_cosine(peak_value, decayed, ramp, end)


@recipe
def bloom_176b(
    peak_value: Value = 6e-5,
    total_tokens: Steps = 220_000_000 * 2048,
    *,
    warmup_tokens: Steps | None = None,
    end_value: Value | None = None,
) -> Schedule:
    """BLOOM 176B: a ramp of 375 million tokens, a cosine to a tenth by 410 billion.

    As planned; the rest of the 450 billion tokens is at that tenth. The run counted
    sequences of 2,048 tokens, and its batch grew from 192 to 2,048 of them.

    Formula: `warmup_cosine(peak_value, 10 / 11 total_tokens, warmup_tokens, end_value,
    init_value=0.0)`.

    Args:
      peak_value: The value after the ramp.
      total_tokens: Length of the whole in tokens.
      warmup_tokens: Length of the ramp in tokens; in proportion to 375e6 if not given.
      end_value: The value at the end; a tenth of the peak if not given.

    >>> import jaxsched as js
    >>> s = js.published.bloom_176b()
    >>> [s.at(n) for n in (375e6, 410e9, 450e9)]
    [6e-05, 6e-06, 6e-06]

    Reference: bigscience-workshop/bigscience, `train/tr11-176B-ml/README.md`; Le Scao et
    al. (2022), arXiv:2211.05100.
    """
    ramp = part(warmup_tokens, total_tokens, 183_105, of=220_000_000)
    decayed = part(None, total_tokens, 10, of=11)
    fit("10 / 11 of total_tokens", decayed, warmup_tokens=ramp)
    end = level(end_value, peak_value, 6e-6, of=6e-5)
    return warmup_cosine(peak_value, decayed, ramp, end, init_value=0.0)


@recipe
def chinchilla(
    peak_value: Value = 1e-4,
    total_tokens: Steps = 1_400_000_000_000,
    *,
    warmup_tokens: Steps = 0,
    end_value: Value | None = None,
) -> Schedule:
    """Chinchilla 70B: a cosine to a tenth of the peak, exactly as long as the run.

    That a cosine must be as long as the run is what the paper found: one that is planned
    25 % too long ends visibly higher. Not published: the ramp, which is left out here.

    Formula: `warmup_cosine(peak_value, total_tokens, warmup_tokens, end_value)`.

    Args:
      peak_value: The value after the ramp.
      total_tokens: Length of the whole in tokens.
      warmup_tokens: Length of the ramp in tokens.
      end_value: The value at the end; a tenth of the peak if not given.

    >>> import jaxsched as js
    >>> s = js.published.chinchilla()
    >>> [s.at(n) for n in (0, 1.4e12)]
    [0.0001, 1e-05]

    Reference: Hoffmann et al. (2022), arXiv:2203.15556, table 4 and appendix B.
    """
    fit("total_tokens", total_tokens, warmup_tokens=warmup_tokens)
    end = level(end_value, peak_value, 1e-5, of=1e-4)
    return warmup_cosine(peak_value, total_tokens, warmup_tokens, end)


@recipe
def llama_65b(
    peak_value: Value = 1.5e-4,
    total_tokens: Steps = 1_400_000_000_000,
    *,
    warmup_tokens: Steps | None = None,
    end_value: Value | None = None,
) -> Schedule:
    """LLaMA 65B: a ramp of 2,000 updates, then a cosine to a tenth of the peak.

    An update has 4 million tokens. The models of 7B and 13B had a peak of 3e-4 and
    1 trillion tokens. Not published: where the ramp begins.

    Formula: `warmup_cosine(peak_value, total_tokens, warmup_tokens, end_value)`.

    Args:
      peak_value: The value after the ramp.
      total_tokens: Length of the whole in tokens.
      warmup_tokens: Length of the ramp in tokens; in proportion to 8e9 if not given.
      end_value: The value at the end; a tenth of the peak if not given.

    >>> import jaxsched as js
    >>> s = js.published.llama_65b()
    >>> [s.at(n) for n in (8e9, 1.4e12)]
    [0.00015, 1.5e-05]

    Reference: Touvron et al. (2023), arXiv:2302.13971, table 2 and section 2.3.
    """
    ramp = part(warmup_tokens, total_tokens, 8e9, of=1.4e12)
    fit("total_tokens", total_tokens, warmup_tokens=ramp)
    end = level(end_value, peak_value, 1.5e-5, of=1.5e-4)
    return warmup_cosine(peak_value, total_tokens, ramp, end)


@recipe
def nemotron_nano_v2(
    peak_value: Value = 4.5e-4,
    total_tokens: Steps = 20_000_000_000_000,
    *,
    warmup_tokens: Steps | None = None,
    decay_tokens: Steps | None = None,
    end_value: Value | None = None,
) -> Schedule:
    """Nemotron Nano 2 12B: a ramp, constant, down to a hundredth in the last 18 %.

    Not published: the shape of the decay, here a straight line, and where the ramp
    begins.

    Formula: `wsd(peak_value, total_tokens, warmup_tokens, decay_tokens, end_value)`.

    Args:
      peak_value: The value of the constant part.
      total_tokens: Length of the whole in tokens.
      warmup_tokens: Length of the ramp in tokens; in proportion to 8e9 if not given.
      decay_tokens: Length of the decay in tokens; in proportion to 3.6e12 if not given.
      end_value: The value at the end; a hundredth of the peak if not given.

    >>> import jaxsched as js
    >>> s = js.published.nemotron_nano_v2()
    >>> [s.at(n) for n in (16.4e12, 20e12)]
    [0.00045, 4.5e-06]

    Reference: NVIDIA (2025), arXiv:2508.14444, section 2.5, and the card of
    NVIDIA-Nemotron-Nano-12B-v2-Base.
    """
    ramp = part(warmup_tokens, total_tokens, 8e9, of=20e12)
    decay = part(decay_tokens, total_tokens, 3.6e12, of=20e12)
    fit("total_tokens", total_tokens, warmup_tokens=ramp, decay_tokens=decay)
    end = level(end_value, peak_value, 4.5e-6, of=4.5e-4)
    return wsd(peak_value, total_tokens, ramp, decay, end)


@recipe
def kimi_k2(
    peak_value: Value = 2e-4,
    total_tokens: Steps = 15_960_000_000_000,
    *,
    warmup_tokens: Steps | None = None,
    end_value: Value | None = None,
    last_value: Value | None = None,
) -> Schedule:
    """Kimi K2: constant to 10 trillion tokens, a cosine over 5.5, a last fall over 0.46.

    The ramp takes 500 updates of 67 million tokens; the cosine goes to a tenth, the last
    fall to 7e-6. Not published: the shape of the last fall, here a straight line, and
    where the ramp begins.

    Args:
      peak_value: The value of the plateau.
      total_tokens: Length of the whole in tokens.
      warmup_tokens: Length of the ramp in tokens; in proportion to 33.5e9 if not given.
      end_value: What the cosine goes to; a tenth of the peak if not given.
      last_value: The value at the end; 7 / 200 of the peak if not given.

    >>> import jaxsched as js
    >>> s = js.published.kimi_k2()
    >>> [s.at(n) for n in (10e12, 15.5e12, 15.96e12)]
    [0.0002, 2e-05, 7e-06]

    Reference: Kimi Team (2025), arXiv:2507.20534, section 2.5.
    """
    ramp = part(warmup_tokens, total_tokens, 500 * 67e6, of=15.96e12)
    begin = part(None, total_tokens, 10e12, of=15.96e12)
    decay = part(None, total_tokens, 5.5e12, of=15.96e12)
    fit("10 / 15.96 of total_tokens", begin, warmup_tokens=ramp)
    low = level(end_value, peak_value, 2e-5, of=2e-4)
    lowest = level(last_value, peak_value, 7e-6, of=2e-4)
    above = warmup(constant(peak_value), ramp)
    wave = cooldown(above, begin, decay, low, shape="cosine")
    return cooldown(wave, begin + decay, total_tokens - begin - decay, lowest)


@recipe
def power_lm(
    peak_value: Value = 0.02,
    total_tokens: Steps = 1_250_000_000_000,
    *,
    warmup_tokens: Steps | None = None,
    decay_tokens: Steps | None = None,
    batch_size: Factor = 1024.0,
    amplitude: Factor = 4.0,
    power: Power = 0.51,
) -> Schedule:
    """PowerLM-3B: a power of the tokens seen, under a ceiling; to 0 in the last fifth.

    The power law itself does not depend on the length of the run. The peak is that of a
    maximal update parametrization. Not published: the ramp of this run (the authors'
    search had 1 billion tokens), and the form of the exponential decay to 0, which is
    `exponential_to_zero()` here.

    Formula, up to the decay: min(peak_value, batch_size amplitude n^-power) after n
    tokens, and a line from 0 to it during the ramp.

    Args:
      peak_value: The ceiling.
      total_tokens: Length of the whole in tokens.
      warmup_tokens: Length of the ramp in tokens; in proportion to 1e9 if not given.
      decay_tokens: Length of the decay in tokens; a fifth of the whole if not given.
      batch_size: The sequences in a batch, > 0.
      amplitude: The factor of the power law, > 0.
      power: Its exponent, > 0.

    >>> import jaxsched as js
    >>> s = js.published.power_lm()
    >>> s.at(1e9), round(s.at(1e12), 6), s.at(1.25e12)
    (0.02, 0.003107, 0.0)

    Reference: Shen et al. (2024), arXiv:2408.13359, equations 7-8 and section 5.2.
    """
    ramp = part(warmup_tokens, total_tokens, 1e9, of=1.25e12)
    decay = part(decay_tokens, total_tokens, 1, of=5)
    fit("total_tokens", total_tokens, warmup_tokens=ramp, decay_tokens=decay)
    law = power_law(peak_value, batch_size * amplitude, power=power)
    above = warmup(shift(law, ramp), ramp, init_value=0.0)
    return cooldown(above, total_tokens - decay, decay, shape=exponential_to_zero())
