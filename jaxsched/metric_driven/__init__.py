"""Schedules that also look at a metric: pure state machines around a schedule."""
