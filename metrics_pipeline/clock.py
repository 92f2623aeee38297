"""The one clock. Everything that asks for the time asks a Clock, so a test or a simulation can set it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The current instant, timezone-aware UTC."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True)
class FixedClock:
    """A clock that stands still: for simulated history and for tests."""

    instant: datetime

    def now(self) -> datetime:
        return self.instant.astimezone(UTC)
