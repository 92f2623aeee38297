"""The four partition sets: hours of collection, and days, weeks and months of numbers. All UTC.

Every set has `end_offset=1`: the running period is visible, and marked incomplete by its numbers. Days and weeks
begin with the week that contains the first month's first day, so that every month has all of its days and every
week all of its own.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import dagster as dg

from metrics_pipeline.pipeline_start import pipeline_start
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window

# Days before hourly collection began have no hours upstream, months touch days before the first one: that is no
# reason to refuse a backfill of them.
with warnings.catch_warnings():
    warnings.simplefilter("ignore", dg.BetaWarning)
    UPSTREAM_MAY_NOT_EXIST = dg.TimeWindowPartitionMapping(allow_nonexistent_upstream_partitions=True)


@dataclass(frozen=True)
class PartitionSets:
    hourly: dg.HourlyPartitionsDefinition
    daily: dg.DailyPartitionsDefinition
    weekly: dg.WeeklyPartitionsDefinition
    monthly: dg.MonthlyPartitionsDefinition


def partition_sets(settings: Settings) -> PartitionSets:
    start = pipeline_start(settings)
    first_day = start.week(settings.week_start_index).isoformat()
    return PartitionSets(
        hourly=dg.HourlyPartitionsDefinition(start_date=f"{start.collection.isoformat()}-00:00", end_offset=1),
        daily=dg.DailyPartitionsDefinition(start_date=first_day, end_offset=1),
        # Dagster counts weekdays from Sunday = 0
        weekly=dg.WeeklyPartitionsDefinition(
            start_date=first_day, day_offset=(settings.week_start_index + 1) % 7, end_offset=1
        ),
        monthly=dg.MonthlyPartitionsDefinition(start_date=start.month.isoformat(), end_offset=1),
    )


def window_of(context: dg.AssetExecutionContext) -> Window:
    """The run's window, one partition or a range: the only reader of the partition in a context."""
    return Window(*context.partition_time_window)
