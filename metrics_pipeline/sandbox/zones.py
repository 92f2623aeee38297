"""Instants as Unix seconds, and the edges of days in the zone a platform counts in."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

PACIFIC = ZoneInfo("America/Los_Angeles")
UTC_ZONE = ZoneInfo("UTC")
DAY_SECONDS = 86_400
HOUR_SECONDS = 3_600


@lru_cache(maxsize=50_000)
def day_start(day: date, zone: ZoneInfo) -> int:
    """The first second of a calendar day in `zone`."""
    return int(datetime.combine(day, time.min, tzinfo=zone).timestamp())


def day_of(instant: float, zone: ZoneInfo) -> date:
    """The calendar day an instant lies in."""
    return datetime.fromtimestamp(instant, zone).date()


def day_edges(first: date, last: date, zone: ZoneInfo) -> list[int]:
    """Starts of the days first..last (both included) and the end of the last: one edge more than days."""
    return [day_start(first + timedelta(days=n), zone) for n in range((last - first).days + 2)]


def iso(instant: float, suffix: str = "Z") -> str:
    """An instant as platforms write it: `2026-11-20T10:00:00` and the platform's own suffix."""
    return f"{datetime.fromtimestamp(instant, UTC):%Y-%m-%dT%H:%M:%S}{suffix}"
