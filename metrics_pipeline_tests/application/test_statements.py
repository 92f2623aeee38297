"""The statements as each database gets them, and the bounds of a window in each kind of time column."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy import types
from sqlalchemy.dialects import mysql

from metrics_pipeline.application.source import SourceTable
from metrics_pipeline.application.source_types import SqlType, bounds, fits, zone_of
from metrics_pipeline.catalog.application import ApplicationTable
from metrics_pipeline.windows import Window

WINDOW = Window.of_day(date(2026, 3, 29))
BERLIN = ZoneInfo("Europe/Berlin")


def local(text: str) -> datetime:
    """A time without a zone."""
    return datetime.fromisoformat(text)


def shop(zone: str = "UTC") -> ApplicationTable:
    return ApplicationTable.model_validate(
        {
            "name": "visits",
            "schema": "shop",
            "key": ["place", "number"],
            "day": "at",
            "changes": "at",
            "timezone": zone,
            "columns": {"place": "string", "number": "bigint", "at": "timestamp"},
        }
    )


def compiled(dialect: sa.Dialect, at: types.TypeEngine[datetime], zone: str = "UTC") -> tuple[str, dict[str, object]]:
    found: dict[str, SqlType] = {"place": types.String(), "number": types.BigInteger(), "at": at}
    table = SourceTable(shop(zone), dialect.name, found, (), ())
    made = table.page(WINDOW, ["a", 7], 100).compile(dialect=dialect)
    return re.sub(r"\s+", " ", str(made)), dict(made.params)


def test_a_page_for_mysql() -> None:
    statement, parameters = compiled(mysql.dialect(paramstyle="named"), mysql.DATETIME(fsp=6), "Europe/Berlin")
    assert "FROM shop.visits WHERE shop.visits.place IS NOT NULL AND shop.visits.number IS NOT NULL" in statement
    assert "shop.visits.place > :param_3 OR shop.visits.place = :param_3 AND shop.visits.number > :param_4" in statement
    assert statement.endswith("ORDER BY shop.visits.place, shop.visits.number LIMIT :param_5")
    # the clocks of Berlin are put forward on this day: it is 23 hours long there, and two more on each side
    assert list(parameters.values())[:2] == [local("2026-03-28T23:00"), local("2026-03-30T04:00")]
    assert list(parameters.values())[2:] == ["a", 7, 100]


def test_a_page_for_postgres_compares_with_the_types_that_are_there() -> None:
    statement, parameters = compiled(
        sa.make_url("postgresql+psycopg://").get_dialect()(), types.DateTime(timezone=True)
    )
    assert "::TIMESTAMP WITH TIME ZONE" in statement
    assert "::BIGINT" in statement
    assert list(parameters.values())[:2] == [WINDOW.start, WINDOW.end]


def test_mysql_keeps_instants_in_timestamp_and_local_times_in_datetime() -> None:
    assert zone_of(mysql.TIMESTAMP(), BERLIN) is UTC
    assert zone_of(mysql.DATETIME(), BERLIN) is BERLIN
    exact = bounds(WINDOW, mysql.TIMESTAMP(), "mysql", UTC)
    assert exact is not None
    assert (exact.start, exact.end) == (local("2026-03-29T00:00"), local("2026-03-30T00:00"))


@pytest.mark.parametrize(
    ("declared", "found", "is_fit"),
    [
        ("boolean", mysql.TINYINT(1), True),
        ("boolean", mysql.BIT(1), True),
        ("bigint", mysql.INTEGER(unsigned=True), True),
        ("double", mysql.DECIMAL(10, 2), True),
        ("timestamp", mysql.DATETIME(), True),
        ("timestamp", mysql.VARCHAR(30), False),
        ("date", mysql.DATE(), True),
        ("string", mysql.JSON(), True),
        ("bigint", mysql.ENUM("a"), False),
    ],
)
def test_which_types_of_mysql_hold_what_is_declared(
    declared: str, found: types.TypeEngine[object], is_fit: bool
) -> None:
    assert fits(declared, found, "mysql") is is_fit  # type: ignore[arg-type]
