"""Stepping through a whole run on the host, beside PyTorch."""

from importlib.util import find_spec
from typing import Any

import jax.numpy as jnp
import numpy as np

import jaxsched as js
from benchmarks.timing import Measurement, Row, Skipped, Target, alternate


def torch_scheduler(total: int) -> Any:
    """PyTorch's cosine of that length around an optimizer that has made its update."""
    if find_spec("torch") is None:
        raise Skipped('torch is not installed (pip install -e ".[bench]")')
    import torch  # pyright: ignore[reportMissingImports] (an optional peer)

    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=3e-4)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, total)
    optimizer.step()  # it warns if none came first
    return scheduler


def host(total: int, repeats: int) -> Measurement:
    """All rates of a run as NumPy numbers, against stepping through it."""
    torch_scheduler(total)
    schedule, steps = js.cosine(3e-4, 0.0, total), jnp.arange(total)

    def stepped() -> None:
        scheduler = torch_scheduler(total)
        for _ in range(total):
            scheduler.step()

    return alternate(
        lambda: np.asarray(js.evaluate(schedule, steps)),
        stepped,
        repeats=repeats,
        inner=(50, 1),
    ).times_as_fast()


ROWS = [
    Row(
        "host",
        "stepping a schedule 10^5 times on the host: evaluate, as a NumPy array",
        "torch CosineAnnealingLR.step",
        Target("at least", 1000),
        lambda: host(10**5, repeats=15),
    ),
]
