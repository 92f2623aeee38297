"""The aggregate tables: days of every kind of entity, then weeks and months from days."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import dagster as dg

from metrics_pipeline.aggregation.build import EntityType
from metrics_pipeline.aggregation.coverage import Coverage, coverage
from metrics_pipeline.assets.application_keys import application_deps
from metrics_pipeline.assets.collection import POSTS_KEY, STATUS_KEY, platform_asset_key
from metrics_pipeline.assets.content import DAILY_KEY as CONTENT_DAILY_KEY
from metrics_pipeline.assets.describe import table_metadata
from metrics_pipeline.catalog.application import ApplicationTable
from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.lake.table_spec import TableSpec
from metrics_pipeline.lake.tables import DAILY_METRICS, MONTHLY_METRICS, WEEKLY_METRICS
from metrics_pipeline.partitions import UPSTREAM_MAY_NOT_EXIST, PartitionSets, window_of
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.windows import Window

# Every hour the running day is rebuilt, and after it its week and month. This sees only that some partition was built
# lately; that each one exists is a check of our own (checks/partitions.py).
FRESH = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=26), warn_window=timedelta(hours=3))

Build = Callable[[Pipeline, Window], int]

DAILY_KEYS: dict[EntityType, dg.AssetKey] = {
    "post": dg.AssetKey(["daily_metrics", "post"]),
    "account": dg.AssetKey(["daily_metrics", "account"]),
    "workspace": dg.AssetKey(["daily_metrics", "workspace"]),
    "content": dg.AssetKey(["daily_metrics", "content"]),
    "creator": dg.AssetKey(["daily_metrics", "creator"]),
    "campaign": dg.AssetKey(["daily_metrics", "campaign"]),
}
WEEKLY_KEY = dg.AssetKey(["weekly_metrics"])
MONTHLY_KEY = dg.AssetKey(["monthly_metrics"])


def _upstream(keys: Sequence[dg.AssetKey]) -> list[dg.AssetDep]:
    return [dg.AssetDep(key, partition_mapping=UPSTREAM_MAY_NOT_EXIST) for key in keys]


def _daily(entity_type: EntityType) -> Build:
    return lambda pipeline, window: pipeline.builder.daily(entity_type, window, pipeline.settings.clock.now())


def aggregate_assets(
    platforms: Sequence[PlatformSpec], partitions: PartitionSets, application_tables: Sequence[ApplicationTable]
) -> list[dg.AssetsDefinition]:
    """The aggregate assets, each a single-run backfill over any range."""
    messaging = application_deps(application_tables, ("messages", "campaigns", "contacts", "conversations"))
    conversations = application_deps(application_tables, ("messages", "conversations"))
    campaigns = application_deps(application_tables, ("messages", "campaigns"))
    readings = [
        platform_asset_key(p.platform, collection) for p in platforms for collection in ("counters", "insights")
    ]
    days = list(DAILY_KEYS.values())
    return [
        _aggregate_asset(
            DAILY_KEYS["post"],
            DAILY_METRICS,
            partitions.daily,
            [*_upstream(readings), dg.AssetDep(POSTS_KEY)],
            _daily("post"),
            "One metric of one post per day.",
        ),
        _aggregate_asset(
            DAILY_KEYS["account"],
            DAILY_METRICS,
            partitions.daily,
            [
                *_upstream([*readings, DAILY_KEYS["post"]]),
                dg.AssetDep(POSTS_KEY),
                dg.AssetDep(STATUS_KEY),
                *conversations,
            ],
            _daily("account"),
            "One metric of one account per day: its own series, counter or import, else the sum of its posts.",
        ),
        _aggregate_asset(
            DAILY_KEYS["workspace"],
            DAILY_METRICS,
            partitions.daily,
            [*_upstream([DAILY_KEYS["account"], CONTENT_DAILY_KEY]), *messaging],
            _daily("workspace"),
            "One metric of one workspace per day and platform; distinct people are never summed.",
        ),
        _aggregate_asset(
            DAILY_KEYS["content"],
            DAILY_METRICS,
            partitions.daily,
            _upstream([CONTENT_DAILY_KEY]),
            _daily("content"),
            "One metric of one content item of the application's own per day.",
        ),
        _aggregate_asset(
            DAILY_KEYS["creator"],
            DAILY_METRICS,
            partitions.daily,
            _upstream([CONTENT_DAILY_KEY]),
            _daily("creator"),
            "One metric of one creator per day; distinct viewers are counted anew, not summed.",
        ),
        _aggregate_asset(
            DAILY_KEYS["campaign"],
            DAILY_METRICS,
            partitions.daily,
            campaigns,
            _daily("campaign"),
            "One metric of one campaign of the application per day on which it sent anything; lifetimes beside it.",
        ),
        _aggregate_asset(
            WEEKLY_KEY,
            WEEKLY_METRICS,
            partitions.weekly,
            [*_upstream(days), *application_deps(application_tables, ("messages",))],
            lambda pipeline, window: pipeline.builder.weekly(window, pipeline.settings.clock.now()),
            WEEKLY_METRICS.description,
        ),
        _aggregate_asset(
            MONTHLY_KEY,
            MONTHLY_METRICS,
            partitions.monthly,
            [*_upstream(days), *application_deps(application_tables, ("messages",))],
            lambda pipeline, window: pipeline.builder.monthly(window, pipeline.settings.clock.now()),
            MONTHLY_METRICS.description,
        ),
    ]


def _aggregate_asset(
    key: dg.AssetKey,
    table: TableSpec,
    partitions_def: dg.PartitionsDefinition[str],
    deps: Sequence[dg.AssetDep],
    build: Build,
    description: str,
) -> dg.AssetsDefinition:
    @dg.asset(
        key=key,
        deps=deps,
        description=description,
        partitions_def=partitions_def,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name="metrics",
        kinds={"sql", "duckdb", "deltalake"},
        owners=["team:metrics"],
        metadata=table_metadata(table),
        freshness_policy=FRESH,
    )
    def aggregate(context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads the bare name
        window = window_of(context)
        build(pipeline, window)
        found = coverage(pipeline.engine, table.name, key.path[-1], window)
        report_partitions(context, found)
        context.log.info(f"{key.to_user_string()}, {window}: {found.line()}")
        return dg.MaterializeResult(metadata={"rows": found.rows, "coverage": found.ratio, "complete": found.complete})

    return aggregate


def report_partitions(context: dg.AssetExecutionContext, found: Coverage) -> None:
    """What each partition of a run has: the run's own metadata would repeat its totals on every partition."""
    for key in context.partition_keys:
        part = found.per_partition.get(key)
        if part is not None:
            context.add_asset_metadata(
                {"dagster/partition_row_count": part.rows, "partition_coverage": part.ratio}, partition_key=key
            )
