"""DuckDB connections for these tests: one with guards as strict as a metric is run with, over rows of odd values."""

from __future__ import annotations

import random
from collections.abc import Sequence

import duckdb

from metrics_pipeline.custom_metrics.formulas.datatypes import SQL_TYPES
from metrics_pipeline_tests.custom_metrics.formulas.trees import COLUMNS, DAYS, INSTANTS, INTEGERS, TEXTS, Row, Value

MILLISECONDS = 2_000


def guarded(secret: str = "") -> duckdb.DuckDBPyConnection:
    """A database with the rows in `data`, another table that nobody may see, and all guards on."""
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("create table other_workspace as select $1::varchar as secret", [secret])
    columns = ", ".join(f'"{name}" {SQL_TYPES[kind]}' for name, kind in COLUMNS.items())
    connection.execute(f"create table data ({columns})")
    rows = random_rows(random.Random(4), 20)
    marks = ", ".join("?" * len(COLUMNS))
    connection.executemany(f"insert into data values ({marks})", [list(row.values()) for row in rows])
    for setting in (
        "allowed_paths = []",
        "enable_external_access = false",
        "python_enable_replacements = false",
        f"max_execution_time = {MILLISECONDS}",
        "memory_limit = '100MB'",
        "max_temp_directory_size = '0GB'",
        "lock_configuration = true",
    ):
        connection.execute(f"set {setting}")
    return connection


def stored_rows(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    found = connection.execute("from data").fetchall()
    return [dict(zip(COLUMNS, row, strict=True)) for row in found]


def random_rows(pick: random.Random, count: int) -> Sequence[dict[str, Value]]:
    odd: dict[str, list[Value]] = {
        "integer": [*INTEGERS, -1, -5, -(2**63), 12345, 50],
        "number": [0.0, -0.0, 1.5, -2.5, 1e308, -1e308, 5e-324, float("inf"), float("-inf"), float("nan"), 3.0, 0.1],
        "string": list(TEXTS),
        "boolean": [True, False],
        "date": list(DAYS),
        "timestamp": list(INSTANTS),
    }
    return [
        {name: None if pick.random() < 0.15 else pick.choice(odd[kind]) for name, kind in COLUMNS.items()}
        for _ in range(count)
    ]
