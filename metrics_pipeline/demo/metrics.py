"""The metrics that a user of the demo has defined: those that come with the package, for the first company."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metrics_pipeline.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Sequence

OWNER = "acme"
"""The workspace whose application the sample database is: its orders, licences and assets name no workspace."""


def define_metrics(pipeline: Pipeline) -> Sequence[str]:
    """Define the examples; what is defined already stays as it is. Returns their names."""
    from metrics_pipeline.custom_metrics.documents import example_files, read_definitions
    from metrics_pipeline.custom_metrics.flow import CustomMetricFlow
    from metrics_pipeline.custom_metrics.registry.actors import cli_actor

    documents = [document for file in example_files().values() for document in read_definitions(file.read_text())]
    changed = CustomMetricFlow(pipeline).registry.create_all(cli_actor(OWNER), documents)
    return [change.record.name for change in changed]
