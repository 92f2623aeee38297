"""Days that stand out from their weekdays, as an asset."""

import dagster as dg

from metrics_pipeline.aggregation.anomalies import build_anomalies
from metrics_pipeline.assets.aggregates import DAILY_KEYS
from metrics_pipeline.assets.describe import table_metadata
from metrics_pipeline.lake.anomaly_tables import ANOMALIES
from metrics_pipeline.partitions import UPSTREAM_MAY_NOT_EXIST, PartitionSets, window_of
from metrics_pipeline.pipeline import Pipeline

ANOMALIES_KEY = dg.AssetKey(["anomalies"])


def anomaly_asset(partitions: PartitionSets) -> dg.AssetsDefinition:
    """The one asset of anomalies; its days rest on days of the same date and of the eight weeks before."""

    @dg.asset(
        key=ANOMALIES_KEY,
        deps=[
            dg.AssetDep(DAILY_KEYS[kind], partition_mapping=UPSTREAM_MAY_NOT_EXIST)
            for kind in ("account", "workspace", "creator")
        ],
        description=ANOMALIES.description,
        partitions_def=partitions.daily,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name="metrics",
        kinds={"sql", "duckdb", "deltalake"},
        owners=["team:metrics"],
        metadata=table_metadata(ANOMALIES),
    )
    def anomalies(context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads the bare name
        rows = build_anomalies(pipeline.engine, pipeline.catalog, pipeline.settings, window_of(context))
        return dg.MaterializeResult(metadata={"rows": rows})

    return anomalies
