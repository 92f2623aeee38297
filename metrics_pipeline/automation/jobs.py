"""One job per cadence and concern; schedules and sensors launch these, and so can a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import dagster as dg

from metrics_pipeline.aggregation.snapshots import SnapshotType
from metrics_pipeline.assets.aggregates import DAILY_KEYS, MONTHLY_KEY, WEEKLY_KEY
from metrics_pipeline.assets.anomalies import ANOMALIES_KEY
from metrics_pipeline.assets.collection import platform_asset_key
from metrics_pipeline.assets.content import DAILY_KEY, EVENTS_KEY, METRICS_KEY
from metrics_pipeline.assets.custom_metrics import VALUE_KEYS
from metrics_pipeline.assets.messaging import CAMPAIGN_METRICS_KEY, CONTACT_METRICS_KEY
from metrics_pipeline.assets.realtime import REALTIME_KEY
from metrics_pipeline.assets.reconciliation import RECONCILIATIONS_KEY
from metrics_pipeline.assets.snapshots import SNAPSHOT_KEYS
from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.collection.request import CollectionKind
from metrics_pipeline.custom_metrics.spans import Grain
from metrics_pipeline.partitions import PartitionSets

DAILY_CLOSE = "daily_close"
WEEKLY_CLOSE = "weekly_close"
MONTHLY_CLOSE = "monthly_close"
DAILY_SNAPSHOTS = "daily_snapshots"
WEEKLY_SNAPSHOTS = "weekly_snapshots"
MONTHLY_SNAPSHOTS = "monthly_snapshots"
ANOMALIES = "find_anomalies"
RECONCILE = "reconcile"
RECONCILE_REALTIME = "reconcile_realtime"
MISSING_PARTITIONS = "missing_partitions"
MAINTENANCE = "maintenance"
PROCESS_EVENTS = "process_events"
CONTENT_DAYS = "content_days"
ERASE_PEOPLE = "erase_people"
CUSTOM_METRICS: Mapping[Grain, str] = {
    "day": "custom_metrics_daily",
    "week": "custom_metrics_weekly",
    "month": "custom_metrics_monthly",
}
# First and last day whose numbers a run changed, where no partition tag says so.
DAYS_TAG = "metrics/days"


_SNAPSHOTS: Mapping[str, SnapshotType] = {
    DAILY_SNAPSHOTS: "daily",
    WEEKLY_SNAPSHOTS: "weekly",
    MONTHLY_SNAPSHOTS: "monthly",
}

# Dagster exports no name for a job whose selection is not resolved yet.
AssetJob: TypeAlias = Any


def collection_job_name(platform: str, collection: CollectionKind) -> str:
    return f"collect_{platform}_{collection}"


def collection_jobs(platforms: Sequence[PlatformSpec]) -> list[AssetJob]:
    """Two jobs per platform: separate runs, so that a slow platform holds up no other."""
    collections: tuple[CollectionKind, ...] = ("counters", "insights")
    return [
        dg.define_asset_job(
            collection_job_name(p.platform, c),
            selection=dg.AssetSelection.assets(platform_asset_key(p.platform, c)),
            tags={"platform": p.platform},
            description=f"Collect {p.label} {c}.",
        )
        for p in platforms
        for c in collections
    ]


def content_jobs() -> list[AssetJob]:
    """What runs every minute while events come in, and the days of content."""
    return [
        dg.define_asset_job(
            PROCESS_EVENTS,
            selection=dg.AssetSelection.assets(EVENTS_KEY, METRICS_KEY),
            description="Events from the inbox into the lake, the hours they touch, and the state of content.",
        ),
        dg.define_asset_job(
            CONTENT_DAYS,
            selection=dg.AssetSelection.assets(DAILY_KEY),
            description="Days of content with exact distinct viewers.",
        ),
        dg.define_asset_job(
            RECONCILE_REALTIME,
            selection=dg.AssetSelection.assets(REALTIME_KEY),
            description="Compare real-time metrics with stored events.",
        ),
    ]


def close_jobs() -> list[AssetJob]:
    """Daily, weekly and monthly close."""
    return [
        dg.define_asset_job(
            DAILY_CLOSE,
            selection=dg.AssetSelection.assets(*DAILY_KEYS.values(), CAMPAIGN_METRICS_KEY, CONTACT_METRICS_KEY),
            description="Rebuild the daily metrics of the days that may still change, then campaigns and contacts.",
        ),
        dg.define_asset_job(
            WEEKLY_CLOSE,
            selection=dg.AssetSelection.assets(WEEKLY_KEY),
            description="Roll days up to weeks.",
        ),
        dg.define_asset_job(
            MONTHLY_CLOSE,
            selection=dg.AssetSelection.assets(MONTHLY_KEY),
            description="Roll days up to months.",
        ),
        dg.define_asset_job(
            ANOMALIES,
            selection=dg.AssetSelection.assets(ANOMALIES_KEY),
            description="Compare days with their weekdays.",
        ),
        dg.define_asset_job(
            RECONCILE,
            selection=dg.AssetSelection.assets(RECONCILIATIONS_KEY),
            description="Compare two ways to the same number.",
        ),
    ]


def snapshot_jobs() -> list[AssetJob]:
    """Snapshots of days, weeks and months."""
    return [
        dg.define_asset_job(
            name,
            selection=dg.AssetSelection.assets(SNAPSHOT_KEYS[kind]),
            description=f"Put {kind} metrics into snapshots.",
        )
        for name, kind in _SNAPSHOTS.items()
    ]


def custom_metric_jobs() -> list[AssetJob]:
    """Values of custom metrics by day, week and month."""
    return [
        dg.define_asset_job(
            name,
            selection=dg.AssetSelection.assets(VALUE_KEYS[grain]),
            description=f"Compute the metrics that users defined, by {grain}.",
        )
        for grain, name in CUSTOM_METRICS.items()
    ]


def watch_job(checks: Sequence[dg.AssetChecksDefinition]) -> AssetJob:
    """What looks for partitions that are missing, also of assets that no run touches any more."""
    return dg.define_asset_job(
        MISSING_PARTITIONS,
        selection=dg.AssetSelection.checks(*checks),
        description="Look for partitions that should exist and do not.",
    )


def partition_set_of(job_name: str, partitions: PartitionSets) -> dg.TimeWindowPartitionsDefinition:
    """The partition set that a job's runs belong to."""
    if job_name.endswith("_counters"):
        return partitions.hourly
    return {
        WEEKLY_CLOSE: partitions.weekly,
        WEEKLY_SNAPSHOTS: partitions.weekly,
        MONTHLY_CLOSE: partitions.monthly,
        MONTHLY_SNAPSHOTS: partitions.monthly,
        CUSTOM_METRICS["week"]: partitions.weekly,
        CUSTOM_METRICS["month"]: partitions.monthly,
    }.get(job_name, partitions.daily)
