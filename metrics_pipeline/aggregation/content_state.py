"""The present state of content: lifetime totals of closed days, and content_metrics on top of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from metrics_pipeline.lake.engine import Engine, Parameter
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.settings import Settings

WHOLE = Partitions()
# Two days of velocity, and the day before them for rolling spans that begin earlier.
RECENT = timedelta(days=3)


@dataclass(frozen=True)
class ContentStateBuilder:
    """Builds content_totals, view_times_totals and content_metrics."""

    engine: Engine
    settings: Settings

    def close(self, now: datetime) -> int:
        """Count everything up to the last day that no event can reach into the totals; returns the items."""
        through = self.closed_through(now)
        parameters: dict[str, Parameter] = {
            "through": through,
            "peaks_from": through - timedelta(days=self.settings.event_lateness_days) - RECENT,
        }
        if self._through() is None:
            parameters["peaks_from"] = date(1970, 1, 1)
        self.engine.build("view_times_totals", "content/view_times_totals.sql", WHOLE, parameters)
        return self.engine.build("content_totals", "content/content_totals.sql", WHOLE, parameters)

    def refresh(self, now: datetime) -> int:
        """Build content_metrics as of `now`; returns the items."""
        through = self._through() or date(1970, 1, 1)
        hour = now.replace(minute=0, second=0, microsecond=0)
        # hours of days that the totals do not hold yet may hold a peak as well
        recent = min(hour.date() - RECENT, through)
        parameters: dict[str, Parameter] = {
            "through": through,
            "today": now.date(),
            "recent": recent,
            "hour": hour,
            "now": now,
            "floor": self.settings.trending_floor,
        }
        return self.engine.build("content_metrics", "content/content_metrics.sql", WHOLE, parameters)

    def closed_through(self, now: datetime) -> date:
        """The last day whose events can no longer come in."""
        return now.date() - timedelta(days=self.settings.event_lateness_days + 1)

    def _through(self) -> date | None:
        rows = self.engine.query("content/totals_through.sql").to_pylist()
        found: date | None = rows[0]["through_date"]
        return found
