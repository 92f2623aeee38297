"""`metrics-pipeline doctor`: is this installation able to work?"""

from __future__ import annotations

import typer

from metrics_pipeline.cli.app import DataDir, out, use_data_dir
from metrics_pipeline.errors import RunFailedError
from metrics_pipeline.settings import load_settings


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)


def doctor(data_dir: DataDir = None) -> None:
    """Check Python, settings, stores, key ring, credentials, catalogue and Dagster's definitions."""
    use_data_dir(data_dir)
    settings = load_settings()

    from metrics_pipeline.doctor import examine
    from metrics_pipeline.pipeline import Pipeline

    failed = 0
    for finding in examine(Pipeline(settings)):
        mark = {"ok": "ok  ", "warning": "warn", "failed": "FAIL"}[finding.verdict]
        failed += finding.verdict == "failed"
        out.print(f"{mark}  {finding.subject}: {finding.text}", markup=False)
    if failed:
        raise RunFailedError(f"{failed} of the checks failed.")
