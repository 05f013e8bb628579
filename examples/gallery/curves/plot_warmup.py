"""
Warm-ups
========

A warm-up ramps to the first value of a schedule, and then the schedule begins at its own
step 0.
"""

import jax.numpy as jnp

import jaxsched as js

# %%
# The first update
# ----------------
#
# The classic ramp k / n spends the first update at a rate of 0: it does nothing. The
# default here is (k + 1) / (n + 1); both reach the peak at step n.

ramps = {
    "default": js.warmup(1.0, steps=5),
    "init_value=0.0": js.warmup(1.0, steps=5, init_value=0.0),
}
ax = js.plot(ramps, total_steps=8, marker="o")

# %%
# Its shape
# ---------
#
# Any shape will do, one of your own too.

body = js.cosine(1.0, 0.0, steps=80)
shapes = ["linear", "cosine", "sqrt", "square"]
ax = js.plot({shape: js.warmup(body, 20, 0.0, shape=shape) for shape in shapes})

# %%
# With the clock running
# ----------------------
#
# By default the schedule waits for the ramp to end. With ``overlap=True`` it runs
# underneath and is multiplied by the ramp, as in fairseq's and Transformers' products.

waits = js.warmup(body, 20, 0.0)
overlaps = js.warmup(body, 20, 0.0, overlap=True)
ax = js.plot({"waits": waits, "overlap=True": overlaps, "without": body}, 100)
print(js.compare(waits, overlaps, total_steps=100))

# %%
# A family of ramps
# -----------------
#
# The length may be an array: one call gives all curves.

grid = js.grid(js.warmup_cosine, 1.0, total_steps=100, warmup_steps=[0, 10, 20, 40])
curves = js.evaluate(grid.schedules, jnp.arange(101))
ax = js.plot(grid.schedules)
print(curves.shape)
