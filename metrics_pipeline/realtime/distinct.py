"""How many different values: a set of 64-bit hashes while it is small, a HyperLogLog beyond.

Both depend on the set of values alone, not on their order or on who saw them first, so that buckets can be put together
and every back end has the same. 2^14 registers of a byte; the estimate is Ertl's, which needs no tables of corrections
(docs/realtime.md has the sources).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b

MOST_EXACT = 10_000
BITS = 14
REGISTERS = 1 << BITS
REST = 64 - BITS
# 1.04 / sqrt(m) is the standard error; twice that holds in 95 of 100 cases
ERROR_BOUND = 2 * 1.04 / math.sqrt(REGISTERS)


def hash_of(workspace_id: str, value: str) -> bytes:
    """64 bits of a value; the same value has another hash in another workspace."""
    key = blake2b(workspace_id.encode(), digest_size=16).digest()
    return blake2b(value.encode(), digest_size=8, key=key).digest()


@dataclass
class Distinct:
    """Different values of one bucket, or of several together."""

    hashes: set[bytes] = field(default_factory=set)
    registers: bytearray | None = None

    def add(self, hashes: Iterable[bytes]) -> None:
        """Take values in; beyond MOST_EXACT of them it becomes a sketch."""
        if self.registers is None:
            self.hashes.update(hashes)
            if len(self.hashes) > MOST_EXACT:
                self._sketch()
        else:
            _raise(self.registers, hashes)

    def merge(self, other: Distinct) -> None:
        """Take in another's values: exact as long as both are."""
        if other.registers is None and self.registers is None:
            self.hashes |= other.hashes
            return
        mine = self._sketch()
        if other.registers is None:
            _raise(mine, other.hashes)
        else:
            mine[:] = bytes(map(max, mine, other.registers))

    @property
    def is_approximate(self) -> bool:
        """Whether the count is an estimate."""
        return self.registers is not None

    def count(self) -> int:
        """How many different values."""
        return len(self.hashes) if self.registers is None else round(estimate(self.registers))

    def _sketch(self) -> bytearray:
        if self.registers is None:
            self.registers = bytearray(REGISTERS)
            _raise(self.registers, self.hashes)
            self.hashes = set()
        return self.registers


def estimate(registers: bytes | bytearray) -> float:
    """Distinct values by the registers (O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches")."""
    counts = [registers.count(rank) for rank in range(REST + 2)]
    z = REGISTERS * _tau(1 - counts[REST + 1] / REGISTERS)
    for rank in range(REST, 0, -1):
        z = 0.5 * (z + counts[rank])
    z += REGISTERS * _sigma(counts[0] / REGISTERS)
    return REGISTERS * REGISTERS / (2 * math.log(2) * z)


def _raise(registers: bytearray, hashes: Iterable[bytes]) -> None:
    for each in hashes:
        bits = int.from_bytes(each, "big")
        place, rest = bits >> REST, bits & ((1 << REST) - 1)
        rank = REST + 1 - rest.bit_length()
        if rank > registers[place]:
            registers[place] = rank


def _sigma(x: float) -> float:
    if x == 1:
        return math.inf
    y, z, before = 1.0, x, -1.0
    while z != before:
        x, before = x * x, z
        z += x * y
        y += y
    return z


def _tau(x: float) -> float:
    if x in (0, 1):
        return 0.0
    y, z, before = 1.0, 1 - x, -1.0
    while z != before:
        x, before = math.sqrt(x), z
        y *= 0.5
        z -= (1 - x) ** 2 * y
    return z / 3
