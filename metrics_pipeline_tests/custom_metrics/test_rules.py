"""What is said of values in few rows: parts and totals, days of other zones, balances, means over days, offsets."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from metrics_pipeline.custom_metrics.compiler.question import Question
from metrics_pipeline.custom_metrics.periods import Calendar, Period
from metrics_pipeline.custom_metrics.spans import Grain
from metrics_pipeline_tests.custom_metrics.worlds import Document, Row, Rows, World, ask, version_of

LATER = date(2027, 5, 1)
D = date(2025, 3, 5)
ONE = timedelta(days=1)


def event(at: datetime, **said: object) -> Row:
    return {"workspace_id": "acme", "date": at.date(), "event_ts": at, "received_at": at, "is_bot": False, **said}


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def count(dataset: str = "events", **more: object) -> Document:
    return {"name": "base", "type": "simple", "dataset": dataset, "agg": "count", **more}


def asked(
    directory: Path,
    rows: Rows,
    documents: dict[str, Document],
    grain: Grain,
    first: date,
    end: date,
    *,
    today: date = LATER,
    known_from: date = date(2000, 1, 1),
    zone: str = "UTC",
    dimensions: tuple[str, ...] = (),
    calendar: Calendar = Calendar(),  # noqa: B008 - frozen
) -> list[Row]:
    """The answer about the last of the documents."""
    periods = tuple(period for period in calendar.periods(grain, first, end) if period.first <= today)
    question = Question("acme", grain, periods, today, known_from, zone, dimensions, calendar)
    with World(directory, rows).opened() as lake:
        return ask(lake, version_of(documents, list(documents)[-1]), question)


def said(rows: list[Row], *names: str) -> list[Any]:
    return [tuple(row[name] for name in names) if len(names) > 1 else row[names[0]] for row in rows]


def test_parts_are_those_of_the_total_whatever_it_is_broken_down_by(tmp_path: Path) -> None:
    rows: Rows = {"events": [event(noon(D)), event(noon(D), is_bot=True), event(noon(D), is_bot=None)]}
    documents = {"base": count()}
    assert said(asked(tmp_path, rows, documents, "day", D, D + ONE), "value") == [2]
    parts = asked(tmp_path, rows, documents, "day", D, D + ONE, dimensions=("is_bot",))
    assert said(parts, "dimensions", "value") == [('{"is_bot":false}', 1), ('{"is_bot":null}', 1)]


@pytest.mark.parametrize(
    ("read", "complete"),
    [(None, False), (timedelta(hours=4, minutes=59), False), (timedelta(hours=5), True), (timedelta(days=3), True)],
)
def test_a_day_of_another_zone_is_known_when_its_last_hours_are(
    tmp_path: Path, read: timedelta | None, complete: bool
) -> None:
    # a day of New York ends at five the next UTC day; `read`: when that UTC day was read
    at = datetime(2025, 3, 5, 23, tzinfo=UTC)
    begins = datetime(2025, 3, 6, tzinfo=UTC)
    reads: list[Row] = [{"table_name": "orders", "date": D, "last_read_at": begins}]
    if read is not None:
        reads.append({"table_name": "orders", "date": D + ONE, "last_read_at": begins + read})
    order: Row = {"workspace_id": "acme", "date": D, "created_at": at, "amount_cents": 5}
    rows: Rows = {"app_orders": [order], "application_reads": reads}
    found = asked(tmp_path, rows, {"base": count("orders")}, "day", D, D + ONE, zone="America/New_York")
    assert said(found, "value", "is_complete") == [(1, complete)]


def measured(day: date, account: str, metric: str, value: float | None, complete: bool = True) -> Row:
    return {
        "workspace_id": "acme",
        "date": day,
        "platform": "instagram",
        "entity_type": "account",
        "entity_id": account,
        "account_id": account,
        "metric": metric,
        "value": value,
        "state": "failed" if value is None else "value",
        "is_complete": complete,
    }


def test_a_balance_is_complete_with_its_last_day(tmp_path: Path) -> None:
    followers: Document = count("daily_metrics", agg="sum", expr="followers")
    followers["non_additive_dimension"] = {"name": "date", "window_groupings": ["account_id"]}
    known = [measured(D, "a", "followers", 7, False), measured(D + ONE, "a", "followers", 8)]
    for last, complete in ((measured(D + 2 * ONE, "a", "followers", None, False), False), (None, True)):
        rows: Rows = {"daily_metrics": known + ([last] if last else [])}
        found = asked(tmp_path / str(complete), rows, {"base": followers}, "month", D, D + ONE)
        assert said(found, "value", "is_complete") == [(8, complete)]


def test_a_distinct_count_is_complete_with_all_its_rows(tmp_path: Path) -> None:
    rows: Rows = {"daily_metrics": [measured(D, "a", "views", 7), measured(D, "b", "views", None, False)]}
    found = asked(
        tmp_path, rows, {"base": count("daily_metrics", agg="count_distinct", expr="views")}, "day", D, D + ONE
    )
    assert said(found, "value", "is_complete") == [(1, False)]


@pytest.mark.parametrize(("fill", "mean"), [(None, 3.5), (0, 1.0)])
def test_the_mean_of_days_counts_empty_days_where_they_are_filled(
    tmp_path: Path, fill: int | None, mean: float
) -> None:
    monday = date(2025, 3, 3)
    rows: Rows = {"events": [event(noon(monday + n * ONE)) for n in (0, 1, 1, 1, 1, 1, 1)]}
    wide: Document = {"name": "wide", "type": "cumulative", "input_metric": "base", "window": "1 day"}
    base = count() if fill is None else count(fill_nulls_with=fill)
    documents = {"base": base, "wide": wide | {"period_agg": "average"}}
    found = asked(tmp_path, rows, documents, "week", monday, monday + ONE)
    assert said(found, "value", "is_complete") == [(pytest.approx(mean), True)]
    # days to come are none: of a week that runs since Tuesday there are two
    found = asked(tmp_path, rows, documents, "week", monday, monday + ONE, today=monday + ONE)
    assert said(found, "value", "is_complete") == [(3.5, False)]


@pytest.mark.parametrize("zone", ["America/Vancouver", "Africa/Casablanca", "Europe/Chisinau", "Africa/Cairo", "Cuba"])
def test_no_row_falls_between_two_days(tmp_path: Path, zone: str) -> None:
    # zones whose rules the engine and Python may know in different editions, or whose clocks change at midnight
    first = date(2026, 10, 24)
    start = datetime(2026, 10, 24, tzinfo=UTC)
    rows: Rows = {"events": [event(start + n * timedelta(minutes=15)) for n in range(24 * 12 * 4)]}
    documents = {"base": count()}
    with World(tmp_path, rows).opened() as lake:
        version = version_of(documents, "base")

        def counts(periods: list[Period]) -> list[Any]:
            return said(ask(lake, version, Question("acme", "day", tuple(periods), LATER, D, zone)), "value")

        days = Calendar().periods("day", first + ONE, first + 11 * ONE)
        at_once = counts(days)
        assert [counts([day])[0] for day in days] == at_once
        assert sum(at_once) in (24 * 40, 25 * 4 + 24 * 36, 23 * 4 + 24 * 36)
