"""One installation with a real Dagster web server and a simulated platform; started once, for whoever needs it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from metrics_pipeline.api.server import ApiServer
from metrics_pipeline.automation.home import PROJECT_ROOT
from metrics_pipeline.client import MetricsClient
from metrics_pipeline.clock import FixedClock
from metrics_pipeline.control.account_status import disable
from metrics_pipeline.control.accounts import add_account
from metrics_pipeline.control.api_keys import Rights, create_key
from metrics_pipeline.control.database import open_control
from metrics_pipeline.control.key_ring import load_key_ring
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.sandbox.server import SandboxServer
from metrics_pipeline.settings import Settings, load_settings
from metrics_pipeline_tests.api.runs.coordinator import STARTED_AT_ONCE

NOW = datetime(2026, 3, 18, 10, 30, tzinfo=UTC)
_HOME = """
run_coordinator:
  module: metrics_pipeline_tests.api.runs.coordinator
  class: Queue
telemetry:
  enabled: false
"""


def installed(directory: Path, **more: object) -> Settings:
    """A data directory with the workspaces live, acme and beta, each with accounts."""
    settings = load_settings(
        data_dir=directory,
        now=NOW,
        pipeline_start=date(2026, 1, 1),
        collection_start=date(2026, 3, 1),
        api_triggers_per_minute=1000,
        **more,
    )
    control = open_control(settings)
    ring = load_key_ring(settings)
    for workspace in (STARTED_AT_ONCE, "acme", "beta"):
        add_workspace(control, workspace, now=NOW)
        for platform in ("x", "instagram", "whatsapp"):
            add_account(control, ring, workspace, platform, f"{workspace}-1", token="token", now=NOW)
    add_account(control, ring, "acme", "x", "off", account_id="x-off", token="token", now=NOW)
    disable(control, "x-off", "acme", now=NOW)
    control.dispose()
    return settings


@dataclass(frozen=True)
class Site:
    """A running API, and clients of it."""

    settings: Settings
    control: Engine
    server: ApiServer

    def client(self, workspace_id: str | None, *scopes: str) -> httpx.Client:
        """A client with a key of its own; None is an operator's."""
        headers = {"Authorization": f"Bearer {self._key(workspace_id, scopes)}"}
        return httpx.Client(base_url=self.server.url, headers=headers, timeout=60)

    def typed_client(self, workspace_id: str | None) -> MetricsClient:
        """As above, but the project's own."""
        return MetricsClient(self.server.url, self._key(workspace_id), timeout=60)

    def _key(self, workspace_id: str | None, scopes: tuple[str, ...] = ()) -> str:
        rights = Rights(workspace_id, scopes or ("admin",))
        return create_key(self.control, load_key_ring(self.settings), rights, now=NOW)[1].reveal()


@contextlib.contextmanager
def running(settings: Settings) -> Iterator[Site]:
    """The API of these settings."""
    control = open_control(settings)
    with ApiServer(settings) as server:
        yield Site(settings, control, server)
    control.dispose()


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An API whose Dagster is not there."""
    nowhere = f"http://127.0.0.1:{_free_port()}"
    with running(installed(tmp_path_factory.mktemp("alone") / "data", dagster_url=nowhere)) as site:
        yield site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An API with a Dagster web server, below a path as behind a proxy."""
    directory = tmp_path_factory.mktemp("site")
    port = _free_port()
    with SandboxServer(seed=7, clock=FixedClock(NOW)) as sandbox:
        base_url = sandbox.base_url("x")
        settings = installed(directory / "data", dagster_url=f"http://127.0.0.1:{port}/dagster", x_base_url=base_url)
        settings.dagster_home.mkdir()
        (settings.dagster_home / "dagster.yaml").write_text(_HOME)
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(PROJECT_ROOT),
            "DAGSTER_HOME": str(settings.dagster_home),
            "METRICS_DATA_DIR": str(settings.data_dir),
            "METRICS_NOW": NOW.isoformat(),
            "METRICS_PIPELINE_START": "2026-01-01",
            "METRICS_COLLECTION_START": "2026-03-01",
            "METRICS_X_BASE_URL": base_url,
        }
        command = [str(Path(sys.executable).with_name("dagster-webserver")), "-w", str(PROJECT_ROOT / "workspace.yaml")]
        options = ["-h", "127.0.0.1", "-p", str(port), "--path-prefix", "/dagster"]
        with (directory / "web.log").open("wb") as log:
            web = subprocess.Popen([*command, *options], env=environment, stdout=log, stderr=log)
        try:
            with running(settings) as started:
                _wait(web, settings.dagster_url, directory / "web.log")
                yield started
        finally:
            web.terminate()
            try:
                web.wait(30)
            except subprocess.TimeoutExpired:  # Dagster's server may take its time on a busy machine
                web.kill()
                web.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + 90
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/server_info").status_code == 200:
                return
        time.sleep(0.2)
    raise AssertionError(f"Dagster did not start:\n{log.read_text()}")
