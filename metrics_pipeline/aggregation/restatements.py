"""The restatement report: which numbers changed between two instants, by how much, and who brought the change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

import duckdb

from metrics_pipeline.aggregation.as_of import AsOfStatements, chained, literal
from metrics_pipeline.aggregation.as_of_functions import earliest_change
from metrics_pipeline.lake.connect import read_statement

Grain = Literal["day", "week", "month"]
Row = dict[str, object]


@dataclass(frozen=True)
class Wanted:
    """Which numbers are asked about; None is all. Periods count that overlap [first, end)."""

    first: date | None = None
    end: date | None = None
    workspace: str | None = None
    account: str | None = None
    metric: str | None = None
    grain: Grain | None = None


@dataclass(frozen=True)
class Report:
    """rows: the changed numbers, the largest relative change first, cut to a limit.

    changed, of: how many numbers changed, of how many that were compared. median, largest: of the absolute relative
    changes, None where none has one. compared_from: the first day about which anything was learnt, None for nothing.
    """

    rows: Sequence[Row]
    changed: int
    of: int
    restated: int
    late: int
    withdrawn: int
    median: float | None
    largest: float | None
    compared_from: date | None


def report(
    connection: duckdb.DuckDBPyConnection,
    statements: AsOfStatements,
    since: datetime,
    until: datetime,
    wanted: Wanted,
    limit: int,
) -> Report:
    """Compare what was known at two instants, of the days about which something was learnt in between.

    The connection has all lake tables, the catalogue's relations and `reading_cadence` under their names.
    """
    learnt = earliest_change(connection, since, until, statements.settings.view_max_hours)
    if learnt is None:
        return Report([], 0, 0, 0, 0, 0, None, None, None)
    first = max(learnt, statements.first_day, *([wanted.first] if wanted.first else []))
    end = min(since.date(), *([wanted.end] if wanted.end else [since.date()]))
    if first >= end:
        return Report([], 0, 0, 0, 0, 0, None, None, learnt)
    span = literal(since), literal(until), literal(first), literal(end)
    compared = statements.compared(*span, is_narrowed=True)
    connection.execute(f"create or replace temp table numbers_compared as {compared}", {"workspace": wanted.workspace})
    asked = {"account": wanted.account, "metric": wanted.metric, "grain": wanted.grain}
    figures = connection.execute(read_statement("as_of/figures.sql"), asked).fetchall()[0]
    changed, of, restated, late, withdrawn, median, largest = figures
    changes = statements.restatements(*span, compared="numbers_compared")
    rows = connection.execute(
        chained([("changes", changes)], read_statement("as_of/asked_changes.sql")), {**asked, "limit": limit}
    )
    names = [column[0] for column in rows.description]
    found = [dict(zip(names, row, strict=True)) for row in rows.fetchall()]
    return Report(found, changed, of, restated, late, withdrawn, median, largest, learnt)
