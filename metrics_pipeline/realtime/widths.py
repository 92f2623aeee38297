"""How time is cut: buckets of four widths, and which of them answer for a window.

A bucket b of width w holds what was received in [b*w, (b+1)*w) seconds of Unix time. A window (now - window, now] is
answered by whole buckets: from the first that begins at or after now - window to the one that now lies in. So nothing
older than the window is ever counted, and at its old end less than one bucket is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from metrics_pipeline.realtime.refusals import RealtimeError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Width:
    """Buckets of so many seconds, for windows of up to `reach` seconds."""

    seconds: int
    reach: int
    # so many neighbouring buckets of plain sums share one place in Redis: a window is a few reads, not hundreds
    page: int

    @property
    def kept_seconds(self) -> int:
        """How long a bucket is kept after its end: the reach, a bucket that a window cuts, and a minute for clocks."""
        return self.reach + max(60, 2 * self.seconds)

    def number(self, at: int) -> int:
        """The bucket of an instant in microseconds."""
        return at // (self.seconds * SECOND)

    def is_kept(self, bucket: int, now: int) -> bool:
        """Whether a bucket may still be read, or has to be kept, at this instant in microseconds."""
        return ((bucket + 1) * self.seconds + self.kept_seconds) * SECOND > now


WIDTHS = (Width(1, 120, 120), Width(10, 900, 90), Width(60, 6 * 3600, 60), Width(3600, 48 * 3600, 24))
BY_SECONDS = {width.seconds: width for width in WIDTHS}
LONGEST_WINDOW = WIDTHS[-1].reach
# A series nobody writes to is forgotten when its last bucket is.
SERIES_KEPT_SECONDS = WIDTHS[-1].kept_seconds + WIDTHS[-1].seconds


@dataclass(frozen=True, slots=True)
class Plan:
    """Which buckets answer for a window."""

    width: Width
    window_seconds: int
    # microseconds
    now: int
    first: int
    last: int

    @property
    def counted_from(self) -> int:
        """Microseconds: exactly what was received from here to now is counted."""
        return self.first * self.width.seconds * SECOND

    @property
    def cut(self) -> int | None:
        """The bucket that the old end of the window cuts, if it cuts one."""
        return self.first - 1 if self.cut_share > 0 else None

    @property
    def cut_share(self) -> float:
        """The share of that bucket that lies in the window."""
        begins = self.now - self.window_seconds * SECOND
        return (self.counted_from - begins) / (self.width.seconds * SECOND)


def plan_of(window_seconds: int, now: datetime) -> Plan:
    """By the finest width whose reach holds the window. Raises RealtimeError (window_range)."""
    if not 1 <= window_seconds <= LONGEST_WINDOW:
        raise RealtimeError("window_range", f"A window has 1 to {LONGEST_WINDOW} seconds.")
    width = next(width for width in WIDTHS if window_seconds <= width.reach)
    at = micros(now)
    first = -((window_seconds * SECOND - at) // (width.seconds * SECOND))
    return Plan(width, window_seconds, at, first, width.number(at))


def micros(instant: datetime) -> int:
    """Microseconds of Unix time, exactly."""
    return (instant - EPOCH) // _MICROSECOND


def instant_of(at: int) -> datetime:
    """The instant of so many microseconds of Unix time."""
    return EPOCH + at * _MICROSECOND
