"""Vision models, whose schedules were published in epochs."""

from jaxsched.combinators.sequence import join, warmup
from jaxsched.combinators.time import shift
from jaxsched.domains import Steps, Value
from jaxsched.published.proportions import epochs, fit, level, stairs
from jaxsched.recipes.recipe import recipe
from jaxsched.recipes.warmups import warmup_cosine
from jaxsched.schedule import Schedule
from jaxsched.transitions import cosine, linear


@recipe
def resnet50(
    peak_value: Value = 3.2,
    total_epochs: Steps = 90,
    *,
    warmup_epochs: Steps | None = None,
    init_value: Value | None = None,
) -> Schedule:
    """ResNet-50 in an hour: a tenth at a third, two thirds and eight ninths of the run.

    SGD on ImageNet with batches of 8,192: the peak is 0.1 for 256 images, times 32, and
    the ramp begins at 0.1. Batches of 256 had no ramp.

    Args:
      peak_value: The value after the ramp.
      total_epochs: Length of the whole in epochs.
      warmup_epochs: Length of the ramp in epochs; 1 / 18 of the whole if not given.
      init_value: The value at the beginning; 1 / 32 of the peak if not given.

    >>> import jaxsched as js
    >>> [js.published.resnet50().at(n) for n in (0, 5, 30, 60, 80)]
    [0.1, 3.2, 0.32, 0.032, 0.0032]

    Reference: Goyal et al. (2017), arXiv:1706.02677, sections 2.2 and 5.1.
    """
    ramp = epochs(warmup_epochs, total_epochs, 5, of=90)
    fit("total_epochs", total_epochs, warmup_epochs=ramp)
    low = [level(None, peak_value, n, of=3.2) for n in (0.32, 0.032, 0.0032)]
    begins = [30 / 90, 60 / 90, 80 / 90]
    body = stairs("total_epochs", total_epochs, [peak_value, *low], begins)
    start = level(init_value, peak_value, 0.1, of=3.2)
    return warmup(body, ramp, start, overlap=True)


@recipe
def vit(
    peak_value: Value = 3e-3,
    total_epochs: Steps = 300,
    *,
    warmup_epochs: Steps | None = None,
) -> Schedule:
    """ViT on ImageNet from scratch: a ramp, then a cosine to 0.

    Adam with batches of 4,096; the ramp, from 0, takes 10,000 updates, which are 32
    epochs. On ImageNet-21k the peak was 1e-3 and the decay a straight line.

    Formula: `warmup_cosine(peak_value, total_epochs, warmup_epochs, init_value=0.0)`.

    Args:
      peak_value: The value after the ramp.
      total_epochs: Length of the whole in epochs.
      warmup_epochs: Length of the ramp in epochs; in proportion to 32 of 300 if not given.

    >>> import jaxsched as js
    >>> s = js.published.vit()
    >>> [s.at(n) for n in (0, 32, 300)]
    [0.0, 0.003, 0.0]

    Reference: Dosovitskiy et al. (2021), arXiv:2010.11929, table 3; for the ramp
    google-research/vision_transformer, `vit_jax/utils.py`.
    """
    ramp = epochs(warmup_epochs, total_epochs, 32, of=300)
    fit("total_epochs", total_epochs, warmup_epochs=ramp)
    return warmup_cosine(peak_value, total_epochs, ramp, init_value=0.0)


@recipe
def deit(
    peak_value: Value = 1e-3,
    total_epochs: Steps = 300,
    *,
    warmup_epochs: Steps | None = None,
    init_value: Value | None = None,
    end_value: Value | None = None,
) -> Schedule:
    """DeiT, base: five epochs of ramp, in the place of the beginning of a cosine.

    AdamW with batches of 1,024: the peak is 5e-4 for 512 images. The code has one rate
    for each epoch, `js.per(published.deit(), updates_per_epoch)`, and takes that of the
    epoch before.

    Formula: a line from `init_value` to `peak_value` before epoch `warmup_epochs`, and
    `cosine(peak_value, end_value, total_epochs)` from there on.

    Args:
      peak_value: What the ramp goes to.
      total_epochs: Length of the whole in epochs.
      warmup_epochs: Length of the ramp in epochs; 1 / 60 of the whole, at least one epoch,
        if not given.
      init_value: The value at the beginning; a thousandth of the peak if not given.
      end_value: The value at the end; a hundredth of the peak if not given.

    >>> import jaxsched as js
    >>> [round(js.published.deit().at(n), 8) for n in (0, 5, 150, 300)]
    [1e-06, 0.00099932, 0.000505, 1e-05]

    Reference: facebookresearch/deit, `main.py`; Touvron et al. (2021), arXiv:2012.12877.
    """
    ramp = epochs(warmup_epochs, total_epochs, 5, of=300)
    fit("total_epochs", total_epochs, warmup_epochs=ramp)
    start = level(init_value, peak_value, 1e-6, of=1e-3)
    end = level(end_value, peak_value, 1e-5, of=1e-3)
    wave = shift(cosine(peak_value, end, total_epochs), ramp)
    return join([linear(start, peak_value, ramp), wave], [ramp])


@recipe
def swin(
    peak_value: Value = 1e-3,
    total_epochs: Steps = 300,
    *,
    warmup_epochs: Steps | None = None,
    init_value: Value | None = None,
    end_value: Value | None = None,
) -> Schedule:
    """Swin Transformer on ImageNet: 20 epochs of ramp, then a cosine to a hundredth.

    AdamW with batches of 1,024: the peak is 5e-4 for 512 images.

    Formula: `warmup_cosine(peak_value, total_epochs, warmup_epochs, end_value,
    init_value=init_value)`.

    Args:
      peak_value: The value after the ramp.
      total_epochs: Length of the whole in epochs.
      warmup_epochs: Length of the ramp in epochs; 1 / 15 of the whole if not given.
      init_value: The value at the beginning; a thousandth of the peak if not given.
      end_value: The value at the end; a hundredth of the peak if not given.

    >>> import jaxsched as js
    >>> s = js.published.swin()
    >>> [s.at(n) for n in (0, 20, 300)]
    [1e-06, 0.001, 1e-05]

    Reference: microsoft/Swin-Transformer, `config.py` and `main.py`; Liu et al. (2021),
    arXiv:2103.14030.
    """
    ramp = epochs(warmup_epochs, total_epochs, 20, of=300)
    fit("total_epochs", total_epochs, warmup_epochs=ramp)
    start = level(init_value, peak_value, 1e-6, of=1e-3)
    end = level(end_value, peak_value, 1e-5, of=1e-3)
    return warmup_cosine(peak_value, total_epochs, ramp, end, init_value=start)


@recipe
def convnext(
    peak_value: Value = 4e-3,
    total_epochs: Steps = 300,
    *,
    warmup_epochs: Steps | None = None,
    end_value: Value | None = None,
) -> Schedule:
    """ConvNeXt on ImageNet: 20 epochs of ramp from 0, then a cosine to 1e-6.

    AdamW with batches of 4,096. The code reaches the peak an update before the ramp ends.

    Formula: `warmup_cosine(peak_value, total_epochs, warmup_epochs, end_value,
    init_value=0.0)`.

    Args:
      peak_value: The value after the ramp.
      total_epochs: Length of the whole in epochs.
      warmup_epochs: Length of the ramp in epochs; 1 / 15 of the whole if not given.
      end_value: The value at the end; 1 / 4,000 of the peak if not given.

    >>> import jaxsched as js
    >>> s = js.published.convnext()
    >>> [s.at(n) for n in (0, 20, 300)]
    [0.0, 0.004, 1e-06]

    Reference: facebookresearch/ConvNeXt, `main.py` and `TRAINING.md`; Liu et al. (2022),
    arXiv:2201.03545.
    """
    ramp = epochs(warmup_epochs, total_epochs, 20, of=300)
    fit("total_epochs", total_epochs, warmup_epochs=ramp)
    end = level(end_value, peak_value, 1e-6, of=4e-3)
    return warmup_cosine(peak_value, total_epochs, ramp, end, init_value=0.0)


@recipe
def mae(
    peak_value: Value = 2.4e-3,
    total_epochs: Steps = 800,
    *,
    warmup_epochs: Steps | None = None,
) -> Schedule:
    """MAE, pretraining: 40 epochs of ramp from 0, then a cosine to 0.

    AdamW with batches of 4,096: the peak is 1.5e-4 for 256 images.

    Formula: `warmup_cosine(peak_value, total_epochs, warmup_epochs, init_value=0.0)`.

    Args:
      peak_value: The value after the ramp.
      total_epochs: Length of the whole in epochs.
      warmup_epochs: Length of the ramp in epochs; a twentieth of the whole if not given.

    >>> import jaxsched as js
    >>> s = js.published.mae()
    >>> [s.at(n) for n in (0, 40, 800)]
    [0.0, 0.0024, 0.0]

    Reference: facebookresearch/mae, `PRETRAIN.md`; He et al. (2021), arXiv:2111.06377.
    """
    ramp = epochs(warmup_epochs, total_epochs, 40, of=800)
    fit("total_epochs", total_epochs, warmup_epochs=ramp)
    return warmup_cosine(peak_value, total_epochs, ramp, init_value=0.0)


@recipe
def dinov2(
    peak_value: Value = 2e-4 * 3**0.5,
    total_epochs: Steps = 500,
    *,
    warmup_epochs: Steps | None = None,
    end_value: Value | None = None,
) -> Schedule:
    """DINOv2, ViT-L/14 on ImageNet-22k: 80 epochs of ramp from 0, a cosine to 1e-6.

    AdamW; an epoch is 1,250 updates of 3,072 images. The peak is 2e-4 for 1,024 images
    and grows with the square root of their number. The code reaches it an update before
    the ramp ends.

    Formula: `warmup_cosine(peak_value, total_epochs, warmup_epochs, end_value,
    init_value=0.0)`.

    Args:
      peak_value: The value after the ramp.
      total_epochs: Length of the whole in epochs.
      warmup_epochs: Length of the ramp in epochs; 0.16 of the whole if not given.
      end_value: The value at the end; in proportion to 1e-6 if not given.

    >>> import jaxsched as js
    >>> [round(js.published.dinov2().at(n), 7) for n in (0, 80, 500)]
    [0.0, 0.0003464, 1e-06]

    Reference: facebookresearch/dinov2, `dinov2/configs/train/vitl14.yaml` and
    `ssl_default_config.yaml`; Oquab et al. (2023), arXiv:2304.07193.
    """
    ramp = epochs(warmup_epochs, total_epochs, 80, of=500)
    fit("total_epochs", total_epochs, warmup_epochs=ramp)
    end = level(end_value, peak_value, 1e-6, of=2e-4 * 3**0.5)
    return warmup_cosine(peak_value, total_epochs, ramp, end, init_value=0.0)
