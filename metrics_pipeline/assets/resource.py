"""The one Dagster resource: the pipeline's pieces, opened when a step first needs them."""

import dagster as dg

from metrics_pipeline.pipeline import Pipeline


@dg.resource(description="Lake, engine, control database and platforms, from the environment of the step's process.")
def pipeline_resource(_context: dg.InitResourceContext) -> Pipeline:
    return Pipeline.from_environment()
