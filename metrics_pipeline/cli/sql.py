"""`metrics-pipeline sql`: read every table and view."""

from __future__ import annotations

import csv
import json
import math
import re
import sys
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from metrics_pipeline.cli.app import DataDir, err, out, use_data_dir
from metrics_pipeline.cli.arguments import parse_day
from metrics_pipeline.errors import UserError

if TYPE_CHECKING:
    import duckdb

    from metrics_pipeline.connection import AsOf

_EXPLAIN = re.compile(r"^\s*explain(\s+analyze)?\b", re.IGNORECASE)
_FUNCTION = re.compile(r"_as_of\b|\brestatements\b", re.IGNORECASE)
_ONLY_KNOWN = "With --as-of only what has a past can be read: SHOW TABLES lists it."
PROMPT, CONTINUED = "metrics> ", "    ...> "


class SqlFormat(StrEnum):
    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def register(app: typer.Typer) -> None:
    app.command("sql")(sql)


def sql(
    query: Annotated[str | None, typer.Argument(help="One statement; without it, read from standard input.")] = None,
    output: Annotated[SqlFormat, typer.Option("--format", help="json is an array of row objects.")] = SqlFormat.TABLE,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", help="Show what was known then: 2026-10-01 (the end of that day, UTC) or an instant."),
    ] = None,
    first: Annotated[
        str | None, typer.Option("--from", help="With --as-of: compute no earlier day; saves time on long histories.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="With --as-of: the day after the last one.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Query all tables and views with SQL (DuckDB), read-only. SHOW TABLES lists them."""
    use_data_dir(data_dir)
    known = _known(as_of, first, end)
    is_talk = query is None and sys.stdin.isatty()
    if query is None and not is_talk:
        query = sys.stdin.read()
    from metrics_pipeline.connection import connect

    connection = connect(as_of=known, functions=query is None or bool(_FUNCTION.search(query)))
    if query is None:
        _interactive(connection, output)
        return
    try:
        answer(connection, query, output)
    except UserError as error:
        if known is not None and "does not exist" in str(error):
            raise UserError(f"{error}\n{_ONLY_KNOWN}") from None
        raise


def _known(as_of: str | None, first: str | None, end: str | None) -> AsOf | None:
    if as_of is None:
        if first is not None or end is not None:
            raise UserError("--from and --to belong to --as-of; without it, say in the query which days you want.")
        return None
    from metrics_pipeline.connection import AsOf

    start = parse_day(first, "--from") if first is not None else None
    stop = parse_day(end, "--to") if end is not None else None
    if start is not None and stop is not None and stop <= start:
        raise UserError(f"--to {stop} must lie after --from {start}: the end is not included.")
    return AsOf(as_of, start, stop, "--as-of")


def answer(connection: duckdb.DuckDBPyConnection, query: str, output: SqlFormat) -> None:
    """Run one reading statement and print its rows.

    Raises:
        UserError: the statement is malformed, is not one, or would change something.
    """
    import duckdb

    try:
        # EXPLAIN ANALYZE runs what it explains, so that has to be a query too
        statements = connection.extract_statements(_EXPLAIN.sub("", query))
        if len(statements) != 1:
            raise UserError("Give one SQL statement." if statements else "The query is empty.")
        kind = str(statements[0].type).rsplit(".", 1)[-1]
        if kind != "SELECT":
            raise UserError(f"This connection only reads: {kind} statements are refused.")
        rows = connection.sql(query)
        columns, values = list(rows.columns), rows.fetchall()
    except duckdb.Error as error:
        raise UserError(str(error).strip()) from None
    print_answer(columns, values, output)


def print_answer(columns: list[str], rows: list[tuple[object, ...]], output: SqlFormat) -> None:
    """Print rows in one of the formats; JSON is always an array."""
    if output is SqlFormat.JSON:
        objects = [dict(zip(columns, map(_plain, row), strict=True)) for row in rows]
        sys.stdout.write(json.dumps(objects, ensure_ascii=False, default=str) + "\n")
    elif output is SqlFormat.CSV:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([["" if v is None else _plain(v) for v in row] for row in rows])
    else:
        _table(columns, rows)


def _table(columns: list[str], rows: list[tuple[object, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    numeric = [all(isinstance(row[n], int | float | None) for row in rows) for n in range(len(columns))]
    for name, is_number in zip(columns, numeric, strict=True):
        table.add_column(name, justify="right" if is_number and rows else "left", overflow="fold")
    for row in rows:
        table.add_row(*("" if v is None else _shown(v).replace("[", "\\[") for v in row))
    console = out if out.is_terminal else Console(width=10_000, highlight=False)
    console.print(table, soft_wrap=False)
    if not rows:
        err.print("no rows")


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"
    return str(_plain(value))


def _plain(value: object) -> object:
    """A value as JSON can hold it: dates in ISO form, no NaN and no infinity."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value


def _interactive(connection: duckdb.DuckDBPyConnection, output: SqlFormat) -> None:
    import readline  # noqa: F401 - gives input() its history and editing

    out.print("Tables and views: SHOW TABLES; columns: DESCRIBE name. A statement ends with ;  Leave with Ctrl-D.")
    pending = ""
    while True:
        try:
            pending += input(CONTINUED if pending else PROMPT) + "\n"
        except KeyboardInterrupt:
            pending = ""
            out.print()
            continue
        except EOFError:
            out.print()
            return
        if pending.strip().lower().rstrip(";").strip() in {"exit", "quit", ".exit", ".quit"}:
            return
        if pending.rstrip().endswith(";"):
            try:
                answer(connection, pending, output)
            except UserError as error:
                err.print(f"error: {error}", markup=False)
            pending = ""
