"""Snapshots: what is known of every workspace and account, as one document per day, week and month."""

from collections.abc import Sequence

import dagster as dg
from pydantic import Field

from metrics_pipeline.aggregation.coverage import coverage
from metrics_pipeline.aggregation.snapshots import SNAPSHOT_TYPES, BuiltSnapshots, SnapshotType
from metrics_pipeline.assets.aggregates import DAILY_KEYS, FRESH, MONTHLY_KEY, WEEKLY_KEY, report_partitions
from metrics_pipeline.assets.collection import OUTCOME_TAG
from metrics_pipeline.assets.describe import table_metadata
from metrics_pipeline.collection.summary import Verdict
from metrics_pipeline.lake.snapshot_tables import ANALYTICS_SNAPSHOTS
from metrics_pipeline.partitions import UPSTREAM_MAY_NOT_EXIST, PartitionSets, window_of
from metrics_pipeline.pipeline import Pipeline

SNAPSHOT_KEYS: dict[SnapshotType, dg.AssetKey] = {
    kind: dg.AssetKey([ANALYTICS_SNAPSHOTS.name, kind]) for kind in SNAPSHOT_TYPES
}
_DAYS = (DAILY_KEYS["account"], DAILY_KEYS["workspace"])
_UPSTREAM: dict[SnapshotType, Sequence[dg.AssetKey]] = {
    "daily": _DAYS,
    "weekly": (WEEKLY_KEY, *_DAYS),
    "monthly": (MONTHLY_KEY, *_DAYS),
}
SHOWN_PROBLEMS = 50


class SnapshotScope(dg.Config):
    """Narrows a run; an empty list means every workspace."""

    workspaces: list[str] = Field(
        default_factory=list, description="Only these workspaces; the snapshots of the others stay as they are."
    )


def snapshot_assets(partitions: PartitionSets) -> list[dg.AssetsDefinition]:
    """One asset for each type of snapshot."""
    sets: dict[SnapshotType, dg.PartitionsDefinition[str]] = {
        "daily": partitions.daily,
        "weekly": partitions.weekly,
        "monthly": partitions.monthly,
    }
    return [_snapshot_asset(kind, sets[kind]) for kind in SNAPSHOT_TYPES]


def _snapshot_asset(kind: SnapshotType, partitions_def: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    key = SNAPSHOT_KEYS[kind]

    @dg.asset(
        key=key,
        deps=[dg.AssetDep(upstream, partition_mapping=UPSTREAM_MAY_NOT_EXIST) for upstream in _UPSTREAM[kind]],
        description=ANALYTICS_SNAPSHOTS.description,
        partitions_def=partitions_def,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name="metrics",
        kinds={"sql", "duckdb", "deltalake"},
        owners=["team:metrics"],
        metadata=table_metadata(ANALYTICS_SNAPSHOTS),
        freshness_policy=FRESH,
        check_specs=[
            dg.AssetCheckSpec("workspaces_ok", asset=key, description="No workspace has numbers that were left out.")
        ],
    )
    def snapshots(
        context: dg.AssetExecutionContext, config: SnapshotScope, pipeline: dg.ResourceParam[Pipeline]
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads the bare name
        window = window_of(context)
        built = pipeline.builder.snapshots(kind, window, pipeline.settings.clock.now(), config.workspaces)
        check = _report_problems(context, key, built)
        found = coverage(pipeline.engine, ANALYTICS_SNAPSHOTS.name, kind, window)
        report_partitions(context, found)
        context.log.info(f"{key.to_user_string()}, {window}: {found.line()}")
        metadata = {"rows": found.rows, "coverage": found.ratio, "complete": found.complete}
        return dg.MaterializeResult(metadata=metadata, check_results=[check])

    return snapshots


def _report_problems(context: dg.AssetExecutionContext, key: dg.AssetKey, built: BuiltSnapshots) -> dg.AssetCheckResult:
    """Name the workspaces whose numbers were left out: a warning and a tag.

    Raises:
        dg.Failure: no workspace could be built.
    """
    lines = [problem.line() for problem in built.problems]
    for line in lines[:SHOWN_PROBLEMS]:
        context.log.warning(line)
    if built.is_nothing_made:
        raise dg.Failure(f"No snapshot could be made: {lines[0]}", allow_retries=False)
    if lines:
        context.instance.add_run_tags(context.run.run_id, {OUTCOME_TAG: Verdict.PARTIAL.value})
    return dg.AssetCheckResult(
        passed=not lines,
        check_name="workspaces_ok",
        asset_key=key,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "refused": built.refused,
            "problems": dg.MetadataValue.md("\n".join(f"- {line}" for line in lines[:SHOWN_PROBLEMS]) or "none"),
        },
    )
