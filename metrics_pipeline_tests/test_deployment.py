"""The two instance configurations work: the embedded one, and production's on a real Postgres server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import httpx
import pytest
from sqlalchemy import make_url

from metrics_pipeline.automation.home import PROJECT_ROOT
from metrics_pipeline.control.accounts import add_account
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.definitions import build_definitions
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.sandbox.server import SandboxServer
from metrics_pipeline.settings import load_settings
from metrics_pipeline_tests.conftest import PostgresUrls

NOW = datetime(2026, 3, 18, 10, 30, tzinfo=UTC)


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(seed=7) as server:
        yield server


@pytest.fixture
def production(
    tmp_path: Path, postgres_url: PostgresUrls, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> Pipeline:
    """The environment of deploy/README.md, control database and Dagster's own on one Postgres server."""
    url = make_url(postgres_url())
    home = tmp_path / "home"
    home.mkdir()
    shutil.copyfile(PROJECT_ROOT / "deploy" / "dagster.yaml", home / "dagster.yaml")
    environment = {
        "DAGSTER_HOME": str(home),
        # the server of the tests listens on a Unix socket only: an empty host makes libpq look at PGHOST
        "DAGSTER_PG_HOST": "",
        "PGHOST": str(url.query["host"]),
        "DAGSTER_PG_PORT": str(url.port or 5432),
        "DAGSTER_PG_USERNAME": url.username or "postgres",
        "DAGSTER_PG_PASSWORD": url.password or "",
        "DAGSTER_PG_DB": url.database or "",
        "DAGSTER_COMPUTE_LOGS": str(tmp_path / "logs"),
        "METRICS_DATA_DIR": str(tmp_path / "data"),
        "METRICS_DATABASE_URL": postgres_url(),
        "METRICS_NOW": NOW.isoformat(),
        "METRICS_PIPELINE_START": "2026-03-01",
        "METRICS_COLLECTION_START": "2026-03-01",
        "METRICS_X_BASE_URL": sandbox.base_url("x"),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Pipeline(load_settings())


def test_an_asset_job_runs_on_a_postgres_instance_and_a_postgres_control_database(production: Pipeline) -> None:
    add_workspace(production.control, "Acme", "acme", now=NOW)
    add_account(production.control, production.ring, "acme", "x", "2244994945", token="token", now=NOW)
    assert production.control.dialect.name == "postgresql"
    with dg.DagsterInstance.get() as instance:
        assert type(instance.run_storage).__name__ == "PostgresRunStorage"
        definitions = build_definitions(production)
        key = "2026-03-18-10:00"
        result = definitions.resolve_job_def("collect_x_counters").execute_in_process(
            instance=instance, tags={"dagster/partition": key}
        )
        assert result.success
        assert instance.get_materialized_partitions(dg.AssetKey(["platforms", "x", "counters"])) == {key}
        assert [run.run_id for run in instance.get_runs()] == [result.run_id]
    with production.engine.session() as session:
        (row,) = session.run("select count(*) as rows from counter_readings").read_all().to_pylist()
    assert row["rows"] > 0


def test_the_root_configuration_loads_as_an_instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copyfile(PROJECT_ROOT / "dagster.yaml", tmp_path / "dagster.yaml")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dg.DagsterInstance.get() as instance:
        assert type(instance.run_storage).__name__ == "SqliteRunStorage"
        assert instance.run_monitoring_enabled
        assert instance.run_retries_enabled
        assert not instance.telemetry_enabled
        assert instance.get_concurrency_config().pool_config.default_pool_limit == 1


def test_webserver_and_code_server_find_each_other_by_the_workspace_file(
    production: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code_port, web_port = _free_port(), _free_port()
    monkeypatch.setenv("METRICS_CODE_HOST", "127.0.0.1")
    monkeypatch.setenv("METRICS_CODE_PORT", str(code_port))
    programs = Path(sys.executable).parent
    code = ["dagster", "api", "grpc", "-m", "metrics_pipeline.definitions", "--host", "127.0.0.1"]
    web = ["dagster-webserver", "-w", str(PROJECT_ROOT / "deploy" / "workspace.yaml"), "--host", "127.0.0.1"]
    running: list[subprocess.Popen[bytes]] = []
    try:
        with (tmp_path / "servers.log").open("wb") as log:
            for command in ([*code, "--port", str(code_port)], [*web, "--port", str(web_port)]):
                program = [str(programs / command[0]), *command[1:]]
                running.append(subprocess.Popen(program, stdout=log, stderr=log, env=dict(os.environ)))
                _wait_for_port(code_port if len(running) == 1 else web_port, running[-1], tmp_path / "servers.log")
        query = "{ repositoriesOrError { ... on RepositoryConnection { nodes { location { name } } } } }"
        answer = httpx.post(f"http://127.0.0.1:{web_port}/graphql", json={"query": query}, timeout=60)
        nodes = answer.json()["data"]["repositoriesOrError"]["nodes"]
        assert [node["location"]["name"] for node in nodes] == ["metrics_pipeline"]
    finally:
        for process in running[::-1]:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:  # Dagster's server may take its time on a busy machine
                process.kill()
                process.wait()


def _free_port() -> int:
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    import socket

    end = time.monotonic() + 90
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"nothing listens on port {port}:\n{log.read_text()}")
