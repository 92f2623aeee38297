"""The one Dagster resource: the pipeline's pieces, opened when a step first needs them."""

from collections.abc import Iterator

import dagster as dg

from metrics_pipeline.lake.changes import writing_as
from metrics_pipeline.pipeline import Pipeline

_DESCRIPTION = "Lake, engine, control database and platforms; what is written with it names the run."


def pipeline_resource(fixed: Pipeline | None = None) -> dg.ResourceDefinition:
    """A pipeline from the environment of the step's process, or this very one."""

    @dg.resource(description=_DESCRIPTION)
    def pipeline(context: dg.InitResourceContext) -> Iterator[Pipeline]:
        opened = fixed or Pipeline.from_environment()
        if context.run is None:
            yield opened
            return
        with writing_as(context.run.run_id):
            yield opened

    return pipeline
