"""The largest float32 error of every schedule, beside Optax's where it has the same one.

Run as `python -m benchmarks.accuracy`. Errors are in units of the last place of float32
(ulp) against float64 references written from the papers' formulas
(`tests/reference.py`), over all steps of runs of 10^4 and 10^6 and over 10^5 random steps
of runs of 10^9 and 2^31 - 1, wherever the value is a normal float32.
"""

import argparse
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import optax

import jaxsched as js
from jaxsched.arrays import enable_x64

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from scaling import scaled
from twins import excess, twin

TOTALS = (10**4, 10**6, 10**9, 2**31 - 1)


class Row(NamedTuple):
    """A schedule for a run of some length.

    Attributes:
      make: The schedule for that run.
      peer: Optax's schedule for it, or None.
      scale: The value that exponents are measured from, where one amplifies rounding.
    """

    make: Callable[[int], js.Schedule]
    peer: Callable[[int], Any] | None = None
    scale: float = 0.0


def ladder(n: int) -> list[int]:
    """Boundaries at the quarters of a run."""
    return [n // 4, n // 2, n // 4 * 3]


ROWS: dict[str, Row] = {
    "constant": Row(
        lambda n: js.constant(3e-4), lambda n: optax.constant_schedule(3e-4)
    ),
    "linear": Row(
        lambda n: js.linear(3e-4, 0.0, n), lambda n: optax.linear_schedule(3e-4, 0.0, n)
    ),
    "cosine": Row(
        lambda n: js.cosine(3e-4, 0.0, n),
        lambda n: optax.cosine_decay_schedule(3e-4, n),
    ),
    "cosine, power 2": Row(
        lambda n: js.cosine(3e-4, 0.0, n, power=2.0),
        lambda n: optax.cosine_decay_schedule(3e-4, n, exponent=2.0),
        scale=3e-4,
    ),
    "cosine, time_power 2": Row(
        lambda n: js.cosine(3e-4, 0.0, n, time_power=2.0), scale=3e-4
    ),
    "polynomial, power 2": Row(
        lambda n: js.polynomial(3e-4, 0.0, n, power=2.0),
        lambda n: optax.polynomial_schedule(3e-4, 0.0, 2.0, n),
        scale=3e-4,
    ),
    "polynomial, power 0.9": Row(
        lambda n: js.polynomial(3e-4, 1e-6, n, power=0.9),
        lambda n: optax.polynomial_schedule(3e-4, 1e-6, 0.9, n),
        scale=3e-4,
    ),
    "exponential": Row(
        lambda n: js.exponential(3e-4, 3e-9, n),
        lambda n: optax.exponential_decay(3e-4, n, 1e-5),
        scale=3e-4,
    ),
    **{
        f"transition, {shape}": Row(
            lambda n, shape=shape: js.transition(3e-4, 0.0, n, shape=shape),
            scale=3e-4 if shape == "tanh" else 0.0,
        )
        for shape in (
            *("one_minus_sqrt", "square", "sqrt", "sine", "mirror_cosine"),
            *(
                "inverse_proportional",
                "one_minus_power",
                "exponential_to_zero",
                "rex",
                "tanh",
            ),
        )
    },
    "exponential_decay": Row(
        lambda n: js.exponential_decay(3e-4, 0.5, n // 20),
        lambda n: optax.exponential_decay(3e-4, n // 20, 0.5),
        scale=3e-4,
    ),
    "exponential_decay, near 1": Row(
        lambda n: js.exponential_decay(3e-4, 1 - 16 / n),
        lambda n: optax.exponential_decay(3e-4, 1, 1 - 16 / n),
        scale=3e-4,
    ),
    "natural_exponential_decay": Row(
        lambda n: js.natural_exponential_decay(3e-4, 16 / n), scale=3e-4
    ),
    "inverse_time_decay": Row(lambda n: js.inverse_time_decay(3e-4, 100 / n)),
    "inverse_time_decay, power": Row(
        lambda n: js.inverse_time_decay(3e-4, 10.0, n, power=0.75), scale=3e-4
    ),
    "compounding_time_decay": Row(
        lambda n: js.compounding_time_decay(3e-4, 100 / n**2), scale=3e-4
    ),
    "inverse_sqrt_decay": Row(lambda n: js.inverse_sqrt_decay(3e-4, n // 100)),
    "step_decay": Row(lambda n: js.step_decay(3e-4, 0.1, n // 10), scale=3e-4),
    "noam": Row(lambda n: js.noam(512, n // 10)),
    "power_law": Row(lambda n: js.power_law(0.02, 1.0, power=0.51), scale=1.0),
    "piecewise_constant": Row(
        lambda n: js.piecewise_constant(ladder(n), [3e-4, 1e-4, 3e-5, 1e-5])
    ),
    "multistep": Row(
        lambda n: js.multistep(3e-4, ladder(n), 0.1),
        lambda n: optax.piecewise_constant_schedule(
            3e-4, dict.fromkeys(ladder(n), 0.1)
        ),
        scale=3e-4,
    ),
    "piecewise_linear": Row(
        lambda n: js.piecewise_linear([0, n // 3, n], [0.0, 3e-4, 0.0])
    ),
    "spline": Row(lambda n: js.spline([0, n // 3, n // 2, n], [0.0, 3e-4, 1e-4, 0.0])),
    "triangular": Row(lambda n: js.triangular(0.0, 3e-4, n // 10)),
    "triangular, factor 0.5": Row(
        lambda n: js.triangular(1e-5, 3e-4, n // 10, factor=0.5)
    ),
    "cosine_restarts": Row(
        lambda n: js.cosine_restarts(3e-4, 0.0, max(1, n // 1000), length_factor=2)
    ),
    "join": Row(
        lambda n: js.join(
            [js.linear(0.0, 3e-4, n // 10), js.cosine(3e-4, 0.0, n - n // 10)],
            [n // 10],
        ),
        lambda n: optax.join_schedules(
            [
                optax.linear_schedule(0.0, 3e-4, n // 10),
                optax.cosine_decay_schedule(3e-4, n - n // 10),
            ],
            [n // 10],
        ),
    ),
    "warmup_linear": Row(lambda n: js.warmup_linear(3e-4, n, n // 10)),
    "warmup_cosine": Row(
        lambda n: js.warmup_cosine(3e-4, n, n // 10, init_value=0.0),
        lambda n: optax.warmup_cosine_decay_schedule(0.0, 3e-4, n // 10, n),
    ),
    "warmup_exponential": Row(
        lambda n: js.warmup_exponential(3e-4, n // 10, 0.5, n // 10),
        lambda n: optax.warmup_exponential_decay_schedule(
            3e-4 / (n // 10 + 1), 3e-4, n // 10, n // 10, 0.5
        ),
        scale=3e-4,
    ),
    "warmup_inverse_sqrt": Row(lambda n: js.warmup_inverse_sqrt(3e-4, n // 10)),
    "wsd, one_minus_sqrt": Row(
        lambda n: js.wsd(3e-4, n, n // 100, n // 10, shape="one_minus_sqrt")
    ),
    "one_cycle": Row(
        lambda n: js.one_cycle(3e-4, n, n * 3 // 10),
        lambda n: optax.cosine_onecycle_schedule(n, 3e-4),
    ),
    "slanted_triangular": Row(lambda n: js.slanted_triangular(3e-4, n, n // 10)),
    "flat_cosine": Row(lambda n: js.flat_cosine(3e-4, n, n // 4)),
    "cycle": Row(lambda n: js.cycle(js.cosine(3e-4, 0.0, n // 10), n // 10)),
    "staircase": Row(lambda n: js.staircase(js.cosine(3e-4, 0.0, n), n // 100)),
    "per": Row(lambda n: js.per(js.cosine(3e-4, 0.0, n // 100), 100)),
    "choose": Row(lambda n: js.choose(1, [3e-4, js.cosine(3e-4, 0.0, n)])),
    "reverse": Row(lambda n: js.reverse(js.cosine(3e-4, 0.0, n), n)),
}


def steps_of(total: int) -> np.ndarray:
    """All steps of a run, or 10^5 of a very long one."""
    if total <= 10**6:
        return np.arange(total + 1, dtype=np.int32)
    some = np.random.default_rng(0).integers(0, total, 10**5)
    return np.concatenate([some, [0, 1, total - 1, total]]).astype(np.int32)


def measure(row: Row, total: int) -> tuple[float, float, float | None]:
    """Our largest error in ulp, its multiple of the allowance, and Optax's error."""
    steps, s = steps_of(total), row.make(total)
    expected = twin(s)(steps.astype(np.int64))
    ours, multiple = excess(s(steps), expected, row.scale)
    if row.peer is None:
        return ours, multiple, None
    # Point by point: some of Optax's schedules do not take an array of steps.
    peer = np.asarray(jax.jit(jax.vmap(row.peer(total)))(steps))
    return ours, multiple, excess(peer, expected, row.scale)[0]


def table(totals: tuple[int, ...] = TOTALS) -> Iterator[str]:
    """The lines of the report."""
    yield f"{'largest error in ulp, ours / Optax':<32}" + "".join(
        f"{'T = ' + format(n, ','):>26}" for n in totals
    )
    for name, row in ROWS.items():
        line = f"{name:<32}"
        for total in totals:
            ours, multiple, peer = measure(row, total)
            mark = " " if multiple <= 1 else "!"
            beside = "-" if peer is None else f"{peer:.3g}"
            line += f"{f'{ours:.1f}{mark}/ {beside}':>26}"
        yield line
    yield "! more than 10 + 2 |log2(value / init_value)| ulp"


# Of values of about 3e-4.
SCALES = (1e-26, 1e34)


def corners(row: Row, total: int) -> list[float]:
    """The largest errors in ulp at other scales, and in 64 bits; that of the slope.

    The numbers in 64 bits are arguments of the program, and an ulp is one of 64 bits. The
    slope is that by the step, between whole steps, beside a difference in double precision:
    its error is a part of the steepest slope.
    """
    steps, s = steps_of(total), row.make(total)
    found = []
    for by in SCALES:
        other = scaled(s, by)
        expected = twin(other)(steps)
        # What is smaller may be off by the smallest normal number, 10^-38.
        large = np.abs(expected) > 1e-31
        values = np.asarray(other(steps))
        found.append(excess(values[large], expected[large], row.scale * by)[0])
    with enable_x64(True):
        values = jax.jit(lambda s, t: s(t))(s, steps.astype(np.int64))
        found.append(excess(values, twin(s)(steps.astype(np.int64)), row.scale)[0])
    between = np.arange(total, dtype=np.float32)[:: total // 1000] + 0.5
    h = 2.0**-7
    exact = (s.at(between + h) - s.at(between - h)) / (2 * h)
    slopes = np.asarray(jax.vmap(jax.grad(s))(between), np.float64)
    steepest = np.max(np.abs(exact))
    return [
        *found,
        float(np.max(np.abs(slopes - exact)) / steepest) if steepest else 0.0,
    ]


def corner_table(total: int = 10**4) -> Iterator[str]:
    """The lines of the second report."""
    scales = (f"values x {by:g}" for by in SCALES)
    titles = (*scales, "64-bit arguments", "slope")
    title = f"largest error, T = {total:,}"
    yield f"{title:<32}" + "".join(f"{t:>20}" for t in titles)
    for name, row in ROWS.items():
        *errors, slope = corners(row, total)
        yield f"{name:<32}" + "".join(f"{e:>20.1f}" for e in errors) + f"{slope:>20.1e}"


def main() -> None:
    """Prints the report."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    for line in itertools.chain(table(), [""], corner_table()):
        print(line, flush=True)


if __name__ == "__main__":
    main()
