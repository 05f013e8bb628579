"""Schedules in a training loop: reading and steering the learning rate."""
