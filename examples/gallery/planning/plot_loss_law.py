"""
The best schedule under a loss law
==================================

A loss law predicts the final loss of any schedule, and it can be differentiated: the rates
themselves can be optimised before anything is trained. The law is the published fit to a
language model of 400 million parameters by Luo et al. (2025), arXiv:2503.12811.
"""

import jax
import jax.numpy as jnp
import optax

import jaxsched as js
from jaxsched import planning

law = planning.MultiPowerLaw(
    L0=2.37474466,
    A=0.65421216,
    alpha=0.42878731,
    B=523.42464371,
    C=2.02462735,
    beta=0.59350493,
    gamma=0.63472457,
)
peak, ramp, total = 3e-4, 2160, 24_000

# %%
# A schedule with forty free rates
# --------------------------------
#
# After the warm-up the rate may only fall. What is optimised says how much of the peak is
# lost between one knot and the next; the last share is what is never lost.

boundaries = [0, *range(ramp, total + 1, (total - ramp) // 40)]


def falling(shares):
    """Forty falls, from 41 numbers without bounds."""
    lost = jnp.cumsum(jax.nn.softmax(shares))[:-1]
    values = peak * jnp.concatenate([jnp.array([0.0, 1.0]), 1 - lost])
    return js.piecewise_linear(boundaries, values)


def loss(shares):
    """What the law predicts for the end of the run."""
    return law.predict(falling(shares), total)


# %%
# Gradient descent on the schedule
# --------------------------------

optimizer = optax.adam(js.warmup_linear(0.3, 400, 0))
shares = jnp.zeros(41)
state = optimizer.init(shares)


@jax.jit
def update(shares, state):
    """One step of Adam."""
    value, gradient = jax.value_and_grad(loss)(shares)
    changes, state = optimizer.update(gradient, state)
    return optax.apply_updates(shares, changes), state, value


for _ in range(400):
    shares, state, value = update(shares, state)

# %%
# What it finds
# -------------
#
# A long plateau, and a cool-down that is steep at first: near to WSD with the shape
# "one_minus_sqrt" or the power 1.5, which the authors of the law report too.

schedules = {
    "optimised": falling(shares),
    "cosine": js.warmup_cosine(peak, total, ramp, 0.0, init_value=0.0),
    "linear": js.warmup_linear(peak, total, ramp, 0.0, init_value=0.0),
    "wsd, 20 %": js.wsd(peak, total, ramp, total // 5, init_value=0.0),
}
for name, schedule in schedules.items():
    print(f"{law.predict(schedule, total):.4f}  {name}")
ax = js.plot(schedules, total_steps=total, boundaries=False)

# %%
# The law was fitted at this one peak, which is low: there a plateau costs nothing. It says
# nothing about another peak; the bound of :py:func:`jaxsched.planning.rank`, which takes
# each shape at its own best peak, prefers long cool-downs. Both are right about their own
# question, so say whether the height is free before you use either.
