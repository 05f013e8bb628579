"""explore: a schedule under sliders, in a notebook."""

import html
import math
from collections.abc import Callable
from typing import Any

from jaxsched.domains.distributions import Choice, Integer, LogUniform, Uniform
from jaxsched.inspection.phases import inspected
from jaxsched.inspection.picture import Extent, figure
from jaxsched.rule.values import written


def explore(factory: Callable[..., Any], /, *fixed: Any, **ranges: Any) -> Any:
    """Sliders for the arguments of a schedule, its curve and the call to copy.

    Use it in a notebook; it needs ipywidgets. The curve keeps its scale while a slider
    moves, and an error message takes its place where settings do not fit together.

    Args:
      factory: The constructor of a schedule, a recipe, or any function that returns a
        schedule.
      *fixed: Its first arguments, whatever they are.
      **ranges: Its other arguments, as for `random_grid`: `Uniform`, `LogUniform` and
        `Integer` become sliders, `Choice` a list to choose from; everything else is
        fixed. Values are rounded to four digits, those shown in the call.

    Returns:
      A widget, an `ipywidgets.VBox`; its `value` is not kept, copy the call.

    Raises:
      ImportError: There is no ipywidgets.
      TypeError: `factory` cannot be called.

    >>> import jaxsched as js
    >>> widget = js.explore(
    ...     js.warmup_cosine,
    ...     peak_value=js.LogUniform(1e-4, 1e-2),
    ...     total_steps=1000,
    ...     warmup_steps=js.Integer(0, 500),
    ... )
    >>> [child.description for child in widget.children[:-1]]
    ['peak_value', 'warmup_steps']
    """
    try:
        import ipywidgets
    except ImportError as error:
        raise ImportError(
            "explore: ipywidgets must be installed: pip install ipywidgets"
        ) from error
    if not callable(factory):
        raise TypeError(f"explore: factory must be callable, got factory={factory!r}")
    controls = {
        name: control
        for name, given in ranges.items()
        if (control := _control(ipywidgets, name, given)) is not None
    }
    shown = ipywidgets.HTML()
    extent = Extent()

    def show(_: Any = None) -> None:
        nonlocal extent
        own = {name: _rounded(control.value) for name, control in controls.items()}
        kwargs = {**ranges, **own}
        shown.value, extent = _shown(factory, fixed, kwargs, extent)

    for control in controls.values():
        control.observe(show, "value")
    show()
    return ipywidgets.VBox([*controls.values(), shown])


def _control(ipywidgets: Any, name: str, given: Any) -> Any:
    """The slider for one argument, or None if it is fixed."""
    look = {"description": name, "style": {"description_width": "initial"}}
    match given:
        case Uniform(low=low, high=high):
            step = (high - low) / 200 or 1.0
            return ipywidgets.FloatSlider(
                (low + high) / 2,
                min=low,
                max=high,
                step=step,
                readout_format=".4g",
                **look,
            )
        case LogUniform(low=low, high=high):
            return ipywidgets.FloatLogSlider(
                math.sqrt(low * high),
                min=math.log10(low),
                max=math.log10(high),
                step=0.01,
                readout_format=".4g",
                **look,
            )
        case Integer(low=low, high=high):
            return ipywidgets.IntSlider((low + high) // 2, min=low, max=high, **look)
        case Choice(values=values):
            options = [(written(value), value) for value in values]
            return ipywidgets.Dropdown(options=options, value=values[0], **look)
    return None


def _rounded(value: Any) -> Any:
    """What the call shows is what is drawn."""
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _shown(
    factory: Callable[..., Any],
    fixed: tuple[Any, ...],
    kwargs: dict[str, Any],
    extent: Extent,
) -> tuple[str, Extent]:
    """The call with its curve, or with the reason why there is none."""
    given = [
        *map(written, fixed),
        *(f"{name}={written(v)}" for name, v in kwargs.items()),
    ]
    name = getattr(factory, "__name__", repr(factory))
    text = f"{name}({', '.join(given)})"
    call = f"<code>{html.escape(text)}</code>"
    try:
        schedule = inspected("explore", factory(*fixed, **kwargs))
    except (ValueError, TypeError) as error:
        return f"{call}<br>{html.escape(str(error))}", extent
    drawn, extent = figure([schedule], extent)
    return f"{call}<br>{drawn}", extent
