"""Whether Dagster would accept what this project defines."""

from __future__ import annotations

import dagster as dg

from metrics_pipeline.definitions import build_definitions
from metrics_pipeline.pipeline import Pipeline


def why_not_loadable(pipeline: Pipeline) -> str | None:
    """The first line of Dagster's complaint about the definitions; None if it takes them."""
    try:
        dg.Definitions.validate_loadable(build_definitions(pipeline))
    except dg.DagsterError as error:
        return str(error).splitlines()[0]
    return None
