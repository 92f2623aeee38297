"""Content and creators in the tables everything later reads: canonical metrics, weeks, months, distinct people."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given

from metrics_pipeline.aggregation.build import Builder
from metrics_pipeline.aggregation.content import ContentBuilder
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.windows import Window, week_start_of
from metrics_pipeline_tests.aggregation.examples import histories
from metrics_pipeline_tests.content.events import FIRST, Event, at, day, empty, event, histories_of_events, store
from metrics_pipeline_tests.content.oracle import Oracle, Row

WINDOW = Window.of_days(FIRST.date(), FIRST.date() + timedelta(days=4))
NOW = FIRST + timedelta(days=40)
Key = tuple[date, str, str, str, str]


def build(content: ContentBuilder, window: Window = WINDOW) -> None:
    builder = Builder(content.engine, content.catalog, content.settings)
    content.daily(window, NOW)
    builder.daily("content", window, NOW)
    builder.daily("creator", window, NOW)
    builder.daily("workspace", window, NOW)
    builder.weekly(window, NOW)
    builder.monthly(window, NOW)


def table(content: ContentBuilder, name: str, period: str = "date") -> dict[Key, Row]:
    with content.engine.session() as session:
        rows: list[dict[str, Any]] = session.run(f"select * from {name}").read_all().to_pylist()
    return {(r[period], r["workspace_id"], r["entity_type"], r["entity_id"], r["metric"]): r for r in rows}


def values_of(row: Row) -> dict[str, float | None]:
    """Canonical metrics of one row of counts."""
    likes, saves = row["likes"] - row["unlikes"], row["saves"] - row["unsaves"]
    engagement = likes + row["comments"] + row["shares"] + saves
    completed = row["completed_full"] + 0.75 * row["over_75"] + 0.5 * row["over_50"] + 0.25 * row["over_25"]
    views, told = row["views"], row["views_with_progress"]
    same = (
        "views", "impressions", "feed_impressions", "swiped_away", "views_with_progress", "watch_time_seconds",
        "comments", "shares", "follows", "unfollows", "rewatches", "loops", "duets", "stitches", "sound_uses", "hides",
        "not_interested", "unique_viewers",
    )  # fmt: skip
    return {name: row[name] for name in same} | {
        "likes": likes,
        "saves": saves,
        "engagement": engagement,
        "full_views": row["completed_full"],
        "content_reports": row["reports"],
        "engagement_rate": engagement / views if views else None,
        "share_rate": row["shares"] / views if views else None,
        "average_watch_time": row["watch_time_seconds"] / views if views else None,
        "completion_rate": completed / told if told else None,
    }


def above(row: Row) -> list[tuple[str, str]]:
    """Whose sums a row of content goes into."""
    creator = [("creator", row["creator_id"])] if row["creator_id"] is not None else []
    return [*creator, ("workspace", row["workspace_id"])]


def expected_days(oracle: Oracle) -> dict[Key, float | None]:
    found: dict[Key, float | None] = {}
    sums: dict[tuple[Any, ...], Row] = defaultdict(lambda: defaultdict(int))
    for row in oracle.content_daily():
        for metric, value in values_of(row).items():
            found[row["date"], row["workspace_id"], "content", row["content_id"], metric] = value
        for mine in (sums[row["date"], row["workspace_id"], kind, name] for kind, name in above(row)):
            for column, count in row.items():
                if isinstance(count, int | float):
                    mine[column] += count
    for e in oracle.events:
        if e["event_type"] in ("follow", "unfollow") and e["content_id"] is None and e["creator_id"] is not None:
            for kind, name in above(e):
                sums[e["date"], e["workspace_id"], kind, name][e["event_type"] + "s"] += 1
    for (on, workspace, kind, name), counts in sums.items():
        viewers = {
            r["viewer_hash"]
            for r in oracle.viewer_days()
            if (r["date"], r["workspace_id"]) == (on, workspace) and (kind, name) in above(r)
        }
        for metric, value in values_of(counts | {"unique_viewers": len(viewers)}).items():
            found[on, workspace, kind, name, metric] = value
    return found


@histories(6)
@given(events=histories_of_events())
def test_days_of_contents_and_creators_are_what_their_events_say(
    content: ContentBuilder, lake: Lake, events: list[Event]
) -> None:
    empty(lake)
    store(lake, events)
    build(content)
    oracle = Oracle(events, [], timedelta(hours=24))
    expected = expected_days(oracle)
    rows = table(content, "daily_metrics")
    assert rows.keys() == expected.keys()
    for key, value in expected.items():
        assert rows[key]["value"] == (None if value is None else pytest.approx(value)), key
        assert rows[key]["platform"] == "app"

    weeks = table(content, "weekly_metrics", "week_start")
    for (start, workspace, kind, name, metric), week in weeks.items():
        days = [
            r
            for (d, *same, m), r in rows.items()
            if week_start_of(d, 0) == start and (*same, m) == (workspace, kind, name, metric)
        ]
        assert days
        if catalog().metrics[metric].additivity == "additive":
            assert week["value"] == pytest.approx(sum(r["value"] for r in days))
        elif metric != "unique_viewers":
            over, under = sum(r["numerator"] for r in days), sum(r["denominator"] for r in days)
            assert week["value"] == (pytest.approx(over / under) if under else None)
        else:
            end = start + timedelta(days=7)
            mine = [r for r in oracle.viewer_days() if start <= r["date"] < end and r["workspace_id"] == workspace]
            people = {r["viewer_hash"] for r in mine if r[f"{kind}_id"] == name}  # workspace_id, too
            assert week["value"] == len(people)


def test_people_of_a_period_are_counted_not_summed(content: ContentBuilder, lake: Lake) -> None:
    # three people: one on both days and both contents, two on one each; the month and the week hold all three
    views = [
        ("2026-03-03 10:00", "c1", 1),
        ("2026-03-04 10:00", "c1", 1),
        ("2026-03-04 11:00", "c2", 1),
        ("2026-03-04 12:00", "c2", 2),
        ("2026-03-03 12:00", "c1", 3),
    ]
    store(
        lake,
        [
            event("view_start", at(t), f"e{n}", content_id=item, viewer_hash=who, creator_id="ann", session_id=f"s{n}")
            for n, (t, item, who) in enumerate(views)
        ],
    )
    build(content, Window.of_days(day("2026-03-03"), day("2026-03-05")))
    daily = table(content, "daily_metrics")
    uniques = {k[:1] + k[2:4]: r["value"] for k, r in daily.items() if k[4] == "unique_viewers"}
    assert uniques == {
        (day("2026-03-03"), "content", "c1"): 2,
        (day("2026-03-04"), "content", "c1"): 1,
        (day("2026-03-04"), "content", "c2"): 2,
        (day("2026-03-03"), "creator", "ann"): 2,
        (day("2026-03-04"), "creator", "ann"): 2,
        (day("2026-03-03"), "workspace", "acme"): 2,
        (day("2026-03-04"), "workspace", "acme"): 2,
    }
    for name, period in (("weekly_metrics", "week_start"), ("monthly_metrics", "month_start")):
        found = {k[2:4]: r for k, r in table(content, name, period).items() if k[4] == "unique_viewers"}
        assert {k: r["value"] for k, r in found.items()} == {
            ("content", "c1"): 2,
            ("content", "c2"): 2,
            ("creator", "ann"): 3,
            ("workspace", "acme"): 3,
        }
        assert all(r["is_complete"] and r["total"] is None for r in found.values())


def test_periods_whose_viewers_are_gone_say_so(content: ContentBuilder, lake: Lake) -> None:
    store(lake, [event("view_start", at("2026-03-03 10:00"), "e1")])
    window = Window.of_day(day("2026-03-03"))
    build(content, window)
    builder = Builder(content.engine, content.catalog, content.settings)
    builder.monthly(window, NOW + timedelta(days=90))
    rows = {k[4]: r for k, r in table(content, "monthly_metrics", "month_start").items()}
    assert rows["views"]["value"] == 1
    assert rows["unique_viewers"]["value"] is None
    assert "no longer kept" in rows["unique_viewers"]["reason"]


def test_days_of_workspaces_whose_viewers_are_gone_keep_what_was_counted(content: ContentBuilder, lake: Lake) -> None:
    store(lake, [event("view_start", at("2026-03-03 10:00"), "e1")])
    window = Window.of_day(day("2026-03-03"))
    build(content, window)
    before = table(content, "daily_metrics")
    lake.delete("viewer_days", "true")
    builder = Builder(content.engine, content.catalog, content.settings)
    builder.daily("workspace", window, NOW + timedelta(days=90))
    after = table(content, "daily_metrics")
    assert {k: r["value"] for k, r in after.items()} == {k: r["value"] for k, r in before.items()}
    assert after[day("2026-03-03"), "acme", "workspace", "acme", "unique_viewers"]["value"] == 1


def test_a_running_day_is_incomplete_and_late_events_make_days_provisional(content: ContentBuilder, lake: Lake) -> None:
    store(lake, [event("view_start", at(f"2026-03-0{n} 10:00"), f"e{n}") for n in (1, 2, 8)])
    window, now = Window.of_days(day("2026-03-01"), day("2026-03-09")), at("2026-03-08 12:00")
    content.daily(window, now)
    Builder(content.engine, content.catalog, content.settings).daily("content", window, now)
    rows = {k[0]: r for k, r in table(content, "daily_metrics").items() if k[4] == "views"}
    assert [(r["is_complete"], r["is_provisional"]) for _, r in sorted(rows.items())] == [
        (True, True),
        (True, True),
        (False, True),
    ]
    assert rows[day("2026-03-08")]["last_read_at"] == now
    Builder(content.engine, content.catalog, content.settings).daily("content", window, at("2026-03-09 00:00"))
    rows = {k[0]: r for k, r in table(content, "daily_metrics").items() if k[4] == "views"}
    assert [r["is_provisional"] for _, r in sorted(rows.items())] == [False, True, True]


def test_a_day_without_events_is_a_day_without_views(content: ContentBuilder, lake: Lake) -> None:
    # last week: Tuesday 2, Friday 5; this week: Monday 1, Tuesday 2; today is Thursday
    counts = {"2026-03-03": 2, "2026-03-06": 5, "2026-03-09": 1, "2026-03-10": 2}
    store(
        lake,
        [
            event("view_start", at(f"{on} 10:00") + timedelta(minutes=n), f"{on}-{n}", session_id=f"s{on}{n}")
            for on, count in counts.items()
            for n in range(count)
        ],
    )
    window, now = Window.of_days(day("2026-03-02"), day("2026-03-12")), at("2026-03-12 09:00")
    builder = Builder(content.engine, content.catalog, content.settings)
    content.daily(window, now)
    builder.daily("content", window, now)
    builder.weekly(window, now)
    rows = {k[0]: r for k, r in table(content, "weekly_metrics", "week_start").items() if k[4] == "views"}
    closed, running = rows[day("2026-03-02")], rows[day("2026-03-09")]
    assert (closed["value"], closed["is_complete"], closed["days_present"], closed["days_expected"]) == (7, True, 2, 7)
    assert (running["value"], running["growth_state"], running["compared_days"]) == (3, "partial", 3)
    assert (running["compared_value"], running["compared_previous"], running["growth_rate"]) == (3, 2, 0.5)

    builder.weekly(window, now + timedelta(days=7))
    later = {k[0]: r for k, r in table(content, "weekly_metrics", "week_start").items() if k[4] == "views"}
    assert later[day("2026-03-09")]["growth_state"] == "ok"
    assert later[day("2026-03-09")]["growth_rate"] == pytest.approx((3 - 7) / 7)
