"""Schedules of other libraries under their own names, made of this library's parts.

One module for each: import it by name, `from jaxsched.compat import optax`. None of them
imports the library it is named after.
"""
