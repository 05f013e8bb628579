"""
A schedule of your own
======================

Write the rule; the decorator makes everything else.
"""

import jax
import jax.numpy as jnp
from matplotlib import pyplot

import jaxsched as js

# %%
# The rule
# --------


@js.schedule
def bounce(step, peak_value: js.Value, factor: js.Factor, every: js.Period):
    """A ball that bounces, each time to `factor` of the height before."""
    hop, phase = step // every, (step % every) / every
    return peak_value * factor**hop * 4 * phase * (1 - phase)


# %%
# It is one of them now
# ---------------------
#
# Printed, read back, composed, drawn.

s = js.warmup(js.maximum(bounce(1.0, factor=0.7, every=50), 0.05), steps=20)
print(s, js.parse(repr(s)) == s, sep="\n")
ax = js.plot(s, total_steps=300)

# %%
# And mapped over
# ---------------

heights = jnp.linspace(0.3, 0.9, 4)
steps = jnp.arange(300)
curves = jax.vmap(lambda factor: bounce(1.0, factor, every=50)(steps))(heights)
fig, ax = pyplot.subplots(layout="constrained")
ax.plot(steps, curves.T, label=[f"factor={h:.1f}" for h in heights])
ax.legend()
