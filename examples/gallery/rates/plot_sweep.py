"""
A sweep in one program
======================

A stacked schedule is a family, and ``vmap`` trains under all of it at once: one
compilation, however many settings.
"""

import jax
import jax.numpy as jnp
import optax
from matplotlib import pyplot
from sklearn.datasets import load_digits

import jaxsched as js

pixels, labels = load_digits(return_X_y=True)
images, labels = jnp.array(pixels / 16.0, "float32"), jnp.array(labels)

# %%
# Peaks and warm-ups
# ------------------

PEAKS = [0.003, 0.01, 0.03, 0.1, 0.3, 1.0]
WARMUPS = [0, 10, 50, 100]
grid = js.grid(
    js.warmup_cosine, peak_value=PEAKS, total_steps=200, warmup_steps=WARMUPS
)

# %%
# A run is a function of its schedule
# -----------------------------------


def loss_of(weights, rows):
    hidden = jnp.tanh(images[rows] @ weights["in"])
    logits = hidden @ weights["out"]
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels[rows]).mean()


def train(schedule):
    """The loss on held-out digits after 200 steps of SGD with momentum."""
    optimizer = optax.sgd(schedule, momentum=0.9)
    one, two = jax.random.split(jax.random.key(0))
    weights = {
        "in": jax.random.normal(one, (64, 32)) / 8,
        "out": jax.random.normal(two, (32, 10)) / 6,
    }

    def update(carry, step):
        weights, state = carry
        rows = jax.random.choice(jax.random.key(step), 1500, (32,))
        updates, state = optimizer.update(jax.grad(loss_of)(weights, rows), state)
        return (optax.apply_updates(weights, updates), state), None

    carry, _ = jax.lax.scan(update, (weights, optimizer.init(weights)), jnp.arange(200))
    return loss_of(carry[0], jnp.arange(1500, 1797))


losses = jax.jit(jax.vmap(train))(grid.schedules).reshape(len(PEAKS), len(WARMUPS))

# %%
# Where it works
# --------------

fig, ax = pyplot.subplots(layout="constrained")
image = ax.imshow(jnp.log10(losses), origin="lower", aspect="auto", cmap="viridis_r")
ax.set_xticks(range(len(WARMUPS)), [str(n) for n in WARMUPS])
ax.set_yticks(range(len(PEAKS)), [str(peak) for peak in PEAKS])
ax.set(xlabel="warmup_steps", ylabel="peak_value")
fig.colorbar(image, label="held-out loss, log10")

print(grid.label(int(losses.argmin())))
