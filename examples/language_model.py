"""A small language model of Python source, and many training runs by one program.

The text is the source of Python's own standard library, which every machine with Python
has: nothing is downloaded. The model reads 16 characters and predicts the next one; a
gated causal convolution of 43,168 parameters learns fast enough for a schedule to matter
within 1,000 updates. (A small transformer does not: after so few updates it is still in
its early phase, where all schedules look alike.)

`Trainer` takes the rates of its runs as arrays, so one compiled program trains under every
schedule. `plan_a_run.py` uses it.
"""

import hashlib
import sysconfig
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax.sharding import NamedSharding, PartitionSpec
from tqdm import tqdm

if hasattr(jax, "shard_map"):
    shard_map = jax.shard_map
else:  # before JAX 0.6.1; its check of what lies on which device knows no gradients
    from jax.experimental import shard_map as old

    shard_map = partial(old.shard_map, check_rep=False)

WINDOW = 64  # characters that are predicted at a time
BATCH_SIZE = 8  # windows
HELD_OUT = 1024  # windows of the evaluation
CHARACTERS = 97  # printable ASCII, the end of a line, and all others as one
# Folders of the library that are no code, are large tables, or are not everywhere.
SKIPPED = {
    *("site-packages", "dist-packages", "test", "tests", "idlelib", "lib2to3"),
    *("encodings", "pydoc_data", "ensurepip", "turtledemo", "lib-dynload"),
}
TRANSFORMATION = optax.chain(
    optax.clip_by_global_norm(1.0),
    optax.scale_by_adam(b1=0.9, b2=0.99),
    optax.add_decayed_weights(0.1, mask=partial(jax.tree.map, lambda x: x.ndim > 1)),
)  # AdamW but for the learning rate, which `Trainer` multiplies with


class Text(NamedTuple):
    """Windows of characters as numbers, the first of which is only read."""

    train: np.ndarray  # (windows, WINDOW + 1)
    held_out: np.ndarray  # the same, from files of their own


def load_text() -> Text:
    """The standard library's source; a hash of its name decides what a file is for."""
    root = Path(sysconfig.get_paths()["stdlib"])
    parts: tuple[list[np.ndarray], list[np.ndarray]] = [], []
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root)
        if SKIPPED.isdisjoint(name.parts):
            first = hashlib.sha256(name.as_posix().encode()).digest()[0]
            parts[first < 26].append(numbers(path.read_bytes()))
    return Text(*(windows(np.concatenate(part)) for part in parts))


def numbers(text: bytes) -> np.ndarray:
    """Each character as a number below `CHARACTERS`."""
    known = bytes([*range(32, 127), ord("\n")])
    table = bytes(known.find(c) if c in known else CHARACTERS - 1 for c in range(256))
    return np.frombuffer(text.translate(table), np.uint8)


def windows(characters: np.ndarray) -> np.ndarray:
    """All windows that do not overlap, but for the one character between two."""
    every = np.lib.stride_tricks.sliding_window_view(characters, WINDOW + 1)
    return np.ascontiguousarray(every[::WINDOW])


class Block(nnx.Module):
    """What is 0, 1, 2 and 3 times `dilation` characters back, mixed through a gate."""

    def __init__(self, width: int, dilation: int, rngs: nnx.Rngs):
        linear = partial(nnx.Linear, use_bias=False, rngs=rngs)
        self.dilation = dilation
        self.norm = nnx.RMSNorm(width, rngs=rngs)
        self.mixed = linear(4 * width, 4 * width)
        self.out = linear(2 * width, width)

    def __call__(self, x: jax.Array) -> jax.Array:
        """(batch, WINDOW, width) to the same."""
        normed, size = self.norm(x), x.shape[1]
        shifts = [i * self.dilation for i in range(4)]
        back = [jnp.pad(normed, ((0, 0), (i, 0), (0, 0)))[:, :size] for i in shifts]
        value, gate = jnp.split(self.mixed(jnp.concatenate(back, -1)), 2, axis=-1)
        return x + self.out(value * nnx.silu(gate))


class LanguageModel(nnx.Module):
    """A logit for each character that may follow."""

    def __init__(self, width: int, rngs: nnx.Rngs):
        self.embedding = nnx.Embed(CHARACTERS, width, rngs=rngs)
        self.near, self.far = Block(width, 1, rngs), Block(width, 4, rngs)
        self.norm = nnx.RMSNorm(width, rngs=rngs)
        self.head = nnx.Linear(width, CHARACTERS, use_bias=False, rngs=rngs)

    def __call__(self, characters: jax.Array) -> jax.Array:
        """(batch, WINDOW) to (batch, WINDOW, CHARACTERS)."""
        x = self.far(self.near(self.embedding(characters)))
        return self.head(self.norm(x))


class State(NamedTuple):
    """What a run carries from update to update."""

    weights: Any
    optimizer: Any


class Trainer:
    """Trains many runs at a time: some on each device, in one compiled program.

    Args:
      text: What is read.
      chunk: The updates of one call of the program; a run is some whole chunks long.
      width: The width of the model.
      at_a_time: The runs that a device trains side by side: 1 is best on a CPU, tens on
        an accelerator.
    """

    def __init__(self, text: Text, chunk: int, width: int = 32, at_a_time: int = 1):
        self.chunk, self.windows = chunk, len(text.train)
        mesh = jax.make_mesh((jax.device_count(),), ("runs",))
        self.group = jax.device_count() * at_a_time
        self.along = NamedSharding(mesh, PartitionSpec("runs"))
        whole = NamedSharding(mesh, PartitionSpec())
        self.train_windows = jax.device_put(text.train, whole)
        self.held_out = jax.device_put(text.held_out[:HELD_OUT], whole)
        model = lambda key: nnx.split(LanguageModel(width, nnx.Rngs(key)))
        self.graph, _ = model(jax.random.key(0))
        self.fresh = jax.jit(lambda key: initial(model(key)[1]))

        def on_devices(one: Any) -> Any:
            """The program for a group of runs from that for one; data is the last."""

            def some(*arguments: Any) -> Any:
                *runs, data = arguments
                size = at_a_time if at_a_time > 1 else None
                return jax.lax.map(lambda run: one(*run, data), runs, batch_size=size)

            def program(*arguments: Any) -> Any:
                *runs, _ = arguments
                specs = (*[PartitionSpec("runs")] * len(runs), PartitionSpec())
                return shard_map(
                    some, mesh=mesh, in_specs=specs, out_specs=PartitionSpec("runs")
                )(*arguments)

            return jax.jit(program)

        self.advanced = on_devices(partial(advanced, self.graph))
        self.evaluated = on_devices(partial(evaluated, self.graph))

    def begin(self, seeds: list[int]) -> list[State]:
        """A fresh run for each seed, on the host."""
        return [jax.device_get(self.fresh(jax.random.key(seed))) for seed in seeds]

    def train(
        self,
        states: list[State],
        seeds: list[int],
        rates: np.ndarray,
        *,
        first: int = 0,
        name: str = "training",
    ) -> tuple[list[State], np.ndarray]:
        """Goes on with some runs under `rates`, (runs, updates), from update `first` on.

        Runs of one seed see the same batches, so that they can be compared in pairs.

        Returns:
          The runs as they are then, and the loss of each batch, (runs, updates).
        """
        rates = np.asarray(rates, np.float32)
        orders = {n: order(n, first, rates.shape[1], self.windows) for n in {*seeds}}
        rows = np.stack([orders[seed] for seed in seeds])
        ended, losses = [], []
        shown = {"desc": name, "unit": "update", "unit_scale": True, "leave": False}
        with tqdm(total=rates.size, **shown) as bar:
            for part in groups(len(states), self.group):
                group = stacked([states[i] for i in part], self.along)
                found = []
                for at in range(0, rates.shape[1], self.chunk):
                    now = np.s_[part, at : at + self.chunk]
                    here = jax.device_put((rates[now], rows[now]), self.along)
                    group, loss = self.advanced(group, *here, self.train_windows)
                    found.append(jax.device_get(loss))
                    bar.update(found[-1].shape[1] * len({*part}))
                ended += unstacked(group)
                losses += [*np.concatenate(found, axis=1)]
        return ended[: len(states)], np.stack(losses[: len(states)])

    def evaluate(self, states: list[State]) -> np.ndarray:
        """The mean loss of each run on the held-out windows, in nats per character."""
        found = []
        for part in groups(len(states), self.group):
            group = stacked([states[i].weights for i in part], self.along)
            found += jax.device_get(self.evaluated(group, self.held_out)).tolist()
        return np.array(found[: len(states)])


def initial(weights: Any) -> State:
    """A run before its first update."""
    return State(weights, TRANSFORMATION.init(weights))


def loss_of(graph: Any, weights: Any, batch: jax.Array) -> jax.Array:
    """The mean cross-entropy of the characters that follow."""
    read = batch.astype(jnp.int32)
    logits = nnx.merge(graph, weights)(read[:, :-1])
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, read[:, 1:])
    return losses.mean()


def advanced(graph: Any, state: State, rates: Any, rows: Any, windows: Any) -> Any:
    """One run, some updates later, and the losses of their batches."""

    def update(state: State, now: Any) -> tuple[State, jax.Array]:
        rate, chosen = now
        differentiated = jax.value_and_grad(partial(loss_of, graph))
        loss, gradients = differentiated(state.weights, windows[chosen])
        changes, optimizer = TRANSFORMATION.update(
            gradients, state.optimizer, state.weights
        )
        changes = optax.tree.scale(-rate, changes)
        return State(optax.apply_updates(state.weights, changes), optimizer), loss

    return jax.lax.scan(update, state, (rates, rows))


def evaluated(graph: Any, weights: Any, held_out: jax.Array) -> jax.Array:
    """The mean loss of one run, a part of the windows after another."""
    parts = held_out.reshape(8, -1, WINDOW + 1)
    return jax.lax.map(partial(loss_of, graph, weights), parts).mean()


def order(seed: int, first: int, steps: int, size: int) -> np.ndarray:
    """The windows of the batches of some updates, (steps, BATCH_SIZE).

    They are a random permutation of all windows, and another one after it.
    """
    needed = (first + steps) * BATCH_SIZE
    rng = np.random.default_rng(seed)
    epochs = [rng.permutation(size) for _ in range(-(-needed // size))]
    rows = np.concatenate(epochs)[first * BATCH_SIZE : needed]
    return rows.reshape(steps, BATCH_SIZE).astype(np.int32)


def groups(runs: int, size: int) -> list[list[int]]:
    """Runs in groups of one size; the last one is filled up with its last run."""
    places = [min(i, runs - 1) for i in range(-(-runs // size) * size)]
    return [places[i : i + size] for i in range(0, len(places), size)]


def stacked(trees: list[Any], sharding: Any) -> Any:
    """Runs along a leading axis, on their devices."""
    return jax.device_put(jax.tree.map(lambda *x: np.stack(x), *trees), sharding)


def unstacked(tree: Any) -> list[Any]:
    """The runs of a leading axis, on the host."""
    leaves, structure = jax.tree.flatten(jax.device_get(tree))
    rows = zip(*leaves, strict=True)  # numbers come out as scalars, not as arrays
    return [structure.unflatten(map(np.asarray, row)) for row in rows]
