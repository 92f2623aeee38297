"""Opening the control database: SQLite in the data directory, or Postgres by METRICS_DATABASE_URL."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from metrics_pipeline.control.schema import ensure_schema
from metrics_pipeline.errors import UserError
from metrics_pipeline.settings import Settings

# A writer holds the SQLite file for milliseconds; a wait this long means a stuck process.
BUSY_TIMEOUT_SECONDS = 30
# Long enough for a database that wakes up, short enough for a person who mistyped a host.
CONNECT_TIMEOUT_SECONDS = 10
POSTGRES_DRIVERS = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}
WRITE = {"sqlite_begin": "BEGIN IMMEDIATE"}


def open_control(settings: Settings) -> Engine:
    """The control database, created and migrated to this version's schema where needed.

    Safe when several processes start at once, and a single small query when nothing is to be done.

    Raises:
        UserError: the data directory cannot be written, the URL cannot be used, the server does not answer, or
            the schema belongs to a newer version. The message never holds the password.
    """
    engine = control_engine(settings)
    try:
        ensure_schema(engine)
    except DBAPIError as error:
        engine.dispose()
        raise UserError(_unusable(engine.url, error)) from None
    return engine


def control_engine(settings: Settings) -> Engine:
    """An engine on the configured database, without looking at its schema.

    Raises:
        UserError: the data directory cannot be written or the URL cannot be used.
    """
    url = _url(settings)
    if url.get_backend_name() != "sqlite":
        timeout = {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_TIMEOUT_SECONDS}
        return create_engine(url, connect_args=timeout, pool_pre_ping=True, hide_parameters=True)
    _make_directory(Path(url.database or "").parent)
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_SECONDS}, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A session for queries only."""
    with Session(engine) as session:
        yield session


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """A session in one transaction, committed at the end.

    SQLite takes its write lock at the start: a transaction that reads first and then writes would be refused,
    not queued, when another process wrote in between.
    """
    with Session(engine.execution_options(**WRITE), expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def writing_connection(engine: Engine) -> Iterator[Connection]:
    """A plain connection in one transaction, with the same lock as `writing`."""
    with engine.execution_options(**WRITE).begin() as connection:
        yield connection


def _url(settings: Settings) -> URL:
    if settings.database_url is None:
        return URL.create("sqlite", database=str(settings.data_dir.absolute() / "control.db"))
    try:
        url = make_url(settings.database_url.get_secret_value())
    except (ArgumentError, ValueError):  # ValueError: a port that is no number
        raise UserError(
            "METRICS_DATABASE_URL is not a database URL; write postgresql://user:password@host:5432/database."
        ) from None
    url = url.set(drivername=POSTGRES_DRIVERS.get(url.drivername, url.drivername))
    if url.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        raise UserError(
            f"METRICS_DATABASE_URL names {url.drivername!r}; the control database is postgresql:// or sqlite:///file."
        )
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise UserError(
            "METRICS_DATABASE_URL names no SQLite file; several processes share it: sqlite:///path/file.db."
        )
    return url


def _make_directory(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The data directory {directory} cannot be made ({error.strerror}); name another with --data-dir."
        ) from None
    if not os.access(directory, os.W_OK | os.X_OK):
        raise UserError(f"The data directory {directory} cannot be written; name another with --data-dir.")


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    assert isinstance(connection, sqlite3.Connection)  # noqa: S101 - for the type checker; the engine is SQLite's
    connection.isolation_level = None  # the driver opens no transaction by itself; _begin_sqlite does
    connection.execute("pragma foreign_keys = on")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))


def _unusable(url: URL, error: DBAPIError) -> str:
    """One sentence on what the driver said, with the password taken out should it have repeated it."""
    lines = str(error.orig).strip().splitlines() or [type(error.orig).__name__]
    reason = lines[0].rstrip(".")
    if url.get_backend_name() == "sqlite":
        return f"The control database {url.database} cannot be used: {reason}."
    for secret in (url.password, url.query.get("password")):
        if isinstance(secret, str) and secret:
            reason = reason.replace(secret, "***")
    where = f"{url.host or url.query.get('host', 'localhost')}/{url.database}"
    return f"The control database {where} cannot be used: {reason}; check METRICS_DATABASE_URL."
