"""to_source: a schedule as a function of the step in jax.numpy alone."""

import builtins
import keyword
import re
import sys
import textwrap

import jax

from jaxsched.arrays import default_float
from jaxsched.export.source import combinators, curves, tables  # noqa: F401, they enter
from jaxsched.export.source.part import written
from jaxsched.export.source.writer import Lacking, Writer, as_step, needed
from jaxsched.inspection.phases import inspected
from jaxsched.rule import short
from jaxsched.schedule import Schedule, ScheduleLike

# A schedule that takes more is named by its beginning.
_MOST_LINES = 8


def to_source(schedule: ScheduleLike, *, name: str = "schedule") -> str:
    '''A schedule as Python text: one function of the step that needs only `jax.numpy`.

    To leave this library, to publish a run's schedule with its code, or to read what a
    composition computes. The text has each part of the schedule under a comment and each
    number under a name, passes a linter (what you wrote yourself as it does), and imports
    nothing of this library. Its values are those of the schedule within 10 units in the
    last place, at integer and float steps of any shape, inside and outside of `jax.jit`.
    Where single precision itself is further off, the two differ by that:
    `compounding_time_decay`, cycles whose length is no whole number near a restart, and
    values near 0 that are differences of others.

    What a schedule does besides is left behind: the text is a plain function that cannot
    be compared, saved or mapped over, its gradients are those of its formula as JAX takes
    it (half of each side where two curves meet), and steps are counted up to 2^31 - 1
    where that is what JAX counts to. `compounding_time_decay` is a table there, and
    `noise` needs `jax.random`.

    Schedules and shapes of your own come along as the functions that you wrote, without
    decorators and annotations, with the modules, numbers and functions that they use.
    Their hyperparameters must be numbers and schedules.

    Args:
      schedule: A schedule, a number, or a callable of the step that `def` made.
      name: The name of the function.

    Returns:
      The text of a module.

    Raises:
      NotImplementedError: A function's source cannot be moved: it is a lambda, it uses
        variables of a function around it, or something of a module that is neither a
        module, a number nor a function; or a table would have over 100,000 values.
      ValueError: `name` cannot be one, or the schedule is stacked.
      TypeError: `schedule` is none, is traced, or is driven by a metric.

    >>> import jaxsched as js
    >>> print(js.to_source(js.linear(0.1, 0.0, steps=1000), name="learning_rate"))
    import jax.numpy as jnp
    <BLANKLINE>
    <BLANKLINE>
    def learning_rate(step):
        """The value at a step, an integer or a float of any shape.
    <BLANKLINE>
        linear(init_value=0.1, end_value=0.0, steps=1000)
        """
        step = jnp.asarray(step)
        is_whole = jnp.issubdtype(step.dtype, jnp.integer)
        step = step.astype(jnp.result_type(int if is_whole else float))
        step = jnp.maximum(step, 0)
    <BLANKLINE>
        # linear: a straight line from init_value to end_value.
        linear_steps = 1000
        linear_init_value = 0.1
        linear_elapsed = jnp.minimum(step, linear_steps)
        linear_left = (linear_steps - linear_elapsed) / linear_steps
        linear = linear_init_value * linear_left
    <BLANKLINE>
        return linear
    <BLANKLINE>
    '''
    inner = inspected("to_source", schedule)
    if not isinstance(name, str):
        raise TypeError(f"to_source: name must be text, got name={short(name)}")
    taken = {"step", "jnp", "jax", *dir(builtins), *keyword.kwlist}
    if not name.isidentifier() or name in taken:
        raise ValueError(f"to_source: name must be free for a function, got {name=}")
    writer = Writer(name)
    try:
        value = written(writer, inner, "step")
    except Lacking as lacking:
        raise NotImplementedError(
            f"to_source: {lacking}, got schedule={short(inner)}"
        ) from None
    return _module(writer, inner, name, value)


def _module(writer: Writer, schedule: Schedule, name: str, value: str) -> str:
    if not writer.depends_on_step(value):
        value = f"jnp.full(jnp.shape(step), {value})"
    dtype = jax.eval_shape(schedule, 0).dtype
    if dtype != default_float():
        value = f"{value}.astype({dtype.name!r})"
    body = [
        _docstring(schedule),
        *as_step("step"),
        *needed(writer.lines, value),
        "",
        f"return {value}",
    ]
    lines = "\n".join(body).splitlines()
    indented = "\n".join(f"    {line}".rstrip() for line in lines)
    whole = f"def {name}(step):\n{indented}"
    constants, functions = writer.before(whole)
    imports = _imports(writer, "\n".join([*constants, *functions, whole]))
    head = "\n\n".join(filter(None, [imports, "\n".join(constants)]))
    return "\n\n\n".join([head, *functions, whole]) + "\n"


def _imports(writer: Writer, text: str) -> str:
    """Those of the standard library first, as linters like them."""
    ours = sorted(
        writer.imports(text), key=lambda line: (line.startswith("from"), line)
    )
    standard = [x for x in ours if re.split(r"[ .]", x)[1] in sys.stdlib_module_names]
    others = [x for x in ours if x not in standard]
    return "\n\n".join("\n".join(x) for x in (standard, others) if x)


def _docstring(schedule: Schedule) -> str:
    """What the function computes, in this library's words."""
    text = repr(schedule).replace("\\", "/").replace('"', "'")
    text = re.sub(
        r" at 0x[0-9a-f]+", "", text
    )  # of a function: another one in each run
    lines = textwrap.wrap(text, 80, break_on_hyphens=False)
    if len(lines) > _MOST_LINES:
        lines = [*lines[:_MOST_LINES], "..."]
    inside = "\n".join(["", *lines, ""])
    return f'"""The value at a step, an integer or a float of any shape.\n{inside}"""'
