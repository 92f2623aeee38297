"""Erasure over HTTP: asked for by an admin, refused at the door at once, told without telling whom."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from metrics_pipeline.erasing import run_erasures
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.api.conftest import BATCH, TRACK, Client, code_of, event
from metrics_pipeline_tests.api.stored import accepted

USER = "planted/person 1"
PATH = "/v1/users/planted%2Fperson%201"


@pytest.fixture
def admin(client: Client, key: Callable[..., str]) -> httpx.Client:
    return client(key("acme", "admin"))


def test_from_request_to_proof(acme: httpx.Client, admin: httpx.Client, settings: Settings) -> None:
    assert acme.post(TRACK, json=event(userId=USER, eventId="planted-1")).status_code == 202
    asked = admin.delete(PATH)
    assert asked.status_code == 202
    erasure = asked.json()["data"]
    assert (erasure["state"], erasure["workspace_id"], erasure["completed_at"]) == ("requested", "acme", None)
    assert "planted" not in asked.text

    batch = {"batch": [event(userId=USER), event(userId="someone", sessionId="s2")]}
    data = acme.post(BATCH, json=batch).json()["data"]
    assert [result["status"] for result in data["results"]] == ["rejected", "accepted"]
    assert data["results"][0]["code"] == "erased_person"
    single = acme.post(TRACK, json=event(userId=USER))
    assert (single.status_code, code_of(single)) == (422, "erased_person")

    run_erasures(Pipeline(settings))
    told = admin.get(f"/v1/erasures/{erasure['erasure_id']}")
    assert told.status_code == 200
    assert told.json()["data"]["state"] == "completed"
    assert told.json()["data"]["proof"]["rows_deleted"]["event_inbox"] == 1
    assert "planted" not in told.text
    assert [stored["user_id"] for stored in accepted(settings)] == ["someone"]


def test_no_file_of_the_data_directory_names_the_person(
    acme: httpx.Client, admin: httpx.Client, settings: Settings
) -> None:
    acme.post(TRACK, json=event(userId=USER, eventId="planted-1", sessionId="planted-s"))
    acme.post(TRACK, json=event(userId=USER, eventType="planted-nonsense"))
    admin.delete(PATH)
    run_erasures(Pipeline(settings))
    files = [file for file in Path(settings.data_dir).rglob("*") if file.is_file()]
    assert [str(file) for file in files if b"planted" in file.read_bytes()] == []


def test_asking_again_while_it_waits_is_the_same(admin: httpx.Client) -> None:
    first, second = (admin.delete(PATH).json()["data"]["erasure_id"] for _ in range(2))
    assert first == second


def test_only_an_admin_may_ask(acme: httpx.Client, client: Client, key: Callable[..., str]) -> None:
    for answer in (acme.delete(PATH), client(key("acme", "read")).get("/v1/erasures/era-1")):
        assert (answer.status_code, code_of(answer)) == (403, "insufficient_scope")


def test_another_workspaces_erasure_is_as_one_that_does_not_exist(
    admin: httpx.Client, client: Client, key: Callable[..., str]
) -> None:
    erasure_id = admin.delete(PATH).json()["data"]["erasure_id"]
    other = client(key("beta", "admin"))
    answers = [other.get(f"/v1/erasures/{name}") for name in (erasure_id, "era-none")]
    assert [(a.status_code, a.text) for a in answers] == [(404, answers[0].text)] * 2
    # and another workspace is never erased from
    assert other.delete(PATH, params={"workspace_id": "acme"}).status_code == 404


def test_an_operator_names_the_workspace(client: Client, key: Callable[..., str]) -> None:
    operator = client(key(None, "admin"))
    unnamed = operator.delete(PATH)
    assert (unnamed.status_code, code_of(unnamed)) == (422, "workspace_required")
    assert operator.delete(PATH, params={"workspace_id": "nowhere"}).status_code == 404
    named = operator.delete(PATH, params={"workspace_id": "beta"})
    assert named.json()["data"]["workspace_id"] == "beta"


def test_what_cannot_be_a_user_id_is_told(admin: httpx.Client) -> None:
    answer = admin.delete(f"/v1/users/{'x' * 300}")
    assert (answer.status_code, code_of(answer)) == (422, "invalid_user")
