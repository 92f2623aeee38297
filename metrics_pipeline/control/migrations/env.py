"""Alembic environment. The application hands in its connection; the `alembic` command opens one from the settings."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from metrics_pipeline.control.models import Base


def run(connection: Connection) -> None:
    """Apply the revisions on this connection; batch mode because SQLite cannot alter a column in place."""
    context.configure(
        connection=connection, target_metadata=Base.metadata, render_as_batch=connection.dialect.name == "sqlite"
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if isinstance(given, Connection):
    run(given)
else:
    from metrics_pipeline.control.database import control_engine, writing_connection
    from metrics_pipeline.settings import load_settings

    with writing_connection(control_engine(load_settings())) as opened:
        run(opened)
