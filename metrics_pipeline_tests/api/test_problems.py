"""Every way a request can be wrong: one shape, a stable code, and nothing of what was sent."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from metrics_pipeline.api.server import ApiServer
from metrics_pipeline.control.api_keys import Rights, create_key
from metrics_pipeline.control.database import open_control
from metrics_pipeline.control.key_ring import load_key_ring
from metrics_pipeline.settings import load_settings
from metrics_pipeline_tests.api.conftest import BATCH, TRACK, code_of, event

CANARY = "canary-7f3a"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def acme(migrated_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """One server for all tests here: what is refused changes nothing."""
    directory = tmp_path_factory.mktemp("problems") / "data"
    shutil.copytree(migrated_directory, directory)
    settings = load_settings(data_dir=directory)
    control = open_control(settings)
    key = create_key(control, load_key_ring(settings), Rights("acme", ["ingest"]), now=datetime.now(UTC))[1].reveal()
    control.dispose()
    with (
        ApiServer(settings) as server,
        httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"}) as client,
    ):
        yield client


@pytest.mark.parametrize("path", [TRACK, BATCH])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"eventType": NaN}',
        b'{"a": -Infinity}',
        b"\xff\xfe{\x00}\x00",
        b'\xef\xbb\xbf{"a": 1}',
        b'{"a": "\xe9"}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": 1} ' + CANARY.encode(),
        b"[" * 20_000,
    ],
)
def test_what_is_no_json(acme: httpx.Client, path: str, body: bytes) -> None:
    answer = acme.post(path, content=body, headers=JSON)
    assert (answer.status_code, code_of(answer)) == (400, "invalid_json")
    assert CANARY not in answer.text


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
def test_another_content_type(acme: httpx.Client, kind: str | None) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    answer = acme.post(TRACK, content=json.dumps(event()).encode(), headers=headers)
    assert (answer.status_code, code_of(answer)) == (415, "unsupported_media_type")


def test_a_compressed_body(acme: httpx.Client) -> None:
    answer = acme.post(TRACK, content=b"\x1f\x8b", headers={**JSON, "Content-Encoding": "gzip"})
    assert (answer.status_code, code_of(answer)) == (415, "unsupported_encoding")


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/cloudevent+json"])
def test_kinds_of_json(acme: httpx.Client, kind: str) -> None:
    assert acme.post(TRACK, content=json.dumps(event()).encode(), headers={"Content-Type": kind}).status_code == 202


@pytest.mark.parametrize(("path", "limit"), [(TRACK, 32_768), (BATCH, 1_048_576)])
@pytest.mark.parametrize("announced", [True, False])
def test_a_body_that_is_too_large(acme: httpx.Client, path: str, limit: int, announced: bool) -> None:
    body = json.dumps(event(note=CANARY * (limit // len(CANARY)))).encode()

    def chunks() -> Iterator[bytes]:
        yield from (body[at : at + 10_000] for at in range(0, len(body), 10_000))

    answer = acme.post(path, content=body if announced else chunks(), headers=JSON)
    assert (answer.status_code, code_of(answer)) == (413, "body_too_large")
    assert CANARY not in answer.text


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ([], "invalid_batch", ""),
        ({}, "invalid_batch", "/batch"),
        ({"batch": {}}, "invalid_batch", "/batch"),
        ({"batch": []}, "invalid_batch", "/batch"),
        ({"batch": [event()] * 101}, "too_many_events", "/batch"),
        ({"batch": [event()], "sent_at": "yesterday"}, "invalid_sent_at", "/sent_at"),
        ({"batch": [event()], "sentAt": "2026-11-20T10:00:00"}, "invalid_sent_at", "/sentAt"),
        ({"batch": [event()], "sent_at": 1795000000}, "invalid_sent_at", "/sent_at"),
    ],
)
def test_what_is_no_batch(acme: httpx.Client, body: object, code: str, pointer: str) -> None:
    answer = acme.post(BATCH, json=body)
    assert (answer.status_code, code_of(answer), answer.json()["pointer"]) == (422, code, pointer)


@pytest.mark.parametrize(
    ("sent", "code", "pointer"),
    [
        ([], "wrong_type", ""),
        ("text", "wrong_type", ""),
        ({"eventType": "view_start", "contentId": "c1"}, "missing_field", "/sessionId"),
        ({"event_type": "follow", "session_id": "s"}, "missing_field", "/creator_id"),
        (event(eventType=CANARY), "unknown_type", "/eventType"),
        (event(viewData={"watchTime": True}), "wrong_type", "/viewData/watchTime"),
        (event(viewData={"watchTime": 1e400}), "invalid_json", None),
        (event(userId="\ud800" + CANARY), "bad_text", "/userId"),
        (event(userId="a\0b"), "bad_text", "/userId"),
        (event(eventId=CANARY * 100), "too_long", "/eventId"),
        (event(timestamp="2020-01-01T00:00:00Z"), "too_old", "/timestamp"),
    ],
)
def test_an_event_that_cannot_be_taken(acme: httpx.Client, sent: object, code: str, pointer: str | None) -> None:
    answer = acme.post(TRACK, content=json.dumps(sent).encode(), headers=JSON)
    assert code_of(answer) == code
    assert answer.status_code == (400 if pointer is None else 422)
    assert answer.json().get("pointer") == pointer
    assert CANARY not in answer.text


def test_a_number_beyond_every_double_is_refused(acme: httpx.Client) -> None:
    body = b'{"eventType":"view_start","contentId":"c","sessionId":"s","viewData":{"watchTime":1e400}}'
    answer = acme.post(TRACK, content=body, headers=JSON)
    assert (answer.status_code, code_of(answer)) == (422, "not_finite")


def test_another_method_and_another_path(acme: httpx.Client) -> None:
    answer = acme.get(TRACK)
    assert (answer.status_code, code_of(answer), answer.headers["allow"]) == (405, "method_not_allowed", "POST")
    answer = acme.post(f"/v1/events/{CANARY}", json={})
    assert (answer.status_code, code_of(answer)) == (404, "not_found")
    assert CANARY not in answer.text


def test_errors_are_described(acme: httpx.Client) -> None:
    described: dict[str, Any] = acme.get("/openapi.json").json()
    for path in (TRACK, BATCH):
        answers = described["paths"][path]["post"]["responses"]
        assert set(answers) == {"202", "400", "401", "403", "413", "414", "415", "422", "429", "431", "503"}
        assert all(list(answers[code]["content"]) == ["application/problem+json"] for code in answers if code != "202")
