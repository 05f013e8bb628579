"""Families of schedules: made as one stacked schedule, computed in one call."""
