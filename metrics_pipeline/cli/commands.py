"""The list of commands: each group is one module with a `register(app)` function."""

from __future__ import annotations

import typer

from metrics_pipeline.cli import accounts, credentials, imports, sandbox, workspaces


def register(app: typer.Typer) -> None:
    """Attach every command group to the application."""
    workspaces.register(app)
    accounts.register(app)
    credentials.register(app)
    imports.register(app)
    sandbox.register(app)
