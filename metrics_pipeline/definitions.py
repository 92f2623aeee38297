"""What Dagster loads: the only place that puts definitions together."""

from __future__ import annotations

import warnings

import dagster as dg

from metrics_pipeline.pipeline import Pipeline


def build_definitions(pipeline: Pipeline, *, fixed: bool = False) -> dg.Definitions:
    """Assets, checks, jobs, schedules and sensors of a pipeline.

    Steps open the pipeline anew from their process's environment; with `fixed` they use this very one, which is
    what a command, a simulation or a test wants that runs them in its own process.
    """
    # backfill policies and one partition mapping are marked beta; they are what the design rests on, and pinned
    warnings.filterwarnings("ignore", category=dg.BetaWarning)

    from metrics_pipeline.application.lake_tables import declared_tables
    from metrics_pipeline.assets.aggregates import aggregate_assets
    from metrics_pipeline.assets.anomalies import anomaly_asset
    from metrics_pipeline.assets.application import application_assets
    from metrics_pipeline.assets.collection import collection_assets, side_tables
    from metrics_pipeline.assets.content import content_assets
    from metrics_pipeline.assets.custom_metrics import custom_metric_assets
    from metrics_pipeline.assets.erasure import erasure_job
    from metrics_pipeline.assets.maintenance import maintenance_job
    from metrics_pipeline.assets.messaging import messaging_assets
    from metrics_pipeline.assets.realtime import realtime_reconciliation_asset
    from metrics_pipeline.assets.reconciliation import reconciliation_asset
    from metrics_pipeline.assets.resource import pipeline_resource
    from metrics_pipeline.assets.snapshots import snapshot_assets
    from metrics_pipeline.automation.application import application_jobs
    from metrics_pipeline.automation.content_sensor import content_sensors
    from metrics_pipeline.automation.custom_metrics import custom_metric_sensor
    from metrics_pipeline.automation.erasure_sensor import erasure_sensors
    from metrics_pipeline.automation.jobs import (
        close_jobs,
        collection_jobs,
        content_jobs,
        custom_metric_jobs,
        snapshot_jobs,
        watch_job,
    )
    from metrics_pipeline.automation.schedules import schedules
    from metrics_pipeline.automation.sensors import sensors
    from metrics_pipeline.checks.anomalies import anomaly_check
    from metrics_pipeline.checks.partitions import partition_checks
    from metrics_pipeline.checks.reconciliation import reconciliation_check
    from metrics_pipeline.checks.tables import table_checks
    from metrics_pipeline.checks.tokens import token_checks
    from metrics_pipeline.partitions import partition_sets

    partitions = partition_sets(pipeline.settings)
    platforms = list(pipeline.catalog.platforms.values())
    of_partitions = partition_checks(platforms, partitions)
    tables = declared_tables(pipeline.settings)
    every_job = (
        *collection_jobs(platforms),
        *content_jobs(),
        *application_jobs(tables),
        *close_jobs(),
        *snapshot_jobs(),
        *custom_metric_jobs(),
    )
    asset_jobs = {job.name: job for job in every_job}
    return dg.Definitions(
        assets=[
            *(asset for spec in platforms for asset in collection_assets(spec, partitions)),
            *side_tables(platforms),
            *aggregate_assets(platforms, partitions, tables),
            *messaging_assets(tables),
            *snapshot_assets(partitions),
            anomaly_asset(partitions),
            reconciliation_asset(partitions),
            *content_assets(partitions),
            realtime_reconciliation_asset(),
            *application_assets(tables, partitions),
            *custom_metric_assets(partitions, tables),
        ],
        asset_checks=[
            *table_checks(),
            *token_checks(platforms),
            *of_partitions,
            anomaly_check(),
            reconciliation_check(),
        ],
        jobs=[*asset_jobs.values(), watch_job(of_partitions), maintenance_job, erasure_job],
        schedules=list(schedules(platforms, partitions, pipeline.settings)),
        sensors=[
            *sensors(dict(asset_jobs), partitions, pipeline.settings),
            *content_sensors(asset_jobs, partitions, pipeline.settings),
            custom_metric_sensor(asset_jobs, partitions, pipeline.settings),
            *erasure_sensors(asset_jobs, erasure_job, partitions, pipeline.settings),
        ],
        resources={"pipeline": pipeline_resource(pipeline if fixed else None)},
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions of the environment's settings."""
    return build_definitions(Pipeline.from_environment())
