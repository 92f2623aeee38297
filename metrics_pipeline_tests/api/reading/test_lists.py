"""Lists page by page: every row once, in one order, of one workspace; and creators, snapshots, watch histories."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_pipeline.api.paging import Place, cursor_after, place_of
from metrics_pipeline.api.problems import Problem
from metrics_pipeline.api.reading.connection import ReadConnection
from metrics_pipeline.api.reading.lake_tables import LakeTables
from metrics_pipeline.api.reading.lists import Listed
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.shapes.dashboard import DashboardAnswer
from metrics_pipeline.shapes.lists import (
    ContentListAnswer,
    CreatorAnswer,
    SnapshotsAnswer,
    WatchHistoryAnswer,
)
from metrics_pipeline_tests.aggregation.examples import histories
from metrics_pipeline_tests.api.conftest import Client, code_of
from metrics_pipeline_tests.api.reading.conftest import FIRST, NOW, data_of, days_of, write, write_days

Row = dict[str, Any]


def item(content_id: str, **columns: Any) -> Row:
    """A row of content_metrics: counts are 0 where they are not given."""
    counts = dict.fromkeys(("views", "likes", "unlikes", "comments", "shares", "saves", "unsaves"), 0)
    return {"workspace_id": "acme", "content_id": content_id, "creator_id": "anna", "first_date": FIRST,
            "computed_at": NOW, "approximate": False, "is_trending": False, **counts, **columns}  # fmt: skip


def walk(reader: httpx.Client, path: str, **parameters: Any) -> list[Row]:
    """Every row of a list, page by page."""
    rows: list[Row] = []
    cursor = None
    while True:
        answer = reader.get(path, params={**parameters, **({"cursor": cursor} if cursor else {})})
        rows += data_of(answer)
        meta = answer.json()["meta"]
        assert meta["has_more"] is (meta["next_cursor"] is not None)
        if not meta["has_more"]:
            return rows
        cursor = meta["next_cursor"]


@histories(8)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 3), st.none() | st.sampled_from((1.0, 2.5, 99.125)), st.integers(0, 400)),
        max_size=23,
    ),
    limit=st.integers(1, 6),
    sort=st.sampled_from(("recent", "views", "quality")),
)
def test_pages_together_are_the_list(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, float | None, int]], limit: int, sort: str
) -> None:
    """With ties, and with items that have no score."""
    lake = Lake(str(tmp_path_factory.mktemp("lake")))
    lake.initialise()
    items = [
        item(f"c{n:02}", views=views, quality_score=quality, published_at=NOW - timedelta(hours=hours))
        for n, (views, quality, hours) in enumerate(rows)
    ]
    write(lake, "content_metrics", [*items, item("foreign", workspace_id="beta"), item("gone", deleted_at=NOW)])
    reads = ReadConnection(LakeTables(lake))
    question = {"list": "test", "sort": sort}
    listed = Listed(
        "api/content_list.sql",
        ("content", "content_metrics"),
        {"workspace_id": "acme", "creator_id": "", "sort": sort, "since": datetime(1970, 1, 1, tzinfo=UTC)},
        question=question,
    )
    found: list[str] = []
    cursor: str | None = None
    while True:
        page, cursor = listed.page(reads, limit, cursor)
        assert len(page) == limit or cursor is None
        found += [row["content_id"] for row in page]
        if cursor is None:
            break

    def place(row: Row) -> tuple[float, str]:
        by = {"recent": row["published_at"].timestamp(), "views": row["views"], "quality": row["quality_score"]}[sort]
        return (1e300 if by is None else -by, row["content_id"])

    assert found == [row["content_id"] for row in sorted(items, key=place)]
    reads.close()


@given(value=st.floats(allow_nan=False, allow_infinity=False), identifier=st.text())
def test_a_cursor_comes_back_as_it_was(value: float, identifier: str) -> None:
    place = Place(value, identifier)
    question = {"list": "a", "of": "acme"}
    cursor = cursor_after(question, place)
    assert cursor.isascii()
    assert place_of(question, cursor) == place
    with pytest.raises(Problem) as refused:
        place_of({"list": "a", "of": "beta"}, cursor)
    assert refused.value.code == "cursor_mismatch"


@given(text=st.text(max_size=60) | st.from_regex(r"[A-Za-z0-9_-]{1,60}", fullmatch=True))
def test_what_is_no_cursor_is_refused_and_nothing_worse(text: str) -> None:
    with pytest.raises(Problem) as refused:
        place_of({"list": "a"}, text)
    assert refused.value.status == 400


def test_a_creators_content_in_four_orders(lake: Lake, reader: httpx.Client) -> None:
    write(lake, "content", [{"workspace_id": "acme", "content_id": "a", "caption": "First", "updated_at": NOW}])
    write(lake, "content_metrics", [
        item("a", views=5, likes=3, unlikes=1, quality_score=20.0, published_at=NOW - timedelta(days=20)),
        item("b", views=9, likes=1, quality_score=None, published_at=NOW - timedelta(days=2)),
        item("c", views=1, shares=8, quality_score=80.0, published_at=NOW - timedelta(days=9)),
        item("other", creator_id="ben", views=99), item("foreign", workspace_id="beta", views=99),
    ])  # fmt: skip
    path = "/v1/creators/anna/content"
    for sort, order in (("recent", "bca"), ("views", "bac"), ("engagement", "cab"), ("quality", "cab")):
        rows = walk(reader, path, sort=sort, limit=2)
        assert "".join(row["content_id"] for row in rows) == order, sort
    answer = reader.get(path, params={"days": 10})
    ContentListAnswer.model_validate(answer.json())
    assert [row["content_id"] for row in data_of(answer)] == ["b", "c"]
    assert data_of(reader.get(path))[2]["caption"] == "First"
    assert data_of(reader.get(path))[2]["likes"] == 2, "less those taken back"
    cursor = reader.get(path, params={"limit": 1}).json()["meta"]["next_cursor"]
    assert code_of(reader.get(path, params={"cursor": cursor, "sort": "views"})) == "cursor_mismatch"
    assert code_of(reader.get(path, params={"cursor": "x"})) == "invalid_cursor"
    assert code_of(reader.get("/v1/creators/nobody/content")) == "not_found"


def day(content_id: str, number: int, **columns: Any) -> Row:
    counts = dict.fromkeys(("views", "likes", "unlikes", "comments", "shares", "saves", "unsaves"), 0)
    return {"date": FIRST + timedelta(days=number), "workspace_id": "acme", "content_id": content_id,
            "creator_id": "anna", "watch_time_seconds": 0.0, **counts, **columns}  # fmt: skip


def test_what_performed_best_is_of_the_span_alone(lake: Lake, reader: httpx.Client) -> None:
    write(lake, "content_metrics", [item("a", views=1000), item("b", views=10, quality_score=50.0)])
    write(lake, "content_daily", [day("a", 0, views=990), day("a", 9, views=4, likes=1), day("b", 9, views=6)])
    path = "/v1/top-performing"
    answer = reader.get(path, params={"start": "2026-03-05"})
    ContentListAnswer.model_validate(answer.json())
    assert [(row["content_id"], row["views"]) for row in data_of(answer)] == [("b", 6), ("a", 4)]
    assert [row["content_id"] for row in walk(reader, path, limit=1, start="2026-03-01")] == ["a", "b"]
    assert [row["content_id"] for row in data_of(reader.get(path, params={"sort": "engagement"}))] == ["a", "b"]
    assert [row["content_id"] for row in data_of(reader.get(path, params={"sort": "quality"}))] == ["b", "a"]
    assert data_of(reader.get(path, params={"creator_id": "ben"})) == []


def test_what_trends_comes_most_first(lake: Lake, reader: httpx.Client) -> None:
    write(lake, "content_metrics", [item("a", is_trending=True, trending_score=2.0, views_24h=300, views_before=10),
                                    item("b", is_trending=True, trending_score=7.5), item("c")])  # fmt: skip
    answer = reader.get("/v1/trending")
    ContentListAnswer.model_validate(answer.json())
    assert [(row["content_id"], row["position"]) for row in data_of(answer)] == [("b", 1), ("a", 2)]


def test_a_creator_in_a_span(lake: Lake, reader: httpx.Client) -> None:
    of_creator = {"kind": "creator", "entity": "anna", "platform": "app", "source": "events"}
    write_days(lake, days_of([4, 6], **of_creator) + days_of([2], metric="comments", **of_creator))
    write(lake, "content_metrics", [item("a"), item("b")])
    write(lake, "content_daily", [day("a", 0, views=4), day("b", 1, views=6)])
    countries = {"DE": 6, "FR": 2, "unknown": 2}
    write(lake, "content_audience_daily", [
        {"date": FIRST, "workspace_id": "acme", "content_id": "a", "creator_id": "anna", "dimension": "country",
         "value": name, "views": views} for name, views in countries.items()
    ])  # fmt: skip
    answer = reader.get("/v1/creators/anna/analytics", params={"start": "2026-03-01", "end": "2026-03-03"})
    CreatorAnswer.model_validate(answer.json())
    data = data_of(answer)
    totals = {row["metric"]: (row["value"], row["per_item"]) for row in data["totals"]}
    assert totals == {"views": (10.0, 5.0), "comments": (2.0, 1.0)}
    assert data["contents"] == 2
    assert [row["content_id"] for row in data["top_content"]] == ["b", "a"]
    assert [(row["country"], row["views"], row["share"]) for row in data["top_countries"]] == [
        ("DE", 6, 0.75), ("FR", 2, 0.25), ("unknown", 2, None)]  # fmt: skip
    assert code_of(reader.get("/v1/creators/nobody/analytics")) == "not_found"


def test_snapshots_newest_first_with_their_numbers_as_json(lake: Lake, reader: httpx.Client) -> None:
    counts = {"metrics_expected": 1, "metrics_present": 1, "metrics_complete": 1, "is_complete": True,
              "is_provisional": False, "generated_at": NOW, "completeness": 1.0, "last_read_at": NOW}  # fmt: skip
    write(lake, "analytics_snapshots", [
        {"snapshot_type": "daily", "date": date(2026, 3, number), "workspace_id": workspace, "account_id": account,
         "metrics": '{"messages": {"messages_sent": {"value": 3}}}', **counts}
        for number in (10, 11) for workspace in ("acme", "beta") for account in (None, "a")
    ])  # fmt: skip
    path = "/v1/workspaces/acme/snapshots"
    SnapshotsAnswer.model_validate(reader.get(path).json())
    rows = walk(reader, path, limit=1)
    assert [(row["date"], row["account_id"]) for row in rows] == [
        ("2026-03-11", None), ("2026-03-11", "a"), ("2026-03-10", None), ("2026-03-10", "a")]  # fmt: skip
    assert rows[0]["metrics"]["messages"]["messages_sent"]["value"] == 3
    assert len(walk(reader, path, of="workspace")) == 2
    assert [row["account_id"] for row in walk(reader, path, account_id="a")] == ["a", "a"]
    assert walk(reader, path, type="weekly") == []
    assert code_of(reader.get("/v1/workspaces/beta/snapshots")) == "not_found"


def test_a_watch_history_is_kept_by_no_cache(lake: Lake, reader: httpx.Client) -> None:
    def watched(content_id: str, hour: int, user: str = "u1", workspace: str = "acme") -> Row:
        at = datetime(2026, 3, 10, hour, tzinfo=UTC)
        return {"date": at.date(), "workspace_id": workspace, "user_id": user, "content_id": content_id, "views": 1,
                "watch_time_seconds": 5.0, "furthest_percent": 50.0, "is_completed": False,
                "first_watched_at": at, "last_watched_at": at}  # fmt: skip

    write(lake, "watch_days", [watched("a", 1), watched("b", 5), watched("c", 3), watched("d", 9, user="u2"),
                               watched("e", 9, workspace="beta")])  # fmt: skip
    path = "/v1/users/u1/watch-history"
    answer = reader.get(path)
    WatchHistoryAnswer.model_validate(answer.json())
    assert [row["content_id"] for row in data_of(answer)] == ["b", "c", "a"]
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers
    assert [row["content_id"] for row in walk(reader, path, limit=2)] == ["b", "c", "a"]
    assert data_of(reader.get(path, params={"days": 2})) == []
    assert data_of(reader.get("/v1/users/nobody/watch-history")) == []


def test_a_workspace_on_one_page(lake: Lake, reader: httpx.Client, client: Client, key: Callable[..., str]) -> None:
    whole = {"kind": "workspace", "entity": "acme", "platform": "all"}
    write_days(lake, days_of(dict.fromkeys(range(10), 2.0), **whole) + days_of(dict.fromkeys(range(10), 2.0))
               + days_of([5.0], kind="post", entity="p1", account_id="a")
               + days_of([7.0], kind="post", entity="p1", account_id="a", metric="engagement")
               + days_of([9.0], workspace="beta", kind="post", entity="p2"))  # fmt: skip
    write(lake, "posts", [{"workspace_id": "acme", "platform": "instagram", "account_id": "a", "post_id": "p1",
                           "title": "Hello", "published_at": NOW}])  # fmt: skip
    write(lake, "weekly_metrics", [
        {"week_start": date(2026, 3, 9), "workspace_id": "acme", "platform": "all", "entity_type": "workspace",
         "entity_id": "acme", "metric": "views", "value": 2.0, "growth_state": "no_base", "days_present": 2,
         "days_expected": 7, "is_complete": False, "is_provisional": False}])  # fmt: skip
    answer = reader.get("/v1/workspaces/acme/dashboard", params={"range": "mtd"})
    DashboardAnswer.model_validate(answer.json())
    data = data_of(answer)
    assert [(s["metric"], s["platform"], s["total"]["value"]) for s in data["series"]] == [("views", "all", 20.0)]
    assert [(a["account_id"], a["metrics"]["views"]["value"]) for a in data["accounts"]] == [("a", 20.0)]
    assert [(p["post_id"], p["title"], p["views"], p["engagement"]) for p in data["top_posts"]] == [
        ("p1", "Hello", 5.0, 7.0)]  # fmt: skip
    assert data["growth"]["week_start"] == "2026-03-09"
    assert data["growth"]["metrics"][0]["growth_state"] == "no_base"
    assert code_of(reader.get("/v1/workspaces/beta/dashboard")) == "not_found"
    assert code_of(client(key(None, "read")).get("/v1/workspaces/none/dashboard")) == "not_found"
