"""What `import jaxsched` costs a program that has imported JAX."""

import os
import subprocess
import sys

from benchmarks.timing import Measurement, Row, Target, readable, spread

# The time of one import after another, in an interpreter of its own.
PROGRAM = """
import time
begin = time.perf_counter()
import jax
between = time.perf_counter()
import jaxsched
print(between - begin, time.perf_counter() - between)
"""


def fresh() -> tuple[float, float]:
    """Seconds of `import jax`, and of `import jaxsched` after it, in a new process."""
    # As after an installation: with bytecode, whatever this process was told.
    environment = {
        k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    jax, jaxsched = map(float, done.stdout.split())
    return jax, jaxsched


def on_top_of_jax(repeats: int) -> Measurement:
    """Milliseconds of `import jaxsched` in new processes that have imported JAX."""
    fresh()  # leaves bytecode
    jax, jaxsched = zip(*(fresh() for _ in range(repeats)), strict=True)
    note = f"import jax alone {readable(spread(jax).median)}"
    return Measurement(spread([1e3 * seconds for seconds in jaxsched]), repeats, note)


ROWS = [
    Row(
        "import",
        "import jaxsched on top of import jax, in new processes, bytecode cached",
        "",
        Target("at most", 50, "ms"),
        lambda: on_top_of_jax(repeats=20),
    ),
]
