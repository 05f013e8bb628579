"""to_source: a schedule as a function of the step in jax.numpy alone."""
