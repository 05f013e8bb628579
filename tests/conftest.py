"""Settings for all tests: JAX at its strictest, and what a worker compiles once."""

import gc
import os

# Of this process and of its children. Programs of tests run briefly: they are not worth
# optimising, and each is kept, however small.
os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "true"
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"

import jax
import pytest

# Schedules must not lean on implicit conversions, and must never produce a NaN, not even
# in a branch that is thrown away.
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_debug_nans", True)

# These files read every case on the host, which compiles it the first time.
READERS = {"test_host", "test_phases", "test_inspection", "test_corners"}


def pytest_configure(config: pytest.Config) -> None:
    """Compiles a program once for all workers and for later runs, with the same JAX.

    `pytest --cache-clear` forgets them. JAX 0.6 reads some loops back wrong.
    """
    assert config.cache is not None
    default = str(config.cache.mkdir("compiled"))
    folder = os.environ.pop("JAX_COMPILATION_CACHE_DIR", default)
    if jax.__version_info__ < (0, 7):
        folder = None
    else:
        os.environ["JAX_COMPILATION_CACHE_DIR"] = folder
    jax.config.update("jax_compilation_cache_dir", folder)


@pytest.hookimpl(tryfirst=True)  # before the groups are dealt out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker runs a whole file, or all files that compile the same programs."""
    for item in items:
        file = item.path.stem
        item.add_marker(pytest.mark.xdist_group("readers" if file in READERS else file))


@pytest.fixture(autouse=True, scope="module")
def frozen() -> None:
    """What JAX keeps of earlier files is not looked through for garbage again and again."""
    gc.freeze()


@pytest.fixture(autouse=True)
def optimized(request: pytest.FixtureRequest) -> None:
    """Compiles as users do where a test asks for it: that decides the last digits."""
    is_marked = request.node.get_closest_marker("optimized") is not None
    jax.config.update("jax_disable_most_optimizations", not is_marked)


@pytest.fixture
def only_package_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that tests and doctests give to schedules are free before and after."""
    from jaxsched.schedule import schedules
    from jaxsched.shapes import shapes

    for registry in (schedules, shapes):
        own = {path: rule for path, rule in registry._rules.items() if rule.is_own}
        monkeypatch.setattr(registry, "_rules", own)
