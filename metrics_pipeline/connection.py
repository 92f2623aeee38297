"""A DuckDB connection with every table and view attached: for the command line and for notebooks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb

from metrics_pipeline.aggregation.as_of import AsOfStatements
from metrics_pipeline.aggregation.as_of_functions import (
    KEPT,
    METRIC_TABLES,
    Known,
    define_functions,
    define_report,
    show_known_numbers,
    show_known_readings,
)
from metrics_pipeline.application.lake_tables import open_lake
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.catalog.relations import cadence_relation, catalog_relations
from metrics_pipeline.job_relation import JobRuns
from metrics_pipeline.lake.connect import SQL_DIR, attach_table, connect_duckdb, names_in, read_statement
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.spill import spill_directory
from metrics_pipeline.pipeline_start import PipelineStart, pipeline_start
from metrics_pipeline.settings import Settings, load_settings

READ_AS_OF = (*KEPT, "content")
"""The tables that earlier states of the numbers are computed from."""
VIEWS: tuple[str, ...] = tuple(sorted(path.stem for path in (SQL_DIR / "views").glob("*.sql")))


@dataclass(frozen=True)
class AsOf:
    """An earlier instant, and the days whose numbers are wanted (first, end); None is all of them.

    instant: a day, which stands for its end, or an instant in ISO form. option: what an error calls it.
    """

    instant: str
    first: date | None = None
    end: date | None = None
    option: str = "as_of"


def connect(
    data_dir: str | Path | None = None, as_of: AsOf | str | None = None, *, functions: bool = True
) -> duckdb.DuckDBPyConnection:
    """All tables and views as they are now, ready for SQL: `connect().sql("from account_daily").df()`.

    With them `job_runs`, the jobs log of the control database, and the functions of docs/as_of.md.

    The connection lives in memory: what it creates is its own, and the lake cannot be changed through it. It
    reads the versions that were current when it was made; connect again to see newer ones.

    Args:
        data_dir: where the embedded stores live; default METRICS_DATA_DIR, else ./data.
        as_of: with it, readings, days, weeks, months and the views over them are those known at that instant, and
            what has no such past is not there.
        functions: whether the functions are wanted; making them takes half a second.

    Raises:
        UserError: a setting cannot be used, the lake cannot be opened, or as_of is no instant that has numbers.
    """
    settings = load_settings(data_dir=Path(data_dir) if data_dir is not None else None)
    lake = open_lake(settings)
    if as_of is not None:
        return attach_known(
            lake, settings, pipeline_start(settings, fix=False), AsOf(as_of) if isinstance(as_of, str) else as_of
        )
    connection = attach_all(lake, settings)
    if functions:
        attach_functions(connection, lake, settings, pipeline_start(settings, fix=False))
    connection.register("job_runs", JobRuns(settings))
    return connection


def attach_all(lake: Lake, settings: Settings | None = None) -> duckdb.DuckDBPyConnection:
    """A connection with every table, view and catalogue relation of a lake; default settings where none are given."""
    connection = _catalogued(lake, settings)
    for spec in lake.tables.values():
        attach_table(connection, spec, lake.table(spec.name))
    for view in VIEWS:
        connection.execute(f'create view "{view}" as {read_statement(f"views/{view}.sql")}')
    return connection


def attach_functions(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    settings: Settings,
    start: PipelineStart,
    latest: datetime | None = None,
) -> None:
    """The functions of what was known at an instant, up to `latest` (now)."""
    now = settings.clock.now()
    attach_cadence(connection, settings)
    statements = as_of_statements(lake, settings, start, now)
    define_functions(connection, statements, Known(start, latest or now))
    if latest is None:  # what came later is not there to be compared
        define_report(connection, statements)


def as_of_statements(lake: Lake, settings: Settings, start: PipelineStart, now: datetime) -> AsOfStatements:
    """The statements of earlier numbers of a lake as it is now."""
    return AsOfStatements(settings, start, now, lake.tables, bool(lake.file_uris("events")))


def attach_cadence(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """The relation `reading_cadence`, which says how often is planned to be read."""
    for name, relation in cadence_relation(catalog(), settings.cadence).items():
        connection.register(name, relation)


def attach_known(lake: Lake, settings: Settings, start: PipelineStart, as_of: AsOf) -> duckdb.DuckDBPyConnection:
    """A connection in which tables and views are what was known at an instant.

    Tables of which only the present is known are not there, nor are the views that read them.

    Raises:
        UserError: as_of is no instant that has numbers.
    """
    at = Known(start, settings.clock.now()).instant(as_of.instant, as_of.option)
    connection = _catalogued(lake, settings)
    for name in KEPT:
        attach_table(connection, lake.tables[name], lake.table(name), name=f"stored_{name}")
    show_known_readings(connection, at)
    content = lake.tables["content"]
    attach_table(connection, content, lake.table(content.name))
    attach_functions(connection, lake, settings, start, at)
    show_known_numbers(connection, at, as_of.first, as_of.end)
    gone = lake.tables.keys() - {*KEPT, *METRIC_TABLES, "content"}
    for view in VIEWS:
        statement = read_statement(f"views/{view}.sql")
        if not names_in(statement, gone):
            connection.execute(f'create view "{view}" as {statement}')
    return connection


def _catalogued(lake: Lake, settings: Settings | None) -> duckdb.DuckDBPyConnection:
    connection = connect_duckdb(spill_directory(lake.location))
    if settings is not None:
        minimum = settings.area_minimum_viewers
        connection.execute(f"create or replace macro area_minimum_viewers() as {minimum:d}")
    for name, relation in catalog_relations(catalog()).items():
        connection.register(name, relation)
    return connection
