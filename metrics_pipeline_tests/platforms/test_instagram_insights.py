"""Instagram's account totals: one request per day, week and month, and what cannot be had."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from metrics_pipeline.platforms.contract import State
from metrics_pipeline.platforms.errors import Act
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.platforms.loopback import Asked, Loopback, Reply, Turn, settings_for, take_turn

PATH = "/v26.0/17001/insights"
DAY = 86_400


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def totals(asked: Asked) -> Reply:
    """Every total is the number of days asked; breakdowns have the buckets the platform gives."""
    days = (int(asked.params["until"]) - int(asked.params["since"])) // DAY
    entries: list[dict[str, object]] = []
    for name in asked.params["metric"].split(","):
        total: dict[str, object] = {"value": days}
        if name == "profile_links_taps":
            results = [{"dimension_values": ["EMAIL"], "value": 3}, {"dimension_values": ["CALL"], "value": 4}]
            total = {"breakdowns": [{"dimension_keys": ["contact_button_type"], "results": results}]}
        if name == "follows_and_unfollows":
            results = [
                {"dimension_values": ["FOLLOWER"], "value": 57},
                {"dimension_values": ["NON_FOLLOWER"], "value": 21},
            ]
            total = {"breakdowns": [{"dimension_keys": ["follow_type"], "results": results}]}
        if name == "follower_count":
            points = range(int(asked.params["since"]), int(asked.params["until"]), DAY)
            values = [
                {"value": n, "end_time": f"{datetime.fromtimestamp(t + 8 * 3600, UTC):%Y-%m-%dT%H:%M:%S+0000}"}
                for n, t in enumerate(points)
            ]
            entries.append({"name": name, "period": "day", "values": values})
        else:
            entries.append({"name": name, "period": "day", "total_value": total})
    paging = {"next": f"http://graph.example{PATH}?since=9999999999", "previous": "http://graph.example"}
    return Reply({"data": entries, "paging": paging})


@pytest.fixture
def account(loopback: Loopback) -> Loopback:
    loopback.answer = totals
    return loopback


def read(loopback: Loopback, first: str, end: str, now: str = "2026-11-20T10:00", **settings: object) -> Turn:
    return take_turn(
        "instagram",
        settings_for(loopback, "instagram", **settings),
        window=Window.of_days(date.fromisoformat(first), date.fromisoformat(end)),
        now=datetime.fromisoformat(now).replace(tzinfo=UTC),
    )


def test_a_day_is_one_utc_window_per_group(account: Loopback) -> None:
    turn = read(account, "2026-11-17", "2026-11-18")
    assert turn.error is None
    asked = [a.params for a in account.asked]
    assert {p.get("breakdown") for p in asked} == {None, "contact_button_type", "follow_type"}
    day = next(p for p in asked if "views" in p["metric"])
    assert (day["since"], day["until"]) == (str(utc("2026-11-17")), str(utc("2026-11-18")))
    assert day["metric_type"] == "total_value"
    (views,) = turn.readings("views")
    assert (views.value, views.date, views.window, views.day_timezone) == (1, date(2026, 11, 17), "P1D", "UTC")


def test_buckets_become_metrics_of_their_own(account: Loopback) -> None:
    turn = read(account, "2026-11-17", "2026-11-18")
    assert turn.value("email_clicks") == 3
    assert turn.value("profile_link_taps") == 7
    assert turn.value("unfollows") == 21
    assert turn.readings("unfollows")[0].metadata == {"follower": 57, "non_follower": 21}


def test_every_metric_and_day_has_exactly_one_outcome(account: Loopback) -> None:
    turn = read(account, "2026-11-10", "2026-11-19")
    daily = [(o.level, o.metric, o.date) for o in turn.result.outcomes if o.window == "P1D"]
    assert len(daily) == len(set(daily))
    assert {d for _, _, d in daily} == {date(2026, 11, n) for n in range(10, 19)}


def test_follower_series_is_dated_by_the_day_that_ended(account: Loopback) -> None:
    turn = read(account, "2026-11-16", "2026-11-19")
    assert {r.date.day: r.value for r in turn.readings("follows")} == {16: 0, 17: 1, 18: 2}
    other = read(account, "2026-11-16", "2026-11-19", instagram_series_day_shift=0)
    assert {r.date.day: r.value for r in other.readings("follows")} == {16: 0, 17: 1, 18: 2}


def test_the_running_day_is_read_but_not_for_the_follower_series_and_not_beyond_now(account: Loopback) -> None:
    turn = read(account, "2026-11-19", "2026-11-23")
    assert {o.date.day for o in turn.result.outcomes} == {19, 20}
    assert turn.outcome("account", "views", "2026-11-20").state is State.VALUE
    running = turn.outcome("account", "follows", "2026-11-20")
    assert (running.state, running.reason) == (State.UNKNOWN, "not given for the running day")


@pytest.mark.parametrize(("week_start", "last"), [("monday", "2026-11-15"), ("sunday", "2026-11-14")])
def test_a_week_is_asked_once_on_its_last_day(account: Loopback, week_start: str, last: str) -> None:
    turn = read(account, "2026-11-09", "2026-11-17", week_start=week_start)
    (week,) = turn.readings("reach", window="P7D")
    assert (week.date.isoformat(), week.value) == (last, 7)
    assert turn.outcome("account", "reach", last).state is State.VALUE
    assert turn.outcome("account", "reach", last, "P7D").state is State.VALUE
    assert not turn.readings("views", window="P7D")


def test_a_week_that_has_not_ended_is_not_asked(account: Loopback) -> None:
    turn = read(account, "2026-11-15", "2026-11-16", now="2026-11-15T22:00")
    assert not turn.readings("reach", window="P7D")


def test_a_month_of_30_days_is_asked(account: Loopback) -> None:
    turn = read(account, "2026-09-30", "2026-10-01")
    (month,) = turn.readings("reach", window="P1M")
    assert (month.value, month.date) == (30, date(2026, 9, 30))


def test_a_month_of_31_days_is_not_supported_and_says_why(account: Loopback) -> None:
    turn = read(account, "2026-10-31", "2026-11-01")
    assert not turn.readings("reach", window="P1M")
    outcome = turn.outcome("account", "reach", window="P1M")
    assert outcome.state is State.NOT_SUPPORTED
    assert outcome.reason is not None
    assert "more than 30 days" in outcome.reason
    assert "31" in outcome.reason
    assert turn.outcome("account", "reach").state is State.VALUE
    assert all(int(a.params["until"]) - int(a.params["since"]) <= 30 * DAY for a in account.asked)


def test_long_windows_are_cut_to_thirty_days_and_to_what_the_platform_keeps(account: Loopback) -> None:
    turn = read(account, "2026-07-01", "2026-11-19")
    assert all(int(a.params["until"]) - int(a.params["since"]) <= 30 * DAY for a in account.asked)
    for metric, gone, kept in (("views", "2026-08-21", "2026-08-22"), ("follows", "2026-10-20", "2026-10-21")):
        old = turn.outcome("account", metric, gone)
        assert (old.state, old.reason) == (State.UNKNOWN, "older than the platform keeps")
        assert turn.outcome("account", metric, kept).state in (State.VALUE, State.ZERO)


def test_nothing_for_a_metric_is_unknown(loopback: Loopback) -> None:
    loopback.answer = lambda _asked: Reply({"data": []})
    turn = read(loopback, "2026-11-17", "2026-11-18")
    assert turn.result.readings == []
    assert {o.state for o in turn.result.outcomes} == {State.UNKNOWN}


def test_a_retired_metric_is_dropped_once_for_all_days(loopback: Loopback) -> None:
    def without_profile_views(asked: Asked) -> Reply:
        names = asked.params["metric"].split(",")
        if "profile_views" in names:
            text = f"(#100) metric[{names.index('profile_views')}] must be one of the following values: views, reach"
            return Reply({"error": {"message": text, "code": 100}}, 400)
        return totals(asked)

    loopback.answer = without_profile_views
    turn = read(loopback, "2026-11-16", "2026-11-19")
    assert len([a for a in loopback.asked if "profile_views" in a.params["metric"]]) == 1
    assert len(turn.readings("views")) == 3
    for day in ("2026-11-16", "2026-11-18"):
        assert turn.outcome("account", "profile_views", day).state is State.NOT_SUPPORTED


def test_a_missing_permission_is_said_for_each_day_and_asked_once(loopback: Loopback) -> None:
    loopback.answer = lambda _asked: Reply({"error": {"message": "(#10) no permission", "code": 10}}, 400)
    turn = read(loopback, "2026-11-16", "2026-11-19")
    assert turn.error is None
    assert {o.state for o in turn.result.outcomes} == {State.NOT_PERMITTED}
    assert len(loopback.asked) == 4


def test_a_platform_that_is_down_ends_the_turn_after_a_few_failures(loopback: Loopback) -> None:
    loopback.answer = lambda _asked: Reply({}, 503)
    turn = read(loopback, "2026-11-01", "2026-11-19", http_max_attempts=2)
    assert turn.error is not None
    assert turn.error.act is Act.RETRY
    assert len(loopback.asked) == 6
    assert turn.outcome("account", "views", "2026-11-01").state is State.FAILED
