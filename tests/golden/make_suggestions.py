"""Writes suggestions.json: what fastai suggests for many curves, and sweeps of its own.

Run with fastai installed (which this project does not need):

    python make_suggestions.py [PATH] [CURVES]

The curves are random, of several families. The sweeps are those of `Learner.lr_find` on
a model with one weight, in float64.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import fastai
import numpy as np
import torch
from fastai.callback.schedule import minimum, slide, steep, valley
from fastai.data.core import DataLoaders
from fastai.data.load import DataLoader
from fastai.learner import Learner
from fastai.optimizer import SGD

RULES = {"valley": valley, "slide": slide, "minimum": minimum, "steep": steep}
PATH = Path(__file__).with_name("suggestions.json")
CURVES = 200


# Curves: n losses each.


def sigmoid(rng: np.random.Generator, n: int, noise: float) -> np.ndarray:
    """Flat, then a fall, then an explosion: what a sweep looks like."""
    t = np.linspace(0, 1, n)
    fall, blow = rng.uniform(0.3, 0.7), rng.uniform(0.75, 1.2)
    depth, width = rng.uniform(0.2, 2), rng.uniform(0.02, 0.15)
    losses = 2.3 - depth / (1 + np.exp((fall - t) / width))
    return losses + np.exp((t - blow) / 0.03) + noise * rng.normal(size=n)


def walk(rng: np.random.Generator, n: int) -> np.ndarray:
    """A random walk, now and then below 0."""
    return 1 + rng.normal(size=n).cumsum() * rng.uniform(0.01, 1)


def smooth(rng: np.random.Generator, n: int) -> np.ndarray:
    """Slopes that differ by about the threshold of `slide`."""
    t = np.arange(n) / n
    waves = [a * np.sin(6 * t + b) for a, b in rng.uniform(-0.5, 3, (2, 2))]
    return 2 + sum(waves) * rng.uniform(0.05, 1)


FAMILIES: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "sweep": lambda rng, n: sigmoid(rng, n, 0.0),
    "noisy sweep": lambda rng, n: sigmoid(rng, n, 0.05),
    "walk": walk,
    "smooth": smooth,
    "noise": lambda rng, n: rng.random(n),
    "falling": lambda rng, n: 3 * np.exp(-np.arange(n) / rng.uniform(3, 60)),
    "rising": lambda rng, n: 0.1 * np.exp(np.arange(n) / rng.uniform(5, 60)),
    "ties": lambda rng, n: rng.integers(0, 6, n) / 4,
    "constant": lambda rng, n: np.full(n, 0.5),
}


def suggested(rates: torch.Tensor, losses: torch.Tensor) -> dict[str, float]:
    """What each rule of fastai suggests."""
    return {
        name: float(rule(rates, losses, len(rates))[0]) for name, rule in RULES.items()
    }


def make_curve(seed: int) -> dict:
    """One curve, with few digits, and its suggestions."""
    rng = np.random.default_rng(seed)
    family = list(FAMILIES)[seed % len(FAMILIES)]
    n = int(rng.integers(16, 65))
    losses = np.array([float(f"{x:.4g}") for x in FAMILIES[family](rng, n)])
    first, last = 1e-6, 10 ** rng.uniform(-2, 1)
    rates = np.geomspace(first, last, n)
    return {
        "family": family,
        "rates": [first, last],
        "losses": losses.tolist(),
        **suggested(torch.tensor(rates), torch.tensor(losses)),
    }


# Sweeps.


class Line(torch.nn.Module):
    """A line through the origin, of which the slope is learned."""

    def __init__(self):
        super().__init__()
        self.slope = torch.nn.Parameter(torch.zeros((), dtype=torch.float64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The line's value."""
        return self.slope * x


def make_sweep(scale: float, offset: float, batches: int, steps: int) -> dict:
    """`lr_find` on points near a line of slope 1; the larger `scale`, the steeper."""
    n = 8 * batches
    x = scale * (1 + 0.5 * np.sin(np.arange(n)))
    y = x + offset * np.cos(7 * np.arange(n))
    loader = DataLoader(
        list(zip(torch.tensor(x), torch.tensor(y), strict=True)),
        bs=8,
        shuffle=False,
        num_workers=0,
    )
    learner = Learner(
        DataLoaders(loader, loader),
        Line(),
        # fastai averages losses in float32.
        loss_func=lambda *args: torch.nn.functional.mse_loss(*args).float(),
        opt_func=lambda params, lr, **_: SGD(params, lr=lr),
    )
    with TemporaryDirectory() as folder, learner.no_bar():
        learner.path = Path(folder)  # where lr_find saves the model
        found = learner.lr_find(
            num_it=steps, show_plot=False, suggest_funcs=list(RULES.values())
        )
    return {
        "x": x.tolist(),
        "y": y.tolist(),
        "steps": steps,
        "rates": [float(rate) for rate in learner.recorder.lrs],
        "smoothed_losses": [float(loss) for loss in learner.recorder.losses],
        **found._asdict(),
    }


def main(path: Path, curves: int) -> None:
    """Writes the file."""
    data = {
        "fastai": fastai.__version__,
        "torch": torch.__version__,
        "curves": [make_curve(seed) for seed in range(curves)],
        "sweeps": [
            make_sweep(scale=1.0, offset=0.5, batches=4, steps=100),
            make_sweep(scale=0.1, offset=0.05, batches=3, steps=100),
            make_sweep(scale=30.0, offset=1.0, batches=5, steps=60),
        ],
    }
    rows = ",\n".join(json.dumps(curve) for curve in data["curves"])
    sweeps = ",\n".join(json.dumps(sweep) for sweep in data["sweeps"])
    head = json.dumps({k: data[k] for k in ("fastai", "torch")})[1:-1]
    path.write_text(f'{{{head},\n"curves": [\n{rows}\n],\n"sweeps": [\n{sweeps}\n]}}\n')


if __name__ == "__main__":
    main(
        Path(sys.argv[1]) if len(sys.argv) > 1 else PATH,
        int(sys.argv[2]) if len(sys.argv) > 2 else CURVES,
    )
