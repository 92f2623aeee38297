"""Series and their totals over HTTP: what is answered is what the tables say, of the tenant of the key only."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_pipeline.aggregation.build import Builder
from metrics_pipeline.api.reading.connection import ReadConnection
from metrics_pipeline.api.reading.lake_tables import LakeTables
from metrics_pipeline.api.reading.question import Question
from metrics_pipeline.api.reading.series import SeriesReader
from metrics_pipeline.api.reading.times import Span as Asked
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.settings import Settings
from metrics_pipeline.shapes.series import SeriesAnswer
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.aggregation.day_rows import Day
from metrics_pipeline_tests.aggregation.examples import histories
from metrics_pipeline_tests.aggregation.rollup_oracle import Rollup, Span
from metrics_pipeline_tests.aggregation.test_rollup_oracle import DAYS, day_rows, noon
from metrics_pipeline_tests.aggregation.test_rollup_oracle import FIRST as ROLLUP_FIRST
from metrics_pipeline_tests.aggregation.test_rollup_oracle import TODAY as ROLLUP_TODAY
from metrics_pipeline_tests.api.conftest import Client, code_of
from metrics_pipeline_tests.api.reading.conftest import (
    FIRST,
    NOW,
    arrow_of,
    data_of,
    days_of,
    is_close,
    points_of,
    write,
    write_days,
)

ACCOUNT = "/v1/accounts/a/metrics"
TOTAL = ("value", "previous_value", "change", "growth_rate", "growth_state", "compared_value", "compared_previous",
         "compared_days", "days_present", "days_expected", "days_elapsed", "is_complete", "is_provisional")  # fmt: skip


def test_days_of_an_account_with_what_they_rest_on(lake: Lake, reader: httpx.Client) -> None:
    write_days(lake, days_of([10, 0], is_provisional=True) + days_of({2: None}))
    answer = reader.get(ACCOUNT, params={"start": "2026-03-01", "end": "2026-03-05"})
    SeriesAnswer.model_validate(answer.json())
    [series] = data_of(answer)["series"]
    assert (series["metric"], series["unit"], series["additivity"]) == ("views", "count", "additive")
    found = [(p["start"], p["value"], p["state"], p["is_complete"], p["is_provisional"]) for p in series["points"]]
    assert found == [
        ("2026-03-01", 10.0, "value", True, True),
        ("2026-03-02", 0.0, "zero", True, True),
        ("2026-03-03", None, "unknown", False, False),
    ]
    total = series["total"]
    assert (total["value"], total["days_present"], total["days_expected"], total["is_complete"]) == (10.0, 2, 4, False)
    assert total["reason"] == "2 of 4 days have a value"
    meta = answer.json()["meta"]
    assert (meta["start"], meta["end"], meta["granularity"]) == ("2026-03-01", "2026-03-05", "day")
    assert (meta["complete"], meta["approximate"], meta["data_through"]) == (False, False, "2026-03-18T11:00:00Z")


def test_a_span_takes_in_every_period_that_it_touches(lake: Lake, reader: httpx.Client) -> None:
    write_days(lake, days_of(range(1, 18)))
    asked = {"start": "2026-03-02T23:00:00+02:00", "end": "2026-03-04T00:00:01Z"}
    assert list(points_of(reader.get(ACCOUNT, params=asked))) == ["2026-03-02", "2026-03-03", "2026-03-04"]
    asked["end"] = "2026-03-04T00:00:00Z"
    assert list(points_of(reader.get(ACCOUNT, params=asked))) == ["2026-03-02", "2026-03-03"]
    assert list(points_of(reader.get(ACCOUNT, params={"range": "last_2d"}))) == ["2026-03-16", "2026-03-17"]
    assert list(points_of(reader.get(ACCOUNT, params={"timeRange": 1}))) == ["2026-03-17"]
    meta = reader.get(ACCOUNT, params={"range": "mtd"}).json()["meta"]
    assert (meta["start"], meta["end"]) == ("2026-03-01", "2026-03-19")


def test_weeks_and_months_are_those_of_the_tables(lake: Lake, reader: httpx.Client, settings: Settings) -> None:
    write_days(lake, days_of(range(1, 18)))
    builder = Builder(Engine(lake), catalog(), settings)
    builder.weekly(Window.of_days(FIRST, date(2026, 3, 23)), NOW)
    builder.monthly(Window.of_days(FIRST, date(2026, 4, 1)), NOW)
    answer = reader.get(ACCOUNT, params={"granularity": "week", "start": "2026-03-04", "end": "2026-03-10"})
    assert answer.json()["meta"]["start"] == "2026-03-02"
    assert points_of(answer) == {"2026-03-02": 35.0, "2026-03-09": 84.0}
    [series] = data_of(answer)["series"]
    assert [p["growth_state"] for p in series["points"]] == ["partial", "ok"]
    answer = reader.get(ACCOUNT, params={"granularity": "month", "range": "mtd"})
    SeriesAnswer.model_validate(answer.json())
    [point] = data_of(answer)["series"][0]["points"]
    assert (point["value"], point["days_present"], point["is_complete"]) == (153.0, 17, False)
    assert [part["value"] for part in point["weekly_breakdown"]] == [1.0, 35.0, 84.0, 33.0]


@histories(6)
@given(days=day_rows(), first=st.integers(0, 30), length=st.integers(1, 20), back=st.booleans())
def test_totals_are_what_the_days_say(
    tmp_path_factory: pytest.TempPathFactory, days: list[Day], first: int, length: int, back: bool
) -> None:
    """Any span beside the one before it, against the oracle of weeks and months: one meaning for all periods."""
    lake = Lake(str(tmp_path_factory.mktemp("lake")))
    lake.initialise()
    write_days(lake, days)
    reads = ReadConnection(LakeTables(lake))
    reader = SeriesReader(reads, Settings())
    start = ROLLUP_FIRST + timedelta(days=first)
    span = Asked(start, start + timedelta(days=length))
    before = Span(start - timedelta(days=length), start)
    oracle = Rollup(days, [], catalog(), ROLLUP_TODAY).rows(Span(span.first, span.end), before, "none")
    for platform, kind, entity in {(d.platform, d.entity_type, d.entity_id) for d in days}:
        expected = {
            (r["metric"], r["platform"]): r
            for r in oracle
            if (r["entity_type"], r["entity_id"]) == (kind, entity)
            and (kind == "workspace" or r["platform"] == platform)
        }
        question = Question("acme", kind, entity, span, "day", compare="previous_period" if back else "none")  # type: ignore[arg-type]
        series, totals = reader.series_and_totals(question, noon(ROLLUP_TODAY))
        assert {(row["metric"], row["platform"]) for row in totals} == expected.keys()
        for row in totals:
            wanted = expected[row["metric"], row["platform"]]
            for name in TOTAL if back else ("value", "days_present", "is_complete"):
                left, right = row[name], wanted[name]
                same = is_close(left, right) if isinstance(left, float) else left == right
                assert same, (kind, entity, row["metric"], name, left, right)
        listed = {(s["metric"], s["platform"]): json.loads(s["points"]) for s in series}
        for (metric, of), points in listed.items():
            mine = {
                str(d.date): d.value
                for d in days
                if (d.entity_type, d.entity_id, d.metric, d.platform) == (kind, entity, metric, of)
                and span.first <= d.date < span.end
            }
            assert {p["start"]: p["value"] for p in points} == mine
    reads.close()
    assert DAYS > 30


def test_a_running_month_is_compared_with_the_same_days_of_the_last(lake: Lake, reader: httpx.Client) -> None:
    write_days(lake, days_of(dict.fromkeys(range(-28, 0), 1.0) | dict.fromkeys(range(17), 2.0) | {17: 5.0}))
    answer = reader.get(ACCOUNT, params={"range": "mtd", "compare": "previous_period"})
    meta, [series] = answer.json()["meta"], data_of(answer)["series"]
    assert (meta["compared_start"], meta["compared_end"]) == ("2026-02-01", "2026-02-19")
    total = series["total"]
    assert (total["value"], total["previous_value"], total["growth_state"]) == (39.0, 18.0, "partial")


def test_a_year_is_compared_over_52_weeks(lake: Lake, reader: httpx.Client) -> None:
    write_days(lake, days_of({0: 10.0, -364: 8.0, -365: 99.0}))
    answer = reader.get(ACCOUNT, params={"start": "2026-03-01", "end": "2026-03-02", "compare": "previous_year"})
    total = data_of(answer)["series"][0]["total"]
    assert (total["previous_value"], total["growth_rate"], total["growth_state"]) == (8.0, 0.25, "ok")


def test_another_workspace_is_the_same_404_as_none(
    lake: Lake, client: Client, key: Callable[..., str], reader: httpx.Client
) -> None:
    write_days(
        lake, days_of([1], workspace="beta", entity="b") + days_of([2], workspace="beta", kind="post", entity="p")
    )
    bodies = []
    for path in ("/v1/accounts/b/metrics", "/v1/accounts/none/metrics", "/v1/posts/p/metrics", "/v1/posts/x/metrics",
                 "/v1/workspaces/beta/metrics", "/v1/workspaces/none/metrics", "/v1/creators/x/metrics",
                 "/v1/accounts/b/metrics?workspace_id=beta", "/v1/content/x/metrics"):  # fmt: skip
        answer = reader.get(path)
        assert code_of(answer) == "not_found", path
        bodies.append(answer.content)
    assert len(set(bodies)) == 1
    operator = client(key(None, "read"))
    asked = {"start": "2026-03-01", "workspace_id": "beta"}
    assert points_of(operator.get("/v1/accounts/b/metrics", params=asked)) == {"2026-03-01": 1.0}
    assert code_of(operator.get("/v1/accounts/b/metrics")) == "workspace_required"
    assert code_of(client(key("acme", "ingest")).get(ACCOUNT)) == "insufficient_scope"


def test_a_workspace_without_numbers_is_empty_and_not_missing(reader: httpx.Client) -> None:
    answer = reader.get("/v1/workspaces/acme/metrics")
    assert data_of(answer)["series"] == []
    assert answer.json()["meta"]["complete"] is False
    assert answer.json()["meta"]["data_through"] is None


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"metric": "nonsense"}, "unknown_metric"),
        ({"platform": "myspace"}, "unknown_platform"),
        ({"start": "2026-03-01T00:00:00"}, "invalid_start"),
        ({"start": "yesterday"}, "invalid_start"),
        ({"start": "2026-02-30"}, "invalid_start"),
        ({"start": "9999-12-31"}, "invalid_start"),
        ({"start": "2026-03-01", "end": "20260302"}, "invalid_end"),
        ({"end": "2026-03-02"}, "invalid_start"),
        ({"start": "2026-03-02", "end": "2026-03-02"}, "end_before_start"),
        ({"start": "2010-01-01"}, "span_too_long"),
        ({"range": "last_0d"}, "invalid_range"),
        ({"range": "forever"}, "invalid_range"),
        ({"range": "mtd", "days": "3"}, "conflicting_times"),
        ({"days": "3", "timeRange": "3"}, "conflicting_times"),
        ({"days": "0"}, "invalid_request"),
        ({"granularity": "minute"}, "invalid_request"),
        ({"granularity": "hour"}, "not_by_the_hour"),
        ({"timezone": "Europe/Berlin"}, "not_by_the_hour"),
        ({"timezone": "Europe/Atlantis"}, "unknown_timezone"),
        ({"as_of": "one day"}, "invalid_as_of"),
        ({"as_of": "2199-01-01"}, "invalid_as_of"),
    ],
)
def test_what_cannot_be_asked_is_told_by_a_code(reader: httpx.Client, parameters: dict[str, str], code: str) -> None:
    answer = reader.get(ACCOUNT, params=parameters)
    assert code_of(answer) == code
    assert answer.status_code in (400, 422)
    for value in parameters.values():
        assert f"'{value}'" not in answer.text


def test_too_many_points_are_refused_as_a_whole(lake: Lake, reader: httpx.Client) -> None:
    metrics = list(catalog().metrics)[:40]
    days = [day for metric in metrics for day in days_of(dict.fromkeys(range(-260, 0), 1.0), metric=metric)]
    write_days(lake, days)
    assert code_of(reader.get(ACCOUNT, params={"days": 300})) == "too_many_points"
    assert len(data_of(reader.get(ACCOUNT, params={"days": 200}))["series"]) == 40


def test_rows_as_csv_and_parquet_are_the_points(lake: Lake, reader: httpx.Client) -> None:
    write_days(lake, days_of([10.5, 3]) + days_of([4], metric="likes"))
    asked = {"start": "2026-03-01"}
    found = [
        (point["start"], series["metric"], point["value"])
        for series in data_of(reader.get(ACCOUNT, params=asked))["series"]
        for point in series["points"]
    ]
    as_csv = reader.get(ACCOUNT, params=asked, headers={"Accept": "text/csv"})
    assert as_csv.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(as_csv.text)))
    assert [(row["start"], row["metric"], float(row["value"])) for row in rows] == found
    as_parquet = reader.get(ACCOUNT, params=asked, headers={"Accept": "application/vnd.apache.parquet, text/csv;q=0.5"})
    rows_read = arrow_of(as_parquet).to_pylist()
    assert [(str(row["start"]), row["metric"], row["value"]) for row in rows_read] == found
    assert code_of(reader.get(ACCOUNT, params=asked, headers={"Accept": "image/png"})) == "not_acceptable"


def hours(content: str, first: datetime, views: list[int]) -> list[dict[str, Any]]:
    rows = []
    for number, count in enumerate(views):
        at = first + timedelta(hours=number)
        rows.append({"date": at.date(), "hour": at.hour, "workspace_id": "acme", "content_id": content,
                     "creator_id": "anna", "views": count, "views_with_progress": count, "completed_full": count,
                     "likes": 1, "unlikes": 3})  # fmt: skip
    return rows


def test_hours_and_days_of_a_zone_with_the_hour_that_is_lost_and_the_one_that_is_won(
    lake: Lake, reader: httpx.Client, settings: Settings
) -> None:
    """Berlin: 2026-03-29 has 23 hours, 2025-10-26 has 25; every hour has as many views as its number."""
    write(lake, "content_hourly", hours("v", datetime(2026, 3, 14, tzinfo=UTC), list(range(1, 73))))
    answer = reader.get("/v1/content/v/metrics", params={"granularity": "hour", "metric": "views", "days": 3})
    [series] = data_of(answer)["series"]
    assert [p["value"] for p in series["points"]] == [float(n) for n in range(25, 73)]
    assert series["points"][0]["start"] == "2026-03-15T00:00:00Z"
    assert series["points"][0]["end"] == "2026-03-15T01:00:00Z"
    assert series["total"] is None
    asked = {
        "timezone": "Asia/Tokyo",
        "metric": ["views", "unique_viewers", "likes"],
        "start": "2026-03-15",
        "end": "2026-03-17",
    }
    answer = reader.get("/v1/content/v/metrics", params=asked)
    SeriesAnswer.model_validate(answer.json())
    # in Tokyo a day begins at 15:00 UTC of the day before
    assert points_of(answer, "views", "app") == {
        "2026-03-14T15:00:00Z": float(sum(range(16, 40))),
        "2026-03-15T15:00:00Z": float(sum(range(40, 64))),
    }
    assert points_of(answer, "likes", "app")["2026-03-15T15:00:00Z"] == -48.0
    assert set(points_of(answer, "unique_viewers", "app").values()) == {None}


@pytest.mark.parametrize(
    ("day", "length"), [(date(2026, 3, 29), 23), (date(2025, 10, 26), 25), (date(2026, 3, 28), 24)]
)
def test_a_day_of_berlin_has_the_hours_it_has(tmp_path_factory: pytest.TempPathFactory, day: date, length: int) -> None:
    lake = Lake(str(tmp_path_factory.mktemp("lake")))
    lake.initialise()
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=30)
    write(lake, "content_hourly", hours("v", start, [1] * 90))
    reads = ReadConnection(LakeTables(lake))
    question = Question(
        "acme", "content", "v", Asked(day, day + timedelta(days=1)), "day", ("views",), timezone="Europe/Berlin"
    )
    rows = SeriesReader(reads, Settings()).points(question, datetime(2026, 6, 1, tzinfo=UTC)).to_pylist()
    assert [row["value"] for row in rows] == [float(length)]
    assert (rows[0]["end"] - rows[0]["start"]) == timedelta(hours=length)
    reads.close()


def test_half_hour_zones_are_refused_and_not_rounded(lake: Lake, reader: httpx.Client) -> None:
    write(lake, "content_hourly", hours("v", datetime(2026, 3, 14, tzinfo=UTC), [1]))
    assert code_of(reader.get("/v1/content/v/metrics", params={"timezone": "Asia/Kolkata"})) == "not_by_the_hour"
