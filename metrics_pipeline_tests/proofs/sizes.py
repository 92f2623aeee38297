"""How large a proof is: small by default, full with PROVE=1."""

from __future__ import annotations

import os
import sys

FULL = os.environ.get("PROVE", "") not in ("", "0")


def size(small: int, full: int) -> int:
    """`small` in the ordinary test run, `full` under `make prove`."""
    return full if FULL else small


def figure(what: str, value: object) -> None:
    """Show a measured figure; `make prove` prints them, the ordinary run keeps them with a failed test."""
    sys.stdout.write(f"\n  {what}: {value}")
    sys.stdout.flush()
