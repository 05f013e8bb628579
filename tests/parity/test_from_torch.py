"""from_torch goes on as the live scheduler does."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tables import STEPS, function_of

from jaxsched.compat.torch import ReduceLROnPlateau, from_torch

torch = pytest.importorskip("torch", reason="reads live schedulers: see extra parity")
from peer_torch import SETTINGS, advance, build, read  # noqa: E402
from torch.optim import lr_scheduler  # noqa: E402

MADE = 5  # updates before the scheduler is read

LOWEST = 1e-4  # the lowest base rate of the grid

# Counted so that every class keeps some: those resumed repeat those that are not.
LIVE = [s for s in SETTINGS if ".momentum(" not in s and "last_epoch=6" not in s]
CLASSES = sorted(set(map(function_of, LIVE)))


def live(setting):
    """The scheduler after some updates, or None where PyTorch refuses."""
    try:
        scheduler = build(setting)
        for _ in range(MADE):
            advance(scheduler)
    except (ValueError, ZeroDivisionError):
        return None
    return scheduler


def rates(scheduler):
    """All that it is going to give before it raises."""
    found = []
    end = getattr(scheduler, "total_steps", len(STEPS) + MADE)
    while len(found) < len(STEPS) and getattr(scheduler, "last_epoch", 0) < end:
        found.append(float(read(scheduler)))
        try:
            advance(scheduler)
        except ZeroDivisionError:
            break
    return np.array(found)


@pytest.mark.parametrize("name", CLASSES)
def test_goes_on_where_the_scheduler_is(name):
    """Every other setting of the grid, five updates in."""
    compared = 0
    for setting in [s for s in LIVE if function_of(s) == name][::2]:
        scheduler = live(setting)
        if scheduler is None or getattr(scheduler, "total_steps", 99) <= MADE:
            continue
        with jax.disable_jit(), jax.numpy_dtype_promotion("standard"):
            values = np.asarray(from_torch(scheduler)(jnp.asarray(STEPS)))
        expected = rates(scheduler)
        np.testing.assert_allclose(
            values[: len(expected)],
            expected,
            rtol=0,
            atol=1e-6 * np.max(np.abs(expected), initial=LOWEST),
            err_msg=setting,
        )
        compared += 1
    assert compared >= 2


def optimizer(*lrs):
    groups = [
        {"params": [torch.nn.Parameter(torch.zeros(1))], "lr": torch.tensor(lr)}
        for lr in lrs
    ]
    return torch.optim.SGD(groups)


def test_groups():
    """Each group of parameters has its own schedule; rates may be tensors."""
    scheduler = lr_scheduler.StepLR(optimizer(0.1, 0.5), step_size=30)
    assert from_torch(scheduler).at(0) == pytest.approx(0.1)
    assert from_torch(scheduler, group=1).at(30) == pytest.approx(0.05)
    with pytest.raises(ValueError, match="group must be below 2, got group=2"):
        from_torch(scheduler, group=2)


def test_subclasses_are_read_as_what_they_are():
    class Mine(lr_scheduler.ExponentialLR):
        pass

    scheduler = Mine(optimizer(0.1), gamma=0.5)
    assert from_torch(scheduler).at(1) == pytest.approx(0.05)


def test_reduce_on_plateau():
    """The options, from the rate that it has come to."""
    scheduler = lr_scheduler.ReduceLROnPlateau(
        optimizer(0.5), "max", 0.5, 0, 0.25, "abs", 2, [1e-3], 0.0
    )
    for _ in range(3):
        scheduler.step(1.0)
    assert from_torch(scheduler) == ReduceLROnPlateau(
        0.25, "max", 0.5, 0, 0.25, "abs", 2, 1e-3, 0.0
    )


@pytest.mark.parametrize("eps", [0.0, 1e-8, 1e-3, 0.04, 1.0])
@pytest.mark.parametrize("min_lr", [0.0, 1e-6, 0.07])
@pytest.mark.parametrize("factor", [0.1, 0.5, 0.9])
def test_reductions_by_less_than_eps(eps, min_lr, factor):
    """PyTorch leaves them out."""
    real = lr_scheduler.ReduceLROnPlateau(
        optimizer(0.1), factor=factor, patience=0, min_lr=min_lr, eps=eps
    )
    ours = ReduceLROnPlateau(0.1, factor=factor, patience=0, min_lr=min_lr, eps=eps)
    state, update = ours.init(), jax.jit(ours.update)
    for _ in range(30):
        np.testing.assert_allclose(ours(state), float(read(real)), rtol=1e-5)
        real.step(1.0)
        state = update(state, value=1.0)


def test_others_are_refused():
    with pytest.raises(TypeError, match="one of PyTorch's schedulers, got scheduler=3"):
        from_torch(3)
