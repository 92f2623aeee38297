"""The gap filler: Dagster does not catch up on missed ticks, and accounts that were locked out come back.

Two kinds of gaps, both bounded and newest first: partitions that should exist and were never materialised, and
account days whose last attempt failed although a new attempt could succeed now. Counters are never refilled:
a past hour cannot be observed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import dagster as dg

from metrics_pipeline.application.flow import ApplicationFlow
from metrics_pipeline.application.lake_tables import declared_tables
from metrics_pipeline.assets.aggregates import DAILY_KEYS, MONTHLY_KEY, WEEKLY_KEY
from metrics_pipeline.assets.application import application_key
from metrics_pipeline.assets.collection import platform_asset_key, scope_config
from metrics_pipeline.assets.snapshots import SNAPSHOT_KEYS
from metrics_pipeline.automation.application import EXTRACT_APPLICATION
from metrics_pipeline.automation.jobs import (
    DAILY_CLOSE,
    DAILY_SNAPSHOTS,
    MONTHLY_CLOSE,
    MONTHLY_SNAPSHOTS,
    WEEKLY_CLOSE,
    WEEKLY_SNAPSHOTS,
    collection_job_name,
)
from metrics_pipeline.automation.ranges import consecutive, keys_in_window, range_tags
from metrics_pipeline.collection.refills import Refill, find_refills
from metrics_pipeline.control.accounts import list_accounts
from metrics_pipeline.partitions import PartitionSets
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.windows import Window, midnight


@dataclass(frozen=True)
class _Watched:
    """An asset whose partitions should all exist once their period is over."""

    asset: dg.AssetKey
    job: str
    partitions: dg.TimeWindowPartitionsDefinition


def gap_requests(
    pipeline: Pipeline, instance: dg.DagsterInstance, partitions: PartitionSets, now: datetime
) -> list[dg.RunRequest]:
    """What is missing now, as at most `gap_max_runs` run requests: accounts first, then the newest partitions."""
    found = [
        *_account_requests(pipeline, partitions, now),
        *_partition_requests(pipeline, instance, partitions, now),
    ]
    return found[: pipeline.settings.gap_max_runs]


def lookback(pipeline: Pipeline, now: datetime) -> Window:
    """The whole days in which somebody looks for gaps: METRICS_GAP_LOOKBACK_DAYS up to today."""
    today = midnight(now.date())
    return Window(today - timedelta(days=pipeline.settings.gap_lookback_days), today)


def _account_requests(pipeline: Pipeline, partitions: PartitionSets, now: datetime) -> Iterator[dg.RunRequest]:
    for refill in find_refills(pipeline, lookback(pipeline, now), now):
        window = Window.of_days(refill.first_day, refill.last_day + timedelta(days=1))
        keys = keys_in_window(partitions.daily, window, now)
        if keys:
            yield dg.RunRequest(
                run_key=_refill_key(refill, now),
                job_name=collection_job_name(refill.platform, "insights"),
                run_config=scope_config(
                    platform_asset_key(refill.platform, "insights"), accounts=list(refill.accounts)
                ),
                tags=range_tags(keys),
            )


def _refill_key(refill: Refill, now: datetime) -> str:
    # at most four tries a day of the same gap: a failure that stays is no reason to call every half hour
    accounts = hashlib.sha256("\n".join(refill.accounts).encode()).hexdigest()[:12]
    slot = f"{now:%Y-%m-%d}/{now.hour // 6}"
    return f"refill:{refill.platform}:{accounts}:{refill.first_day}:{refill.last_day}:{refill.cause}:{slot}"


def _partition_requests(
    pipeline: Pipeline, instance: dg.DagsterInstance, partitions: PartitionSets, now: datetime
) -> Iterator[dg.RunRequest]:
    window = lookback(pipeline, now)
    for watched in _watched(pipeline, partitions):
        over = keys_over(watched.partitions, window, now)
        missing = set(over) - set(instance.get_materialized_partitions(watched.asset))
        for keys in consecutive(over, missing):
            yield dg.RunRequest(
                run_key=f"gap:{watched.asset.to_user_string()}:{keys[0]}:{keys[-1]}:{now:%Y-%m-%d}",
                job_name=watched.job,
                tags=range_tags(keys),
            )


def keys_over(partitions: dg.TimeWindowPartitionsDefinition, window: Window, now: datetime) -> list[str]:
    """The keys of the partitions that overlap the window and whose period has ended by `now`, in order."""
    return [
        key
        for key in keys_in_window(partitions, window, now)
        if partitions.time_window_for_partition_key(key).end <= now
    ]


def _watched(pipeline: Pipeline, partitions: PartitionSets) -> Sequence[_Watched]:
    """Collectors with a connected account first; aggregates only once something can be aggregated."""
    connected = sorted({a.platform for a in list_accounts(pipeline.control) if a.status == "active"})
    application = _application(pipeline, partitions)
    if not connected:
        return application
    return [
        *application,
        *(
            _Watched(
                platform_asset_key(platform, "insights"), collection_job_name(platform, "insights"), partitions.daily
            )
            for platform in connected
            if platform in pipeline.catalog.platforms
        ),
        _Watched(DAILY_KEYS["workspace"], DAILY_CLOSE, partitions.daily),
        _Watched(WEEKLY_KEY, WEEKLY_CLOSE, partitions.weekly),
        _Watched(MONTHLY_KEY, MONTHLY_CLOSE, partitions.monthly),
        _Watched(SNAPSHOT_KEYS["daily"], DAILY_SNAPSHOTS, partitions.daily),
        _Watched(SNAPSHOT_KEYS["weekly"], WEEKLY_SNAPSHOTS, partitions.weekly),
        _Watched(SNAPSHOT_KEYS["monthly"], MONTHLY_SNAPSHOTS, partitions.monthly),
    ]


def _application(pipeline: Pipeline, partitions: PartitionSets) -> Sequence[_Watched]:
    """The first table that has days, for all of them: one run reads them together."""
    if not ApplicationFlow(pipeline).is_connected:
        return []
    with_days = [table.name for table in declared_tables(pipeline.settings) if not table.snapshot]
    return [_Watched(application_key(name), EXTRACT_APPLICATION, partitions.daily) for name in with_days[:1]]


def first_and_last_day(keys: tuple[str, str]) -> tuple[date, date]:
    """The days of two daily partition keys."""
    return date.fromisoformat(keys[0]), date.fromisoformat(keys[1])
