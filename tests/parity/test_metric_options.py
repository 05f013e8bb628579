"""The options of metric-driven schedules under the names of PyTorch and Transformers."""

import pytest

import jaxsched as js
from jaxsched.compat import torch, transformers


def test_every_option_arrives():
    """With the meaning it has there."""
    expected = js.reduce_on_plateau(
        0.1,
        factor=0.5,
        patience=3,
        threshold=0.2,
        threshold_mode="abs",
        mode="max",
        cooldown=4,
        min_value=0.01,
    )
    options = {
        "mode": "max",
        "factor": 0.5,
        "patience": 3,
        "threshold": 0.2,
        "threshold_mode": "abs",
        "cooldown": 4,
        "min_lr": [0.01],
        "eps": 0.0,
    }
    assert torch.ReduceLROnPlateau(0.1, **options) == expected
    by_name = transformers.get_scheduler(
        "reduce_lr_on_plateau", 0.1, scheduler_specific_kwargs=options
    )
    assert by_name == expected


def test_every_option_of_greedy_arrives():
    options = {
        "mode": "max",
        "factor": 0.5,
        "patience": 3,
        "threshold": 0.2,
        "threshold_mode": "rel",
        "cooldown": 4,
        "warmup": 2,
        "min_lr": [0.01],
        "max_lr": 0.7,
        "eps": 0.0,
        "verbose": True,
        "window_size": 9,
        "reset_start": 30,
    }
    greedy = transformers.get_scheduler(
        "greedy", 0.1, scheduler_specific_kwargs=options
    )
    assert greedy == js.greedy(
        0.1,
        factor=0.5,
        patience=3,
        threshold=0.2,
        threshold_mode="rel",
        mode="max",
        cooldown=4,
        warmup=2,
        min_value=0.01,
        max_value=0.7,
        reset_after=30,
    )
    assert transformers.get_greedy_schedule(0.1, reset_start=0).reset_after is None


def test_what_there_is_not():
    with pytest.raises(NotImplementedError, match="smooth=True"):
        transformers.get_greedy_schedule(0.1, smooth=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_lr": [0.1, 0.2]}, "min_lr must have one entry"),
        ({"mode": "up"}, "mode must be one of"),
        ({"threshold_mode": "magnitude"}, "threshold_mode must be one of 'rel', 'abs'"),
        ({"factor": 1.0}, "factor must be < 1"),
    ],
)
def test_what_pytorch_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        torch.ReduceLROnPlateau(0.1, **options)
