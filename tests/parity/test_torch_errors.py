"""Where PyTorch does not do what it documents, the schedules do."""

import numpy as np
import pytest

from jaxsched.compat import torch as compat

pytest.importorskip("torch", reason="the peer itself: see the extra parity")
from peer_torch import advance, build, read

# A schedule of schedules steps them while it is made, before any optimizer can.
pytestmark = pytest.mark.filterwarnings("ignore:Detected call of:UserWarning")


def rates(setting, count):
    scheduler, found = build(setting), []
    for _ in range(count):
        found.append(read(scheduler))
        advance(scheduler)
    return found


def test_one_cycle_goes_past_its_end_once():
    """At step total_steps the cosine has begun to rise; ours holds."""
    setting = "OneCycleLR(0.1, max_lr=1.0, total_steps=20)"
    scheduler, found = build(setting), []
    for _ in range(20):
        found.append(read(scheduler))
        advance(scheduler)
    end, after = found[-1], read(scheduler)
    assert end == pytest.approx(4e-6)
    assert after > 1000 * end
    with pytest.raises(ValueError, match="Tried to step 21 times"):
        advance(scheduler)
    ours = eval(setting, vars(compat).copy())
    np.testing.assert_allclose(ours.at(np.array([19, 20, 99])), 4e-6, rtol=1e-6)


def test_restarts_from_a_logarithm():
    """`step(epoch)` gives the floor at this restart, `step()` and ours the peak."""
    setting = "CosineAnnealingWarmRestarts(1.0, T_0=1, T_mult=3)"
    by_epoch = build(setting)
    by_epoch.step(121)
    assert read(by_epoch) == pytest.approx(0.0)
    assert rates(setting, 122)[121] == 1.0
    assert eval(setting, vars(compat).copy()).at(121) == 1.0


def test_sequences_in_sequences():
    """The inner milestone comes a step early in PyTorch, and on time in ours."""
    inner = (
        "SequentialLR(0.1, [ConstantLR(0.1, 0.5, 99), ExponentialLR(0.1, 0.9)], [6])"
    )
    setting = f"SequentialLR(0.1, [{inner}, ExponentialLR(0.1, 0.9)], [20])"
    assert rates(setting, 7)[4:] == pytest.approx([0.05, 0.1, 0.09])
    ours = eval(setting, vars(compat).copy())
    np.testing.assert_allclose(ours.at(np.array([5, 6, 7])), [0.05, 0.1, 0.09], 1e-6)


def test_chains_in_sequences():
    """The chain's decay counts step 0 in PyTorch, and not in ours."""
    chain = (
        "ChainedScheduler([ConstantLR(0.1, 0.5, 99), ExponentialLR(0.1, 0.9)],"
        " optimizer=0.1)"
    )
    setting = f"SequentialLR(0.1, [{chain}, ExponentialLR(0.1, 0.9)], [20])"
    assert rates(setting, 2) == pytest.approx([0.045, 0.0405])
    ours = eval(setting, vars(compat).copy())
    np.testing.assert_allclose(ours.at(np.array([0, 1])), [0.05, 0.045], 1e-6)
