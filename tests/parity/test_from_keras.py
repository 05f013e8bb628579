"""from_keras reads what Keras serializes; and where Keras is wrong, ours is not."""

import json

import pytest
from peer_keras import SETTINGS, require
from tables import function_of

from jaxsched.compat import keras as compat

require()
from keras.optimizers import schedules  # noqa: E402


@pytest.mark.parametrize("name", sorted(set(map(function_of, SETTINGS))))
def test_what_keras_serializes(name):
    """The same schedule as from the same arguments, through JSON as in a saved model."""
    read = 0
    for setting in [s for s in SETTINGS if function_of(s) == name]:
        try:
            schedule = eval(setting, vars(schedules).copy())
        except ValueError:
            continue
        config = json.loads(json.dumps(schedules.serialize(schedule)))
        assert compat.from_keras(config) == eval(setting, vars(compat).copy()), setting
        read += 1
    assert read >= 10


def test_restarts_from_a_logarithm():
    """Keras gives the floor at these restarts, ours the peak."""
    setting = "CosineDecayRestarts(1.0, first_decay_steps=10, t_mul=7.0)"
    theirs, ours = (eval(setting, vars(m).copy()) for m in (schedules, compat))
    for restart in (570, 4000, 28010, 196080):
        assert float(theirs(restart)) < 0.01
        assert ours.at(restart) == 1.0
