"""A real server on loopback with two workspaces, and clients that hold a key."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from metrics_pipeline.api.server import ApiServer
from metrics_pipeline.control.api_keys import Rights, create_key
from metrics_pipeline.control.database import open_control
from metrics_pipeline.control.key_ring import load_key_ring
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.settings import Settings, load_settings

TRACK, BATCH = "/v1/events/track", "/v1/events/track-batch"
PAGE = "https://app.example"

Client = Callable[[str], httpx.Client]


def event(**fields: object) -> dict[str, object]:
    """The smallest event, and whatever else."""
    return {"eventType": "view_start", "contentId": "c1", "sessionId": "s1", **fields}


def code_of(response: httpx.Response) -> str:
    """The code of a problem, which has to be one in every respect."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    body: dict[str, Any] = response.json()
    assert body["status"] == response.status_code
    assert body["type"] == f"urn:metrics-pipeline:problem:{body['code']}"
    assert body["title"]
    assert body["detail"]
    return str(body["code"])


@pytest.fixture(scope="session")
def migrated_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the workspaces in it: each test copies it."""
    settings = load_settings(data_dir=tmp_path_factory.mktemp("migrated"))
    control = open_control(settings)
    for name in ("acme", "beta"):
        add_workspace(control, name, now=datetime.now(UTC))
    load_key_ring(settings)
    control.dispose()
    return settings.data_dir


@pytest.fixture
def settings(migrated_directory: Path, tmp_path: Path) -> Settings:
    """Of a copy; tables are looked for anew at each request."""
    shutil.copytree(migrated_directory, tmp_path / "data")
    return load_settings(data_dir=tmp_path / "data").model_copy(update={"api_refresh_seconds": 0.0})


@pytest.fixture
def control(settings: Settings) -> Iterator[Engine]:
    engine = open_control(settings)
    yield engine
    engine.dispose()


@pytest.fixture
def key(control: Engine, settings: Settings) -> Callable[..., str]:
    """Makes a key and gives its text."""

    def make(
        workspace_id: str | None = "acme", *scopes: str, origins: tuple[str, ...] = (), ends: datetime | None = None
    ) -> str:
        rights = Rights(workspace_id, scopes or ("ingest",), origins)
        now = datetime.now(UTC) if ends is None else min(datetime.now(UTC), ends.replace(year=ends.year - 1))
        return create_key(control, load_key_ring(settings), rights, now=now, expires_at=ends)[1].reveal()

    return make


@pytest.fixture
def server(settings: Settings) -> Iterator[ApiServer]:
    with ApiServer(settings) as running:
        yield running


@pytest.fixture
def client(server: ApiServer) -> Iterator[Client]:
    """Makes a client that sends a key; an empty one sends none."""
    opened: list[httpx.Client] = []

    def make(key: str) -> httpx.Client:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        opened.append(httpx.Client(base_url=server.url, headers=headers, timeout=10))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@pytest.fixture
def acme(client: Client, key: Callable[..., str]) -> httpx.Client:
    """A client with a server's key of workspace acme."""
    return client(key("acme"))


@pytest.fixture
def browser(client: Client, key: Callable[..., str]) -> httpx.Client:
    """A client as a page of PAGE is one."""
    made = client(key("acme", origins=(PAGE,)))
    made.headers["Origin"] = PAGE
    return made
