"""The present state of content: lifetime totals of closed days, and content_metrics on top of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pyarrow as pa

from metrics_pipeline.aggregation.viewers import ViewerCounter
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.session import Parameter
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import DAY, midnight

WHOLE = Partitions()
# Two days of velocity, and the day before them for spans of 24 hours that begin earlier.
RECENT = timedelta(days=3)
NEVER = date(1970, 1, 1)
# What content_metrics reads of recent days only: no file of other days is opened.
_RECENT_TABLES = ("content_hourly", "view_times_daily")
EVER = date(2200, 1, 1)


@dataclass(frozen=True)
class ContentStateBuilder:
    """Builds content_totals, view_times_totals, content_ages, content_viewers and content_metrics."""

    engine: Engine
    settings: Settings

    def close(self, now: datetime, *, again: bool = False) -> int:
        """Count everything up to the last day that no event can reach into the totals; returns the items.

        again: closed days have changed, so peaks within the hours that are kept are looked for anew.
        """
        through = self.closed_through(now)
        earlier, _ = self._through(through)
        oldest_kept = self._oldest(now)
        parameters: dict[str, Parameter] = {
            "through": through,
            "oldest": oldest_kept,
            # the totals hold the peaks of the hours before
            "peaks_from": oldest_kept if again else NEVER if earlier is None else earlier - RECENT,
            "peaks_again": midnight(oldest_kept if again else EVER),
        }
        # content_totals last: it says to which day everything is closed
        self.engine.build("content_ages", "content/content_ages.sql", WHOLE, parameters)
        self.engine.build("view_times_totals", "content/view_times_totals.sql", WHOLE, parameters)
        return self.engine.build("content_totals", "content/content_totals.sql", WHOLE, parameters)

    def count_viewers(
        self, now: datetime, notes: Mapping[str, str] | None = None, touched: pa.Table | None = None
    ) -> int:
        """Count distinct viewers of the items `touched` (workspace_id, content_id), None for all; returns the items."""
        return ViewerCounter(self.engine).count(now, touched, notes)

    def refresh(self, now: datetime, notes: Mapping[str, str] | None = None) -> int:
        """Build content_metrics as of `now`, after closing the days that have become old enough; returns the items."""
        closed = self.closed_through(now)
        through, has_days = self._through(closed)
        if has_days and through != closed:
            self.close(now)
            through = closed
        hour = now.replace(minute=0, second=0, microsecond=0)
        # hours of days that the totals do not hold yet may hold a peak as well
        recent = min(hour.date() - RECENT, through or NEVER)
        parameters: dict[str, Parameter] = {
            "through": through or NEVER,
            "today": now.date(),
            "recent": recent,
            "hour": hour,
            "now": now,
            "oldest": self._oldest(now),
            "floor": self.settings.trending_floor,
        }
        days = dict.fromkeys(_RECENT_TABLES, (recent, now.date() + DAY))
        return self.engine.build(
            "content_metrics", "content/content_metrics.sql", WHOLE, parameters, days=days, notes=notes
        )

    def closed_through(self, now: datetime) -> date:
        """The last day whose events can no longer come in."""
        return now.date() - timedelta(days=self.settings.event_lateness_days + 1)

    def _oldest(self, now: datetime) -> date:
        """The first day whose hours are kept."""
        return now.date() - timedelta(days=self.settings.events_days)

    def _through(self, closed: date) -> tuple[date | None, bool]:
        """The day that the totals count to, and whether there is any day up to `closed`."""
        (row,) = self.engine.query("content/totals_through.sql", {"closed": closed}).to_pylist()
        return row["through_date"], row["has_days"]
