"""
Driven by a metric
==================

A metric-driven schedule wraps any other and sees a metric at each update. Its state is
part of the optimizer's, so a whole run is one compiled loop.
"""

import jax
import jax.numpy as jnp
from matplotlib import pyplot

import jaxsched as js

# %%
# A loss that stalls, and a spike
# -------------------------------
#
# The loss is made up: it falls, stalls at 1 from step 100 on, and leaps up once.

steps = jnp.arange(400)
noise = 0.02 * jax.random.normal(jax.random.key(0), (400,))
loss = 1 + 2 * jnp.exp(-steps / 25) + noise
loss = loss.at[60].add(5.0)


def rates(driven):
    """The rate that each update uses."""
    optimizer = js.scale_by_learning_rate(driven)
    gradient = jnp.ones(())

    def update(state, value):
        _, state = optimizer.update(gradient, state, value=value)
        return state, js.learning_rate(state)

    return jax.lax.scan(update, optimizer.init(gradient), loss)[1]


# %%
# Three reactions
# ---------------
#
# Around the same schedule, whose steps go on as before.

base = js.warmup_constant(0.1, warmup_steps=20)
reactions = {
    "reduce_on_plateau": js.reduce_on_plateau(base, factor=0.5, patience=3, window=15),
    "back_off_on_spike": js.back_off_on_spike(base, hold_steps=40, window=30),
    "cooldown_on_trigger": js.cooldown_on_trigger(base, 100, patience=4, window=15),
}
fig, axes = pyplot.subplots(4, sharex=True, figsize=(7, 7), layout="constrained")
axes[0].plot(steps, loss, color="0.5", linewidth=1)
axes[0].set_title("loss", loc="left")
for ax, (name, driven) in zip(axes[1:], reactions.items(), strict=True):
    ax.plot(steps, rates(driven))
    ax.set_ylim(-0.005, 0.11)
    ax.set_title(name, loc="left")
axes[-1].set_xlabel("step")
