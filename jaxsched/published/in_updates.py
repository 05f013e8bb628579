"""Models that write text, whose schedules were published in updates."""

from typing import Any

from jaxsched.combinators.limits import clip
from jaxsched.combinators.sequence import join
from jaxsched.decays.exponential import exponential_decay
from jaxsched.domains import Period, Steps, Value
from jaxsched.published.proportions import fit, level, part
from jaxsched.recipes.phases import wsd
from jaxsched.recipes.recipe import recipe
from jaxsched.recipes.warmups import warmup_cosine
from jaxsched.rule import known
from jaxsched.schedule import Schedule
from jaxsched.schedule.arguments import constant
from jaxsched.transitions import cosine, linear


@recipe
def gpt2_124m(
    peak_value: Value = 6e-4,
    total_steps: Steps = 600_000,
    *,
    warmup_steps: Steps | None = None,
    end_value: Value | None = None,
) -> Schedule:
    """GPT-2 (124M) as nanoGPT trains it: 2,000 updates of ramp, a cosine to a tenth.

    An update has 491,520 tokens. What OpenAI trained with was not published.

    Formula: `warmup_cosine(peak_value, total_steps, warmup_steps, end_value)`.

    Args:
      peak_value: The value after the ramp.
      total_steps: Length of the whole in updates.
      warmup_steps: Length of the ramp in updates; 1 / 300 of the whole if not given.
      end_value: The value at the end; a tenth of the peak if not given.

    >>> import jaxsched as js
    >>> s = js.published.gpt2_124m()
    >>> [s.at(n) for n in (2_000, 600_000)]
    [0.0006, 6e-05]

    Reference: karpathy/nanoGPT, `train.py` and `config/train_gpt2.py`.
    """
    ramp = part(warmup_steps, total_steps, 2_000, of=600_000)
    fit("total_steps", total_steps, warmup_steps=ramp)
    end = level(end_value, peak_value, 6e-5, of=6e-4)
    return warmup_cosine(peak_value, total_steps, ramp, end)


@recipe
def gpt_neox_20b(
    peak_value: Value = 0.97e-4,
    total_steps: Steps = 150_000,
    *,
    warmup_steps: Steps | None = None,
    min_value: Value | None = None,
) -> Schedule:
    """GPT-NeoX-20B: a ramp of 1 %, then a cosine that stops at a tenth of the peak.

    The code of that time took a cosine to 0, as long as the whole run from the end of the
    ramp on, and never went below the floor, which it reaches at about 80 % of the run. (It
    was changed in August 2023.)

    Formula: a line from 0 to peak_value, then
    `clip(cosine(peak_value, 0.0, total_steps), min_value=min_value)`.

    Args:
      peak_value: The value after the ramp.
      total_steps: Length of the whole in updates.
      warmup_steps: Length of the ramp in updates; a hundredth of the whole if not given.
      min_value: The floor of the cosine; a tenth of the peak if not given.

    >>> import jaxsched as js
    >>> s = js.published.gpt_neox_20b()
    >>> [s.at(n) for n in (1_500, 150_000)]
    [9.7e-05, 9.7e-06]

    Reference: EleutherAI/gpt-neox, `configs/20B.yml`; Black et al. (2022),
    arXiv:2204.06745.
    """
    ramp = part(warmup_steps, total_steps, 1, of=100)
    fit("total_steps", total_steps, warmup_steps=ramp)
    floor = level(min_value, peak_value, 0.97e-5, of=0.97e-4)
    return _cut_off(peak_value, total_steps, ramp, floor)


@recipe
def pythia_12b(
    peak_value: Value = 1.2e-4,
    total_steps: Steps = 143_000,
    *,
    warmup_steps: Steps | None = None,
    min_value: Value | None = None,
) -> Schedule:
    """Pythia 12B: a ramp of 1 %, then a cosine that stops at a tenth of the peak.

    The curve is that of `gpt_neox_20b`: the cosine alone would go to 0, and the floor is
    reached at about 80 % of the run.

    An update has two million tokens in all sizes. Their peaks: 1e-3 (14M to 70M), 6e-4
    (160M), 3e-4 (410M), 2.5e-4 (1B), 2e-4 (1.4B), 1.6e-4 (2.8B), 1.2e-4 (6.9B, 12B).

    Formula: see `gpt_neox_20b`.

    Args:
      peak_value: The value after the ramp.
      total_steps: Length of the whole in updates.
      warmup_steps: Length of the ramp in updates; a hundredth of the whole if not given.
      min_value: The floor of the cosine; a tenth of the peak if not given.

    >>> import jaxsched as js
    >>> s = js.published.pythia_12b()
    >>> [s.at(n) for n in (1_430, 143_000)]
    [0.00012, 1.2e-05]

    Reference: EleutherAI/pythia, `models/12B/pythia-12b.yml`; Biderman et al. (2023),
    arXiv:2304.01373.
    """
    ramp = part(warmup_steps, total_steps, 1, of=100)
    fit("total_steps", total_steps, warmup_steps=ramp)
    floor = level(min_value, peak_value, 1.2e-5, of=1.2e-4)
    return _cut_off(peak_value, total_steps, ramp, floor)


@recipe
def tinyllama(
    peak_value: Value = 4e-4,
    total_steps: Steps = 1_430_512,
    *,
    warmup_steps: Steps | None = None,
    end_value: Value | None = None,
) -> Schedule:
    """TinyLlama 1.1B: a ramp of 2,000 updates, then a cosine to a tenth of the peak.

    Formula: `warmup_cosine(peak_value, total_steps, warmup_steps, end_value,
    init_value=0.0)`.

    Args:
      peak_value: The value after the ramp.
      total_steps: Length of the whole in updates.
      warmup_steps: Length of the ramp in updates; 2,000 of 1,430,512 if not given.
      end_value: The value at the end; a tenth of the peak if not given.

    >>> import jaxsched as js
    >>> s = js.published.tinyllama()
    >>> [s.at(n) for n in (2_000, 1_430_512)]
    [0.0004, 4e-05]

    Reference: jzhang38/TinyLlama, `pretrain/tinyllama.py`; Zhang et al. (2024),
    arXiv:2401.02385.
    """
    ramp = part(warmup_steps, total_steps, 2_000, of=1_430_512)
    fit("total_steps", total_steps, warmup_steps=ramp)
    end = level(end_value, peak_value, 4e-5, of=4e-4)
    return warmup_cosine(peak_value, total_steps, ramp, end, init_value=0.0)


@recipe
def llama3_405b(
    peak_value: Value = 8e-5,
    total_steps: Steps = 1_200_000,
    *,
    warmup_steps: Steps | None = None,
    end_value: Value | None = None,
) -> Schedule:
    """Llama 3 405B: a ramp of 8,000 updates, then a cosine to a hundredth of the peak.

    The batch grew from 4 to 16 million tokens. Not in it: the annealing to 0 over 40
    million tokens at the end. Not published: where the ramp begins, and whether the
    1,200,000 updates count it; here they do.

    Formula: `warmup_cosine(peak_value, total_steps, warmup_steps, end_value)`.

    Args:
      peak_value: The value after the ramp.
      total_steps: Length of the whole in updates.
      warmup_steps: Length of the ramp in updates; 1 / 150 of the whole if not given.
      end_value: The value at the end; a hundredth of the peak if not given.

    >>> import jaxsched as js
    >>> s = js.published.llama3_405b()
    >>> [s.at(n) for n in (8_000, 1_200_000)]
    [8e-05, 8e-07]

    Reference: Grattafiori et al. (2024), arXiv:2407.21783, section 3.4.1.
    """
    ramp = part(warmup_steps, total_steps, 8_000, of=1_200_000)
    fit("total_steps", total_steps, warmup_steps=ramp)
    end = level(end_value, peak_value, 8e-7, of=8e-5)
    return warmup_cosine(peak_value, total_steps, ramp, end)


@recipe
def smollm3(
    peak_value: Value = 2e-4,
    total_steps: Steps = 4_720_000,
    *,
    warmup_steps: Steps | None = None,
    decay_steps: Steps | None = None,
    end_value: Value = 0.0,
) -> Schedule:
    """SmolLM3 3B: 2,000 updates of ramp, constant, a line to 0 in the last 11 %.

    An update has 2.36 million tokens. The report speaks of the last 10 %, the
    configuration has 522,000 updates. Not published: where the ramp begins.

    Formula: `wsd(peak_value, total_steps, warmup_steps, decay_steps, end_value)`.

    Args:
      peak_value: The value of the constant part.
      total_steps: Length of the whole in updates.
      warmup_steps: Length of the ramp in updates; 2,000 of 4,720,000 if not given.
      decay_steps: Length of the decay in updates; 522,000 of 4,720,000 if not given.
      end_value: The value at the end.

    >>> import jaxsched as js
    >>> s = js.published.smollm3(peak_value=1e-3, total_steps=20_000)
    >>> [s.at(n) for n in (17_788, 18_894)]
    [0.001, 0.0005]

    Reference: Bakouch et al., "SmolLM3" (2025), on the blog of Hugging Face;
    huggingface/smollm, `text/pretraining/smollm3/stage1_8T.yaml`.
    """
    ramp = part(warmup_steps, total_steps, 2_000, of=4_720_000)
    decay = part(decay_steps, total_steps, 522_000, of=4_720_000)
    fit("total_steps", total_steps, warmup_steps=ramp, decay_steps=decay)
    return wsd(peak_value, total_steps, ramp, decay, end_value)


@recipe
def minicpm(
    peak_value: Value = 0.01,
    stable_steps: Steps = 263_000,
    *,
    half_life: Period | None = None,
) -> Schedule:
    """MiniCPM 2.4B: constant, then halved every 5,000 updates.

    An update has 3.93 million tokens; the peak is that of a maximal update
    parametrization. Not published: the ramp, which is left out here, and where the run
    ended, so that this has no end. (The authors found a tenth of the run enough for the
    decay. An earlier report of theirs has a half-life of 8,000 updates.)

    Formula: peak_value before step `stable_steps`, and from there on
    peak_value 0.5^((t - stable_steps) / half_life).

    Args:
      peak_value: The value of the constant part.
      stable_steps: Length of the constant part in updates.
      half_life: The updates in which the decay halves the value; 5,000 of 263,000 if not
        given.

    >>> import jaxsched as js
    >>> s = js.published.minicpm()
    >>> [round(s.at(n), 6) for n in (262_999, 263_000, 268_000)]
    [0.01, 0.01, 0.005]

    Reference: Hu et al. (2024), arXiv:2404.06395, section 6.2; its technical blog for the
    step at which the decay began.
    """
    half = part(half_life, stable_steps, 5_000, of=263_000)
    if known(half) and half == 0:
        half = 1
    decay = exponential_decay(peak_value, 0.5, half)
    return join([constant(peak_value), decay], [stable_steps])


def _cut_off(peak: Any, total: Any, ramp: Any, floor: Any) -> Schedule:
    """A ramp from 0, then a cosine to 0 that does not go below a floor."""
    wave = clip(cosine(peak, 0.0, total), min_value=floor)
    return join([linear(0.0, peak, ramp), wave], [ramp])
