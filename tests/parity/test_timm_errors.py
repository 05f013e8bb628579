"""Where timm does not do what it documents, the schedules do."""

import pytest
from peer_timm import build, require
from peer_torch import read

from jaxsched.compat import timm as compat


@pytest.mark.parametrize(
    ("setting", "restart"),
    [
        ("CosineLRScheduler(1.0, t_initial=1, cycle_mul=3, cycle_limit=99)", 121),
        ("CosineLRScheduler(1.0, t_initial=1, cycle_mul=10, cycle_limit=99)", 111),
        ("PolyLRScheduler(1.0, t_initial=1, cycle_mul=3, cycle_limit=99)", 121),
    ],
)
def test_restarts_from_a_logarithm(setting, restart):
    """At this restart timm gives the floor, ours the peak."""
    require()
    theirs, ours = build(setting), eval(setting, vars(compat).copy())
    theirs.step(restart)
    assert read(theirs) == pytest.approx(0.0, abs=1e-7)
    assert ours.at(restart) == pytest.approx(1.0, rel=1e-5)
