"""Numbers over HTTP are the numbers of SQL: random questions to every reading route, asked of `connect` once more."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import httpx
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_pipeline import connect
from metrics_pipeline.api.server import ApiServer
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.control.database import open_control
from metrics_pipeline_tests.aggregation.examples import histories
from metrics_pipeline_tests.api.whole.conftest import Installation
from metrics_pipeline_tests.api.whole.filled import (
    ACCOUNTS,
    CONTENT,
    CREATORS,
    DAYS,
    FIRST,
    NOW,
    POSTS,
    USERS,
    WORKSPACES,
    settings_of,
)  # fmt: skip
from metrics_pipeline_tests.proofs.sizes import size

Row = dict[str, Any]
WORKSPACE = WORKSPACES[1]


@dataclass(frozen=True)
class Both:
    """The same installation over HTTP and in SQL, with the span and the ids of one question."""

    http: httpx.Client
    sql: duckdb.DuckDBPyConnection
    first: date
    end: date
    pick: int

    def of(self, ids: Sequence[str]) -> str:
        return ids[self.pick % len(ids)]

    def get(self, path: str, **parameters: object) -> Row:
        answer = self.http.get(f"/v1/{path}", params={name: str(value) for name, value in parameters.items()})
        assert answer.status_code == 200, answer.text
        found: Row = answer.json()
        return found

    def span(self) -> Row:
        return {"start": self.first, "end": self.end}

    def rows(self, statement: str, *values: object) -> list[Row]:
        table = self.sql.sql(statement, params=list(values)).to_arrow_table()
        assert isinstance(table, pa.Table)
        rows: list[Row] = table.to_pylist()
        return rows

    def in_span(self, relation: str, column: str, where: str, *values: object) -> list[Row]:
        return self.rows(
            f"from {relation} where {column} >= ? and {column} < ? and workspace_id = ? and {where}",
            self.first, self.end, WORKSPACE, *values,
        )  # fmt: skip


@pytest.fixture(scope="module")
def frozen() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def running(filled: Path, frozen: pytest.MonkeyPatch) -> Iterator[tuple[httpx.Client, duckdb.DuckDBPyConnection]]:
    settings = settings_of(filled)
    control = open_control(settings)
    for name, value in {
        "NOW": NOW,
        "PIPELINE_START": "2026-02-01",
        "COLLECTION_START": FIRST,
        "TRENDING_FLOOR": 1,
    }.items():
        frozen.setenv(f"METRICS_{name}", str(value))
    with ApiServer(settings) as server, connect(filled) as sql:
        sql.execute("set timezone = 'UTC'")
        with Installation(settings, control, server).client(WORKSPACE) as http:
            yield http, sql
    control.dispose()


def same(over_http: object, in_sql: object) -> bool:
    """Numbers to nine digits, instants as instants, everything else as it is written."""
    if isinstance(in_sql, float) and not math.isfinite(in_sql):
        in_sql = None
    if isinstance(over_http, int | float) and isinstance(in_sql, int | float):
        return math.isclose(over_http, in_sql, rel_tol=1e-9, abs_tol=1e-9)
    if isinstance(in_sql, datetime):
        return isinstance(over_http, str) and datetime.fromisoformat(over_http) == in_sql.astimezone(UTC)
    if isinstance(in_sql, date):
        return over_http == in_sql.isoformat()
    return over_http == in_sql


def expect(over_http: Sequence[Row], in_sql: Sequence[Row], *keys: str) -> None:
    """Rows of the same keys, with the same values of every column that both have."""
    left = {tuple(str(row[key]) for key in keys): row for row in over_http}
    right = {tuple(str(row[key]) for key in keys): row for row in in_sql}
    assert len(left) == len(over_http)
    assert left.keys() == right.keys()
    columns = [name for name in next(iter(right.values()), {}) if name in next(iter(left.values()), {})]
    wrong = [
        (key, name, left[key][name], right[key][name])
        for key in left
        for name in columns
        if not same(left[key][name], right[key][name])
    ]
    assert not wrong, wrong[:5]
    assert not left or set(columns) > set(keys), "something was compared"


def points(answer: Row) -> list[Row]:
    names = ("metric", "platform", "account_id")
    return [{**{n: s[n] for n in names}, **p} for s in answer["data"]["series"] for p in s["points"]]


def totals(days: Sequence[Row], viewers: int | None = None) -> list[Row]:
    """What days come to, by the additivity of the metric."""
    grouped: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in days:
        grouped[row["metric"], row["platform"], row["account_id"]].append(row)
    found = []
    for (metric, platform, account), rows in grouped.items():
        values = [row["value"] for row in sorted(rows, key=lambda row: row["date"]) if row["value"] is not None]
        parts = [r for r in rows if r["numerator"] is not None and r["denominator"] is not None]
        below = sum(row["denominator"] for row in parts)
        kind = catalog().metrics[metric].additivity
        value = {
            "additive": sum(values) if values else None,
            "last_value": values[-1] if values else None,
            "ratio": sum(row["numerator"] for row in parts) / below if below else None,
            "unique": viewers if platform == "app" else None,
        }[kind]
        found.append(
            {"metric": metric, "platform": platform, "account_id": account, "value": value, "days_present": len(values)}
        )
    return found


def totals_of(answer: Row) -> list[Row]:
    names = ("metric", "platform", "account_id")
    return [{**{n: s[n] for n in names}, **s["total"]} for s in answer["data"]["series"]]


def days_of(both: Both, level: str, entity: str) -> list[Row]:
    return both.in_span("daily_metrics", "date", "entity_type = ? and entity_id = ?", level, entity)


def viewers_of(both: Both, where: str, *values: object) -> int:
    return len({row["viewer_hash"] for row in both.in_span("viewer_days", "date", where, *values)})


def check_days(both: Both, level: str, entity: str, path: str) -> None:
    """Points of days are the rows of daily_metrics, and totals follow from them."""
    days = days_of(both, level, entity)
    answer = both.get(path, **both.span())
    expect(points(answer), [{**row, "start": row["date"]} for row in days], "metric", "platform", "account_id", "start")
    known = [row for row in totals(days) if catalog().metrics[row["metric"]].additivity != "unique"]
    by_name = {(row["metric"], row["platform"], row["account_id"]): row for row in totals_of(answer)}
    expect(
        [by_name[r["metric"], r["platform"], r["account_id"]] for r in known], known, "metric", "platform", "account_id"
    )


def check_wide(both: Both, level: str, entity: str, path: str, view: str, where: str) -> None:
    """The columns of a view of days are the points of the metrics of their names."""
    found = {(p["metric"], p["platform"], p["start"]): p["value"] for p in points(both.get(path, **both.span()))}
    rows = both.in_span(view, "date", where, entity)
    assert bool(rows) == bool(found)
    for row in rows:
        for name, value in row.items():
            key = (name, row.get("platform", "app"), row["date"].isoformat())
            if key in found:
                assert same(found.pop(key), value), key
            elif name in catalog().metrics:
                assert value is None, key


def of_accounts(both: Both) -> None:
    account = both.of(list(ACCOUNTS))
    check_days(both, "account", account, f"accounts/{account}/metrics")
    check_wide(both, "account", account, f"accounts/{account}/metrics", "account_daily", "account_id = ?")


def of_workspaces(both: Both) -> None:
    path = f"workspaces/{WORKSPACE}/metrics"
    check_days(both, "workspace", WORKSPACE, path)
    check_wide(both, "workspace", WORKSPACE, path, "workspace_daily", "workspace_id = ?")


def of_posts(both: Both) -> None:
    post = both.of(POSTS)
    path = f"posts/{quote(post, safe='')}/metrics"
    check_days(both, "post", post, path)
    account = both.of(list(ACCOUNTS))
    found = {(p["metric"], p["start"]): p for p in points(both.get(path, **both.span(), account_id=account))}
    for row in both.in_span("post_daily", "date", "post_id = ? and account_id = ?", post, account):
        for metric in ("views", "likes"):
            point = found[metric, row["date"].isoformat()]
            assert same(point["value"], row[metric])
            assert same(point["lifetime_value"], row[f"lifetime_{metric}"])


def of_content(both: Both) -> None:
    content, creator = both.of(CONTENT), both.of(CREATORS)
    for level, entity, where in (("content", content, "content_id = ?"), ("creator", creator, "creator_id = ?")):
        path = f"{'content' if level == 'content' else 'creators'}/{quote(entity, safe='')}/metrics"
        check_days(both, level, entity, path)
        named = totals_of(both.get(path, **both.span(), metric="unique_viewers"))
        assert [row["value"] for row in named] in ([], [viewers_of(both, where, entity)])
    path = f"creators/{quote(creator, safe='')}/metrics"
    check_wide(both, "creator", creator, path, "creator_daily", "creator_id = ?")
    item = both.get(f"content/{quote(content, safe='')}")["data"]
    for name, table in (("metrics", "content_metrics"), ("attributes", "content")):
        rows = both.rows(f"from {table} where workspace_id = ? and content_id = ?", WORKSPACE, content)
        rows = [{**row, "metadata": None} if "metadata" in row else row for row in rows]
        expect([{**item[name], "content_id": content}], rows, "content_id")


def of_hours(both: Both) -> None:
    content = both.of(CONTENT)
    first = max(both.first, NOW.date() - timedelta(days=3))
    hours: dict[str, Row] = defaultdict(lambda: {"views": 0, "watch_time_seconds": 0.0, "shares": 0})
    for row in both.rows(
        "from content_hourly where workspace_id = ? and content_id = ? and date >= ?", WORKSPACE, content, first
    ):
        begins = datetime.combine(row["date"], datetime.min.time(), UTC) + timedelta(hours=row["hour"])
        for name in hours[""]:
            hours[begins.isoformat()][name] += row[name]
    hours.pop("", None)
    path = f"content/{quote(content, safe='')}/metrics"
    asked = {"granularity": "hour", "start": first, "metric": "views,watch_time_seconds,shares"}
    found = [
        {"start": datetime.fromisoformat(p["start"]).isoformat(), "metric": p["metric"], "value": p["value"]}
        for p in points(both.get(path, **asked))
    ]
    in_sql = [{"start": at, "metric": m, "value": value} for at, row in hours.items() for m, value in row.items()]
    expect(found, in_sql, "start", "metric")


def of_weeks_and_months(both: Both) -> None:
    account = both.of(list(ACCOUNTS))
    for level, entity, path in (
        ("account", account, f"accounts/{account}/metrics"),
        ("workspace", WORKSPACE, f"workspaces/{WORKSPACE}/metrics"),
    ):
        where = "entity_type = ? and entity_id = ?"
        for granularity, column, relations in (
            ("week", "week_start", ("weekly_metrics", "weekly_growth")),
            ("month", "month_start", ("monthly_metrics",)),
        ):
            answer = both.get(path, granularity=granularity, **both.span())
            first, end = (date.fromisoformat(answer["meta"][name]) for name in ("start", "end"))
            found = [{**p, "breakdown": p.get("weekly_breakdown")} for p in points(answer)]
            for relation in relations:
                rows = Both(both.http, both.sql, first, end, 0).in_span(relation, column, where, level, entity)
                rows = [
                    {k: v for k, v in row.items() if k != "weekly_breakdown"} | {"start": row[column]} for row in rows
                ]
                expect(found, rows, "metric", "platform", "start")


def of_lists(both: Both) -> None:
    creator = both.of(CREATORS)
    lifetime = "select *, likes - unlikes as net from content_metrics where workspace_id = ? and deleted_at is null"
    rows = [{**r, "likes": r["net"], "saves": r["saves"] - r["unsaves"]} for r in both.rows(lifetime, WORKSPACE)]
    own = [{k: v for k, v in r.items() if k != "published_at"} for r in rows if r["creator_id"] == creator]
    expect(both.get(f"creators/{quote(creator, safe='')}/content")["data"], own, "content_id")
    trending = both.rows("from trending_content where workspace_id = ?", WORKSPACE)
    assert trending
    expect(both.get("trending")["data"], trending, "content_id")
    best = both.rows("from top_content where workspace_id = ? order by quality_score desc, content_id", WORKSPACE)
    by_quality = both.get("top-performing", sort="quality", start=FIRST)["data"]
    scored = [row for row in by_quality if row["quality_score"] is not None]
    assert [(row["content_id"], row["quality_score"]) for row in scored] == [
        (row["content_id"], row["quality_score"]) for row in best
    ]
    user = both.of(USERS)
    watched = both.rows("from watch_history where workspace_id = ? and user_id = ?", WORKSPACE, user)
    expect(both.get(f"users/{quote(user, safe='')}/watch-history")["data"], watched, "content_id")


def of_spans_of_content(both: Both) -> None:
    creator = both.of(CREATORS)
    days = both.in_span("content_daily", "date", "true")
    found = []
    for content in {row["content_id"] for row in days}:
        own = [row for row in days if row["content_id"] == content]
        sums = {n: sum(row[n] for row in own) for n in ("views", "comments", "shares", "watch_time_seconds")}
        sums |= {"likes": sum(row["likes"] - row["unlikes"] for row in own)}
        sums |= {"saves": sum(row["saves"] - row["unsaves"] for row in own)}
        engagement = sum(sums[n] for n in ("likes", "comments", "shares", "saves"))
        rate = engagement / sums["views"] if sums["views"] else None
        found.append({"content_id": content, **sums, "engagement": engagement, "engagement_rate": rate})
    listed = both.get("top-performing", **both.span())["data"]
    expect(listed, found, "content_id")
    assert [row["views"] for row in listed] == sorted((row["views"] for row in listed), reverse=True)

    data = both.get(f"creators/{quote(creator, safe='')}/analytics", **both.span())["data"]
    viewers = viewers_of(both, "creator_id = ?", creator)
    shown = {row["metric"] for row in data["totals"]}
    expected = [row for row in totals(days_of(both, "creator", creator), viewers) if row["metric"] in shown]
    expect(data["totals"], expected, "metric")
    assert data["contents"] == len({row["content_id"] for row in days if row["creator_id"] == creator})
    places: dict[str, int] = defaultdict(int)
    for row in both.in_span("content_audience_daily", "date", "creator_id = ? and dimension = 'country'", creator):
        places[row["value"]] += row["views"]
    assert {row["country"]: row["views"] for row in data["top_countries"]} == places


def of_dashboards(both: Both) -> None:
    data = both.get(f"workspaces/{WORKSPACE}/dashboard", **both.span())["data"]
    shown = {row["metric"] for row in data["series"]}
    of_workspace = [r for r in days_of(both, "workspace", WORKSPACE) if r["metric"] in shown]
    expect(points({"data": data}), [{**r, "start": r["date"]} for r in of_workspace], "metric", "platform", "start")
    expect(totals_of({"data": data}), totals(of_workspace), "metric", "platform")
    accounts = [
        {"account": a["account_id"], "metric": m, **total}
        for a in data["accounts"]
        for m, total in a["metrics"].items()
    ]
    expected = [{**row, "account": a} for a in ACCOUNTS for row in totals(days_of(both, "account", a))]
    metrics = {row["metric"] for row in accounts}
    expect(accounts, [row for row in expected if row["metric"] in metrics], "account", "metric")
    week = date.fromisoformat(data["growth"]["week_start"])
    growth = both.rows(
        "from weekly_growth where workspace_id = ? and entity_type = 'workspace' and week_start = ?", WORKSPACE, week
    )
    named = {row["metric"] for row in data["growth"]["metrics"]}
    assert named
    expect(data["growth"]["metrics"], [row for row in growth if row["metric"] in named], "metric", "platform")
    posts = both.in_span("post_daily", "date", "true")
    for top in data["top_posts"]:
        own = [p for p in posts if (p["account_id"], p["post_id"]) == (top["account_id"], top["post_id"])]
        for name in ("views", "likes", "engagement"):
            values = [row[name] for row in own if row[name] is not None]
            assert same(top[name], sum(values) if values else None)


def of_records(both: Both) -> None:
    for length in ("daily", "weekly", "monthly"):
        rows = both.in_span("analytics_snapshots", "date", "snapshot_type = ?", length)
        answer = both.get(f"workspaces/{WORKSPACE}/snapshots", type=length, limit=1000, **both.span())
        decoded = [{**row, "metrics": json.loads(row["metrics"])} for row in rows]
        expect(answer["data"], decoded, "snapshot_type", "date", "account_id")
    covered = both.get("admin/coverage", start=both.first, end=both.end)["data"]
    states = both.in_span("collection_status", "date", "true")
    asked = defaultdict(set)
    given_ = defaultdict(set)
    for row in states:
        key = (row["date"].isoformat(), row["platform"], row["collection"])
        asked[key].add(row["account_id"])
        if row["state"] in ("value", "zero"):
            given_[key].add(row["account_id"])
    assert {
        (r["date"], r["platform"], r["collection"]): (r["accounts_asked"], r["accounts_with_value"]) for r in covered
    } == {key: (len(asked[key]), len(given_[key])) for key in asked}
    runs = both.rows("select run_id, job, state, rows from job_runs where run_id like ?", f"{WORKSPACE}-run-%")
    listed = both.get("admin/jobs")["data"]
    expect(listed, [row for row in runs if row["run_id"].startswith(f"{WORKSPACE}-")], "run_id")


CHECKS: Sequence[Callable[[Both], None]] = (
    of_accounts, of_workspaces, of_posts, of_content, of_hours, of_weeks_and_months, of_lists, of_spans_of_content,
    of_dashboards, of_records,
)  # fmt: skip


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@histories(size(3, 60))
@given(first=st.integers(0, DAYS - 1), days=st.integers(1, DAYS), pick=st.integers(0, 999))
def test_every_number_is_the_one_of_sql(
    running: tuple[httpx.Client, duckdb.DuckDBPyConnection],
    check: Callable[[Both], None],
    first: int,
    days: int,
    pick: int,
) -> None:
    start = FIRST + timedelta(days=first)
    check(Both(*running, start, start + timedelta(days=days), pick))


def test_numbers_as_they_were_known(running: tuple[httpx.Client, duckdb.DuckDBPyConnection], filled: Path) -> None:
    http, sql = running
    known = "2026-03-10T02:00:00Z"
    both = Both(http, sql, date(2026, 3, 7), date(2026, 3, 11), 0)
    now = points(both.get("accounts/a/metrics", **both.span()))
    then = points(both.get("accounts/a/metrics", as_of=known, **both.span()))
    with connect(filled, as_of=known) as earlier:
        rows = Both(http, earlier, both.first, both.end, 0).in_span(
            "daily_metrics", "date", "entity_type = 'account' and entity_id = 'a'"
        )
    expect(then, [{**row, "start": row["date"]} for row in rows], "metric", "platform", "start")
    assert then != now
