"""What has to be computed since an earlier look: metrics that are new or changed, and others whose rows changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from metrics_pipeline.custom_metrics.datasets import Datasets
from metrics_pipeline.custom_metrics.registry.reader import Reader
from metrics_pipeline.custom_metrics.registry.records import ActiveMetric
from metrics_pipeline.custom_metrics.staleness import (
    ChangedTable,
    Stale,
    changed_tables,
    first_day,
    tables_of,
    touched_days,
    watched_tables,
)
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.pipeline_start import pipeline_start
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import DAY


@dataclass(frozen=True)
class StaleFinder:
    """Looks at definitions and at the tables behind them."""

    lake: Lake
    registry: Reader
    datasets: Datasets
    settings: Settings

    def find(self, cursor: Mapping[str, object]) -> Stale:
        """cursor: of an earlier look, `Stale.cursor`; with an empty one everything has to be computed."""
        today = self.settings.clock.now().date()
        newest = self.registry.newest_change()
        changed_ids = self._changed(cursor.get("change"), newest)
        active = self.registry.all_active()
        first = pipeline_start(self.settings).week(self.settings.week_start_index)
        defined = [metric for metric in active if metric.metric_id in changed_ids]
        tables = {name for metric in active for v in metric.versions for name in watched_tables(v, self.datasets)}
        versions = {name: self.lake.version(name) for name in sorted(tables)}
        changed = changed_tables(self.lake, tables, _versions(cursor.get("tables")))
        touched = {
            metric.metric_id: spans
            for metric in active
            if metric.metric_id not in changed_ids
            and (spans := self._spans(metric, changed, first, today) | _turned(cursor.get("day"), today, metric))
        }
        begins = min((first_day(self.lake, self._tables(metric), first) for metric in defined), default=first)
        return Stale(
            frozenset(metric.metric_id for metric in defined),
            max(first, begins),
            frozenset(touched),
            frozenset(span for spans in touched.values() for span in spans),
            today + DAY,
            {"change": newest, "day": today.isoformat(), "tables": versions},
        )

    def _changed(self, seen: object, newest: int) -> set[str]:
        """The metrics that a change was committed of behind a number."""
        found: set[str] = set()
        number = seen if isinstance(seen, int) else 0
        while number < newest and (page := self.registry.changes_since(number)):
            found |= {change.metric_id for change in page}
            number = page[-1].number
        return found

    def _tables(self, metric: ActiveMetric) -> set[str]:
        return {name for version in metric.versions for name in tables_of(version, self.datasets)}

    def _spans(
        self, metric: ActiveMetric, changed: Mapping[str, ChangedTable], first: date, today: date
    ) -> set[tuple[date, date]]:
        return {
            span for version in metric.versions for span in touched_days(version, self.datasets, changed, first, today)
        }


def _turned(last_look: object, today: date, metric: ActiveMetric) -> set[tuple[date, date]]:
    """With a new day what was running is over, and a period may have begun.

    In a zone west of UTC the day before the last look may have been running still.
    """
    if not isinstance(last_look, str) or last_look == today.isoformat():
        return set()
    is_utc = all(version.definition.timezone == "UTC" for version in metric.versions)
    return {(date.fromisoformat(last_look) - (timedelta(0) if is_utc else DAY), today + DAY)}


def _versions(stored: object) -> dict[str, int]:
    return {str(name): int(version) for name, version in stored.items()} if isinstance(stored, dict) else {}
