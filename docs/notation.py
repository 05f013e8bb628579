"""Formulas in plain text, as LaTeX.

A formula is text such as `init_value (1 - u) + end_value u`: a space is a product, `^` a
power, `b_(i+1)` an index. Names are arguments, functions below, or single letters. What
is not such a formula to its last sign stays as it is written: prose as prose, an
algorithm as code. A word that no one knows ends a formula; it is never guessed at.
"""

import re
from collections.abc import Callable, Set

OPERATORS = {"min", "max", "cos", "sin", "tanh", "Gamma"}
LARGE = {"sum": r"\sum", "sum_": r"\sum", "prod_": r"\prod", "min_": r"\min"}
LARGE |= {"argmin": r"\arg\min", "argmin_i": r"\arg\min_i"}
CALLED = {"schedule", "schedules", "clock", "first", "second", "fall", "rise", "key"}
CALLED |= {"fold_in", "smoothed", "best_factor"}
SYMBOLS = {"pi", "alpha", "beta", "gamma"}
# Of their own, or as the stem of an index, where they are no argument.
PLAIN = {"smoothed", "best", "rate", "loss", "losses", "bound", "fall", "begin", "step"}
PLAIN |= {"count", "multiplier", "update", "init", "initial", "end"}
# Without an index or a bracket around them they are words of the sentence.
WORDS = {"boundaries", "schedules", "factors", "values", "step"}
SIGNS = {"=": "=", "<": "<", ">": ">", "<=": r"\le", ">=": r"\ge"}

TOKEN = re.compile(
    r"(?P<gap>\s*)(?:(?P<number>\d[\d,]*\.?\d*(?=[a-z]\b|\W|$))|(?P<star>[A-Z]\*(?=[\s)]))"
    r"|(?P<dots>\.\.\.?)|(?P<name>[A-Za-z]\w*)|(?P<sign><=|>=|[-+*/^=<>()\[\]{}|,]))"
)

BRACKET = re.compile(r"(?:\\left)?\(|(?:\\right)?\)")
LIMITS = re.compile(r"(\w=\w+)\.\.(\w)\}")


class NoFormulaError(Exception):
    """Here the text is none."""


class Reader:
    """Reads one formula from a place in a text on, as far as it goes."""

    def __init__(self, text: str, place: int, names: Set[str]):
        self.text, self.place, self.names = text, place, names
        self.in_exponent = self.in_bars = False

    def peek(self) -> re.Match[str] | None:
        """The next token."""
        return TOKEN.match(self.text, self.place)

    def sign(self, signs: str | tuple[str, ...], gap: bool = True) -> str:
        """Takes one of the signs if it is next, and says which."""
        token = self.peek()
        if token is None or token["sign"] not in tuple(signs):
            return ""
        if token["gap"] and not gap:
            return ""
        self.place = token.end()
        return token["sign"]

    def need(self, sign: str) -> None:
        """Takes a sign that must be next."""
        if not self.sign((sign,)):
            raise NoFormulaError

    def maybe(self, part: Callable[[], str]) -> str:
        """A part if there is one, else nothing, and the place stays."""
        start = self.place
        try:
            return part()
        except NoFormulaError:
            self.place = start
            return ""

    def relation(self) -> str:
        """Sums with signs of comparison between them: the whole of a formula."""
        text = self.sum()

        def compared() -> str:
            sign = self.sign(tuple(SIGNS))
            if not sign:
                raise NoFormulaError
            return f" {SIGNS[sign]} {self.sum()}"

        while more := self.maybe(compared):
            text += more + self.maybe(self.series)
        return text

    def series(self) -> str:
        """`, 1, ...` after a 0: a list that goes on."""
        text = ""
        while self.sign((",",)):
            text += ", " + self.sum()
            if text.endswith(r"\dots"):
                last = self.maybe(lambda: self.need(",") or self.sum())
                return text + (f", {last}" if last else "")
        raise NoFormulaError

    def sum(self) -> str:
        """Products with + or - between them."""
        text = self.sign("-") + self.product()
        while more := self.maybe(self.term):
            text += more
        return text

    def term(self) -> str:
        """One more product."""
        sign = self.sign("+-")
        if not sign:
            raise NoFormulaError
        return f" {sign} {self.product()}"

    def product(self) -> str:
        """Powers side by side, or with * or / between them."""
        text = self.power()
        while True:
            if divisor := self.maybe(lambda: self.after("/")):
                text = self.quotient(text, divisor)
            elif factor := self.maybe(lambda: self.after("*")):
                text += rf" \cdot {factor}"
            elif factor := self.maybe(self.factor):
                text += rf" \, {factor}"
            else:
                return text

    def quotient(self, over: str, under: str) -> str:
        """A fraction; in an exponent it stays on the line."""
        if self.in_exponent:
            return f"{over} / {under}"
        return rf"\frac{{{bare(over)}}}{{{bare(under)}}}"

    def after(self, sign: str) -> str:
        """A power behind a sign."""
        self.need(sign)
        return self.power()

    def factor(self) -> str:
        """A power behind a space; a lone number there is the next word's."""
        token = self.peek()
        if token is None or (token["sign"] == "|" and self.in_bars):
            raise NoFormulaError
        if token["number"] and not self.text.startswith("^", token.end()):
            raise NoFormulaError
        return self.power()

    def power(self) -> str:
        """Something, perhaps with an exponent."""
        base = self.atom()
        if not self.sign("^", gap=False):
            return base
        outer, self.in_exponent = self.in_exponent, True
        exponent = self.sign("-") + bare(self.atom())
        self.in_exponent = outer
        return f"{{{base}}}^{{{exponent}}}"

    def atom(self) -> str:
        """A number, a name with its index or arguments, or something in brackets."""
        token = self.peek()
        if token is None:
            raise NoFormulaError
        self.place = token.end()
        if token["number"]:
            digits = token["number"].rstrip(",.")
            self.place -= len(token["number"]) - len(digits)
            return digits.replace(",", "{,}")
        if token["dots"]:
            return r"\dots"
        if token["star"]:
            return token["star"][0] + "^{*}"
        if token["name"]:
            return self.named(token["name"])
        if token["sign"] == "(":
            return brackets(self.inner(")"))
        if token["sign"] == "|" and not self.in_bars:
            self.in_bars = True
            inner = self.inner("|")
            self.in_bars = False
            return rf"\left|{inner}\right|"
        raise NoFormulaError

    def inner(self, end: str) -> str:
        """What is in brackets."""
        parts = [self.relation()]
        while self.sign((",",)):
            parts.append(self.relation())
        self.need(end)
        return ", ".join(parts)

    def named(self, name: str) -> str:
        """What begins with a name."""
        if name in LARGE:
            return self.large(name)
        if name == "log":
            return rf"\log {self.atom()}"
        if name in OPERATORS | {"floor", "ceil", "sqrt"}:
            return self.function(name)
        called = name in CALLED and self.text[self.place : self.place + 1] in "(["
        base, index = self.split(name, called)
        text = base + (f"_{{{index}}}" if index else "")
        while more := self.maybe(self.place_in) or self.maybe(self.arguments):
            text += more
        is_bare = text == base and self.text[self.place : self.place + 1] != ")"
        if name in WORDS and is_bare:
            raise NoFormulaError
        return text

    def place_in(self) -> str:
        """Which of several: a bracket without a space, written below."""
        if not self.sign("[", gap=False):
            raise NoFormulaError
        place = self.inner("]")
        is_large = "floor" in place or "arg" in place
        return rf"\left[{place}\right]" if is_large else f"_{{{place}}}"

    def large(self, name: str) -> str:
        """A sum, or another operator that takes all that follows as a product."""
        text = LARGE[name]
        if name.endswith("_"):
            self.need("{")
            if limits := LIMITS.match(self.text, self.place):
                self.place = limits.end()
                text += rf"_{{{limits[1]}}}^{{{limits[2]}}}"
            else:
                text += f"_{{{self.inner('}')}}}"
        return f"{text} {self.product()}"

    def arguments(self) -> str:
        """What a function is called with: the bracket follows without a space."""
        if not self.sign("(", gap=False):
            raise NoFormulaError
        return brackets(self.inner(")"))

    def split(self, name: str, called: bool) -> tuple[str, str]:
        """A name without its index, and the index."""
        stem, _, tail = name.rpartition("_")
        if name.endswith("_") and self.sign("(", gap=False):
            return self.known(name[:-1], False), self.inner(")")
        if re.fullmatch(r"[A-Z]\d", name):
            return name[0], name[1]
        if called or name in self.names:
            return self.known(name, called), ""
        if stem and len(tail) == 1:
            return self.known(stem, False), tail
        return self.known(name, called), ""

    def known(self, name: str, called: bool) -> str:
        """A name that may be in a formula."""
        if len(name) == 1:
            return name
        if name in SYMBOLS:
            return rf"\{name}"
        if called or name in self.names | PLAIN:
            return r"\mathrm{" + name.replace("_", r"\_") + "}"
        raise NoFormulaError

    def function(self, name: str) -> str:
        """A call of a function with a sign of its own."""
        if not self.sign("(", gap=False):
            raise NoFormulaError
        inner = self.inner(")")
        if name in ("floor", "ceil"):
            return rf"\left\l{name} {inner} \right\r{name}"
        if name == "sqrt":
            return rf"\sqrt{{{inner}}}"
        return rf"\{name}{brackets(inner)}"


def brackets(inner: str) -> str:
    """Brackets as large as what is in them."""
    is_large = re.search(r"\\(frac|sum|prod|left|sqrt)", inner)
    return rf"\left({inner}\right)" if is_large else f"({inner})"


def bare(text: str) -> str:
    """A bracket's inside, where what is around it groups as well."""
    depth = 0
    for sign in BRACKET.finditer(text) if BRACKET.match(text) else ():
        depth += 1 if sign[0].endswith("(") else -1
        if depth == 0:
            inner = text[: sign.start()]
            return BRACKET.sub("", inner, count=1) if sign.end() == len(text) else text
    return text


def worded(text: str) -> str:
    """Sums that are written with words, as signs."""
    text = re.sub(r"\bsum over ([^,]*?) of\s+", r"sum_{\1} ", text)
    return text.replace("sum of ", "sum ")


def whole(text: str, names: Set[str]) -> str | None:
    """A text that is a formula to its end, as LaTeX."""
    reader = Reader(worded(text), 0, names)
    found = reader.maybe(reader.relation)
    return found if found and not reader.text[reader.place :].strip() else None
