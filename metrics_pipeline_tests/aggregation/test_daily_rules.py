"""The rules of a day, one example each, from readings to the row."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from metrics_pipeline.aggregation.build import Builder
from metrics_pipeline.catalog.loader import Catalog, catalog
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.aggregation.memory_engine import MemoryEngine
from metrics_pipeline_tests.aggregation.readings import Row, World, at, counter, day, insight, post, status

NOW = at("2026-04-20 00:00")
TYPES = ("post", "account", "workspace")


def build(memory: MemoryEngine, builder: Builder, world: World, first: str, last: str) -> dict[tuple[object, ...], Row]:
    """Rows by (entity id, platform, metric, day) of the days from first to last, both included."""
    memory.clear()
    world.write(memory)
    window = Window.of_days(day(first), day(last).fromordinal(day(last).toordinal() + 1))
    for kind in TYPES:
        builder.daily(kind, window, NOW)  # type: ignore[arg-type]  # a tuple of literals is a tuple of str
    rows = memory.tables["daily_metrics"].to_pylist()
    return {(r["entity_id"], r["platform"], r["metric"], r["date"]): r for r in rows}


def test_a_counter_adds_what_it_rose_and_may_fall(memory: MemoryEngine, memory_builder: Builder) -> None:
    seen = [("2026-03-02 10:50", 5), ("2026-03-02 23:50", 8), ("2026-03-03 23:50", 6), ("2026-03-06 23:50", 12)]
    world = World(
        counters=[counter("views", at(t), v, post_id="p") for t, v in seen], posts=[post("p", at("2026-03-02 09:00"))]
    )
    rows = build(memory, memory_builder, world, "2026-03-02", "2026-03-06")
    found = [rows["p", "instagram", "views", date(2026, 3, n)] for n in (2, 3, 6)]
    assert [(r["value"], r["lifetime_value"], r["days_spanned"], r["is_complete"]) for r in found] == [
        (8, 8, 1, True),  # all of it is new: the post was published that day
        (-2, 6, 1, True),  # never clamped
        (6, 12, 3, False),  # a lump over three days
    ]
    assert ("p", "instagram", "views", date(2026, 3, 4)) not in rows
    assert rows["main", "instagram", "views", date(2026, 3, 2)]["source"] == "posts"


def test_sources_take_precedence_and_a_failed_one_gives_way(memory: MemoryEngine, memory_builder: Builder) -> None:
    days = [day(f"2026-03-0{n}") for n in (2, 3, 4, 5)]
    closing = [counter("views", at(f"2026-03-0{n} 23:50"), 10.0 * n) for n in (1, 2, 3)]
    of_posts = [counter("views", at(f"2026-03-0{n} 23:50"), 2.0 * n, post_id="p") for n in (1, 2, 3, 4, 5)]
    world = World(
        [insight("views", days[0], 1)] + [insight("views", d, 7, source="import") for d in days[:3]],
        closing + of_posts,
        [post("p", at("2026-03-01 09:00"))],
        [status("views", d, "failed") for d in days],
    )
    rows = build(memory, memory_builder, world, "2026-03-02", "2026-03-05")
    found = [rows["main", "instagram", "views", d] for d in days]
    assert [(r["source"], r["value"]) for r in found] == [("series", 1), ("counter", 10), ("import", 7), ("posts", 2)]


def test_growth_of_followers_crosses_from_an_import_to_what_is_read(
    memory: MemoryEngine, memory_builder: Builder
) -> None:
    world = World(
        [insight("followers", day("2026-03-02"), 100, source="import")],
        [counter("followers", at("2026-03-03 23:50"), 90, kind="gauge")],
    )
    rows = build(memory, memory_builder, world, "2026-03-02", "2026-03-03")
    growth = rows["main", "instagram", "follower_growth", day("2026-03-03")]
    assert (growth["value"], growth["is_complete"]) == (-10, True)


def test_a_day_in_a_range_looks_back_no_further_than_alone(memory: MemoryEngine, memory_builder: Builder) -> None:
    world = World(
        counters=[
            counter("followers", at("2026-02-01 23:50"), 10, kind="gauge"),
            counter("followers", at("2026-03-20 23:50"), 30, kind="gauge"),
        ]
    )
    for first in ("2026-02-20", "2026-03-20"):
        rows = build(memory, memory_builder, world, first, "2026-03-20")
        growth = rows["main", "instagram", "follower_growth", day("2026-03-20")]
        assert (growth["value"], growth["state"]) == (None, "unknown")


def test_engagement_of_parts_that_all_failed_has_no_value_but_a_row(
    memory: MemoryEngine, memory_builder: Builder
) -> None:
    measured = day("2026-03-02")
    world = World(
        [insight("likes", measured, 4, account="fine"), insight("views", measured, 50)],
        statuses=[status("likes", measured, "failed"), status("comments", measured, "not_supported")],
    )
    rows = build(memory, memory_builder, world, "2026-03-02", "2026-03-02")
    engagement = rows["main", "instagram", "engagement", measured]
    assert (engagement["value"], engagement["state"], engagement["reason"]) == (
        None,
        "no_components",
        "no value for likes",
    )
    assert rows["main", "instagram", "engagement_rate", measured]["state"] == "no_components"
    whole = rows["acme", "instagram", "engagement", measured]
    assert (whole["value"], whole["entities_present"], whole["entities_expected"]) == (4, 1, 2)
    assert not whole["is_complete"]


def test_a_platform_nobody_asked_today_is_no_drop(memory: MemoryEngine, memory_builder: Builder) -> None:
    def level(text: str, value: float, platform: str) -> Row:
        return counter("followers", at(text), value, kind="gauge", platform=platform, account=platform)

    world = World(counters=[level("2026-03-01 23:50", 900, "youtube")])
    world.counters += [level(f"2026-03-{n:02} 23:50", 100, "x") for n in range(1, 11)]
    rows = build(memory, memory_builder, world, "2026-03-01", "2026-03-10")
    sums = {n: rows["acme", "all", "followers", date(2026, 3, n)] for n in range(1, 11)}
    assert [sums[n]["value"] for n in (1, 2, 8)] == [1000, 1000, 1000]
    assert [sums[n]["is_complete"] for n in (1, 2, 8)] == [True, False, False]
    assert (sums[2]["entities_present"], sums[2]["entities_expected"]) == (1, 2)
    assert sums[2]["reason"] == "1 of 2 accounts with an earlier value"
    # asked by nobody for more than a week: no longer one of the workspace's accounts
    assert (sums[9]["value"], sums[9]["is_complete"], sums[9]["entities_expected"]) == (100, True, 1)
    assert ("acme", "youtube", "followers", date(2026, 3, 2)) not in rows


def test_a_level_that_keeps_failing_makes_the_sum_unknown_after_a_week(
    memory: MemoryEngine, memory_builder: Builder
) -> None:
    failing = [
        status("followers", date(2026, 3, n), "failed", account="b", collection="counters") for n in range(2, 11)
    ]
    world = World(
        counters=[counter("followers", at("2026-03-01 23:50"), 40, kind="gauge", account="b")]
        + [counter("followers", at(f"2026-03-{n:02} 23:50"), 60, kind="gauge", account="a") for n in range(1, 11)],
        statuses=failing,
    )
    rows = build(memory, memory_builder, world, "2026-03-01", "2026-03-10")
    sums = {n: rows["acme", "instagram", "followers", date(2026, 3, n)] for n in (1, 8, 9)}
    assert [sums[n]["value"] for n in (1, 8, 9)] == [100, 100, None]
    assert sums[9]["reason"] == "1 of 2 accounts without a value for more than 7 days"


def test_distinct_people_pass_through_one_account_and_are_never_summed(
    memory: MemoryEngine, memory_builder: Builder
) -> None:
    measured = day("2026-03-02")
    world = World(
        [
            insight("reach", measured, v, account=a, workspace=w)
            for v, a, w in ((7, "a", "w1"), (8, "b", "w2"), (9, "c", "w2"))
        ]
    )
    rows = build(memory, memory_builder, world, "2026-03-02", "2026-03-02")
    assert rows["w1", "instagram", "reach", measured]["value"] == 7
    both = rows["w2", "instagram", "reach", measured]
    assert (both["value"], both["state"]) == (None, "not_supported")
    assert both["reason"] == "distinct people cannot be summed over accounts"


def test_only_comparable_units_are_summed_over_platforms(memory: MemoryEngine, memory_builder: Builder) -> None:
    measured = day("2026-03-02")
    world = World([insight(m, measured, 3, platform=p) for m in ("likes", "views") for p in ("x", "instagram")])
    rows = build(memory, memory_builder, world, "2026-03-02", "2026-03-02")
    assert rows["acme", "all", "likes", measured]["value"] == 6
    assert ("acme", "all", "views", measured) not in rows


def test_where_the_platform_zeroes_old_values_the_largest_read_stands(memory: MemoryEngine) -> None:
    measured = day("2026-03-02")
    reads = [("2026-03-03 01:00", 5.0), ("2026-03-04 01:00", 8.0), ("2026-03-09 01:00", 0.0)]
    world = World([insight("likes", measured, v, read_at=at(t)) for t, v in reads])
    newest = build(memory, Builder(memory, catalog(), Settings()), world, "2026-03-02", "2026-03-02")
    largest = build(memory, Builder(memory, _keeping_maximum(), Settings()), world, "2026-03-02", "2026-03-02")
    assert newest["main", "instagram", "likes", measured]["value"] == 0
    assert largest["main", "instagram", "likes", measured]["value"] == 8


def test_a_day_that_keeps_its_largest_read_is_complete_by_its_latest(memory: MemoryEngine) -> None:
    measured = day("2026-03-02")
    reads = [("2026-03-02 12:00", 8.0), ("2026-03-02 20:00", 7.0), ("2026-03-04 01:00", 0.0)]
    for known, is_complete in ((2, False), (3, True)):
        world = World([insight("likes", measured, v, read_at=at(t)) for t, v in reads[:known]])
        rows = build(memory, Builder(memory, _keeping_maximum(), Settings()), world, "2026-03-02", "2026-03-02")
        row = rows["main", "instagram", "likes", measured]
        assert (row["value"], row["is_complete"]) == (8, is_complete)
        assert row["last_read_at"] == at(reads[known - 1][0])


def test_reads_of_a_whatsapp_template_outlive_their_expiry(memory: MemoryEngine, memory_builder: Builder) -> None:
    measured = day("2026-03-02")
    reads = [
        ("2026-03-03 02:30", 40.0),
        ("2026-03-05 02:30", 55.0),
        ("2026-03-09 02:30", 12.0),
        ("2026-03-10 02:30", 0.0),
    ]
    world = World(
        [insight("messages_read", measured, v, read_at=at(t), platform="whatsapp", post_id="t") for t, v in reads]
        + [insight("messages_sent", measured, v, read_at=at(t), platform="whatsapp", post_id="t") for t, v in reads[:3]]
    )
    rows = build(memory, memory_builder, world, "2026-03-02", "2026-03-02")
    found = [rows["t", "whatsapp", metric, measured] for metric in ("messages_read", "messages_sent")]
    assert [(row["value"], row["last_read_at"]) for row in found] == [(55, at(reads[3][0])), (12, at(reads[2][0]))]


def test_a_part_of_the_messages_is_no_sum_for_the_account(memory: MemoryEngine, memory_builder: Builder) -> None:
    measured = day("2026-03-02")
    numbers = {"messages_sent": 9, "messages_delivered": 8, "messages_read": 4, "button_clicks": 3}
    world = World(
        [insight(m, measured, v, platform="whatsapp", post_id="t") for m, v in numbers.items()]
        + [insight("messages_delivered", measured, 20, platform="whatsapp")],
        statuses=[status("message_templates", measured, "value", collection="counters", platform="whatsapp")],
    )
    rows = build(memory, memory_builder, world, "2026-03-02", "2026-03-02")
    found = {(key[0], key[2]): row["value"] for key, row in rows.items() if key[0] in ("t", "main")}
    assert found["t", "read_rate"] == 0.5
    assert found["main", "messages_delivered"] == 20
    assert found["main", "button_clicks"] == 3
    absent = ("messages_sent", "messages_read", "read_rate", "delivery_rate", "posts_published")
    assert not {("main", metric) for metric in absent} & set(found)


def _keeping_maximum() -> Catalog:
    own = catalog()
    spec = own.platforms["instagram"]
    sources = [s.model_copy(update={"rule": "maximum"}) if s.metric == "likes" else s for s in spec.sources]
    return replace(own, platforms={**own.platforms, "instagram": spec.model_copy(update={"sources": sources})})


def test_days_are_utc_whatever_the_clocks_do(memory: MemoryEngine, memory_builder: Builder) -> None:
    # 2026-03-08 has 23 hours in Los Angeles and 2026-03-29 has 23 in Berlin
    seen: list[datetime] = [at(f"2026-03-{n:02} 23:50") for n in range(6, 31)]
    world = World(counters=[counter("views", t, 10.0 * t.day) for t in seen])
    rows = build(memory, memory_builder, world, "2026-03-07", "2026-03-30")
    found = [r for key, r in rows.items() if key[2] == "views" and key[0] == "main"]
    assert len(found) == 24
    assert {(r["value"], r["is_complete"]) for r in found} == {(10.0, True)}


def test_a_week_says_why_it_is_not_whole(memory: MemoryEngine, memory_builder: Builder) -> None:
    world = World(
        insights=[insight("views", day(f"2026-03-{n:02}"), 10.0) for n in (9, 10, 11, 12, 14)],
        statuses=[status("views", day("2026-03-13"), "failed", reason="no answer")],
    )
    build(memory, memory_builder, world, "2026-03-09", "2026-03-15")
    memory_builder.weekly(Window.of_day(day("2026-03-09")), NOW)
    rows = memory.tables["weekly_metrics"].to_pylist()
    (week,) = (row for row in rows if row["metric"] == "views" and row["entity_type"] == "account")
    assert (week["value"], week["days_present"], week["is_complete"]) == (50.0, 5, False)
    assert week["reason"] == "5 of 7 days have a value: no answer"


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Europe/Berlin", "Asia/Kolkata", "Pacific/Auckland", "UTC"])
@pytest.mark.parametrize(
    "measured", ["2026-03-08", "2026-03-29", "2025-10-26", "2025-11-02", "2024-02-29", "2024-12-31"]
)
def test_a_day_is_complete_once_it_is_over_where_it_was_counted(
    memory: MemoryEngine, memory_builder: Builder, zone: str, measured: str
) -> None:
    """Whatever the clocks of that place did on that day: it has 23, 24 or 25 hours."""
    counted = day(measured)
    over = datetime.combine(counted + timedelta(days=1), datetime.min.time(), ZoneInfo(zone)).astimezone(UTC)
    for read, complete in ((over - timedelta(seconds=1), False), (over, True)):
        world = World(insights=[insight("views", counted, 5.0, read_at=read, day_timezone=zone)])
        rows = build(memory, memory_builder, world, measured, measured)
        assert rows["main", "instagram", "views", counted]["is_complete"] is complete


def test_what_nobody_read_is_stale_for_a_week_and_never_a_zero(memory: MemoryEngine, memory_builder: Builder) -> None:
    world = World(counters=[counter("followers", at("2026-03-02 23:50"), 10, kind="gauge")])
    rows = build(memory, memory_builder, world, "2026-03-02", "2026-03-12")
    states = {n: rows.get(("main", "instagram", "followers", date(2026, 3, n))) for n in range(2, 13)}
    assert [n for n, row in states.items() if row and row["state"] == "stale"] == list(range(3, 10))
    assert all(row is None for n, row in states.items() if n > 9)
    third = states[3]
    assert third is not None
    assert (third["value"], third["is_complete"], third["reason"]) == (None, False, "last read at 2026-03-02 23:50")
