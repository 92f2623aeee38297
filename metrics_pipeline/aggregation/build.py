"""Builds the aggregate tables for a window: the same code for one day and for ten years."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from metrics_pipeline.aggregation.messaging import MessagingDays
from metrics_pipeline.aggregation.portions import portions
from metrics_pipeline.aggregation.snapshots import BuiltSnapshots, SnapshotType, build_snapshots
from metrics_pipeline.catalog.loader import Catalog
from metrics_pipeline.catalog.relations import cadence_relation, catalog_relations
from metrics_pipeline.lake.changes import days_note
from metrics_pipeline.lake.engine import Engine, Piece
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.session import Parameter
from metrics_pipeline.periods import Period, months, period_relations, weeks
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window, midnight

EntityType = Literal["account", "post", "workspace", "content", "creator", "campaign"]
# What one day of an entity type reads of exactly that day, so that a day costs the same whatever the history.
_SAME_DAY = ("content_daily", "viewer_days", "events")


@dataclass(frozen=True)
class Builder:
    """What building needs beside the window. `as_of` is normally the present: later reads do not exist yet.

    rows_at_once: rows of daily_metrics that weeks and months are made from at a time (2.5 million: two gigabytes).
    """

    engine: Engine
    catalog: Catalog
    settings: Settings
    rows_at_once: int = 2_500_000

    def daily(self, entity_type: EntityType, window: Window, now: datetime, as_of: datetime | None = None) -> int:
        """Build daily_metrics of one entity type for the days of the window; returns their rows.

        Days that come out as they were are left alone.

        Days of creators whose viewers are no longer kept (METRICS_EVENTS_DAYS) stay as they are.
        """
        if entity_type == "creator":
            oldest = midnight(now.date() - timedelta(days=self.settings.events_days))
            if window.end <= oldest:
                return 0
            window = Window(max(window.start, oldest), window.end)
        lookback = timedelta(days=self.settings.counter_lookback_days)
        parameters: dict[str, Parameter] = {
            "level": entity_type,
            "start": window.first_day,
            "end": window.end_day,
            "lookback": window.first_day - lookback,
            "lookback_days": self.settings.counter_lookback_days,
            "carry_days": self.settings.level_carry_days,
            "now": now,
            "as_of": as_of or now,
            "lateness_days": self.settings.event_lateness_days,
            "viewers_from": now.date() - timedelta(days=self.settings.events_days),
        }
        messaging = MessagingDays.of(self.engine, self.settings, entity_type, window)
        parameters |= messaging.parameters
        partitions = Partitions(equals={"entity_type": entity_type}, between=("date", window.first_day, window.end_day))
        relations = catalog_relations(self.catalog) | cadence_relation(self.catalog, self.settings.cadence)
        relations |= messaging.relations
        days = dict.fromkeys(_SAME_DAY, (window.first_day, window.end_day)) | messaging.days
        piece = Piece(parameters, relations, days)
        return self.engine.build_changed_days("daily_metrics", f"daily/{entity_type}.sql", partitions, piece)

    def weekly(self, window: Window, now: datetime) -> int:
        """Replace weekly_metrics for the weeks that overlap the window."""
        periods = weeks(window.first_day, window.end_day, self.settings.week_start_index)
        return self._rollup("weekly_metrics", "week_start", "P7D", periods, now)

    def monthly(self, window: Window, now: datetime) -> int:
        """Replace monthly_metrics for the months that overlap the window."""
        periods = months(window.first_day, window.end_day)
        return self._rollup("monthly_metrics", "month_start", "P1M", periods, now)

    def snapshots(
        self, snapshot_type: SnapshotType, window: Window, now: datetime, workspaces: Collection[str] = ()
    ) -> BuiltSnapshots:
        """Build the snapshots of the periods that overlap the window, of these workspaces only if any are named."""
        return build_snapshots(
            self.engine, self.catalog, self.settings, snapshot_type, window, now, workspaces, self.rows_at_once
        )

    def _rollup(self, table: str, column: str, iso_window: str, periods: list[Period], now: datetime) -> int:
        partitions = Partitions(between=(column, periods[0].start, periods[-1].end))
        viewers_from = now.date() - timedelta(days=self.settings.events_days)
        of_catalog = catalog_relations(self.catalog)

        def piece(part: Sequence[Period]) -> Piece:
            first, end = part[0].previous_start, part[-1].end
            return Piece(
                {"first": first, "end": end, "window": iso_window, "viewers_from": viewers_from},
                of_catalog | period_relations(part, now.date(), self.settings.week_start_index),
                dict.fromkeys(("daily_metrics", "viewer_days", "app_messages"), (first, end)),
            )

        pieces = [piece(part) for part in portions(self.engine, periods, self.rows_at_once)]
        notes = days_note(period.start for period in periods)
        return self.engine.build_in_pieces(table, f"rollups/{table}.sql", partitions, pieces, notes)
