"""Percentiles within 1 %: counts of values by the logarithm of their size (DDSketch; docs/realtime.md).

A bucket i holds sizes in (g^(i-1), g^i] with g = 1.01/0.99 and stands for 2 g^i / (g + 1). Fields: `p<i>` positive
values, `m<i>` negative ones by their size, `z` zeros, `s` and `sf` the sum. The SQL macro log_bucket has the same rule.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, MutableMapping

from metrics_pipeline.realtime.fixed_point import parts

ERROR = 0.01
GAMMA = 1.01 / 0.99
LOG_GAMMA = math.log(GAMMA)
MOST_FIELDS = 2048


def log_bucket(size: float) -> int:
    """The bucket of a size above zero."""
    return math.ceil(math.log(size) / LOG_GAMMA)


def middle(bucket: int) -> float:
    """What all sizes of a bucket are taken for: at most 1 % off."""
    return float(2 * GAMMA**bucket / (GAMMA + 1))


def amounts(value: float) -> dict[str, int]:
    """One value as amounts of fields."""
    found = parts("s", value)
    found[_field(value)] = 1
    return found


def collapse(fields: MutableMapping[str, int]) -> None:
    """Put the lowest values together until MOST_FIELDS are left: the order of values does not change the outcome."""
    logarithmic = sorted((name for name in fields if name[0] in "pm"), key=_place)
    excess = logarithmic[: max(0, len(logarithmic) - MOST_FIELDS)]
    for name in excess:
        fields[logarithmic[len(excess)]] += fields.pop(name)


def count(fields: Mapping[str, int]) -> int:
    """How many values were counted."""
    return sum(amount for name, amount in fields.items() if name[0] in "pmz")


def percentiles(fields: Mapping[str, int], shares: Iterable[float]) -> dict[float, float]:
    """For each share q the value of rank floor(q (n - 1)), counted from 0, within 1 %; nothing without values."""
    ordered = sorted((name for name in fields if name[0] in "pmz"), key=_place)
    values = sum(fields[name] for name in ordered)
    found: dict[float, float] = {}
    if not values:
        return found
    passed, following = 0, iter(ordered)
    name = ""
    for share in sorted(shares):
        rank = math.floor(share * (values - 1))
        while passed <= rank:
            name = next(following)
            passed += fields[name]
        found[share] = _value(name)
    return found


def _field(value: float) -> str:
    if value == 0:
        return "z"
    return f"p{log_bucket(value)}" if value > 0 else f"m{log_bucket(-value)}"


def _place(name: str) -> tuple[int, int]:
    """Order by value: large negative ones first."""
    if name == "z":
        return 0, 0
    bucket = int(name[1:])
    return (1, bucket) if name[0] == "p" else (-1, -bucket)


def _value(name: str) -> float:
    if name == "z":
        return 0.0
    return middle(int(name[1:])) * (1 if name[0] == "p" else -1)
