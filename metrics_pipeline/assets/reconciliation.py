"""Two ways to the same number, compared, as an asset."""

import dagster as dg

from metrics_pipeline.aggregation.reconciliation import reconcile
from metrics_pipeline.assets.aggregates import DAILY_KEYS, MONTHLY_KEY, WEEKLY_KEY
from metrics_pipeline.assets.describe import table_metadata
from metrics_pipeline.lake.reconciliation_tables import RECONCILIATIONS
from metrics_pipeline.partitions import UPSTREAM_MAY_NOT_EXIST, PartitionSets, window_of
from metrics_pipeline.pipeline import Pipeline

RECONCILIATIONS_KEY = dg.AssetKey(["reconciliations"])


def reconciliation_asset(partitions: PartitionSets) -> dg.AssetsDefinition:
    """The one asset of reconciliations; a day has its own comparisons and those of the week and month it begins."""

    @dg.asset(
        key=RECONCILIATIONS_KEY,
        deps=[
            dg.AssetDep(key, partition_mapping=UPSTREAM_MAY_NOT_EXIST)
            for key in (*DAILY_KEYS.values(), WEEKLY_KEY, MONTHLY_KEY)
        ],
        description=RECONCILIATIONS.description,
        partitions_def=partitions.daily,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name="metrics",
        kinds={"sql", "duckdb", "deltalake"},
        owners=["team:metrics"],
        metadata=table_metadata(RECONCILIATIONS),
    )
    def reconciliations(
        context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads the bare name
        rows = reconcile(pipeline.engine, pipeline.catalog, pipeline.settings, window_of(context))
        return dg.MaterializeResult(metadata={"rows": rows})

    return reconciliations
