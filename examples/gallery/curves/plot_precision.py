"""
The last steps of a long run
============================

A float32 has some seven digits. The usual formula of a cosine subtracts two numbers that
are nearly equal near its end, and loses them; schedules here do not.
"""

import numpy as np
import optax
from matplotlib import pyplot

import jaxsched as js

# %%
# The end of a million steps
# --------------------------
#
# Against the formula in float64: :math:`\sin^2\left(\frac{\pi}{2} \frac{n - t}{n}\right)`.

n = 1_000_000
steps = np.arange(n - 2_000, n)
exact = np.sin(np.pi / 2 * (n - steps) / n) ** 2
ours = np.asarray(js.cosine(1.0, 0.0, steps=n)(steps))
optax_own = np.asarray(optax.cosine_decay_schedule(1.0, n)(steps), np.float64)

fig, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
left.plot(n - steps, optax_own, label="Optax")
left.plot(n - steps, ours, label="jaxsched")
left.set(xlabel="steps before the end", ylabel="learning rate", xscale="log")
left.set_yscale("log")
left.legend()
right.plot(n - steps, np.abs(optax_own / exact - 1), label="Optax")
right.plot(n - steps, np.abs(ours / exact - 1), label="jaxsched")
right.set(xlabel="steps before the end", ylabel="relative error")
right.set(xscale="log", yscale="log")
right.legend()

# %%
# Optax's curve ends in steps, the last of which is 0.

print(f"steps at 0 by Optax: {np.sum(optax_own == 0)}, here: {np.sum(ours == 0)}")
print(f"largest error: {np.abs(optax_own / exact - 1).max():.1e} and", end=" ")
print(f"{np.abs(ours / exact - 1).max():.1e}")
