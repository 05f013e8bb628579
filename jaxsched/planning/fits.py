"""fit_law: the parameters of a loss law from the losses of some runs."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from jaxsched.domains.numbers import whole_number
from jaxsched.planning.laws import AnnealingLaw, Law, MultiPowerLaw
from jaxsched.planning.runs import Run, admitted_run, listed
from jaxsched.rule import admitted, short
from jaxsched.schedule.programs import elsewhere

L = TypeVar("L", bound=Law)

# Residuals of a logarithm beyond that count linearly: an outlier does not decide.
_HUBER = 1e-3

# So many falls of the rate stand for all of a run in the stages of a search.
_FALLS = (128, 2048, 2**62)

# How many starts there are beside the given law, and how many are polished.
_STARTS, _POLISHED = 12, 3

# Where starts are drawn from, and where parameters stay.
_DRAWN = {
    "C": (0.3, 10.0),
    "beta": (0.2, 1.0),
    "gamma": (0.2, 1.0),
    "alpha": (0.2, 1.0),
}
_BOUNDS = {
    "C": (1e-3, 1e3),
    "alpha": (1e-3, 10.0),  # beyond, powers of small sums leave the range of floats
    "beta": (0.02, 5.0),
    "gamma": (0.02, 3.0),
}
_WIDE = (1e-8, 1e8)


def fit_law(
    law: L, runs: Sequence[Any], *, warmup_steps: int = 0, progress: bool = True
) -> L:
    """The law that fits some runs best.

    The fit has the least Huber loss of log(predicted) - log(observed), in double
    precision. The given law is one start; a dozen more are drawn, for a single search
    may diverge to ever larger parameters that fit these runs and no others. Judge a fit
    by runs that it was not given, not by its parameters. Three runs, of a cosine, a
    constant and two levels, identify a `MultiPowerLaw`.

    Args:
      law: A `MultiPowerLaw` or an `AnnealingLaw` of a plausible size; the momentum of an
        `AnnealingLaw` is held.
      runs: Some (schedule, steps, losses), as a `Run` has them: the smoothed or
        validation losses of a run after so many updates, 20 to a few hundred each.
      warmup_steps: As for `predict`; the fitted law must be used with the same.
      progress: Whether to show a progress bar.

    Returns:
      A law of the same kind.

    Raises:
      ValueError: There is no run, steps and losses are not equally many, or a loss is not
        finite and > 0.

    >>> import numpy as np, jaxsched as js
    >>> true = js.planning.AnnealingLaw(2.0, 0.5, 0.5, 1e-2, momentum=0.9)
    >>> s, steps = js.wsd(1.0, 100, 10, 50), np.arange(5, 101, 5)
    >>> runs = [(s, steps, true.predict(s, steps)), (1.0, steps, true.predict(1.0, steps))]
    >>> start = js.planning.AnnealingLaw(1.0, 1.0, 0.3, 1e-3, momentum=0.9)
    >>> law = js.planning.fit_law(start, runs, progress=False)
    >>> round(law.L0, 3), round(law.alpha, 3)
    (2.0, 0.5)

    Reference: Luo et al. (2025), arXiv:2503.12811, section 4; Hoffmann et al. (2022),
    arXiv:2203.15556, for the loss.
    """
    if not isinstance(law, (MultiPowerLaw, AnnealingLaw)):
        raise TypeError(
            f"fit_law: law must be a loss law such as MultiPowerLaw, got law={short(law)}"
        )
    admitted_runs = [admitted_run(i, run) for i, run in enumerate(listed(runs))]
    return elsewhere(
        lambda: _fitted(law, admitted_runs, warmup_steps, progress), x64=True
    )


def law_residuals(law: Law, runs: Sequence[Any], *, warmup_steps: int = 0) -> list[Any]:
    """How far a law is from some runs: log(predicted) - log(observed).

    Args:
      law: A law.
      runs: As for `fit_law`.
      warmup_steps: As for `fit_law`.

    Returns:
      A NumPy array for each run.

    >>> import jaxsched as js
    >>> law = js.planning.AnnealingLaw(2.0, 0.5, 0.5, 1e-2)
    >>> [residuals] = js.planning.law_residuals(law, [(1.0, [4], [2.25])])
    >>> residuals.tolist()
    [0.0]
    """
    given = [admitted_run(i, run) for i, run in enumerate(listed(runs))]

    def all_of_them() -> list[np.ndarray]:
        return [
            np.asarray(_residuals(law, run, warmup_steps), np.float64) for run in given
        ]

    return elsewhere(all_of_them, x64=True)


def _residuals(law: Law, run: Run, warmup_steps: int) -> Any:
    predicted = law.predict(run.schedule, run.steps, warmup_steps)
    return _difference(predicted, run.losses)


def _difference(predicted: Any, observed: Any) -> Any:
    """log(predicted) - log(observed)."""
    # A law below 0 has no logarithm: it is far off, and further the lower it is.
    positive = jnp.maximum(predicted, 1e-6)
    return jnp.log(positive) - jnp.log(observed) + jnp.minimum(predicted - 1e-6, 0.0)


def _fitted(law: L, runs: list[Run], warmup_steps: int, progress: bool) -> L:
    """The best of several searches, over the logarithms of the parameters.

    First with few falls of each run in the place of many, then with more, then with all.
    """
    from tqdm import tqdm

    given: Any = law
    names = [f.name for f in fields(given) if f.name != "momentum"]
    starts = _starts(law, names, runs)
    coarse, fine, full = (
        _Search(law, names, [_summary(law, run, warmup_steps, most) for run in runs])
        for most in _FALLS
    )
    with tqdm(
        total=len(starts) + _POLISHED + 1, desc="fitting", disable=not progress
    ) as bar:
        found = []
        for start in starts:
            found.append(coarse.from_(start, rounds=300))
            bar.update()
        found.sort(key=lambda result: result.fun)
        polished = []
        for result in found[:_POLISHED]:
            polished.append(fine.from_(result.x, rounds=1000))
            bar.update()
        best = full.from_(min(polished, key=lambda result: result.fun).x, rounds=2000)
        bar.update()
    return full.law(best.x.tolist())


class _Search:
    """A search for the parameters that fit some runs."""

    def __init__(self, law: Any, names: list[str], runs: list[tuple[Any, ...]]):
        self.given, self.names = law, names
        self.bounds = [tuple(np.log(_BOUNDS.get(name, _WIDE))) for name in names]

        def error(logs: Any) -> Any:
            law = self.law(jnp.exp(logs), is_log=False)
            parts = [_difference(law.loss_of(*of), losses) for losses, *of in runs]
            size = jnp.abs(jnp.concatenate(parts))
            near, far = size**2 / 2, _HUBER * (size - _HUBER / 2)
            return jnp.sum(jnp.where(size < _HUBER, near, far)) / _HUBER**2

        self.error = jax.jit(jax.value_and_grad(error))

    def law(self, numbers: Any, *, is_log: bool = True) -> Any:
        """The law of some parameters."""
        values = np.exp(numbers).tolist() if is_log else numbers
        return replace(self.given, **dict(zip(self.names, values, strict=True)))

    def from_(self, start: Any, rounds: int) -> Any:
        """Where a search ends."""
        from scipy.optimize import minimize

        def numbers(logs: Any) -> tuple[float, np.ndarray]:
            value, slope = jax.device_get(self.error(jnp.asarray(logs)))
            return float(value), np.nan_to_num(np.asarray(slope, np.float64))

        options = {"maxiter": rounds, "maxfun": 4 * rounds, "ftol": 1e-14, "gtol": 1e-9}
        start = np.clip(start, *np.transpose(self.bounds))
        return minimize(
            numbers,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=self.bounds,
            options=options,
        )


def _summary(law: Any, run: Run, warmup_steps: int, most: int) -> tuple[Any, ...]:
    """What a law needs of a run, in double precision: see its `loss_of`."""
    from scipy.signal import lfilter

    rates = run.schedule.at(np.arange(run.steps.max()))
    ramp = int(admitted("fit_law", "warmup_steps", warmup_steps, whole_number(0)))
    before = np.append(0.0, np.cumsum(rates))
    summed, falls = before[run.steps], rates[:-1] - rates[1:]
    places = np.arange(1, len(rates))
    if isinstance(law, AnnealingLaw):
        moved = lfilter([1.0], [1.0, -float(law.momentum)], falls * (places > ramp))
        return run.losses, summed, np.append(0.0, np.cumsum(moved))[run.steps - 1]
    places = places[(falls != 0) & (places > ramp)]
    groups = np.array_split(places, min(len(places), most) or 1)
    middle = np.array([group[len(group) // 2] for group in groups if len(group)], int)
    sizes = np.array([falls[group - 1].sum() for group in groups if len(group)])
    begun = np.maximum(before[run.steps, None] - before[middle], 0.0)
    return run.losses, summed, sizes, rates[middle], begun


def _starts(law: Law, names: list[str], runs: list[Run]) -> list[np.ndarray]:
    """The given law, and others whose level is that of the runs."""
    least = min(float(run.losses.min()) for run in runs)
    given = np.log([float(getattr(law, name)) for name in names])
    draw, starts = np.random.default_rng(0), [given]
    for _ in range(_STARTS):
        start = given.copy()
        for i, name in enumerate(names):
            if name in _DRAWN:
                start[i] = draw.uniform(*np.log(_DRAWN[name]))
            if name == "L0":
                start[i] = np.log(least * draw.uniform(0.7, 0.99))
            if name in ("A", "B"):
                start[i] += draw.uniform(-1.0, 1.0)
        starts.append(start)
    return starts
