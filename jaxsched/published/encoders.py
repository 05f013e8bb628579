"""Models that encode text, whose schedules were published in updates."""

from jaxsched.arrays import as_real
from jaxsched.combinators.sequence import join
from jaxsched.combinators.time import shift
from jaxsched.decays.power import power_law
from jaxsched.domains import Factor, Period, Steps, Value
from jaxsched.published.proportions import fit, part
from jaxsched.recipes.recipe import recipe
from jaxsched.recipes.warmups import warmup_linear
from jaxsched.rule import known
from jaxsched.schedule import Schedule
from jaxsched.transitions import linear


@recipe
def bert(
    peak_value: Value = 1e-4,
    total_steps: Steps = 1_000_000,
    *,
    warmup_steps: Steps | None = None,
) -> Schedule:
    """BERT: a ramp of 10,000 updates, in the place of the beginning of a line to 0.

    Batches of 256 sequences, base and large alike. In the published code the line has
    fallen since step 0 where the ramp reaches the peak, so that the rate jumps down by a
    hundredth there.

    Formula: peak_value t / warmup_steps before step `warmup_steps`, and
    peak_value (1 - t / total_steps) from there on.

    Args:
      peak_value: What the ramp goes to.
      total_steps: Length of the whole in updates.
      warmup_steps: Length of the ramp in updates; a hundredth of the whole if not given.

    >>> import jaxsched as js
    >>> s = js.published.bert()
    >>> s.at(5_000), round(s.at(10_000), 8), s.at(500_000)
    (5e-05, 9.9e-05, 5e-05)

    Reference: Devlin et al. (2019), arXiv:1810.04805, appendix A.2, and the code beside
    it (google-research/bert, `optimization.py`).
    """
    ramp = part(warmup_steps, total_steps, 1, of=100)
    fit("total_steps", total_steps, warmup_steps=ramp)
    line = linear(peak_value, 0.0, total_steps)
    return join([linear(0.0, peak_value, ramp), shift(line, ramp)], [ramp])


@recipe
def roberta_base(
    peak_value: Value = 5e-4,
    total_steps: Steps = 125_000,
    *,
    warmup_steps: Steps | None = None,
) -> Schedule:
    """RoBERTa, base: a ramp of 10,000 updates, then a straight line to 0.

    The run of 125,000 updates that fairseq's configuration has, not the paper's longest.

    Formula: `warmup_linear(peak_value, total_steps, warmup_steps, init_value=0.0)`.

    Args:
      peak_value: The value after the ramp.
      total_steps: Length of the whole in updates.
      warmup_steps: Length of the ramp in updates; 8 % of the whole if not given.

    >>> import jaxsched as js
    >>> s = js.published.roberta_base()
    >>> [s.at(n) for n in (0, 10_000, 125_000)]
    [0.0, 0.0005, 0.0]

    Reference: fairseq, `examples/roberta/config/pretraining/base.yaml`; Liu et al.
    (2019), arXiv:1907.11692.
    """
    ramp = part(warmup_steps, total_steps, 10_000, of=125_000)
    fit("total_steps", total_steps, warmup_steps=ramp)
    return warmup_linear(peak_value, total_steps, ramp, init_value=0.0)


@recipe
def t5(peak_value: Factor = 0.01, stable_steps: Period = 10_000) -> Schedule:
    """T5: constant for 10,000 updates, then the inverse square root of time.

    With Adafactor and batches of 128 sequences; 2^19 updates for the baseline. It has no
    end.

    Formula: peak_value sqrt(stable_steps / max(t, stable_steps)), which is
    1 / sqrt(max(t, 10,000)) for the published numbers.

    Args:
      peak_value: The value of the constant part, > 0.
      stable_steps: Length of the constant part in updates, > 0.

    >>> import jaxsched as js
    >>> [round(js.published.t5().at(n), 6) for n in (0, 10_000, 40_000)]
    [0.01, 0.01, 0.005]

    Reference: Raffel et al. (2020), arXiv:1910.10683, section 3.1.2.
    """
    length = float(stable_steps) if known(stable_steps) else as_real(stable_steps)
    return power_law(peak_value, peak_value * length**0.5, power=0.5)
