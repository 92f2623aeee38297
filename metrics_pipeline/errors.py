"""The two kinds of failure a person sees as one sentence."""

from __future__ import annotations


class UserError(Exception):
    """Something the caller can mend: says what is wrong and what to do. The command line exits with 2."""


class RunFailedError(Exception):
    """Work that was asked for correctly did not succeed. The command line exits with 1."""
