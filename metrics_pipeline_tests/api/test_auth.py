"""Keys over HTTP: who is refused, how, and that a refusal tells nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import Engine

from metrics_pipeline.api import auth
from metrics_pipeline.api.auth import Caller
from metrics_pipeline.api.problems import Problem
from metrics_pipeline.control.api_key_text import KeyText, new_key_text, parse_key_text
from metrics_pipeline.control.api_keys import list_keys, revoke_key
from metrics_pipeline.control.key_ring import add_key
from metrics_pipeline.control.workspaces import remove_workspace
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.api.conftest import BATCH, TRACK, Client, code_of, event

Key = Callable[..., str]


def key_id(text: str) -> str:
    parsed = parse_key_text(text)
    assert parsed is not None
    return parsed.key_id


@pytest.mark.parametrize("path", [TRACK, BATCH])
@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic dXNlcjpwYXNz", "mk_0123456789"])
def test_without_a_key_nothing_is_read(client: Client, path: str, header: str | None) -> None:
    answer = client("").post(path, json=event(), headers={} if header is None else {"Authorization": header})

    assert (answer.status_code, code_of(answer)) == (401, "missing_key")
    assert answer.headers["www-authenticate"] == 'Bearer realm="metrics-pipeline"'


def test_every_bad_key_gets_the_same_answer(client: Client, key: Key, control: Engine) -> None:
    good, revoked = key(), key()
    revoke_key(control, key_id(revoked), now=datetime.now(UTC))
    ended = key(ends=datetime.now(UTC) - timedelta(seconds=1))
    orphan = key("beta")
    remove_workspace(control, "beta", now=datetime.now(UTC))
    wrong_secret = KeyText(key_id(good), new_key_text().secret).reveal()
    bad = ["mk_garbage", good[:-1], good + "x", new_key_text().reveal(), wrong_secret, revoked, ended, orphan, "é" * 50]

    answers = [client("").post(TRACK, json=event(), headers=[(b"Authorization", f"Bearer {k}".encode())]) for k in bad]

    assert {(answer.status_code, code_of(answer), answer.text) for answer in answers} == {
        (401, "invalid_key", answers[0].text)
    }
    assert 'error="invalid_token"' in answers[0].headers["www-authenticate"]
    assert client(good).post(TRACK, json=event()).status_code == 202


@pytest.mark.parametrize("scope", ["read", "define", "admin"])
def test_other_scopes_do_not_send_events(client: Client, key: Key, scope: str) -> None:
    answer = client(key("acme", scope)).post(TRACK, json=event())
    assert (answer.status_code, code_of(answer)) == (403, "insufficient_scope")


def test_a_revoked_key_stops_within_seconds(
    client: Client, key: Key, control: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert auth.REMEMBER_SECONDS <= 5
    monkeypatch.setattr(auth, "REMEMBER_SECONDS", 0.0)
    text = key()
    holder = client(text)
    assert holder.post(TRACK, json=event()).status_code == 202
    revoke_key(control, key_id(text), now=datetime.now(UTC))
    assert holder.post(TRACK, json=event()).status_code == 401


def test_a_key_made_under_a_newer_ring_key_works_at_once(client: Client, key: Key, settings: Settings) -> None:
    before = client(key())
    assert before.post(TRACK, json=event()).status_code == 202
    add_key(settings)
    assert client(key()).post(TRACK, json=event()).status_code == 202
    assert before.post(TRACK, json=event()).status_code == 202


def test_use_is_noted_once(client: Client, key: Key, control: Engine) -> None:
    holder = client(key())
    started = datetime.now(UTC)
    for _ in range(3):
        assert holder.post(TRACK, json=event()).status_code == 202
    used = wait_for_use(control)
    assert started <= used <= datetime.now(UTC)
    assert holder.post(TRACK, json=event()).status_code == 202
    assert wait_for_use(control) == used


def wait_for_use(control: Engine) -> datetime:
    """The request does not wait for the note."""
    deadline = datetime.now(UTC) + timedelta(seconds=5)
    while datetime.now(UTC) < deadline:
        [record] = list_keys(control)
        if record.last_used_at is not None:
            return record.last_used_at
    raise AssertionError("the use of the key was not noted")


def test_health_needs_no_key(client: Client) -> None:
    for path in ("/healthz", "/readyz"):
        answer = client("").get(path)
        assert (answer.status_code, answer.json()["status"]) == (200, "ok")


def test_what_is_another_tenants_is_not_there() -> None:
    mine = Caller("k", "acme", frozenset({"read"}))
    operator = Caller("k", None, frozenset({"read"}))
    assert mine.visible("acme") == "acme"
    assert operator.visible("beta") == "beta"
    for unseen in ("beta", "never-existed"):
        with pytest.raises(Problem) as refused:
            mine.visible(unseen)
        assert (refused.value.status, refused.value.code) == (404, "not_found")
    with pytest.raises(Problem, match="workspace_required"):
        operator.own_workspace()


def test_paths_that_do_not_exist_are_the_same_404_with_and_without_a_key(acme: httpx.Client, client: Client) -> None:
    answers = [one.get("/v1/workspaces/beta/secrets") for one in (acme, client(""))]
    assert {(answer.status_code, code_of(answer)) for answer in answers} == {(404, "not_found")}
