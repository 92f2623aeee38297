"""What is answered for events, and what is then in the inbox."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.api.conftest import BATCH, TRACK, Client, code_of, event
from metrics_pipeline_tests.api.stored import accepted, stored


def test_the_smallest_event_is_stored_before_it_is_answered(acme: httpx.Client, settings: Settings) -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    answer = acme.post(TRACK, json=event())

    assert answer.status_code == 202
    data = answer.json()["data"]
    assert data["status"] == "accepted"
    assert before <= datetime.fromisoformat(data["received_at"]) <= datetime.now(UTC)
    [row] = accepted(settings)
    assert row["event_id"] == data["event_id"]
    assert (row["workspace_id"], row["event_type"], row["content_id"], row["session_id"], row["origin"]) == (
        "acme",
        "view_start",
        "c1",
        "s1",
        "api",
    )


def test_a_retry_counts_once(acme: httpx.Client, settings: Settings) -> None:
    sent = event(eventId=str(uuid4()))
    answers = [acme.post(TRACK, json=sent) for _ in range(2)]
    answers.append(acme.post(BATCH, json={"batch": [sent, sent]}))

    assert [answer.status_code for answer in answers] == [202, 202, 202]
    assert [answer.json()["data"]["status"] for answer in answers[:2]] == ["accepted", "duplicate"]
    assert {answer.json()["data"]["event_id"] for answer in answers[:2]} == {sent["eventId"]}
    batch = answers[2].json()["data"]
    assert (batch["accepted"], batch["duplicates"], batch["rejected"]) == (0, 2, 0)
    assert len(accepted(settings)) == 1


def test_a_batch_is_answered_event_by_event_in_its_order(acme: httpx.Client, settings: Settings) -> None:
    ids = [str(uuid4()) for _ in range(3)]
    batch = [
        event(eventId=ids[0]),
        event(eventId=ids[1], eventType="teleport"),
        event(eventId=ids[0]),
        "no event",
        {"event_type": "like", "content_id": "c1"},
        event(eventId=ids[2], viewData={"progress": 7}),
        event(),
    ]
    answer = acme.post(BATCH, json={"batch": batch})

    assert answer.status_code == 202
    body = answer.json()
    assert body["meta"] == {}
    data = body["data"]
    assert (data["accepted"], data["duplicates"], data["rejected"]) == (2, 1, 4)
    assert [result["index"] for result in data["results"]] == list(range(7))
    found = [(result["status"], result.get("code"), result.get("pointer")) for result in data["results"]]
    assert found == [
        ("accepted", None, None),
        ("rejected", "unknown_type", "/batch/1/eventType"),
        ("duplicate", None, None),
        ("rejected", "wrong_type", "/batch/3"),
        ("rejected", "missing_field", "/batch/4/session_id"),
        ("rejected", "out_of_range", "/batch/5/viewData/progress"),
        ("accepted", None, None),
    ]
    assert [result["event_id"] for result in data["results"][:6]] == [ids[0], ids[1], ids[0], None, None, ids[2]]
    rows = stored(settings)
    assert [row.kind for row in rows].count("accepted") == 2
    assert [row.columns["code"] for row in rows if row.kind == "rejected"] == [
        "unknown_type",
        "wrong_type",
        "missing_field",
        "out_of_range",
    ]


def test_a_batch_of_bad_events_only_is_not_to_be_sent_again(acme: httpx.Client) -> None:
    answer = acme.post(BATCH, json={"batch": [{}, {}]})
    assert answer.status_code == 202
    assert answer.json()["data"]["rejected"] == 2
    assert answer.json()["meta"] == {"warning": "every event was rejected"}


def test_a_whole_batch_of_a_hundred(acme: httpx.Client, settings: Settings) -> None:
    answer = acme.post(BATCH, json={"batch": [event(eventId=str(uuid4())) for _ in range(100)]})
    assert answer.json()["data"]["accepted"] == 100
    assert len(accepted(settings)) == 100


def test_tenants_never_meet(client: Client, key: Callable[..., str], settings: Settings) -> None:
    acme, beta = client(key("acme")), client(key("beta"))
    sent = event(eventId="one-and-the-same", workspace_id="beta", workspaceId="beta")

    answers = [one.post(TRACK, json=sent, params={"workspace_id": "beta"}) for one in (acme, beta, acme, beta)]

    assert [answer.json()["data"]["status"] for answer in answers] == ["accepted"] * 2 + ["duplicate"] * 2
    assert sorted(row["workspace_id"] for row in accepted(settings)) == ["acme", "beta"]
    first, second = (row["viewer_hash"] for row in accepted(settings))
    assert first != second, "the same session id of two tenants is two viewers"


def test_a_wrong_clock_is_corrected_by_sent_at(acme: httpx.Client, settings: Settings) -> None:
    wrong = datetime.now(UTC) + timedelta(days=300)
    batch = [event(timestamp=(wrong - timedelta(hours=2)).isoformat())]
    assert acme.post(BATCH, json={"sent_at": wrong.isoformat(), "batch": batch}).status_code == 202
    assert acme.post(TRACK, json={**batch[0], "sentAt": wrong.isoformat()}).status_code == 202
    for row in accepted(settings):
        ago = datetime.now(UTC) - datetime.fromisoformat(row["event_ts"])
        assert timedelta(hours=2) <= ago < timedelta(hours=2, minutes=1)
        assert row["ts_source"] == "corrected"


def test_crawlers_are_flagged_by_a_browsers_header_only(
    acme: httpx.Client, browser: httpx.Client, settings: Settings
) -> None:
    crawler = {"User-Agent": "Mozilla/5.0 (compatible; Examplebot/2.1)"}
    assert browser.post(TRACK, json=event(contentId="page"), headers=crawler).status_code == 202
    assert acme.post(TRACK, json=event(contentId="server"), headers=crawler).status_code == 202
    assert acme.post(TRACK, json=event(contentId="told", userAgent=crawler["User-Agent"])).status_code == 202
    rows = accepted(settings)
    assert {row["content_id"]: row["is_bot"] for row in rows} == {"page": True, "server": False, "told": True}
    assert "Examplebot" not in json.dumps(rows)


def test_an_operator_has_no_workspace_to_send_to(client: Client, key: Callable[..., str]) -> None:
    answer = client(key(None, "admin")).post(TRACK, json=event())
    assert (answer.status_code, code_of(answer)) == (403, "insufficient_scope")


@pytest.mark.parametrize("path", [TRACK, BATCH])
def test_two_values_of_one_name_are_refused_and_none_of_them_is_taken(
    acme: httpx.Client, settings: Settings, path: str
) -> None:
    text = '{"eventType": "like", "contentId": "c1", "sessionId": "s1", "contentId": "c2"}'
    body = text if path == TRACK else f'{{"batch": [{text}]}}'
    answer = acme.post(path, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, code_of(answer)) == (400, "invalid_json")
    assert stored(settings) == []
