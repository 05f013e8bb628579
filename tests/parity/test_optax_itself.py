"""Optax's own tests of its schedules pass with ours in their place."""

import importlib.util
import sys
import unittest
from pathlib import Path

import jax
import optax
import pytest

from jaxsched.compat import optax as compat

FOLDER = Path(optax.__file__).parent / "schedules"


@pytest.mark.parametrize("file", ["_schedule_test", "_join_test"])
def test_optax_tests_pass_against_ours(file):
    """The files that Optax installs, with `_schedule` and `_join` exchanged."""
    spec = importlib.util.spec_from_file_location(f"optax{file}", FOLDER / f"{file}.py")
    assert spec, "Optax installs its tests"
    tests = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = tests
    spec.loader.exec_module(tests)
    tests._schedule = tests._join = compat
    suite = unittest.defaultTestLoader.loadTestsFromModule(tests)
    result = unittest.TestResult()
    with (
        jax.numpy_dtype_promotion("standard"),
        jax.numpy_rank_promotion("allow"),
        jax.debug_nans(False),
    ):
        suite.run(result)
    assert result.testsRun > 0
    assert not result.errors + result.failures, result.errors + result.failures
