"""Secrets come by standard input only: an argument would end up in the shell history and the process list."""

from __future__ import annotations

import getpass
import sys

# Read no further than a token can be long, so that a large file piped by mistake is refused at once.
LIMIT = 64_000


def token_from_stdin() -> str:
    """The token piped in, or typed at a terminal without being shown."""
    if sys.stdin.isatty():
        return getpass.getpass("Token: ")
    return sys.stdin.read(LIMIT)
