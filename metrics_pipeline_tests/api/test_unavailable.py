"""When a store cannot take events: 503 with a time to wait, nothing half stored, and all is well afterwards."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from metrics_pipeline.api.server import ApiServer
from metrics_pipeline.control.api_key_text import new_key_text
from metrics_pipeline.events import sqlite_inbox
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.api.conftest import BATCH, TRACK, code_of, event
from metrics_pipeline_tests.api.stored import accepted
from metrics_pipeline_tests.conftest import PostgresUrls


@contextmanager
def locked(settings: Settings, name: str) -> Iterator[None]:
    """Another program holds a database file."""
    connection = sqlite3.connect(settings.data_dir / name, isolation_level=None)
    connection.execute("begin exclusive")
    try:
        yield
    finally:
        connection.close()


def refused(answer: httpx.Response, code: str) -> bool:
    return (answer.status_code, code_of(answer), answer.headers["retry-after"]) == (503, code, "1")


@pytest.fixture
def settings(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A short queue, and no long wait for a locked file."""
    monkeypatch.setattr(sqlite_inbox.SqliteInbox.__init__, "__kwdefaults__", {"busy_timeout": 0.3})
    return settings.model_copy(update={"event_queue_size": 100})


def test_a_locked_inbox(acme: httpx.Client, settings: Settings) -> None:
    sent = event(eventId="e1")
    with locked(settings, "events.db"):
        assert refused(acme.post(TRACK, json=sent), "inbox_busy")
        assert refused(acme.post(BATCH, json={"batch": [sent, event()]}), "inbox_busy")
    assert acme.post(TRACK, json=sent).json()["data"]["status"] == "accepted"
    assert [row["event_id"] for row in accepted(settings)] == ["e1"]


def test_a_full_queue(acme: httpx.Client, server: ApiServer, settings: Settings) -> None:
    answers: list[httpx.Response] = []

    def send() -> None:
        with httpx.Client(base_url=server.url, headers=acme.headers, timeout=10) as own:
            answers.append(own.post(BATCH, json={"batch": [event()] * 60}))

    with locked(settings, "events.db"):
        senders = [threading.Thread(target=send) for _ in range(6)]
        for sender in senders:
            sender.start()
            time.sleep(0.02)
        for sender in senders:
            sender.join()
    codes = {code_of(answer) for answer in answers}
    assert "queue_full" in codes
    assert codes <= {"queue_full", "inbox_busy"}
    assert all(answer.status_code == 503 and answer.headers["retry-after"] == "1" for answer in answers)
    assert acme.post(TRACK, json=event()).status_code == 202
    assert len(accepted(settings)) == 1


def test_a_database_server_that_is_gone(settings: Settings, postgres_url: PostgresUrls) -> None:
    url = postgres_url()
    settings = settings.model_copy(update={"database_url": SecretStr(url)})
    with ApiServer(settings) as server, httpx.Client(base_url=server.url) as client:
        assert client.get("/readyz").status_code == 200
        with psycopg.connect(postgres_url(), autocommit=True) as connection:
            connection.execute(f"drop database {make_url(url).database} with (force)".encode())
        assert refused(client.get("/readyz"), "unavailable")
        key = {"Authorization": f"Bearer {new_key_text().reveal()}"}
        assert refused(client.post(TRACK, json=event(), headers=key), "unavailable")
        assert client.get("/healthz").status_code == 200


def test_what_nobody_expected(acme: httpx.Client, server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError("canary-1d2e")

    monkeypatch.setattr("metrics_pipeline.api.quotas.limits.Limits.spend_single", broken)
    answer = acme.post(TRACK, json=event())
    assert (answer.status_code, code_of(answer)) == (500, "internal_error")
    assert answer.json()["trace_id"] == answer.headers["x-request-id"]
    assert "canary-1d2e" not in answer.text
    assert acme.get("/healthz").status_code == 200
