"""The learning-rate range test: one sweep over rates, and what its curve suggests."""
