"""PPO on a cart and a pole: whole trainings under many schedules, in one program.

The rate of PPO is set once in an iteration, which makes many updates: some epochs over
the minibatches of what was just played. `js.per` counts iterations for a schedule. Which
schedule it is, constant or falling in a line, is a number (`js.choose`), so that kinds,
peaks and seeds are axes of one `jax.vmap` over a whole training. Beside them runs
`js.kl_adaptive`, which looks at how far an update moved the policy.

The cart follows the equations of Barto, Sutton and Anderson (1983), as in Gymnasium's
CartPole-v1: 1 for every step that the pole stands, 500 at most.
"""

import argparse
import time
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen
from jax import Array
from matplotlib.figure import Figure
from train_digits import picture_path, whole_number

import jaxsched as js

ITERATIONS = 60
SEEDS = 4
PEAKS = (3e-4, 1e-3, 3e-3)
KINDS = ("constant", "linear", "kl_adaptive")

CARTS, STEPS = 8, 128  # what one iteration plays
EPOCHS, MINIBATCHES = 4, 4
UPDATES = EPOCHS * MINIBATCHES  # of one iteration
DISCOUNT, TRACE, CLIP, ENTROPY = 0.99, 0.95, 0.2, 0.01
TARGET_KL = 0.01
LIMIT = 500  # steps of an episode


class Cart(NamedTuple):
    """A cart with its pole, and how long the pole has stood."""

    body: Array  # place, speed, angle, angular speed
    age: Array


class Played(NamedTuple):
    """What was seen and done at each step."""

    seen: Array
    action: Array
    log_chance: Array
    value: Array
    done: Array
    age: Array  # of the pole, after the step


def new_cart(key: Array) -> Cart:
    """A cart at rest, nearly."""
    return Cart(jax.random.uniform(key, (4,), minval=-0.05, maxval=0.05), jnp.int32(0))


def push(body: Array, action: Array) -> Array:
    """The cart a fiftieth of a second later, pushed to the left or to the right."""
    gravity, cart, pole, half_length, tick = 9.8, 1.0, 0.1, 0.5, 0.02
    _, speed, angle, turning = body
    force = jnp.where(action == 1, 10.0, -10.0)
    sine, cosine = jnp.sin(angle), jnp.cos(angle)
    mass = cart + pole
    thrust = (force + pole * half_length * turning**2 * sine) / mass
    torque = gravity * sine - cosine * thrust
    turn = torque / (half_length * (4 / 3 - pole * cosine**2 / mass))
    gain = thrust - pole * half_length * turn * cosine / mass
    return body + tick * jnp.stack([speed, gain, turning, turn])


def play(cart: Cart, action: Array, key: Array) -> tuple[Cart, Array, Array]:
    """The next cart, a new one where the pole fell; whether it did, and how old it was."""
    body, age = push(cart.body, action), cart.age + 1
    fell = (jnp.abs(body[0]) > 2.4) | (jnp.abs(body[2]) > jnp.pi / 15)
    done = fell | (age >= LIMIT)
    fresh = new_cart(key)
    after = jax.tree.map(
        lambda new, old: jnp.where(done, new, old), fresh, Cart(body, age)
    )
    return after, done, age


class Policy(linen.Module):
    """Two small networks: the chances of the actions, and the value of a state."""

    @linen.compact
    def __call__(self, seen: Array) -> tuple[Array, Array]:
        """Logits of the two actions, and the value."""
        outputs = []
        for size, scale in ((2, 0.01), (1, 1.0)):
            hidden = seen
            for _ in range(2):
                hidden = jnp.tanh(linen.Dense(64)(hidden))
            start = linen.initializers.orthogonal(scale)
            outputs.append(linen.Dense(size, kernel_init=start)(hidden))
        return outputs[0], outputs[1][..., 0]


POLICY = Policy()


def judged(weights: Any, seen: Array) -> tuple[Array, Array]:
    """The logits and the value of what was seen."""
    result: Any = POLICY.apply(weights, seen)
    return result


def chances(logits: Array, action: Array) -> Array:
    """The logarithm of the chance of an action."""
    logs = jax.nn.log_softmax(logits)
    return jnp.take_along_axis(logs, action[..., None], axis=-1)[..., 0]


def rollout(weights: Any, carts: Cart, key: Array) -> tuple[Cart, Played]:
    """Some steps of all carts."""

    def step(carts: Cart, key: Array) -> tuple[Cart, Played]:
        act, *renew = jax.random.split(key, CARTS + 1)
        logits, value = judged(weights, carts.body)
        action = jax.random.categorical(act, logits)
        after, done, age = jax.vmap(play)(carts, action, jnp.stack(renew))
        played = Played(carts.body, action, chances(logits, action), value, done, age)
        return after, played

    return jax.lax.scan(step, carts, jax.random.split(key, STEPS))


def advantages(played: Played, last_value: Array) -> Array:
    """How much better than expected each action turned out (GAE)."""

    def back(carry: Any, at: Any) -> Any:
        advantage, next_value = carry
        value, done = at
        goes_on = 1.0 - done
        error = 1.0 + DISCOUNT * next_value * goes_on - value
        advantage = error + DISCOUNT * TRACE * goes_on * advantage
        return (advantage, value), advantage

    start = jnp.zeros_like(last_value), last_value
    inputs = played.value, played.done.astype(last_value.dtype)
    return jax.lax.scan(back, start, inputs, reverse=True)[1]


def loss(weights: Any, played: Played, advantage: Array) -> tuple[Array, Array]:
    """PPO's clipped loss, and the divergence from the policy that played."""
    logits, value = judged(weights, played.seen)
    change = chances(logits, played.action) - played.log_chance
    ratio = jnp.exp(change)
    scaled = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
    clipped = jnp.clip(ratio, 1 - CLIP, 1 + CLIP)
    gain = jnp.minimum(ratio * scaled, clipped * scaled).mean()
    error = ((value - played.value - advantage) ** 2).mean()
    logs = jax.nn.log_softmax(logits)
    entropy = -(jnp.exp(logs) * logs).sum(axis=-1).mean()
    divergence = (ratio - 1 - change).mean()  # never negative, of little variance
    return -gain + 0.5 * error - ENTROPY * entropy, divergence


class Run(NamedTuple):
    """What a training reports."""

    length: Array  # of the episodes that ended, for each iteration
    rate: Array  # that each update used, (iterations, updates)
    divergence: Array  # that each update saw


def train(schedule: Any, key: Array, iterations: int) -> Run:
    """One whole training."""
    optimizer = optax.chain(
        optax.clip_by_global_norm(0.5),
        js.with_schedule(optax.adam, schedule, eps=1e-5),
    )
    start, *fresh = jax.random.split(key, CARTS + 1)
    weights = POLICY.init(start, jnp.zeros(4))
    carts = jax.vmap(new_cart)(jnp.stack(fresh))

    def update(carry: Any, batch: Any) -> Any:
        weights, state = carry
        differentiated = jax.grad(loss, has_aux=True)
        gradients, divergence = differentiated(weights, *batch)
        changes, state = optimizer.update(gradients, state, weights, value=divergence)
        weights = optax.apply_updates(weights, changes)
        return (weights, state), (js.learning_rate(state), divergence)

    def iteration(carry: Any, key: Array) -> Any:
        weights, state, carts = carry
        play_key, *orders = jax.random.split(key, EPOCHS + 1)
        carts, played = rollout(weights, carts, play_key)
        _, last_value = judged(weights, carts.body)
        everything = played, advantages(played, last_value)
        flat = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), everything)
        rows = [jax.random.permutation(order, STEPS * CARTS) for order in orders]
        rows = jnp.stack(rows).reshape(UPDATES, -1)
        batches = jax.tree.map(lambda x: x[rows], flat)
        (weights, state), seen = jax.lax.scan(update, (weights, state), batches)
        ended = played.done.sum()
        length = jnp.where(played.done, played.age, 0).sum() / jnp.maximum(ended, 1)
        # Where none ended, all are older than this iteration is long.
        length = jnp.where(ended > 0, length, played.age[-1].mean())
        return (weights, state, carts), Run(length, *seen)

    carry = weights, optimizer.init(weights), carts
    return jax.lax.scan(iteration, carry, jax.random.split(key, iterations))[1]


def schedules(peak: Any, kind: Any, iterations: int) -> js.Schedule:
    """A constant or falling rate that is set once in an iteration; `kind` is a number."""
    kinds = [js.constant(peak), js.linear(peak, 0.0, iterations)]
    return js.per(js.choose(kind, kinds), UPDATES)


@partial(jax.jit, static_argnames="iterations")
def all_runs(peaks: Array, keys: Array, iterations: int) -> Run:
    """Every kind, peak and seed, in this order of axes."""

    def plain(kind: Array, peak: Array, key: Array) -> Run:
        return train(schedules(peak, kind, iterations), key, iterations)

    def adaptive(peak: Array, key: Array) -> Run:
        return train(js.kl_adaptive(peak, target=TARGET_KL), key, iterations)

    over_seeds = jax.vmap(plain, in_axes=(None, None, 0))
    over_peaks = jax.vmap(over_seeds, in_axes=(None, 0, None))
    over_kinds = jax.vmap(over_peaks, in_axes=(0, None, None))
    first = over_kinds(jnp.arange(2), peaks, keys)
    last = jax.vmap(jax.vmap(adaptive, in_axes=(None, 0)), in_axes=(0, None))(
        peaks, keys
    )
    return jax.tree.map(lambda x, y: jnp.concatenate([x, y[None]]), first, last)


def table(runs: Run) -> str:
    """How long the pole stands at the end of training: means over seeds and iterations."""
    last = max(1, runs.length.shape[-1] // 6)
    means = runs.length[..., -last:].mean(axis=(2, 3))
    head = "".join(f"{peak:>10g}" for peak in PEAKS)
    rows = [f"{'kind':12}{head}   peak, or start"]
    for kind, row in zip(KINDS, means, strict=True):
        rows.append(f"{kind:12}" + "".join(f"{mean:10.0f}" for mean in row))
    return "\n".join(rows)


def draw(runs: Run, path: Path) -> None:
    """Writes a picture: how each kind learns at each peak, and the rates of one seed."""
    figure = Figure(figsize=(11, 6), layout="constrained")
    above, below = figure.subplots(2, len(PEAKS), sharey="row")
    for column, peak in enumerate(PEAKS):
        for row, kind in enumerate(KINDS):
            lengths = runs.length[row, column]
            color = f"C{row}"
            iterations = np.arange(lengths.shape[-1])
            above[column].plot(iterations, lengths.mean(axis=0), color, label=kind)
            above[column].fill_between(
                iterations,
                lengths.min(axis=0),
                lengths.max(axis=0),
                color=color,
                alpha=0.15,
            )
            rates = runs.rate[row, column, 0].ravel()
            updates = np.arange(rates.size)
            below[column].plot(updates, rates, color, lw=1, label=kind)
        above[column].set(title=f"{peak:g}", xlabel="iteration")
        below[column].set(xlabel="update", yscale="log", ylim=(1e-5, 2e-2))
    above[0].set_ylabel("steps that the pole stands\n(mean and range of the seeds)")
    below[0].set_ylabel("learning rate (first seed)")
    above[0].legend()
    figure.savefig(path, dpi=130)


def arguments(argv: list[str] | None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        description="Train PPO to balance a pole under three kinds of schedule, all in "
        "one program; print a table and draw the rates."
    )
    for name, default, text in (
        ("--iterations", ITERATIONS, "iterations per run"),
        ("--seeds", SEEDS, "runs per schedule"),
    ):
        parser.add_argument(
            name,
            type=whole_number(1),
            default=default,
            metavar="N",
            help=f"{text} (default: %(default)s)",
        )
    parser.add_argument(
        "--output",
        type=picture_path,
        default=Path("ppo.png"),
        metavar="PATH",
        help="the picture (default: %(default)s)",
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Trains, prints the table and writes the picture."""
    args = arguments(argv)
    keys = jax.random.split(jax.random.key(0), args.seeds)
    begin = time.perf_counter()
    runs = jax.device_get(all_runs(jnp.array(PEAKS), keys, args.iterations))
    seconds = time.perf_counter() - begin
    print(table(runs))
    count = len(KINDS) * len(PEAKS) * args.seeds
    print(f"\n{count} runs in {seconds:.1f} s, compilation included")
    draw(runs, args.output)
    print(f"The curves are in {args.output}.")


if __name__ == "__main__":
    main()
