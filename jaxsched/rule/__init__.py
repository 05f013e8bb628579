"""A rule and its hyperparameters.

A *rule* is a function whose first parameters are given at call time (the step of a
schedule, the two fractions of a shape) and whose others are hyperparameters. Each
hyperparameter is annotated with its domain (`jaxsched.domains`), which says what it may
be. A `Bound` is a rule together with hyperparameters: an immutable value and a pytree.
"""

from jaxsched.rule.bound import DEEPEST, Bound, as_called, constructor_of, rule_of
from jaxsched.rule.domain import Domain
from jaxsched.rule.names import Names
from jaxsched.rule.rule import Rule
from jaxsched.rule.values import known, plain, same
from jaxsched.rule.wording import Refusal, admitted, short

__all__ = [
    "DEEPEST",
    "Bound",
    "Domain",
    "Names",
    "Refusal",
    "Rule",
    "admitted",
    "as_called",
    "constructor_of",
    "known",
    "plain",
    "rule_of",
    "same",
    "short",
]
