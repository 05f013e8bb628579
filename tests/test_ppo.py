"""The example of PPO: its physics, the rates it uses, and that it learns."""

import importlib
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture(scope="module")
def ppo() -> Any:
    """The example, which imports others beside it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLES)
        return importlib.import_module("ppo_cartpole")


def accelerations(body: np.ndarray, force: float) -> np.ndarray:
    """Of the cart and of the angle, from the equations of motion as a linear system.

    A rod of mass 0.1 and half length 0.5 on a cart of mass 1: forces along the track, and
    torques around the joint, where the rod's moment of inertia is 4/3 m l^2.
    """
    _, _, angle, turning = body
    rod, half = 0.1, 0.5
    matrix = [
        [1.0 + rod, rod * half * np.cos(angle)],
        [rod * half * np.cos(angle), 4 / 3 * rod * half**2],
    ]
    right = [
        force + rod * half * turning**2 * np.sin(angle),
        rod * 9.8 * half * np.sin(angle),
    ]
    return np.linalg.solve(matrix, right)


def test_the_cart_obeys_the_equations_of_motion(ppo: Any):
    """One step of Euler, from random places, in both directions."""
    rng = np.random.default_rng(0)
    for body in rng.normal(0, 0.3, (20, 4)):
        for action, force in ((0, -10.0), (1, 10.0)):
            gain, turn = accelerations(body, force)
            expected = body + 0.02 * np.array([body[1], gain, body[3], turn])
            found = ppo.push(jnp.asarray(body, jnp.float32), jnp.int32(action))
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.fixture(scope="module")
def few(ppo: Any) -> Any:
    """Three iterations of everything."""
    keys = jax.random.split(jax.random.key(1), 2)
    with jax.numpy_dtype_promotion("standard"):
        return jax.device_get(ppo.all_runs(jnp.array(ppo.PEAKS), keys, 3))


@pytest.mark.slow
def test_the_rates_are_set_once_in_an_iteration(ppo: Any, few: Any):
    """The constant and the line, read from the state after each update."""
    peaks = np.array(ppo.PEAKS)[:, None, None, None]
    assert few.rate.shape == (3, 3, 2, 3, ppo.UPDATES)
    np.testing.assert_allclose(few.rate[0], np.broadcast_to(peaks, few.rate[0].shape))
    line = peaks * (1 - np.arange(3) / 3)[:, None]
    np.testing.assert_allclose(
        few.rate[1], np.broadcast_to(line, few.rate[1].shape), 1e-6
    )


@pytest.mark.slow
def test_the_adapted_rate_follows_the_divergence(ppo: Any, few: Any):
    """As the loop of rsl_rl would move it: after the update that saw it."""
    for p, peak in enumerate(ppo.PEAKS):
        for seed in range(2):
            rate = peak
            run = few.rate[2, p, seed].ravel(), few.divergence[2, p, seed].ravel()
            for used, divergence in zip(*run, strict=True):
                assert used == pytest.approx(rate, rel=1e-4)
                if divergence > 2 * ppo.TARGET_KL:
                    rate = max(1e-5, rate / 1.5)
                elif 0 < divergence < ppo.TARGET_KL / 2:
                    rate = min(1e-2, rate * 1.5)


@pytest.mark.slow
def test_it_learns_and_writes_a_picture(ppo: Any, tmp_path: Path, capsys: Any):
    """The pole of a new policy stands for some 20 steps."""
    with jax.numpy_dtype_promotion("standard"):
        ppo.main(
            ["--iterations", "40", "--seeds", "2", "--output", str(tmp_path / "a.png")]
        )
    rows = capsys.readouterr().out.splitlines()[1:4]
    for kind, row in zip(ppo.KINDS, rows, strict=True):
        name, *means = row.split()
        assert name == kind
        assert max(map(float, means)) > 200
    assert (tmp_path / "a.png").stat().st_size > 20_000
