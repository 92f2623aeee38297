"""A filled installation for each test, and the server and the keys to it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from metrics_pipeline.api.server import ApiServer
from metrics_pipeline.control.api_keys import Rights, create_key
from metrics_pipeline.control.database import open_control
from metrics_pipeline.control.key_ring import load_key_ring
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.api.whole.filled import NOW, fill, settings_of


@dataclass(frozen=True)
class Installation:
    """A data directory with a server over it."""

    settings: Settings
    control: Engine
    server: ApiServer

    def key(self, workspace_id: str | None, *scopes: str) -> str:
        """A new key; None is an operator's, who cannot send events."""
        every = ("read", "define", "admin") if workspace_id is None else ("read", "define", "admin", "ingest")
        rights = Rights(workspace_id, scopes or every)
        return create_key(self.control, load_key_ring(self.settings), rights, now=NOW)[1].reveal()

    def client(self, workspace_id: str | None, *scopes: str) -> httpx.Client:
        """A client with a new key."""
        headers = {"Authorization": f"Bearer {self.key(workspace_id, *scopes)}"}
        return httpx.Client(base_url=self.server.url, headers=headers, timeout=60)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once; whoever changes something works on a copy."""
    settings = settings_of(tmp_path_factory.mktemp("filled") / "data")
    fill(settings)
    return settings.data_dir


@pytest.fixture
def settings(filled: Path, tmp_path: Path) -> Settings:
    shutil.copytree(filled, tmp_path / "data")
    return settings_of(
        tmp_path / "data",
        dagster_url="http://127.0.0.1:9",  # nobody is there
        live_poll_seconds=0.1,
        api_server_key_events_per_minute=200,
        api_triggers_per_minute=5,
    )


@pytest.fixture
def site(settings: Settings) -> Iterator[Installation]:
    control = open_control(settings)
    with ApiServer(settings) as server:
        yield Installation(settings, control, server)
    control.dispose()
