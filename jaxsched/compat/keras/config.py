"""Schedules from what Keras serializes."""

from collections.abc import Mapping
from typing import Any

from jaxsched.compat.keras.cosines import CosineDecay, CosineDecayRestarts
from jaxsched.compat.keras.decays import (
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
from jaxsched.rule import short
from jaxsched.schedule import Schedule

_BY_CLASS = {
    function.__name__: function
    for function in (
        ExponentialDecay,
        PiecewiseConstantDecay,
        PolynomialDecay,
        InverseTimeDecay,
        CosineDecay,
        CosineDecayRestarts,
    )
}


def from_keras(config: Mapping[str, Any]) -> Schedule:
    """A schedule from what `keras.optimizers.schedules.serialize` returns.

    Args:
      config: A dict with the keys "class_name" and "config", as it stands in a saved
        model or in the configuration of an optimizer.

    Raises:
      NotImplementedError: The class is not one of Keras' own.

    Example:
      >>> from jaxsched.compat import keras
      >>> keras.from_keras({
      ...     "module": "keras.optimizers.schedules",
      ...     "class_name": "ExponentialDecay",
      ...     "config": {
      ...         "initial_learning_rate": 0.1,
      ...         "decay_steps": 100,
      ...         "decay_rate": 0.5,
      ...         "staircase": False,
      ...         "name": "ExponentialDecay",
      ...     },
      ...     "registered_name": None,
      ... })
      exponential_decay(init_value=0.1, factor=0.5, steps=100)
    """
    if not isinstance(config, Mapping) or not {"class_name", "config"} <= config.keys():
        raise TypeError(
            "from_keras: config must be a dict with class_name and config, got config="
            f"{short(config)}"
        )
    name = config["class_name"]
    if name not in _BY_CLASS or config.get("registered_name"):
        raise NotImplementedError(
            f"from_keras: class_name must be one of {', '.join(_BY_CLASS)}, got "
            f"class_name={name!r}"
        )
    return _BY_CLASS[name](**config["config"])
