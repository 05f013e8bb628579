"""Formulas in plain text, as the site typesets them."""

import importlib
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "docs"))
notation = importlib.import_module("notation")

NAMES = {"rate", "power", "steps", "end_value", "schedules", "k_decay"}

FORMULAS = {
    "end_value (1 - u)": r"\mathrm{end\_value} \, (1 - u)",
    "1 - u^2": r"1 - {u}^{2}",
    "e^(-rate t)": r"{e}^{-\mathrm{rate} \, t}",
    "(1 - u) / (1 + u)": r"\frac{1 - u}{1 + u}",
    "(1 - u) (1 + u)": r"(1 - u) \, (1 + u)",
    "rate t / steps": r"\frac{\mathrm{rate} \, t}{\mathrm{steps}}",
    "rate^(t / steps)": r"{\mathrm{rate}}^{t / \mathrm{steps}}",
    "(1 + t / 2)^power": r"{\left(1 + \frac{t}{2}\right)}^{\mathrm{power}}",
    "-e_(i+1) + w_k": r"-e_{i + 1} + w_{k}",
    "schedules[i](t - b_i)": r"\mathrm{schedules}_{i}(t - b_{i})",
    "floor(t / 2)": r"\left\lfloor \frac{t}{2} \right\rfloor",
    "sqrt(S B)": r"\sqrt{S \, B}",
    "0 < k <= T - 1": r"0 < k \le T - 1",
    "i = 0, 1, ..., n": r"i = 0, 1, \dots, n",
    "sum_{i <= k} b^i x_i": r"\sum_{i \le k} {b}^{i} \, x_{i}",
    "sum over k < T of e_k / R_k": r"\sum_{k < T} \frac{e_{k}}{R_{k}}",
    "k_decay u": r"\mathrm{k\_decay} \, u",
    "(1+2u) u": r"(1 + 2 \, u) \, u",
}


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula(text):
    """As a reader of the plain text understands it."""
    assert notation.whole(text, NAMES) == FORMULAS[text]


@pytest.mark.parametrize(
    "text",
    [
        "the rate of u",
        "rate = max of u",
        "(1 - u",
        "u += 1",
        "a if u < 1 else 0",
        "steps",
    ],
)
def test_what_is_no_formula(text):
    """It is left alone as a whole; a single name is one, and says so."""
    assert (notation.whole(text, NAMES) is not None) == (text == "steps")
