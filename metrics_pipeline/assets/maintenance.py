"""Lake maintenance as a Dagster job."""

import dagster as dg

from metrics_pipeline.automation.jobs import MAINTENANCE
from metrics_pipeline.lake.maintenance import maintain
from metrics_pipeline.pipeline import Pipeline


@dg.op(description="Expires raw responses, compacts small files, removes superseded ones.")
def maintain_lake(context: dg.OpExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> None:
    settings = pipeline.settings
    for done in maintain(
        pipeline.lake,
        settings.clock.now().date(),
        keep_responses_days=settings.api_responses_days,
        vacuum_hours=settings.vacuum_hours,
    ):
        context.log.info(str(done))


@dg.job(name=MAINTENANCE, description="Keeps the lake small and fast.")
def maintenance_job() -> None:
    maintain_lake()
