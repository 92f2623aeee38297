"""X as the sandbox plays it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from metrics_pipeline.sandbox.server import SandboxServer
from metrics_pipeline_tests.sandbox.conftest import NOW, Ask

METRICS = {"tweet__fields": "public_metrics,created_at"}


def timeline(ask: Ask, **parameters: object) -> tuple[list[dict[str, object]], list[int]]:
    found: list[dict[str, object]] = []
    sizes: list[int] = []
    token: dict[str, object] = {}
    while True:
        body = ask("x", "/2/users/44/tweets", **METRICS, **parameters, **token).json()
        assert ("data" in body) == (body["meta"]["result_count"] > 0)
        found += body.get("data", [])
        sizes.append(body["meta"]["result_count"])
        if "next_token" not in body["meta"]:
            return found, sizes
        token = {"pagination_token": body["meta"]["next_token"]}


def test_users_come_with_their_counts_and_unknown_ones_as_errors_of_a_200(ask: Ask) -> None:
    answer = ask("x", "/2/users", ids="44,missing1", user__fields="public_metrics,created_at")
    body = answer.json()
    assert answer.status_code == 200
    assert [user["id"] for user in body["data"]] == ["44"]
    assert body["data"][0]["public_metrics"]["followers_count"] > 0
    assert [(e["resource_id"], e["type"].rsplit("/", 1)[1]) for e in body["errors"]] == [
        ("missing1", "resource-not-found")
    ]
    assert "data" not in ask("x", "/2/users", ids="missing1").json()


def test_every_answer_carries_the_rate_limit(ask: Ask) -> None:
    first = ask("x", "/2/users", ids="44").headers
    second = ask("x", "/2/users", ids="").headers
    assert int(first["x-rate-limit-remaining"]) - int(second["x-rate-limit-remaining"]) == 1
    assert 0 < int(first["x-rate-limit-reset"]) - NOW.timestamp() <= 900
    assert first["api-version"].startswith("2.")


def test_the_timeline_pages_to_its_end_over_short_and_empty_pages(ask: Ask) -> None:
    found, sizes = timeline(ask, max_results=5)
    count = ask("x", "/2/users", ids="44", user__fields="public_metrics").json()["data"][0]["public_metrics"]
    assert len(found) == count["tweet_count"] == len({str(post["id"]) for post in found})
    assert 0 in sizes
    assert {3, 5} <= set(sizes)
    assert [int(str(p["id"])) for p in found] == sorted((int(str(p["id"])) for p in found), reverse=True)


def test_the_timeline_can_be_narrowed(ask: Ask) -> None:
    start = NOW - timedelta(days=30)
    found, _ = timeline(ask, max_results=100, start_time=start.isoformat().replace("+00:00", "Z"))
    assert found
    assert all(datetime.fromisoformat(str(post["created_at"])) >= start for post in found)
    newest = str(found[1]["id"])
    assert [post["id"] for post in timeline(ask, max_results=10, since_id=newest)[0]] == [found[0]["id"]]
    assert len(timeline(ask, max_results=100, exclude="replies,retweets")[0]) < len(timeline(ask, max_results=100)[0])


def test_counters_rise_and_lists_and_lookups_agree(ask: Ask) -> None:
    found, _ = timeline(ask, max_results=100, start_time="2026-10-20T00:00:00Z")
    ids = ",".join(str(post["id"]) for post in found)
    now = {p["id"]: p["public_metrics"] for p in ask("x", "/2/tweets", ids=ids, **METRICS).json()["data"]}
    assert now == {post["id"]: post["public_metrics"] for post in found}
    before = ask("x", "/2/tweets", at=NOW - timedelta(days=5), ids=ids, **METRICS).json()
    for post in before["data"]:
        assert all(count <= now[post["id"]][name] for name, count in post["public_metrics"].items())
    assert {e["value"] for e in before["errors"]} == set(now) - {p["id"] for p in before["data"]} != set()


def test_private_metrics_exist_for_thirty_days_and_for_the_owner(ask: Ask) -> None:
    found, _ = timeline(ask, max_results=100)
    ids = f"{found[0]['id']},{found[-1]['id']}"
    body = ask("x", "/2/tweets", ids=ids, tweet__fields="non_public_metrics").json()
    assert ["non_public_metrics" in post for post in body["data"]] == [True, False]
    assert body["errors"][0]["type"].endswith("not-authorized-for-field")
    assert len(ask("x", "/2/tweets", token="app-1", ids=ids, tweet__fields="non_public_metrics").json()["errors"]) == 2


def test_videos_of_posts_come_as_includes_where_they_are_expanded(ask: Ask) -> None:
    plain = {"max_results": 30, "tweet__fields": "attachments"}
    expanded = plain | {"expansions": "attachments.media_keys", "media__fields": "public_metrics"}
    assert "includes" not in ask("x", "/2/users/44/tweets", **plain).json()
    body = ask("x", "/2/users/44/tweets", **expanded).json()
    keys = [key for post in body["data"] for key in post.get("attachments", {}).get("media_keys", [])]
    assert keys == [medium["media_key"] for medium in body["includes"]["media"]] != []
    assert all(medium["public_metrics"]["view_count"] > 0 for medium in body["includes"]["media"])
    assert ask("x", "/2/users/44/tweets", expansions="shoes").status_code == 400


def problem(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, str(response.json().get("type", "")).rsplit("/", 1)[-1]


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("/2/tweets", {"ids": ",".join(str(n) for n in range(101))}),
        ("/2/users", {"ids": ",".join(str(n) for n in range(101))}),
        ("/2/tweets", {}),
        ("/2/tweets", {"ids": "1", "tweet__fields": "shoe_size"}),
        ("/2/tweets", {"ids": "1", "post__fields": "public_metrics"}),
        ("/2/users", {"ids": "44", "user__fields": "shoe_size"}),
        ("/2/users/44/tweets", {"max_results": 4}),
        ("/2/users/44/tweets", {"pagination_token": "nonsense"}),
        ("/2/users/44/tweets", {"start_time": "yesterday"}),
    ],
)
def test_requests_that_are_refused(ask: Ask, path: str, parameters: dict[str, object]) -> None:
    answer = ask("x", path, **parameters)
    assert problem(answer) == (400, "invalid-request")
    assert "x-rate-limit-reset" in answer.headers


def test_the_new_vocabulary_refuses_the_old_parameter_and_spells_anew(ask: Ask, server: SandboxServer) -> None:
    server.faults.switch_on("x", "44", "new_vocabulary")
    refused = ask("x", "/2/users/44/tweets", tweet__fields="public_metrics")
    assert refused.status_code == 400
    assert "tweet.fields" in refused.text
    post = ask("x", "/2/users/44/tweets", post__fields="public_metrics").json()["data"][0]
    assert "repost_count" in post["public_metrics"]
    assert "retweet_count" not in post["public_metrics"]
    assert post["edit_history_post_ids"] == [post["id"]]
    user = ask("x", "/2/users", ids="44", user__fields="public_metrics").json()["data"][0]
    assert "post_count" in user["public_metrics"]
    assert ask("x", "/2/users/45/tweets", tweet__fields="public_metrics").status_code == 200


def test_analytics_are_for_the_enrolled_and_their_days_sum_to_the_counter(ask: Ask, server: SandboxServer) -> None:
    found, _ = timeline(ask, max_results=100, start_time="2026-10-20T00:00:00Z")
    post = found[-1]
    window = {"start_time": "2026-10-19T00:00:00Z", "end_time": "2026-11-20T10:00:00Z", "granularity": "daily"}
    asked = {"ids": post["id"], "analytics__fields": "impressions,likes,unlikes", **window}
    refused = ask("x", "/2/tweets/analytics", **asked)
    assert problem(refused) == (403, "client-forbidden")
    assert refused.json()["reason"] == "client-not-enrolled"
    server.faults.switch_on("x", "44", "analytics_enabled")
    buckets = ask("x", "/2/tweets/analytics", **asked).json()["data"][0]["timestamped_metrics"]
    counts = post["public_metrics"]
    assert isinstance(counts, dict)
    assert sum(bucket["metrics"]["impressions"] for bucket in buckets) == counts["impression_count"]
    net = sum(bucket["metrics"]["likes"] - bucket["metrics"]["unlikes"] for bucket in buckets)
    assert net == counts["like_count"]
    assert all(datetime.fromisoformat(bucket["timestamp"]).astimezone(UTC).hour == 0 for bucket in buckets)


def test_usage_counts_a_post_once_a_day(ask: Ask) -> None:
    def used() -> int:
        return int(ask("x", "/2/usage/tweets").json()["data"]["project_usage"])

    before = used()
    ids = ",".join(str(post["id"]) for post in ask("x", "/2/users/900001/tweets", max_results=5).json()["data"])
    once = used()
    ask("x", "/2/tweets", ids=ids)
    assert before < once == used()
