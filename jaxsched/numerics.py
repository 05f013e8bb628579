"""Arithmetic that keeps its digits and its gradients: quotients, logarithms, powers."""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from jaxsched.arrays import Numeric, as_real


def is_literal(value: Any, number: float) -> bool:
    """Whether `value` is that Python number: a hyperparameter written as a constant.

    Lets a rule leave out work that a default makes superfluous, as a compiler would for
    `x * 1.0`. Never true of a traced value, so both ways must agree.
    """
    return isinstance(value, (int, float)) and value == number


def log(value: Any) -> Any:
    """Natural logarithm, in double precision where the value is a Python number."""
    return math.log(value) if isinstance(value, (int, float)) else jnp.log(value)


def log1p(x: Numeric) -> Array:
    """log(1 + x), to a few ulp in float64 too, where that of XLA is not.

    With u the rounded 1 + x, log(u) x / (u - 1): both factors are off alike (Goldberg
    1991, theorem 4).
    """
    x = jnp.asarray(x)
    if x.dtype != jnp.float64:
        return jnp.log1p(x)
    u = 1 + x
    apart = u != 1
    quotient = jnp.log(u) * (x / safely(apart, u - 1))
    return jnp.where(apart, quotient, x)


def safely(condition: Array, x: Numeric, instead: float = 1.0) -> Array:
    """`x` where the condition holds, elsewhere a harmless number.

    For the argument of a function that is singular outside the condition: a
    `jnp.where` around the result alone would leave NaN in its gradient.
    """
    return jnp.where(condition, x, jax.lax.stop_gradient(jnp.asarray(instead)))


def powered(value: Numeric, factor: Numeric, exponent: Numeric) -> Array:
    """The product value * factor^exponent for a positive factor.

    The logarithm of a Python number is taken in double precision: 0.99999 as a float32
    would be off by a percent after a million steps.
    """
    return grown(value, exponent * log(factor))


def grown(value: Numeric, exponent: Numeric) -> Array:
    """The product value * e^exponent, where e^exponent alone may under- or overflow."""
    largest = 88.0 if jnp.result_type(float) == jnp.float32 else 709.0
    half = jnp.exp(jnp.minimum(jnp.asarray(exponent) / 2, largest))
    return jnp.asarray(value) * half * half


def blend(left: Numeric, fall: Array, right: Numeric, rise: Array) -> Array:
    """The sum left * fall + right * rise, rounded alike in every program.

    A compiler may fuse either product with the sum, as it likes, and then the last bit
    depends on what stands around. A choice between product and sum keeps them apart.
    """
    return _weighted(left, fall) + _weighted(right, rise)


@jax.custom_jvp
def _weighted(value: Numeric, weight: Array) -> Array:
    """The product, 0 for a weight of 0."""
    return jnp.where(weight != 0, value * weight, 0.0)


@_weighted.defjvp
def _slope_of_weighted(primals: Any, tangents: Any) -> tuple[Array, Array]:
    """By a weight of 0 the slope is the value all the same, which a choice would drop."""
    (value, weight), (by_value, by_weight) = primals, tangents
    # Infinity times 0 would be NaN.
    largest = float(jnp.finfo(jnp.result_type(value)).max)
    slope = jnp.clip(value, -largest, largest) * by_weight
    return _weighted(value, weight), slope + jnp.where(
        weight != 0, weight * by_value, 0.0
    )


def rounded(product: Array) -> Array:
    """A product as itself, whatever is added to it: not fused with a sum; see `blend`."""
    return jnp.where(product != 0, product, carried(product))


def carried(x: Array) -> Array:
    """Zero, with the gradient of `x`: for a value that is selected and not computed."""
    return x - jax.lax.stop_gradient(x)


def at_least(x: Numeric, bound: Numeric) -> Array:
    """The larger of both, with the gradient of `x` where they are equal.

    There JAX gives `jnp.maximum` half of either gradient: that of neither side where one
    curve goes on smoothly from another.
    """
    if jnp.issubdtype(jnp.result_type(x, bound), jnp.integer):
        return jnp.maximum(x, bound)
    return jnp.where(x < bound, bound, x)


def at_most(x: Numeric, bound: Numeric) -> Array:
    """The smaller of both, likewise."""
    if jnp.issubdtype(jnp.result_type(x, bound), jnp.integer):
        return jnp.minimum(x, bound)
    return jnp.where(x > bound, bound, x)


def fractions(elapsed: Array, remaining: Array, length: Array) -> tuple[Array, Array]:
    """Elapsed and remaining time divided by their sum, exactly 0 and 1 at the ends.

    The ends are selected, not computed: a compiler that knows the length may multiply by
    its reciprocal and by the values that follow, and then n / n is not always 1. At the
    beginning of time that is a float the gradient is that of what follows.
    """
    u, r = as_real(elapsed), as_real(remaining)
    whole = as_real(length)
    begun, ended = elapsed > 0, remaining <= 0
    part, rest, first = u / whole, r / whole, jnp.asarray(1.0)
    if not jnp.issubdtype(elapsed.dtype, jnp.integer):
        first = 1.0 + carried(rest)
    return (
        jnp.where(ended, 1.0, part),
        jnp.where(ended, 0.0, jnp.where(begun, rest, first)),
    )
