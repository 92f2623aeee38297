"""The list of commands: each group is one module with a `register(app)` function."""

from __future__ import annotations

import typer

from metrics_pipeline.cli import (
    accounts,
    api,
    backfill,
    changes,
    collect,
    credentials,
    custom_periods,
    demo,
    dev,
    doctor,
    erasures,
    imports,
    jobs,
    keys,
    maintain,
    metrics,
    plan,
    principals,
    replay,
    restatements,
    sandbox,
    sandbox_database,
    sandbox_statuses,
    sql,
    status,
    teams,
    workspaces,
)


def register(app: typer.Typer) -> None:
    """Attach every command group to the application."""
    demo.register(app)
    dev.register(app)
    api.register(app)
    sql.register(app)
    restatements.register(app)
    backfill.register(app)
    collect.register(app)
    workspaces.register(app)
    accounts.register(app)
    credentials.register(app)
    principals.register(app)
    teams.register(app)
    keys.register(app)
    custom_periods.register(app)
    status.register(app)
    jobs.register(app)
    metrics.register(app)
    changes.register(app)
    plan.register(app)
    doctor.register(app)
    maintain.register(app)
    imports.register(app)
    erasures.register(app)
    replay.register(app)
    sandbox.register(app)
    sandbox_database.register(app)
    sandbox_statuses.register(app)
