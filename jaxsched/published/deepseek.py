"""DeepSeek's models: steps down, later a plateau and a cosine; in tokens."""

from typing import Any

from jaxsched.combinators.sequence import cooldown, join, warmup
from jaxsched.domains import Steps, Value
from jaxsched.published.proportions import fit, level, part, stairs
from jaxsched.recipes.recipe import recipe
from jaxsched.schedule import Schedule
from jaxsched.schedule.arguments import constant


@recipe
def deepseek_llm(
    peak_value: Value = 3.2e-4,
    total_tokens: Steps = 2_000_000_000_000,
    *,
    warmup_tokens: Steps | None = None,
) -> Schedule:
    """DeepSeek LLM 67B: constant, 31.6 % of it from 80 % of the run on, 10 % from 90 %.

    The ramp takes 2,000 updates of 4,608 sequences of 4,096 tokens. The model of 7B had a
    peak of 4.2e-4 and half the batch. Not published: where the ramp begins; here at 0.

    Args:
      peak_value: The value after the ramp.
      total_tokens: Length of the whole in tokens.
      warmup_tokens: Length of the ramp in tokens; in proportion to 37.7e9 if not given.

    >>> import jaxsched as js
    >>> s = js.published.deepseek_llm()
    >>> [s.at(n) for n in (1e12, 1.7e12, 1.9e12)]
    [0.00032, 0.00010112, 3.2e-05]

    Reference: DeepSeek-AI (2024), arXiv:2401.02954, section 2.3, and the README of
    deepseek-ai/DeepSeek-LLM.
    """
    ramp = part(warmup_tokens, total_tokens, 2_000 * 4_608 * 4_096, of=2e12)
    fit("total_tokens", total_tokens, warmup_tokens=ramp)
    low = [level(None, peak_value, n, of=3.2e-4) for n in (1.0112e-4, 3.2e-5)]
    return _stepped(total_tokens, ramp, [peak_value, *low], [0.8, 0.9])


@recipe
def deepseek_v2(
    peak_value: Value = 2.4e-4,
    total_tokens: Steps = 8_100_000_000_000,
    *,
    warmup_tokens: Steps | None = None,
) -> Schedule:
    """DeepSeek-V2: constant, times 0.316 at 60 % of the run and again at 90 %.

    The ramp, from 0, takes 2,000 updates; the batch grew from 2,304 to 9,216 sequences of
    4,096 tokens over the first 225 billion, and the ramp's are counted as the first here.

    Args:
      peak_value: The value after the ramp.
      total_tokens: Length of the whole in tokens.
      warmup_tokens: Length of the ramp in tokens; in proportion to 18.9e9 if not given.

    >>> import jaxsched as js
    >>> s = js.published.deepseek_v2()
    >>> [round(s.at(n * 1e12), 8) for n in (4, 5, 8)]
    [0.00024, 7.584e-05, 2.397e-05]

    Reference: DeepSeek-AI (2024), arXiv:2405.04434, section 3.1.2.
    """
    ramp = part(warmup_tokens, total_tokens, 2_000 * 2_304 * 4_096, of=8.1e12)
    fit("total_tokens", total_tokens, warmup_tokens=ramp)
    levels = [peak_value, 0.316 * peak_value, 0.316**2 * peak_value]
    return _stepped(total_tokens, ramp, levels, [0.6, 0.9])


@recipe
def deepseek_v2_lite(
    peak_value: Value = 4.2e-4,
    total_tokens: Steps = 5_700_000_000_000,
    *,
    warmup_tokens: Steps | None = None,
) -> Schedule:
    """DeepSeek-V2-Lite: constant, times 0.316 at 80 % of the run and again at 90 %.

    The ramp, from 0, takes 2,000 updates of 4,608 sequences of 4,096 tokens.

    Args:
      peak_value: The value after the ramp.
      total_tokens: Length of the whole in tokens.
      warmup_tokens: Length of the ramp in tokens; in proportion to 37.7e9 if not given.

    >>> import jaxsched as js
    >>> s = js.published.deepseek_v2_lite()
    >>> [round(s.at(n * 1e12), 8) for n in (1, 5, 5.5)]
    [0.00042, 0.00013272, 4.194e-05]

    Reference: the card of DeepSeek-V2-Lite, section 6; DeepSeek-AI (2024),
    arXiv:2405.04434.
    """
    ramp = part(warmup_tokens, total_tokens, 2_000 * 4_608 * 4_096, of=5.7e12)
    fit("total_tokens", total_tokens, warmup_tokens=ramp)
    levels = [peak_value, 0.316 * peak_value, 0.316**2 * peak_value]
    return _stepped(total_tokens, ramp, levels, [0.8, 0.9])


@recipe
def deepseek_v3(
    peak_value: Value = 2.2e-4,
    total_tokens: Steps = 14_800_000_000_000,
    *,
    warmup_tokens: Steps | None = None,
    end_value: Value | None = None,
    last_value: Value | None = None,
) -> Schedule:
    """DeepSeek-V3: constant to 10 trillion tokens, a cosine over 4.3, two low levels.

    From the beginning: a ramp from 0 over 2,000 updates; the peak; a cosine to a tenth of
    it; that for 333 billion tokens; and a thirtieth for the last 167 billion. The batch
    grew from 3,072 to 15,360 sequences of 4,096 tokens over the first 469 billion, so
    that the tokens of the ramp are counted with the first batch here.

    Args:
      peak_value: The value of the plateau.
      total_tokens: Length of the whole in tokens.
      warmup_tokens: Length of the ramp in tokens; in proportion to 25.2e9 if not given.
      end_value: What the cosine goes to; a tenth of the peak if not given.
      last_value: The value at the end; 7.3 / 220 of the peak if not given.

    >>> import jaxsched as js
    >>> s = js.published.deepseek_v3()
    >>> [s.at(n) for n in (1e12, 14.3e12, 14.7e12)]
    [0.00022, 2.2e-05, 7.3e-06]

    Reference: DeepSeek-AI (2024), arXiv:2412.19437, section 4.2.
    """
    ramp = part(warmup_tokens, total_tokens, 2_000 * 3_072 * 4_096, of=14.8e12)
    begin = part(None, total_tokens, 10e12, of=14.8e12)
    decay = part(None, total_tokens, 4.3e12, of=14.8e12)
    last = part(None, total_tokens, 14.633e12, of=14.8e12)
    fit("10 / 14.8 of total_tokens", begin, warmup_tokens=ramp)
    low = level(end_value, peak_value, 2.2e-5, of=2.2e-4)
    lowest = level(last_value, peak_value, 7.3e-6, of=2.2e-4)
    above = warmup(constant(peak_value), ramp, init_value=0.0)
    wave = cooldown(above, begin, decay, low, shape="cosine")
    return join([wave, constant(lowest)], [last])


def _stepped(total: Any, ramp: Any, levels: list[Any], begins: list[float]) -> Schedule:
    """A ramp from 0 over the beginning of the first of some levels."""
    body = stairs("total_tokens", total, levels, begins)
    return warmup(body, ramp, init_value=0.0, overlap=True)
