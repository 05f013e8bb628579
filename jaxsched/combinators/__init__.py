"""Schedules that hold schedules."""
