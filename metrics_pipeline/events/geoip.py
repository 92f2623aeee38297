"""Where an address is, from a table of networks in memory. The address itself is looked at and forgotten.

Networks may lie inside one another: the narrowest counts. They are cut into stretches that do not overlap, each begun
by an address in a sorted array, so that one bisection answers: a microsecond. A stretch takes 8 bytes of memory for
IPv4 and 20 for IPv6; each distinct place about 300.
"""

from __future__ import annotations

import socket
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# ::ffff:0:0/96, IPv4 addresses as a socket of both kinds reports them
_MAPPED = bytes(10) + b"\xff\xff"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a network is, as far as its table says; `latitude` and `longitude` only together."""

    country: str | None = None
    region: str | None = None
    city: str | None = None
    latitude: float | None = None
    longitude: float | None = None


def network_code(first: int, host_bits: int, place: int) -> int:
    """A network of 2**host_bits addresses, and its place's number, as one number.

    Numbers sort by first address, and of these the wider network first. Millions of them take a fifth of the memory of
    tuples while a table is made.
    """
    return first << 40 | (255 - host_bits) << 32 | place


class PlaceTable:
    """Places by address, from codes of networks, which it sorts. `places[0]` stands for addresses of no network."""

    def __init__(self, places: list[Place], v4: list[int], v6: list[int]) -> None:
        self._places = places
        self._v4, self._v4_places = array("I"), array("I")
        for first, place in _stretches(v4, 1 << 32):
            self._v4.append(first)
            self._v4_places.append(place)
        starts = bytearray()
        self._v6_places = array("I")
        for first, place in _stretches(v6, 1 << 128):
            starts += first.to_bytes(16, "big")
            self._v6_places.append(place)
        self._v6 = bytes(starts)

    def __len__(self) -> int:
        return len(self._v4) + len(self._v6_places)

    def find(self, address: str) -> Place | None:
        """The place of an IPv4 or IPv6 address; None where it is in no network, or is no address."""
        packed = packed_address(address)
        if packed is None:
            return None
        if len(packed) == 16 and packed.startswith(_MAPPED):
            packed = packed[12:]
        if len(packed) == 4:
            found = bisect_right(self._v4, int.from_bytes(packed, "big")) - 1
            number = self._v4_places[found] if found >= 0 else 0
        else:
            starts = self._v6
            found = bisect_right(range(len(self._v6_places)), packed, key=lambda n: starts[16 * n : 16 * n + 16]) - 1
            number = self._v6_places[found] if found >= 0 else 0
        return self._places[number] if number else None


def packed_address(address: str) -> bytes | None:
    """An address as 4 or 16 bytes, big end first; None where it is none."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.inet_pton(family, address.partition("%")[0])
    except (OSError, ValueError):  # ValueError: a NUL or a lone surrogate
        return None


def _stretches(codes: list[int], end: int) -> Iterator[tuple[int, int]]:
    """(first address, place) of stretches in order below `end`, the narrowest network in each; 0 between networks."""
    codes.sort()
    pending = (0, 0)
    for border in _borders(codes):
        if pending[0] != border[0]:  # of several borders at one address the last one counts
            yield pending
        pending = border
    if pending[0] < end:
        yield pending


def _borders(codes: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Where a network begins, and where what lies around it goes on; networks lie within or beside each other."""
    around: list[tuple[int, int]] = []
    for code in codes:
        first, place = code >> 40, code & 0xFFFFFFFF
        while around and around[-1][0] <= first:
            end, _ = around.pop()
            yield end, around[-1][1] if around else 0
        yield first, place
        around.append((first + (1 << (255 - (code >> 32 & 0xFF))), place))
    while around:
        end, _ = around.pop()
        yield end, around[-1][1] if around else 0
