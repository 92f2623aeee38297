"""The connection to the application's database: read only, in UTC, and silent about its password."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from psycopg import Connection as PostgresConnection
from psycopg import DataError
from psycopg.abc import Buffer
from psycopg.types.datetime import DateLoader, TimestampLoader, TimestamptzLoader
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import ConnectionPoolEntry

from metrics_pipeline.errors import RunFailedError, UserError
from metrics_pipeline.settings import Settings

NAME = "METRICS_APPLICATION_DATABASE_URL"
# Long enough for a database that wakes up, short enough for a person who mistyped a host.
CONNECT_TIMEOUT_SECONDS = 10
DRIVERS = {
    "sqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}


def application_engine(settings: Settings) -> Engine:
    """An engine on the application's database; nothing is connected yet.

    Raises:
        UserError: no URL is set, or it cannot be used; the message never holds it.
    """
    if settings.application_database_url is None:
        raise UserError(
            f"No application database is connected: set {NAME}, such as postgresql://user:password@host/db."
        )
    url = _url(settings.application_database_url.get_secret_value())
    backend = url.get_backend_name()
    if backend == "sqlite":
        engine = create_engine(_sqlite_url(url), poolclass=NullPool, hide_parameters=True)
        event.listen(engine, "connect", _prepare_sqlite)
        return engine
    timeout = {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_TIMEOUT_SECONDS}
    engine = create_engine(url, connect_args=timeout, poolclass=NullPool, hide_parameters=True)
    event.listen(engine, "connect", _prepare_postgres if backend == "postgresql" else _prepare_mysql)
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that cannot write; on servers all of its statements see one state of the database.

    Raises:
        RunFailedError: the database does not answer, or refuses; the message never holds the password.
    """
    options: dict[str, object] = {}
    if engine.dialect.name != "sqlite":
        options["isolation_level"] = "REPEATABLE READ"
    if engine.dialect.name == "postgresql":
        options["postgresql_readonly"] = True
    try:
        with engine.connect() as connection:
            yield connection.execution_options(**options)
    except DBAPIError as error:
        raise RunFailedError(_refused(engine.url, error)) from None


def _url(text: str) -> URL:
    try:
        url = make_url(text)
        driver = DRIVERS.get(url.drivername.partition("+")[0])
    except (ArgumentError, ValueError):  # ValueError: a port that is no number
        raise UserError(f"{NAME} is no database URL; write postgresql://user:password@host:5432/database.") from None
    if driver is None:
        raise UserError(f"{NAME} has to begin with sqlite:///, postgresql:// or mysql://.")
    url = url.set(drivername=driver)
    try:
        url.get_dialect()
    except NoSuchModuleError:  # pragma: no cover - all of them come with the package
        raise UserError(f"{NAME}: there is no driver for {driver}.") from None
    return url


def _sqlite_url(url: URL) -> URL:
    """The URL that opens the file for reading only, and never makes one."""
    if url.database in (None, "", ":memory:"):
        raise UserError(f"{NAME} names no SQLite file; write sqlite:////absolute/path/application.db.")
    file = Path(str(url.database)).absolute()
    if not file.is_file():
        raise UserError(f"{NAME}: there is no SQLite file {file}.")
    return URL.create("sqlite", database=f"file:{quote(str(file))}", query={"mode": "ro", "uri": "true"})


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    assert isinstance(connection, sqlite3.Connection)  # noqa: S101 - for the type checker; the engine is SQLite's
    connection.text_factory = _text_or_bytes


def _text_or_bytes(value: bytes) -> str | bytes:
    """A text that is not in UTF-8 is one bad value, not the end of the page it stands on."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


class _Date(DateLoader):
    def load(self, data: Buffer) -> object:  # type: ignore[override]  # text where there is no such day in Python
        return _value_or_text(super().load, data)


class _Timestamp(TimestampLoader):
    def load(self, data: Buffer) -> object:  # type: ignore[override]
        return _value_or_text(super().load, data)


class _Timestamptz(TimestamptzLoader):
    def load(self, data: Buffer) -> object:  # type: ignore[override]
        return _value_or_text(super().load, data)


def _value_or_text(load: object, data: Buffer) -> object:
    """`infinity` and years after 9999 are one bad value, not the end of the page."""
    try:
        return load(data)  # type: ignore[operator]
    except DataError:
        return bytes(data).decode()


def _prepare_postgres(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    assert isinstance(connection, PostgresConnection)  # noqa: S101 - for the type checker
    for name, loader in (("date", _Date), ("timestamp", _Timestamp), ("timestamptz", _Timestamptz)):
        connection.adapters.register_loader(name, loader)
    with connection.cursor() as cursor:
        cursor.execute("set time zone 'UTC'")
    connection.commit()


def _prepare_mysql(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    try:
        cursor.execute("set session time_zone = '+00:00'")
        cursor.execute("set session transaction read only")
    finally:
        cursor.close()


def _refused(url: URL, error: DBAPIError) -> str:
    """One sentence on what the driver said, without the password should it have repeated it."""
    lines = str(error.orig).strip().splitlines() or [type(error.orig).__name__]
    reason = lines[0].rstrip(".")
    for secret in (url.password, url.query.get("password")):
        if isinstance(secret, str) and secret:
            reason = reason.replace(secret, "***")
    return f"The application database cannot be read: {reason}; check {NAME}."
