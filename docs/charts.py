"""The charts of the API: every schedule and shape, drawn by the library as it is."""

import jax
import numpy as np
import pictures
import runs
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import jaxsched as js

# What the table in README leaves out: shapes, and what needs a metric.
MORE = {
    "rex": "transition(1, 0, 100, shape=rex(beta=0.5))",
    "tanh": "transition(1, 0, 100, shape=tanh(lower=-7, upper=3))",
    "inverse_proportional": "transition(1, 0.1, 100, "
    "shape=inverse_proportional(ratio=0.1))",
    "one_minus_power": "transition(1, 0, 100, shape=one_minus_power(power=0.25))",
    "exponential_to_zero": "transition(1, 0, 100, shape=exponential_to_zero(ratio=0.1))",
    "reduce_on_plateau": "reduce_on_plateau(constant(1), factor=0.5, window=4, patience=2)",
    "greedy": "greedy(constant(0.5), factor=0.9, window=4, patience=2)",
    "back_off_on_spike": "back_off_on_spike(constant(1), hold_steps=15, recover_steps=20, "
    "window=15)",
    "cooldown_on_trigger": "cooldown_on_trigger(constant(1), steps=30, window=4, "
    "patience=2)",
    "kl_adaptive": "kl_adaptive(constant(0.3), target=0.3, band=1.1, max_value=1)",
}

CALLS = {pictures.name_of(call): call for call in pictures.calls()} | MORE


def chart(name: str) -> Figure:
    """The chart of one of `CALLS`."""
    figure = Figure(figsize=(6.4, 2.4), layout="constrained")
    axes = figure.add_subplot()
    made = js.parse(CALLS[name])
    if isinstance(made, js.MetricDriven):
        draw_driven(axes, made)
    else:
        js.plot(made, len(pictures.STEPS), axes, color=pictures.LINE)
    low, high = axes.get_ylim()
    axes.set(xlabel="step", ylabel="", ylim=(min(low, -0.05 * high), high))
    runs.mute(axes)
    return figure


def draw_driven(axes: Axes, driven: js.MetricDriven) -> None:
    """The rate that each update uses, over a made-up loss in grey."""
    losses, rates = driven_rates(driven)
    axes.plot(losses / losses.max(), color=pictures.MUTED, lw=0.8, label="loss")
    axes.plot(rates, color=pictures.LINE, label="rate")
    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    # Beside the axes: there is no corner that no curve comes to.
    figure.legend(loc="outside right upper", labelcolor=pictures.MUTED, frameon=False)


def driven_rates(driven: js.MetricDriven) -> tuple[np.ndarray, np.ndarray]:
    """A made-up loss, and the rate that each update uses when it sees it."""
    losses = made_up_losses()
    optimizer = js.scale_by_learning_rate(driven)
    gradient = jax.numpy.ones(())

    def update(state, loss):
        _, state = optimizer.update(gradient, state, value=loss)
        return state, js.learning_rate(state)

    _, rates = jax.lax.scan(update, optimizer.init(gradient), losses)
    return losses, np.asarray(rates)


def made_up_losses() -> np.ndarray:
    """Falls, leaps up once, and stalls."""
    steps = pictures.STEPS
    noise = np.random.default_rng(0).normal(0, 0.01, len(steps))
    losses = 0.3 + np.exp(-steps / 5) + noise
    losses[60] += 3.0
    return losses.astype(np.float32)
