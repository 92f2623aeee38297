"""Names of partitions, as the orchestrator writes them: which of them exist now and overlap a window of days.

Dagster takes a run of any name and lets it fail later, so that what is asked for is checked here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from metrics_pipeline.pipeline_start import PipelineStart, pipeline_start
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import DAY, Window, month_start_of, next_month, week_start_of

Period = Literal["day", "week", "month"]


@dataclass(frozen=True)
class Keys:
    """The first and the last of consecutive partitions; the same one where it is one."""

    first: str
    last: str

    def tags(self) -> dict[str, str]:
        """What tells Dagster to run these."""
        if self.first == self.last:
            return {"dagster/partition": self.first}
        return {
            "dagster/asset_partition_range_start": self.first,
            "dagster/asset_partition_range_end": self.last,
        }

    @classmethod
    def of_tags(cls, tags: dict[str, str]) -> Keys | None:
        """The reverse of `tags`; None for a run without partitions."""
        if "dagster/partition" in tags:
            return cls(tags["dagster/partition"], tags["dagster/partition"])
        first = tags.get("dagster/asset_partition_range_start")
        last = tags.get("dagster/asset_partition_range_end")
        return cls(first, last) if first is not None and last is not None else None


@dataclass(frozen=True)
class PartitionKeys:
    """The partitions of one installation."""

    start: PipelineStart
    week_start: int

    @classmethod
    def of(cls, settings: Settings) -> PartitionKeys:
        """Those of the settings, or of what was fixed at first use; nothing is fixed here."""
        return cls(pipeline_start(settings, fix=False), settings.week_start_index)

    @property
    def first_day(self) -> date:
        """The first day, and week, that has a partition."""
        return self.start.week(self.week_start)

    def running_hour(self, now: datetime) -> Keys:
        """The hour that counters can be read in."""
        key = f"{now:%Y-%m-%d-%H}:00"
        return Keys(key, key)

    def overlapping(self, period: Period, window: Window, now: datetime) -> Keys | None:
        """The days, weeks or months that overlap a window and have begun; None where there is none."""
        keys = [key.isoformat() for key in self._starts(period, window, now.date())]
        return Keys(keys[0], keys[-1]) if keys else None

    def _starts(self, period: Period, window: Window, today: date) -> Iterator[date]:
        first = {"day": self.first_day, "week": self.first_day, "month": self.start.month}[period]
        begin = max(first, window.first_day)
        start = {"day": begin, "week": week_start_of(begin, self.week_start), "month": month_start_of(begin)}[period]
        while start < window.end_day and start <= today:
            yield start
            start = next_month(start) if period == "month" else start + (DAY if period == "day" else timedelta(days=7))
