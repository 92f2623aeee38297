"""The sql command: rows in three formats, reading only, one sentence for what cannot be run."""

from __future__ import annotations

import json

import pytest

from metrics_pipeline.cli.sql import SqlFormat, answer
from metrics_pipeline.errors import UserError
from metrics_pipeline.lake.connect import connect_duckdb
from metrics_pipeline_tests.cli.conftest import Run

ODD = (
    "select date '2026-01-02' as d, timestamptz '2026-01-02 03:04:05+00' as t, null as n, 'nan'::double as nan, "
    "1.5::decimal(4, 2) as m, [1, 2] as l, {'a': date '2026-01-01'} as s, 'ä,\"' as text"
)


def printed(query: str, output: SqlFormat, capsys: pytest.CaptureFixture[str]) -> str:
    answer(connect_duckdb(), query, output)
    return capsys.readouterr().out


def test_json_is_an_array_of_objects(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(printed(ODD, SqlFormat.JSON, capsys)) == [
        {
            "d": "2026-01-02",
            "t": "2026-01-02T03:04:05Z",
            "n": None,
            "nan": None,
            "m": 1.5,
            "l": [1, 2],
            "s": {"a": "2026-01-01"},
            "text": 'ä,"',
        }
    ]
    assert json.loads(printed("select 1 as a where false", SqlFormat.JSON, capsys)) == []


def test_csv_quotes_what_needs_it(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed("select 'a,b' as x, null as y, 2 as z", SqlFormat.CSV, capsys).splitlines()
    assert lines == ["x,y,z", '"a,b",,2']


def test_a_table_shows_text_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert "[bold]x[/bold]" in printed("select '[bold]x[/bold]' as v", SqlFormat.TABLE, capsys)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "empty"),
        ("select 1; select 2", "one SQL statement"),
        ("create table t (a int)", "only reads"),
        ("copy (select 1) to 'out.csv'", "only reads"),
        ("explain analyze copy (select 1) to 'out.csv'", "only reads"),
        ("set threads = 1", "only reads"),
        ("attach 'x.db'", "only reads"),
        ("selec 1", "syntax error"),
        ("select * from nowhere", "nowhere"),
    ],
)
def test_what_cannot_be_run_is_one_error(query: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        answer(connect_duckdb(), query, SqlFormat.TABLE)


@pytest.mark.parametrize("query", ["show tables", "describe daily_metrics", "explain select 1", "from account_daily"])
def test_every_way_of_reading_works_on_an_empty_lake(run: Run, query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import io
    import sys

    monkeypatch.setattr(sys, "stdin", io.StringIO(query))
    assert run("sql", stdin=query) is not None


def test_tables_and_views_are_all_there(run: Run) -> None:
    listed = json.loads(run("sql --format json", stdin="select table_name from information_schema.tables"))
    names = {row["table_name"] for row in listed}
    assert {"daily_metrics", "weekly_metrics", "account_daily", "weekly_growth", "metric_catalog"} <= names
