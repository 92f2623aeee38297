"""The laws of the simulated numbers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics_pipeline.sandbox.ids import PostRef, numeric_id, parse_numeric_id, parse_video_id, video_id
from metrics_pipeline.sandbox.posts import COUNTERS
from metrics_pipeline.sandbox.reach import people
from metrics_pipeline.sandbox.series import INSTAGRAM_SETTLING, YOUTUBE_SETTLING, increments
from metrics_pipeline.sandbox.world import AccountWorld, World
from metrics_pipeline.sandbox.youtube_resources import rounded_down
from metrics_pipeline.sandbox.zones import DAY_SECONDS, HOUR_SECONDS, PACIFIC, day_edges

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC).timestamp()
LONG_AFTER = NOW + 400 * DAY_SECONDS
platforms = st.sampled_from(
    ["facebook", "instagram", "linkedin", "pinterest", "threads", "tiktok", "whatsapp", "x", "youtube"]
)
names = st.text(min_size=1, max_size=24).filter(lambda text: not text.startswith("missing"))
accounts = st.builds(AccountWorld, st.integers(0, 99), platforms, st.from_regex(r"[1-9][0-9]{3,16}", fullmatch=True))
instants = st.integers(int(NOW) - 500 * DAY_SECONDS, int(NOW))


@given(platforms.filter(lambda p: p != "youtube"), names, st.integers(0, 99_999))
def test_numeric_ids_lead_back_to_their_post(platform: str, external_id: str, index: int) -> None:
    ref = PostRef(external_id, index)
    assert parse_numeric_id(platform, numeric_id(platform, ref)) == ref


@given(names, st.integers(0, 99_999))
def test_video_ids_lead_back_to_their_video_and_hold_no_separator(external_id: str, index: int) -> None:
    made = video_id(PostRef(external_id, index))
    assert parse_video_id(made) == PostRef(external_id, index)
    assert not set(made) & set(",;=+ ")


def test_ids_of_one_account_rise_with_time() -> None:
    ids = [int(numeric_id("x", PostRef("44", index))) for index in (0, 9, 10, 999, 1_000, 99_999)]
    assert ids == sorted(ids)


def test_account_ids_are_not_taken_for_posts() -> None:
    assert parse_numeric_id("instagram", "17841400000000001") is None
    assert parse_numeric_id("x", "1993000000000000001") is None


@settings(deadline=None, max_examples=30)
@given(accounts, instants, st.integers(1, 60 * HOUR_SECONDS))
def test_nothing_ever_falls_except_the_follower_level(account: AccountWorld, start: int, seconds: int) -> None:
    end = start + seconds
    assert account.attention(start) < account.attention(end)
    assert account.gained(start) <= account.gained(end)
    assert account.lost(start) <= account.lost(end)
    for post in account.active_posts(start, end):
        for name in COUNTERS:
            assert 0 <= account.counter(post, name, start) <= account.counter(post, name, end)


@settings(deadline=None, max_examples=30)
@given(accounts, instants, st.integers(1, 40))
def test_days_videos_and_the_account_total_agree(account: AccountWorld, start: int, days: int) -> None:
    first = datetime.fromtimestamp(start, UTC).date() - timedelta(days=days)
    edges = day_edges(first, first + timedelta(days=days - 1), PACIFIC)
    posts = account.active_posts(edges[0], edges[-1])
    table = increments(account, posts, ["views", "likes"], edges, LONG_AFTER, YOUTUBE_SETTLING)
    for name, by_day in table.items():
        assert int(by_day.sum()) == account.total(name, edges[-1]) - account.total(name, edges[0])
        for place, post in enumerate(posts):
            change = account.counter(post, name, edges[-1]) - account.counter(post, name, edges[0])
            assert int(by_day[place].sum()) == change


@settings(deadline=None, max_examples=30)
@given(accounts, instants)
def test_the_follower_level_is_what_came_minus_what_left(account: AccountWorld, start: int) -> None:
    end = start + DAY_SECONDS
    change = (account.gained(end) - account.gained(start)) - (account.lost(end) - account.lost(start))
    assert account.followers(end) - account.followers(start) == change
    assert account.followers(start) > 0


@settings(deadline=None, max_examples=30)
@given(accounts, instants, st.integers(0, 10 * 24), st.integers(1, 10 * 24))
def test_a_day_only_grows_while_it_settles_and_then_stands(
    account: AccountWorld, start: int, hours: int, more: int
) -> None:
    edges = day_edges(datetime.fromtimestamp(start, UTC).date(), datetime.fromtimestamp(start, UTC).date(), PACIFIC)
    posts = account.active_posts(edges[0], edges[1])

    def seen(at: float) -> int:
        return int(increments(account, posts, ["views"], edges, at, INSTAGRAM_SETTLING)["views"].sum())

    early, later = edges[0] + hours * HOUR_SECONDS, edges[0] + (hours + more) * HOUR_SECONDS
    final = seen(LONG_AFTER)
    assert seen(early) <= seen(later) <= final
    assert seen(edges[1] + INSTAGRAM_SETTLING.seconds) == final
    assert seen(edges[0]) == 0


def test_a_young_day_is_visibly_low() -> None:
    account = AccountWorld(7, "instagram", "17841400000000001")
    edges = day_edges(date(2026, 11, 18), date(2026, 11, 18), PACIFIC)
    posts = account.active_posts(*edges)
    young = increments(account, posts, ["views"], edges, edges[1] + 3_600, INSTAGRAM_SETTLING)["views"].sum()
    final = increments(account, posts, ["views"], edges, LONG_AFTER, INSTAGRAM_SETTLING)["views"].sum()
    assert 0.7 * final < young < 0.95 * final


@given(st.lists(st.integers(0, 50_000), min_size=1, max_size=31), st.floats(2_000, 120_000))
def test_people_obey_the_laws_of_uniques(days: list[int], audience: float) -> None:
    parts, whole = [people(count, audience) for count in days], people(sum(days), audience)
    assert max(parts) <= whole <= sum(parts)
    assert all(0 <= distinct <= count for distinct, count in zip(parts, days, strict=True))
    assert all((distinct == 0) == (count == 0) for distinct, count in zip(parts, days, strict=True))


def test_a_busy_week_reaches_fewer_people_than_its_days_together() -> None:
    assert people(7 * 4_000, 10_000) < 7 * people(4_000, 10_000)


def test_the_seed_decides_everything() -> None:
    def numbers(seed: int) -> list[int]:
        account = AccountWorld(seed, "x", "44")
        return [account.followers(NOW), account.total("views", NOW), account.newest_index(NOW), account.created]

    assert numbers(7) == numbers(7)
    assert numbers(7) != numbers(8)


def test_the_order_of_questions_does_not_matter() -> None:
    forward, backward = AccountWorld(7, "youtube", "UCabc"), AccountWorld(7, "youtube", "UCabc")
    days = [NOW - n * DAY_SECONDS for n in range(40)]
    seen = [(forward.followers(t), forward.total("views", t)) for t in days]
    assert seen == [(backward.followers(t), backward.total("views", t)) for t in reversed(days)][::-1]


def test_one_by_one_and_in_bulk_growth_is_the_same() -> None:
    account = AccountWorld(7, "youtube", "UCabc")
    edges = [NOW - n * 7_919 for n in range(300, -1, -1)]
    posts = account.active_posts(edges[0], edges[-1])
    bulk = increments(account, posts, ["watch_ms"], edges, LONG_AFTER, YOUTUBE_SETTLING)["watch_ms"]
    counts = [[account.counter(post, "watch_ms", edge) for edge in edges] for post in posts]
    assert np.array_equal(bulk, np.diff(np.array(counts), axis=1))


@settings(deadline=None, max_examples=50)
@given(accounts)
def test_a_posting_rhythm_that_looks_alive(account: AccountWorld) -> None:
    recent = [p for p in account.active_posts(NOW - 35 * DAY_SECONDS, NOW) if p.published >= NOW - 35 * DAY_SECONDS]
    assert 10 <= len(recent) <= 25
    assert account.newest_index(NOW) > 300


@settings(deadline=None, max_examples=20)
@given(accounts)
def test_followers_move_in_both_directions_over_a_quarter(account: AccountWorld) -> None:
    levels = [account.followers(NOW - n * DAY_SECONDS) for n in range(90, -1, -1)]
    steps = np.diff(levels)
    assert (steps > 0).any()
    assert (steps < 0).any()


def test_accounts_exist_unless_their_id_says_otherwise() -> None:
    world = World(7)
    assert world.account("x", "anything at all", NOW) is not None
    assert world.account("x", "missing-7", NOW) is None
    assert world.account("x", "44", datetime(2019, 1, 1, tzinfo=UTC).timestamp()) is None


@given(st.integers(0, 10**9))
def test_subscribers_are_shown_with_three_figures(count: int) -> None:
    shown = rounded_down(count)
    assert shown <= count
    assert len(str(shown).rstrip("0")) <= 3
    assert count - shown < max(count, 1) * 0.01 + 1
