"""Schedules drive the training loops of PyTorch and Keras."""

import io
import pickle

import numpy as np
import peer_keras
import pytest

import jaxsched as js
from jaxsched.compat.torch import from_torch

SCHEDULE = js.warmup_cosine(0.5, total_steps=20, warmup_steps=5)
STACKED = js.stack([js.constant(0.1), js.constant(0.2)])
VALUES = SCHEDULE.at(np.arange(20))


def test_pytorch_trains_under_the_schedule():
    torch = pytest.importorskip("torch", reason="see the extra parity")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.25)
    factor = pickle.loads(pickle.dumps(js.to_torch_lambda(SCHEDULE, lr=0.25)))
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    rates = []
    for _ in range(20):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    np.testing.assert_allclose(rates, VALUES, rtol=1e-7)


def test_a_loaded_pytorch_scheduler_goes_on_under_the_schedule_it_was_given():
    """Its state holds numbers alone, those of the run that saved it."""
    torch = pytest.importorskip("torch", reason="see the extra parity")

    def scheduler_of(schedule, lr):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
        return optimizer, js.to_torch(schedule, optimizer)

    def go(optimizer, scheduler, steps):
        for _ in range(steps):
            optimizer.step()
            scheduler.step()
        return optimizer.param_groups[0]["lr"]

    first = scheduler_of(SCHEDULE, lr=0.25)
    go(*first, 7)
    saved = io.BytesIO()
    torch.save([x.state_dict() for x in first], saved)
    saved.seek(0)
    states = torch.load(saved)  # which reads nothing but numbers by default
    longer = js.warmup_cosine(0.5, total_steps=40, warmup_steps=5)
    again = scheduler_of(longer, lr=0.75)
    for x, state in zip(again, states, strict=True):
        x.load_state_dict(state)
    assert go(*again, 1) == pytest.approx(longer.at(8), rel=1e-12)
    assert from_torch(again[1]).at(np.arange(20)) == pytest.approx(
        longer.at(np.arange(8, 28)), rel=1e-12
    )


# Keras' NumPy backend converts its own variables as NumPy 2 does not like it.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_keras_trains_under_the_schedule():
    """The real callback, with four steps in an epoch."""
    peer_keras.require()
    import keras

    rate = pickle.loads(pickle.dumps(js.to_keras(SCHEDULE, steps_per_epoch=4)))
    callback = keras.callbacks.LearningRateScheduler(rate)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    callback.set_model(model)
    rates = []
    for epoch in range(5):
        callback.on_epoch_begin(epoch)
        rates.append(float(model.optimizer.learning_rate))
    np.testing.assert_allclose(rates, VALUES[::4], rtol=1e-6)


def test_what_is_handed_out_carries_its_schedule():
    """It is the schedule again, also inside another."""
    assert js.as_schedule(js.to_torch_lambda(SCHEDULE)) == SCHEDULE
    assert js.as_schedule(js.to_keras(SCHEDULE)) == SCHEDULE
    assert js.warmup(js.to_keras(SCHEDULE), 9) == js.warmup(SCHEDULE, 9)
    steps = np.arange(20)
    factor = js.as_schedule(js.to_torch_lambda(SCHEDULE, lr=0.25))
    np.testing.assert_allclose(factor.at(steps), VALUES / 0.25, rtol=1e-12)
    epochs = js.as_schedule(js.to_keras(SCHEDULE, steps_per_epoch=4))
    np.testing.assert_array_equal(epochs.at(np.arange(5)), VALUES[::4])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: js.to_torch_lambda(SCHEDULE, lr=0), ValueError, "lr must not be 0"),
        (
            lambda: js.to_torch_lambda("cosine"),
            TypeError,
            "schedule must be a schedule",
        ),
        (lambda: js.to_torch_lambda(1.0, lr="1"), TypeError, "lr must be a number"),
        (lambda: js.to_keras(SCHEDULE, 0), ValueError, "steps_per_epoch must be > 0"),
        (
            lambda: js.to_keras(SCHEDULE, 1.5),
            TypeError,
            "steps_per_epoch must be a whole",
        ),
        (lambda: js.to_keras(None), TypeError, "schedule must be a schedule"),
        (
            lambda: js.to_keras(STACKED),
            ValueError,
            "to_keras: schedule must be a single",
        ),
        (
            lambda: js.to_torch_lambda(STACKED),
            ValueError,
            "to_torch_lambda: schedule must be a single",
        ),
    ],
)
def test_bad_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()
