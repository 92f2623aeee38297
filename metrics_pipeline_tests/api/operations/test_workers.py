"""Several processes on one port: with Redis and Postgres one API, without them refused."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from metrics_pipeline.api.operations.workers import check_shared_stores
from metrics_pipeline.control.api_keys import Rights, create_key
from metrics_pipeline.control.database import open_control
from metrics_pipeline.control.key_ring import load_key_ring
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.errors import UserError
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.api.stored import accepted
from metrics_pipeline_tests.api.test_process import Process, under_load
from metrics_pipeline_tests.conftest import PostgresUrls, RedisServer

READS = 40


@pytest.fixture
def shared(settings: Settings, postgres_url: PostgresUrls, redis_server: RedisServer) -> Settings:
    urls = {"database_url": SecretStr(postgres_url()), "redis_url": SecretStr(redis_server.url)}
    return settings.model_copy(update=urls)


@pytest.fixture
def headers(shared: Settings) -> dict[str, str]:
    control = open_control(shared)
    now = datetime.now(UTC)
    add_workspace(control, "acme", now=now)
    key = create_key(control, load_key_ring(shared), Rights("acme", ["ingest", "read"]), now=now)[1].reveal()
    control.dispose()
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def api(shared: Settings, headers: dict[str, str]) -> Iterator[Process]:
    assert headers
    assert shared.database_url is not None
    assert shared.redis_url is not None
    process = Process(
        shared,
        "--workers",
        "2",
        METRICS_DATABASE_URL=shared.database_url.get_secret_value(),
        METRICS_REDIS_URL=shared.redis_url.get_secret_value(),
        METRICS_API_LOG="text",
    )
    yield process
    process.process.kill()
    process.process.communicate()


def workers_of(process: Process) -> set[int]:
    text = Path(f"/proc/{process.process.pid}/task/{process.process.pid}/children").read_text()
    return {int(pid) for pid in text.split()}


def metric(api: Process, pattern: str) -> float:
    """The sum of the samples that match."""
    text = httpx.get(f"{api.url}/metrics").text
    return sum(float(value) for value in re.findall(rf"^metrics_pipeline_{pattern} (\S+)$", text, re.MULTILINE))


def test_two_processes_are_one_api(api: Process, headers: dict[str, str], shared: Settings) -> None:
    workers = workers_of(api)
    assert len(workers) == 2
    left = set()
    for _ in range(READS):  # a connection each, so that either process may take it
        answer = httpx.get(f"{api.url}/v1/trending", headers=headers)
        assert answer.status_code == 200
        left.add(re.search(r'"reads";r=(\d+);', answer.headers["ratelimit"])[1])  # type: ignore[index]
    assert len(left) >= READS - 2, "one quota (a minute may have ended meanwhile)"
    counted = {metric(api, r'http_requests_total\{method="GET",route="/v1/trending",status="2xx"\}') for _ in range(6)}
    assert counted == {READS}, "whichever process tells"

    os.kill(min(workers), signal.SIGKILL)
    deadline = time.monotonic() + 20
    while len(workers_of(api) - {min(workers)}) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(1.5)  # it serves once it is loaded; until then the other one does
    stopped = under_load(api, headers, signal.SIGTERM)

    assert api.process.returncode == 0
    stored = [row["event_id"] for row in accepted(shared)]
    assert set(stopped.taken) <= set(stored)
    assert len(stored) == len(set(stored))


def test_a_worker_ends_with_its_parent(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = [sys.executable, "-m", "metrics_pipeline.api.operations.worker", str(listener.fileno())]
        environment = {"PATH": os.environ["PATH"], "METRICS_DATA_DIR": str(settings.data_dir)}
        worker = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[listener.fileno()], env=environment)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    assert httpx.get(f"{url}/healthz", timeout=20).status_code == 200
    assert worker.stdin is not None
    worker.stdin.close()  # as the system does when the parent is gone
    assert worker.wait(20) == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/healthz")


def test_without_shared_stores_it_is_refused(settings: Settings, shared: Settings) -> None:
    with pytest.raises(UserError, match=r"METRICS_REDIS_URL.*METRICS_DATABASE_URL with Postgres"):
        check_shared_stores(settings)
    with pytest.raises(UserError, match=r"^Several workers need METRICS_REDIS_URL"):
        check_shared_stores(shared.model_copy(update={"redis_url": None}))
    with pytest.raises(UserError, match=r"^Several workers need METRICS_DATABASE_URL"):
        check_shared_stores(shared.model_copy(update={"database_url": SecretStr("sqlite:///a.db")}))
    check_shared_stores(shared)
