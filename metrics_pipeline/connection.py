"""A DuckDB connection with every table and view attached: for the command line and for notebooks."""

from __future__ import annotations

from pathlib import Path

import duckdb

from metrics_pipeline.application.lake_tables import open_lake
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.catalog.relations import catalog_relations
from metrics_pipeline.job_relation import JobRuns
from metrics_pipeline.lake.connect import SQL_DIR, attach_table, connect_duckdb, read_statement
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.spill import spill_directory
from metrics_pipeline.settings import Settings, load_settings

VIEWS: tuple[str, ...] = tuple(sorted(path.stem for path in (SQL_DIR / "views").glob("*.sql")))


def connect(data_dir: str | Path | None = None) -> duckdb.DuckDBPyConnection:
    """All tables and views as they are now, ready for SQL: `connect().sql("from account_daily").df()`.

    With them `job_runs`, the jobs log of the control database.

    The connection lives in memory: what it creates is its own, and the lake cannot be changed through it. It
    reads the versions that were current when it was made; connect again to see newer ones.

    Args:
        data_dir: where the embedded stores live; default METRICS_DATA_DIR, else ./data.

    Raises:
        UserError: a setting cannot be used, or the lake cannot be opened.
    """
    settings = load_settings(data_dir=Path(data_dir) if data_dir is not None else None)
    connection = attach_all(open_lake(settings), settings)
    connection.register("job_runs", JobRuns(settings))
    return connection


def attach_all(lake: Lake, settings: Settings | None = None) -> duckdb.DuckDBPyConnection:
    """A connection with every table, view and catalogue relation of a lake; default settings where none are given."""
    connection = connect_duckdb(spill_directory(lake.location))
    if settings is not None:
        minimum = settings.area_minimum_viewers
        connection.execute(f"create or replace macro area_minimum_viewers() as {minimum:d}")
    for name, relation in catalog_relations(catalog()).items():
        connection.register(name, relation)
    for spec in lake.tables.values():
        attach_table(connection, spec, lake.table(spec.name))
    for view in VIEWS:
        connection.execute(f'create view "{view}" as {read_statement(f"views/{view}.sql")}')
    return connection
