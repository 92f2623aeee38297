"""The one Dagster resource: the pipeline's pieces, opened when a step first needs them."""

from __future__ import annotations

import dagster as dg

from metrics_pipeline.pipeline import Pipeline


class PipelineResource(dg.ConfigurableResourceFactory[Pipeline]):
    """Settings come from the environment of the process that runs the step."""

    def create_resource(self, context: dg.InitResourceContext) -> Pipeline:
        return Pipeline.from_environment()
