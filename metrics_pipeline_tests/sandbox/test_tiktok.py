"""TikTok's two APIs as the sandbox plays them."""

from __future__ import annotations

import itertools
import json
from datetime import date, datetime, timedelta

import pytest

from metrics_pipeline.sandbox.server import SandboxServer
from metrics_pipeline.windows import midnight
from metrics_pipeline_tests.sandbox.conftest import NOW, Ask

OPEN_ID = "open-id_01"
TOKEN = f"secret~{OPEN_ID}"
LIST, QUERY, USER = "/v2/video/list/", "/v2/video/query/", "/v2/user/info/"
BUSINESS, BUSINESS_VIDEOS = "/open_api/v1.3/business/get/", "/open_api/v1.3/business/video/list/"
COUNTS = "id,create_time,view_count,like_count,comment_count,share_count"
SERIES = ["video_views", "likes", "comments", "shares", "profile_views", "bio_link_clicks"]
Row = dict[str, object]


def listed(ask: Ask, at: datetime = NOW, size: int = 20, fields: str = COUNTS) -> list[list[Row]]:
    """The pages of the Display API's list."""
    pages: list[list[Row]] = []
    cursor: dict[str, int] = {}
    while True:
        answer = ask("tiktok", LIST, at=at, token=TOKEN, body={"max_count": size, **cursor}, fields=fields).json()
        assert answer["error"]["code"] == "ok"
        pages.append(answer["data"]["videos"])
        if not answer["data"]["has_more"]:
            return pages
        cursor = {"cursor": answer["data"]["cursor"]}


def business(ask: Ask, path: str, fields: list[str], at: datetime = NOW, who: str = OPEN_ID, **more: object) -> Row:
    headers = {"Access-Token": "secret"}
    answer = ask("tiktok", path, at=at, headers=headers, business_id=who, fields=json.dumps(fields), **more)
    assert answer.status_code == 200
    body: Row = answer.json()
    return body


def days(ask: Ask, first: str, last: str, at: datetime = NOW, fields: list[str] = SERIES) -> list[Row]:
    body = business(ask, BUSINESS, fields, at, start_date=first, end_date=last)
    data = body["data"]
    assert isinstance(data, dict)
    rows: list[Row] = data["metrics"]
    return rows


def videos(ask: Ask, fields: list[str], at: datetime = NOW) -> list[Row]:
    found: list[Row] = []
    cursor: dict[str, object] = {"max_count": 20}
    while True:
        data = business(ask, BUSINESS_VIDEOS, ["item_id", *fields], at, OPEN_ID, **cursor)["data"]
        assert isinstance(data, dict)
        found += data["videos"]
        if not data["has_more"]:
            return found
        cursor["cursor"] = data["cursor"]


def test_pages_are_short_or_empty_and_complete_together(ask: Ask) -> None:
    pages = listed(ask, size=5)
    ids = [video["id"] for page in pages for video in page]
    assert len(ids) == len(set(ids)) > 100
    assert {len(page) for page in pages[:-1]} == {0, 3, 5}
    assert ids == [video["id"] for page in listed(ask, size=20) for video in page]
    times = [int(str(video["create_time"])) for page in pages for video in page]
    assert times == sorted(times, reverse=True)
    user = ask("tiktok", USER, token=TOKEN, fields="video_count,likes_count,open_id").json()["data"]["user"]
    assert (user["video_count"], user["open_id"]) == (len(ids), OPEN_ID)
    assert user["likes_count"] == sum(int(str(video["like_count"])) for page in pages for video in page)


def test_a_query_leaves_out_what_is_nobodys_or_somebody_elses(ask: Ask, server: SandboxServer) -> None:
    ids = [str(video["id"]) for video in listed(ask)[0][:3]]
    asked = {"filters": {"video_ids": [*ids, "1", "7511"]}}
    query = ask("tiktok", QUERY, token=TOKEN, body=asked, fields="id").json()["data"]["videos"]
    assert [video["id"] for video in query] == ids
    assert ask("tiktok", QUERY, token="x~other", body=asked, fields="id").json()["data"]["videos"] == []
    server.faults.switch_on("tiktok", OPEN_ID, "deleted_post", post_id=ids[0])
    query = ask("tiktok", QUERY, token=TOKEN, body=asked, fields="id").json()["data"]["videos"]
    assert [video["id"] for video in query] == ids[1:]
    assert ids[0] not in [video["id"] for page in listed(ask) for video in page]
    assert ids[0] not in [video["item_id"] for video in videos(ask, [])]


def test_days_add_up_to_what_the_videos_gained(ask: Ask) -> None:
    """Lifetime numbers stand still at midnight, one to two days back; between two readings lie whole days."""
    early, late = midnight(date(2026, 10, 20)), midnight(date(2026, 11, 10))
    rows = days(ask, "2026-10-19", "2026-11-08", fields=["video_views", "likes", "shares", "email_clicks"])
    assert len(rows) == 21
    for name in ("video_views", "likes", "shares", "email_clicks"):
        before, after = (sum(int(v[name] or 0) for v in videos(ask, [name], at)) for at in (early, late))  # type: ignore[call-overload]
        assert sum(int(str(row[name])) for row in rows) == after - before > 0


def test_followers_of_a_day_are_those_before_plus_won_minus_gone(ask: Ask) -> None:
    fields = ["followers_count", "daily_new_followers", "daily_lost_followers", "unique_video_views", "video_views"]
    rows = [[int(str(row[name])) for name in fields] for row in days(ask, "2026-10-01", "2026-11-10", fields=fields)]
    for (earlier, *_), (followers, won, gone, people, views) in itertools.pairwise(rows):
        assert followers - earlier == won - gone
        assert 0 < people <= views


def test_a_day_comes_late_low_and_settles_within_four_days(ask: Ask) -> None:
    def views(hours: int) -> int | None:
        rows = days(ask, "2026-11-10", "2026-11-10", at=midnight(date(2026, 11, 11)) + timedelta(hours=hours))
        return int(str(rows[0]["video_views"])) if rows else None

    seen = [views(hours) for hours in (23, 48, 96, 240)]
    assert seen[0] is None
    assert seen[1] is not None
    assert seen[3] is not None
    assert seen[1] < seen[3]
    assert seen[2] == seen[3]


def test_quiet_videos_go_blank_and_old_ones_freeze(ask: Ask) -> None:
    fields = ["create_time", "video_views", "reach", "total_time_watched", "full_video_watched_rate"]
    found = videos(ask, fields)
    old = [v for v in found if int(str(v["create_time"])) < (NOW - timedelta(days=120)).timestamp()]
    new = [v for v in found if int(str(v["create_time"])) > (NOW - timedelta(days=30)).timestamp()][2:]
    assert {(v["reach"], v["total_time_watched"], v["full_video_watched_rate"]) for v in old} == {("", "", "")}
    assert all(int(str(v["video_views"])) > 0 for v in old)
    assert all(0 < int(str(v["reach"])) <= int(str(v["video_views"])) for v in new)
    assert all(0 < float(str(v["full_video_watched_rate"])) < 1 for v in new)


def test_a_restated_day(ask: Ask, server: SandboxServer) -> None:
    plain = days(ask, "2026-11-05", "2026-11-06")
    server.faults.switch_on("tiktok", OPEN_ID, "restated", day="2026-11-05", factor=2, since=NOW)
    restated = days(ask, "2026-11-05", "2026-11-06")
    assert restated[0]["video_views"] == 2 * int(str(plain[0]["video_views"]))
    assert restated[1] == plain[1]
    assert days(ask, "2026-11-05", "2026-11-06", at=NOW - timedelta(hours=1))[0] != restated[0]


@pytest.mark.parametrize(
    ("headers", "who", "code"),
    [
        ({"Access-Token": "secret"}, OPEN_ID, 0),
        ({"Access-Token": TOKEN}, OPEN_ID, 0),
        ({"Access-Token": TOKEN}, "somebody-else", 40105),
        ({"Access-Token": "secret"}, "missing1", 40105),
        ({"Access-Token": "Bearer secret"}, OPEN_ID, 40105),
        ({"Authorization": "Bearer secret"}, OPEN_ID, 40105),
        ({}, OPEN_ID, 40105),
    ],
)
def test_the_accounts_api_wants_the_bare_token_in_its_own_header(
    ask: Ask, headers: dict[str, str], who: str, code: int
) -> None:
    answer = ask("tiktok", BUSINESS, headers=headers, business_id=who, fields='["followers_count"]')
    assert (answer.status_code, answer.json()["code"]) == (200, code)


@pytest.mark.parametrize(
    ("path", "more", "code"),
    [
        (BUSINESS, {"fields": "followers_count"}, 40002),
        (BUSINESS, {"fields": '["shoes"]'}, 40002),
        (BUSINESS, {"fields": '["likes"]', "start_date": "2026-09-01", "end_date": "2026-11-01"}, 40002),
        (BUSINESS, {"fields": '["likes"]', "start_date": "2026-11-02", "end_date": "2026-11-01"}, 40002),
        (BUSINESS, {"fields": '["likes"]', "start_date": "2026-11-01"}, 40002),
        (BUSINESS_VIDEOS, {"fields": '["likes"]', "max_count": 21}, 40002),
        (BUSINESS_VIDEOS, {"fields": '["likes"]', "filters": '{"video_ids":[]}'}, 40002),
        (BUSINESS_VIDEOS, {"fields": '["likes"]', "cursor": "x"}, 40002),
    ],
)
def test_accounts_requests_that_are_refused_inside_a_200(
    ask: Ask, path: str, more: dict[str, object], code: int
) -> None:
    answer = ask("tiktok", path, headers={"Access-Token": "secret"}, business_id=OPEN_ID, **more)
    assert (answer.status_code, answer.json()["code"]) == (200, code)


def test_a_personal_account_has_no_business_fields(ask: Ask) -> None:
    assert business(ask, BUSINESS, ["daily_new_followers"], who="personal-1")["code"] == 40001
    assert business(ask, BUSINESS, ["followers_count"], who="personal-1")["code"] == 0


@pytest.mark.parametrize(
    ("path", "token", "body", "fields", "expected"),
    [
        (USER, "secret", None, "open_id", (401, "access_token_invalid")),
        (USER, None, None, "open_id", (401, "access_token_invalid")),
        (USER, TOKEN, None, "", (400, "invalid_params")),
        (USER, TOKEN, None, "shoes", (400, "invalid_params")),
        (USER, TOKEN, {}, "open_id", (400, "invalid_params")),
        (LIST, TOKEN, None, "id", (400, "invalid_params")),
        (LIST, TOKEN, {"max_count": 21}, "id", (400, "invalid_params")),
        (LIST, TOKEN, {"cursor": "x"}, "id", (400, "invalid_params")),
        (LIST, TOKEN, {"fields": "id"}, "", (400, "invalid_params")),
        (QUERY, TOKEN, {"filters": {"video_ids": [str(n) for n in range(21)]}}, "id", (400, "invalid_params")),
        ("/v2/research/", TOKEN, None, "id", (404, "invalid_params")),
    ],
)
def test_display_requests_that_are_refused(
    ask: Ask, path: str, token: str | None, body: object, fields: str, expected: tuple[int, str]
) -> None:
    answer = ask("tiktok", path, token=token, body=body, fields=fields)
    assert (answer.status_code, answer.json()["error"]["code"]) == expected


@pytest.mark.parametrize(
    ("fault", "code"),
    [("token_expired", 40105), ("throttled", 40100), ("server_errors", 50000), ("permission", 40001)],
)
def test_faults_of_the_accounts_api_are_numbers_in_a_200(
    ask: Ask, server: SandboxServer, fault: str, code: int
) -> None:
    server.faults.switch_on("tiktok", OPEN_ID, fault)  # type: ignore[arg-type]
    assert business(ask, BUSINESS, ["followers_count"])["code"] == code


def test_other_platforms_are_not_asked_by_post(ask: Ask) -> None:
    assert ask("x", "/2/users", body={}, ids="44").status_code == 405
