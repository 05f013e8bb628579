"""The named compositions people ask for: plain functions that build a schedule."""
