"""Statements from files, parameters by name, and a session that sees one version of everything."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from metrics_pipeline.lake.connect import SQL_DIR, connect_duckdb, read_statement
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.session import conform
from metrics_pipeline.lake.tables import DAILY_METRICS
from metrics_pipeline_tests.lake.test_lake import DAY, daily_rows, of_day

FILES = sorted(str(path.relative_to(SQL_DIR)) for path in SQL_DIR.rglob("*.sql") if path.name != "macros.sql")


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    lake = Lake(str(tmp_path / "lake"))
    lake.initialise()
    return Engine(lake)


@pytest.mark.parametrize("file", FILES)
def test_every_file_is_one_reading_statement_with_a_header(file: str) -> None:
    text = (SQL_DIR / file).read_text()
    assert text.startswith("-- "), "a header says grain, inputs and window"
    statements = connect_duckdb().extract_statements(read_statement(file))
    assert [str(s.type).rsplit(".", 1)[-1] for s in statements] == ["SELECT"]


def test_includes_are_put_in_where_they_stand() -> None:
    assert "include" not in read_statement("daily/account.sql")
    assert "series_reads as" in read_statement("daily/account.sql")


def test_parameters_a_statement_does_not_name_are_left_out(engine: Engine) -> None:
    with engine.session() as session:
        assert session.run("select $a as a", {"a": 1, "b": 2}).read_all().to_pylist() == [{"a": 1}]


def test_a_session_keeps_the_version_it_first_read(engine: Engine) -> None:
    with engine.session() as session:
        assert session.run("select count(*) as n from daily_metrics").read_all().to_pylist() == [{"n": 0}]
        engine.lake.replace("daily_metrics", of_day(DAY), lambda _: daily_rows(DAY, [1.0]))
        assert session.run("select count(*) as n from daily_metrics").read_all().to_pylist() == [{"n": 0}]
        assert session.versions == {"daily_metrics": 0}
    with engine.session() as session:
        assert session.run("select count(*) as n from daily_metrics").read_all().to_pylist() == [{"n": 1}]


def test_partition_columns_come_back_with_their_types(engine: Engine) -> None:
    engine.lake.replace("daily_metrics", of_day(DAY), lambda _: daily_rows(DAY, [1.0]))
    with engine.session() as session:
        rows = session.run("select * from daily_metrics where date >= $from", {"from": date(2026, 1, 1)}).read_all()
    assert rows.schema.names == DAILY_METRICS.schema.names
    assert rows["date"].to_pylist() == [DAY]


def test_a_build_remembers_what_it_read(engine: Engine) -> None:
    from metrics_pipeline.catalog.loader import catalog
    from metrics_pipeline.catalog.relations import catalog_relations
    from metrics_pipeline.lake.predicates import Partitions
    from metrics_pipeline.periods import months, period_relations

    engine.lake.replace("daily_metrics", of_day(DAY), lambda _: daily_rows(DAY, [1.0]))
    periods = months(DAY, date(2026, 3, 3))
    relations = {**catalog_relations(catalog()), **period_relations(periods, date(2026, 4, 1), 0)}
    rows = engine.build(
        "monthly_metrics",
        "rollups/monthly_metrics.sql",
        Partitions(between=("month_start", periods[0].start, periods[0].end)),
        {"first": periods[0].previous_start, "end": periods[0].end, "window": "P1M", "viewers_from": DAY},
        relations,
    )
    assert rows == 1
    commit = engine.lake.table("monthly_metrics").history(1)[0]
    assert commit["source.daily_metrics"] == str(engine.lake.version("daily_metrics"))


def test_a_build_that_fails_says_why_and_writes_nothing(engine: Engine) -> None:
    from metrics_pipeline.catalog.loader import catalog
    from metrics_pipeline.catalog.relations import catalog_relations
    from metrics_pipeline.lake.predicates import Partitions

    before = engine.lake.version("monthly_metrics")
    with pytest.raises(duckdb.CatalogException, match="calendar"):  # a relation that the statement reads is not given
        engine.build(
            "monthly_metrics",
            "rollups/monthly_metrics.sql",
            Partitions(between=("month_start", DAY, DAY)),
            {"first": DAY, "end": DAY, "window": "P1M", "viewers_from": DAY},
            catalog_relations(catalog()),
        )
    assert engine.lake.version("monthly_metrics") == before


def test_rows_that_lack_a_column_or_do_not_fit_are_refused() -> None:
    with pytest.raises(KeyError):
        conform(pa.table({"date": [DAY]}).to_reader(), DAILY_METRICS)
