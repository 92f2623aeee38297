"""One server, with keys of each kind, for tests in which nothing is changed that another would notice."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from metrics_pipeline.api.server import ApiServer
from metrics_pipeline.control.api_keys import INGEST, SCOPES, Rights, create_key
from metrics_pipeline.control.database import open_control
from metrics_pipeline.control.key_ring import load_key_ring
from metrics_pipeline.control.workspaces import add_workspace, list_workspaces
from metrics_pipeline.settings import Settings, load_settings
from metrics_pipeline_tests.api.operations.routes import Operation, operations
from metrics_pipeline_tests.conftest import PostgresUrls


@dataclass(frozen=True)
class Site:
    """A server and clients with all scopes: of a workspace, and of an operator."""

    settings: Settings
    server: ApiServer
    acme: httpx.Client
    operator: httpx.Client
    operations: list[Operation]


def make_site(settings: Settings) -> Iterator[Site]:
    control = open_control(settings)
    if not list_workspaces(control):
        add_workspace(control, "acme", now=datetime.now(UTC))
    ring, now = load_key_ring(settings), datetime.now(UTC)
    rights = (Rights("acme", SCOPES), Rights(None, [scope for scope in SCOPES if scope != INGEST]))
    keys = [create_key(control, ring, each, now=now)[1].reveal() for each in rights]
    control.dispose()
    with ApiServer(settings) as server:
        acme, operator = (
            httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"}, timeout=20) for key in keys
        )
        with acme, operator:
            yield Site(settings, server, acme, operator, operations(acme.get("/openapi.json").json()))


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def site(
    request: pytest.FixtureRequest,
    migrated_directory: Path,
    tmp_path_factory: pytest.TempPathFactory,
    postgres_url: PostgresUrls,
) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("site") / "data"
    shutil.copytree(migrated_directory, directory)
    settings = load_settings(data_dir=directory).model_copy(
        update={"api_triggers_per_minute": 100_000, "api_server_key_reads_per_minute": 100_000, "api_metrics": "open"}
    )
    if request.param == "postgres":
        settings = settings.model_copy(update={"database_url": SecretStr(postgres_url())})
    yield from make_site(settings)
