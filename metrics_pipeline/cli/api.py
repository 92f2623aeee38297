"""`metrics-pipeline api`: the HTTP interface in the foreground."""

from __future__ import annotations

from typing import Annotated

import typer

from metrics_pipeline.cli.app import DataDir, out, use_data_dir
from metrics_pipeline.settings import load_settings


def register(app: typer.Typer) -> None:
    """Attach the command."""
    app.command("api")(api)


def api(
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port to listen on.")] = 8000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes on the port; several need Redis and Postgres.")
    ] = 1,
    data_dir: DataDir = None,
) -> None:
    """Serve the HTTP interface until Ctrl-C; events under way are stored before it ends."""
    from metrics_pipeline.api.operations.workers import check_shared_stores
    from metrics_pipeline.api.server import serve

    use_data_dir(data_dir)
    settings = load_settings()
    if workers > 1:
        check_shared_stores(settings)
    out.print(
        f"API: http://{host}:{port}/v1   described at http://{host}:{port}/docs   (Ctrl-C stops it)", markup=False
    )
    serve(settings, host, port, workers)
    out.print("API stopped.")
