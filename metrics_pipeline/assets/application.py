"""The application's own tables: one asset per declared table, rows read by day and put into the day they belong to."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import dagster as dg

from metrics_pipeline.application.flow import ApplicationFlow
from metrics_pipeline.application.lake_tables import table_spec
from metrics_pipeline.assets.application_keys import application_key
from metrics_pipeline.assets.collection import OUTCOME_TAG
from metrics_pipeline.assets.describe import table_metadata
from metrics_pipeline.automation.jobs import DAYS_TAG
from metrics_pipeline.catalog.application import ApplicationTable
from metrics_pipeline.collection.summary import Verdict
from metrics_pipeline.errors import RunFailedError, UserError
from metrics_pipeline.partitions import PartitionSets, window_of
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.windows import Window

if TYPE_CHECKING:
    from metrics_pipeline.application.extraction import Extracted

__all__ = ["application_assets", "application_key"]

# Two runs that write one table wait for each other instead of redoing each other's work.
POOL = "application"
# A database that is restarted is back within a minute; what is declared wrongly is not tried again.
RETRY = dg.RetryPolicy(max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
DAYS_SHOWN = 100


def application_assets(tables: Sequence[ApplicationTable], partitions: PartitionSets) -> list[dg.AssetsDefinition]:
    """One asset per declared table; one that is read whole has no partitions."""
    return [_application_asset(table, partitions) for table in tables]


def _application_asset(table: ApplicationTable, partitions: PartitionSets) -> dg.AssetsDefinition:
    key = application_key(table.name)
    spec = table_spec(table)

    @dg.asset(
        key=key,
        description=spec.description,
        partitions_def=None if table.snapshot else partitions.daily,
        backfill_policy=None if table.snapshot else dg.BackfillPolicy.single_run(),
        metadata=table_metadata(spec),
        pool=POOL,
        retry_policy=RETRY,
        group_name="application",
        owners=["team:metrics"],
        kinds={"python", "deltalake"},
        check_specs=[
            dg.AssetCheckSpec("rows_fit", asset=key, description="Every value that was read fits its declared type.")
        ],
    )
    def extract(context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads the bare name
        window = Window.of_day(pipeline.settings.clock.now().date()) if table.snapshot else window_of(context)
        try:
            done = ApplicationFlow(pipeline).extract(table.name, window)
        except (UserError, RunFailedError) as error:
            raise dg.Failure(str(error), allow_retries=isinstance(error, RunFailedError)) from error
        return _report(context, key, done)

    return extract


def _report(context: dg.AssetExecutionContext, key: dg.AssetKey, done: "Extracted") -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads the bare name
    """What Dagster shows of an extraction; rows that do not fit are a warning and a tag, not a failure."""
    context.log.info(done.line())
    if done.misfits.rows:
        context.log.warning(done.misfits.summary(done.table))
        context.instance.add_run_tags(context.run.run_id, {OUTCOME_TAG: Verdict.PARTIAL.value})
    _report_days(context, key, done)
    check = dg.AssetCheckResult(
        passed=not done.misfits.rows,
        check_name="rows_fit",
        asset_key=key,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"rows": done.misfits.rows, "misfits": _lines(done.misfits.shown)},
    )
    metadata: dict[str, int | str | dg.MarkdownMetadataValue] = {
        "rows": done.rows,
        "rows_left_out": done.misfits.rows,
        "rows_without_day": done.undated,
        "days_changed": _days(done.changed),
        "days_beside_the_window": _days(done.beside),
        "undeclared_columns": ", ".join(done.undeclared) or "none",
        "type_differences": _lines(done.differences),
    }
    return dg.MaterializeResult(metadata=metadata, check_results=[check])


def _report_days(context: dg.AssetExecutionContext, key: dg.AssetKey, done: "Extracted") -> None:
    """Name the days that changed on the run, together with those of its other tables, and on their partitions."""
    if not done.changed:
        return
    run = context.instance.get_run_by_id(context.run.run_id)
    before = run.tags.get(DAYS_TAG) if run is not None else None
    context.instance.add_run_tags(context.run.run_id, {DAYS_TAG: _span(done.changed, before)})
    for day in done.beside:
        context.log_event(dg.AssetMaterialization(key, partition=day.isoformat(), metadata={"beside_the_window": True}))


def _span(days: Sequence[date], before: str | None) -> str:
    """First and last of these days and of an earlier span."""
    all_days = [*(day.isoformat() for day in days), *(before.split("/") if before else ())]
    return f"{min(all_days)}/{max(all_days)}"


def _days(days: Sequence[date]) -> str:
    shown = ", ".join(day.isoformat() for day in days[:DAYS_SHOWN])
    return f"{shown} and {len(days) - DAYS_SHOWN} more" if len(days) > DAYS_SHOWN else shown or "none"


def _lines(lines: Sequence[str]) -> dg.MarkdownMetadataValue:
    return dg.MetadataValue.md("\n".join(f"- {line}" for line in lines) or "none")
