"""`metrics-pipeline status`: what is stale, incomplete or failing, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from metrics_pipeline.cli.app import DataDir, out, use_data_dir
from metrics_pipeline.cli.tables import Format, ListFormat, print_rows
from metrics_pipeline.settings import load_settings


def register(app: typer.Typer) -> None:
    app.command("status")(status)


def status(
    days: Annotated[int, typer.Option(help="How many days back to look.", min=1)] = 7,
    output: Format = ListFormat.TABLE,
    data_dir: DataDir = None,
) -> None:
    """Show per account when it was last read, what is missing since then, and the reason, and which jobs fail."""
    use_data_dir(data_dir)
    settings = load_settings()

    from metrics_pipeline.pipeline import Pipeline
    from metrics_pipeline.planning import hold_lines
    from metrics_pipeline.status import account_states, failing_jobs, problem_lines

    pipeline = Pipeline(settings)
    rows = account_states(pipeline, days)
    empty = "No accounts yet. Add one with: metrics-pipeline account add"
    print_rows([row.shown() for row in rows], output, empty=empty)
    if output is ListFormat.TABLE:
        problems = failing_jobs(pipeline, days) + (problem_lines(pipeline, days) if rows else [])
        if rows or problems:
            out.print()
            for line in hold_lines(pipeline) + (problems or ["Nothing failed and nothing is refused."]):
                out.print(line, markup=False)
