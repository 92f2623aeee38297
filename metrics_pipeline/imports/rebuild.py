"""Builds again what an import or its revert changed: days, weeks and months."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from metrics_pipeline.imports.reading_store import TouchedDays
from metrics_pipeline.lake.tables import COUNTER_READINGS
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.pipeline_start import extend_pipeline_start, pipeline_start
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import DAY, Window, next_month

if TYPE_CHECKING:  # Dagster takes over a second to import
    from metrics_pipeline.automation.backfill import Backfiller, Step


@dataclass(frozen=True)
class Affected:
    """The days, weeks and months whose figures can change, as windows."""

    daily: Window
    weekly: Window
    monthly: Window


def affected(settings: Settings, touched: Iterable[TouchedDays]) -> Affected | None:
    """What rows in these partitions can change; None for no rows.

    A total changes the difference of the next reading of that total, a level is carried on for some days, and every
    period is what the following one is compared with.
    """
    spans = list(touched)
    if not spans:
        return None
    first = min(days.first for days in spans)
    ends = [days.last + DAY + timedelta(days=_reach(settings, days)) for days in spans]
    tomorrow = settings.clock.now().date() + DAY
    end = max(first + DAY, min(max(ends), tomorrow))
    last = end - DAY
    return Affected(
        daily=Window.of_days(first, end),
        weekly=Window.of_days(first, end + timedelta(days=7)),
        monthly=Window.of_days(first, next_month(last) + DAY),
    )


def _reach(settings: Settings, days: TouchedDays) -> int:
    return settings.counter_lookback_days if days.table == COUNTER_READINGS.name else settings.level_carry_days


def make_room(settings: Settings, first: date) -> date | None:
    """Let partitions begin early enough for `first`; the new start if they did not, else None."""
    return pipeline_start(settings).pipeline if extend_pipeline_start(settings, first) else None


def first_partition_after(settings: Settings, first: date) -> date | None:
    """The first day that has a partition, if it lies after `first`: METRICS_PIPELINE_START says so."""
    begins = pipeline_start(settings).week(settings.week_start_index)
    return begins if first < begins else None


def plan_rebuild(pipeline: Pipeline, windows: Affected) -> tuple[Backfiller, list[Step]]:
    """The recorded Dagster runs that build days, weeks and months again, in order, and what runs them."""
    from metrics_pipeline.automation.backfill import Backfiller

    backfiller = Backfiller(pipeline)
    spans = {
        "daily_metrics": windows.daily,
        "weekly_metrics": windows.weekly,
        "monthly_metrics": windows.monthly,
    }
    steps = [step for name, window in spans.items() for step in backfiller.plan(backfiller.resolve([name]), window)]
    return backfiller, steps
