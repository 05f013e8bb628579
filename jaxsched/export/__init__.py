"""Schedules handed to other libraries."""
