"""Schedules in a training loop: reading, steering and comparing the learning rate."""
