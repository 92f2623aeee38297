"""Quotas: the end user behind a browser's key, the key itself otherwise."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import httpx
import pytest

from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.api.conftest import BATCH, PAGE, TRACK, Client, code_of, event


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Small quotas, so that they are soon used up; and no minute that ends in the middle of a test."""
    if (left := 60 - time.time() % 60) < 3:
        time.sleep(left)
    return settings.model_copy(
        update={
            "api_user_track_per_minute": 3,
            "api_user_batches_per_minute": 2,
            "api_browser_key_events_per_minute": 100,
            "api_server_key_events_per_minute": 200,
        }
    )


def test_one_user_is_stopped_and_the_others_go_on(browser: httpx.Client) -> None:
    for left in (2, 1, 0):
        answer = browser.post(TRACK, json=event(userId="u1"))
        assert answer.status_code == 202
        assert answer.headers["ratelimit-policy"] == '"key";q=100;w=60, "user-track";q=3;w=60'
        assert f'"user-track";r={left};t=' in answer.headers["ratelimit"]

    refused = browser.post(TRACK, json=event(userId="u1"))

    assert (refused.status_code, code_of(refused)) == (429, "quota_exceeded")
    assert refused.json()["violated-policies"] == ["user-track"]
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert '"user-track";r=0' in refused.headers["ratelimit"]
    assert browser.post(TRACK, json=event(userId="u2")).status_code == 202
    assert browser.post(TRACK, json=event(sessionId="nobody's")).status_code == 202


def test_batches_have_a_quota_of_their_own_which_counts_everyone_in_them(browser: httpx.Client) -> None:
    both = {"batch": [event(userId="u1"), event(userId="u2")]}
    assert browser.post(BATCH, json=both).status_code == 202
    assert browser.post(BATCH, json={"batch": [event(user_id="u1")]}).status_code == 202
    assert code_of(browser.post(BATCH, json={"batch": [event(userId="u1")]})) == "quota_exceeded"
    assert code_of(browser.post(BATCH, json=both)) == "quota_exceeded"
    assert browser.post(BATCH, json={"batch": [event(userId="u2")]}).status_code == 202, "the refused one cost nothing"
    assert browser.post(TRACK, json=event(userId="u1")).status_code == 202


def test_a_browser_key_is_bounded_whoever_it_calls_itself(browser: httpx.Client) -> None:
    def batch(name: str) -> httpx.Response:
        return browser.post(BATCH, json={"batch": [event(userId=f"{name}{n}") for n in range(50)]})

    assert [batch("a").status_code, batch("b").status_code] == [202, 202]
    refused = batch("c")
    assert refused.status_code == 429
    assert refused.json()["violated-policies"] == ["key"]


def test_a_server_key_counts_events_and_no_users(acme: httpx.Client, client: Client, key: Callable[..., str]) -> None:
    for _ in range(5):
        answer = acme.post(TRACK, json=event(userId="u1"))
        assert answer.status_code == 202
    assert answer.headers["ratelimit-policy"] == '"key";q=200;w=60'
    assert '"key";r=195;' in answer.headers["ratelimit"]
    assert acme.post(BATCH, json={"batch": [event(userId="u1")] * 100}).status_code == 202
    assert code_of(acme.post(BATCH, json={"batch": [event()] * 96})) == "quota_exceeded"
    assert acme.post(BATCH, json={"batch": [event()] * 95}).status_code == 202
    assert client(key("acme")).post(TRACK, json=event()).status_code == 202, "another key has its own"


def test_what_is_not_taken_as_a_user_id_is_still_counted(browser: httpx.Client) -> None:
    odd = ("\ud800", "x" * 10_000, "")
    for user in odd:
        for _ in range(3):
            assert (
                browser.post(TRACK, content=_json(user), headers={"Content-Type": "application/json"}).status_code
                != 429
            )
        refused = browser.post(TRACK, content=_json(user), headers={"Content-Type": "application/json"})
        assert refused.status_code == 429
        assert refused.headers["access-control-allow-origin"] == PAGE


def _json(user: str) -> bytes:
    return json.dumps(event(userId=user, sessionId=user)).encode()
