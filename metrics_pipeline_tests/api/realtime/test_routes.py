"""Real-time metrics over HTTP: what is sent is read at once, and nobody reads another's."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from metrics_pipeline_tests.api.conftest import BATCH, PAGE, TRACK, Client, code_of, event


@pytest.fixture
def whole(client: Client, key: Callable[..., str]) -> httpx.Client:
    """A client that may do everything in acme."""
    return client(key("acme", "read", "ingest", "admin"))


def value_of(client: httpx.Client, metric: str, **query: object) -> object:
    answer = client.get(f"/v1/realtime/{metric}", params={"window_seconds": 300, **query})  # type: ignore[dict-item]
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]["value"]


def test_accepted_events_count_at_once_and_once(whole: httpx.Client) -> None:
    first = event(eventId="e1", userId="u1", viewData={"watchTime": 3})
    end = event(eventId="e2", eventType="view_complete", userId="u1", viewData={"totalWatchTime": 12.5})
    robot = event(eventId="e3", userAgent="Googlebot/2.1")
    bad = event(eventType="nothing")
    sent = [first, end, robot, bad, event(eventId="e4", eventType="like"), event(eventId="e5", eventType="unlike")]
    assert whole.post(BATCH, json={"batch": [*sent, first]}).json()["data"]["accepted"] == 5
    assert value_of(whole, "events") == 5
    for _ in range(2):  # retries of what is stored
        whole.post(BATCH, json={"batch": sent})
        whole.post(TRACK, json=first)
    assert value_of(whole, "events") == 5
    assert value_of(whole, "views") == 1  # the robot's is left out, as in the tables
    assert value_of(whole, "unique_viewers") == 1
    assert value_of(whole, "likes") == 0
    watched = whole.get("/v1/realtime/watch_time?percentile=0.5").json()["data"]
    assert (watched["count"], watched["sum"]) == (1, 12.5)
    assert watched["percentiles"]["0.5"] == pytest.approx(12.5, rel=0.01)
    groups = whole.get("/v1/realtime/events?group_by=event_type").json()["data"]["groups"]
    assert {group["labels"]["event_type"]: group["value"] for group in groups} == {
        "like": 1, "unlike": 1, "view_complete": 1, "view_start": 2,
    }  # fmt: skip
    bundle = whole.get("/v1/workspaces/acme/realtime").json()
    views = next(line for line in bundle["data"]["metrics"] if line["metric"] == "views")
    assert [window["value"] for window in views["windows"]] == [1, 1, 1]
    assert bundle["meta"] == {"degraded": False, "scope": "process", "cache": "live"}


def test_metrics_of_ones_own(whole: httpx.Client, client: Client, key: Callable[..., str]) -> None:
    url = "/v1/realtime/orders"
    first = whole.post(url, json={"type": "counter", "value": 2, "labels": {"region": "eu"}, "unit": "orders"})
    assert first.status_code == 202, first.text
    assert first.json()["data"]["accepted"] == 1
    many = {"type": "counter", "updates": [{"value": n, "labels": {"region": "us"}} for n in range(4)]}
    assert whole.post(url, json={**many, "window_seconds": 120}).json()["data"]["window_seconds"] == 120
    found = whole.get(url, params={"group_by": "region"}).json()
    assert (found["data"]["value"], found["data"]["unit"], found["data"]["window_seconds"]) == (8, "orders", 120)
    assert {group["labels"]["region"]: group["value"] for group in found["data"]["groups"]} == {"eu": 2, "us": 6}
    assert value_of(whole, "orders", label="region:us") == 6
    assert value_of(client(key("acme", "read")), "orders") == 8
    assert client(key("beta", "read")).get(url).status_code == 404
    assert [each["metric"] for each in whole.get("/v1/realtime").json()["data"] if not each["is_fed"]] == ["orders"]
    assert whole.delete(url).json()["data"]["series"] == 2
    assert whole.get(url).status_code == 404
    assert whole.post(url, json={"type": "gauge", "value": -1.5}).status_code == 202  # the name is free
    assert value_of(whole, "orders") == -1.5


REFUSED: list[tuple[str, dict[str, object], int, str]] = [
    ("views", {"type": "counter", "value": 1}, 409, "reserved_metric"),
    ("taken", {"type": "gauge", "value": 1}, 409, "type_conflict"),
    ("taken", {"type": "counter", "value": 1, "unit": "other"}, 409, "type_conflict"),
    ("fresh", {"type": "counter", "value": -1}, 422, "counter_negative"),
    ("fresh", {"type": "counter", "updates": [{"value": 1}, {"value": -1}]}, 422, "counter_negative"),
    ("fresh", {"type": "distinct", "value": 1}, 422, "value_type"),
    ("fresh", {"type": "counter", "value": True}, 422, "invalid_request"),
    ("fresh", {"type": "counter"}, 422, "invalid_request"),
    ("fresh", {"type": "counter", "value": 1, "labels": {"Region": "eu"}}, 422, "label_name"),
    ("Fresh", {"type": "counter", "value": 1}, 422, "metric_name"),
    ("fresh", {"type": "gauge", "value": 1, "observed_at": "2199-01-01T00:00:00Z"}, 422, "in_the_future"),
]


def test_what_is_refused_counts_nothing(whole: httpx.Client) -> None:
    whole.post("/v1/realtime/taken", json={"type": "counter", "value": 1, "unit": "things"})
    for metric, body, status, code in REFUSED:
        answer = whole.post(f"/v1/realtime/{metric}", json=body)
        assert (answer.status_code, code_of(answer)) == (status, code), body
    assert whole.get("/v1/realtime/fresh").status_code == 404
    assert value_of(whole, "taken") == 1


def test_who_may(client: Client, key: Callable[..., str], browser: httpx.Client) -> None:
    body = {"type": "counter", "value": 1}
    assert code_of(browser.post("/v1/realtime/orders", json=body)) == "server_key_required"
    assert browser.headers["Origin"] == PAGE
    reader = client(key("acme", "read"))
    assert code_of(reader.post("/v1/realtime/orders", json=body)) == "insufficient_scope"
    assert code_of(reader.delete("/v1/realtime/orders")) == "insufficient_scope"
    assert reader.get("/v1/workspaces/beta/realtime").status_code == 404
    assert reader.get("/v1/realtime/views", params={"workspace_id": "beta"}).status_code == 404
    operator = client(key(None, "read"))
    assert value_of(operator, "views", workspace_id="beta") == 0
    assert operator.get("/v1/realtime/views", params={"workspace_id": "nobody"}).status_code == 404
    sender = client(key("acme", "admin"))
    assert code_of(sender.delete("/v1/realtime/views")) == "reserved_metric"
