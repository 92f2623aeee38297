"""Each fault, switched on over HTTP or in process, as a client meets it over HTTP."""

from __future__ import annotations

import json
import time
from datetime import timedelta

import httpx
import pytest

from metrics_pipeline.sandbox.server import SandboxServer
from metrics_pipeline_tests.sandbox.conftest import NOW, Ask

CHANNEL = "UCfaulty"
# One cheap request per platform: path, parameters, account.
REQUESTS = {
    "facebook": ("/v26.0/1000", {"fields": "followers_count"}, "1000"),
    "instagram": ("/v26.0/1784", {"fields": "followers_count"}, "1784"),
    "threads": ("/v1.0/2600", {"fields": "username"}, "2600"),
    "tiktok": ("/v2/user/info/", {"fields": "follower_count"}, "open1"),
    "whatsapp": ("/v26.0/10200", {"fields": "currency"}, "10200"),
    "x": ("/2/users", {"ids": "44"}, "44"),
    "youtube": ("/youtube/v3/channels", {"part": "statistics", "id": CHANNEL}, CHANNEL),
}
platforms = pytest.mark.parametrize("platform", sorted(REQUESTS))


def once(ask: Ask, platform: str, token: str = "token") -> httpx.Response:
    path, parameters, external_id = REQUESTS[platform]
    return ask(platform, path, token=f"{token}~{external_id}" if platform == "tiktok" else token, **parameters)


def account(platform: str) -> str:
    return REQUESTS[platform][2]


def control(server: SandboxServer) -> str:
    return f"http://127.0.0.1:{server.port}/sandbox"


@platforms
def test_an_expired_token_is_refused_and_a_new_one_heals(platform: str, ask: Ask, server: SandboxServer) -> None:
    assert once(ask, platform, "expired-1").status_code == 401
    server.faults.switch_on(platform, account(platform), "token_expired", token="old")
    assert once(ask, platform, "old").status_code == 401
    assert once(ask, platform, "new").status_code == 200
    server.faults.switch_on(platform, account(platform), "token_expired")
    assert once(ask, platform, "new").status_code == 401


def test_an_expired_instagram_token_has_the_code_that_means_it(ask: Ask) -> None:
    body = once(ask, "instagram", "expired").json()["error"]
    assert (body["code"], body["error_subcode"], body["type"]) == (190, 463, "OAuthException")


@platforms
def test_throttling_ends_after_the_requests_it_was_set_for(platform: str, ask: Ask, server: SandboxServer) -> None:
    server.faults.switch_on(platform, account(platform), "throttled", requests=2)
    statuses = [once(ask, platform).status_code for _ in range(4)]
    others = {"tiktok": 429, "x": 429, "youtube": 403}
    refused = others.get(platform, 400)  # the Graph APIs answer 400
    assert statuses == [refused, refused, 200, 200]


@platforms
def test_throttling_without_a_number_lasts_until_it_is_cleared(platform: str, ask: Ask, server: SandboxServer) -> None:
    server.faults.switch_on(platform, account(platform), "throttled")
    assert all(once(ask, platform).status_code != 200 for _ in range(5))
    assert server.faults.clear(platform, account(platform), "throttled") == 1
    assert once(ask, platform).status_code == 200


def test_throttling_is_told_in_each_platforms_own_way(ask: Ask, server: SandboxServer) -> None:
    for platform in REQUESTS:
        server.faults.switch_on(platform, account(platform), "throttled", reset_seconds=120)
    graph = once(ask, "instagram")
    usage = json.loads(graph.headers["X-Business-Use-Case-Usage"])["1784"][0]
    assert graph.json()["error"]["code"] == 80002
    assert usage["estimated_time_to_regain_access"] == 2
    page = once(ask, "facebook")
    assert page.json()["error"]["code"] == 80001
    assert json.loads(page.headers["X-Business-Use-Case-Usage"])["1000"][0]["type"] == "pages"
    limited = once(ask, "x").headers
    assert limited["x-rate-limit-remaining"] == "0"
    assert int(limited["x-rate-limit-reset"]) == int(NOW.timestamp()) + 120
    assert once(ask, "tiktok").json()["error"]["code"] == "rate_limit_exceeded"
    assert once(ask, "youtube").json()["error"]["errors"][0]["reason"] == "quotaExceeded"


@platforms
def test_every_third_request_fails(platform: str, ask: Ask, server: SandboxServer) -> None:
    server.faults.switch_on(platform, account(platform), "server_errors", every=3, status=500)
    assert [once(ask, platform).status_code for _ in range(6)] == [200, 200, 500, 200, 200, 500]


@platforms
def test_a_missing_permission(platform: str, ask: Ask, server: SandboxServer) -> None:
    server.faults.switch_on(platform, account(platform), "permission")
    answer = once(ask, platform)
    assert answer.status_code == (401 if platform == "tiktok" else 403)
    if platform == "instagram":
        assert answer.json()["error"]["code"] == 10


@platforms
def test_one_broken_body(platform: str, ask: Ask, server: SandboxServer) -> None:
    server.faults.switch_on(platform, account(platform), "malformed")
    broken = once(ask, platform)
    assert broken.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        broken.json()
    assert once(ask, platform).json()


@platforms
def test_a_slow_answer(platform: str, ask: Ask, server: SandboxServer) -> None:
    server.faults.switch_on(platform, account(platform), "slow", ms=120)
    before = time.monotonic()
    assert once(ask, platform).status_code == 200
    assert time.monotonic() - before >= 0.12


def test_refused_metrics(ask: Ask, server: SandboxServer) -> None:
    server.faults.switch_on("instagram", "1784", "refused_metric", metric="reach")
    refused = ask("instagram", "/1784/insights", metric="reach", period="day")
    assert "metric[0] must be one of" in refused.json()["error"]["message"]
    fine = {"metric": "views", "period": "day", "metric_type": "total_value"}
    assert ask("instagram", "/1784/insights", **fine).status_code == 200

    server.faults.switch_on("x", "44", "refused_metric", metric="bookmark_count")
    body = ask("x", "/2/users/44/tweets", tweet__fields="public_metrics", max_results=5).json()
    assert all("bookmark_count" not in post["public_metrics"] for post in body["data"])
    assert body["errors"][0]["field"] == "public_metrics.bookmark_count"

    server.faults.switch_on("youtube", CHANNEL, "refused_metric", metric="shares")
    asked = {"ids": f"channel=={CHANNEL}", "startDate": "2026-11-01", "endDate": "2026-11-02"}
    assert ask("youtube", "/v2/reports", metrics="views,shares", **asked).status_code == 400
    assert ask("youtube", "/v2/reports", metrics="views", **asked).status_code == 200


def test_deleted_posts(ask: Ask, server: SandboxServer) -> None:
    medium = ask("instagram", "/1784/media", fields="id", limit=1).json()["data"][0]["id"]
    server.faults.switch_on("instagram", "1784", "deleted_post", post_id=medium)
    gone = ask("instagram", f"/{medium}/insights", metric="reach").json()["error"]
    assert (gone["code"], gone["error_subcode"]) == (100, 33)
    assert medium not in ask("instagram", "/1784/media", fields="id").text

    post = ask("x", "/2/users/44/tweets", max_results=5).json()["data"][0]["id"]
    server.faults.switch_on("x", "44", "deleted_post", post_id=post)
    body = ask("x", "/2/tweets", ids=post).json()
    assert "data" not in body
    assert body["errors"][0]["resource_id"] == post

    playlist = {"part": "contentDetails", "playlistId": "UUfaulty"}
    item = ask("youtube", "/youtube/v3/playlistItems", **playlist).json()["items"][3]
    video = item["contentDetails"]["videoId"]
    asked = {"ids": f"channel=={CHANNEL}", "startDate": "2026-10-01", "endDate": "2026-11-15", "metrics": "views"}
    top = asked | {"dimensions": "video", "sort": "-views", "maxResults": 200}
    total = ask("youtube", "/v2/reports", **asked).json()["rows"]
    assert video in ask("youtube", "/v2/reports", **top).text
    server.faults.switch_on("youtube", CHANNEL, "deleted_post", post_id=video)
    assert ask("youtube", "/youtube/v3/videos", part="id", id=video).json()["items"] == []
    assert video not in ask("youtube", "/youtube/v3/playlistItems", **playlist).text
    assert video not in ask("youtube", "/v2/reports", **top).text
    assert ask("youtube", "/v2/reports", **asked).json()["rows"] == total


def test_a_restated_day_changes_from_an_instant_on(ask: Ask, server: SandboxServer) -> None:
    since = NOW - timedelta(days=1)
    for platform, external_id in (("instagram", "1784"), ("youtube", CHANNEL)):
        server.faults.switch_on(platform, external_id, "restated", day="2026-11-05", factor=2, since=since)

    def instagram(hours: int) -> int:
        window = {"since": "2026-11-05T08:00:00Z", "until": "2026-11-06T08:00:00Z"}
        asked = {"metric": "views", "period": "day", "metric_type": "total_value", **window}
        body = ask("instagram", "/1784/insights", at=since + timedelta(hours=hours), **asked).json()
        return int(body["data"][0]["total_value"]["value"])

    def youtube(hours: int, dimension: str) -> int:
        asked = {"ids": f"channel=={CHANNEL}", "startDate": "2026-11-05", "endDate": "2026-11-05", "metrics": "views"}
        more = {"sort": "-views", "maxResults": 200} if dimension == "video" else {}
        at = since + timedelta(hours=hours)
        rows = ask("youtube", "/v2/reports", at=at, dimensions=dimension, **asked, **more).json()["rows"]
        return sum(int(row[1]) for row in rows)

    assert instagram(1) == 2 * instagram(-1) > 0
    assert youtube(1, "day") == youtube(1, "video") == 2 * youtube(-1, "day") > 0


def test_hidden_subscribers(ask: Ask, server: SandboxServer) -> None:
    server.faults.switch_on("youtube", CHANNEL, "hidden_subscribers")
    statistics = once(ask, "youtube").json()["items"][0]["statistics"]
    assert statistics["hiddenSubscriberCount"] is True
    assert "subscriberCount" not in statistics


def test_a_fault_touches_its_own_account_only(ask: Ask, server: SandboxServer) -> None:
    server.faults.switch_on("x", "44", "permission")
    assert ask("x", "/2/users", ids="45").status_code == 200
    assert ask("x", "/2/users", ids="45,44").status_code == 403
    assert once(ask, "youtube").status_code == 200


def test_faults_are_switched_over_http(ask: Ask, server: SandboxServer) -> None:
    url = control(server) + "/faults"
    fault = {"platform": "x", "external_id": "44", "fault": "token_expired", "token": "old"}
    assert httpx.post(url, json=fault).status_code == 201
    assert once(ask, "x", "old").status_code == 401
    listed = httpx.get(url).json()["faults"]
    assert [(one["platform"], one["external_id"], one["fault"]) for one in listed] == [("x", "44", "token_expired")]
    assert listed[0]["token"] != "old"
    assert httpx.delete(url, params={"platform": "youtube"}).json() == {"cleared": 0}
    assert httpx.delete(url).json() == {"cleared": 1}
    assert once(ask, "x", "old").status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"platform": "x", "external_id": "44", "fault": "earthquake"}, 422),
        ({"platform": "x", "external_id": "44", "fault": "slow"}, 422),
        ({"platform": "x", "external_id": "44", "fault": "permission", "colour": "red"}, 422),
        ({"platform": "myspace", "external_id": "44", "fault": "permission"}, 422),
        ("not an object", 422),
    ],
)
def test_faults_that_make_no_sense_are_refused(server: SandboxServer, body: object, status: int) -> None:
    assert httpx.post(control(server) + "/faults", json=body).status_code == status
    assert httpx.post(control(server) + "/faults", content=b"{").status_code == 400
    assert httpx.delete(control(server) + "/faults", params={"fault": "earthquake"}).status_code == 400
    assert server.faults.listed() == []
