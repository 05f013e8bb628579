"""Settings for all tests: JAX at its strictest."""

import jax

# Schedules must not lean on implicit conversions, and must never produce a NaN, not even
# in a branch that is thrown away.
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_debug_nans", True)
