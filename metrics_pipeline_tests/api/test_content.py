"""Attributes of content over HTTP: durable before the answer, in the lake after the next pass, one tenant's only."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from metrics_pipeline.content_flow import ContentFlow
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.tables import TABLES
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.api.conftest import TRACK, Client, code_of, event
from metrics_pipeline_tests.api.stored import stored

VIDEO = {
    "creatorId": "anna",
    "contentType": "video",
    "caption": "Erste Schritte – ü",
    "durationSeconds": 34.5,
    "publishedAt": "2026-11-01T12:00:00+01:00",
    "metadata": {"tags": ["a"], "n": 1},
}
PATH = "/v1/content/video-1"


@pytest.fixture
def both(client: Client, key: Callable[..., str]) -> httpx.Client:
    """A server's client that may send and read."""
    return client(key("acme", "ingest", "read"))


def process(settings: Settings) -> None:
    flow = ContentFlow(Pipeline(settings))
    flow.drain()
    flow.refresh()


def data_of(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def test_it_is_stored_before_it_is_answered_and_read_after_the_next_pass(
    both: httpx.Client, settings: Settings
) -> None:
    answer = both.put(PATH, json=VIDEO)
    assert answer.status_code == 202
    body = answer.json()
    assert body["meta"] == {}
    assert (body["data"]["content_id"], body["data"]["status"]) == ("video-1", "accepted")
    [row] = stored(settings)
    assert (row.kind, row.columns["workspace_id"], row.columns["creator_id"]) == ("content", "acme", "anna")
    assert code_of(both.get(PATH)) == "not_found", "the lake is not made yet"

    process(settings)

    answer = both.get(PATH)
    data = data_of(answer)
    assert (data["content_id"], data["workspace_id"], data["metrics"]) == ("video-1", "acme", None)
    attributes = data["attributes"]
    assert attributes["updated_at"].startswith(body["data"]["updated_at"][:19])
    assert {name: value for name, value in attributes.items() if name != "updated_at"} == {
        "creator_id": "anna",
        "content_type": "video",
        "caption": "Erste Schritte – ü",
        "thumbnail_url": None,
        "duration_seconds": 34.5,
        "published_at": "2026-11-01T11:00:00Z",
        "deleted_at": None,
        "metadata": {"tags": ["a"], "n": 1},
    }
    assert answer.json()["meta"]["data_through"] is None
    assert answer.json()["meta"]["approximate"] is False


def test_what_is_left_out_is_unknown_from_then_on_and_an_answer_may_be_sent_back(
    both: httpx.Client, settings: Settings
) -> None:
    both.put(PATH, json=VIDEO)
    both.put(PATH, json={"content_id": "video-1", "caption": "new"})
    process(settings)
    attributes = data_of(both.get(PATH))["attributes"]
    assert (attributes["caption"], attributes["creator_id"], attributes["metadata"]) == ("new", None, None)
    assert both.put(PATH, json=attributes).status_code == 202
    process(settings)
    again = data_of(both.get(PATH))["attributes"]
    assert again.pop("updated_at") > attributes.pop("updated_at")
    assert again == attributes


def test_numbers_come_with_it_and_follow_its_attributes(both: httpx.Client, settings: Settings) -> None:
    both.post(TRACK, json=event(contentId="video-1"))
    process(settings)
    answer = both.get(PATH)
    data = data_of(answer)
    assert data["attributes"] is None
    metrics = data["metrics"]
    columns = {column.name for column in TABLES["content_metrics"].columns}
    assert set(metrics) == columns - {"workspace_id", "content_id"}
    assert (metrics["views"], metrics["creator_id"], metrics["age_is_assumed"]) == (1, None, True)
    meta = answer.json()["meta"]
    assert meta["data_through"] == metrics["computed_at"]

    both.put(PATH, json=VIDEO)
    flow = ContentFlow(Pipeline(settings))
    assert flow.waiting() == 1
    flow.drain()
    assert flow.waiting() == 1, "the lake holds attributes that content_metrics has not seen"
    flow.refresh()
    assert flow.waiting() == 0
    changed = both.get(PATH)
    metrics = data_of(changed)["metrics"]
    assert (metrics["creator_id"], metrics["published_at"], metrics["age_is_assumed"]) == (
        "anna",
        "2026-11-01T11:00:00Z",
        False,
    )
    assert changed.json()["meta"]["generation"] != meta["generation"]


def test_another_tenants_and_an_unknown_one_are_the_same(
    both: httpx.Client, client: Client, key: Callable[..., str], settings: Settings
) -> None:
    both.put(PATH, json=VIDEO)
    process(settings)
    other = client(key("beta", "ingest", "read"))
    foreign, unknown = other.get(PATH), other.get("/v1/content/never-seen")
    assert code_of(foreign) == code_of(unknown) == "not_found"
    assert foreign.json() == unknown.json()
    assert other.get(PATH, params={"workspace_id": "acme"}).json() == unknown.json()
    other.put(PATH, json={"caption": "beta's own"})
    process(settings)
    assert data_of(other.get(PATH))["attributes"]["caption"] == "beta's own"
    assert data_of(both.get(PATH))["attributes"]["caption"] == VIDEO["caption"]
    operator = client(key(None, "read"))
    assert code_of(operator.get(PATH)) == "workspace_required"
    assert data_of(operator.get(PATH, params={"workspace_id": "acme"}))["attributes"]["creator_id"] == "anna"


def test_who_may_not(both: httpx.Client, browser: httpx.Client, client: Client, key: Callable[..., str]) -> None:
    assert code_of(client("").put(PATH, json={})) == "missing_key"
    assert code_of(browser.put(PATH, json={})) == "server_key_required"
    assert code_of(client(key("acme", "read")).put(PATH, json={})) == "insufficient_scope"
    assert code_of(client(key("acme", "ingest")).get(PATH)) == "insufficient_scope"
    assert both.put(PATH, json={}).status_code == 202


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        ('{"durationSeconds": NaN}', 400, "invalid_json", None),
        ('{"durationSeconds": 1e999}', 422, "not_finite", "/durationSeconds"),
        ('{"caption": "a", "caption": "b"}', 400, "invalid_json", None),
        ('{"metadata": {"a": 1, "a": 2}}', 400, "invalid_json", None),
        ('{"metadata": ' + '{"a":' * 5000 + "1" + "}" * 5001, 400, "invalid_json", None),
        ('{"metadata": {"a": 1e999}}', 422, "not_finite", "/metadata"),
        ('{"caption": "a", "caption ": "b"}', 422, "unknown_field", ""),
        ('{"captoin": "secret"}', 422, "unknown_field", "/captoin"),
        ("[]", 422, "wrong_type", ""),
        ('{"caption": "' + "x" * 70_000 + '"}', 413, "body_too_large", None),
    ],
)
def test_what_cannot_be_taken_says_where_and_why(
    both: httpx.Client, settings: Settings, body: str, status: int, code: str, pointer: str | None
) -> None:
    answer = both.put(PATH, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, code_of(answer), answer.json().get("pointer")) == (status, code, pointer)
    assert "secret" not in answer.text
    assert stored(settings) == []


@pytest.mark.parametrize("name", ["x" * 201, "%20"])
def test_an_id_that_no_event_can_have_is_refused(both: httpx.Client, name: str) -> None:
    assert both.put(f"/v1/content/{name}", json={}).status_code == 422
    assert both.get(f"/v1/content/{name}").status_code == 404


def test_ids_are_compared_and_never_run(both: httpx.Client, settings: Settings) -> None:
    odd = "a' or '1'='1"
    both.put("/v1/content/" + odd.replace("'", "%27"), json={"caption": "odd"})
    both.put(PATH, json=VIDEO)
    process(settings)
    assert data_of(both.get("/v1/content/" + odd.replace("'", "%27")))["attributes"]["caption"] == "odd"
    assert both.get("/v1/content/b%27%20or%20%271%27=%271").status_code == 404


def test_reading_makes_no_tables(both: httpx.Client, settings: Settings) -> None:
    assert both.get(PATH).status_code == 404
    assert not Lake(settings.lake_location).exists("content")
    assert json.loads(both.get(PATH).text)["code"] == "not_found"
