"""Settings for all tests: JAX at its strictest, and what a worker compiles once."""

import jax
import pytest

# Schedules must not lean on implicit conversions, and must never produce a NaN, not even
# in a branch that is thrown away.
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_debug_nans", True)

# These files read every case on the host, which compiles it the first time.
READERS = {"test_host", "test_phases", "test_inspection"}


@pytest.hookimpl(tryfirst=True)  # before the groups are dealt out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker runs a whole file, or all files that compile the same programs."""
    for item in items:
        file = item.path.stem
        item.add_marker(pytest.mark.xdist_group("readers" if file in READERS else file))
