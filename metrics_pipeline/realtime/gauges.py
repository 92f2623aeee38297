"""A value that replaces the one before: the newest by when it was observed, whatever order it comes in."""

from __future__ import annotations

from typing import NamedTuple


class Gauge(NamedTuple):
    """One observation. The larger tuple wins: later, then the writer's bytes, then the value, so all agree."""

    # microseconds
    observed_at: int
    # hexadecimal digits of the writer's name: every back end compares them alike
    writer: str
    value: float

    @classmethod
    def of(cls, observed_at: int, writer: str, value: float) -> Gauge:
        """An observation by a writer of that name."""
        return cls(observed_at, writer.encode().hex(), value)


def newer(one: Gauge | None, other: Gauge) -> Gauge:
    """Which of the two stands."""
    return other if one is None or other > one else one
