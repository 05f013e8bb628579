"""
Find a learning rate
====================

One short run over rising rates shows where the loss falls fastest and where it diverges.
"""

import jax
import jax.numpy as jnp
import optax
from sklearn.datasets import load_digits

import jaxsched as js

pixels, labels = load_digits(return_X_y=True)
images, labels = jnp.array(pixels / 16.0, "float32"), jnp.array(labels)

# %%
# A step that takes the rate
# --------------------------


def loss_of(weights, rows):
    logits = jnp.tanh(images[rows] @ weights["in"]) @ weights["out"]
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels[rows]).mean()


def train_step(state, rows, learning_rate):
    """One step of SGD with momentum."""
    weights, opt_state = state
    loss, grads = jax.value_and_grad(loss_of)(weights, rows)
    optimizer = optax.sgd(learning_rate, momentum=0.9)
    updates, opt_state = optimizer.update(grads, opt_state)
    return (optax.apply_updates(weights, updates), opt_state), loss


one, two = jax.random.split(jax.random.key(0))
weights = {
    "in": jax.random.normal(one, (64, 32)) / 8,
    "out": jax.random.normal(two, (32, 10)) / 6,
}
state = weights, optax.sgd(0.0, momentum=0.9).init(weights)
batches = [jax.random.choice(jax.random.key(i), 1500, (64,)) for i in range(50)]

# %%
# The test
# --------
#
# The suggestions are fastai's. They depend on the smoothing and on the batches: look at
# the curve.

test = js.lr_range_test(train_step, state, batches, min_value=1e-4)
ax = test.plot()
for name, rate in test.suggestions.items():
    print(f"{name}: {rate:.3g}")
