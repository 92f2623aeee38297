"""Two servers on one Postgres: a key and an event id mean the same to both."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
from pydantic import SecretStr

from metrics_pipeline.api.server import ApiServer
from metrics_pipeline.control.api_keys import Rights, create_key
from metrics_pipeline.control.database import open_control
from metrics_pipeline.control.key_ring import load_key_ring
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.api.conftest import BATCH, TRACK, event
from metrics_pipeline_tests.api.stored import accepted
from metrics_pipeline_tests.conftest import PostgresUrls


def test_an_event_sent_to_both_counts_once(settings: Settings, postgres_url: PostgresUrls) -> None:
    settings = settings.model_copy(update={"database_url": SecretStr(postgres_url())})
    control = open_control(settings)
    add_workspace(control, "Acme", now=datetime.now(UTC))
    key = create_key(control, load_key_ring(settings), Rights("acme", ["ingest"]), now=datetime.now(UTC))[1].reveal()
    control.dispose()
    headers = {"Authorization": f"Bearer {key}"}
    with ApiServer(settings) as one, ApiServer(settings) as two:
        first = httpx.post(one.url + TRACK, json=event(eventId="e1"), headers=headers)
        batch = {"batch": [event(eventId="e1"), event(eventId="e2")]}
        second = httpx.post(two.url + BATCH, json=batch, headers=headers)
    assert first.json()["data"]["status"] == "accepted"
    assert [result["status"] for result in second.json()["data"]["results"]] == ["duplicate", "accepted"]
    assert [row["event_id"] for row in accepted(settings)] == ["e1", "e2"]
