"""Write-only keys in web pages: from their own origins only, and those pages may read the answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest
from sqlalchemy import Engine

from metrics_pipeline.api import auth
from metrics_pipeline.control.api_keys import list_keys, revoke_key
from metrics_pipeline_tests.api.conftest import BATCH, PAGE, TRACK, Client, code_of, event

ASKS = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}


def test_a_page_of_the_list_may_send_and_read(browser: httpx.Client) -> None:
    for path, body in ((TRACK, event()), (BATCH, {"batch": [event()]})):
        answer = browser.post(path, json=body)
        assert answer.status_code == 202
        assert answer.headers["access-control-allow-origin"] == PAGE
        assert "Origin" in answer.headers["vary"]
        assert "Retry-After" in answer.headers["access-control-expose-headers"]
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "http://app.example", PAGE + ".evil.example"])
def test_from_anywhere_else_it_is_refused(browser: httpx.Client, origin: str | None) -> None:
    del browser.headers["origin"]
    answer = browser.post(TRACK, json=event(), headers={} if origin is None else {"Origin": origin})
    assert (answer.status_code, code_of(answer)) == (403, "origin_not_allowed")
    assert "access-control-allow-origin" not in answer.headers


def test_one_keys_page_is_not_another_keys(browser: httpx.Client, client: Client, key: Callable[..., str]) -> None:
    other = client(key("beta", origins=("https://beta.example",)))
    assert code_of(other.post(TRACK, json=event(), headers={"Origin": PAGE})) == "origin_not_allowed"


def test_preflights(browser: httpx.Client, client: Client, control: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "REMEMBER_SECONDS", 0.0)
    page = client("")
    answer = page.options(TRACK, headers={"Origin": PAGE, **ASKS})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert answer.headers["access-control-allow-headers"] == "Authorization, Content-Type"
    foreign = page.options(TRACK, headers={"Origin": "https://evil.example", **ASKS})
    assert (foreign.status_code, code_of(foreign)) == (403, "origin_not_allowed")
    assert "access-control-allow-origin" not in foreign.headers

    revoke_key(control, list_keys(control)[0].key_id, now=datetime.now(UTC))
    assert page.options(TRACK, headers={"Origin": PAGE, **ASKS}).status_code == 403


def test_errors_are_readable_for_the_page(browser: httpx.Client) -> None:
    answer = browser.post(TRACK, json={})
    assert (answer.status_code, code_of(answer)) == (422, "missing_field")
    assert answer.headers["access-control-allow-origin"] == PAGE


def test_other_paths_are_not_for_pages(browser: httpx.Client) -> None:
    assert "access-control-allow-origin" not in browser.get("/healthz").headers
