"""The daily extraction from the application database: its job, its schedule, and which days it reads."""

from collections.abc import Sequence

import dagster as dg

from metrics_pipeline.assets.application import application_key
from metrics_pipeline.automation.jobs import AssetJob
from metrics_pipeline.catalog.application import ApplicationTable

EXTRACT_APPLICATION = "extract_application"


def application_jobs(tables: Sequence[ApplicationTable]) -> list[AssetJob]:
    """One run for all tables: a table that fails does not keep the others from being read."""
    return [
        dg.define_asset_job(
            EXTRACT_APPLICATION,
            selection=dg.AssetSelection.assets(*(application_key(table.name) for table in tables)),
            description="Read the declared tables of the application database.",
        )
    ]
