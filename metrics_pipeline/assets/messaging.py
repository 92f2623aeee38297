"""The present state of campaigns and contacts, built after the days it rests on."""

from collections.abc import Callable, Sequence

import dagster as dg

from metrics_pipeline.aggregation.messaging import MessagingStateBuilder
from metrics_pipeline.assets.aggregates import DAILY_KEYS
from metrics_pipeline.assets.application_keys import application_deps
from metrics_pipeline.assets.describe import table_metadata
from metrics_pipeline.catalog.application import ApplicationTable
from metrics_pipeline.lake.messaging_tables import CAMPAIGN_METRICS, CONTACT_METRICS
from metrics_pipeline.lake.table_spec import TableSpec
from metrics_pipeline.pipeline import Pipeline

CAMPAIGN_METRICS_KEY = dg.AssetKey(["campaign_metrics"])
CONTACT_METRICS_KEY = dg.AssetKey(["contact_metrics"])


def messaging_assets(application_tables: Sequence[ApplicationTable]) -> list[dg.AssetsDefinition]:
    """The two tables of state; without an application database they are empty."""
    campaigns = application_deps(application_tables, ("campaigns",), by_day=False)
    contacts = application_deps(application_tables, ("messages", "contacts"), by_day=False)
    return [
        _state_asset(
            CAMPAIGN_METRICS_KEY,
            CAMPAIGN_METRICS,
            [dg.AssetDep(DAILY_KEYS["campaign"]), *campaigns],
            lambda pipeline: MessagingStateBuilder(pipeline.engine, pipeline.settings).campaigns(
                pipeline.settings.clock.now()
            ),
        ),
        _state_asset(
            CONTACT_METRICS_KEY,
            CONTACT_METRICS,
            # of the days of workspaces only, that it comes after them
            [dg.AssetDep(DAILY_KEYS["workspace"]), *contacts],
            lambda pipeline: MessagingStateBuilder(pipeline.engine, pipeline.settings).contacts(
                pipeline.settings.clock.now()
            ),
        ),
    ]


def _state_asset(
    key: dg.AssetKey, table: TableSpec, deps: Sequence[dg.AssetDep], build: Callable[[Pipeline], int]
) -> dg.AssetsDefinition:
    @dg.asset(
        key=key,
        deps=deps,
        description=table.description,
        group_name="metrics",
        kinds={"sql", "duckdb", "deltalake"},
        owners=["team:metrics"],
        metadata=table_metadata(table),
    )
    def state(pipeline: dg.ResourceParam[Pipeline]) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads the bare name
        return dg.MaterializeResult(metadata={"rows": build(pipeline)})

    return state
