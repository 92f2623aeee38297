"""What Dagster loads: the only place that puts definitions together."""

from __future__ import annotations

import warnings

import dagster as dg


@dg.definitions
def defs() -> dg.Definitions:
    """Assets, checks, jobs, schedules, sensors and the one resource, from the settings of the environment."""
    # backfill policies and one partition mapping are marked beta; they are what the design rests on, and pinned
    warnings.filterwarnings("ignore", category=dg.BetaWarning)

    from metrics_pipeline.assets.aggregates import aggregate_assets
    from metrics_pipeline.assets.collection import collection_assets, side_tables
    from metrics_pipeline.assets.maintenance import maintenance_job
    from metrics_pipeline.assets.resource import pipeline_resource
    from metrics_pipeline.automation.jobs import close_jobs, collection_jobs
    from metrics_pipeline.automation.schedules import schedules
    from metrics_pipeline.automation.sensors import sensors
    from metrics_pipeline.catalog.loader import catalog
    from metrics_pipeline.checks.tables import table_checks
    from metrics_pipeline.partitions import partition_sets
    from metrics_pipeline.settings import load_settings

    settings = load_settings()
    partitions = partition_sets(settings)
    platforms = list(catalog().platforms.values())
    asset_jobs = {job.name: job for job in (*collection_jobs(platforms), *close_jobs())}
    return dg.Definitions(
        assets=[
            *(asset for spec in platforms for asset in collection_assets(spec, partitions)),
            *side_tables(platforms),
            *aggregate_assets(platforms, partitions),
        ],
        asset_checks=table_checks(),
        jobs=[*asset_jobs.values(), maintenance_job],
        schedules=list(schedules(platforms, partitions, settings)),
        sensors=sensors(dict(asset_jobs), partitions, settings),
        resources={"pipeline": pipeline_resource},
        executor=dg.in_process_executor,
    )
