"""`metrics-pipeline jobs`: what ran, for how long, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from metrics_pipeline.cli.app import DataDir, use_data_dir
from metrics_pipeline.cli.tables import Format, ListFormat, print_rows
from metrics_pipeline.errors import UserError
from metrics_pipeline.settings import load_settings

if TYPE_CHECKING:
    from metrics_pipeline.control.job_runs import JobRunRecord


def register(app: typer.Typer) -> None:
    app.command("jobs")(jobs)


def jobs(
    job: Annotated[str | None, typer.Option(help="Only this job, such as daily_close.")] = None,
    state: Annotated[
        str | None, typer.Option(help="Only runs that are RUNNING, COMPLETED, PARTIAL, FAILED or CANCELED.")
    ] = None,
    limit: Annotated[int, typer.Option(help="How many runs, newest first.", min=1)] = 20,
    output: Format = ListFormat.TABLE,
    data_dir: DataDir = None,
) -> None:
    """Show the jobs log: every run with its times, rows, accounts and first error."""
    use_data_dir(data_dir)
    settings = load_settings()

    from metrics_pipeline.automation.dead_runs import close_dead
    from metrics_pipeline.control.job_runs import JOB_STATES, list_runs
    from metrics_pipeline.pipeline import Pipeline

    wanted = state.upper() if state is not None else None
    if wanted is not None and wanted not in JOB_STATES:
        raise UserError(f"--state {state!r} is none; there are {', '.join(JOB_STATES)}.")
    pipeline = Pipeline(settings)
    close_dead(pipeline)
    runs = list_runs(pipeline.control, job=job, state=wanted, limit=limit)
    shown = _row if output is ListFormat.TABLE else _whole_row
    print_rows([shown(run) for run in runs], output, empty="No run is in the jobs log.")


def _row(run: JobRunRecord) -> dict[str, object]:
    counted = run.accounts_ok is not None
    return {
        "started": run.started_at or run.requested_at,
        "job": run.title,
        "state": run.state,
        "seconds": None if run.seconds is None else f"{run.seconds:.1f}",
        "rows": run.rows,
        "accounts": f"{run.accounts_ok} ok, {run.accounts_failed} failed" if counted else None,
        "requested_by": run.requested_by,
        "error": run.error,
        "run": run.run_id,
    }


def _whole_row(run: JobRunRecord) -> dict[str, object]:
    from metrics_pipeline.job_relation import COLUMNS

    row = {name: getattr(run, name) for name in COLUMNS}
    return {**row, "assets": list(run.assets)}
