"""Sums that are the same in any order and in any back end: whole units and millionths, each an integer."""

from __future__ import annotations

import math
from collections.abc import Mapping

MILLION = 1_000_000
# Nine million such values fit into one 64-bit field.
LARGEST = 10**12


def split(value: float) -> tuple[int, int]:
    """Whole units (rounded down) and the millionths above them, 0 to 999,999."""
    if isinstance(value, int):
        return value, 0
    whole = math.floor(value)
    # value - whole is exact; what is left is rounded to a millionth, as all sums of the project are
    millionths = round((value - whole) * MILLION)
    return (whole + 1, 0) if millionths == MILLION else (whole, millionths)


def parts(name: str, value: float) -> dict[str, int]:
    """A value as amounts of the fields `name` and `name` + f, without those that are zero."""
    whole, millionths = split(value)
    found = {}
    if whole:
        found[name] = whole
    if millionths:
        found[name + "f"] = millionths
    return found


def total_millionths(fields: Mapping[str, int], name: str) -> int:
    """The sum that fields hold, in millionths."""
    return fields.get(name, 0) * MILLION + fields.get(name + "f", 0)


def number(millionths: int) -> int | float:
    """So many millionths as a number: an integer where it is one."""
    whole, rest = divmod(millionths, MILLION)
    return millionths / MILLION if rest else whole
