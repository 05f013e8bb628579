"""Schedules of published runs: functions whose defaults are the published constants.

Each argument may be changed: what is not given keeps its proportion to the run and to the
peak, in whole steps where the length is known. The name of an argument says what a step
is: an update (`total_steps`, `stable_steps`), a token (`total_tokens`) or an epoch
(`total_epochs`). `js.stretch(published.gpt3(), 1 / tokens_per_update)` and
`js.stretch(published.vit(), updates_per_epoch)` count in updates.

Where a source does not say where a ramp begins, and the docstring neither, it is this
library's default, peak_value / (ramp + 1). All of them refuse, with a ValueError, parts
that are longer than the run and numbers out of their bounds.
"""

from jaxsched.published.deepseek import (
    deepseek_llm,
    deepseek_v2,
    deepseek_v2_lite,
    deepseek_v3,
)
from jaxsched.published.encoders import bert, roberta_base, t5
from jaxsched.published.in_tokens import (
    bloom_176b,
    chinchilla,
    gpt3,
    kimi_k2,
    llama_65b,
    nemotron_nano_v2,
    power_lm,
)
from jaxsched.published.in_updates import (
    gpt2_124m,
    gpt_neox_20b,
    llama3_405b,
    minicpm,
    pythia_12b,
    smollm3,
    tinyllama,
)
from jaxsched.published.olmo2 import olmo2_7b, olmo2_13b, olmo2_32b
from jaxsched.published.speech import wav2vec2_base, whisper
from jaxsched.published.vision import (
    convnext,
    deit,
    dinov2,
    mae,
    resnet50,
    swin,
    vit,
)

__all__ = [
    # language, in updates
    "bert",
    "roberta_base",
    "t5",
    "gpt2_124m",
    "gpt_neox_20b",
    "pythia_12b",
    "tinyllama",
    "llama3_405b",
    "smollm3",
    "minicpm",
    # language, in tokens
    "gpt3",
    "bloom_176b",
    "chinchilla",
    "llama_65b",
    "deepseek_llm",
    "deepseek_v2",
    "deepseek_v2_lite",
    "deepseek_v3",
    "kimi_k2",
    "nemotron_nano_v2",
    "power_lm",
    "olmo2_7b",
    "olmo2_13b",
    "olmo2_32b",
    # speech, in updates
    "whisper",
    "wav2vec2_base",
    # vision, in epochs
    "resnet50",
    "vit",
    "deit",
    "swin",
    "convnext",
    "mae",
    "dinov2",
]
