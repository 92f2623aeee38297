"""Which schema the control database has, and bringing it to this version's."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import cast

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import OperationalError

from metrics_pipeline.errors import UserError
from metrics_pipeline.sqlite_wal import use_wal

# Known here so that an up-to-date database costs one query and no import of Alembic (0.2 s); a test compares it.
HEAD_REVISION = "0009"
MIGRATIONS = Path(__file__).parent / "migrations"
# Any fixed number: processes that migrate the same Postgres database queue for it.
ADVISORY_LOCK = 7_041_776_213
# Switching to WAL needs the file alone and does not wait by itself; creation by others takes well under a second.
WAL_PATIENCE_SECONDS = 30.0


def ensure_schema(engine: Engine) -> None:
    """Migrate to HEAD_REVISION if the database is not there yet.

    Raises:
        UserError: the schema is of a newer version than this code.
        DBAPIError: the database does not answer or cannot be written.
    """
    with engine.connect() as connection:
        if current_revision(connection) == HEAD_REVISION:
            return
    if engine.dialect.name == "sqlite":
        _use_wal(engine)
    with engine.execution_options(sqlite_begin="BEGIN IMMEDIATE").begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        # Asked again under the lock: another process may have migrated meanwhile.
        revision = current_revision(connection)
        if revision != HEAD_REVISION:
            _migrate(connection, revision)


def current_revision(connection: Connection) -> str | None:
    """The revision the database is at, or None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("select version_num from alembic_version")).scalar()
    return revision


def _migrate(connection: Connection, revision: str | None) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise UserError(
            f"The control database has schema {revision}, made by a newer version; update metrics-pipeline to use it."
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _use_wal(engine: Engine) -> None:
    raw = engine.raw_connection()
    try:
        use_wal(cast(sqlite3.Connection, raw.dbapi_connection), WAL_PATIENCE_SECONDS)
    except sqlite3.OperationalError as error:
        raise OperationalError("pragma journal_mode = wal", None, error) from None
    finally:
        raw.close()
