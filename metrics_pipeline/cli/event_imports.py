"""What follows an import of events, and taking one back."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from metrics_pipeline.cli.app import err, out

if TYPE_CHECKING:
    from metrics_pipeline.pipeline import Pipeline


def revert_import_of_events(pipeline: Pipeline, import_id: str, *, no_build: bool) -> None:
    """Take an import of events back, say what became of it, and count without it."""
    from metrics_pipeline.cli.import_report import plural
    from metrics_pipeline.imports.revert_events import revert_events

    done = revert_events(pipeline, import_id)
    refused = f", and {plural(done.refused, 'refused row')}" if done.refused else ""
    out.print(
        f"Reverted {import_id}: {plural(done.rows, 'event')} of {done.record.file_name} on "
        f"{plural(len(done.days), 'day')} deleted{refused}.",
        markup=False,
    )
    for other in done.also_in:
        out.print(
            f"Import {other.import_id} ({other.file_name}) had events that were known then and may be gone now; "
            f"to have them back: metrics-pipeline import events {other.file_name}",
            markup=False,
        )
    count_events(pipeline, no_build=no_build)


def count_events(pipeline: Pipeline, *, no_build: bool) -> None:
    """Count the hours whose events changed; days follow within the hour where the daemon runs."""
    from metrics_pipeline.cli.import_report import plural
    from metrics_pipeline.content_flow import ContentFlow

    if no_build:
        return
    with err.status("Counting") if err.is_terminal else nullcontext():
        flow = ContentFlow(pipeline)
        flow.drain()
        refreshed = flow.refresh()
    out.print(
        f"{plural(len(refreshed.hours), 'hour')} rebuilt, {plural(refreshed.items, 'content item')}.", markup=False
    )
