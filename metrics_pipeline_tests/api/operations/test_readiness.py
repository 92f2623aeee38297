"""/readyz: each store by name, within seconds, and 503 only where one has failed."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import httpx
import psycopg
import pyarrow as pa
import pytest
from deltalake import write_deltalake
from pydantic import SecretStr

from metrics_pipeline.api.operations import readiness
from metrics_pipeline.api.server import ApiServer
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.api.conftest import code_of
from metrics_pipeline_tests.conftest import PostgresUrls

NAMES = ["control_database", "inbox", "lake", "cache", "quotas"]


def states(answer: httpx.Response) -> dict[str, str]:
    return {check["name"]: check["status"] for check in answer.json()["checks"]}


def test_a_lake_that_is_not_there_yet_and_one_that_is_gone(server: ApiServer, settings: Settings) -> None:
    lake = Path(settings.lake_location)
    ready = httpx.get(f"{server.url}/readyz")
    assert ready.status_code == 200
    assert list(states(ready)) == NAMES
    write_deltalake(lake / "daily_metrics", pa.table({"date": ["2026-11-20"]}))
    assert httpx.get(f"{server.url}/readyz").json()["status"] == "ok"

    log = lake / "daily_metrics" / "_delta_log" / f"{0:020d}.json"
    log.write_text("{")
    failed = httpx.get(f"{server.url}/readyz")
    assert (failed.status_code, code_of(failed)) == (503, "unavailable")
    assert states(failed) == {**dict.fromkeys(NAMES, "ok"), "lake": "failed"}
    assert str(lake) not in failed.text
    shutil.rmtree(lake)
    lake.write_text("a file in its place")
    assert states(httpx.get(f"{server.url}/readyz"))["lake"] == "failed"
    assert httpx.get(f"{server.url}/healthz").status_code == 200


def test_a_store_that_hangs_is_asked_once_and_not_waited_for(
    settings: Settings, postgres_url: PostgresUrls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "LONGEST_SECONDS", 0.3)
    url = postgres_url()
    with ApiServer(settings.model_copy(update={"database_url": SecretStr(url)})) as server:
        with psycopg.connect(url) as connection:
            connection.execute("lock table workspaces in access exclusive mode")
            started = time.monotonic()
            for _ in range(6):
                failed = httpx.get(f"{server.url}/readyz")
                assert (failed.status_code, states(failed)["control_database"]) == (503, "failed")
            assert time.monotonic() - started < 15
            waiting = connection.execute("select count(*) from pg_locks where not granted").fetchone()
            assert waiting == (1,)
            connection.rollback()
        deadline = time.monotonic() + 10
        while httpx.get(f"{server.url}/readyz").status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.05)
