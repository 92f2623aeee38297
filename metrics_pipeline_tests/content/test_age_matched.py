"""Views against what the creator's other items had at the same age: by brute force, and where there is no answer."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics_pipeline.aggregation.content_state import ContentStateBuilder
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.aggregation.memory_engine import MemoryEngine
from metrics_pipeline_tests.content.state_oracle import HOUR, Item, age_matched
from metrics_pipeline_tests.content.test_content_state import NOW, THIS_HOUR, near, state


@pytest.fixture(scope="module")
def memory() -> MemoryEngine:
    return MemoryEngine()


@st.composite
def creators_items(draw: st.DrawFn) -> list[Item]:
    """Up to 60 items of few creators and kinds, some published in one moment, over two weeks."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    spread = draw(st.sampled_from((4, 60, 340)))
    items = []
    for number in range(draw(st.integers(1, 60))):
        made = Item(rng.choice(("w", "w", "x")), f"c{number:02}", rng.choice(("k", "k", "k", "l", None)))
        age = rng.randrange(spread)
        since = NOW - age * HOUR - timedelta(minutes=rng.choice((0, 10, 20, 21, 50)))
        first = since.replace(minute=0)
        for _ in range(rng.randint(1, 6)):
            at = first + rng.randrange(age + 1) * HOUR
            if at <= NOW:
                made.hours[at]["views"] += rng.choice((0, 1, 3, 10))
        if rng.random() < 0.05:
            made.hours[first - 3 * HOUR]["views"] += 2  # before it was published
        made.published_at = None if rng.random() < 0.1 else since
        made.kind = rng.choice(("video", "video", "video", "short", None))
        made.deleted_at = NOW if rng.random() < 0.05 else None
        items.append(made)
    return items


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(creators_items(), st.booleans(), st.sampled_from((90, 90, 11, 5)))
def test_every_item_is_compared_at_its_age(
    memory: MemoryEngine, items: list[Item], closes: bool, events_days: int
) -> None:
    found = state(memory, items, closes=closes, events_days=events_days)
    oldest = NOW.date() - timedelta(days=events_days)
    for one in items:
        row = found[one.workspace, one.content]
        expected = age_matched(one, items, THIS_HOUR, NOW, oldest)
        told = (row["age_matched_views"], row["age_matched_items"], row["vs_age_matched"])
        if expected is None:
            assert told == (None, None, None)
        else:
            assert told == (near(expected.expected), expected.items, near(expected.ratio))


def course(content: str, since: datetime, views: list[int]) -> Item:
    """An item with these views in its first hours."""
    made = Item("w", content, "k", published_at=since)
    for n, count in enumerate(views):
        made.hours[since + n * HOUR]["views"] = count
    return made


def told(row: dict[str, Any]) -> tuple[object, object, object]:
    return row["age_matched_views"], row["age_matched_items"], row["vs_age_matched"]


def test_what_came_after_the_age_of_the_item_is_not_held_against_it(memory: MemoryEngine) -> None:
    others = [course(f"o{n}", THIS_HOUR - (50 + n) * HOUR, [10, 20, 4000]) for n in range(3)]
    young = course("young", THIS_HOUR - 2 * HOUR, [30, 30])
    assert told(state(memory, [*others, young])["w", "young"]) == (30, 3, 2)


def test_one_extreme_of_ten_on_either_side_is_left_out(memory: MemoryEngine) -> None:
    counts = [0, 10, 10, 10, 10, 20, 20, 20, 20, 9000]
    others = [course(f"o{n}", THIS_HOUR - (50 + n) * HOUR, [count]) for n, count in enumerate(counts)]
    young = course("young", THIS_HOUR - 2 * HOUR, [45])
    assert told(state(memory, [*others, young])["w", "young"]) == (15, 10, 3)
    assert told(state(memory, [*others[1:], young])["w", "young"])[:2] == (pytest.approx(9120 / 9), 9)


@pytest.mark.parametrize(("others", "views", "ratio"), [(2, 5, None), (3, 5, 2), (3, 0, None)])
def test_there_is_no_ratio_to_few_items_or_to_nothing(
    memory: MemoryEngine, others: int, views: int, ratio: float | None
) -> None:
    items = [course(f"o{n}", THIS_HOUR - (50 + n) * HOUR, [views, 7]) for n in range(others)]
    young = course("young", THIS_HOUR - HOUR, [10])
    assert told(state(memory, [*items, young])["w", "young"]) == (views, others, ratio)


def test_a_publication_that_was_corrected_waits_for_the_next_close(memory: MemoryEngine) -> None:
    # hours of closed days were put in order by the old age: until they are counted anew there is no number
    old = NOW - timedelta(days=12)
    items = [course(f"o{n}", old.replace(minute=0) - n * HOUR, [5, 5]) for n in range(4)]
    before = state(memory, items, closes=True)["w", "o0"]
    assert before["age_matched_items"] == 3
    moved = memory.tables["content"].to_pylist()
    for row in moved:
        row["published_at"] -= 5 * HOUR
    memory.tables["content"] = type(memory.tables["content"]).from_pylist(moved, memory.tables["content"].schema)
    builder = ContentStateBuilder(memory, Settings())
    builder.refresh(NOW)
    assert {r["age_matched_items"] for r in memory.tables["content_metrics"].to_pylist()} == {None}
    builder.close(NOW)
    builder.refresh(NOW)
    assert {r["age_matched_items"] for r in memory.tables["content_metrics"].to_pylist()} == {0, 1, 2, 3}


def test_closed_days_and_the_days_after_them_make_one_course(memory: MemoryEngine) -> None:
    since = datetime(2026, 3, 3, tzinfo=UTC)
    items = [course(f"o{n}", since - n * HOUR, [1] * 24 * 14) for n in range(4)]
    found = state(memory, items, closes=True)
    assert {r["through_date"] for r in memory.tables["content_ages"].to_pylist()} == {date(2026, 3, 10)}
    assert told(found["w", "o0"]) == (14 * 24, 3, 1)
