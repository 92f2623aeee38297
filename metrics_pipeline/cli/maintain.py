"""`metrics-pipeline maintain`: keep the lake small and fast."""

from __future__ import annotations

import typer

from metrics_pipeline.cli.app import DataDir, err, out, use_data_dir
from metrics_pipeline.settings import load_settings


def register(app: typer.Typer) -> None:
    app.command("maintain")(maintain)


def maintain(data_dir: DataDir = None) -> None:
    """Expire what is old (retention is a setting), compact small files, remove superseded ones, cut the jobs log."""
    use_data_dir(data_dir)
    settings = load_settings()

    from metrics_pipeline.application.lake_tables import open_lake
    from metrics_pipeline.automation.dead_runs import close_dead, forget_old
    from metrics_pipeline.cli.progress import steps_bar
    from metrics_pipeline.content_flow import ContentFlow
    from metrics_pipeline.lake.maintenance import Retention, maintain_table
    from metrics_pipeline.pipeline import Pipeline

    pipeline = Pipeline(settings)
    adopted = ContentFlow(pipeline).adopt_statuses()
    lake, today = open_lake(settings), settings.clock.now().date()
    retention = Retention(settings.api_responses_days, settings.events_days)
    done = []
    with steps_bar(err, len(lake.tables)) as advance:
        for name in lake.tables:
            done.append(advance(name, maintain_table, lake, name, today, retention, settings.vacuum_hours))
    for table in done:
        out.print(table.line(), markup=False)
    if adopted:
        out.print(f"message_statuses: {adopted} days changed by accounts added since", markup=False)
    close_dead(pipeline)
    out.print(forget_old(pipeline), markup=False)
