"""What is said of a text that is no schedule."""

from argparse import ArgumentTypeError


class ParseError(ValueError, ArgumentTypeError):
    """A ValueError whose text `argparse` shows, for arguments of `type=js.parse`.

    Of other ValueErrors `argparse` says only that there was one.
    """
