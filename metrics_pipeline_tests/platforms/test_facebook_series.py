"""A Page's series: Pacific days, slices, rolling weeks, what is refused, left out or not there yet."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from metrics_pipeline.platforms.contract import State
from metrics_pipeline.platforms.errors import Act
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.platforms.loopback import Asked, Loopback, Reply, Turn, settings_for, take_turn

LOS_ANGELES = ZoneInfo("America/Los_Angeles")
INVALID = {"error": {"message": "(#100) The value must be a valid insights metric", "code": 100}}
ASKED = 10  # source metrics of a day's request


def series(asked: Asked) -> Reply:
    """Points by Pacific day: the value is the day of the month, for a week a thousand more."""
    since, until = int(asked.params["since"]), int(asked.params["until"])
    entries = []
    for name in asked.params["metric"].split(","):
        values: list[dict[str, object]] = []
        day = datetime.fromtimestamp(since, LOS_ANGELES).date()
        while True:
            next_day = day + timedelta(days=1)
            end = datetime(next_day.year, next_day.month, next_day.day, tzinfo=LOS_ANGELES).astimezone(UTC)
            if end.timestamp() > until:
                break
            raw: object = day.day + (1000 if asked.params["period"] == "week" else 0)
            if name == "page_actions_post_reactions_total":
                raw = {"like": day.day, "love": 1} if day.day % 2 else {}
            values.append({"value": raw, "end_time": f"{end:%Y-%m-%dT%H:%M:%S}+0000"})
            day = next_day
        entries.append({"name": name, "period": asked.params["period"], "values": values, "title": name, "id": name})
    paging = {"next": f"http://graph.example{asked.path}?since={until}", "previous": "http://graph.example"}
    return Reply({"data": entries, "paging": paging})


@pytest.fixture
def page(loopback: Loopback) -> Loopback:
    loopback.answer = series
    return loopback


def read(loopback: Loopback, first: str, end: str, now: str = "2026-11-20T10:00", **settings: object) -> Turn:
    return take_turn(
        "facebook",
        settings_for(loopback, "facebook", **settings),
        window=Window.of_days(date.fromisoformat(first), date.fromisoformat(end)),
        now=datetime.fromisoformat(now).replace(tzinfo=UTC),
    )


def test_a_point_belongs_to_the_pacific_day_before_its_end_on_both_sides_of_the_clock_change(page: Loopback) -> None:
    turn = read(page, "2026-10-30", "2026-11-04")
    assert turn.error is None
    views = turn.readings("views", window="P1D")
    assert {(r.date.month, r.date.day): r.value for r in views} == {
        (10, 30): 30, (10, 31): 31, (11, 1): 1, (11, 2): 2, (11, 3): 3,
    }  # fmt: skip
    assert {r.day_timezone for r in views} == {"America/Los_Angeles"}


def test_one_request_covers_all_metrics_and_days_and_paging_is_left_alone(page: Loopback) -> None:
    turn = read(page, "2026-11-10", "2026-11-14")
    (asked,) = page.asked
    assert asked.path == "/v26.0/17001/insights"
    assert asked.params["metric"].count(",") == ASKED - 1
    assert (asked.params["period"], asked.params["since"]) == (
        "day",
        str(int(datetime(2026, 11, 10, 8, tzinfo=UTC).timestamp())),
    )
    assert asked.params["until"] == str(int(datetime(2026, 11, 14, 8, tzinfo=UTC).timestamp()))
    daily = [(o.level, o.metric, o.date) for o in turn.result.outcomes if o.window == "P1D"]
    assert len(daily) == len(set(daily)) == 4 * ASKED


def test_followers_are_a_series_of_levels_and_time_is_in_seconds(page: Loopback) -> None:
    turn = read(page, "2026-11-12", "2026-11-13")
    (followers,) = turn.readings("followers")
    assert (followers.kind, followers.source_metric, followers.value) == ("series", "page_follows", 12)
    assert turn.value("watch_time_seconds") == 0.012


def test_a_map_is_the_sum_of_its_parts_and_an_empty_one_is_zero(page: Loopback) -> None:
    turn = read(page, "2026-11-11", "2026-11-13")
    eleventh, twelfth = turn.readings("likes")
    assert (eleventh.value, eleventh.metadata) == (12, {"like": 11, "love": 1})
    assert twelfth.value == 0
    assert turn.outcome("account", "likes", "2026-11-12").state is State.ZERO


@pytest.mark.parametrize(("now", "last"), [("2026-11-20T07:59", 18), ("2026-11-20T08:00", 19)])
def test_a_day_is_asked_once_it_has_ended_in_pacific_time(page: Loopback, now: str, last: int) -> None:
    turn = read(page, "2026-11-17", "2026-11-23", now=now)
    assert max(r.date.day for r in turn.result.readings) == last
    assert {o.date.day for o in turn.result.outcomes} == {17, 18, 19, 20}
    running = turn.outcome("account", "views", "2026-11-20")
    assert running.state is State.UNKNOWN
    assert "Pacific" in str(running.reason)


def test_nothing_is_asked_while_no_day_has_ended(page: Loopback) -> None:
    turn = read(page, "2026-11-20", "2026-11-21")
    assert page.asked == []
    assert len(turn.result.outcomes) == ASKED


@pytest.mark.parametrize(("week_start", "last"), [("monday", 15), ("sunday", 14)])
def test_reach_of_a_week_is_the_rolling_point_that_ends_it(page: Loopback, week_start: str, last: int) -> None:
    turn = read(page, "2026-11-09", "2026-11-18", week_start=week_start)
    (week,) = turn.readings("reach", window="P7D")
    assert (week.date, week.value) == (date(2026, 11, last), 1000 + last)
    assert turn.outcome("account", "reach", f"2026-11-{last}", "P7D").state is State.VALUE
    assert turn.value("reach", window="P7D") == 1000 + last
    assert not turn.readings("views", window="P7D")
    (asked,) = [a for a in page.asked if a.params["period"] == "week"]
    assert asked.params["metric"] == "page_total_media_view_unique"


def test_long_windows_are_cut_and_what_is_no_longer_kept_is_not_asked(page: Loopback) -> None:
    turn = read(page, "2024-11-01", "2026-11-19")
    days = [a for a in page.asked if a.params["period"] == "day"]
    assert all(int(a.params["until"]) - int(a.params["since"]) <= 90 * 86_400 for a in page.asked)
    assert len(days) == 9
    assert min(r.date for r in turn.result.readings) == date(2024, 11, 20)
    old = turn.outcome("account", "views", "2024-11-19")
    assert (old.state, old.reason) == (State.UNKNOWN, "older than the platform keeps")
    assert turn.outcome("account", "views", "2024-11-20").state is State.VALUE


def test_a_dead_metric_costs_itself_and_is_not_asked_again(page: Loopback) -> None:
    page.answer = lambda a: Reply(INVALID, 400) if "page_views_total" in a.params["metric"] else series(a)
    turn = read(page, "2026-04-01", "2026-11-10")
    assert {o.state for o in turn.result.outcomes if o.metric == "profile_views"} == {State.NOT_SUPPORTED}
    assert {o.state for o in turn.result.outcomes if o.metric == "views"} == {State.VALUE}
    assert len([a for a in page.asked if "page_views_total" in a.params["metric"]]) == 2


def test_metrics_that_an_answer_left_out_are_asked_once_more(page: Loopback) -> None:
    def forgetful(asked: Asked) -> Reply:
        names = asked.params["metric"].split(",")
        short = [n for n in names if n != "page_follows"] if len(names) > 3 else names
        return series(Asked(asked.path, {**asked.params, "metric": ",".join(short)}, asked.headers))

    page.answer = forgetful
    turn = read(page, "2026-11-12", "2026-11-13")
    assert turn.value("followers") == 12
    assert [a.params["metric"] for a in page.asked][1:] == ["page_follows"]


def test_a_metric_that_comes_once_per_period_is_taken_from_the_period_asked(page: Loopback) -> None:
    def every_period(asked: Asked) -> Reply:
        both = [series(Asked(asked.path, {**asked.params, "period": p}, asked.headers)).body for p in ("day", "week")]
        return Reply({"data": [entry for body in both if isinstance(body, dict) for entry in body["data"]]})

    page.answer = every_period
    assert read(page, "2026-11-12", "2026-11-13").value("views") == 12


def test_empty_data_and_missing_days_are_unknown(page: Loopback) -> None:
    page.answer = lambda _asked: Reply({"data": [], "paging": {}})
    turn = read(page, "2026-11-12", "2026-11-13")
    assert turn.result.readings == []
    assert {(o.state, o.reason) for o in turn.result.outcomes} == {(State.UNKNOWN, "the platform gave no value")}
    assert len(page.asked) == 1


def test_a_value_that_is_null_or_no_number_is_reported_and_no_zero(page: Loopback) -> None:
    values = [{"value": None, "end_time": "2026-11-13T08:00:00+0000"}, {"end_time": "2026-11-14T08:00:00+0000"}]
    entry = {"name": "page_media_view", "period": "day", "values": values}
    page.answer = lambda _asked: Reply({"data": [entry]})
    turn = read(page, "2026-11-12", "2026-11-14")
    assert turn.readings("views") == []
    assert any("not a number" in field for field in turn.result.unknown_fields)


def test_places_as_a_map_of_people_do_not_trouble_the_parser(page: Loopback) -> None:
    values = [{"value": {"Porto, Portugal": 4, "Graz, Austria": 1}, "end_time": "2026-11-13T08:00:00+0000"}]
    entry = {
        "name": "page_follows_city",
        "period": "day",
        "values": values,
        "title": "t",
        "description": "d",
        "id": "i",
    }
    page.answer = lambda _asked: Reply({"data": [entry]})
    turn = read(page, "2026-11-12", "2026-11-13")
    assert (turn.error, turn.result.readings, turn.result.unknown_fields) == (None, [], set())


@pytest.mark.parametrize(
    ("code", "subcode", "message"), [(10, None, "no permission"), (100, 33, "Unsupported get request")]
)
def test_a_page_that_may_not_be_read_says_so_for_every_day_and_is_asked_once(
    page: Loopback, code: int, subcode: int | None, message: str
) -> None:
    error = {"message": message, "code": code, "error_subcode": subcode}
    page.answer = lambda _asked: Reply({"error": error}, 400)
    turn = read(page, "2026-04-01", "2026-11-10")
    assert {o.state for o in turn.result.outcomes} == {State.NOT_PERMITTED}
    assert len([a for a in page.asked if a.params["period"] == "day"]) == 1


def test_a_failing_slice_leaves_the_others(page: Loopback) -> None:
    first = str(int(datetime(2026, 4, 1, 7, tzinfo=UTC).timestamp()))
    page.answer = lambda a: (
        Reply({"error": {"message": "again", "code": 2}}, 500) if a.params["since"] == first else series(a)
    )
    turn = read(page, "2026-04-01", "2026-11-10")
    assert turn.error is None
    assert turn.outcome("account", "views", "2026-04-02").state is State.FAILED
    assert turn.outcome("account", "views", "2026-11-09").state is State.VALUE


def test_a_spent_quota_ends_the_turn_and_keeps_what_came_before(page: Loopback) -> None:
    def limited(asked: Asked) -> Reply:
        if len(page.asked) < 3:
            return series(asked)
        usage = '{"17001": [{"type": "pages", "call_count": 100, "estimated_time_to_regain_access": 20}]}'
        return Reply({"error": {"message": "limit", "code": 80001}}, 400, {"X-Business-Use-Case-Usage": usage})

    page.answer = limited
    turn = read(page, "2026-04-01", "2026-11-10")
    assert turn.error is not None
    assert (turn.error.act, turn.error.wait_seconds) == (Act.WAIT, 1200)
    assert turn.readings("views")
