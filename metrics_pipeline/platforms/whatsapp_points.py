"""Data points of WhatsApp analytics: three nestings, in any order, each with the first and last instant of its day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from metrics_pipeline.platforms.parsing import Fields
from metrics_pipeline.windows import DAY, Window, midnight

HOUR = timedelta(hours=1)
# A day that starts at or after this hour in UTC is that of a zone east of Greenwich: 13 hours ahead (Auckland in
# summer) is common, 11 hours behind (Samoa) is not, and the instant alone cannot tell them apart.
EASTERN_FROM = timedelta(hours=11)
# Zones with a part of an hour in their offset, by the minutes they are ahead of UTC.
_BROKEN_OFFSETS = {
    -570: "Pacific/Marquesas",
    -210: "America/St_Johns",
    -150: "America/St_Johns",
    210: "Asia/Tehran",
    270: "Asia/Kabul",
    330: "Asia/Kolkata",
    345: "Asia/Kathmandu",
    390: "Asia/Yangon",
    525: "Australia/Eucla",
    570: "Australia/Darwin",
    630: "Australia/Adelaide",
}


@dataclass(frozen=True, slots=True)
class PointDay:
    """The calendar day a point covers, its instants, and the IANA name of the zone it is a day of."""

    day: date
    start: datetime
    end: datetime
    zone: str


def data_points(holder: Fields) -> list[Fields]:
    """The points of a field or an edge, whether they stand in it or in the parts of its `data`."""
    points = holder.children("data_points")
    for part in holder.children("data"):
        with part:
            part.ignore("granularity", "product_type")
            points += part.children("data_points")
    return points


def day_of(point: Fields, named: ZoneInfo | None = None) -> PointDay | None:
    """The day between a point's `start` and `end`; None, and a report, where they bound no day.

    Args:
        named: the account's zone, where it is known. Points that are no days of it are days of their own offset.
    """
    first, last = point.number("start"), point.number("end")
    if first is None or last is None:
        point.report("a point without start and end")
        return None
    start, end = datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(last, UTC)
    if named is not None:
        day = (start + 6 * HOUR).astimezone(named).date()
        if (_first_instant(day, named), _first_instant(day + DAY, named)) == (start, end):
            return PointDay(day, start, end, named.key)
    since_midnight = start - midnight(start.date())
    offset = DAY - since_midnight if since_midnight >= EASTERN_FROM else -since_midnight
    zone = _zone_name(offset)
    # 23 and 25 hours: the days on which clocks change
    if zone is None or not 23 * HOUR <= end - start <= 25 * HOUR:
        point.report("a point that covers no calendar day")
        return None
    return PointDay((start + offset).date(), start, end, zone)


def oldest_day(now: datetime, retention_days: int) -> date:
    """The first UTC day that lies wholly within what the platform keeps."""
    return (now - timedelta(days=retention_days)).date() + DAY


def slices(days: Sequence[date], most: int) -> list[list[date]]:
    """Consecutive runs of at most `most` calendar days; days that nobody wants in between are asked with them."""
    if not days:
        return []
    wanted = set(days)
    parts = Window.of_days(days[0], days[-1] + DAY).split(most)
    return [[day for day in part.days() if day in wanted] for part in parts]


def _first_instant(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def _zone_name(ahead: timedelta) -> str | None:
    hours, rest = divmod(ahead, HOUR)
    if rest:
        return _BROKEN_OFFSETS.get(ahead // timedelta(minutes=1))
    return f"Etc/GMT{-hours:+d}" if hours else "UTC"  # these names count westwards
