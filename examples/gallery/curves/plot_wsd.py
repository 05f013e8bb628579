"""
Warm-up, stable, decay
======================

A run at a constant rate can be ended at any time: the cool-down may begin anywhere. One
long run then serves several lengths, each from a checkpoint of the same trunk.
"""

import jaxsched as js

# %%
# One trunk, several ends
# -----------------------

trunk = js.warmup(js.constant(3e-4), steps=500)
ends = {
    f"{total:_} steps": js.cooldown(trunk, begin=total * 4 // 5, steps=total // 5)
    for total in (4_000, 7_000, 10_000)
}
ax = js.plot(ends, total_steps=10_000)

# %%
# How to come down
# ----------------
#
# A straight line is the usual choice; :math:`1 - \sqrt{u}` falls faster at first and is
# what Hägele et al. (2024), arXiv:2405.18392, found best.

shapes = ["linear", "one_minus_sqrt", "cosine", "square", "mirror_cosine"]
decays = {shape: js.wsd(1.0, 1000, 50, 300, shape=shape) for shape in shapes}
ax = js.plot(decays)
ax.set_xlim(600, 1020)

# %%
# What an early end costs
# -----------------------
#
# ``js.compare`` says how two schedules differ, and whether the rate jumps where a run goes
# on under the other one.

print(js.compare(ends["10_000 steps"], ends["4_000 steps"], at=3_500))
