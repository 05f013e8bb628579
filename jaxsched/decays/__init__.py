"""Unbounded decays, which need no total length."""
