"""
Cycles and restarts
===================

SGDR and cyclical rates are there by name; ``cycle`` repeats anything.
"""

import jaxsched as js

# %%
# Warm restarts
# -------------
#
# Each cycle twice as long as the one before. Restarts are exact at every step up to
# 2147483647, because they are found among whole numbers and not by a logarithm.

ax = js.plot(js.cosine_restarts(0.1, 0.0, steps=100, length_factor=2), 1500)

# %%
# Cyclical rates
# --------------
#
# Halving the height each time is what is called triangular2.

ax = js.plot(
    {
        "triangular": js.triangular(0.01, 0.1, up_steps=100),
        "triangular2": js.triangular(0.01, 0.1, up_steps=100, factor=0.5),
        "exp_range": js.triangular(0.01, 0.1, up_steps=100, step_factor=0.998),
    },
    total_steps=800,
)

# %%
# Repeat anything
# ---------------

one = js.warmup_cosine(0.1, total_steps=200, warmup_steps=40)
ax = js.plot(js.cycle(one, steps=200, value_factor=0.7), 1000)

# %%
# A snapshot at each end
# ----------------------
#
# The phases say when to keep the weights for an ensemble.

restarts = js.cosine_restarts(0.1, 0.0, steps=100, length_factor=2)
for phase in js.phases(restarts, total_steps=1500):
    print(phase.name, "ends at step", phase.end)
