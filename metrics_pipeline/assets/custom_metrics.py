"""Values of metrics that users define: one asset for each grain, however many metrics there are."""

from collections.abc import Sequence

import dagster as dg
from pydantic import Field

from metrics_pipeline.aggregation.coverage import coverage
from metrics_pipeline.assets.aggregates import DAILY_KEYS, MONTHLY_KEY, WEEKLY_KEY, report_partitions
from metrics_pipeline.assets.application_keys import application_deps
from metrics_pipeline.assets.collection import OUTCOME_TAG, POSTS_KEY
from metrics_pipeline.assets.content import DAILY_KEY as CONTENT_DAILY_KEY
from metrics_pipeline.assets.content import EVENTS_KEY
from metrics_pipeline.assets.describe import table_metadata
from metrics_pipeline.catalog.application import ApplicationTable
from metrics_pipeline.collection.summary import Verdict
from metrics_pipeline.custom_metrics.spans import Grain
from metrics_pipeline.lake.custom_metric_tables import CUSTOM_METRIC_VALUES
from metrics_pipeline.partitions import UPSTREAM_MAY_NOT_EXIST, PartitionSets, window_of
from metrics_pipeline.pipeline import Pipeline

VALUE_KEYS: dict[Grain, dg.AssetKey] = {
    "day": dg.AssetKey([CUSTOM_METRIC_VALUES.name, "daily"]),
    "week": dg.AssetKey([CUSTOM_METRIC_VALUES.name, "weekly"]),
    "month": dg.AssetKey([CUSTOM_METRIC_VALUES.name, "monthly"]),
}
SHOWN_PROBLEMS = 50
# Nothing else would ask for the run again.
RETRY = dg.RetryPolicy(max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)


class MetricScope(dg.Config):
    """Narrows a run; an empty list means all."""

    metrics: list[str] = Field(
        default_factory=list, description="Only these metrics, by name or id; the values of others stay as they are."
    )
    workspaces: list[str] = Field(default_factory=list, description="Only metrics of these workspaces.")


def custom_metric_assets(
    partitions: PartitionSets, application_tables: Sequence[ApplicationTable]
) -> list[dg.AssetsDefinition]:
    """One asset for each grain that values are stored by."""
    sets: dict[Grain, dg.PartitionsDefinition[str]] = {
        "day": partitions.daily,
        "week": partitions.weekly,
        "month": partitions.monthly,
    }
    return [_values_asset(grain, partitions_def, application_tables) for grain, partitions_def in sets.items()]


def _values_asset(
    grain: Grain, partitions_def: dg.PartitionsDefinition[str], application_tables: Sequence[ApplicationTable]
) -> dg.AssetsDefinition:
    key = VALUE_KEYS[grain]
    days = (*DAILY_KEYS.values(), WEEKLY_KEY, MONTHLY_KEY, CONTENT_DAILY_KEY)

    @dg.asset(
        key=key,
        deps=[
            *(dg.AssetDep(upstream, partition_mapping=UPSTREAM_MAY_NOT_EXIST) for upstream in days),
            dg.AssetDep(EVENTS_KEY),
            dg.AssetDep(POSTS_KEY),
            *application_deps(application_tables, [table.name for table in application_tables]),
        ],
        description=f"{CUSTOM_METRIC_VALUES.description} By {grain}.",
        partitions_def=partitions_def,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name="custom_metrics",
        kinds={"sql", "duckdb", "deltalake"},
        owners=["team:metrics"],
        metadata=table_metadata(CUSTOM_METRIC_VALUES),
        retry_policy=RETRY,
        check_specs=[
            dg.AssetCheckSpec("metrics_ok", asset=key, description="Every metric that is active could be computed.")
        ],
    )
    def values(
        context: dg.AssetExecutionContext, config: MetricScope, pipeline: dg.ResourceParam[Pipeline]
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads the bare name
        from metrics_pipeline.custom_metrics.flow import CustomMetricFlow

        window = window_of(context)
        flow = CustomMetricFlow(pipeline)
        built = flow.build(
            grain, window, metrics=config.metrics, workspaces=config.workspaces, run_id=context.run.run_id
        )
        problems = built.problems()
        for line in problems[:SHOWN_PROBLEMS]:
            context.log.warning(line)
        if problems and not built.metrics:
            raise dg.Failure(f"No metric could be computed: {problems[0]}", allow_retries=False)
        if problems:
            context.instance.add_run_tags(context.run.run_id, {OUTCOME_TAG: Verdict.PARTIAL.value})
        found = coverage(pipeline.engine, CUSTOM_METRIC_VALUES.name, grain, window)
        report_partitions(context, found)
        context.log.info(f"{key.to_user_string()}, {window}: {built.metrics} metrics, {found.line()}")
        check = dg.AssetCheckResult(
            passed=not problems,
            check_name="metrics_ok",
            asset_key=key,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"problems": _listed(problems)},
        )
        metadata = {
            "metrics": built.metrics,
            "rows": built.rows,
            "rows_scanned": sum(answer.rows_scanned for answer in built.answers),
            "coverage": found.ratio,
            "complete": found.complete,
        }
        return dg.MaterializeResult(metadata=metadata, check_results=[check])

    return values


def _listed(lines: Sequence[str]) -> dg.MarkdownMetadataValue:
    return dg.MetadataValue.md("\n".join(f"- {line}" for line in lines[:SHOWN_PROBLEMS]) or "none")
