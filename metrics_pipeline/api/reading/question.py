"""What a request asks of the numbers of one entity: checked, and in one canonical form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from metrics_pipeline.api.problems import Problem
from metrics_pipeline.api.reading.times import Compare, Granularity, Span
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.catalog.models import RESERVED

Level = Literal["workspace", "account", "post", "content", "creator"]
# Their hours are kept: they may be asked for by the hour, and in days of any zone.
HOURLY_LEVELS = ("content", "creator")
MOST_METRICS = 50
# Hours are kept for 90 days and read file by file.
MOST_HOURLY_DAYS = 92


@dataclass(frozen=True)
class Question:
    """Numbers of one entity. metrics and platforms: empty is all. as_of: an instant in ISO form, None is now.

    account_id narrows posts down, whose ids are a platform's own.
    """

    workspace_id: str
    level: Level
    entity_id: str
    span: Span
    granularity: Granularity
    metrics: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    account_id: str = ""
    compare: Compare = "none"
    as_of: str | None = None
    timezone: str = "UTC"

    @property
    def is_hourly(self) -> bool:
        """Whether it is answered from hours instead of days."""
        return self.granularity == "hour" or self.timezone != "UTC"

    def canonical(self) -> dict[str, object]:
        """The same for equal questions; what the entity is stands beside it in a key."""
        return {
            "granularity": self.granularity,
            "metrics": self.metrics,
            "platforms": self.platforms,
            "account": self.account_id,
            "compare": self.compare,
            "to_date": self.span.to_date,
            "as_of": self.as_of,
            "timezone": self.timezone,
        }

    def check(self) -> None:
        """Raises Problem where nothing could answer it."""
        if self.timezone not in _zones():
            raise Problem(422, "unknown_timezone", "There is no such time zone; use a name such as Europe/Berlin.")
        if self.is_hourly and self.level not in HOURLY_LEVELS:
            what = "hours" if self.granularity == "hour" else "days of another zone than UTC"
            raise Problem(400, "not_by_the_hour", f"Only content and creators are known in {what}.")
        if self.is_hourly and self.granularity in ("week", "month"):
            raise Problem(400, "not_by_the_hour", "Weeks and months are of UTC days.")
        if self.is_hourly and self.span.days > MOST_HOURLY_DAYS:
            raise Problem(422, "span_too_long", f"By the hour at most {MOST_HOURLY_DAYS} days at a time.")
        if self.is_hourly and self.compare != "none":
            raise Problem(400, "not_by_the_hour", "Spans are compared in days of UTC.")
        if self.is_hourly and self.as_of is not None:
            raise Problem(400, "not_by_the_hour", "Earlier states are known of days, weeks and months of UTC.")
        if self.timezone != "UTC" and not _has_whole_hours(self.timezone, self.span):
            raise Problem(400, "not_by_the_hour", "Days of this zone do not begin on a full hour of UTC.")


def metrics_of(named: Sequence[str]) -> tuple[str, ...]:
    """Metrics as parameters name them, one each or with commas between, in one order.

    Raises:
        Problem: 422, the catalogue has no such metric, or there are too many.
    """
    found = sorted({name.strip() for text in named for name in text.split(",") if name.strip()})
    known = catalog().metrics
    if any(name not in known for name in found):
        raise Problem(422, "unknown_metric", "There is no such metric; the catalogue is listed in docs/metric_list.md.")
    if len(found) > MOST_METRICS:
        raise Problem(422, "too_many_metrics", f"At most {MOST_METRICS} metrics at a time.")
    return tuple(found)


def platforms_of(named: Sequence[str]) -> tuple[str, ...]:
    """Platforms as parameters name them, in one order. Raises Problem 422 where there is no such platform."""
    found = sorted({name.strip() for text in named for name in text.split(",") if name.strip()})
    if not RESERVED | catalog().platforms.keys() >= set(found):
        known = ", ".join(sorted(RESERVED | catalog().platforms.keys()))
        raise Problem(422, "unknown_platform", f"There is no such platform; use {known}.")
    return tuple(found)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _has_whole_hours(zone: str, span: Span) -> bool:
    offsets = (datetime.combine(day, time(12), ZoneInfo(zone)).utcoffset() for day in (span.first, span.end))
    return all(offset is not None and offset.total_seconds() % 3600 == 0 for offset in offsets)
