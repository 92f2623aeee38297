"""`GET /v1/accounts`: what needs somebody is told to whom it concerns, and to nobody else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from metrics_pipeline.control.account_status import mark_needs_reauth
from metrics_pipeline.control.accounts import add_account
from metrics_pipeline.control.key_ring import load_key_ring
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.api.conftest import Client, code_of

NOW = datetime(2026, 3, 18, 10, tzinfo=UTC)


@pytest.fixture
def connected(control: Engine, settings: Settings) -> None:
    ring = load_key_ring(settings)
    for workspace in ("acme", "beta"):
        record = add_account(control, ring, workspace, "instagram", f"id-{workspace}", token="secret-token", now=NOW)
    mark_needs_reauth(
        control, "acme", "instagram-id-acme", "the session has expired", now=NOW,
        credentials_updated_at=record.credentials_updated_at,
    )  # fmt: skip


@pytest.mark.usefixtures("connected")
def test_an_account_that_has_to_sign_in_again_says_so(client: Client, key: Callable[..., str]) -> None:
    answer = client(key("acme", "read")).get("/v1/accounts")
    assert answer.status_code == 200
    (account,) = answer.json()["data"]
    assert (account["status"], account["reason"]) == ("needs_reauth", "the session has expired")
    assert "secret-token" not in answer.text


@pytest.mark.usefixtures("connected")
def test_a_workspace_sees_its_own_and_an_operator_all(client: Client, key: Callable[..., str]) -> None:
    seen = {
        who: [a["workspace_id"] for a in client(key(who, "read")).get("/v1/accounts").json()["data"]]
        for who in ("acme", "beta", None)
    }
    assert seen == {"acme": ["acme"], "beta": ["beta"], None: ["acme", "beta"]}


def test_a_key_that_may_not_read_is_refused(client: Client, key: Callable[..., str]) -> None:
    answer = client(key("acme", "ingest")).get("/v1/accounts")
    assert (answer.status_code, code_of(answer)) == (403, "insufficient_scope")
