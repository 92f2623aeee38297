"""First-party content: events out of the inbox every minute, hours and days from them, and the state of each item."""

import dagster as dg

from metrics_pipeline.assets.describe import table_metadata
from metrics_pipeline.content_flow import ContentFlow
from metrics_pipeline.lake.content_state_tables import CONTENT_METRICS
from metrics_pipeline.lake.event_tables import CONTENT_DAILY, CONTENT_HOURLY, EVENTS
from metrics_pipeline.partitions import PartitionSets, window_of
from metrics_pipeline.pipeline import Pipeline

EVENTS_KEY = dg.AssetKey(["events"])
HOURLY_KEY = dg.AssetKey(["content_hourly"])
DAILY_KEY = dg.AssetKey(["content_daily"])
METRICS_KEY = dg.AssetKey(["content_metrics"])
# Processes that write the same tables wait for each other instead of redoing each other's work.
POOL = "content"
KINDS = {"sql", "duckdb", "deltalake"}


def content_assets(partitions: PartitionSets) -> list[dg.AssetsDefinition]:
    """The four assets of first-party content."""

    @dg.asset(
        key=EVENTS_KEY,
        description="Moves accepted events from the inbox into the lake, exactly once; refused ones into quarantine, "
        "attributes of content and statuses of messages into their tables.",
        metadata=table_metadata(EVENTS),
        pool=POOL,
        group_name="content",
        owners=["team:metrics"],
        kinds={"python", "deltalake"},
    )
    def events(context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads the bare name
        done = ContentFlow(pipeline).drain()
        context.log.info(f"{done.rows} events, {done.duplicates} duplicates, {done.rejected} refused")
        return dg.MaterializeResult(
            metadata={
                "rows": done.rows,
                "duplicates": done.duplicates,
                "refused": done.rejected,
                "content_items": done.content,
                "message_statuses": done.statuses,
                "hours_touched": len(done.dirty_hours),
            }
        )

    @dg.asset(
        key=HOURLY_KEY,
        deps=[EVENTS_KEY],
        description=CONTENT_HOURLY.description,
        partitions_def=partitions.hourly,
        backfill_policy=dg.BackfillPolicy.single_run(),
        metadata=table_metadata(CONTENT_HOURLY),
        pool=POOL,
        group_name="content",
        owners=["team:metrics"],
        kinds=KINDS,
    )
    def content_hourly(context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads the bare name
        rows = ContentFlow(pipeline).builder.hourly(window_of(context), pipeline.settings.clock.now())
        return dg.MaterializeResult(metadata={"rows": rows})

    @dg.asset(
        key=DAILY_KEY,
        deps=[EVENTS_KEY],
        description=f"{CONTENT_DAILY.description} With it audiences, viewers, view times and watch history of the day.",
        partitions_def=partitions.daily,
        backfill_policy=dg.BackfillPolicy.single_run(),
        metadata=table_metadata(CONTENT_DAILY),
        pool=POOL,
        group_name="content",
        owners=["team:metrics"],
        kinds=KINDS,
    )
    def content_daily(context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads the bare name
        rows = ContentFlow(pipeline).rebuild_days(window_of(context))
        return dg.MaterializeResult(metadata={"rows": rows["content_daily"], **rows})

    @dg.asset(
        key=METRICS_KEY,
        deps=[EVENTS_KEY, dg.AssetDep(HOURLY_KEY), dg.AssetDep(DAILY_KEY)],
        description=CONTENT_METRICS.description,
        metadata=table_metadata(CONTENT_METRICS),
        pool=POOL,
        group_name="content",
        owners=["team:metrics"],
        kinds=KINDS,
    )
    def content_metrics(
        context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads the bare name
        done = ContentFlow(pipeline).refresh()
        existing = set(partitions.hourly.get_partition_keys(current_time=pipeline.settings.clock.now()))
        for day, hour in done.hours:
            key = f"{day.isoformat()}-{hour:02}:00"
            if key in existing:
                context.log_event(dg.AssetMaterialization(HOURLY_KEY, partition=key))
        return dg.MaterializeResult(metadata={"items": done.items, "hours_rebuilt": len(done.hours)})

    return [events, content_hourly, content_daily, content_metrics]
