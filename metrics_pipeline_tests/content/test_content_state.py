"""content_metrics against a recomputation item by item, and its edge cases one by one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics_pipeline.aggregation.content_state import ContentStateBuilder
from metrics_pipeline.lake.event_tables import CONTENT_COUNTS
from metrics_pipeline.lake.tables import TABLES
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.aggregation.memory_engine import MemoryEngine
from metrics_pipeline_tests.content import state_oracle as oracle
from metrics_pipeline_tests.content.state_oracle import HOUR, Item
from metrics_pipeline_tests.proofs.sizes import size

NOW = datetime(2026, 3, 18, 10, 20, tzinfo=UTC)
THIS_HOUR = NOW.replace(minute=0)
Row = dict[str, Any]
COUNTS = [name for name, _, _ in CONTENT_COUNTS]
BUCKETS = ("completed_full", "over_75", "over_50", "over_25", "under_25")


@pytest.fixture(scope="module")
def memory() -> MemoryEngine:
    return MemoryEngine()


def state(
    memory: MemoryEngine, items: list[Item], *, closes: bool = False, events_days: int = 90
) -> dict[tuple[str, str], dict[str, Any]]:
    """content_metrics of these items as of NOW, by (workspace, content)."""
    memory.clear()
    hourly: list[Row] = []
    viewers: list[Row] = []
    attributes: list[Row] = []
    daily: dict[tuple[str, str, date], Row] = {}
    for item in items:
        names = {"workspace_id": item.workspace, "content_id": item.content, "creator_id": item.creator}
        for hour, counts in item.hours.items():
            row = {n: counts[n] for n in COUNTS}
            hourly.append({**names, "date": hour.date(), "hour": hour.hour, **row})
            day = daily.setdefault(
                (item.workspace, item.content, hour.date()),
                {**names, "date": hour.date(), "unique_viewers": 0, **dict.fromkeys(COUNTS, 0)},
            )
            for name in COUNTS:
                day[name] += counts[name]
        first = min(item.hours).date()
        seen = {"date": first, "views": 1, "watch_time_seconds": 0.0}
        viewers += [{**names, **seen, "viewer_hash": viewer} for viewer in item.viewers]
        if item.published_at is not None or item.kind or item.deleted_at:
            told = {"published_at": item.published_at, "content_type": item.kind, "deleted_at": item.deleted_at}
            attributes.append({**told, "updated_at": NOW, **names})
    for name, rows in (
        ("content_hourly", hourly),
        ("content_daily", list(daily.values())),
        ("viewer_days", viewers),
        ("content", attributes),
    ):
        memory.tables[name] = pa.Table.from_pylist(rows, schema=TABLES[name].schema)
    builder = ContentStateBuilder(memory, Settings(events_days=events_days))
    builder.count_viewers(NOW)
    if closes:
        builder.close(NOW)
    builder.refresh(NOW)
    return {(r["workspace_id"], r["content_id"]): r for r in memory.tables["content_metrics"].to_pylist()}


def item(views: dict[int, int], content: str = "c", workspace: str = "w", creator: str = "k", **counts: int) -> Item:
    """Views by hours before the running one; other counts fall into the oldest of those hours."""
    made = Item(workspace, content, creator)
    for back, number in views.items():
        made.hours[THIS_HOUR - back * HOUR]["views"] += number
    for name, number in counts.items():
        made.hours[min(made.hours)][name] += number
    return made


@st.composite
def worlds(draw: st.DrawFn) -> list[Item]:
    """Two workspaces of up to 14 items each: sparse and busy, young and old, some with attributes."""
    items = []
    for workspace in ("one", "two"):
        for number in range(draw(st.integers(0, 14))):
            made = Item(workspace, f"c{number}", draw(st.sampled_from(("k1", "k2", None))))
            level = draw(st.sampled_from((0, 1, 8, 40)))
            backs = draw(st.lists(st.integers(0, 24 * 12), min_size=1, max_size=12, unique=True))
            for back in backs:
                counts = made.hours[THIS_HOUR - back * HOUR]
                counts["views"] = draw(st.integers(0, 3)) * level
                for name in ("likes", "unlikes", "comments", "shares", "saves", "unsaves", "rewatches"):
                    counts[name] = draw(st.integers(0, 2))
                for bucket in BUCKETS:
                    counts[bucket] = draw(st.integers(0, 3))
                counts["views_with_progress"] = sum(counts[bucket] for bucket in BUCKETS)
            made.viewers = set(range(draw(st.integers(1, 30))))
            if draw(st.booleans()):
                made.published_at = min(made.hours) - draw(st.integers(0, 30)) * HOUR
            items.append(made)
    return items


def near(value: float | None) -> object:
    return None if value is None else pytest.approx(value, rel=1e-9, abs=1e-9)


@settings(max_examples=size(20, 200), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(worlds(), st.booleans())
def test_every_figure_equals_its_recomputation(memory: MemoryEngine, items: list[Item], closes: bool) -> None:
    found = state(memory, items, closes=closes)
    assert set(found) == {(i.workspace, i.content) for i in items}
    trends = oracle.trends(items, THIS_HOUR)
    for one in items:
        key = (one.workspace, one.content)
        row, trend = found[key], trends[key]
        prior = oracle.priors([i for i in items if i.workspace == one.workspace])
        assert {n: row[n] for n in COUNTS} == {n: one.total(n) for n in COUNTS}
        assert (row["peak_views_per_hour"], row["peak_at"]) == (oracle.peak(one)[0] / 24, oracle.peak(one)[1])
        assert row["trend_v1"] == oracle.trend_v1(one, THIS_HOUR)
        assert (row["trend"], row["expected_views"], row["trend_z"]) == (trend.state, near(trend.mu), near(trend.z))
        assert row["quality_score_v1"] == near(oracle.quality_v1(one))
        assert row["quality_score"] == near(oracle.quality(one, prior))
        views = one.between("views", THIS_HOUR - 24 * HOUR, THIS_HOUR)
        existed = min(24, max(1, (THIS_HOUR - one.since) // HOUR))
        assert row["views_per_hour"] == near(views / existed)
        assert row["views_per_hour_v1"] == near(views / 24)
        assert row["is_trending"] == (trend.state == "rising" and views / existed >= 100)


@settings(max_examples=size(12, 100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(worlds())
def test_ranks_order_the_items_of_a_workspace(memory: MemoryEngine, items: list[Item]) -> None:
    found = state(memory, items)
    for workspace in ("one", "two"):
        scored = [r for (w, _), r in found.items() if w == workspace and r["quality_score"] is not None]
        best_first = sorted(scored, key=lambda r: r["rank_position"])
        assert [r["rank_position"] for r in best_first] == list(range(1, len(scored) + 1))
        scores = [r["quality_score"] for r in best_first]
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= r["rank"] <= 1 for r in scored)
        if scored and sum(scores):
            mean = sum(scores) / len(scores)
            assert all(r["vs_platform_average"] == near(r["quality_score"] / mean) for r in scored)


def test_the_documented_quality_example() -> None:
    # 60 % completion, 10 % engagement, 1 % shares, 6 % rewatches give 43
    memory = MemoryEngine()
    one = item({200: 1000}, likes=60, comments=30, shares=10, rewatches=60)
    one.hours[min(one.hours)].update(views_with_progress=1000, completed_full=600, under_25=400)
    one.viewers = set(range(1000))
    assert state(memory, [one])["w", "c"]["quality_score_v1"] == pytest.approx(43)


@pytest.mark.parametrize(
    ("views", "published", "trend", "trend_v1"),
    [
        ({60: 0}, None, "no_data", "stable"),
        ({3: 50}, THIS_HOUR - 5 * HOUR, "new", "rising"),
        ({3: 200, 30: 50}, None, "rising", "rising"),
        ({3: 24, 30: 20}, None, "stable", "stable"),  # exactly 1.2 times is stable
        ({3: 2, 30: 1}, None, "stable", "rising"),  # chance
        ({3: 10, 30: 200}, None, "declining", "declining"),
    ],
)
def test_trends_of_a_lone_item(
    memory: MemoryEngine, views: dict[int, int], published: datetime | None, trend: str, trend_v1: str
) -> None:
    one = item({90: 0, **views} if published is None else views)
    one.published_at = published
    row = state(memory, [one])["w", "c"]
    assert (row["trend"], row["trend_v1"]) == (trend, trend_v1)


def test_without_views_rates_and_scores_are_unknown_not_zero(memory: MemoryEngine) -> None:
    row = state(memory, [item({30: 0}, likes=3)])["w", "c"]
    unknown = ("engagement_rate", "share_rate", "completion_rate", "rewatch_rate", "average_watch_time")
    assert {row[name] for name in unknown} == {None}
    assert (row["quality_score"], row["quality_score_v1"], row["quality_confidence"], row["rank"]) == (None,) * 4


def test_under_five_views_there_is_no_quality_but_the_first_formula(memory: MemoryEngine) -> None:
    row = state(memory, [item({30: 4}, likes=3)])["w", "c"]
    assert row["quality_score"] is None
    assert row["quality_score_v1"] == pytest.approx(30)


def test_another_workspace_changes_nothing(memory: MemoryEngine) -> None:
    mine = [item({3: 90 + n, 30: 40 + n}, content=f"c{n}", likes=n) for n in range(14)]
    alone = state(memory, mine)
    theirs = [item({3: 5000, 30: 1}, content=f"c{n}", workspace="other", likes=900) for n in range(14)]
    together = state(memory, mine + theirs)
    assert {key: row for key, row in together.items() if key[0] == "w"} == alone


def test_totals_of_closed_days_change_no_figure_and_keep_peaks_whose_hours_expired(memory: MemoryEngine) -> None:
    old = item({24 * 20: 500, 24 * 20 + 1: 300, 24 * 3: 40, 3: 7})
    before = state(memory, [old])["w", "c"]
    after = state(memory, [old], closes=True)["w", "c"]
    assert after == before
    expired = memory.tables["content_hourly"].to_pylist()
    keep = date(2026, 3, 10)
    memory.tables["content_hourly"] = pa.Table.from_pylist(
        [r for r in expired if r["date"] > keep], schema=TABLES["content_hourly"].schema
    )
    builder = ContentStateBuilder(memory, Settings())
    for later in (1, 2):
        builder.refresh(NOW + timedelta(days=later))
        (row,) = memory.tables["content_metrics"].to_pylist()
        assert (row["peak_views_per_hour"], row["peak_at"]) == (800 / 24, before["peak_at"])


def test_the_median_is_within_one_percent(memory: MemoryEngine) -> None:
    from math import ceil, log

    seconds = [0.0, 0.0, 2.0, 5.0, 30.0, 31.0, 400.0]
    state(memory, [item({30: 7})])
    rows = [
        {
            "date": (THIS_HOUR - 30 * HOUR).date(), "workspace_id": "w", "content_id": "c", "creator_id": "k",
            "bucket": ceil(log(s) / log(1.01 / 0.99)) if s else None, "views": 1,
        }
        for s in seconds
    ]  # fmt: skip
    memory.tables["view_times_daily"] = pa.Table.from_pylist(rows, schema=TABLES["view_times_daily"].schema)
    ContentStateBuilder(memory, Settings()).refresh(NOW)
    (row,) = memory.tables["content_metrics"].to_pylist()
    assert row["median_watch_time"] == pytest.approx(5.0, rel=0.01)
