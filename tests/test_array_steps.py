"""What is an array to JAX is a step and a number: variables of Keras and of Flax."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from cases import ONE_OF_EACH, Case
from flax import nnx

import jaxsched as js


class Variable:
    """What Keras has with JAX: a box around an array."""

    def __init__(self, array: Any):
        self.array = array

    def __jax_array__(self) -> jax.Array:
        return jnp.asarray(self.array)


VARIABLES = {
    "a box": lambda x: Variable(jnp.asarray(x)),
    "a variable": lambda x: nnx.Variable(jnp.asarray(x)),
    "of 32 bits": lambda x: Variable(jnp.asarray(x, jnp.uint32)),
}
every_kind = pytest.mark.parametrize("kind", VARIABLES)


@every_kind
@pytest.mark.filterwarnings("error")  # `Variable.value` of Flax is deprecated
def test_a_variable_is_a_step(kind: str):
    """Called, compiled, read and evaluated."""
    s, step = js.cosine(0.1, 0.0, steps=10), VARIABLES[kind](3)
    assert s(step) == s(3)
    assert s.at(step) == s.at(3)
    steps = VARIABLES[kind](np.arange(4))
    np.testing.assert_array_equal(s(steps), s(np.arange(4)))
    np.testing.assert_array_equal(s.at(steps), s.at(np.arange(4)))
    np.testing.assert_array_equal(js.evaluate(js.stack([s]), steps)[0], s(np.arange(4)))


def test_a_variable_is_a_step_inside_a_program():
    """As in a training step of Flax that counts in a variable."""
    s = js.cosine(0.1, 0.0, steps=10)
    count = nnx.Variable(jnp.int32(0))

    @nnx.jit
    def step(count: Any) -> Any:
        rate = s(count)
        count[...] = count[...] + 1
        return rate

    assert [float(step(count)) for _ in range(3)] == [float(s(t)) for t in range(3)]


@pytest.mark.parametrize("c", ONE_OF_EACH[::4], ids=str)
def test_every_schedule_takes_a_variable(c: Case):
    """The same number is the same step."""
    assert c.schedule.at(Variable(jnp.int32(3))) == c.schedule.at(3)


@every_kind
def test_a_variable_is_a_metric_and_a_number(kind: str):
    """For machines, and for steering."""
    driven = js.reduce_on_plateau(1.0, 0.5, 0)
    state = driven.update(driven.init(), value=VARIABLES[kind](1))
    state = js.set_metric(state, VARIABLES[kind](2))
    assert float(driven(state)) == 0.5
    state = js.with_schedule(optax.sgd, 0.5).init(jnp.ones(2))
    assert js.set_multiplier(state, VARIABLES[kind](2)).multiplier == 2
    assert js.step_count(js.set_step_count(state, VARIABLES[kind](7))) == 7


def test_what_is_no_number_is_still_refused():
    """By its own name."""
    with pytest.raises(TypeError, match="step must be a real number"):
        js.cosine(0.1, 0.0, steps=10)(Variable(jnp.array([True])))
