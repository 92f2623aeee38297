"""Deterministic draws: the same key always gives the same numbers, in every process and on every machine."""

from __future__ import annotations

import struct
from collections.abc import Callable
from hashlib import blake2b

DRAWS_PER_KEY = 16
_UNPACK = struct.Struct(f"<{DRAWS_PER_KEY}I").unpack
_SCALE = 2.0**-32


def draws(*key: object) -> tuple[float, ...]:
    """Sixteen independent numbers in [0, 1) for a key; the key's parts are compared by their text."""
    text = "\x1f".join(map(str, key))
    return tuple(value * _SCALE for value in _UNPACK(blake2b(text.encode()).digest()))


def stepped(rate: float, jitter: float, level: Callable[[int], float], position: float) -> float:
    """A rising curve with uneven steps: about `rate` per unit, each unit between (1-jitter) and (1+jitter) of it.

    `level(n)` is the draw in [0, 1) that belongs to unit boundary n. Never falls while jitter < 1.
    """
    unit = int(position // 1)
    part = position - unit
    low, high = level(unit), level(unit + 1)
    return rate * (position + jitter * (low + (high - low) * part))
